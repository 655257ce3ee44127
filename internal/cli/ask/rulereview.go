package ask

import (
	"fmt"
	"io"
	"net/url"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/cli/client"
	"github.com/signalbox-project/signalbox/internal/cli/show"
	"github.com/signalbox-project/signalbox/internal/platform/human"
	"github.com/signalbox-project/signalbox/internal/report/rulereview"
)

// RulesReview shows what alerting rules did, and writes what of their files could be changed.
func RulesReview() *cobra.Command {
	var c client.Client
	var as show.Form
	var days int
	var patch bool
	cmd := &cobra.Command{
		Use:   "review",
		Short: "What each alerting rule did, and what of its file could be changed",
		Long: `Says of each alerting rule how often it fired, what came of it, and what is odd: firings on which
nobody acted, that reached nobody or flapped, rules that tell what another one tells, that slept while a budget
burned, whose metric is gone. Each proposed edit has its evidence; with --patch all of them are written as
a diff that git apply takes, in the folder of the configuration. Nothing is changed by itself.`,
		Example: `  signalbox rules review
  signalbox rules review --days 7 -o json
  signalbox rules review --patch > rules.patch`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var got show.Answer[rulereview.RuleReview]
			if err := c.Get(cmd.Context(), "/sb/v1/report/rules", url.Values{"days": {strconv.Itoa(days)}}, &got); err != nil {
				return err
			}
			if patch {
				fmt.Fprintln(cmd.ErrOrStderr(), got.Value.Summary)
				_, err := io.WriteString(cmd.OutOrStdout(), got.Value.Patch)
				return err
			}
			return got.Print(cmd.OutOrStdout(), as, writeRuleReview)
		},
	}
	cmd.Flags().IntVar(&days, "days", 28, "how many days until now, at most 92")
	cmd.Flags().BoolVar(&patch, "patch", false, "write the proposed edits as a diff for git apply")
	c.Flags(cmd.Flags())
	as.Flag(cmd.Flags())
	return cmd
}

func writeRuleReview(w io.Writer, r rulereview.RuleReview) {
	fmt.Fprintf(w, "%s\n\n", r.Summary)
	t := show.NewTable("RULE", "SEVERITY", "FIRED", "FOR", "TOLD", "ACTED ON", "BY ITSELF", "QUIET", "FLAPPED")
	for _, one := range r.Rules {
		o := one.Outcome
		t.Row(one.Alert, one.Severity, strconv.Itoa(one.Firings.Count), human.Duration(time.Duration(one.Firings.Seconds)*time.Second),
			strconv.Itoa(o.Told), strconv.Itoa(o.ActedOn), strconv.Itoa(o.AutoResolved), strconv.Itoa(o.Quiet), strconv.Itoa(one.Firings.Flapped))
	}
	t.Write(w)
	for _, one := range r.Rules {
		for _, p := range one.Proposals {
			fmt.Fprintf(w, "\n%s: %s: %s\n", one.Alert, p.Edit(), p.Why)
			if p.Manual != "" {
				fmt.Fprintf(w, "  not in the patch: %s\n", p.Manual)
			}
		}
		for _, f := range one.Findings {
			if len(one.Proposals) == 0 && f.Kind != rulereview.NeverFired {
				fmt.Fprintf(w, "\n%s: %s\n", one.Alert, f.Text)
			}
		}
	}
	for _, n := range r.Notes {
		fmt.Fprintf(w, "\n%s\n", n)
	}
}
