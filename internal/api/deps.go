package api

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/backtest"
	"github.com/signalbox-project/signalbox/internal/cause"
	"github.com/signalbox-project/signalbox/internal/diagnose"
	"github.com/signalbox-project/signalbox/internal/gate"
	"github.com/signalbox-project/signalbox/internal/gate/canary"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/probe"
	"github.com/signalbox-project/signalbox/internal/process/conservation"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Deps are the rooms behind the API. Each interface may be nil (see New); all
// implementations must be safe for concurrent use.
//
// Implementations return store.ErrNotFound, store.ErrReadOnly and
// store.ErrOverloaded (wrapped or not) for what they mean; an error with the
// method BadRequest() is the caller's fault and shown; every other error
// is logged and answered 500 without its text.
type Deps struct {
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Now        func() time.Time // nil means time.Now

	Status       StatusReporter
	SLOs         SLOs
	Filter       FilterParser
	Logs         store.LogReader
	Spans        store.SpanReader
	Tail         LogTailer
	Traces       TraceExplainer // nil leaves a trace's summary empty
	Services     Services
	Topology     Topology
	SQL          SQL
	Deploys      Deploys
	Gate         Gate
	Decisions    Decisions
	GatePolicies GatePolicies
	Canary       Canary
	Pages        Pages
	PageSummary  PageExplainer // nil leaves the summary empty
	Explain      Explainer
	Causes       Causes
	Audit        AuditLog
	Corrections  Corrector
	Ledger       Ledger
	Backtests    Backtests
	Reports      Reports
	Remedies     Remedies
	Probes       Probes
	// Hooks serves /sb/v1/hooks/, whose callers are other systems; nil answers 404.
	Hooks http.Handler
}

// StatusReporter says what this process is and what is wrong with it.
type StatusReporter interface {
	Status(ctx context.Context) Status
}

// SLOs reports how the promises stand.
type SLOs interface {
	// SLOs lists the promises of a service ("" means all), worst first, with one
	// sentence about them.
	SLOs(ctx context.Context, service string) (slos []model.SLOStatus, summary string, err error)
	SLO(ctx context.Context, name string) (model.SLOStatus, error)
	SLOHistory(ctx context.Context, name string, start, end time.Time, step time.Duration) (model.SLOHistory, error)
}

// FilterParser parses the filter language, as store/filter does; the empty
// text is nil, all.
type FilterParser interface {
	ParseFilter(text string) (store.Expr, error)
}

// LogTailer follows log records as they are acknowledged.
type LogTailer interface {
	// Tail calls event for every record of tenant that matches expr until ctx is
	// done or event returns an error, which Tail returns. When the caller is too slow, records
	// are dropped and the next event says how many (record nil).
	Tail(ctx context.Context, tenant string, expr store.Expr, event func(record *model.LogRecord, dropped uint64) error) error
}

// TraceExplainer says in one sentence where a trace's time went.
type TraceExplainer interface {
	ExplainTrace(spans []model.Span) string
}

// Services summarises what services do.
type Services interface {
	Services(ctx context.Context, tenant string, start, end time.Time) ([]diagnose.ServiceSummary, error)
	Service(ctx context.Context, tenant, name string, start, end time.Time) (diagnose.ServiceDetail, error)
}

// Topology lists who calls whom.
type Topology interface {
	Edges(ctx context.Context, tenant string, r store.Range) ([]model.Edge, error)
}

// SQL answers read-only queries. Errors in the query have the methods
// Position and Hint (see positioned in errors.go).
type SQL interface {
	Query(ctx context.Context, tenant, query string, limit int) (model.SQLResult, error)
	Schema(ctx context.Context) ([]model.SQLTable, error)
}

// Deploys keeps deployment markers; store/state does.
type Deploys interface {
	Deploys(ctx context.Context, q store.DeployQuery) ([]model.Deploy, error) // newest first
	AddDeploy(ctx context.Context, d model.Deploy) (model.Deploy, error)
}

// Gate decides whether a version may be deployed and stores the decision.
type Gate interface {
	Decide(ctx context.Context, req model.GateRequest) (model.GateDecision, error)
	// Override lets what a decision stopped pass for a while.
	Override(ctx context.Context, id, actor, reason string) (model.GateDecision, error)
	// Replay decides a stored decision again from what was stored with it.
	Replay(ctx context.Context, id string) (gate.Replay, error)
	// Key is what decisions are verified with.
	Key() (gate.PublicKey, error)
}

// GatePolicies shows the budget policies; gate.Bands does.
type GatePolicies interface {
	View(ctx context.Context) (gate.PolicyView, error)
}

// Canary compares two versions of a service; gate/canary does.
type Canary interface {
	Compare(ctx context.Context, req canary.Request) (canary.Result, error)
}

// Decisions remembers what the gate decided; store/state does.
type Decisions interface {
	// Decisions is newest first; next is "" at the end.
	Decisions(ctx context.Context, q store.DecisionQuery) (list []model.GateDecision, next string, err error)
	Decision(ctx context.Context, id string) (model.GateDecision, error)
}

// Pages remembers who was paged and takes acknowledgements; store/state does.
type Pages interface {
	Pages(ctx context.Context, q store.PageQuery) ([]model.Page, error) // newest first
	AckPage(ctx context.Context, id, by string, at time.Time) (model.Page, error)
}

// PageExplainer says in one sentence who was paged when.
type PageExplainer interface {
	SummarizePages(pages []model.Page, now time.Time) string
}

// Explainer answers "why was I paged?".
type Explainer interface {
	Explain(ctx context.Context, alert string) (diagnose.Explanation, error)
}

// Causes names what caused what fails now; diagnose.Diagnoser does.
type Causes interface {
	// Causes has those of most SLOs first, with one sentence; "" while nothing fails.
	Causes(ctx context.Context, tenant string) (list []cause.Group, summary string, err error)
}

// AuditLog remembers who did what; store/state does. The API itself records
// deploy.mark and page.ack.
type AuditLog interface {
	AuditEntries(ctx context.Context, q store.AuditQuery) ([]model.AuditEntry, error) // newest first
	Audit(ctx context.Context, e model.AuditEntry) (model.AuditEntry, error)
	// VerifyAudit says whether the log is as it was written.
	VerifyAudit(ctx context.Context) (model.AuditVerification, error)
}

// Remedies remembers what was done about breaches; store/state does.
type Remedies interface {
	Remedies(ctx context.Context, q store.RemedyQuery) ([]model.Remedy, error) // newest first
}

// Probes shows the synthetic probes, sorted by name; probe.Prober does.
type Probes interface {
	Probes(ctx context.Context) []probe.Probe
}

// Ledger balances what was received against what was kept.
type Ledger interface {
	Snapshot() conservation.Snapshot
}

// Backtests replay promises, rules and policies over stored history.
type Backtests interface {
	// StartBacktest checks the request and begins; store.ErrOverloaded while another one runs.
	StartBacktest(ctx context.Context, req backtest.Request) (backtest.Job, error)
	// BacktestDocuments are the files in force, as they stand on disk.
	BacktestDocuments(ctx context.Context) (backtest.Set, error)
	Backtest(ctx context.Context, id string) (backtest.Job, error)
	CancelBacktest(ctx context.Context, id string) (backtest.Job, error)
}
