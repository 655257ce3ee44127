package people

import (
	"fmt"
	"io"
	"net/url"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/cli/client"
	"github.com/signalbox-project/signalbox/internal/cli/show"
	"github.com/signalbox-project/signalbox/internal/oncall"
)

// Fairness shows how on-call time is shared.
func Fairness() *cobra.Command {
	var c client.Client
	var as show.Form
	var schedule, start string
	var days int
	cmd := &cobra.Command{
		Use:   "fairness",
		Short: "How turns, nights, weekends, holidays and pages are shared",
		Long: `Counts, for everybody, how long they were on call and how much of it others rest: nights
(22:00 to 07:00 by the person's clocks), Saturdays and Sundays, holidays of their schedules.
Overrides are in it. Time on call by two schedules at once counts once.

Pages are those of escalation policies that reached the person, each once; "a week" is by weeks on
call, of which two pages are the goal. "!" marks who has more.`,
		Example: `  signalbox oncall fairness --days 90
  signalbox oncall fairness --schedule platform-primary --start now --days 180`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			params := url.Values{"days": {strconv.Itoa(days)}}
			if schedule != "" {
				params.Set("schedule", schedule)
			}
			if start != "" {
				params.Set("start", start)
			}
			var got show.Answer[oncall.Fairness]
			if err := c.Get(cmd.Context(), "/sb/v1/oncall/fairness", params, &got); err != nil {
				return err
			}
			return got.Print(cmd.OutOrStdout(), as, writeFairness)
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&schedule, "schedule", "", "only this one")
	fs.StringVar(&start, "start", "", "first day: RFC 3339, a Unix time or now; as many days ago as --days if absent")
	fs.IntVar(&days, "days", 90, "how many days, at most 400")
	c.Flags(fs)
	as.Flag(fs)
	return cmd
}

func writeFairness(w io.Writer, f oncall.Fairness) {
	if len(f.People) == 0 {
		fmt.Fprintln(w, "There is no on-call schedule yet: name files of schedules in oncall_files.")
		return
	}
	hours := func(h float64) string { return strconv.FormatFloat(h, 'f', 1, 64) + " h" }
	t := show.NewTable("PERSON", "TURNS", "ON CALL", "SHARE", "NIGHTS", "WEEKENDS", "HOLIDAYS", "PAGES", "A WEEK", "AT NIGHT", "TIME ZONE")
	for _, p := range f.People {
		t.Row(p.Person.Name, strconv.Itoa(p.Turns), hours(p.Hours), fmt.Sprintf("%.0f %%", 100*p.Share), hours(p.Nights), hours(p.Weekends), hours(p.Holidays),
			strconv.Itoa(p.Pages.Count), perWeek(p.Pages), strconv.Itoa(p.Pages.Nights), p.TimeZone)
	}
	t.Write(w)
}

func perWeek(l oncall.PageLoad) string {
	text := strconv.FormatFloat(l.PerWeek, 'f', 1, 64)
	if l.OverGoal {
		text += " !"
	}
	return text
}
