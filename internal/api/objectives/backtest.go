package objectives

import (
	"context"
	"net/http"
	"time"

	prommodel "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/api/operation"
	"github.com/signalbox-project/signalbox/internal/backtest"
	"github.com/signalbox-project/signalbox/internal/front"
)

// BacktestBody asks for a backtest.
type BacktestBody struct {
	Set     backtest.Set  `json:"set,omitzero" doc:"what is replayed; empty is what is in force"`
	Compare *backtest.Set `json:"compare,omitempty" doc:"a second set, side by side; what it leaves out is as in the first"`
	Start   string        `json:"start,omitempty" maxLength:"64" doc:"RFC 3339, Unix time, now or now-28d; 28 days before end if absent" example:"now-28d"`
	End     string        `json:"end,omitempty" maxLength:"64" doc:"as start; now if absent"`
	Step    string        `json:"step,omitempty" maxLength:"32" doc:"whole minutes; 1m if absent" example:"1m"`
}

type backtestInput struct{ Body BacktestBody }

type backtestIDInput struct {
	ID string `path:"id" maxLength:"100"`
}

func (h *handlers) registerBacktests() {
	op := func(id, method, path, summary string, status int) operation.Operation {
		return operation.Operation{ID: id, Method: method, Path: path, Tag: "slos", Permission: access.SLOsRead, Summary: summary, Status: status, Served: h.deps.Backtests != nil, Room: "backtests"}
	}
	start := op("startBacktest", http.MethodPost, "/backtest", "Replay SLOs, rules and policies over stored history", http.StatusAccepted)
	start.Work = front.Heavy
	start.Description = "It sends nothing and writes nothing. The answer is a job: ask for it by its id until its state is no longer running. One job runs at a time."
	operation.Register(h.Registry, start, h.startBacktest)
	documents := op("getBacktestDocuments", http.MethodGet, "/backtest/documents", "The files in force, to be edited and replayed", 0)
	documents.Description = "As they stand on disk. Values below connectionDetails are left out."
	operation.Register(h.Registry, documents, h.backtestDocuments)
	operation.Register(h.Registry, op("getBacktest", http.MethodGet, "/backtest/{id}", "How far a backtest is, and its result", 0), h.getBacktest)
	operation.Register(h.Registry, op("cancelBacktest", http.MethodDelete, "/backtest/{id}", "End a backtest that runs", 0), h.cancelBacktest)
}

// backtests is what they are called in a refusal: they read everybody's history and documents.
const backtests = "backtests"

const backtestRange = 28 * 24 * time.Hour

func (h *handlers) startBacktest(ctx context.Context, in *backtestInput) (backtest.Job, error) {
	if err := forAll(ctx, backtests); err != nil {
		return backtest.Job{}, err
	}
	start, end, err := operation.ParseRangeOf(in.Body.Start, in.Body.End, h.Now(), backtestRange)
	if err != nil {
		return backtest.Job{}, err
	}
	step := time.Minute
	if in.Body.Step != "" {
		d, err := prommodel.ParseDuration(in.Body.Step)
		if err != nil {
			return backtest.Job{}, operation.BadRequest("step: %q is not a duration such as 1m, 5m or 1h", in.Body.Step)
		}
		step = time.Duration(d)
	}
	return h.deps.Backtests.StartBacktest(ctx, backtest.Request{Set: in.Body.Set, Compare: in.Body.Compare, Start: start, End: end, Step: step})
}

func (h *handlers) backtestDocuments(ctx context.Context, _ *struct{}) (backtest.Set, error) {
	if err := forAll(ctx, backtests); err != nil {
		return backtest.Set{}, err
	}
	return h.deps.Backtests.BacktestDocuments(ctx)
}

func (h *handlers) getBacktest(ctx context.Context, in *backtestIDInput) (backtest.Job, error) {
	if err := forAll(ctx, backtests); err != nil {
		return backtest.Job{}, err
	}
	return h.deps.Backtests.Backtest(ctx, in.ID)
}

func (h *handlers) cancelBacktest(ctx context.Context, in *backtestIDInput) (backtest.Job, error) {
	if err := forAll(ctx, backtests); err != nil {
		return backtest.Job{}, err
	}
	return h.deps.Backtests.CancelBacktest(ctx, in.ID)
}
