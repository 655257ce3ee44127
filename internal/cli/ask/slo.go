// Package ask is the commands that ask a running server: queries, SLOs, the gate, pages explained,
// the audit log. They send what the flags say and print the answer as text or as JSON.
//
// It decides nothing: verdicts and figures are the server's, and become exit statuses here. Only
// a decision's signature is checked on this side, because that is its point. Start reading at Query.
package ask

import (
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/cli/client"
	"github.com/signalbox-project/signalbox/internal/cli/command"
	"github.com/signalbox-project/signalbox/internal/cli/show"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/human"
)

// SLO shows SLOs; the others are subcommands that need no server.
func SLO(others ...*cobra.Command) *cobra.Command {
	return command.Group(&cobra.Command{
		Use:   "slo",
		Short: "Show SLOs and their error budgets",
	}, append(others, sloListCommand(), sloShowCommand(), sloCorrectCommand(), sloBacktestCommand(), sloReportCommand())...)
}

func sloListCommand() *cobra.Command {
	var c client.Client
	var o output
	var service string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List SLOs, the one in most danger first",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var got answer[struct {
				SLOs    []model.SLOStatus `json:"slos"`
				Summary string            `json:"summary"`
			}]
			params := url.Values{}
			if service != "" {
				params.Set("service", service)
			}
			if err := c.Get(cmd.Context(), "/sb/v1/slos", params, &got); err != nil {
				return err
			}
			return o.print(cmd, got.raw, func(w io.Writer) error {
				fmt.Fprintln(w, got.value.Summary)
				if len(got.value.SLOs) == 0 {
					return nil
				}
				t := show.NewTable("STATE", "NAME", "SERVICE", "OBJECTIVE", "WINDOW", "BUDGET LEFT", "BAND", "WHY")
				for _, s := range got.value.SLOs {
					t.Row(string(s.State), s.Name, s.Service, human.Percent(s.Objective), s.Window, left(s.Budget), bandName(s.Band), s.Reason)
				}
				t.Write(w)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&service, "service", "", "only those of this service")
	c.Flags(cmd.Flags())
	o.flags(cmd.Flags())
	return cmd
}

// left is the share of a budget that is left, or that nobody knows it.
func left(b model.Budget) string {
	if b.Unknown {
		return "-"
	}
	return human.Percent(b.LeftRatio)
}

func bandName(b *model.SLOBand) string {
	if b == nil {
		return "-"
	}
	return b.Text
}

// bandWords says from where on a band holds and who says so.
func bandWords(b *model.SLOBand) string {
	if b == nil {
		return "-"
	}
	if b.Threshold == 0 {
		return fmt.Sprintf("%s (policy %s)", b.Text, b.Policy)
	}
	return fmt.Sprintf("%s, from %s used on (policy %s)", b.Text, human.Percent(b.Threshold), b.Policy)
}

func sloShowCommand() *cobra.Command {
	var c client.Client
	var o output
	cmd := &cobra.Command{
		Use:   "show NAME",
		Short: "Show one SLO: budget, band, burn rates, queries",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var got answer[model.SLOStatus]
			if err := c.Get(cmd.Context(), "/sb/v1/slos/"+url.PathEscape(args[0]), nil, &got); err != nil {
				return err
			}
			return o.print(cmd, got.raw, func(w io.Writer) error { return printSLO(w, got.value) })
		},
	}
	c.Flags(cmd.Flags())
	o.flags(cmd.Flags())
	return cmd
}

func printSLO(w io.Writer, s model.SLOStatus) error {
	fmt.Fprintf(w, "%s (%s): %s\n%s\n%s\n\n", s.Name, s.Service, s.State, s.Reason, s.Action)
	t := show.NewTable("WHAT", "VALUE")
	t.Row("objective", human.Percent(s.Objective)+" over "+s.Window)
	budget := human.Number(s.Budget.Minutes) + " min of full outage"
	if !s.Budget.Unknown {
		budget += fmt.Sprintf("; %s %s allowed, %s used", human.Number(s.Budget.Allowed), unit(s.Method), human.Number(s.Budget.Bad))
	}
	t.Row("budget", budget)
	t.Row("left", left(s.Budget))
	t.Row("band", bandWords(s.Band))
	if s.Felt != nil {
		t.Row("as users felt it", fmt.Sprintf("%s left, %s used; %d corrections", left(*s.Felt), human.Number(s.Felt.Bad), len(s.Corrections)))
	}
	t.Row("data", human.Percent(s.Budget.Coverage)+" of the window")
	t.Row("error ratio", s.Queries.Error)
	t.Write(w)
	fmt.Fprintln(w)
	for _, c := range s.Corrections {
		if c.Tampered != "" {
			fmt.Fprintf(w, "CORRECTION %s: %s (%s, by %s): %s\n\n", strings.ToUpper(model.Suspicion(c.Tampered)), c.ID, c.Reason, c.Author, c.Tampered)
		}
	}
	if s.Groups != nil {
		printGroups(w, s)
	}
	b := show.NewTable("BURN OVER", "RATE", "EVENTS", "COVERAGE")
	for _, r := range s.Burn {
		rate := "-" // nothing was seen
		if r.Coverage > 0 {
			rate = human.Number(r.Rate) + "×"
		}
		b.Row(r.Window, rate, human.Number(r.Events), human.Percent(r.Coverage))
	}
	b.Write(w)
	return nil
}

// printGroups lists the groups that have a budget each, worst first.
func printGroups(w io.Writer, s model.SLOStatus) {
	t := show.NewTable("STATE", "GROUP", "BUDGET LEFT", "BAND", "WHY")
	for _, g := range s.Groups.List {
		state := string(g.State)
		if g.Ended {
			state = "ended"
		}
		name := strings.TrimSuffix(strings.TrimPrefix(g.Name, s.Name+"{"), "}")
		t.Row(state, name, left(g.Budget), bandName(g.Band), g.Reason)
	}
	t.Write(w)
	if n := len(s.Groups.LeftOut); n > 0 {
		fmt.Fprintf(w, "not judged: %s\n", strings.Join(s.Groups.LeftOut, ", "))
	}
	fmt.Fprintln(w)
}

func unit(method string) string {
	if method == "timeslices" {
		return "minutes"
	}
	return "events"
}
