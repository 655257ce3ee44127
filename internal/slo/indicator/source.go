package indicator

import (
	"context"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/slo/ledger"
)

// Querier evaluates PromQL, the anchored modifier included
// (promexpr.Evaluator does). NaN values are left out.
type Querier interface {
	Instant(ctx context.Context, expr string, t time.Time) ([]model.Sample, error)
	Range(ctx context.Context, expr string, start, end time.Time, step time.Duration) ([]model.Series, error)
}

// Source reads what an indicator measured.
type Source interface {
	// Cells reads (from, to] in slots of width, all on multiples of it; a slot
	// without data is the zero Cell.
	Cells(ctx context.Context, q Querier, from, to time.Time, width time.Duration) ([]ledger.Cell, error)
	// Live reads (from, to], which began on a full minute and is not over.
	Live(ctx context.Context, q Querier, from, to time.Time) (ledger.Cell, error)
	// Newest is the time of the newest data; false when there is none.
	Newest(ctx context.Context, q Querier, now time.Time) (time.Time, bool, error)
	// Reread is how far back a slot may still change when time goes on.
	Reread() time.Duration
	// Identity tells sources with the same queries apart.
	Identity() string
}

// usualReread covers samples that are later than the configured lateness.
const usualReread = 10 * time.Minute

// Rereads is how far back, beside the configured lateness, evaluation reads again whatever comes: a little less than usualReread, for
// what is under way.
const Rereads = usualReread - time.Minute

// newest is the value of an expression for the time of the newest sample.
func newest(ctx context.Context, q Querier, expr string, now time.Time) (time.Time, bool, error) {
	v, ok, err := value(ctx, q, expr, now)
	return unixSeconds(v), ok, err
}

func unixSeconds(v float64) time.Time { return time.UnixMilli(int64(v * 1000)).UTC() }

// Points is a query's one series by Unix milliseconds.
func Points(ctx context.Context, q Querier, expr string, start, end time.Time, step time.Duration) (map[int64]float64, error) {
	series, err := q.Range(ctx, expr, start, end, step)
	if err != nil {
		return nil, err
	}
	out := map[int64]float64{}
	for _, s := range series {
		for _, p := range s.Points {
			out[p.Time.UnixMilli()] += p.Value
		}
	}
	return out, nil
}

// value is a query's one value.
func value(ctx context.Context, q Querier, expr string, t time.Time) (v float64, ok bool, err error) {
	samples, err := q.Instant(ctx, expr, t)
	if err != nil || len(samples) == 0 {
		return 0, false, err
	}
	for _, s := range samples {
		v += s.Value
	}
	return v, true, nil
}
