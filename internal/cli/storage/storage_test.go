package storage

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/cli/clitest"
)

func TestAMoveSaysWhatIsMissing(t *testing.T) {
	dir := t.TempDir()
	bare, keyed := filepath.Join(dir, "bare.yml"), filepath.Join(dir, "keyed.yml")
	for path, text := range map[string]string{
		bare: "external_labels: {a: b}\n", keyed: "seal: {keys: [{file: seal.key}]}\n", filepath.Join(dir, "seal.key"): strings.Repeat("QUJD", 12),
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		args   []string
		status int
		says   string
	}{
		{[]string{"storage", "encrypt", "--storage.path", dir, "--config.file", bare}, 2, "seal.keys"},
		{[]string{"storage", "encrypt", "--storage.path", filepath.Join(dir, "none"), "--config.file", keyed}, 3, "--storage.path"},
		{[]string{"storage", "encrypt", "--storage.path", dir, "--config.file", keyed}, 3, "holds no data"},
		{[]string{"storage", "decrypt", "--storage.path", dir, "--config.file", keyed}, 3, "are not encrypted"},
	} {
		status, _, errOut := clitest.Run(t, []*cobra.Command{Storage(time.Now)}, c.args...)
		if status != c.status || !strings.Contains(errOut, c.says) {
			t.Errorf("%v: exit %d, %s", c.args, status, errOut)
		}
	}
}

func TestProgressIsSaidEveryFewSeconds(t *testing.T) {
	at := time.Unix(0, 0)
	var out bytes.Buffer
	tell := progress(&out, func() time.Time { return at })
	for i := range 20 {
		tell(int64(i)<<20, 20<<20)
		at = at.Add(time.Second)
	}
	if got := strings.Count(out.String(), "\n"); got != 3 || !strings.Contains(out.String(), "5 of 20 MiB copied") {
		t.Errorf("told %d times: %s", got, out.String())
	}
}
