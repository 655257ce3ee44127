package indicator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/signalbox-project/signalbox/internal/platform/times"
	"github.com/signalbox-project/signalbox/internal/slo/ledger"
	"github.com/signalbox-project/signalbox/internal/slo/promexpr"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Signal is what an EventQuery counts.
type Signal string

// The signals that are kept one by one.
const (
	Spans   Signal = "spans"
	Logs    Signal = "logs"
	Deploys Signal = "deploys"
)

// EventQuery selects spans, log records or deployments.
type EventQuery struct {
	Signal Signal
	Text   string     // in the filter language
	Expr   store.Expr // Text parsed
}

// Events counts what is kept one by one; package tally does.
type Events interface {
	// CountEvents counts by minute what began (a deployment: ended) in [from, to), both
	// full minutes. A minute that is not over counts as far as it is known.
	CountEvents(ctx context.Context, q *EventQuery, from, to time.Time) ([]uint64, error)
	// EventValues are the values of a field of what began in [from, to), as many as may matter.
	EventValues(ctx context.Context, q *EventQuery, field string, from, to time.Time) ([]string, error)
}

// WithEvents is a Querier for indicators over PromQL and over events.
func WithEvents(q Querier, e Events) Querier { return both{q, e} }

type both struct {
	Querier
	Events
}

var errNoEvents = errors.New("there is no store of spans, logs and deployments to count in")

func eventsOf(q Querier) (Events, bool) {
	if b, ok := q.(*Batch); ok {
		q = b.Querier
	}
	events, ok := q.(Events)
	return events, ok
}

func countEvents(ctx context.Context, q Querier, e *EventQuery, from, to time.Time) ([]uint64, error) {
	events, ok := eventsOf(q)
	if !ok {
		return nil, errNoEvents
	}
	return events.CountEvents(ctx, e, from, to)
}

// EventRatio counts events themselves: total with either good or bad. A minute
// is covered by data when an event of total came in it or in the Quiet before it.
type EventRatio struct {
	Good, Bad, Total *EventQuery
	Quiet            time.Duration // whole minutes
}

// Signal is what is counted.
func (s *EventRatio) Signal() Signal { return s.Total.Signal }

// Reread is Source's. A deployment moves from where it began to where it ended.
func (s *EventRatio) Reread() time.Duration {
	if s.Signal() == Deploys {
		return 6 * time.Hour
	}
	return usualReread
}

// Identity is Source's.
func (s *EventRatio) Identity() string {
	return fmt.Sprint("events ", s.Signal(), s.Good != nil, s.Quiet)
}

func (s *EventRatio) part() *EventQuery {
	if s.Good != nil {
		return s.Good
	}
	return s.Bad
}

// inTotal selects the good or bad events among those of total: what is outside of it is no event
// of this SLO, and must not make up for a bad one.
func (s *EventRatio) inTotal() *EventQuery {
	part := s.part()
	return &EventQuery{Signal: part.Signal, Text: "(" + s.Total.Text + ") AND (" + part.Text + ")", Expr: store.And{Exprs: []store.Expr{s.Total.Expr, part.Expr}}}
}

// minutes reads [from, to) minute by minute.
func (s *EventRatio) minutes(ctx context.Context, q Querier, from, to time.Time, quiet time.Duration) ([]ledger.Cell, error) {
	total, err := countEvents(ctx, q, s.Total, from.Add(-quiet), to)
	if err != nil {
		return nil, err
	}
	part, err := countEvents(ctx, q, s.inTotal(), from, to)
	if err != nil {
		return nil, err
	}
	out := make([]ledger.Cell, len(part))
	look := int(quiet / time.Minute)
	last := -1 - look
	for k, n := range total {
		if n > 0 {
			last = k
		}
		if k < look || k-last > look {
			continue
		}
		c := ledger.Cell{Total: float64(n), Minutes: 1}
		p := min(float64(part[k-look]), c.Total) // an event may come between the two questions
		c.Bad = p
		if s.Good != nil {
			c.Bad = c.Total - p
		}
		out[k-look] = c
	}
	return out, nil
}

func fold(minutes []ledger.Cell, width time.Duration) []ledger.Cell {
	per := int(width / time.Minute)
	out := make([]ledger.Cell, len(minutes)/per)
	for i := range out {
		for _, c := range minutes[i*per : (i+1)*per] {
			out[i] = out[i].Add(c)
		}
	}
	return out
}

// Cells is Source's.
func (s *EventRatio) Cells(ctx context.Context, q Querier, from, to time.Time, width time.Duration) ([]ledger.Cell, error) {
	minutes, err := s.minutes(ctx, q, from, to, s.Quiet)
	return fold(minutes, width), err
}

func (s *EventRatio) counted(ctx context.Context, q Querier, from, to time.Time, width time.Duration) ([]ledger.Cell, error) {
	minutes, err := s.minutes(ctx, q, from, to, 0)
	out := fold(minutes, width)
	for i := range out {
		if out[i].Minutes > 0 {
			out[i].Minutes = width.Minutes()
		}
	}
	return out, err
}

// Live is Source's. The minute that is under way counts with what is known of it.
func (s *EventRatio) Live(ctx context.Context, q Querier, from, to time.Time) (sum ledger.Cell, err error) {
	if !to.After(from) {
		return sum, nil
	}
	begin := from.Truncate(time.Minute)
	cells, err := s.minutes(ctx, q, begin, to.Add(time.Minute-1).Truncate(time.Minute), s.Quiet)
	for i, c := range cells {
		start := begin.Add(time.Duration(i) * time.Minute)
		c.Minutes *= times.Earlier(start.Add(time.Minute), to).Sub(start).Minutes()
		sum = sum.Add(c)
	}
	return sum, err
}

// recentEvents is how far back Newest looks; what is older is in the ledger.
const recentEvents = 15 * time.Minute

// Newest is Source's, to the minute. While it is quiet for no longer than it may be, data is
// as new as the usual gap between samples allows.
func (s *EventRatio) Newest(ctx context.Context, q Querier, now time.Time) (at time.Time, ok bool, err error) {
	to := now.Add(time.Minute - 1).Truncate(time.Minute)
	from := to.Add(-max(recentEvents, s.Quiet))
	counts, err := countEvents(ctx, q, s.Total, from, to)
	if err != nil {
		return at, false, err
	}
	for k := len(counts) - 1; k >= 0; k-- {
		if counts[k] > 0 {
			end := from.Add(time.Duration(k+1) * time.Minute)
			return times.Earlier(end.Add(max(0, s.Quiet-promexpr.Lookback)), now), true, nil
		}
	}
	return at, false, nil
}

// EventsOf finds the events that a source counts, nil when it reads metrics.
func EventsOf(src Source) *EventRatio {
	switch s := Inner(src).(type) {
	case *EventRatio:
		return s
	case *Slices:
		events, _ := s.Counts.(*EventRatio)
		return events
	}
	return nil
}
