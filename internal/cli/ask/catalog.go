package ask

import (
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/catalog"
	"github.com/signalbox-project/signalbox/internal/cli/client"
	"github.com/signalbox-project/signalbox/internal/cli/command"
	"github.com/signalbox-project/signalbox/internal/cli/show"
)

// Catalog shows what services there are and whose they are.
func Catalog() *cobra.Command {
	return command.Group(&cobra.Command{
		Use:   "catalog",
		Short: "Show services, who owns them, and what they lack",
	}, catalogListCommand(), catalogShowCommand(), catalogGapsCommand())
}

func catalogListCommand() *cobra.Command {
	var c client.Client
	var o output
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "What services there are, and whose they are",
		Args:    cobra.NoArgs,
		Example: `  signalbox catalog list`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var got answer[catalog.Listing]
			if err := c.Get(cmd.Context(), "/sb/v1/catalog", nil, &got); err != nil {
				return err
			}
			return o.print(cmd, got.raw, func(w io.Writer) error {
				fmt.Fprintln(w, got.value.Summary)
				if len(got.value.Services) == 0 {
					return nil
				}
				t := show.NewTable("SERVICE", "TEAM", "TIER", "KIND", "SYSTEM", "KNOWN FROM", "SEEN", "GAPS")
				for _, e := range got.value.Services {
					t.Row(named(e.Service, e.Namespace), orDash(e.Team), tierText(e.Tier), e.Kind, orDash(e.System), e.Source, yes(e.Seen), orDash(strings.Join(openGaps(e.Gaps), ", ")))
				}
				t.Write(w)
				return nil
			})
		},
	}
	c.Flags(cmd.Flags())
	o.flags(cmd.Flags())
	return cmd
}

func named(service, namespace string) string {
	if namespace == "" {
		return service
	}
	return service + " (" + namespace + ")"
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func tierText(n int) string {
	if n == 0 {
		return "-"
	}
	return strconv.Itoa(n)
}

// openGaps are the words of those that are not meant to be.
func openGaps(gaps []catalog.Gap) (out []string) {
	for _, g := range gaps {
		if g.Excused == "" {
			out = append(out, string(g.Gap))
		}
	}
	return out
}

func catalogShowCommand() *cobra.Command {
	var c client.Client
	var o output
	var namespace string
	cmd := &cobra.Command{
		Use:     "show SERVICE",
		Short:   "One service: owner, contact, links, runbooks, dependencies, gaps",
		Example: `  signalbox catalog show edge`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var got answer[catalog.Entry]
			params := url.Values{}
			if namespace != "" {
				params.Set("namespace", namespace)
			}
			if err := c.Get(cmd.Context(), "/sb/v1/catalog/"+url.PathEscape(args[0]), params, &got); err != nil {
				return err
			}
			return o.print(cmd, got.raw, func(w io.Writer) error {
				printEntry(w, got.value)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&namespace, "namespace", "", "where services of several namespaces have one name")
	c.Flags(cmd.Flags())
	o.flags(cmd.Flags())
	return cmd
}

func printEntry(w io.Writer, e catalog.Entry) {
	t := show.NewTable("service", named(e.Service, e.Namespace))
	row := func(name, value string) {
		if value != "" {
			t.Row(name, value)
		}
	}
	row("about", strings.Join(strings.Fields(e.Title+" "+e.Description), " "))
	row("team", orDash(e.Team))
	row("tier", tierText(e.Tier))
	row("system", e.System)
	row("lifecycle", e.Lifecycle)
	row("escalation", e.Contact.Escalation)
	row("schedule", e.Contact.Schedule)
	row("chat", e.Contact.Chat)
	row("e-mail", e.Contact.Email)
	for _, l := range e.Links {
		row("link", l.Title+" "+l.URL)
	}
	for _, b := range e.Runbooks {
		row("runbook", b.Title+" "+b.URL)
	}
	for _, d := range e.DependsOn {
		row("depends on", d.Service+" ("+relation(d)+")")
	}
	for _, d := range e.Dependents {
		row("needed by", d.Service+" ("+relation(d)+")")
	}
	for _, g := range e.Gaps {
		if g.Excused != "" {
			row("excused", g.Text+": "+g.Excused)
		} else {
			row("gap", g.Text+"; "+g.Cure)
		}
	}
	t.Write(w)
}

func relation(r catalog.Relationship) string {
	switch {
	case r.Declared && r.Seen:
		return "declared and seen"
	case r.Declared:
		return "declared, not seen"
	}
	return "seen, not declared"
}

func catalogGapsCommand() *cobra.Command {
	var c client.Client
	var o output
	cmd := &cobra.Command{
		Use:   "gaps",
		Short: "What services lack: an owner, a runbook, an SLO, somebody on call",
		Long: `Lists what the services lack, those of the most important tier first. Exit status: 0
without a gap, 1 with one.`,
		Example: `  signalbox catalog gaps`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var got answer[catalog.GapList]
			if err := c.Get(cmd.Context(), "/sb/v1/catalog/gaps", nil, &got); err != nil {
				return err
			}
			if err := o.print(cmd, got.raw, func(w io.Writer) error { return printGaps(w, got.value) }); err != nil {
				return err
			}
			if len(got.value.Gaps) > 0 {
				return command.Exit(command.No)
			}
			return nil
		},
	}
	c.Flags(cmd.Flags())
	o.flags(cmd.Flags())
	return cmd
}

func printGaps(w io.Writer, list catalog.GapList) error {
	fmt.Fprintln(w, list.Summary)
	if len(list.Gaps) == 0 {
		return nil
	}
	t := show.NewTable("SERVICE", "TEAM", "TIER", "GAP", "WHAT", "CURE")
	for _, g := range list.Gaps {
		t.Row(named(g.Service, g.Namespace), orDash(g.Team), tierText(g.Tier), string(g.Gap), g.Text, g.Cure)
	}
	t.Write(w)
	return nil
}
