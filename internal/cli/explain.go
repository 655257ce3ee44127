package cli

import (
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/spf13/cobra"
)

// explanation is what /sb/v1/explain answers.
type explanation struct {
	Alert    string            `json:"alert"`
	Summary  string            `json:"summary"`
	Labels   map[string]string `json:"labels"`
	Query    string            `json:"query"`
	Timeline []struct {
		Time  time.Time `json:"time"`
		Event string    `json:"event"`
	} `json:"timeline"`
}

func explainCommand() *cobra.Command {
	var c client
	var o output
	cmd := &cobra.Command{
		Use:     "explain ALERT",
		Short:   "Why was I paged? The rule, its value and what happened since",
		Example: "  signalbox explain Watchdog",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var e explanation
			if err := c.get(cmd.Context(), "/sb/v1/explain/"+url.PathEscape(args[0]), nil, &e); err != nil {
				return err
			}
			return o.print(cmd, e, func(w io.Writer) error {
				fmt.Fprintln(w, e.Summary)
				if e.Query != "" {
					fmt.Fprintf(w, "  query  %s\n", e.Query)
				}
				for _, t := range e.Timeline {
					fmt.Fprintf(w, "  %s  %s\n", t.Time.Local().Format("2006-01-02 15:04:05"), t.Event)
				}
				return nil
			})
		},
	}
	c.flags(cmd.Flags())
	o.flags(cmd.Flags())
	return cmd
}
