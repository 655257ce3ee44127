// Package announce has the commands that show status pages and publish on them.
//
// It asks a running server. In: arguments. Out: what the server answers. Start reading at StatusPage.
package announce

import (
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/cli/client"
	"github.com/signalbox-project/signalbox/internal/cli/command"
	"github.com/signalbox-project/signalbox/internal/cli/show"
	"github.com/signalbox-project/signalbox/internal/statuspage"
)

const statusPagesPath = "/sb/v1/status-pages"

// StatusPage shows status pages, and publishes on them.
func StatusPage() *cobra.Command {
	return command.Group(&cobra.Command{
		Use:   "status-page",
		Short: "Show status pages, and announce incidents and maintenance on them",
	}, statusListCommand(), statusShowCommand(), statusPublishCommand(), statusUpdateCommand(), statusMaintenanceCommand(), statusWithdrawCommand(), statusExportCommand())
}

// asking is a command that asks and writes the answer.
func asking[T any](cmd *cobra.Command, path func(args []string) string, write func(io.Writer, T)) *cobra.Command {
	var c client.Client
	var as show.Form
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var got show.Answer[T]
		if err := c.Get(cmd.Context(), path(args), nil, &got); err != nil {
			return err
		}
		return got.Print(cmd.OutOrStdout(), as, write)
	}
	c.Flags(cmd.Flags())
	as.Flag(cmd.Flags())
	return cmd
}

func statusListCommand() *cobra.Command {
	return asking(&cobra.Command{Use: "list", Short: "Status pages, what is announced on them, and what needs somebody", Args: cobra.NoArgs},
		func([]string) string { return statusPagesPath },
		func(w io.Writer, l statuspage.Listing) {
			fmt.Fprintln(w, l.Summary)
			t := show.NewTable("PAGE", "PUBLIC", "STATE", "PATH", "TITLE")
			for _, p := range l.Pages {
				t.Row(p.Name, fmt.Sprint(p.Public), string(p.State), p.Path, p.Title)
			}
			if len(l.Pages) > 0 {
				t.Write(w)
			}
			posts := show.NewTable("ANNOUNCED", "STATUS", "SINCE", "PAGES", "TITLE")
			for _, p := range l.Posts {
				posts.Row(p.ID, string(p.Status), at(p.Created), strings.Join(p.Pages, ", "), p.Title)
			}
			if len(l.Posts) > 0 {
				fmt.Fprintln(w)
				posts.Write(w)
			}
			for _, n := range l.Needs {
				fmt.Fprintf(w, "! %s %s\n", n.Post, show.Printable(n.Text))
			}
		})
}

func statusShowCommand() *cobra.Command {
	return asking(&cobra.Command{Use: "show PAGE", Short: "What a status page shows", Args: cobra.ExactArgs(1)},
		func(args []string) string { return statusPagesPath + "/pages/" + url.PathEscape(args[0]) },
		func(w io.Writer, v statuspage.View) {
			fmt.Fprintf(w, "%s: %s\n", show.Printable(v.Title), v.State)
			t := show.NewTable("COMPONENT", "STATE", "UPTIME", "DAYS WITH DATA", "TITLE")
			for _, c := range v.Components {
				up, days := "", ""
				if c.Uptime != nil {
					days = fmt.Sprintf("%d of %d", c.Uptime.Days, c.Uptime.Of)
					if up = "no data"; c.Uptime.Ratio != nil {
						up = fmt.Sprintf("%.4f", *c.Uptime.Ratio)
					}
				}
				t.Row(c.ID, string(c.State), up, days, c.Title)
			}
			t.Write(w)
			for _, n := range v.Notices {
				fmt.Fprintf(w, "\n%s  %s, %s\n", at(n.Created), show.Printable(n.Title), n.Status)
				for _, u := range n.Updates {
					fmt.Fprintf(w, "  %s  %s  %s\n", at(u.Time), u.Status, show.Printable(u.Text))
				}
			}
		})
}

// announcing is a command that changes an announcement and says what became of it.
func announcing(cmd *cobra.Command, request func(args []string) (path string, body map[string]any, err error)) *cobra.Command {
	var c client.Client
	var as show.Form
	var by string
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		path, body, err := request(args)
		if err != nil {
			return err
		}
		body["by"] = by
		var got show.Answer[statuspage.Post]
		if err := c.PostJSON(cmd.Context(), path, body, &got); err != nil {
			return err
		}
		return got.Print(cmd.OutOrStdout(), as, writePost)
	}
	cmd.Flags().StringVar(&by, "by", "", "who does it, where nobody has to log in")
	c.Flags(cmd.Flags())
	as.Flag(cmd.Flags())
	return cmd
}

func writePost(w io.Writer, p statuspage.Post) {
	where := "no page"
	if len(p.Pages) > 0 {
		where = strings.Join(p.Pages, ", ")
	}
	fmt.Fprintf(w, "%s on %s is %s: %s\n", p.ID, where, p.Status, show.Printable(p.Title))
}

func at(t time.Time) string { return t.UTC().Format("2006-01-02 15:04Z") }

// affected reads --component ID=STATE.
func affected(flags []string) ([]statuspage.Affected, error) {
	out := []statuspage.Affected{}
	for _, f := range flags {
		id, state, _ := strings.Cut(f, "=")
		if id == "" {
			return nil, command.Usage(fmt.Errorf("--component %q: give a component and its state, such as orders=partial_outage", f))
		}
		out = append(out, statuspage.Affected{Component: id, State: statuspage.State(state)})
	}
	return out, nil
}

func statusPublishCommand() *cobra.Command {
	var pages, components []string
	var status, text, incident string
	cmd := &cobra.Command{
		Use: "publish TITLE", Short: "Announce an incident", Args: cobra.ExactArgs(1),
		Example: `  signalbox status-page publish "Layouts open slowly" --page broker --component layouts=degraded_performance --text "We are looking into it." --by ann`,
	}
	f := cmd.Flags()
	f.StringArrayVar(&pages, "page", nil, "a page that shows it; may be repeated")
	f.StringArrayVar(&components, "component", nil, "a component and its state: ID=degraded_performance, partial_outage, major_outage or operational; may be repeated")
	f.StringVar(&status, "status", "investigating", "investigating, identified, monitoring or resolved")
	f.StringVar(&text, "text", "", "what readers are told")
	f.StringVar(&incident, "incident", "", "the incident that it is about; no page shows it")
	return announcing(cmd, func(args []string) (string, map[string]any, error) {
		list, err := affected(components)
		return statusPagesPath + "/posts", map[string]any{"title": args[0], "pages": append([]string{}, pages...), "components": list, "status": status, "text": text, "incident": incident}, err
	})
}

func statusUpdateCommand() *cobra.Command {
	var components []string
	var status, starts, ends string
	cmd := &cobra.Command{
		Use: "update ID TEXT", Short: "Say something further of what was announced, or that it is over", Args: cobra.ExactArgs(2),
		Example: `  signalbox status-page update $ID "A fix is out." --status monitoring --by ann
  signalbox status-page update $ID "All is well again." --status resolved --by ann`,
	}
	f := cmd.Flags()
	f.StringArrayVar(&components, "component", nil, "a component and its state; those that are named replace the ones before; may be repeated")
	f.StringVar(&status, "status", "", "the new status; the same if absent")
	f.StringVar(&starts, "starts", "", "of maintenance, in RFC 3339; the same if absent")
	f.StringVar(&ends, "ends", "", "of maintenance, in RFC 3339; the same if absent")
	return announcing(cmd, func(args []string) (string, map[string]any, error) {
		body := map[string]any{"text": args[1]}
		if status != "" {
			body["status"] = status
		}
		list, err := affected(components)
		if len(list) > 0 {
			body["components"] = list
		}
		if err == nil {
			err = span(body, starts, ends)
		}
		return statusPagesPath + "/posts/" + url.PathEscape(args[0]) + "/updates", body, err
	})
}

func statusMaintenanceCommand() *cobra.Command {
	var pages, components []string
	var text, starts, ends string
	cmd := &cobra.Command{
		Use: "maintenance TITLE", Short: "Announce maintenance, which begins and ends by the clock", Args: cobra.ExactArgs(1),
		Example: `  signalbox status-page maintenance "New database" --page broker --component layouts --starts 2030-01-02T22:00:00Z --ends 2030-01-02T23:00:00Z --text "Layouts cannot be saved meanwhile." --by ann`,
	}
	f := cmd.Flags()
	f.StringArrayVar(&pages, "page", nil, "a page that shows it; may be repeated")
	f.StringArrayVar(&components, "component", nil, "a component that it concerns; may be repeated")
	f.StringVar(&text, "text", "", "what readers are told")
	f.StringVar(&starts, "starts", "", "when it begins, in RFC 3339")
	f.StringVar(&ends, "ends", "", "when it ends, in RFC 3339")
	return announcing(cmd, func(args []string) (string, map[string]any, error) {
		list, err := affected(components)
		for i := range list {
			if list[i].State == "" {
				list[i].State = statuspage.Maintenance
			}
		}
		body := map[string]any{"kind": "maintenance", "title": args[0], "pages": append([]string{}, pages...), "components": list, "text": text}
		if err == nil {
			err = span(body, starts, ends)
		}
		return statusPagesPath + "/posts", body, err
	})
}

// span puts the times that are given into a body.
func span(body map[string]any, starts, ends string) error {
	for name, text := range map[string]string{"starts": starts, "ends": ends} {
		if text == "" {
			continue
		}
		if _, err := time.Parse(time.RFC3339, text); err != nil {
			return command.Usage(fmt.Errorf("--%s %q: give a time as in 2030-01-02T22:00:00Z", name, text))
		}
		body[name] = text
	}
	return nil
}

func statusWithdrawCommand() *cobra.Command {
	var c client.Client
	var as show.Form
	var by string
	cmd := &cobra.Command{
		Use: "withdraw ID", Short: "Take an announcement off every page", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var got show.Answer[statuspage.Post]
			if err := c.Delete(cmd.Context(), statusPagesPath+"/posts/"+url.PathEscape(args[0]), url.Values{"by": {by}}, &got); err != nil {
				return err
			}
			return got.Print(cmd.OutOrStdout(), as, writePost)
		},
	}
	cmd.Flags().StringVar(&by, "by", "", "who does it, where nobody has to log in")
	c.Flags(cmd.Flags())
	as.Flag(cmd.Flags())
	return cmd
}
