package ask_test

import (
	"testing"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/cli/ask"
	"github.com/signalbox-project/signalbox/internal/cli/clitest"
)

func run(t *testing.T, args ...string) (status int, out, errOut string) {
	t.Helper()
	return clitest.Run(t, []*cobra.Command{ask.Query(), ask.SLO(), ask.Gate(), ask.OnCall(), ask.Catalog(), ask.Explain(), ask.Audit(), ask.HashID(), ask.RulesReview(), ask.RulesPools()}, args...)
}
