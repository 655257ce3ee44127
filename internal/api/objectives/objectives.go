// Package objectives serves SLOs: how they stand, what was corrected, what would have been
// (backtests) and what was kept (reports).
//
// It holds no rule: the rooms behind Deps answer. In: requests. Out: their answers as JSON, or a
// report as a file. Start reading at Deps, then slos.go.
package objectives

import (
	"context"
	"time"

	"github.com/signalbox-project/signalbox/internal/api/operation"
	"github.com/signalbox-project/signalbox/internal/backtest"
	"github.com/signalbox-project/signalbox/internal/model"
)

// Deps are the rooms behind it; what is nil answers 404.
type Deps struct {
	SLOs        SLOs
	Corrections Corrector
	Backtests   Backtests
	Reports     Reports
	RuleReviews RuleReviews
}

type handlers struct {
	*operation.Registry
	deps Deps
}

// Register adds the operations.
func Register(r *operation.Registry, deps Deps) {
	h := &handlers{Registry: r, deps: deps}
	h.registerSLOs()
	h.registerBacktests()
	h.registerReports()
	h.registerRuleReviews()
}

// SLOs reports how the SLOs stand.
type SLOs interface {
	// SLOs lists the SLOs of a service ("" means all), worst first, with one
	// sentence about them.
	SLOs(ctx context.Context, service string) (slos []model.SLOStatus, summary string, err error)
	SLO(ctx context.Context, name string) (model.SLOStatus, error)
	SLOHistory(ctx context.Context, name string, start, end time.Time, step time.Duration) (model.SLOHistory, error)
}

// Backtests replay SLOs, rules and policies over stored history.
type Backtests interface {
	// StartBacktest checks the request and begins; store.ErrOverloaded while another one runs.
	StartBacktest(ctx context.Context, req backtest.Request) (backtest.Job, error)
	// BacktestDocuments are the files in force, as they stand on disk.
	BacktestDocuments(ctx context.Context) (backtest.Set, error)
	Backtest(ctx context.Context, id string) (backtest.Job, error)
	CancelBacktest(ctx context.Context, id string) (backtest.Job, error)
}
