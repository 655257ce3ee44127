package ask

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/cli/client"
	"github.com/signalbox-project/signalbox/internal/cli/command"
	"github.com/signalbox-project/signalbox/internal/cli/show"
)

// explanation is what is printed of the answer of /sb/v1/explain.
type explanation struct {
	Alert       string            `json:"alert"`
	Fingerprint string            `json:"fingerprint"`
	State       string            `json:"state"`
	Summary     string            `json:"summary"`
	Labels      map[string]string `json:"labels"`
	Query       string            `json:"query"`
	Condition   string            `json:"condition"`
	Others      []struct {
		Fingerprint string            `json:"fingerprint"`
		State       string            `json:"state"`
		Labels      map[string]string `json:"labels"`
	} `json:"others,omitempty"`
	Escalation *show.Ladder `json:"escalation,omitempty"`
	Timeline   []struct {
		Time  time.Time `json:"time"`
		Event string    `json:"event"`
	} `json:"timeline"`
}

// Explain says why somebody was paged, or not.
func Explain() *cobra.Command {
	var c client.Client
	var o output
	var labels string
	cmd := &cobra.Command{
		Use:   "explain [ALERT]",
		Short: "Why was I paged, or why not? The rule, its value, and what happened since",
		Long: `Explain an alert by its name, its fingerprint (as amtool and /api/v2/alerts show it) or a page's ID.
A rule that does not fire is explained by its value and what it would need; an alert that reached
nobody by the silence, the inhibiting alert or the route. Where an escalation policy is for it, whom it went to step by step, or
would go to. With --labels instead, whom an alert with these labels would go to now.`,
		Example: `  signalbox explain Watchdog
  signalbox explain --labels service=edge,severity=critical`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var got answer[explanation]
			if (len(args) == 1) == (labels != "") {
				return command.Usage(errors.New("name an alert, or give --labels"))
			}
			path, params := "/sb/v1/explain", url.Values{"labels": {labels}}
			if len(args) == 1 {
				path, params = path+"/"+url.PathEscape(args[0]), nil
			}
			if err := c.Get(cmd.Context(), path, params, &got); err != nil {
				return err
			}
			e := got.value
			return o.print(cmd, got.raw, func(w io.Writer) error {
				fmt.Fprintln(w, e.Summary)
				if e.Query != "" {
					fmt.Fprintf(w, "  query  %s\n", e.Query)
				}
				if e.Condition != "" {
					fmt.Fprintf(w, "  needs  %s\n", e.Condition)
				}
				for _, t := range e.Timeline {
					fmt.Fprintf(w, "  %s  %s\n", t.Time.Local().Format("2006-01-02 15:04:05"), t.Event)
				}
				if e.Escalation != nil {
					e.Escalation.Print(w)
				}
				for _, other := range e.Others {
					fmt.Fprintf(w, "  also %s: %s %s\n", other.State, other.Fingerprint, seriesName(other.Labels))
				}
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&labels, "labels", "", "of an alert that is supposed: name=value, with commas between them")
	c.Flags(cmd.Flags())
	o.flags(cmd.Flags())
	return cmd
}
