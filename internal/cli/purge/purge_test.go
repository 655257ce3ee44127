package purge

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/cli/clitest"
	"github.com/signalbox-project/signalbox/internal/cli/command"
	"github.com/signalbox-project/signalbox/internal/retention"
)

// block leaves what a block of samples says of itself.
func block(t *testing.T, dir string, n int, newest time.Time) {
	t.Helper()
	path := filepath.Join(dir, "metrics", fmt.Sprintf("01ARZ3NDEKTSV4RRFFQ69G5FA%d", n), "meta.json")
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(`{"minTime":%d,"maxTime":%d}`, newest.Add(-2*time.Hour).UnixMilli(), newest.UnixMilli())
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestPurgeVerify(t *testing.T) {
	dir := t.TempDir()
	storage, conf := filepath.Join(dir, "data"), filepath.Join(dir, "signalbox.yml")
	if err := os.WriteFile(conf, []byte("metrics: {retention: 10d}\ntenants: [{name: acme, retention: {metrics: 3d}}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	block(t, storage, 1, at)
	block(t, filepath.Join(storage, "tenants", "acme"), 1, at)
	block(t, filepath.Join(storage, "tenants", "gone"), 1, at)

	run := func(after time.Duration, args ...string) (int, string, string) {
		cmds := []*cobra.Command{Purge(func() time.Time { return at.Add(after) })}
		return clitest.Run(t, cmds, append([]string{"purge"}, args...)...)
	}
	flags := []string{"--verify", "--storage.path", storage, "--config.file", conf}
	const day = 24 * time.Hour
	status, out, _ := run(2*day, flags...)
	if status != command.OK || !strings.Contains(out, "Nothing is there that should be gone.") || !strings.Contains(out, "2026-11-21T10:00:00Z") {
		t.Errorf("%d\n%s", status, out)
	}
	for after, late := range map[time.Duration]string{4 * day: "acme", 11 * day: "default acme gone"} {
		status, out, _ = run(after, append(flags, "-o", "json")...)
		var rows []retention.Row
		if err := json.Unmarshal([]byte(out), &rows); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range rows {
			if r.Late > 0 {
				got = append(got, r.Tenant)
			}
		}
		if status != command.No || strings.Join(got, " ") != late {
			t.Errorf("after %s: status %d, late are %v, want %s", after, status, got, late)
		}
	}
	if status, out, _ = run(11*day, flags...); status != command.No || !strings.Contains(out, "names no tenant gone") || !strings.Contains(out, "3 of these hold what should be gone") {
		t.Errorf("%d\n%s", status, out)
	}
	for want, args := range map[string][]string{"--verify": {"--storage.path", storage}, "--storage.path": {"--verify", "--storage.path", dir + "/nowhere"}} {
		if status, _, errOut := run(0, args...); status < command.Wrong || !strings.Contains(errOut, want) {
			t.Errorf("%v: %d %s", args, status, errOut)
		}
	}
}
