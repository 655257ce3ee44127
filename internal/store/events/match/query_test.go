package match

import (
	"context"
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/head"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

func fourLogs(t *testing.T) []place {
	t.Helper()
	of := func(name, tenant string) named[model.LogRecord] {
		return named[model.LogRecord]{name, model.LogRecord{Message: "m", Resource: &model.Resource{Tenant: tenant}}}
	}
	return logPlaces(t, []named[model.LogRecord]{of("zero", "default"), of("one", "blue"), of("two", "default"), of("three", "blue")})
}

func TestARangeHoldsItsStartAndNotItsEnd(t *testing.T) {
	places := fourLogs(t)
	for _, c := range []struct {
		name string
		rng  store.Range
		want string
	}{
		{"all of time", store.Range{}, "one three two zero"},
		{"from one record to another", store.Range{Start: t0 + 1e9, End: t0 + 3e9}, "one two"},
		{"a nanosecond later", store.Range{Start: t0 + 1e9 + 1, End: t0 + 3e9 + 1}, "three two"},
		{"one instant", store.Range{Start: t0, End: t0 + 1}, "zero"},
		{"nothing between", store.Range{Start: t0 + 1, End: t0 + 1e9}, ""},
		{"empty", store.Range{Start: t0, End: t0}, ""},
		{"upside down", store.Range{Start: t0 + 3e9, End: t0}, ""},
		{"before", store.Range{Start: 1, End: t0}, ""},
		{"behind", store.Range{Start: t0 + 4e9, End: t0 + 9e9}, ""},
	} {
		for _, p := range places {
			q := New(part.Logs, "", c.rng, store.Text{Phrase: "m"})
			if got := p.find(t, q); got != c.want {
				t.Errorf("%s in a %s: %q, want %q", c.name, p.name, got, c.want)
			}
			if got := p.find(t, New(part.Logs, "", store.Range{}, store.Text{Phrase: "m"}).Within(c.rng)); got != c.want {
				t.Errorf("within %s in a %s: %q, want %q", c.name, p.name, got, c.want)
			}
		}
	}
}

func TestATenantSeesItsOwnRows(t *testing.T) {
	for _, p := range fourLogs(t) {
		for tenant, want := range map[string]string{"": "one three two zero", "default": "two zero", "blue": "one three", "Blue": "", "nobody": ""} {
			if got := p.find(t, New(part.Logs, tenant, store.Range{}, nil)); got != want {
				t.Errorf("%q in a %s: %q, want %q", tenant, p.name, got, want)
			}
			// A negation, an alternative and another range do not open the view of others.
			e := store.Or{Exprs: []store.Expr{store.Not{Expr: store.Text{Phrase: "absent"}}, store.Compare{Field: "tenant", Value: "blue"}}}
			if got := p.find(t, New(part.Logs, tenant, store.Range{}, e)); got != want {
				t.Errorf("%q with a filter in a %s: %q, want %q", tenant, p.name, got, want)
			}
			if got := p.find(t, New(part.Logs, tenant, store.Range{Start: 1, End: 2}, e).All()); got != want {
				t.Errorf("all rows of %q in a %s: %q, want %q", tenant, p.name, got, want)
			}
		}
	}
}

// Nothing holds for the empty alternative, everything for the empty conjunction.
func TestEmptyExpressions(t *testing.T) {
	const everyone = "one three two zero"
	for _, p := range fourLogs(t) {
		for _, c := range []struct {
			name string
			e    store.Expr
			want string
		}{
			{"nothing asked", nil, everyone},
			{"and of nothing", store.And{}, everyone},
			{"or of nothing", store.Or{}, ""},
			{"not and of nothing", store.Not{Expr: store.And{}}, ""},
			{"not or of nothing", store.Not{Expr: store.Or{}}, everyone},
			{"a word of nothing", store.Text{}, everyone},
			{"an or of an empty and", store.Or{Exprs: []store.Expr{store.And{}}}, everyone},
			{"an and with an empty or", store.And{Exprs: []store.Expr{store.Text{Phrase: "m"}, store.Or{}}}, ""},
			{"twice not", store.Not{Expr: store.Not{Expr: store.Text{Phrase: "m"}}}, everyone},
		} {
			if got := p.find(t, New(part.Logs, "", store.Range{}, c.e)); got != c.want {
				t.Errorf("%s in a %s: %q, want %q", c.name, p.name, got, c.want)
			}
		}
	}
}

func TestASearchEndsWithItsContext(t *testing.T) {
	logs, spans := logPlaces(t, messages([2]string{"a", "m"})), spanPlaces(t, []named[model.Span]{{"a", model.Span{Name: "m"}}})
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for signal, places := range map[part.Signal][]place{part.Logs: logs, part.Spans: spans} {
		for _, p := range places {
			v := &rowsOf{}
			if err := New(signal, "", store.Range{}, nil).Scan(gone, &p.unit, v); !errors.Is(err, context.Canceled) || len(v.rows) > 0 {
				t.Errorf("in a %s: %v, %d rows", p.name, err, len(v.rows))
			}
		}
	}
	// In the middle of a part, the next block is not read any more.
	large := logs[2]
	ctx, cancel := context.WithCancel(t.Context())
	v := &firstBlock{then: cancel}
	if err := New(part.Logs, "", store.Range{}, nil).Scan(ctx, &large.unit, v); !errors.Is(err, context.Canceled) || v.blocks != 1 {
		t.Errorf("after the first block: %v, %d blocks", err, v.blocks)
	}
}

// firstBlock does something at the first block it is shown.
type firstBlock struct {
	then   func()
	fails  error
	blocks int
}

func (v *firstBlock) Block(*Table, *Block) error {
	if v.blocks++; v.then != nil {
		v.then()
	}
	return v.fails
}

func (*firstBlock) Row(*Unit, int) {}

func TestACollectorsErrorEndsTheSearch(t *testing.T) {
	large := logPlaces(t, messages([2]string{"a", "m"}))[2]
	v := &firstBlock{fails: errors.New("the disk is full")}
	if err := New(part.Logs, "", store.Range{}, nil).Scan(t.Context(), &large.unit, v); !errors.Is(err, v.fails) || v.blocks != 1 {
		t.Errorf("%v after %d blocks", err, v.blocks)
	}
}

// What a field is in a log record is what it is in a row of a part or a head, also beyond a limit of values.
func TestFieldsOfLogsAreReadAsTheDefinitionWritesThem(t *testing.T) {
	w := newWriter(t)
	rapid.Check(t, func(t *rapid.T) {
		p, h := w.logs(t, fill(t, drawLog))
		defer discard(p)
		back := head.NewLogs(1)
		if err := part.ReadLogs(nil, p.Path(), back); err != nil {
			t.Fatal(err)
		}
		stored := back.Snapshot()
		field, limit := oneOf(t, "read", fieldNames...), oneOf(t, "limit", 1, 2, 100)
		table, slots := NewTable(p), NewSlots(limit)
		defer table.Close()
		r, err := NewFieldReader(table, field, slots)
		if err != nil {
			t.Fatal(err)
		}
		known := []string{} // the first values met, up to the limit
		for from := 0; from < p.Rows; from += part.BlockRows {
			b := WholeBlock(from, min(part.BlockRows, p.Rows-from))
			b.sel.keep(func(i int) bool { return i%3 != 1 })
			next := 0
			err := r.Each(&b, func(i int, slot int32) {
				if next%3 == 1 {
					next++
				}
				if i != next {
					t.Fatalf("row %d comes where %d is selected", i, next)
				}
				next++
				log := stored.Record(b.RowAt(i))
				want := store.LogField(&log, field)
				if !slices.Contains(known, want) && len(known) < limit {
					known = append(known, want)
				}
				switch {
				case slices.Contains(known, want) != (slot >= 0):
					t.Fatalf("%q of row %d is number %d, known are %q", field, b.RowAt(i), slot, known)
				case slot >= 0 && r.Value(slot) != want:
					t.Fatalf("%q of row %d is %q, want %q", field, b.RowAt(i), r.Value(slot), want)
				}
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		var attrs *HeadAttrs
		for i := range h.Rows {
			log := h.Record(i)
			if got := HeadText(&Unit{Logs: h}, &attrs, i, field); got != store.LogField(&log, field) {
				t.Fatalf("%q of row %d of a head is %q, want %q", field, i, got, store.LogField(&log, field))
			}
		}
	})
}
