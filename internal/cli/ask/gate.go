package ask

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/cli/client"
	"github.com/signalbox-project/signalbox/internal/cli/command"
	"github.com/signalbox-project/signalbox/internal/cli/show"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/human"
)

// Gate asks whether deployments are safe.
func Gate() *cobra.Command {
	return command.Group(&cobra.Command{
		Use:   "gate",
		Short: "Ask whether a deployment is safe",
	}, gateCheckCommand(), gateOverrideCommand(), gateVerifyCommand(), gateReplayCommand(), gatePoliciesCommand(), gateCanaryCommand())
}

// errNoVerdict: the JSON of another program than ours is no reason to hold, nor to go ahead.
var errNoVerdict = errors.New("the answer holds no verdict; check that --server is a Signalbox server")

// gateStatus maps a verdict to the exit status of gate check.
func gateStatus(v model.Verdict) int {
	switch v {
	case model.VerdictAllow:
		return 0
	case model.VerdictBlock:
		return 1
	}
	return 2
}

func gateCheckCommand() *cobra.Command {
	var c client.Client
	var o output
	var req model.GateRequest
	var quiet bool
	cmd := &cobra.Command{
		Use:   "check --service NAME",
		Short: "Exit 0 if the deployment may go ahead, 1 if blocked, 2 if held or undecidable",
		Long: `Asks the gate whether a version may be deployed and prints the reasons and the
evidence. The answer is stored with its evidence and can be looked at in the UI.

Exit status:
  0  allow
  1  block: the error budget burns too fast, or is used up
  2  hold (most of the budget is used) or insufficient (not enough data to judge)
  3  error: no answer from the server, or wrongly called`,
		Example: `  signalbox gate check --service edge --environment prod --version 2.4.1
  signalbox gate check --service edge --version 2.4.2 --critical   # a critical fix`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var got answer[model.GateDecision]
			if err := c.PostJSON(cmd.Context(), "/sb/v1/gate", req, &got); err != nil {
				return err
			}
			d := got.value
			if d.Verdict == "" {
				return errNoVerdict
			}
			if !quiet {
				if err := o.print(cmd, got.raw, func(w io.Writer) error { return printDecision(w, d) }); err != nil {
					return err
				}
			}
			return command.Exit(gateStatus(d.Verdict))
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&req.Service, "service", "", "service to deploy")
	fs.StringVar(&req.Environment, "environment", "", "environment to deploy to")
	fs.StringVar(&req.Version, "version", "", "version to deploy")
	fs.BoolVar(&req.Critical, "critical", false, "this is a critical fix: it passes the hold, never the block")
	fs.StringVar(&req.Actor, "actor", "", "who asks, for the audit trail")
	fs.BoolVar(&quiet, "quiet", false, "print nothing; only the exit status answers")
	c.Flags(fs)
	o.flags(fs)
	_ = cmd.MarkFlagRequired("service")
	return cmd
}

func printDecision(w io.Writer, d model.GateDecision) error {
	if d.Tampered != "" {
		fmt.Fprintf(w, "%s: %s\n", strings.ToUpper(model.Suspicion(d.Tampered)), d.Tampered)
	}
	fmt.Fprintf(w, "%s\n", d.Summary)
	for _, r := range d.Reasons {
		fmt.Fprintf(w, "  %-12s %s\n", r.Verdict, r.Message)
		if r.Cure != "" {
			fmt.Fprintf(w, "  %-12s → %s\n", "", r.Cure)
		}
	}
	if len(d.Evidence) > 0 {
		t := show.NewTable("SLO", "MEASURED", "WINDOW", "VALUE", "LIMIT", "COVERAGE")
		for _, e := range d.Evidence {
			t.Row(e.SLO, e.Name, e.Window, optional(e.Value), optional(e.Threshold), human.Percent(e.Coverage))
		}
		fmt.Fprintln(w)
		t.Write(w)
	}
	if d.Override != nil {
		fmt.Fprintf(w, "\noverridden by %s until %s: %s\n", d.Override.Actor, d.Override.Expires.Format("2006-01-02 15:04:05 MST"), d.Override.Reason)
		if d.Override.Tampered != "" {
			fmt.Fprintln(w, overrideDoubt(d.Override.Tampered))
		}
	}
	_, err := fmt.Fprintf(w, "\ndecision %s at %s\n", d.ID, d.Time.Format("2006-01-02 15:04:05 MST"))
	return err
}
