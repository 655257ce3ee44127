package slo

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
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
	// Felt is the same without corrections, nil where there are none.
	Felt *model.Budget
	// Corrections are those that reach into the span.
	Corrections []model.SLOCorrection
	// Days are the span's days in its location, the first and the last maybe
	// cut, without what was corrected.
	Days []Day
	// Age is the time since the span's first data.
	Age time.Duration
}

// Day is one day of a Period.
type Day struct {
	Start, End time.Time
	ledger.Cell
}

// Counts names what the definition counts, whatever its window and objective:
// figures kept under another name are of something else.
func (d *Definition) Counts() string {
	sum := sha256.Sum256([]byte(fmt.Sprint(d.Queries, d.Method, d.source.identity())))
	return hex.EncodeToString(sum[:16])
}

// Compose is what a composite counted, from what each of its Parts did, in their order.
func (d *Definition) Compose(parts []ledger.Cell) ledger.Cell {
	return compose(d.Parts, d.Objective, parts)
}

// resolution is how finely Measure tells data from gaps.
const resolution = 5 * time.Minute

// Measure reads what a promise measured in (start, end] as far as now, all full hours; days
// begin at midnight where start is. What corrections (those of the promise, by start) take out counts neither as
// good nor as bad. The arithmetic is the engine's.
func Measure(ctx context.Context, d *Definition, q Querier, start, end, now time.Time, corrections []model.SLOCorrection) (Period, error) {
	var p Period
	m := measured{start: start, length: end.Sub(start)}
	var first time.Time
	spans, within := excludedSpans(corrections, start, end)
	p.Corrections = within
	for from, until := start, earlier(end, now); from.Before(until); {
		year, month, day := from.Date()
		to := earlier(time.Date(year, month, day+1, 0, 0, 0, 0, from.Location()), until)
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
		m.felt = m.felt.Add(one.Cell)
		excluded, err := excludedCells(ctx, d, q, spans, from, to)
		if err != nil {
			return Period{}, err
		}
		one.Cell = without(one.Cell, excluded)
		m.budget = m.budget.Add(one.Cell)
		p.Days = append(p.Days, one)
		from = to
	}
	if !first.IsZero() {
		p.Age = earlier(end, now).Sub(first)
	}
	m.age = p.Age
	for _, x := range spans {
		m.outside += x.to.Sub(x.from)
		if a, b := later(x.from, first), earlier(x.to, now); b.After(a) && !first.IsZero() {
			m.excluded += b.Sub(a)
		}
	}
	p.Budget = budgetOf(d, m)
	if len(spans) > 0 {
		felt := feltBudget(d, m)
		p.Felt = &felt
	}
	return p, nil
}

// excludedSpans cuts corrections to (start, end] and joins those that touch.
func excludedSpans(corrections []model.SLOCorrection, start, end time.Time) (spans []exclusion, within []model.SLOCorrection) {
	for _, c := range corrections {
		from, to := later(c.Start, start), earlier(c.End, end)
		if !to.After(from) {
			continue
		}
		within = append(within, c)
		if n := len(spans); n > 0 && !from.After(spans[n-1].to) {
			spans[n-1].to = later(spans[n-1].to, to)
			continue
		}
		spans = append(spans, exclusion{from: from, to: to})
	}
	return spans, within
}

func excludedCells(ctx context.Context, d *Definition, q Querier, spans []exclusion, from, to time.Time) (sum ledger.Cell, err error) {
	for _, x := range spans {
		a, b := later(x.from, from), earlier(x.to, to)
		if !b.After(a) {
			continue
		}
		cells, err := d.source.cells(ctx, q, a, b, time.Minute)
		if err != nil {
			return sum, err
		}
		for _, c := range cells {
			sum = sum.Add(c)
		}
	}
	return sum, nil
}
