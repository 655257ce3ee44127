package ask

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/cli/client"
	"github.com/signalbox-project/signalbox/internal/cli/command"
	"github.com/signalbox-project/signalbox/internal/cli/show"
	"github.com/signalbox-project/signalbox/internal/model"
)

// Audit searches and verifies the record of who did what; more are commands of others that belong below it.
func Audit(more ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: "audit", Short: "Who did what, and is the record of it whole"}
	cmd.AddCommand(auditSearchCommand(), auditVerifyCommand(), auditExportCommand(), auditStatusCommand())
	cmd.AddCommand(more...)
	return cmd
}

func auditVerifyCommand() *cobra.Command {
	var c client.Client
	var o output
	var file string
	var gaps bool
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Check that no entry of the audit log was changed or removed",
		Long: `Has the server walk its audit log, in which each entry's hash covers the one before,
and names the first entry that was changed, removed or added by anything else than
Signalbox, also at the end. The server does the same at every start and shows it on
its status page. It also compares decisions, overrides and keys of the gate, corrections
of SLOs and acknowledgements of pages in its database with what the log notes of them.

With --file it asks no server: it reads what 'signalbox audit export' wrote, or a
month's file of the log, and names the first line that was changed, taken out or put
there. An export of some entries alone needs --gaps: each of them is still proved, but
not that there are no others.

Exit status: 0 all as it was written, 1 not, 3 no answer from the server, or no such file.`,
		Example: `  signalbox audit verify
  signalbox audit verify --file audit.jsonl`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file != "" {
				return verifyFile(cmd, file, gaps, &o)
			}
			var got answer[model.AuditVerification]
			if err := c.Get(cmd.Context(), "/sb/v1/audit/verify", nil, &got); err != nil {
				return err
			}
			v := got.value
			if err := o.print(cmd, got.raw, func(w io.Writer) error {
				text := fmt.Sprintf("intact: %d entries", v.Entries)
				if !v.Intact {
					text = fmt.Sprintf("NOT INTACT: %s (first bad entry %d; the %d before it fit)", v.Fault, v.FirstBad, v.FirstBad-1)
				}
				for _, one := range v.Touched {
					text += "\nTOUCHED: " + one
				}
				_, err := fmt.Fprintln(w, text)
				return err
			}); err != nil {
				return err
			}
			if !v.Intact || len(v.Touched) > 0 {
				return command.Exit(command.No)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&file, "file", "", "verify this export, or a month's file, instead of asking a server; - is standard input")
	cmd.Flags().BoolVar(&gaps, "gaps", false, "with --file: the export was filtered, entries that are left out are no fault")
	c.Flags(cmd.Flags())
	o.flags(cmd.Flags())
	return cmd
}

func auditSearchCommand() *cobra.Command {
	var c client.Client
	var o output
	var actor, action, start, end, subject, text, before string
	var limit int
	cmd := &cobra.Command{
		Use:   "search",
		Short: "List audit entries, newest first",
		Example: `  signalbox audit search --action gate.override
  signalbox audit search --actor alice --start now-30d --json
  signalbox audit search --action query.metrics --text http_requests_total`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			params := url.Values{"limit": {strconv.Itoa(limit)}}
			for name, v := range map[string]string{
				"actor": actor, "action": action, "tenant": c.Tenant(), "start": start, "end": end, "subject": subject, "text": text, "before": before,
			} {
				if v != "" {
					params.Set(name, v)
				}
			}
			var got answer[struct {
				Entries []model.AuditEntry `json:"entries"`
			}]
			if err := c.Get(cmd.Context(), "/sb/v1/audit", params, &got); err != nil {
				return err
			}
			return o.print(cmd, got.raw, func(w io.Writer) error {
				t := show.NewTable("ENTRY", "TIME", "TENANT", "ACTOR", "ACTION", "SUBJECT", "DETAILS", "TAMPERED")
				for _, e := range got.value.Entries {
					t.Row(strconv.FormatInt(e.ID, 10), e.Time.Format(time.RFC3339), cmp.Or(e.Tenant, "-"), e.Actor, e.Action, e.Subject, detailsText(e.Details), orDash(e.Tampered))
				}
				t.Write(w)
				return nil
			})
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&actor, "actor", "", "only what this person or program did")
	fs.StringVar(&action, "action", "", "only this action, for example gate.override")
	fs.StringVar(&start, "start", "", "from when: now-30d or RFC 3339 (default a week before the end)")
	fs.StringVar(&end, "end", "", "until when (default now)")
	fs.StringVar(&subject, "subject", "", "only what was done to this, for example a decision's ID or a path")
	fs.StringVar(&text, "text", "", "only entries with this somewhere in them, whatever the case of its letters")
	fs.StringVar(&before, "before", "", "only entries before this number: the next page")
	fs.IntVar(&limit, "limit", 100, "at most so many")
	c.Flags(fs)
	o.flags(fs)
	return cmd
}

func detailsText(d map[string]string) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(d)) {
		out = append(out, k+"="+strconv.Quote(d[k]))
	}
	return strings.Join(out, " ")
}
