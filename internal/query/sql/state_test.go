package sql

import (
	"context"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// filled is a state with one row, or a few, in every table.
func filled() State {
	value, acked := 1.5, t0.Add(time.Minute)
	return State{
		Deploys: func(context.Context, store.DeployQuery) ([]model.Deploy, error) {
			return []model.Deploy{{ID: "d1", Time: t0, Service: "edge", Version: "2.4.1", Environment: "prod", Kind: "deploy", Status: "succeeded", Labels: map[string]string{"team": "a"}}}, nil
		},
		SLOs: func(context.Context) ([]model.SLOStatus, error) {
			return []model.SLOStatus{
				{Name: "edge-availability", Service: "edge", Objective: 0.995, Window: "28d", State: model.SLOBurning, Budget: model.Budget{Allowed: 100, Bad: 42, UsedRatio: 0.42, LeftRatio: 0.58}, Burn: []model.Burn{{Window: "1h", Rate: 21}}, ExhaustedIn: &value, Since: &acked, Time: t0},
				{Name: "layout-latency", State: model.SLOInsufficient, Time: t0},
			}, nil
		},
		Alerts: func(context.Context) ([]Alert, error) {
			return []Alert{{Labels: model.Labels{"alertname": "SLOBurnRateFast", "severity": "critical", "service": "edge", "slo": "edge-availability"}, State: "firing", ActiveAt: t0, Value: 21}}, nil
		},
		Audit: func(context.Context, store.AuditQuery) ([]model.AuditEntry, error) {
			return []model.AuditEntry{{ID: 7, Time: t0, Actor: "ci", Action: "gate.decide", Subject: "edge"}}, nil
		},
		Decisions: func(context.Context, store.DecisionQuery) ([]model.GateDecision, string, error) {
			return []model.GateDecision{{ID: "g1", Time: t0, Request: model.GateRequest{Service: "edge", Version: "2.4.2", Critical: true}, Verdict: model.VerdictBlock, Summary: "Blocked.", Reasons: []model.GateReason{{Rule: "burn_fast"}}, Tampered: "it was edited", Override: &model.GateOverride{Actor: "ann", Tampered: "so was this"}}}, "", nil
		},
		Pages: func(context.Context, store.PageQuery) ([]model.Page, error) {
			return []model.Page{{ID: "p1", Time: t0, Updated: t0, Status: "firing", Severity: "critical", Title: "edge burns", AckedBy: "ann", AckedAt: &acked, GroupLabels: model.Labels{"slo": "x"}}}, nil
		},
		Incidents: func(context.Context, int) ([]Incident, error) {
			return []Incident{{ID: "i1", Title: "Ports ran out", Severity: "P0", Status: "mitigated", Services: []string{"edge"}, Commander: "ann", Times: IncidentTimes{Started: t0, Detected: t0, Mitigated: &acked}, Pages: 2, Alerts: 3, RootCause: "a public endpoint"}}, nil
		},
	}
}

func TestStateTables(t *testing.T) {
	e := newEngine(t, DefaultConfig(), Deps{State: filled()})
	cases := []struct{ name, query, want string }{
		{"deployments", "SELECT time, id, service, environment, version, kind, status, labels, labels->>'team' FROM deploys", `[["2026-11-21T10:00:00.123456Z","d1","edge","prod","2.4.1","deploy","succeeded",{"team":"a"},"a"]]`},
		{"budgets", "SELECT name, objective, time_window, state, allowed, bad, used_ratio, left_ratio, exhausted_in_seconds, since, burn->0->>'window' FROM slo_budget WHERE state = 'burning'", `[["edge-availability",0.995,"28d","burning",100,42,0.42,0.58,1.5,"2026-11-21T10:01:00.123456Z","1h"]]`},
		{"a budget without figures", "SELECT exhausted_in_seconds, since, burn, labels FROM slo_budget WHERE name = 'layout-latency'", `[[null,null,[],{}]]`},
		{"alerts", "SELECT name, state, severity, service, slo, value, active_since FROM alerts", `[["SLOBurnRateFast","firing","critical","edge","edge-availability",21,"2026-11-21T10:00:00.123456Z"]]`},
		{"audit", "SELECT id, actor, action, subject, details FROM audit", `[[7,"ci","gate.decide","edge",{}]]`},
		{"gate decisions", "SELECT id, service, version, critical, verdict, summary, reasons->0->>'rule', evidence FROM gate_decisions", `[["g1","edge","2.4.2",true,"block","Blocked.","burn_fast",[]]]`},
		{"what was tampered with", "SELECT tampered, override_by, override_tampered FROM gate_decisions", `[["it was edited","ann","so was this"]]`},
		{"pages", "SELECT id, status, title, acked_by, acked_at, resolved_at, labels, alerts FROM pages", `[["p1","firing","edge burns","ann","2026-11-21T10:01:00.123456Z",null,{"slo":"x"},[]]]`},
		{"incidents", "SELECT id, title, severity, status, services->>0, commander, mitigated, resolved, pages, alerts, root_cause FROM incidents", `[["i1","Ports ran out","P0","mitigated","edge","ann","2026-11-21T10:01:00.123456Z",null,2,3,"a public endpoint"]]`},
		{"how long they lasted", "SELECT date_diff('second', started, mitigated) FROM incidents", `[[60]]`},
		{"two of them together", "SELECT d.version, g.verdict FROM deploys d JOIN gate_decisions g USING (service)", `[["2.4.1","block"]]`},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			if got := ask(t, e, tc.query); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

func TestTablesWithoutASourceAreEmpty(t *testing.T) {
	e := newEngine(t, DefaultConfig(), Deps{})
	for _, table := range tableNames() {
		if got := ask(t, e, "SELECT * FROM "+table); got != "[]" {
			t.Errorf("%s: %s", table, got)
		}
	}
}

// The schema that is shown is the schema that DuckDB has.
func TestSchemaIsTrue(t *testing.T) {
	e := newEngine(t, DefaultConfig(), Deps{State: filled()})
	tables, err := e.Schema(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(tables) != 9 {
		t.Errorf("%d tables", len(tables))
	}
	for _, table := range tables {
		res, err := e.Query(t.Context(), "default", "SELECT * FROM "+table.Name, 1)
		if err != nil {
			t.Fatal(err)
		}
		if len(res.Columns) != len(table.Columns) {
			t.Fatalf("%s: %d columns, %d shown", table.Name, len(res.Columns), len(table.Columns))
		}
		for i, c := range table.Columns {
			if res.Columns[i] != c {
				t.Errorf("%s: column %v is shown as %v", table.Name, res.Columns[i], c)
			}
		}
	}
}

func TestDescribeAndExplain(t *testing.T) {
	e := newEngine(t, DefaultConfig(), Deps{})
	for query, rows := range map[string]int{
		"DESCRIBE logs":                        15,
		"describe SELECT 1 AS a, 2 AS b":       2,
		"SUMMARIZE deploys":                    12,
		"EXPLAIN SELECT count(*) FROM logs":    1,
		"/* why */ explain analyze SELECT 1":   1,
		"FROM deploys":                         0,
		"VALUES (1), (2)":                      2,
		"(SELECT 1) UNION ALL (SELECT 2)":      2,
		"SELECT 'x;y' AS \"a;b\" ; ; -- end;":  1,
		"SELECT $$;$$ AS x, $q$ -- $q$ AS y ;": 1,
	} {
		res, err := e.Query(t.Context(), "default", query, 100)
		if err != nil || len(res.Rows) != rows {
			t.Errorf("%s: %d rows, want %d, %v", query, len(res.Rows), rows, err)
		}
	}
}

func TestEveryQueryIsNoted(t *testing.T) {
	e := newEngine(t, DefaultConfig(), Deps{})
	for query, rows := range map[string]string{"SELECT 1": "1", "COPY x TO 'y'": "0"} {
		a := &access.Access{Notes: &access.Notes{}}
		_, _ = e.Query(access.With(t.Context(), a), "acme", query, 10)
		if n := a.Notes.All(); n[access.NoteAction] != "sql.query" || n[access.NoteQuery] != query || n[access.NoteRows] != rows {
			t.Errorf("%s: %v", query, n)
		}
	}
}

func TestConfigNamesEveryProblem(t *testing.T) {
	if errs := (Config{}).Validate(); len(errs) != 6 {
		t.Errorf("got %v", errs)
	}
	if errs := DefaultConfig().Validate(); errs != nil {
		t.Errorf("the default is invalid: %v", errs)
	}
}
