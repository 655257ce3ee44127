package check

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/cli/show"
	"github.com/signalbox-project/signalbox/internal/remedy/contract"
	"github.com/signalbox-project/signalbox/internal/remedy/scenario"
)

func checkRemediesCommand() *cobra.Command {
	var scenarios []string
	cmd := &cobra.Command{
		Use:   "remedies FILE...",
		Short: "Check files of remedies, and play scenarios against them",
		Long: `Reads files of remedies as the server does (remedy_files in signalbox.yml) and says everything that
is wrong with them. With --scenario it plays files that say what happens when, and what must come of it,
on a clock of its own: with the engine of the server, Prometheus' engine for queries, and a target that
does not exist. Nothing outside is asked or touched.`,
		Example: `  signalbox check remedies examples/broker/remedies/*.yml
  signalbox check remedies examples/broker/remedies/*.yml --scenario 'examples/broker/remedies/scenarios/*.yml'`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			files, f := matches(args)
			remedies, problems := contract.Load(files)
			played, more := scenario.Play(cmd.Context(), remedies, scenarios)
			for _, p := range append(problems, more...) {
				f.add(p.Error(), p.Warning)
			}
			lines := []string{}
			for _, r := range remedies {
				does := string(r.Mode)
				if r.DryRun {
					does += ", dry run"
				}
				lines = append(lines, fmt.Sprintf("%s: %s for %s (%s)", r.Name, r.Action.Kind(), r.Trigger.Alert, does))
			}
			last := fmt.Sprintf("remedies in %d %s: %d, all good", len(files), show.Plural(len(files), "file"), len(remedies))
			if played > 0 {
				last += fmt.Sprintf("; %d %s came true", played, show.Plural(played, "scenario"))
			}
			return f.report(cmd, files, strings.Join(append(lines, last), "\n"))
		},
	}
	cmd.Flags().StringArrayVar(&scenarios, "scenario", nil, "files of scenarios (pattern) to play")
	return cmd
}
