package sql

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	duckdb "github.com/duckdb/duckdb-go/v2"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/query/sql/answer"
	"github.com/signalbox-project/signalbox/internal/store"
)

// maxStateRows bounds each state table; the newest rows are kept.
const maxStateRows = 10_000

// Alert is an active alert, as the table alerts shows it.
type Alert struct {
	Labels      model.Labels
	Annotations model.Labels
	State       string // pending or firing
	ActiveAt    time.Time
	Value       float64
}

// Incident is something that went wrong, as the table incidents shows it.
type Incident struct {
	ID, Title, Severity, Status, Environment, Region, Commander string
	Services                                                    []string
	Times                                                       IncidentTimes
	Pages, Alerts                                               int
	RootCause, MergedInto                                       string
}

// IncidentTimes are when it did what; what has not happened is nil.
type IncidentTimes struct {
	Started, Detected                            time.Time
	Acknowledged, Mitigated, Resolved, Published *time.Time
}

// State is where the state tables come from; a nil function gives an empty
// table. They are called for the queries that name their table.
type State struct {
	Deploys   func(ctx context.Context, q store.DeployQuery) ([]model.Deploy, error)
	SLOs      func(ctx context.Context) ([]model.SLOStatus, error)
	Alerts    func(ctx context.Context) ([]Alert, error)
	Audit     func(ctx context.Context, q store.AuditQuery) ([]model.AuditEntry, error)
	Decisions func(ctx context.Context, q store.DecisionQuery) (list []model.GateDecision, next string, err error)
	Pages     func(ctx context.Context, q store.PageQuery) ([]model.Page, error)
	// Incidents are the newest that the caller of ctx sees.
	Incidents func(ctx context.Context, limit int) ([]Incident, error)
}

// stateTable is a small table that is filled anew for each query.
type stateTable struct {
	name    string
	needs   access.Permission // besides that of asking SQL: a table shows no more than the endpoints of what it holds
	columns []answer.SQLColumn
	// rows are those that scope sees; whoever lists what belongs to services narrows it by itself.
	rows func(ctx context.Context, s State, scope access.Scope) ([][]any, error)
}

// columnsOf reads "name TYPE, name TYPE".
func columnsOf(list string) []answer.SQLColumn {
	var out []answer.SQLColumn
	for c := range strings.SplitSeq(list, ",") {
		name, sqlType, _ := strings.Cut(strings.TrimSpace(c), " ")
		out = append(out, answer.SQLColumn{Name: name, Type: sqlType})
	}
	return out
}

func stateTables() []stateTable {
	return []stateTable{
		{"deploys", access.DeploysRead, columnsOf("time TIMESTAMP, id VARCHAR, service VARCHAR, environment VARCHAR, region VARCHAR, version VARCHAR, kind VARCHAR, status VARCHAR, actor VARCHAR, link VARCHAR, message VARCHAR, labels JSON"), deployRows},
		{"slo_budget", access.SLOsRead, columnsOf("name VARCHAR, service VARCHAR, objective DOUBLE, time_window VARCHAR, method VARCHAR, state VARCHAR, allowed DOUBLE, bad DOUBLE, total DOUBLE, used_ratio DOUBLE, left_ratio DOUBLE, sli DOUBLE, coverage DOUBLE, exhausted_in_seconds DOUBLE, since TIMESTAMP, reason VARCHAR, burn JSON, labels JSON, time TIMESTAMP"), sloRows},
		{"alerts", access.AlertsRead, columnsOf("name VARCHAR, state VARCHAR, severity VARCHAR, service VARCHAR, slo VARCHAR, active_since TIMESTAMP, value DOUBLE, labels JSON, annotations JSON"), alertRows},
		{"audit", access.AuditRead, columnsOf("id BIGINT, time TIMESTAMP, actor VARCHAR, action VARCHAR, subject VARCHAR, details JSON, tampered VARCHAR"), auditRows},
		{"gate_decisions", access.GateRead, columnsOf("time TIMESTAMP, id VARCHAR, service VARCHAR, environment VARCHAR, version VARCHAR, critical BOOLEAN, actor VARCHAR, verdict VARCHAR, summary VARCHAR, reasons JSON, evidence JSON, tampered VARCHAR, override_by VARCHAR, override_tampered VARCHAR"), decisionRows},
		{"pages", access.PagesRead, columnsOf("time TIMESTAMP, id VARCHAR, dedup_key VARCHAR, updated TIMESTAMP, status VARCHAR, severity VARCHAR, title VARCHAR, summary VARCHAR, service VARCHAR, receiver VARCHAR, acked_by VARCHAR, acked_at TIMESTAMP, resolved_at TIMESTAMP, labels JSON, alerts JSON, deliveries JSON, tampered VARCHAR"), pageRows},
		{"incidents", access.IncidentsRead, columnsOf("id VARCHAR, title VARCHAR, severity VARCHAR, status VARCHAR, environment VARCHAR, region VARCHAR, services JSON, commander VARCHAR, started TIMESTAMP, detected TIMESTAMP, acknowledged TIMESTAMP, mitigated TIMESTAMP, resolved TIMESTAMP, published TIMESTAMP, pages BIGINT, alerts BIGINT, root_cause VARCHAR, merged_into VARCHAR"), incidentRows},
	}
}

// stateTable makes and fills a table.
func (s *session) stateTable(ctx context.Context, t stateTable, rows [][]any) error {
	defs := make([]string, len(t.columns))
	for i, c := range t.columns {
		defs[i] = name(c.Name) + " " + c.Type
	}
	if err := s.exec(ctx, "CREATE TABLE "+name(t.name)+" ("+strings.Join(defs, ", ")+")"); err != nil {
		return err
	}
	return s.conn.Raw(func(dc any) (err error) {
		app, err := duckdb.NewAppenderFromConn(dc.(driver.Conn), "", t.name)
		if err != nil {
			return fmt.Errorf("fill %s: %w", t.name, err)
		}
		defer func() { err = errors.Join(err, app.Close()) }()
		cells := make([]driver.Value, len(t.columns))
		for _, row := range rows {
			for i, c := range row {
				cells[i] = c
				if text, ok := c.(string); ok && t.columns[i].Type == "JSON" {
					cells[i] = json.RawMessage(text) // the appender encodes JSON anew
				}
			}
			if err := app.AppendRow(cells...); err != nil {
				return fmt.Errorf("fill %s: %w", t.name, err)
			}
		}
		return nil
	})
}

// The values of optional and composed cells.

func timeCell(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC()
}

func timePtrCell(t *time.Time) any {
	if t == nil {
		return nil
	}
	return timeCell(*t)
}

func floatPtrCell(f *float64) any {
	if f == nil {
		return nil
	}
	return *f
}

// jsonCell is v as JSON text; nil maps and slices are {} and [].
func jsonCell(v any) any {
	text, err := json.Marshal(v)
	if err != nil || string(text) == "null" {
		if _, ok := v.(map[string]string); ok {
			return "{}"
		}
		if _, ok := v.(model.Labels); ok {
			return "{}"
		}
		return "[]"
	}
	return string(text)
}

func deployRows(ctx context.Context, s State, _ access.Scope) ([][]any, error) {
	if s.Deploys == nil {
		return nil, nil
	}
	list, err := s.Deploys(ctx, store.DeployQuery{Limit: maxStateRows})
	var rows [][]any
	for _, d := range list {
		rows = append(rows, []any{timeCell(d.Time), d.ID, d.Service, d.Environment, d.Region, d.Version, d.Kind, d.Status, d.Actor, d.Link, d.Message, jsonCell(d.Labels)})
	}
	return rows, err
}

func sloRows(ctx context.Context, s State, scope access.Scope) ([][]any, error) {
	if s.SLOs == nil {
		return nil, nil
	}
	list, err := s.SLOs(ctx)
	var rows [][]any
	for _, o := range list {
		if !scope.Sees(o.Labels[access.NamespaceLabel]) {
			continue
		}
		b := o.Budget
		rows = append(rows, []any{
			o.Name, o.Service, o.Objective, o.Window, o.Method, string(o.State), b.Allowed, b.Bad, b.Total,
			knownCell(b, b.UsedRatio), knownCell(b, b.LeftRatio), knownCell(b, b.SLI), b.Coverage,
			floatPtrCell(o.ExhaustedIn), timePtrCell(o.Since), o.Reason, jsonCell(o.Burn), jsonCell(o.Labels), timeCell(o.Time),
		})
	}
	return rows, err
}

// knownCell is NULL for a figure of a budget that cannot be judged.
func knownCell(b model.Budget, v float64) any {
	if b.Unknown {
		return nil
	}
	return v
}

func alertRows(ctx context.Context, s State, scope access.Scope) ([][]any, error) {
	if s.Alerts == nil {
		return nil, nil
	}
	list, err := s.Alerts(ctx)
	var rows [][]any
	for _, a := range list {
		l := a.Labels
		if !scope.Sees(l[access.NamespaceLabel]) {
			continue
		}
		rows = append(rows, []any{l["alertname"], a.State, l.Own("severity"), l.Own("service"), l.Own("slo"), timeCell(a.ActiveAt), a.Value, jsonCell(l), jsonCell(a.Annotations)})
	}
	return rows, err
}

func auditRows(ctx context.Context, s State, _ access.Scope) ([][]any, error) {
	if s.Audit == nil {
		return nil, nil
	}
	list, err := s.Audit(ctx, store.AuditQuery{Limit: maxStateRows})
	var rows [][]any
	for _, e := range list {
		rows = append(rows, []any{e.ID, timeCell(e.Time), e.Actor, e.Action, e.Subject, jsonCell(e.Details), e.Tampered})
	}
	return rows, err
}

func decisionRows(ctx context.Context, s State, _ access.Scope) ([][]any, error) {
	if s.Decisions == nil {
		return nil, nil
	}
	list, _, err := s.Decisions(ctx, store.DecisionQuery{Limit: maxStateRows})
	var rows [][]any
	for _, d := range list {
		q, by := d.Request, model.GateOverride{}
		if d.Override != nil {
			by = *d.Override
		}
		rows = append(rows, []any{timeCell(d.Time), d.ID, q.Service, q.Environment, q.Version, q.Critical, q.Actor, string(d.Verdict), d.Summary, jsonCell(d.Reasons), jsonCell(d.Evidence), d.Tampered, by.Actor, by.Tampered})
	}
	return rows, err
}

func pageRows(ctx context.Context, s State, _ access.Scope) ([][]any, error) {
	if s.Pages == nil {
		return nil, nil
	}
	list, err := s.Pages(ctx, store.PageQuery{Limit: maxStateRows})
	var rows [][]any
	for _, p := range list {
		rows = append(rows, []any{
			timeCell(p.Time), p.ID, p.DedupKey, timeCell(p.Updated), p.Status, p.Severity, p.Title, p.Summary, p.Service, p.Receiver, p.AckedBy,
			timePtrCell(p.AckedAt), timePtrCell(p.ResolvedAt), jsonCell(p.GroupLabels), jsonCell(p.Alerts), jsonCell(p.Deliveries), p.Tampered,
		})
	}
	return rows, err
}

func incidentRows(ctx context.Context, s State, _ access.Scope) ([][]any, error) {
	if s.Incidents == nil {
		return nil, nil
	}
	list, err := s.Incidents(ctx, maxStateRows)
	var rows [][]any
	for _, i := range list {
		rows = append(rows, []any{
			i.ID, i.Title, i.Severity, i.Status, i.Environment, i.Region, jsonCell(i.Services), i.Commander, timeCell(i.Times.Started), timeCell(i.Times.Detected),
			timePtrCell(i.Times.Acknowledged), timePtrCell(i.Times.Mitigated), timePtrCell(i.Times.Resolved), timePtrCell(i.Times.Published), int64(i.Pages), int64(i.Alerts), i.RootCause, i.MergedInto,
		})
	}
	return rows, err
}
