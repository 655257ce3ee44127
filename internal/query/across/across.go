// Package across reads several tenants at once, for those who may read each: series, exemplars, log records, traces and SLOs.
//
// It decides nothing of who may: it is handed the parts that may be read, each with the context in which it is
// asked, so that what is hidden from the caller in one tenant stays hidden. In: questions as to one tenant. Out:
// answers that say of everything which tenant it is of: series by the label TenantLabel, records and traces by their
// field tenant.
//
// There are no locks but the one of a querier and the one of a tail. Start reading at Part, then Queryable.
package across

import (
	"context"
	"fmt"

	"github.com/prometheus/prometheus/storage"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Part is one tenant of a read.
type Part struct {
	Tenant string
	// Context is the one in which the tenant's rooms are asked: what the caller sees there is in it.
	Context   func(context.Context) context.Context
	Metrics   storage.Queryable
	Exemplars storage.ExemplarQueryable
	Logs      store.LogReader
	Spans     store.SpanReader
	Tail      func(ctx context.Context, tenant string, expr store.Expr, event TailEvent) error
	SLOs      func(context.Context) ([]model.SLOStatus, error)
}

// Parts are the tenants that the request of a context reads, ordered by name.
type Parts func(context.Context) []Part

// each asks every part and joins the answers, in the order of the parts. What one cannot answer, nobody is told a part of.
func each[T any](ctx context.Context, parts Parts, ask func(context.Context, Part) ([]T, error)) (out []T, err error) {
	for _, p := range parts(ctx) {
		some, err := ask(p.Context(ctx), p)
		if err != nil {
			return nil, fmt.Errorf("tenant %s: %w", p.Tenant, err)
		}
		out = append(out, some...)
	}
	return out, nil
}

// sumCounts adds the counts of equal values, most frequent first.
func sumCounts(counts []store.ValueCount, limit int) []store.ValueCount {
	sums := map[string]uint64{}
	for _, c := range counts {
		sums[c.Value] += c.Count
	}
	return store.TopValues(sums, limit)
}

// allValues is how many values each tenant is asked for, so that one that is rare in each is counted right in all.
const allValues = 10_000

// firstOfEach keeps each name once, in the order in which it comes first.
func firstOfEach(names []string, limit int) []string {
	seen := map[string]bool{}
	out := []string{}
	for _, n := range names {
		if !seen[n] && (limit <= 0 || len(out) < limit) {
			seen[n] = true
			out = append(out, n)
		}
	}
	return out
}

// sumHistograms adds what several counted over one range with one step.
func sumHistograms(all []store.Histogram) store.Histogram {
	var out store.Histogram
	values := map[string][]uint64{}
	end := int64(0)
	for _, h := range all {
		if len(h.Series) == 0 {
			continue
		}
		if out.Step = h.Step; out.Start == 0 || h.Start < out.Start {
			out.Start = h.Start
		}
		end = max(end, h.Start+h.Step*int64(len(h.Series[0].Counts)))
	}
	if out.Step == 0 {
		if len(all) > 0 {
			return all[0] // nobody counted anything
		}
		return out
	}
	n := int((end - out.Start) / out.Step)
	var order []string
	for _, h := range all {
		at := int((h.Start - out.Start) / out.Step)
		for _, s := range h.Series {
			if values[s.Value] == nil {
				values[s.Value] = make([]uint64, n)
				order = append(order, s.Value)
			}
			for i, c := range s.Counts {
				values[s.Value][at+i] += c
			}
		}
	}
	for _, v := range order {
		out.Series = append(out.Series, store.HistogramSeries{Value: v, Counts: values[v]})
	}
	return out
}
