package check

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/cli/show"
	"github.com/signalbox-project/signalbox/internal/platform/human"
	"github.com/signalbox-project/signalbox/internal/probe"
)

func checkProbesCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "probes FILE...",
		Short: "Check files of synthetic probes and say what each probe does",
		Long: `Reads files of probes as the server does (probe_files in signalbox.yml) and says
everything that is wrong with them, each with file, line and cure. Nothing is
probed. A file looks like this; modules are the blackbox exporter's:

  modules:
    login_page:
      prober: http
      http: {fail_if_body_not_matches_regexp: ["Sign in"]}
  probes:
    - {name: login, module: login_page, target: "https://example.com/login", interval: 30s, timeout: 5s, labels: {service: edge}}`,
		Example: "  signalbox check probes examples/broker/probes/*.yml",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			files, f := matches(args)
			probes, problems := probe.Load(files)
			for _, p := range problems {
				f.add(p.Error(), p.Warning)
			}
			lines := []string{}
			for _, d := range probes {
				lines = append(lines, fmt.Sprintf("%s: %s to %s every %s, at most %s", d.Name, d.Module, d.Target, human.Duration(d.Interval), human.Duration(d.Timeout)))
			}
			lines = append(lines, fmt.Sprintf("%d %s in %d %s: good", len(probes), show.Plural(len(probes), "probe"), len(files), show.Plural(len(files), "file")))
			return f.report(cmd, files, strings.Join(lines, "\n"))
		},
	}
}
