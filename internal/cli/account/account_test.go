package account_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/cli/account"
	"github.com/signalbox-project/signalbox/internal/cli/clitest"
)

func run(t *testing.T, args ...string) (status int, out, errOut string) {
	t.Helper()
	return clitest.Run(t, []*cobra.Command{account.User()}, args...)
}

func TestRecoverAsksTheServerWithWhatItsFileHolds(t *testing.T) {
	dir := t.TempDir()
	server := clitest.Serve(t, 200, `{"path":"/setup#abc"}`)
	args := []string{"user", "recover", "ann", "--storage.path", dir, "--server", server.URL}
	if status, _, errOut := run(t, args...); status != 3 || !strings.Contains(errOut, "--storage.path") || len(server.Asked) != 0 {
		t.Errorf("without the file: %d %s", status, errOut)
	}
	if err := os.MkdirAll(filepath.Join(dir, "auth"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "auth", "recovery.secret"), []byte("hunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	status, out, errOut := run(t, args...)
	if status != 0 || !strings.Contains(out, server.URL+"/setup#abc") || strings.Contains(out+errOut, "hunter2") {
		t.Fatalf("%d %s %s", status, out, errOut)
	}
	if a := server.Asked[0]; a.Method != "POST" || a.URL != "/sb/v1/recover" || a.Body != `{"name":"ann","proof":"hunter2"}` {
		t.Errorf("%+v", a)
	}
	for _, to := range []string{"http://signalbox.example.org", "http://192.0.2.1:4300", "192.0.2.1:4300"} {
		if status, _, errOut := run(t, "user", "recover", "ann", "--storage.path", dir, "--server", to); status != 2 || !strings.Contains(errOut, "https://") {
			t.Errorf("%s: %d %s", to, status, errOut)
		}
	}
	no := clitest.Serve(t, 401, `{"error":{"message":"Not logged in."}}`)
	if status, _, errOut := run(t, "user", "recover", "ann", "--storage.path", dir, "--server", no.URL); status != 3 || !strings.Contains(errOut, "Not logged in.") {
		t.Errorf("%d %s", status, errOut)
	}
}
