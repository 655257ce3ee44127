package slo

import (
	"context"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/slo/ledger"
)

// Period is what one promise measured in a span of time, for reports.
type Period struct {
	// Budget is that of the whole span: allowed, used and left are in events or
	// minutes, Minutes is (1 - objective) × span. Until the span is over or full of data
	// it is as that of a young promise: judged at the traffic so far.
	Budget model.Budget
	// Days are the span's days in its location, the first and the last maybe cut.
	Days []Day
	// Age is the time since the span's first data.
	Age time.Duration
}

// Day is one day of a Period.
type Day struct {
	Start, End time.Time
	ledger.Cell
}

// resolution is how finely Measure tells data from gaps.
const resolution = 5 * time.Minute

// Measure reads what a promise measured in (start, end], both full hours; days
// begin at midnight where start is. The arithmetic is the engine's.
func Measure(ctx context.Context, d *Definition, q Querier, start, end time.Time) (Period, error) {
	var p Period
	var sum ledger.Cell
	var first time.Time
	for from := start; from.Before(end); {
		year, month, day := from.Date()
		to := earlier(time.Date(year, month, day+1, 0, 0, 0, 0, from.Location()), end)
		cells, err := d.source.cells(ctx, q, from, to, resolution)
		if err != nil {
			return Period{}, err
		}
		one := Day{Start: from, End: to}
		for i, c := range cells {
			one.Cell = one.Add(c)
			if c.Minutes > 0 && first.IsZero() {
				first = from.Add(time.Duration(i) * resolution)
			}
		}
		sum = sum.Add(one.Cell)
		p.Days = append(p.Days, one)
		from = to
	}
	span := end.Sub(start)
	if !first.IsZero() {
		p.Age = end.Sub(first)
	}
	whole := *d
	whole.Window = span
	p.Budget = budgetOf(&whole, measured{budget: sum, age: p.Age})
	return p, nil
}
