package match

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/head"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

// rowsOf is a Visitor that keeps the numbers of the rows it is shown.
type rowsOf struct{ rows []int }

func (v *rowsOf) Block(_ *Table, b *Block) error {
	if b.Count() == 0 {
		panic("a block without a row is shown")
	}
	b.Each(func(i int) { v.rows = append(v.rows, b.RowAt(i)) })
	return nil
}

func (v *rowsOf) Row(_ *Unit, i int) { v.rows = append(v.rows, i) }

func shown(t *rapid.T, q *Query, u *Unit) []int {
	v := &rowsOf{}
	if err := q.Scan(t.Context(), u, v); err != nil {
		t.Fatal(err)
	}
	return v.rows
}

// drawRange is all of time, or some seconds.
func drawRange(t *rapid.T) store.Range {
	if rapid.Bool().Draw(t, "any time") {
		return store.Range{}
	}
	start := t0 + rapid.Int64Range(-1, 6).Draw(t, "start")*1e9
	return store.Range{Start: start, End: start + rapid.Int64Range(1, 4).Draw(t, "seconds")*1e9}
}

// numbers are the rows, in order, that pass row by row.
func numbers(n int, pass func(i int) bool) (out []int) {
	for i := range n {
		if pass(i) {
			out = append(out, i)
		}
	}
	return out
}

func TestPartsAndHeadsOfLogsSelectWhatTheDefinitionDoes(t *testing.T) {
	w := newWriter(t)
	rapid.Check(t, func(t *rapid.T) {
		p, h := w.logs(t, fill(t, drawLog))
		defer discard(p)
		inPart := head.NewLogs(1)
		if err := part.ReadLogs(nil, p.Path(), inPart); err != nil {
			t.Fatal(err)
		}
		stored := inPart.Snapshot()
		for range 4 {
			expr, rng, tenant := drawExpr(t, 2), drawRange(t), oneOf(t, "of tenant", "", "default", "nobody")
			m := store.NewMatcher(expr)
			pass := func(r model.LogRecord) bool {
				return m.Log(&r) && (rng == store.Range{} || rng.Contains(r.Time)) && (tenant == "" || r.Resource.Tenant == tenant)
			}
			q := New(part.Logs, tenant, rng, expr)
			if got, want := shown(t, q, &Unit{Logs: h, Min: h.MinTime, Max: h.MaxTime}), numbers(h.Rows, func(i int) bool { return pass(h.Record(i)) }); !slices.Equal(got, want) {
				t.Fatalf("%#v in a head: rows %v, want %v", expr, got, want)
			}
			got, want := shown(t, q, &Unit{Part: p, Min: p.MinTime, Max: p.MaxTime}), numbers(stored.Rows, func(i int) bool { return pass(stored.Record(i)) })
			if !slices.Equal(got, want) {
				t.Fatalf("%#v in a part: %d rows %v, want %d %v", expr, len(got), got, len(want), want)
			}
		}
	})
}

func TestPartsAndHeadsOfSpansSelectWhatTheDefinitionDoes(t *testing.T) {
	w := newWriter(t)
	rapid.Check(t, func(t *rapid.T) {
		p, h := w.spans(t, fill(t, drawSpan))
		defer discard(p)
		inPart := head.NewSpans(1)
		if err := part.ReadSpans(nil, p.Path(), inPart); err != nil {
			t.Fatal(err)
		}
		stored := inPart.Snapshot()
		for range 4 {
			expr, rng, tenant := drawExpr(t, 2), drawRange(t), oneOf(t, "of tenant", "", "default", "nobody")
			m := store.NewMatcher(expr)
			pass := func(s model.Span) bool {
				return m.Span(&s) && (rng == store.Range{} || rng.Contains(s.Start)) && (tenant == "" || s.Resource.Tenant == tenant)
			}
			q := New(part.Spans, tenant, rng, expr)
			if got, want := shown(t, q, &Unit{Spans: h, Min: h.MinTime, Max: h.MaxTime}), numbers(h.Rows, func(i int) bool { return pass(h.Span(i)) }); !slices.Equal(got, want) {
				t.Fatalf("%#v in a head: rows %v, want %v", expr, got, want)
			}
			got, want := shown(t, q, &Unit{Part: p, Min: p.MinTime, Max: p.MaxTime}), numbers(stored.Rows, func(i int) bool { return pass(stored.Span(i)) })
			if !slices.Equal(got, want) {
				t.Fatalf("%#v in a part: %d rows %v, want %d %v", expr, len(got), got, len(want), want)
			}
		}
	})
}

// What a field is in a row of a part or a head is what it is in the record.
func TestFieldsAreReadAsTheDefinitionWritesThem(t *testing.T) {
	w := newWriter(t)
	rapid.Check(t, func(t *rapid.T) {
		p, h := w.spans(t, fill(t, drawSpan))
		defer discard(p)
		back := head.NewSpans(1)
		if err := part.ReadSpans(nil, p.Path(), back); err != nil {
			t.Fatal(err)
		}
		stored := back.Snapshot()
		field := oneOf(t, "read", append([]string{""}, fieldNames...)...)
		want := func(s model.Span) string {
			if field == "" {
				return ""
			}
			return store.SpanField(&s, field)
		}
		table := NewTable(p)
		defer table.Close()
		slots := NewSlots(100)
		r, err := NewFieldReader(table, field, slots)
		if err != nil {
			t.Fatal(err)
		}
		for from := 0; from < p.Rows; from += part.BlockRows {
			b := WholeBlock(from, min(part.BlockRows, p.Rows-from))
			err := r.Each(&b, func(i int, slot int32) {
				if got := r.Value(slot); got != want(stored.Span(b.RowAt(i))) {
					t.Fatalf("%q of row %d of a part is %q, want %q", field, b.RowAt(i), got, want(stored.Span(b.RowAt(i))))
				}
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		var attrs *HeadAttrs
		for i := range h.Rows {
			if got := HeadText(&Unit{Spans: h}, &attrs, i, field); got != want(h.Span(i)) {
				t.Fatalf("%q of row %d of a head is %q, want %q", field, i, got, want(h.Span(i)))
			}
		}
	})
}

// A collector that has enough is shown nothing older, and is shown all that it still wants.
func TestWhatACollectorNoLongerWantsIsNotShown(t *testing.T) {
	w := newWriter(t)
	rapid.Check(t, func(t *rapid.T) {
		p, _ := w.logs(t, fill(t, drawLog))
		defer discard(p)
		bound := t0 + rapid.Int64Range(-1, 6).Draw(t, "bound")*1e9
		q := New(part.Logs, "", store.Range{}, drawExpr(t, 1))
		all := shown(t, q, &Unit{Part: p})
		wanted := shown(t, q.Wanting(func(at int64) bool { return at > bound }), &Unit{Part: p})
		table := NewTable(p)
		defer table.Close()
		want := []int{}
		for _, row := range all {
			c, err := table.Load(part.ColTimestamp, row)
			if err != nil {
				t.Fatal(err)
			}
			if c.IntAt(c.At(row)) > bound {
				want = append(want, row)
			}
		}
		if !slices.Equal(wanted, want) && len(wanted)+len(want) > 0 {
			t.Fatalf("rows %v, want %v", wanted, want)
		}
	})
}

func TestTheSpansOfSomeTracesAreFoundWhateverElseIsAsked(t *testing.T) {
	w := newWriter(t)
	rapid.Check(t, func(t *rapid.T) {
		p, _ := w.spans(t, fill(t, drawSpan))
		defer discard(p)
		back := head.NewSpans(1)
		if err := part.ReadSpans(nil, p.Path(), back); err != nil {
			t.Fatal(err)
		}
		stored := back.Snapshot()
		ids := map[model.TraceID]bool{}
		for range rapid.IntRange(0, 3).Draw(t, "ids") {
			ids[model.TraceID{15: byte(rapid.IntRange(1, 5).Draw(t, "id"))}] = true
		}
		q := New(part.Spans, "", drawRange(t), drawExpr(t, 1)).OfTraces(ids)
		got, want := shown(t, q, &Unit{Part: p}), numbers(stored.Rows, func(i int) bool { return ids[stored.TraceID[i]] })
		if !slices.Equal(got, want) {
			t.Fatalf("rows %v, want %v", got, want)
		}
	})
}
