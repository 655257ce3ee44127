package ask

import (
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/cli/client"
	"github.com/signalbox-project/signalbox/internal/cli/command"
	"github.com/signalbox-project/signalbox/internal/cli/show"
	"github.com/signalbox-project/signalbox/internal/model"
)

func sloCorrectCommand() *cobra.Command {
	var c client.Client
	var o output
	var body model.SLOCorrection
	var start, end, remove string
	cmd := &cobra.Command{
		Use:   "correct NAME",
		Short: "Take maintenance or a mistake of measurement out of an SLO",
		Long: `Takes a span of time out of an SLO: the contractual budget is counted without
it, the one that users felt stays beside it. Without --start it lists what was
taken out; --delete takes one back.`,
		Example: `  signalbox slo correct edge-availability
  signalbox slo correct edge-availability --start 2026-11-21T02:00:00Z --end 2026-11-21T03:30:00Z --author kim --reason "announced: new load balancer"
  signalbox slo correct edge-availability --start 2026-11-21T09:10:00Z --end 2026-11-21T09:20:00Z --kind exclusion --author kim --reason "load test"`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path := "/sb/v1/slos/" + url.PathEscape(args[0]) + "/corrections"
			switch {
			case remove != "":
				return deleteCorrection(cmd, &c, path+"/"+url.PathEscape(remove), body.Author)
			case start == "" && end == "":
				return listCorrections(cmd, &c, &o, path)
			}
			if err := parseSpan(start, end, &body.Start, &body.End); err != nil {
				return err
			}
			var got answer[model.SLOCorrection]
			if err := c.PostJSON(cmd.Context(), path, body, &got); err != nil {
				return err
			}
			stored := got.value
			return o.print(cmd, got.raw, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "%s no longer counts %s to %s (%s, correction %s)\n", args[0],
					stored.Start.Format(time.RFC3339), stored.End.Format(time.RFC3339), stored.Kind, stored.ID)
				return err
			})
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&start, "start", "", "begin, RFC 3339")
	fs.StringVar(&end, "end", "", "end, RFC 3339; may lie in the future")
	fs.StringVar(&body.Kind, "kind", "maintenance", "maintenance or exclusion")
	fs.StringVar(&body.Author, "author", "", "who answers for it")
	fs.StringVar(&body.Reason, "reason", "", "why it does not count")
	fs.StringVar(&remove, "delete", "", "ID of a correction to take back")
	c.Flags(fs)
	o.flags(fs)
	return cmd
}

// parseSpan reads the flags --start and --end.
func parseSpan(start, end string, from, to *time.Time) error {
	for _, at := range []struct {
		flag, text string
		dst        *time.Time
	}{{"start", start, from}, {"end", end, to}} {
		t, err := time.Parse(time.RFC3339, at.text)
		if err != nil {
			return command.Usage(fmt.Errorf("--%s %q: write it as 2026-11-21T02:00:00Z", at.flag, at.text))
		}
		*at.dst = t
	}
	return nil
}

func deleteCorrection(cmd *cobra.Command, c *client.Client, path, actor string) error {
	var gone struct {
		ID string `json:"id"`
	}
	if err := c.Delete(cmd.Context(), path, url.Values{"actor": {actor}}, &gone); err != nil {
		return err
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), "what correction %s took out counts again\n", gone.ID)
	return err
}

func listCorrections(cmd *cobra.Command, c *client.Client, o *output, path string) error {
	var got answer[struct {
		Corrections []model.SLOCorrection `json:"corrections"`
	}]
	if err := c.Get(cmd.Context(), path, nil, &got); err != nil {
		return err
	}
	return o.print(cmd, got.raw, func(w io.Writer) error {
		if len(got.value.Corrections) == 0 {
			_, err := fmt.Fprintln(w, "Nothing was taken out.")
			return err
		}
		t := show.NewTable("ID", "KIND", "START", "END", "AUTHOR", "REASON", "TAMPERED")
		for _, x := range got.value.Corrections {
			t.Row(x.ID, x.Kind, x.Start.Format(time.RFC3339), x.End.Format(time.RFC3339), x.Author, x.Reason, orDash(x.Tampered))
		}
		t.Write(w)
		return nil
	})
}
