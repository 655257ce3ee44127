package tally

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/signalbox-project/signalbox/internal/mask"
	"github.com/signalbox-project/signalbox/internal/slo/indicator"
	"github.com/signalbox-project/signalbox/internal/store"
)

// maxValues bounds the values of a field: more than the groups of an SLO that are judged or named.
const maxValues = 1000

// EventValues is indicator.Events'. Values become labels, which everybody sees who reads SLOs, alerts and pages: those in which something is
// masked for anybody are left out, which are all of a field that is masked as a whole.
func (t *Tally) EventValues(ctx context.Context, q *indicator.EventQuery, field string, from, to time.Time) ([]string, error) {
	if q.Signal == indicator.Deploys {
		return t.deployValues(ctx, q, field, from, to)
	}
	view, kind := t.view(), mask.Logs
	if q.Signal == indicator.Spans {
		kind = mask.Spans
	}
	if view.Refuse(kind, field) != nil {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, t.cfg.Timeout)
	defer cancel()
	span := store.RangeOf(from, to)
	var counts []store.ValueCount
	var err error
	if q.Signal == indicator.Spans {
		counts, err = t.deps.Spans.SpanValues(ctx, store.TraceQuery{Range: span, Expr: q.Expr}, field, maxValues)
	} else {
		counts, err = t.deps.Logs.LogValues(ctx, store.LogQuery{Range: span, Expr: q.Expr}, field, maxValues)
	}
	if t.note(q.Signal, err) != nil {
		return nil, fmt.Errorf("values of %s of %s %s: %w", field, q.Signal, q.Text, err)
	}
	var out []string
	for _, c := range counts {
		if c.Value != "" && view.Text(field, c.Value) == c.Value {
			out = append(out, c.Value)
		}
	}
	return out, nil
}

// view is what everybody may see.
func (t *Tally) view() *mask.View {
	if t.deps.Masks == nil {
		return nil
	}
	return t.deps.Masks().ForAll()
}

func (t *Tally) deployValues(ctx context.Context, q *indicator.EventQuery, field string, from, to time.Time) (out []string, err error) {
	list, err := t.deploysSince(ctx, from.Add(-longestRollout))
	if err != nil {
		return nil, fmt.Errorf("values of %s of deploys %s: %w", field, q.Text, err)
	}
	match, now := store.NewMatcher(q.Expr), t.deps.Now()
	for i := range list {
		at, record := list[i].Ended(), recordOf(&list[i], now)
		if at.Before(from) || !at.Before(to) || !match.Log(record) {
			continue
		}
		if v := store.LogField(record, field); v != "" && !slices.Contains(out, v) && len(out) < maxValues {
			out = append(out, v)
		}
	}
	return out, nil
}
