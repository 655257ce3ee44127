package match

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
	"github.com/signalbox-project/signalbox/internal/store/filter"
)

// The tables of these tests say by hand which rows a filter holds for. Each is asked of the same rows
// wherever they may lie: every place has a way of its own to find them.

// named is a row of a table.
type named[T any] struct {
	name string
	row  T
}

// place is a unit with a table's rows in it, and what its rows are called; those that only fill it have no name.
type place struct {
	name  string
	unit  Unit
	names []string
}

// fillers is how many rows beside the table's own a large part has: with them it has several blocks, and its
// columns have too many values for a dictionary.
const fillers = 3*part.BlockRows + 7

func fillLog(i int) model.LogRecord {
	return model.LogRecord{
		Time: t0 - int64(i+1)*1e6, Message: fmt.Sprintf("%c filler %x of a large part", 'a'+rune(i%26), i*7919), RequestID: fmt.Sprint("fill-", i),
		TraceID: model.TraceID{0: 0xff, 14: byte(i >> 8), 15: byte(i)}, SpanID: model.SpanID{0: 0xff, 6: byte(i >> 8), 7: byte(i)},
		Attrs: model.Attrs{
			{Key: "n", Value: model.IntValue(int64(-1000 - i))},
			{Key: "user", Value: model.StringValue(fmt.Sprint("filler-", i))},
			{Key: "share", Value: model.FloatValue(-1000.25 - float64(i))},
			{Key: "flag", Value: model.BoolValue(i%2 == 0)},
			{Key: "zone", Value: model.StringValue(fmt.Sprint("filler-", i%3))},
		},
		Resource: &model.Resource{Tenant: "default", Service: "filler"},
	}
}

func fillSpan(i int) model.Span {
	l := fillLog(i)
	return model.Span{
		Start: l.Time, Duration: int64(i), Name: l.Message, TraceID: l.TraceID, SpanID: l.SpanID, Attrs: l.Attrs, Resource: l.Resource, StatusMessage: fmt.Sprintf("filled %x", i*31),
		Events: []model.SpanEvent{{Time: l.Time, Name: "filler", Attrs: model.Attrs{{Key: "of", Value: model.IntValue(int64(i))}}}},
	}
}

// between puts the rows apart from each other among others.
func between[T any](rows []T, filler func(i int) T) []T {
	var out []T
	for i := range fillers {
		out = append(out, filler(i))
	}
	for i, r := range rows {
		out = slices.Insert(out, (i*977)%len(out), r)
	}
	return out
}

// withoutIndex takes an open part's block filters away: what they would exclude must not be found all the same.
func withoutIndex(t *testing.T, p *part.Part) *part.Part {
	t.Helper()
	if err := os.Truncate(p.IndexPath(), 100); err != nil {
		t.Fatal(err)
	}
	if _, err := part.Open(nil, strings.TrimSuffix(p.Path(), part.RowsExt)); err == nil {
		t.Fatal("the index is still read")
	}
	return p
}

// namesIn are the names of a unit's rows, by their times.
func namesIn(n int, timeOf func(i int) int64, called []string) []string {
	out := make([]string, n)
	for i := range out {
		if at := timeOf(i) - t0; at >= 0 {
			out[i] = called[at/1e9]
		}
	}
	return out
}

func logPlaces(t *testing.T, table []named[model.LogRecord]) []place {
	t.Helper()
	var rows []model.LogRecord
	var called []string
	for i, n := range table {
		if n.row.Time = t0 + int64(i)*1e9; n.row.Resource == nil {
			n.row.Resource = &model.Resource{Tenant: "default"}
		}
		rows, called = append(rows, n.row), append(called, n.name)
	}
	w := newWriter(t)
	small, h := w.logs(t, rows)
	large, _ := w.logs(t, between(rows, fillLog))
	bare, _ := w.logs(t, between(rows, fillLog))
	t.Cleanup(func() { small.Release(); large.Release(); bare.Release() })
	list := []place{{name: "head", unit: Unit{Logs: h}, names: called}}
	for _, p := range []place{{name: "small part", unit: Unit{Part: small}}, {name: "large part", unit: Unit{Part: large}}, {name: "part without index", unit: Unit{Part: withoutIndex(t, bare)}}} {
		list = append(list, partPlace(t, p, called))
	}
	return list
}

func spanPlaces(t *testing.T, table []named[model.Span]) []place {
	t.Helper()
	var rows []model.Span
	var called []string
	for i, n := range table {
		if n.row.Start = t0 + int64(i)*1e9; n.row.Resource == nil {
			n.row.Resource = &model.Resource{Tenant: "default"}
		}
		rows, called = append(rows, n.row), append(called, n.name)
	}
	w := newWriter(t)
	small, h := w.spans(t, rows)
	large, _ := w.spans(t, between(rows, fillSpan))
	bare, _ := w.spans(t, between(rows, fillSpan))
	t.Cleanup(func() { small.Release(); large.Release(); bare.Release() })
	list := []place{{name: "head", unit: Unit{Spans: h}, names: called}}
	for _, p := range []place{{name: "small part", unit: Unit{Part: small}}, {name: "large part", unit: Unit{Part: large}}, {name: "part without index", unit: Unit{Part: withoutIndex(t, bare)}}} {
		list = append(list, partPlace(t, p, called))
	}
	return list
}

func partPlace(t *testing.T, p place, called []string) place {
	t.Helper()
	table := NewTable(p.unit.Part)
	defer table.Close()
	times := make([]int64, table.Rows)
	for i := range times {
		c, err := table.Load(part.ColTimestamp, i)
		if err != nil {
			t.Fatal(err)
		}
		times[i] = c.IntAt(c.At(i))
	}
	p.names = namesIn(len(times), func(i int) int64 { return times[i] }, called)
	return p
}

// find is the names of the rows that q selects, in the alphabet's order.
func (p place) find(t *testing.T, q *Query) string {
	t.Helper()
	v := &rowsOf{}
	if err := q.Scan(t.Context(), &p.unit, v); err != nil {
		t.Fatalf("%s: %v", p.name, err)
	}
	var out []string
	for _, row := range v.rows {
		if p.names[row] != "" {
			out = append(out, p.names[row])
		}
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// want is a filter and the names of the rows that it holds for.
type want struct{ filter, rows string }

func checkFilters(t *testing.T, signal part.Signal, places []place, list []want) {
	t.Helper()
	for _, c := range list {
		expr, err := filter.Parse(c.filter)
		if err != nil {
			t.Errorf("%s: %v", c.filter, err)
			continue
		}
		names := strings.Fields(c.rows)
		slices.Sort(names)
		q := New(signal, "", store.Range{}, expr)
		for _, p := range places {
			if got := p.find(t, q); got != strings.Join(names, " ") {
				t.Errorf("%s in a %s: %q, want %q", c.filter, p.name, got, c.rows)
			}
		}
	}
}
