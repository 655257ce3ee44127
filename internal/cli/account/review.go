package account

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/auth/review"
	"github.com/signalbox-project/signalbox/internal/cli/client"
	"github.com/signalbox-project/signalbox/internal/cli/command"
	"github.com/signalbox-project/signalbox/internal/cli/show"
	"github.com/signalbox-project/signalbox/internal/platform/sheet"
)

// AuditReview makes the access review, below `signalbox audit`.
func AuditReview() *cobra.Command {
	var c client.Client
	var as show.Form
	var quarter, since, format string
	cmd := &cobra.Command{
		Use:   "review",
		Short: "List who may what, when they last used it, and what should be taken from them",
		Long: `Makes the access review: users, bindings, tokens and the configuration's own roles, with
their tenants and namespaces and their last login or use, and what should be removed, with the
reason. It changes nothing. It needs auth.manage.`,
		Example: `  signalbox audit review
  signalbox audit review --quarter 2026Q4 -o json
  signalbox audit review --format csv`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if quarter != "" && since != "" {
				return command.Usage(errors.New("--quarter and --since: give one of them"))
			}
			if format != "" && format != "csv" {
				return command.Usage(fmt.Errorf("--format %q: give csv, or choose with -o", format))
			}
			params := url.Values{}
			for name, v := range map[string]string{"quarter": quarter, "since": since} {
				if v != "" {
					params.Set(name, v)
				}
			}
			var got show.Answer[review.Review]
			if err := c.Get(cmd.Context(), "/sb/v1/audit/review", params, &got); err != nil {
				return err
			}
			if format == "csv" {
				return reviewSheet(cmd.OutOrStdout(), got.Value)
			}
			return got.Print(cmd.OutOrStdout(), as, writeReview)
		},
	}
	cmd.Flags().StringVar(&quarter, "quarter", "", "the period, for example 2026Q4 (UTC)")
	cmd.Flags().StringVar(&since, "since", "", "the period's begin instead: now-90d, the default, or RFC 3339")
	cmd.Flags().StringVar(&format, "format", "", "csv: a row for each that may something, with what is proposed, for a spreadsheet")
	c.IdentityFlags(cmd.Flags())
	as.Flag(cmd.Flags())
	return cmd
}

func writeReview(w io.Writer, r review.Review) {
	fmt.Fprintf(w, "Access review from %s to %s\n\n", r.From.UTC().Format(time.RFC3339), r.Until.UTC().Format(time.RFC3339))
	for _, n := range r.Notes {
		fmt.Fprintln(w, show.Printable(n))
	}
	if !r.Authentication {
		return
	}
	holders := show.NewTable("KIND", "NAME", "SHOWN", "OF", "MAY", "LAST USED")
	for _, h := range r.Holders {
		last := "-"
		if !h.Last.IsZero() {
			last = h.Last.UTC().Format(time.RFC3339)
		}
		holders.Row(h.Kind, h.Name, cmp.Or(h.Shown, "-"), cmp.Or(strings.Join(h.Of, ", "), "-"), cmp.Or(mayText(h), "-"), last)
	}
	holders.Write(w)
	writeWas(w, r.Holders)
	if len(r.Proposals) == 0 {
		fmt.Fprintln(w, "\nNothing is proposed for removal.")
		return
	}
	fmt.Fprintln(w, "\nProposed removals:")
	t := show.NewTable("KIND", "NAME", "REASON", "WHAT TO DO")
	for _, p := range r.Proposals {
		t.Row(p.Kind, p.Name, p.Reason, p.Text)
	}
	t.Write(w)
}

// writeWas names who came in the period with other groups, or with groups that gave something else, than now.
func writeWas(w io.Writer, holders []review.Holder) {
	t := show.NewTable("NAME", "LOGIN", "GROUPS THEN", "MIGHT THEN")
	some := false
	for _, h := range holders {
		if h.Was != nil {
			t.Row(h.Name, h.Was.Time.UTC().Format(time.RFC3339), cmp.Or(strings.Join(h.Was.Groups, ", "), "-"), cmp.Or(strings.Join(h.Was.Grants, ", "), "-"))
			some = true
		}
	}
	if some {
		fmt.Fprintln(w, "\nThe last login of the period gave something else than now:")
		t.Write(w)
	}
}

// mayText is what somebody may, in one cell.
func mayText(h review.Holder) string {
	var may []string
	for _, g := range h.Grants {
		may = append(may, fmt.Sprintf("%s on %s/%s", g.Role, strings.Join(g.Tenants, "+"), cmp.Or(strings.Join(g.Namespaces, "+"), "*")))
	}
	return strings.Join(may, ", ")
}

// reviewSheet writes a row for each holder, with the removals that are proposed for it.
func reviewSheet(to io.Writer, r review.Review) error {
	when := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.UTC().Format(time.RFC3339)
	}
	w := sheet.New(to)
	if err := w.Write("kind", "name", "shown", "of", "may", "disabled", "created", "expires", "last_used", "proposed", "reason", "period_start", "period_end", "of_at", "login_then", "groups_then", "might_then"); err != nil {
		return err
	}
	for _, h := range r.Holders {
		var reasons, texts []string
		for _, p := range r.Proposals {
			if p.Kind == h.Kind && p.Name == h.Name {
				reasons, texts = append(reasons, p.Reason), append(texts, p.Text)
			}
		}
		was := cmp.Or(h.Was, &review.Was{})
		if err := w.Write(h.Kind, h.Name, h.Shown, strings.Join(h.Of, ", "), mayText(h), strconv.FormatBool(h.Disabled), when(h.Created), when(h.Expires), when(h.Last),
			strings.Join(reasons, ", "), strings.Join(texts, "; "), when(r.From), when(r.Until),
			when(h.OfAt), when(was.Time), strings.Join(was.Groups, ", "), strings.Join(was.Grants, ", ")); err != nil {
			return err
		}
	}
	return w.End()
}
