package ask

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os/user"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/cli/client"
	"github.com/signalbox-project/signalbox/internal/cli/command"
	"github.com/signalbox-project/signalbox/internal/cli/show"
	"github.com/signalbox-project/signalbox/internal/gate"
	"github.com/signalbox-project/signalbox/internal/gate/bands"
	"github.com/signalbox-project/signalbox/internal/gate/canary"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/human"
)

func decisionPath(id, more string) string {
	return "/sb/v1/gate/decisions/" + url.PathEscape(id) + more
}

func gateOverrideCommand() *cobra.Command {
	var c client.Client
	var o output
	var actor, reason string
	cmd := &cobra.Command{
		Use:   "override ID --reason TEXT",
		Short: "Break glass: let the version of a stopped decision pass for a while",
		Long: `Lets the same service, environment and version pass in spite of a decision, until
gate.override_for is over. Who did it and why is written to the audit log and
shown with the decision and with every decision that passes because of it.`,
		Example: `  id=$(signalbox gate check --service mail --version 7 --json | jq -r .id)
  signalbox gate override $id --reason "the release mends the outage of 14:02"`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if actor == "" {
				u, err := user.Current()
				if err != nil {
					return command.Usage(fmt.Errorf("--actor: who are you? %w", err))
				}
				actor = u.Username
			}
			var got answer[model.GateDecision]
			if err := c.PostJSON(cmd.Context(), decisionPath(args[0], "/override"), map[string]string{"actor": actor, "reason": reason}, &got); err != nil {
				return err
			}
			d := got.value
			if d.Override == nil {
				return errors.New("the answer holds no override; check that --server is a Signalbox server")
			}
			return o.print(cmd, got.raw, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "%s %s in %s may be deployed until %s (%s, by %s)\n", d.Override.Service, orDash(d.Override.Version),
					orDash(d.Override.Environment), d.Override.Expires.Format("2006-01-02 15:04:05 MST"), d.Override.Reason, d.Override.Actor)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&actor, "actor", "", "who answers for it; the user running this by default")
	cmd.Flags().StringVar(&reason, "reason", "", "why, for whoever reads the audit log")
	c.Flags(cmd.Flags())
	o.flags(cmd.Flags())
	_ = cmd.MarkFlagRequired("reason")
	return cmd
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func gateReplayCommand() *cobra.Command {
	var c client.Client
	var o output
	cmd := &cobra.Command{
		Use:   "replay ID",
		Short: "Decide again from what was stored with a decision",
		Long: `Has the server decide again from the input and the policies that were stored with
a decision, and compares. Exit status: 0 the same, 1 not the same or the
signature does not fit, 3 no answer from the server.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var got answer[gate.Replay]
			if err := c.PostJSON(cmd.Context(), decisionPath(args[0], "/replay"), json.RawMessage("{}"), &got); err != nil {
				return err
			}
			r := got.value
			if err := o.print(cmd, got.raw, func(w io.Writer) error {
				outcome := "the same"
				if !r.Same {
					outcome = "NOT THE SAME"
				}
				_, err := fmt.Fprintf(w, "%s: stored %s, replayed %s; signature %s\n%s\n", outcome, r.Stored, r.Replayed, r.Signature, r.Decision.Summary)
				return err
			}); err != nil {
				return err
			}
			if !r.Same || r.Signature != "valid" {
				return command.Exit(command.No)
			}
			return nil
		},
	}
	c.Flags(cmd.Flags())
	o.flags(cmd.Flags())
	return cmd
}

func gatePoliciesCommand() *cobra.Command {
	var c client.Client
	var o output
	cmd := &cobra.Command{
		Use:   "policies",
		Short: "Show the budget policies and what they mean now",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var got answer[bands.PolicyView]
			if err := c.Get(cmd.Context(), "/sb/v1/gate/policies", nil, &got); err != nil {
				return err
			}
			v := got.value
			return o.print(cmd, got.raw, func(w io.Writer) error { return printPolicies(w, v) })
		},
	}
	c.Flags(cmd.Flags())
	o.flags(cmd.Flags())
	return cmd
}

func printPolicies(w io.Writer, v bands.PolicyView) error {
	fmt.Fprintln(w, v.Summary)
	t := show.NewTable("POLICY", "FOR", "CAUTION", "HOLD", "FREEZE", "BLOCKS AT", "FREEZES")
	row := func(name, match string, p gate.Policy, freezes int) {
		t.Row(name, match, "> "+human.Percent(p.CautionAbove), "> "+human.Percent(p.HoldAbove), "≥ "+human.Percent(p.FreezeAt),
			fmt.Sprintf("%g× (%s), %g× (%s)", p.BurnFast.Factor, p.BurnFast.Long, p.BurnSlow.Factor, p.BurnSlow.Long), strconv.Itoa(freezes))
	}
	for _, p := range v.Policies {
		row(p.Name, matchText(p.Match), p.Rules, len(p.Freezes))
	}
	row(gate.DefaultName, "all others", v.Default, 0)
	t.Write(w)
	for _, f := range v.Frozen {
		fmt.Fprintf(w, "\nfrozen until %s (%s): %s: %s\n", f.Until.Format("2006-01-02 15:04 MST"), f.Effect, f.Name, f.Reason)
	}
	if len(v.SLOs) == 0 {
		return nil
	}
	fmt.Fprintln(w)
	b := show.NewTable("SLO", "SERVICE", "BUDGET USED", "BAND", "POLICY")
	for _, p := range v.SLOs {
		used := "-"
		if p.UsedRatio != nil {
			used = human.Percent(*p.UsedRatio)
		}
		b.Row(p.SLO, p.Service, used, orDash(p.Band), orDash(p.Policy))
	}
	b.Write(w)
	return nil
}

func matchText(s gate.Selector) string {
	var parts []string
	for _, f := range []struct {
		name  string
		names []string
	}{{"service", s.Services}, {"team", s.Teams}, {"environment", s.Environments}} {
		if len(f.names) > 0 {
			parts = append(parts, f.name+" "+strings.Join(f.names, "|"))
		}
	}
	for _, k := range slices.Sorted(maps.Keys(s.Labels)) {
		parts = append(parts, k+"="+s.Labels[k])
	}
	if len(parts) == 0 {
		return "everything"
	}
	return strings.Join(parts, ", ")
}

func gateCanaryCommand() *cobra.Command {
	var c client.Client
	var o output
	var req canary.Request
	cmd := &cobra.Command{
		Use:   "canary --service NAME --baseline VERSION --canary VERSION",
		Short: "Exit 0 if a version is no worse than another, 1 if it is worse, 2 if undecidable",
		Long: `Compares two versions of a service that run side by side: durations by a rank test
and by P95 and P99, failures by a bounded difference, and saturation.

Exit status:
  0  allow: no worse
  1  block: worse
  2  insufficient: too few requests, no data, stale data, or it may be chance
  3  error: no answer from the server`,
		Example: `  signalbox gate canary --service edge --baseline 2.4.1 --canary 2.4.2 --window 30m`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var got answer[canary.Result]
			if err := c.PostJSON(cmd.Context(), "/sb/v1/gate/canary", req, &got); err != nil {
				return err
			}
			r := got.value
			if r.Verdict == "" {
				return errNoVerdict
			}
			if err := o.print(cmd, got.raw, func(w io.Writer) error { return printCanary(w, r) }); err != nil {
				return err
			}
			return command.Exit(gateStatus(r.Verdict))
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&req.Service, "service", "", "service that both versions are of")
	fs.StringVar(&req.Baseline, "baseline", "", "version that runs")
	fs.StringVar(&req.Canary, "canary", "", "version to judge")
	fs.StringVar(&req.Environment, "environment", "", "only what ran there")
	fs.StringVar(&req.Window, "window", "", "how far to look back, for example 30m; canary.window by default")
	fs.StringVar(&req.Actor, "actor", "", "who asks, for the audit trail")
	c.Flags(fs)
	o.flags(fs)
	for _, name := range []string{"service", "baseline", "canary"} {
		_ = cmd.MarkFlagRequired(name)
	}
	return cmd
}

func printCanary(w io.Writer, r canary.Result) error {
	fmt.Fprintf(w, "%s\n", r.Summary)
	for _, c := range r.Checks {
		fmt.Fprintf(w, "  %-12s %-13s %s\n", c.Verdict, c.Name, c.Message)
	}
	fmt.Fprintln(w)
	t := show.NewTable("VERSION", "REQUESTS", "FAILED", "P50 S", "P95 S", "P99 S")
	for _, f := range []canary.Figures{r.Baseline, r.Canary} {
		failed := "-"
		if f.ErrorRatio != nil {
			failed = human.Percent(*f.ErrorRatio)
		}
		t.Row(f.Version, human.Number(f.Events), failed, optional(f.P50), optional(f.P95), optional(f.P99))
	}
	t.Write(w)
	_, err := fmt.Fprintf(w, "\nover %s until %s\n", r.Window, r.Time.Format("2006-01-02 15:04:05 MST"))
	return err
}
