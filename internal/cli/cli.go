// Package cli is the command line: it puts the tree of commands together and holds those that
// run something, the platform, the demo, the simulation and the load test.
//
// Each other family has a package below: ask speaks HTTP to a running server, check reads
// files and says what is wrong with them, convert writes files for other systems. None holds
// business rules or opens a store. Every flag can be given as an environment variable:
// SIGNALBOX_ and the flag's name in capitals, with _ for every dot and dash. Start reading at New.
package cli

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/cli/account"
	"github.com/signalbox-project/signalbox/internal/cli/announce"
	"github.com/signalbox-project/signalbox/internal/cli/ask"
	"github.com/signalbox-project/signalbox/internal/cli/check"
	"github.com/signalbox-project/signalbox/internal/cli/command"
	"github.com/signalbox-project/signalbox/internal/cli/convert"
	"github.com/signalbox-project/signalbox/internal/cli/people"
	"github.com/signalbox-project/signalbox/internal/cli/purge"
	"github.com/signalbox-project/signalbox/internal/cli/remediate"
	"github.com/signalbox-project/signalbox/internal/cli/storage"
)

// Main runs the command line args (without the program's name) and returns the
// process's exit status.
func Main(ctx context.Context, version string, args []string, out, errOut io.Writer) int {
	return command.Run(ctx, New(version), args, out, errOut)
}

// New is the whole command tree.
func New(version string) *cobra.Command {
	root := &cobra.Command{
		Use:   "signalbox",
		Short: "Metrics, logs, traces, SLOs, pages and deployment gates in one binary",
		Long: `Signalbox takes a fleet's metrics, logs and traces, knows what each service
promised, pages the right person and holds unsafe deployments with evidence.

  signalbox demo     everything with a simulated broker platform, on http://localhost:4300
  signalbox serve    everything for your own telemetry; no file needed

Commands that talk to a running server find it by --server or SIGNALBOX_SERVER, and ask
as whoever signalbox login logged in there, or by the token in SIGNALBOX_TOKEN.

Exit status: 0 success, 1 the answer is no, 2 wrong usage, 3 error. Below gate, 2 is
a verdict, so that wrong usage is 3 there.`,
		Version: version,
	}
	root.SetVersionTemplate("{{.Version}}\n")
	root.AddGroup(
		&cobra.Group{ID: "run", Title: "Run:"},
		&cobra.Group{ID: "ask", Title: "Ask a running server:"},
		&cobra.Group{ID: "who", Title: "Who asks, and what they may:"},
		&cobra.Group{ID: "work", Title: "Check and measure:"},
	)
	add(root, "run", serveCommand(version), demoCommand(version), simulateCommand())
	add(root, "ask", ask.Query(), ask.SLO(convert.SLOImport(), convert.SLOExport()), ask.Gate(), ask.OnCall(people.Calendar(), people.Fairness(), people.Policies(), people.Test(), people.Verify(), people.Swap(), people.Heartbeat(), convert.OnCallImport()), ask.Catalog(), people.Channels(), people.Incident(), announce.StatusPage(), remediate.Remedy(), ask.Explain(), ask.Audit(account.AuditReview()), ask.HashID(), account.Tenants(), mcpCommand(version))
	add(root, "who", account.Login(), account.Logout(), account.WhoAmI(), account.Token(), account.User(), account.Session(), account.Roles())
	add(root, "work", check.Check(), convert.Rules(ask.RulesReview(), ask.RulesPools()), purge.Purge(time.Now), storage.Storage(time.Now), benchCommand())
	root.AddCommand(versionCommand(version), sqlWorkerCommand())
	return root
}

func add(root *cobra.Command, group string, cmds ...*cobra.Command) {
	for _, c := range cmds {
		c.GroupID = group
		root.AddCommand(c)
	}
}

func versionCommand(version string) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		Run:   func(cmd *cobra.Command, _ []string) { fmt.Fprintln(cmd.OutOrStdout(), version) },
	}
}
