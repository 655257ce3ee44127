package ask

import (
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/cli/client"
	"github.com/signalbox-project/signalbox/internal/cli/command"
	"github.com/signalbox-project/signalbox/internal/cli/show"
	"github.com/signalbox-project/signalbox/internal/oncall"
	"github.com/signalbox-project/signalbox/internal/platform/human"
)

// OnCall shows who is on call; more are commands that belong beside these.
func OnCall(more ...*cobra.Command) *cobra.Command {
	return command.Group(&cobra.Command{
		Use:   "oncall",
		Short: "Show who is on call, and prove that somebody always is",
	}, append([]*cobra.Command{onCallWhoCommand(), onCallShiftsCommand(), onCallCoverageCommand(), onCallOverrideCommand()}, more...)...)
}

func onCallWhoCommand() *cobra.Command {
	var c client.Client
	var o output
	var at string
	cmd := &cobra.Command{
		Use:   "who",
		Short: "Who is on call, and who is next",
		Args:  cobra.NoArgs,
		Example: `  signalbox oncall who
  signalbox oncall who --at now+8h`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var got answer[struct {
				Summary   string            `json:"summary"`
				Schedules []oncall.Schedule `json:"schedules"`
			}]
			params := url.Values{}
			if at != "" {
				params.Set("at", at)
			}
			if err := c.Get(cmd.Context(), "/sb/v1/oncall", params, &got); err != nil {
				return err
			}
			return o.print(cmd, got.raw, func(w io.Writer) error {
				fmt.Fprintln(w, got.value.Summary)
				if len(got.value.Schedules) == 0 {
					return nil
				}
				t := show.NewTable("SCHEDULE", "TEAM", "ON CALL", "UNTIL", "NEXT", "TIME ZONE")
				for _, s := range got.value.Schedules {
					who, until := "nobody", "-"
					if s.Now != nil {
						who, until = nameOf(s.Now.Person), untilOf(*s.Now, s.TimeZone)
					}
					next := "-"
					if s.Next != nil {
						next = nameOf(s.Next.Person) + ", from " + in(s.Next.Start, s.TimeZone)
					}
					t.Row(s.Name, s.Team, who, until, next, s.TimeZone)
				}
				t.Write(w)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&at, "at", "", "another moment: RFC 3339, a Unix time or now+8h")
	c.Flags(cmd.Flags())
	o.flags(cmd.Flags())
	return cmd
}

// nameOf is a person as people read it.
func nameOf(p oncall.Person) string {
	if p.Shown == "" {
		return p.Name
	}
	return fmt.Sprintf("%s (%s)", p.Shown, p.Name)
}

func untilOf(t oncall.Turn, zone string) string {
	if t.End.IsZero() {
		return "no change before " + in(t.NoChangeBefore, zone)
	}
	return in(t.End, zone)
}

// in is a moment by the clocks of a time zone.
func in(t time.Time, zone string) string {
	if z, err := time.LoadLocation(zone); err == nil {
		t = t.In(z)
	}
	return t.Format("Mon 2006-01-02 15:04 MST")
}

func onCallShiftsCommand() *cobra.Command {
	var c client.Client
	var o output
	var days int
	cmd := &cobra.Command{
		Use:   "shifts SCHEDULE",
		Short: "Who is on call by one schedule, in days to come",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var got answer[struct {
				Shifts []oncall.Shift `json:"shifts"`
			}]
			if err := c.Get(cmd.Context(), "/sb/v1/oncall/schedules/"+url.PathEscape(args[0])+"/shifts", url.Values{"days": {strconv.Itoa(days)}}, &got); err != nil {
				return err
			}
			return o.print(cmd, got.raw, func(w io.Writer) error {
				if len(got.value.Shifts) == 0 {
					_, err := fmt.Fprintf(w, "Nobody is on call by %s in the next %d %s.\n", args[0], days, show.Plural(days, "day"))
					return err
				}
				t := show.NewTable("FROM", "TO", "ON CALL", "BY")
				for _, s := range got.value.Shifts {
					by := s.Layer
					if s.Override != "" {
						by = "override " + s.Override
					}
					t.Row(in(s.Start, "UTC"), in(s.End, "UTC"), nameOf(s.Person), by)
				}
				t.Write(w)
				return nil
			})
		},
	}
	cmd.Flags().IntVar(&days, "days", 14, "how many days from now")
	c.Flags(cmd.Flags())
	o.flags(cmd.Flags())
	return cmd
}

func onCallCoverageCommand() *cobra.Command {
	var c client.Client
	var o output
	var days int
	var schedule string
	cmd := &cobra.Command{
		Use:   "coverage",
		Short: "Prove that somebody is on call in every moment to come",
		Long: `Looks at every moment of the days to come, in every schedule, overrides included, and
lists the gaps in which nobody is on call. Where there are escalation policies, it looks
too whether each level reaches a contact that is verified and whose channel is set up, by each
policy. Exit status: 0 without a gap, 1 with one, and where there is no schedule at all.`,
		Example: `  signalbox oncall coverage --days 30`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var got answer[oncall.Coverage]
			params := url.Values{"days": {strconv.Itoa(days)}}
			if schedule != "" {
				params.Set("schedule", schedule)
			}
			if err := c.Get(cmd.Context(), "/sb/v1/oncall/coverage", params, &got); err != nil {
				return err
			}
			if err := o.print(cmd, got.raw, func(w io.Writer) error { return printCoverage(w, got.value, days) }); err != nil {
				return err
			}
			if !got.value.Covered {
				return command.Exit(command.No)
			}
			return nil
		},
	}
	cmd.Flags().IntVar(&days, "days", 30, "how many days from now, at most 400")
	cmd.Flags().StringVar(&schedule, "schedule", "", "only this one")
	c.Flags(cmd.Flags())
	o.flags(cmd.Flags())
	return cmd
}

func printCoverage(w io.Writer, c oncall.Coverage, days int) error {
	if c.Problem != "" {
		_, err := fmt.Fprintf(w, "Nobody is on call: %s.\n", c.Problem)
		return err
	}
	if c.Covered {
		_, err := fmt.Fprintf(w, "Somebody is on call in every moment of the next %d %s, in %d %s.\n",
			days, show.Plural(days, "day"), len(c.Schedules), show.Plural(len(c.Schedules), "schedule"))
		return err
	}
	if slices.ContainsFunc(c.Schedules, func(s oncall.ScheduleCoverage) bool { return len(s.Gaps) > 0 }) {
		printScheduleGaps(w, c)
	}
	if slices.ContainsFunc(c.Levels, func(l oncall.LevelCoverage) bool { return len(l.Gaps) > 0 }) {
		printLevels(w, c)
	}
	return nil
}

// printLevels says which levels reach nobody, and what is missing.
func printLevels(w io.Writer, c oncall.Coverage) {
	t := show.NewTable("POLICY", "LEVEL", "REACHES NOBODY FROM", "TO", "FOR", "MISSING")
	for _, l := range c.Levels {
		for _, g := range l.Gaps {
			t.Row(l.Policy, l.Level, in(g.Start, "UTC"), in(g.End, "UTC"), human.Duration(g.End.Sub(g.Start)), strings.Join(l.Missing, "; "))
		}
	}
	t.Write(w)
}

func printScheduleGaps(w io.Writer, c oncall.Coverage) {
	t := show.NewTable("SCHEDULE", "NOBODY FROM", "TO", "FOR")
	for _, s := range c.Schedules {
		for _, g := range s.Gaps {
			t.Row(s.Schedule, in(g.Start, s.TimeZone), in(g.End, s.TimeZone), human.Duration(g.End.Sub(g.Start)))
		}
	}
	t.Write(w)
}

func onCallOverrideCommand() *cobra.Command {
	var c client.Client
	var o output
	var body oncall.Override
	var start, end, remove string
	cmd := &cobra.Command{
		Use:     "override [SCHEDULE]",
		Short:   "Put somebody on call for a while, whoever's turn it is",
		Example: `  signalbox oncall override platform-primary --person sre-2 --start 2030-12-24T08:00:00Z --end 2030-12-25T08:00:00Z --reason "sre-1 is ill"`,
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if remove != "" {
				return deleteOverride(cmd, &c, remove)
			}
			if len(args) == 0 {
				return command.Usage(fmt.Errorf("name the schedule"))
			}
			body.Schedule = args[0]
			if err := parseSpan(start, end, &body.Start, &body.End); err != nil {
				return err
			}
			var got answer[struct {
				Overrides []oncall.Override `json:"overrides"`
			}]
			if err := c.PostJSON(cmd.Context(), "/sb/v1/oncall/overrides", map[string]any{"overrides": []oncall.Override{body}}, &got); err != nil {
				return err
			}
			return o.print(cmd, got.raw, func(w io.Writer) error {
				for _, made := range got.value.Overrides {
					fmt.Fprintf(w, "%s is on call by %s from %s to %s (override %s)\n", made.Person, made.Schedule, in(made.Start, "UTC"), in(made.End, "UTC"), made.ID)
				}
				return nil
			})
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&body.Person, "person", "", "who takes over, by the name in oncall_files")
	fs.StringVar(&start, "start", "", "begin, RFC 3339")
	fs.StringVar(&end, "end", "", "end, RFC 3339")
	fs.StringVar(&body.Reason, "reason", "", "why")
	fs.StringVar(&body.By, "by", "", "who arranges it; with authentication it is who is logged in")
	fs.StringVar(&remove, "delete", "", "ID of an override to take back")
	c.Flags(fs)
	o.flags(fs)
	return cmd
}

func deleteOverride(cmd *cobra.Command, c *client.Client, id string) error {
	var gone struct {
		ID string `json:"id"`
	}
	if err := c.Delete(cmd.Context(), "/sb/v1/oncall/overrides/"+url.PathEscape(id), nil, &gone); err != nil {
		return err
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), "override %s counts no more\n", gone.ID)
	return err
}
