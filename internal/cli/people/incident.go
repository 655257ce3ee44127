package people

import (
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/cli/client"
	"github.com/signalbox-project/signalbox/internal/cli/command"
	"github.com/signalbox-project/signalbox/internal/cli/show"
	"github.com/signalbox-project/signalbox/internal/incident"
)

const incidentsPath = "/sb/v1/incidents"

// Incident shows incidents, and works on them.
func Incident() *cobra.Command {
	return command.Group(&cobra.Command{
		Use:   "incident",
		Short: "Show incidents, and work on them",
	}, incidentListCommand(), incidentShowCommand(), incidentOpenCommand(), incidentNoteCommand(), incidentStatusCommand(), incidentResolveCommand(), incidentLookCommand(), incidentMergeCommand(), incidentSplitCommand(), incidentPostmortemCommand())
}

func incidentListCommand() *cobra.Command {
	var c client.Client
	var as show.Form
	var status, service, severity, text, start string
	var limit int
	cmd := &cobra.Command{
		Use:   "list",
		Short: "Incidents, the newest first",
		Args:  cobra.NoArgs,
		Example: `  signalbox incident list --status open
  signalbox incident list --search "ports exhausted" --start now-90d`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			params := url.Values{"limit": {strconv.Itoa(limit)}}
			for name, value := range map[string]string{"status": status, "service": service, "severity": severity, "q": text, "start": start} {
				if value != "" {
					params.Set(name, value)
				}
			}
			var got show.Answer[incidentList]
			if err := c.Get(cmd.Context(), incidentsPath, params, &got); err != nil {
				return err
			}
			return got.Print(cmd.OutOrStdout(), as, writeIncidents)
		},
	}
	f := cmd.Flags()
	f.StringVar(&status, "status", "", "open, mitigated, resolved or merged; all if absent")
	f.StringVar(&service, "service", "", "those that concern this service")
	f.StringVar(&severity, "severity", "", "P0, P1, P2 or P3")
	f.StringVar(&text, "search", "", "words that all stand somewhere in it")
	f.StringVar(&start, "start", "", "those since then: RFC 3339, a Unix time or now-30d")
	f.IntVar(&limit, "limit", 50, "how many at most")
	c.Flags(f)
	as.Flag(f)
	return cmd
}

// incidentList is the answer to a list.
type incidentList struct {
	Summary   string              `json:"summary"`
	Incidents []incident.Incident `json:"incidents"`
}

func writeIncidents(w io.Writer, l incidentList) {
	fmt.Fprintln(w, l.Summary)
	if len(l.Incidents) == 0 {
		return
	}
	t := show.NewTable("ID", "SEVERITY", "STATUS", "DETECTED", "SERVICES", "PAGES", "TITLE")
	for _, i := range l.Incidents {
		t.Row(i.ID, i.Severity, string(i.Status), moment(&i.Times.Detected), strings.Join(i.Services, ", "), strconv.Itoa(i.Pages.Count), i.Title)
	}
	t.Write(w)
}

func incidentShowCommand() *cobra.Command {
	var c client.Client
	var as show.Form
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "What happened around an incident, each with its source",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var got show.Answer[incident.Postmortem]
			if err := c.Get(cmd.Context(), pathOf(args[0])+"/postmortem", nil, &got); err != nil {
				return err
			}
			return got.Print(cmd.OutOrStdout(), as, func(w io.Writer, p incident.Postmortem) {
				fmt.Fprintf(w, "%s\n%s, %s, %d pages\n\n", show.Printable(p.Incident.Title), p.Incident.Severity, p.Incident.Status, p.Incident.Pages.Count)
				t := show.NewTable("TIME", "WHAT", "BY", "SOURCE")
				for _, e := range p.Timeline.Entries {
					t.Row(e.Time.Format(time.DateTime), e.Text, e.By, e.Source.Kind+" "+e.Source.ID)
				}
				t.Write(w)
			})
		},
	}
	c.Flags(cmd.Flags())
	as.Flag(cmd.Flags())
	return cmd
}

func pathOf(id string) string { return incidentsPath + "/" + url.PathEscape(id) }

// changing is a command that changes an incident and says what became of it.
func changing(cmd *cobra.Command, request func(args []string, by string) (path string, body map[string]any)) *cobra.Command {
	var c client.Client
	var as show.Form
	var by string
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		path, body := request(args, by)
		var got show.Answer[incident.Incident]
		if err := c.PostJSON(cmd.Context(), path, body, &got); err != nil {
			return err
		}
		return got.Print(cmd.OutOrStdout(), as, func(w io.Writer, i incident.Incident) {
			fmt.Fprintf(w, "%s is %s: %s\n", i.ID, i.Status, show.Printable(i.Title))
		})
	}
	cmd.Flags().StringVar(&by, "by", "", "who does it, where nobody has to log in")
	c.Flags(cmd.Flags())
	as.Flag(cmd.Flags())
	return cmd
}

func incidentOpenCommand() *cobra.Command {
	var severity, environment, summary string
	var services []string
	cmd := &cobra.Command{
		Use: "open TITLE", Short: "Open an incident by hand", Args: cobra.ExactArgs(1),
		Example: `  signalbox incident open "Checkout is slow" --service edge --severity P2 --by ann`,
	}
	cmd.Flags().StringVar(&severity, "severity", "P2", "P0, P1, P2 or P3")
	cmd.Flags().StringVar(&environment, "environment", "", "where")
	cmd.Flags().StringVar(&summary, "summary", "", "what is known")
	cmd.Flags().StringArrayVar(&services, "service", nil, "a service that it concerns; may be repeated")
	return changing(cmd, func(args []string, by string) (string, map[string]any) {
		return incidentsPath, map[string]any{"title": args[0], "severity": severity, "environment": environment, "summary": summary, "services": append([]string{}, services...), "by": by}
	})
}

func incidentNoteCommand() *cobra.Command {
	var update bool
	cmd := &cobra.Command{Use: "note ID TEXT", Short: "Say something in an incident", Args: cobra.ExactArgs(2)}
	cmd.Flags().BoolVar(&update, "update", false, "it is a status update for others")
	return changing(cmd, func(args []string, by string) (string, map[string]any) {
		kind := "note"
		if update {
			kind = "update"
		}
		return pathOf(args[0]) + "/notes", map[string]any{"text": args[1], "kind": kind, "by": by}
	})
}

func incidentStatusCommand() *cobra.Command {
	var text string
	cmd := &cobra.Command{Use: "status ID open|mitigated|resolved", Short: "Declare how far an incident is", Args: cobra.ExactArgs(2)}
	cmd.Flags().StringVar(&text, "text", "", "a status update that says why")
	return changing(cmd, func(args []string, by string) (string, map[string]any) {
		return pathOf(args[0]) + "/status", map[string]any{"status": args[1], "text": text, "by": by}
	})
}

func incidentResolveCommand() *cobra.Command {
	var text string
	cmd := &cobra.Command{Use: "resolve ID", Short: "Declare an incident over", Args: cobra.ExactArgs(1)}
	cmd.Flags().StringVar(&text, "text", "", "a status update that says why")
	return changing(cmd, func(args []string, by string) (string, map[string]any) {
		return pathOf(args[0]) + "/status", map[string]any{"status": "resolved", "text": text, "by": by}
	})
}

func incidentLookCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "look ID", Short: "Look again for metrics and log lines that were unusual when an incident began", Args: cobra.ExactArgs(1)}
	return changing(cmd, func(args []string, by string) (string, map[string]any) {
		return pathOf(args[0]) + "/look", map[string]any{"by": by}
	})
}

func incidentMergeCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "merge ID INTO", Short: "Make an incident part of another", Args: cobra.ExactArgs(2)}
	return changing(cmd, func(args []string, by string) (string, map[string]any) {
		return pathOf(args[0]) + "/merge", map[string]any{"into": args[1], "by": by}
	})
}

func incidentSplitCommand() *cobra.Command {
	var title string
	cmd := &cobra.Command{
		Use: "split ID PAGE...", Short: "Make some of an incident's pages one of their own", Args: cobra.MinimumNArgs(2),
	}
	cmd.Flags().StringVar(&title, "title", "", "what the new incident is called")
	return changing(cmd, func(args []string, by string) (string, map[string]any) {
		return pathOf(args[0]) + "/split", map[string]any{"pages": args[1:], "title": title, "by": by}
	})
}

func incidentPostmortemCommand() *cobra.Command {
	var c client.Client
	var as show.Form
	cmd := &cobra.Command{
		Use: "postmortem ID", Short: "The draft of an incident's postmortem, in Markdown", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var got show.Answer[incident.Postmortem]
			if err := c.Get(cmd.Context(), pathOf(args[0])+"/postmortem", nil, &got); err != nil {
				return err
			}
			return got.Print(cmd.OutOrStdout(), as, func(w io.Writer, p incident.Postmortem) {
				for line := range strings.Lines(p.Markdown) {
					fmt.Fprintln(w, show.Printable(strings.TrimRight(line, "\r\n")))
				}
			})
		},
	}
	c.Flags(cmd.Flags())
	as.Flag(cmd.Flags())
	return cmd
}
