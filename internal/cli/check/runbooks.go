package check

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/alerting/rules"
	"github.com/signalbox-project/signalbox/internal/cli/client"
	"github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/query/promql"
	"github.com/signalbox-project/signalbox/internal/runbook"
	"github.com/signalbox-project/signalbox/internal/slo"
	"github.com/signalbox-project/signalbox/internal/slo/definition"
)

func checkRunbooksCommand() *cobra.Command {
	var c client.Client
	var ruleFiles, sloFiles []string
	cmd := &cobra.Command{
		Use:   "runbooks FILE...",
		Short: "Check runbooks: that they are whole, that every alert has one, that their queries find something",
		Long: `Reads runbooks as the server does: front matter, sections, links, queries. With --rules and
--slos every alert of these files must have one. A review that is overdue is a warning.
With --server every query is run there, over the last two hours, and must find something.`,
		Example: `  signalbox check runbooks examples/broker/runbooks/*.md
  signalbox check runbooks examples/broker/runbooks/*.md --rules 'examples/broker/rules/*.yml' --slos 'examples/broker/slos/*.yaml'`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			files, f := matches(args)
			books, problems := runbook.Load(files)
			alerts, more := alertsOf(ruleFiles, sloFiles)
			problems = append(problems, more...)
			for _, p := range append(problems, runbook.Lint(books, alerts, time.Now())...) {
				f.add(p.Error(), p.Warning)
			}
			if cmd.Flags().Changed("server") {
				if err := runQueries(cmd.Context(), &c, books, &f); err != nil {
					return err
				}
			}
			return f.report(cmd, files, fmt.Sprintf("%d runbooks for %d alerts in %d files are good", len(books), len(alerts), len(files)))
		},
	}
	cmd.Flags().StringArrayVar(&ruleFiles, "rules", nil, "rule files (pattern) whose alerts must have a runbook")
	cmd.Flags().StringArrayVar(&sloFiles, "slos", nil, "SLO files (pattern) whose alerts must have a runbook")
	c.Flags(cmd.Flags())
	return cmd
}

// watchdog is the alert of the rule that is built in.
const watchdog = "Watchdog"

// alertsOf are all that rules and SLOs may raise, each name once.
func alertsOf(ruleFiles, sloFiles []string) (out []runbook.Alert, problems []document.Problem) {
	seen := map[string]bool{}
	add := func(a runbook.Alert) {
		if a.Name != "" && !seen[a.Name] {
			seen[a.Name] = true
			out = append(out, a)
		}
	}
	if len(ruleFiles) > 0 {
		add(runbook.Alert{Name: watchdog, RunbookURL: "none"})
	}
	set, problems := rules.LoadFiles(ruleFiles, promql.NewParser(promql.DefaultConfig()))
	for _, file := range set {
		for _, g := range file.Groups.Groups {
			for _, r := range g.Rules {
				add(runbook.Alert{Name: r.Alert, RunbookURL: r.Annotations["runbook_url"], File: file.Path})
			}
		}
	}
	slos, more := definition.Load(sloFiles)
	limits := slo.DefaultConfig().Limits
	for _, d := range slos {
		for _, row := range d.Table(limits.BurnAlerts) {
			add(runbook.Alert{Name: row.Name, File: d.File, Line: d.Line})
		}
	}
	return out, append(problems, more...)
}

// runQueries asks a server each query of each runbook.
func runQueries(ctx context.Context, c *client.Client, books []runbook.Runbook, f *findings) error {
	for _, b := range books {
		for _, q := range b.Queries() {
			found, err := finds(ctx, c, q)
			if err != nil {
				return err
			}
			if !found {
				p := document.Problem{File: b.Path(), Line: q.Line, Message: fmt.Sprintf("the %s query finds nothing on the server", q.Language), Cure: "mend it; see in Explore what there is"}
				f.add(p.Error(), false)
			}
		}
	}
	return nil
}

func finds(ctx context.Context, c *client.Client, q runbook.Query) (bool, error) {
	var got struct {
		Data struct {
			Result []json.RawMessage `json:"result"`
		} `json:"data"`
		Logs   []json.RawMessage `json:"logs"`
		Traces []json.RawMessage `json:"traces"`
	}
	path, params := "/sb/v1/"+q.Language, url.Values{"q": {q.Text}, "start": {"now-2h"}, "limit": {"1"}}
	if q.Language == "promql" {
		path, params = "/api/v1/query", url.Values{"query": {q.Text}}
	}
	err := c.Get(ctx, path, params, &got)
	return len(got.Data.Result)+len(got.Logs)+len(got.Traces) > 0, err
}
