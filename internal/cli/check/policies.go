package check

import (
	"fmt"
	"strings"
	"time"

	prom "github.com/prometheus/common/model"
	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/cli/command"
	"github.com/signalbox-project/signalbox/internal/cli/show"
	"github.com/signalbox-project/signalbox/internal/config"
	"github.com/signalbox-project/signalbox/internal/gate"
	"github.com/signalbox-project/signalbox/internal/platform/human"
)

func checkPoliciesCommand() *cobra.Command {
	var configFile string
	cmd := &cobra.Command{
		Use:   "policies FILE...",
		Short: "Check budget policy files and say what each of them does",
		Long: `Reads budget policy files as the server does (policy_files in signalbox.yml) and
says everything that is wrong with all of them, each with file, line and cure.

What a policy does not say it takes from the gate section of signalbox.yml. Name
that file with --config.file to check against it; without FILE the files that it
names are checked. A policy file looks like this:

  policies:
    - name: broker
      match: {services: [edge, "layout*"], environments: [prod]}
      rules:
        caution_above: 0.5   # share of the budget used: release with caution, alert
        hold_above: 0.75     # only critical fixes pass
        freeze_at: 1         # nothing passes
        burn_fast: {long: 1h, short: 5m, factor: 14}    # blocks
        burn_slow: {long: 6h, short: 30m, factor: 6}    # blocks
      freezes:
        - {name: year end, reason: markets are closed, start: 2026-12-24, end: 2027-01-04, time_zone: Europe/Zurich}

Where several policies match a deployment all apply, and the strictest wins.`,
		Example: `  signalbox check policies examples/broker/policies/*.yml
  signalbox check policies --config.file examples/broker/signalbox.yml`,
		RunE: func(cmd *cobra.Command, args []string) error {
			base := gate.DefaultPolicy()
			if configFile != "" {
				cfg, err := config.Load(configFile)
				if err != nil {
					return err
				}
				base = cfg.Gate.Policy
				if len(args) == 0 {
					args = cfg.PolicyFiles
				}
			}
			if len(args) == 0 {
				return command.Usage(fmt.Errorf("requires at least one FILE, or --config.file with policy_files in it"))
			}
			return checkPolicies(cmd, args, base)
		},
	}
	cmd.Flags().StringVar(&configFile, "config.file", "", "signalbox.yml whose gate section the policies build on")
	return cmd
}

func checkPolicies(cmd *cobra.Command, patterns []string, base gate.Policy) error {
	files, f := matches(patterns)
	set, problems := gate.LoadPolicies(files, base)
	for _, p := range problems {
		f.add(p.Error(), false)
	}
	lines := []string{}
	for _, p := range set.Named {
		lines = append(lines, policyInWords(p))
	}
	lines = append(lines, fmt.Sprintf("%d %s in %d %s: good", len(set.Named), policies(len(set.Named)), len(files), show.Plural(len(files), "file")))
	return f.report(cmd, files, strings.Join(lines, "\n"))
}

func policies(n int) string {
	if n == 1 {
		return "policy"
	}
	return "policies"
}

// policyInWords is one line on what a policy is for and what it does.
func policyInWords(p gate.NamedPolicy) string {
	var of []string
	for _, m := range []struct {
		what  string
		names []string
	}{{"services", p.Match.Services}, {"teams", p.Match.Teams}, {"environments", p.Match.Environments}} {
		if len(m.names) > 0 {
			of = append(of, m.what+" "+strings.Join(m.names, ", "))
		}
	}
	if len(p.Match.Labels) > 0 {
		of = append(of, fmt.Sprintf("%d %s of SLOs", len(p.Match.Labels), show.Plural(len(p.Match.Labels), "label")))
	}
	if len(of) == 0 {
		of = []string{"everything"}
	}
	r := p.Rules
	text := fmt.Sprintf("%s (%s): caution above %s, hold above %s, freeze at %s of the budget; blocks at %s and %s", p.Name, strings.Join(of, "; "),
		human.Percent(r.CautionAbove), human.Percent(r.HoldAbove), human.Percent(r.FreezeAt), burnInWords(r.BurnFast), burnInWords(r.BurnSlow))
	for _, e := range []struct {
		what   string
		effect gate.Effect
	}{{"open pages", r.OpenPages}, {"dependencies in danger", r.Dependencies}} {
		if e.effect != gate.EffectOff {
			text += fmt.Sprintf("; %s: %s", e.what, e.effect)
		}
	}
	if n := len(p.Freezes); n > 0 {
		text += fmt.Sprintf("; %d %s", n, show.Plural(n, "freeze"))
	}
	return text
}

func burnInWords(b gate.BurnRule) string {
	window := func(d prom.Duration) string { return human.Duration(time.Duration(d)) }
	return fmt.Sprintf("%s over %s and %s", human.Times(b.Factor), window(b.Long), window(b.Short))
}
