package check_test

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/cli/check"
	"github.com/signalbox-project/signalbox/internal/cli/clitest"
)

func run(t *testing.T, args ...string) (status int, out, errOut string) {
	t.Helper()
	return clitest.Run(t, []*cobra.Command{check.Check()}, args...)
}

func TestCheckNamesEveryProblem(t *testing.T) {
	status, _, errOut := run(t, "check", "config", "testdata/bad.yml")
	for _, want := range []string{"bad.yml:1", "scrape_configs", "bad.yml:2"} {
		if status != 3 || !strings.Contains(errOut, want) {
			t.Errorf("exit %d, the error does not say %q: %s", status, want, errOut)
		}
	}
	if status, out, errOut := run(t, "check", "config", "../../../examples/broker/signalbox.yml"); status != 0 || !strings.Contains(out, "is good") {
		t.Errorf("the example: exit %d, %s %s", status, out, errOut)
	}
	if status, out, errOut := run(t, "check", "slos", "../../../examples/broker/slos/*.yaml"); status != 0 || !strings.Contains(out, "SLOs in") {
		t.Errorf("the example's SLOs: exit %d, %s %s", status, out, errOut)
	}
	if status, _, errOut := run(t, "check", "rules", "testdata/nowhere.yml"); status != 3 || !strings.Contains(errOut, "nowhere.yml") {
		t.Errorf("a file that is not there: exit %d, %s", status, errOut)
	}
}
