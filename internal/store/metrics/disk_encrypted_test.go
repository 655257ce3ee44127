package metrics

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/store/metrics/spare"
)

// On a full disk mapped chunks go to where temporary files are; of an encrypted folder they do not, for they would lie there plain.
func TestWhatIsEncryptedGoesToNoOtherDisk(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	for encrypted, says := range map[bool]string{false: "", true: spare.Memory} {
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, "wal"), 0o750); err != nil {
			t.Fatal(err)
		}
		d := newDisk(dir, func(of string) (uint64, error) {
			if of == os.TempDir() {
				return 1 << 40, nil
			}
			return 0, nil
		}, slog.New(slog.DiscardHandler), encrypted)
		err := d.spare.AtStart()
		if away := d.spare.Away(); (err != nil) != encrypted || err != nil && !strings.Contains(err.Error(), says) || (away == "") != encrypted {
			t.Errorf("encrypted %v: chunks are in %q, %v", encrypted, away, err)
		}
	}
}
