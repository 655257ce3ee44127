package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/api/events"
	"github.com/signalbox-project/signalbox/internal/api/health"
	"github.com/signalbox-project/signalbox/internal/api/objectives"
	"github.com/signalbox-project/signalbox/internal/api/releases"
	"github.com/signalbox-project/signalbox/internal/backtest"
	"github.com/signalbox-project/signalbox/internal/cause"
	"github.com/signalbox-project/signalbox/internal/diagnose"
	"github.com/signalbox-project/signalbox/internal/gate"
	"github.com/signalbox-project/signalbox/internal/gate/bands"
	"github.com/signalbox-project/signalbox/internal/gate/canary"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/process/conservation"
	"github.com/signalbox-project/signalbox/internal/query/sql/answer"
	"github.com/signalbox-project/signalbox/internal/report/paper"
	"github.com/signalbox-project/signalbox/internal/store"
)

// now is the time in every test of this package.
var now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// filterError is a syntax error as store/filter has it.
type filterError struct{}

func (filterError) Error() string { return "filter, position 3: unexpected )" }
func (filterError) Position() int { return 3 }
func (filterError) Hint() string  { return "quote it" }

func (f *rooms) ParseFilter(text string) (store.Expr, error) {
	switch text {
	case "":
		return nil, nil
	case "ab )":
		return nil, filterError{}
	case "lvl:error":
		return store.Compare{Field: "lvl", Value: "error"}, nil
	}
	return store.Text{Phrase: text}, nil
}

// rooms is every room behind the API; err is what all of them answer with.
type rooms struct {
	err     error
	fields  []string // of logs
	logs    []model.LogRecord
	spans   []model.Span
	traces  []store.TraceSummary
	slos    []model.SLOStatus
	deploys []model.Deploy
	audited []model.AuditEntry

	// What was asked for last.
	logQuery      store.LogQuery
	traceQuery    store.TraceQuery
	step          time.Duration
	field         string
	deployQuery   store.DeployQuery
	decisionQuery store.DecisionQuery
	pageQuery     store.PageQuery
	auditQuery    store.AuditQuery
	report        paper.Request
	sqlTenant     string
	sqlLimit      int
	start, end    time.Time
	deadline      bool
}

func (f *rooms) Status(context.Context) Status {
	return Status{Version: "1.0", Started: now, Config: ConfigStatus{File: "a.yml", Hash: "5e", Generation: 2, LoadedAt: now, ReloadedAt: now, InForce: map[string]int{"slos": 1}, ReloadSucceeded: true}}
}

func (f *rooms) SLOs(_ context.Context, service string) ([]model.SLOStatus, string, error) {
	return f.slos, "1 of 2 SLOs of " + service + " is in danger.", f.err
}

func (f *rooms) SLO(_ context.Context, name string) (model.SLOStatus, error) {
	if name != "edge availability" {
		return model.SLOStatus{}, fmt.Errorf("slo %s: %w", name, store.ErrNotFound)
	}
	return model.SLOStatus{Name: name}, f.err
}

func (f *rooms) SLOHistory(_ context.Context, name string, start, end time.Time, step time.Duration) (model.SLOHistory, error) {
	f.start, f.end, f.step = start, end, step
	return model.SLOHistory{Name: name}, f.err
}

func (f *rooms) Logs(ctx context.Context, q store.LogQuery) iter.Seq2[model.LogRecord, error] {
	f.logQuery = q
	_, f.deadline = ctx.Deadline()
	return func(yield func(model.LogRecord, error) bool) {
		if f.err != nil {
			yield(model.LogRecord{}, f.err)
			return
		}
		for i := range min(len(f.logs), q.Limit) {
			if !yield(f.logs[i], nil) {
				return
			}
		}
	}
}

func (f *rooms) LogHistogram(_ context.Context, q store.LogQuery, step time.Duration, field string) (store.Histogram, error) {
	f.logQuery, f.step, f.field = q, step, field
	return store.Histogram{Start: now.UnixNano(), Step: int64(step), Series: []store.HistogramSeries{{Value: "error", Counts: []uint64{1, 2}}}}, f.err
}

func (f *rooms) LogValues(_ context.Context, q store.LogQuery, field string, _ int) ([]store.ValueCount, error) {
	f.logQuery, f.field = q, field
	return []store.ValueCount{{Value: "edge", Count: 3}}, f.err
}

func (f *rooms) LogFields(_ context.Context, q store.LogQuery, _ int) ([]string, error) {
	if f.fields != nil {
		return f.fields, f.err
	}
	f.logQuery = q
	return nil, f.err
}

func (f *rooms) Trace(_ context.Context, tenant string, id model.TraceID, hint store.Range) ([]model.Span, error) {
	f.traceQuery = store.TraceQuery{Tenant: tenant, Range: hint}
	if f.err == nil && len(f.spans) == 0 {
		return nil, fmt.Errorf("trace %s: %w", id, store.ErrNotFound)
	}
	return f.spans, f.err
}

func (f *rooms) Traces(_ context.Context, q store.TraceQuery) ([]store.TraceSummary, error) {
	f.traceQuery = q
	return f.traces[:min(len(f.traces), q.Limit)], f.err
}

func (f *rooms) Spans(context.Context, store.TraceQuery) iter.Seq2[model.Span, error] {
	return func(func(model.Span, error) bool) {}
}

func (f *rooms) SpanHistogram(_ context.Context, q store.TraceQuery, step time.Duration, field string) (store.Histogram, error) {
	f.traceQuery, f.step, f.field = q, step, field
	return store.Histogram{Start: now.UnixNano(), Step: int64(step)}, f.err
}

func (f *rooms) SpanValues(_ context.Context, q store.TraceQuery, field string, _ int) ([]store.ValueCount, error) {
	f.traceQuery, f.field = q, field
	return nil, f.err
}

func (f *rooms) SpanFields(_ context.Context, q store.TraceQuery, _ int) ([]string, error) {
	f.traceQuery = q
	return []string{"service"}, f.err
}

func (f *rooms) Tail(ctx context.Context, tenant string, expr store.Expr, event func(*model.LogRecord, uint64) error) error {
	if f.err != nil {
		return f.err
	}
	for i := range f.logs {
		if err := event(&f.logs[i], 0); err != nil {
			return err
		}
	}
	if err := event(nil, 7); err != nil {
		return err
	}
	<-ctx.Done()
	return ctx.Err()
}

func (f *rooms) ExplainTrace(spans []model.Span) string { return fmt.Sprintf("%d spans.", len(spans)) }

func (f *rooms) Services(_ context.Context, _ string, start, end time.Time) ([]diagnose.ServiceSummary, error) {
	f.start, f.end = start, end
	return []diagnose.ServiceSummary{{Service: "edge", SLOState: "ok"}}, f.err
}

func (f *rooms) Service(_ context.Context, _, name string, start, end time.Time) (diagnose.ServiceDetail, error) {
	f.start, f.end = start, end
	return diagnose.ServiceDetail{Service: name}, f.err
}

func (f *rooms) Edges(_ context.Context, _ string, r store.Range) ([]model.Edge, error) {
	f.start, f.end = time.Unix(0, r.Start), time.Unix(0, r.End)
	return nil, f.err
}

func (f *rooms) Query(_ context.Context, tenant, query string, limit int) (answer.SQLResult, error) {
	f.sqlTenant, f.sqlLimit = tenant, limit
	if query == "ab )" {
		return answer.SQLResult{}, filterError{}
	}
	return answer.SQLResult{Columns: []answer.SQLColumn{{Name: "a", Type: "BIGINT"}}, Rows: [][]any{{int64(9007199254740993)}, {nil}}}, f.err
}

func (f *rooms) Schema(context.Context) ([]answer.SQLTable, error) {
	return []answer.SQLTable{{Name: "logs"}}, f.err
}

func (f *rooms) Deploys(_ context.Context, q store.DeployQuery) ([]model.Deploy, error) {
	f.deployQuery = q
	return f.deploys, f.err
}

func (f *rooms) AddDeploy(_ context.Context, d model.Deploy) (model.Deploy, error) {
	d.ID, d.Time = "d1", now
	return d, f.err
}

func (f *rooms) Decide(_ context.Context, req model.GateRequest) (model.GateDecision, error) {
	return model.GateDecision{ID: "g1", Time: now, Request: req, Verdict: model.VerdictBlock, Summary: "Blocked."}, f.err
}

func (f *rooms) Override(_ context.Context, id, actor, reason string) (model.GateDecision, error) {
	return model.GateDecision{ID: id, Override: &model.GateOverride{Actor: actor, Reason: reason}}, f.err
}

func (f *rooms) Replay(_ context.Context, id string) (gate.Replay, error) {
	return gate.Replay{DecisionID: id, Same: true}, f.err
}

func (f *rooms) Key() (gate.PublicKey, error) {
	return gate.PublicKey{Algorithm: "ed25519", KeyID: "k1"}, f.err
}

func (f *rooms) View(context.Context) (bands.PolicyView, error) {
	return bands.PolicyView{Default: gate.DefaultPolicy()}, f.err
}

func (f *rooms) StartBacktest(_ context.Context, req backtest.Request) (backtest.Job, error) {
	f.start, f.end, f.step = req.Start, req.End, req.Step
	return backtest.Job{ID: "b1", State: backtest.Running, Started: now}, f.err
}

func (f *rooms) BacktestDocuments(context.Context) (backtest.Set, error) {
	return backtest.Set{SLOs: []backtest.Document{{Name: "slos/edge.yaml", Text: "kind: SLO"}}}, f.err
}

func (f *rooms) Backtest(_ context.Context, id string) (backtest.Job, error) {
	if id != "b1" {
		return backtest.Job{}, fmt.Errorf("backtest %s: %w", id, store.ErrNotFound)
	}
	return backtest.Job{ID: id, State: backtest.Done, Progress: 1, Started: now, Result: &backtest.Result{Start: f.start, End: f.end, Step: f.step.String()}}, f.err
}

func (f *rooms) CancelBacktest(_ context.Context, id string) (backtest.Job, error) {
	return backtest.Job{ID: id, State: backtest.Cancelled, Started: now}, f.err
}

func (f *rooms) Report(_ context.Context, req paper.Request) (paper.Report, error) {
	f.report = req
	if f.report.Period == "2027-01" {
		return paper.Report{}, callers{errors.New("period: nothing has happened in it yet")}
	}
	return paper.Report{Title: "Service levels", Audience: req.Audience}, f.err
}

func (f *rooms) ReportFile(r paper.Report, format string) (paper.File, error) {
	return paper.File{Name: "report." + format, ContentType: "text/" + format, Content: []byte(r.Title + " for " + r.Audience)}, f.err
}

// callers is a mistake of the caller's.
type callers struct{ error }

func (callers) BadRequest() {}

func (f *rooms) Compare(_ context.Context, req canary.Request) (canary.Result, error) {
	return canary.Result{Request: req, Verdict: model.VerdictInsufficient}, f.err
}

func (f *rooms) Decisions(_ context.Context, q store.DecisionQuery) ([]model.GateDecision, string, error) {
	f.decisionQuery = q
	return []model.GateDecision{{ID: "g2"}}, "g2", f.err
}

func (f *rooms) Decision(_ context.Context, id string) (model.GateDecision, error) {
	if id != "g1" {
		return model.GateDecision{}, fmt.Errorf("gate decision %s: %w", id, store.ErrNotFound)
	}
	return model.GateDecision{ID: id}, f.err
}

func (f *rooms) Pages(_ context.Context, q store.PageQuery) ([]model.Page, error) {
	f.pageQuery = q
	return nil, f.err
}

func (f *rooms) SummarizePages(pages []model.Page, _ time.Time) string {
	return fmt.Sprintf("%d pages.", len(pages))
}

func (f *rooms) AckPage(_ context.Context, id, by string, at time.Time) (model.Page, error) {
	if id != "p1" {
		return model.Page{}, fmt.Errorf("page %s: %w", id, store.ErrNotFound)
	}
	return model.Page{ID: id, AckedBy: by, AckedAt: &at}, f.err
}

func (f *rooms) Causes(context.Context, string) ([]cause.Group, string, error) {
	return []cause.Group{}, "", nil
}

func (f *rooms) Suppose(_ context.Context, labels model.Labels) (diagnose.Explanation, error) {
	return diagnose.Explanation{Alert: labels["alertname"]}, f.err
}

func (f *rooms) Explain(_ context.Context, alert string) (diagnose.Explanation, error) {
	if alert == "nobody" {
		return diagnose.Explanation{}, fmt.Errorf("alert %s: %w", alert, store.ErrNotFound)
	}
	return diagnose.Explanation{Alert: alert}, f.err
}

func (f *rooms) AuditEntries(_ context.Context, q store.AuditQuery) ([]model.AuditEntry, error) {
	f.auditQuery = q
	return f.audited, f.err
}

func (f *rooms) ExportAudit(_ context.Context, q store.AuditQuery, yield func([]byte, model.AuditEntry) error) error {
	f.auditQuery = q
	for _, e := range f.audited {
		if err := yield([]byte(`{"entry":"`+e.Action+`"}`), e); err != nil {
			return err
		}
	}
	return f.err
}

func (f *rooms) VerifyAudit(context.Context) (model.AuditVerification, error) {
	return model.AuditVerification{Entries: 6, FirstBad: 7, Fault: "audit entry 7 is missing"}, f.err
}

func (f *rooms) Targets() []store.AuditTarget {
	return []store.AuditTarget{{Name: "siem", Kind: "syslog", Address: "tls://siem:6514", Shipped: 6, Waiting: 1, LagSeconds: 0.5}}
}

func (f *rooms) Audit(_ context.Context, e model.AuditEntry) (model.AuditEntry, error) {
	f.audited = append(f.audited, e)
	return e, nil
}

func (f *rooms) Snapshot() conservation.Snapshot {
	return conservation.Snapshot{Signals: []conservation.Signal{{Signal: "logs", Received: 3, Stored: 2, Refused: []conservation.Refused{{Reason: "too_old", Count: 1}}, Balanced: true}, {Signal: "spans"}}}
}

func (f *rooms) deps() Deps {
	return Deps{
		Now: func() time.Time { return now }, Status: f, Audit: f, Ledger: f,
		Objectives: objectives.Deps{SLOs: f, Corrections: f, Backtests: f, Reports: f},
		Events:     events.Deps{Filter: f, Logs: f, Spans: f, Tail: f, Traces: f, SQL: f},
		Releases:   releases.Deps{Deploys: f, Gate: f, GatePolicies: f, Canary: f, Decisions: f},
		Health:     health.Deps{Services: f, Topology: f, Pages: f, PageSummary: f, Explain: f, Causes: f},
	}
}

func newAPI(t *testing.T, f *rooms, change ...func(*Config)) *API {
	t.Helper()
	cfg := DefaultConfig()
	for _, c := range change {
		c(&cfg)
	}
	a, err := New(cfg, f.deps())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// do sends a request; header is key, value, key, value, …
func do(a *API, method, target, body string, header ...string) *httptest.ResponseRecorder {
	var rd io.Reader
	if body != "" {
		rd = strings.NewReader(body)
	}
	r := httptest.NewRequest(method, target, rd)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	a.Handler().ServeHTTP(rec, r)
	return rec
}

func get(a *API, target string, header ...string) *httptest.ResponseRecorder {
	return do(a, http.MethodGet, target, "", header...)
}

var errBroken = errors.New("the disk of rack 7 broke")
