// Package events serves logs, their tail, traces and SQL over both.
//
// It parses and bounds what is asked and holds no rule. In: requests. Out: JSON, and server-sent
// events for the tail. Start reading at Deps, then logs.go.
package events

import (
	"context"

	"github.com/signalbox-project/signalbox/internal/api/operation"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/query/sql/answer"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Deps are the rooms behind it; what is nil answers 404.
type Deps struct {
	Filter FilterParser
	Logs   store.LogReader
	Spans  store.SpanReader
	Tail   LogTailer
	Traces TraceExplainer // nil leaves a trace's summary empty
	SQL    SQL
}

type handlers struct {
	*operation.Registry
	deps Deps
}

// Register adds the operations.
func Register(r *operation.Registry, deps Deps) {
	h := &handlers{Registry: r, deps: deps}
	h.registerLogs()
	h.registerTraces()
	h.registerSQL()
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

// SQL answers read-only queries. Errors in the query have the methods
// operation.Position and Hint (see positioned in errors.go).
type SQL interface {
	Query(ctx context.Context, tenant, query string, limit int) (answer.SQLResult, error)
	Schema(ctx context.Context) ([]answer.SQLTable, error)
}
