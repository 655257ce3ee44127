package app

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/prometheus/prometheus/rules"

	"github.com/signalbox-project/signalbox/internal/audit/witness"
	"github.com/signalbox-project/signalbox/internal/incident"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/ownership"
	"github.com/signalbox-project/signalbox/internal/query/sql"
)

// SQLWorkerCommand is the hidden subcommand that answers SQL in a process of
// its own, so that a greedy query cannot take the platform's memory.
const SQLWorkerCommand = "sql-worker"

func (c *cell) sqlEngine() (*sql.Engine, error) {
	worker := c.opts.SQLWorker
	if worker == nil {
		self, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("find own program for sql: %w", err)
		}
		worker = []string{self, SQLWorkerCommand}
	}
	return sql.New(c.cfg.SQL, sql.Deps{
		Logger: c.component("sql"), Registerer: c.registry, Source: c.events, Masks: c.masks.Value,
		Worker: worker, Dir: filepath.Join(c.dir, "sql"),
		State: sql.State{
			Deploys: ownership.Deploys{From: c.state, Owners: c.owners}.Deploys,
			SLOs: func(ctx context.Context) ([]model.SLOStatus, error) {
				slos, _, err := c.slo.SLOs(ctx, "")
				return slos, err
			},
			Alerts:    c.sqlAlerts,
			Audit:     c.trail().AuditEntries,
			Decisions: ownership.Decisions{From: c.decisions(), Owners: c.owners}.Decisions,
			Pages:     ownership.Pages{From: witness.Pages{PageStore: c.state, Checker: c.notes}}.Pages,
			Incidents: c.sqlIncidents,
		},
	})
}

// sqlIncidents lists the newest incidents that whoever asks sees.
func (c *cell) sqlIncidents(ctx context.Context, limit int) ([]sql.Incident, error) {
	list, _, err := c.incidents.List(ctx, incident.Query{Limit: limit})
	out := make([]sql.Incident, 0, len(list))
	for _, i := range list {
		t := i.Times
		out = append(out, sql.Incident{
			ID: i.ID, Title: i.Title, Severity: i.Severity, Status: string(i.Status), Environment: i.Environment, Region: i.Region, Services: i.Services,
			Commander: i.Roles.Commander, Times: sql.IncidentTimes{
				Started: t.Started, Detected: t.Detected, Acknowledged: t.Acknowledged, Mitigated: t.Mitigated, Resolved: t.Resolved, Published: i.Postmortem.Published,
			},
			Pages: i.Pages.Count, Alerts: i.Pages.Alerts, RootCause: i.Postmortem.RootCause, MergedInto: i.Origin.MergedInto,
		})
	}
	return out, err
}

// sqlAlerts lists the alerts of rules and SLOs that are active now.
func (c *cell) sqlAlerts(ctx context.Context) ([]sql.Alert, error) {
	var out []sql.Alert
	for _, rule := range c.rules.AlertingRules() {
		rule.ForEachActiveAlert(func(a *rules.Alert) {
			out = append(out, sql.Alert{
				State: a.State.String(), ActiveAt: a.ActiveAt, Value: a.Value,
				Labels: a.Labels.Map(), Annotations: a.Annotations.Map(),
			})
		})
	}
	slos, _, err := c.slo.SLOs(ctx, "")
	if err != nil {
		return nil, err
	}
	for _, s := range slos {
		for _, name := range s.Alerts {
			a := sql.Alert{State: "firing", Labels: model.Labels{"alertname": name, "slo": s.Name, "service": s.Service}, Annotations: model.Labels{"summary": s.Reason}}
			if s.Since != nil {
				a.ActiveAt = *s.Since
			}
			out = append(out, a)
		}
	}
	return out, nil
}
