package atrest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/signalbox-project/signalbox/internal/seal/sealtest"
)

// asUser has the test program do one thing as a user without any privilege.
const asUser = "SIGNALBOX_ATREST_AS_USER"

// TestMain runs the tests, or what runAs asks for.
func TestMain(m *testing.M) {
	if step := os.Getenv(asUser); step != "" {
		step, root, _ := strings.Cut(step, " ")
		if err := userStep(step, root); err != nil {
			_, _ = os.Stderr.WriteString(err.Error())
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func userStep(step, root string) error {
	o, err := Open(root, on, sealtest.Keys{"k1"})
	if err != nil {
		return err
	}
	file := filepath.Join(o.Dir, "kept")
	if step == "write-and-be-killed" {
		if err := os.WriteFile(file, []byte("words"), 0o600); err != nil {
			return err
		}
		return syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "words" {
		return os.ErrInvalid
	}
	_, err = o.Close()
	return err
}

// runAs does a step as the user nobody, and answers what it said.
func runAs(t *testing.T, program, step, root string) (string, error) {
	t.Helper()
	const nobody = 65534
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), asUser+"="+step+" "+root)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// Whoever owns the folder needs no privilege; after a kill the next start goes on, and its stop takes the key away.
func TestAUserWithoutPrivilegesIsKilledAndGoesOn(t *testing.T) {
	i := newImage(t, "encrypt")
	// A folder for tests belongs to root alone: the other user needs its way to the image and to the program.
	must(t, os.Chmod(filepath.Dir(i.dir), 0o755)) //nolint:gosec // only what is below is for the other user
	root, program := filepath.Join(i.dir, "data"), filepath.Join(i.dir, "program")
	must(t, os.Mkdir(root, 0o750))
	must(t, os.Chown(root, 65534, 65534))
	self, err := os.ReadFile("/proc/self/exe")
	must(t, err)
	must(t, os.WriteFile(program, self, 0o755)) //nolint:gosec // the other user runs it
	out, err := runAs(t, program, "write-and-be-killed", root)
	if err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("it was to be killed: %v %s", err, out)
	}
	if !exists(filepath.Join(root, folder, "kept")) {
		t.Error("the key is gone with a kill; documentation says that it stays")
	}
	if out, err := runAs(t, program, "read", root); err != nil {
		t.Errorf("after the kill: %v %s", err, out)
	}
	if exists(filepath.Join(root, folder, "kept")) {
		t.Error("after a stop the name can still be read")
	}
}
