package cli_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/cli"
)

// run executes the command line as main does.
func run(t *testing.T, args ...string) (status int, out, errOut string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	status = cli.Main(t.Context(), "1.2.3", args, &stdout, &stderr)
	return status, stdout.String(), stderr.String()
}

func TestWrongUsageExits2AndPointsToHelp(t *testing.T) {
	for _, args := range [][]string{
		{"nonsense"},
		{"serve", "--no-such-flag"},
		{"simulate", "--target-rps", "-1"},
		{"simulate", "--duration", "soon"},
		{"query", "promql"},
	} {
		status, _, errOut := run(t, args...)
		if status != 2 || !strings.Contains(errOut, "--help") {
			t.Errorf("%v: exit %d, %q; want 2 and a pointer to --help", args, status, errOut)
		}
	}
}

func TestGateCheckKeepsExitStatus2ForItsVerdicts(t *testing.T) {
	if status, _, errOut := run(t, "gate", "check"); status != 3 || !strings.Contains(errOut, "service") {
		t.Errorf("a missing flag: exit %d, %q; want 3, because 2 is a verdict", status, errOut)
	}
}

func TestFlagsComeFromTheEnvironmentToo(t *testing.T) {
	t.Setenv("SIGNALBOX_TARGET_RPS", "minus one")
	status, _, errOut := run(t, "simulate")
	if status != 2 || !strings.Contains(errOut, "SIGNALBOX_TARGET_RPS") {
		t.Errorf("exit %d, %q; want 2 and the variable's name", status, errOut)
	}
}

func TestVersion(t *testing.T) {
	if status, out, _ := run(t, "version"); status != 0 || out != "1.2.3\n" {
		t.Errorf("exit %d, %q", status, out)
	}
}
