package scan

import (
	"cmp"
	"context"
	"math"
	"slices"
	"sync"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/match"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

// brief is what a summary needs of one span.
type brief struct {
	service, name string
	start, end    int64
	root, failed  bool
}

// summarize reads all spans of the traces, of which many are sought at once.
func (t *traceSearch) summarize(ctx context.Context, list []*found) error {
	ids := make(map[model.TraceID]bool, len(list))
	for _, f := range list {
		ids[f.id] = true
	}
	var mu sync.Mutex
	all := map[model.TraceID][]brief{}
	err := run(ctx, t.view, t.units, func(ctx context.Context, _ int, u *match.Unit) error {
		here := ids
		if u.Part != nil {
			if here = tracesIn(u.Part, ids); len(here) == 0 {
				return nil
			}
		}
		q := t.q.OfTraces(here)
		v := &briefVisitor{ids: here, spans: map[model.TraceID][]brief{}, texts: map[string]string{}}
		if err := q.Scan(ctx, u, v); err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		for id, spans := range v.spans {
			all[id] = append(all[id], spans...)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, f := range list {
		if spans := all[f.id]; len(spans) > 0 {
			f.summary = summaryOf(f.id, spans)
		}
	}
	return nil
}

// tracesIn are those of ids that p may hold.
func tracesIn(p *part.Part, ids map[model.TraceID]bool) map[model.TraceID]bool {
	out := map[model.TraceID]bool{}
	for id := range ids {
		if p.MayHaveTrace(id) {
			out[id] = true
		}
	}
	return out
}

// briefVisitor reads the briefs of one unit's selected spans.
type briefVisitor struct {
	ids   map[model.TraceID]bool
	spans map[model.TraceID][]brief
	texts map[string]string // own copies
}

func (v *briefVisitor) Block(t *match.Table, b *match.Block) error {
	var cols [7]*match.Column
	for i, name := range [...]string{
		part.ColTraceID, part.ColTimestamp, part.ColDuration, part.ColParentSpanID, part.ColStatus, part.ColService, part.ColName,
	} {
		var err error
		if cols[i], err = t.Load(name, b.RowAt(0)); err != nil {
			return err
		}
	}
	b.Each(func(i int) {
		at := func(k int) (*match.Column, int) { return cols[k], cols[k].At(b.RowAt(i)) }
		c, k := at(0)
		id := model.TraceID(c.FixedAt(k))
		var s brief
		c, k = at(1)
		s.start = c.IntAt(k)
		c, k = at(2)
		s.end = s.start + c.IntAt(k)
		c, k = at(3)
		s.root = model.SpanID(c.FixedAt(k)).IsZero()
		c, k = at(4)
		s.failed = c.TextAt(k) == model.StatusError.String()
		c, k = at(5)
		s.service = v.text(c.TextAt(k))
		c, k = at(6)
		s.name = v.text(c.TextAt(k))
		v.spans[id] = append(v.spans[id], s)
	})
	return nil
}

func (v *briefVisitor) text(s string) string {
	own, ok := v.texts[s]
	if !ok {
		own = string([]byte(s))
		v.texts[own] = own
	}
	return own
}

func (v *briefVisitor) Row(u *match.Unit, i int) {
	h := u.Spans
	if !v.ids[h.TraceID[i]] {
		return
	}
	v.spans[h.TraceID[i]] = append(v.spans[h.TraceID[i]], brief{
		service: h.Resources.At(i).Service, name: h.Names.At(i), start: h.Start[i], end: h.Start[i] + h.Duration[i],
		root: h.ParentID[i].IsZero(), failed: h.Status[i] == model.StatusError,
	})
}

// summaryOf makes a summary of at least one span.
func summaryOf(id model.TraceID, spans []brief) *store.TraceSummary {
	slices.SortFunc(spans, func(a, b brief) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(b.end, a.end), cmp.Compare(a.service, b.service), cmp.Compare(a.name, b.name))
	})
	out := &store.TraceSummary{TraceID: id, Start: spans[0].start, Spans: len(spans)}
	root, end := 0, int64(math.MinInt64)
	at := map[string]int{}
	for i, s := range spans {
		end = max(end, s.end)
		if s.root && !spans[root].root {
			root = i
		}
		k, ok := at[s.service]
		if !ok {
			k = len(out.Services)
			at[s.service] = k
			out.Services = append(out.Services, store.ServiceCount{Service: s.service})
		}
		out.Services[k].Spans++
		if s.failed {
			out.Errors++
			out.Services[k].Errors++
		}
	}
	out.RootService, out.RootName, out.Duration = spans[root].service, spans[root].name, end-out.Start
	slices.SortFunc(out.Services, func(a, b store.ServiceCount) int {
		return cmp.Or(cmp.Compare(b.Spans, a.Spans), cmp.Compare(a.Service, b.Service))
	})
	return out
}

// results adds the matching spans to the summaries.
func (t *traceSearch) results(ctx context.Context, list []*found) ([]store.TraceSummary, error) {
	out := []store.TraceSummary{}
	var refs []ref
	for _, f := range list {
		if f.summary != nil {
			refs = append(refs, f.matched...)
		}
	}
	spans, err := fetch(ctx, t.view, t.units, refs, headSpan, fetchSpans)
	if err != nil {
		return nil, err
	}
	matched := map[model.TraceID][]model.Span{}
	for i := range spans {
		matched[spans[i].TraceID] = append(matched[spans[i].TraceID], spans[i])
	}
	for _, f := range list {
		if f.summary != nil {
			f.summary.Matched = matched[f.id]
			out = append(out, *f.summary)
		}
	}
	return out, nil
}
