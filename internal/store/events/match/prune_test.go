package match

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/head"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
	"github.com/signalbox-project/signalbox/internal/store/filter"
)

// What a part's metadata and filters exclude is not read, and holds no match.

// kindsOfRows are rows that differ from block to block: a part keeps messages that begin alike together.
func kindsOfRows(n int) (out []model.LogRecord) {
	for i := range n {
		k := i / 700
		r := model.LogRecord{
			Time: t0 + int64(i)*1e6, Level: model.Level(1 + k%6), Message: fmt.Sprintf("%c%c kind%d says %x", 'a'+rune(k), 'a'+rune(k), k, i*7919), RequestID: fmt.Sprintf("r%d-%d", k, i),
			TraceID: model.TraceID{0: byte(k + 1), 14: byte(i >> 8), 15: byte(i)}, SpanID: model.SpanID{7: byte(i), 6: byte(i>>8) + 1},
			Attrs:    model.Attrs{{Key: "user", Value: model.StringValue(fmt.Sprintf("u%d-%d", k, i))}},
			Resource: &model.Resource{Tenant: []string{"default", "blue"}[k%2], Service: fmt.Sprint("s", k)},
		}
		if i%100 == 0 { // too few for a column
			r.Attrs = append(r.Attrs, model.Attr{Key: fmt.Sprint("only.", k), Value: model.IntValue(int64(i))})
		}
		out = append(out, r)
	}
	return out
}

func bound(t *testing.T, p *part.Part, q *Query) (node, *Table) {
	t.Helper()
	table := NewTable(p)
	t.Cleanup(table.Close)
	n, err := table.bind(q)
	if err != nil {
		t.Fatal(err)
	}
	return n, table
}

func TestAPartThatCannotHoldAMatchIsNotRead(t *testing.T) {
	p, _ := newWriter(t).logs(t, kindsOfRows(5000))
	defer p.Release()
	for _, c := range []struct {
		name, filter, tenant string
		rng                  store.Range
	}{
		{"a tenant that is not there", "", "green", store.Range{}},
		{"a range before", "", "", store.Range{Start: 0, End: t0}},
		{"a range behind", "", "", store.Range{Start: t0 + 5000e6, End: t0 + 6000e6}},
		{"a service that is not there", "service:other", "", store.Range{}},
		{"services that are not there", "service:(other OR none)", "", store.Range{}},
		{"a service by its beginning", "service:x*", "", store.Range{}},
		{"an attribute with the name of a field", "attr.level:x", "", store.Range{}},
		{"a word that is not there", "absentword", "", store.Range{}},
		{"words of which one is not there", "says absentword", "", store.Range{}},
		{"a regular expression with such a word", `/ absentword \d/`, "", store.Range{}},
		{"an attribute that is not there", "absent.key:1", "", store.Range{}},
		{"any value of it", "absent.key:*", "", store.Range{}},
		{"an attribute's value that is not there", "user:nobody-at-all", "", store.Range{}},
		{"a request that is not there", "request_id:nothing-like-it", "", store.Range{}},
		{"a trace that is not there", "trace_id:ff000000000000000000000000000077", "", store.Range{}},
		{"an environment, of which there are none", "env:*", "", store.Range{}},
		{"no alternative can hold", "absentword OR absent.key:1 OR service:other", "", store.Range{}},
		{"the negation of what always holds", "-timestamp:* absentword", "", store.Range{}},
	} {
		e, err := filter.Parse(c.filter)
		if err != nil {
			t.Fatal(err)
		}
		q := New(part.Logs, c.tenant, c.rng, e)
		n, table := bound(t, p, q)
		if blocks := n.candidates(); n != none && (blocks == nil || slices.Contains(blocks, true)) {
			t.Errorf("%s: %s is sought in %v", c.name, c.filter, blocks)
		}
		for _, name := range []string{part.ColMessage, part.ColAttributes} {
			if col := table.cols[name]; col != nil && col.page != nil {
				t.Errorf("%s: pages of %s were read", c.name, name)
			}
		}
	}
}

func TestWhatIsRareIsSoughtInFewBlocks(t *testing.T) {
	p, _ := newWriter(t).logs(t, kindsOfRows(7000))
	defer p.Release()
	if p.Blocks() < 7 {
		t.Fatalf("%d blocks", p.Blocks())
	}
	for _, text := range []string{
		"kind3", `"cc kind2"`, "/^dd kind3/", "user:u1-800", "request_id:r2-1500", "only.5:3600", "only.5:3600.0",
		"trace_id:010000000000000000000000000000f0", "kind1 OR kind2", "kind3 user:u3-2200", `message:"absent kind3"*`,
	} {
		e, err := filter.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		n, _ := bound(t, p, New(part.Logs, "", store.Range{}, e))
		blocks := n.candidates()
		left := 0
		for _, may := range blocks {
			if may {
				left++
			}
		}
		// 700 rows of a kind lie in two blocks, those of two kinds in four; a filter may err by one more.
		if n != none && (blocks == nil || left > 5) {
			t.Errorf("%s is sought in %d of %d blocks: %v", text, left, p.Blocks(), blocks)
		}
	}
}

// Whatever is asked: a block that is passed over holds no match, nor does a part of which nothing is read.
func TestWhatIsPassedOverHoldsNoMatch(t *testing.T) {
	p, _ := newWriter(t).logs(t, kindsOfRows(5000))
	defer p.Release()
	back := head.NewLogs(1)
	if err := part.ReadLogs(nil, p.Path(), back); err != nil {
		t.Fatal(err)
	}
	h := back.Snapshot()
	var stored []model.LogRecord
	for i := range h.Rows {
		stored = append(stored, h.Record(i))
	}
	leaf := rapid.Custom(func(t *rapid.T) store.Expr {
		k := rapid.IntRange(0, 8).Draw(t, "kind")
		i := k*700 + rapid.IntRange(0, 699).Draw(t, "row")
		r := stored[min(i, len(stored)-1)]
		switch rapid.IntRange(0, 8).Draw(t, "leaf") {
		case 0:
			return store.Text{Phrase: fmt.Sprint("kind", k)}
		case 1:
			return store.Text{Phrase: r.Message, Prefix: rapid.Bool().Draw(t, "prefix")}
		case 2:
			return store.Compare{Field: "service", Value: fmt.Sprint("s", k)}
		case 3:
			return store.Compare{Field: "user", Value: r.Attrs[0].Value.Str(), Op: oneOf(t, "op", store.OpEq, store.OpNe, store.OpGt)}
		case 4:
			return store.Compare{Field: fmt.Sprint("only.", k), Value: fmt.Sprint(i - i%100), Num: float64(i - i%100), IsNum: true, Op: oneOf(t, "op", store.OpEq, store.OpLe)}
		case 5:
			return store.Compare{Field: "trace_id", Value: r.TraceID.String(), Op: oneOf(t, "op", store.OpEq, store.OpNe)}
		case 6:
			return store.Exists{Field: fmt.Sprint("only.", k)}
		case 7:
			return store.Compare{Field: "level", Value: model.Level(1 + k%6).String(), Op: oneOf(t, "op", store.OpEq, store.OpGe)}
		}
		return store.Compare{Field: "request_id", Value: r.RequestID, Prefix: rapid.Bool().Draw(t, "prefix")}
	})
	rapid.Check(t, func(rt *rapid.T) {
		e := leaf.Draw(rt, "first")
		switch rapid.IntRange(0, 3).Draw(rt, "shape") {
		case 0:
			e = store.And{Exprs: []store.Expr{e, leaf.Draw(rt, "second")}}
		case 1:
			e = store.Or{Exprs: []store.Expr{e, leaf.Draw(rt, "second")}}
		case 2:
			e = store.Not{Expr: e}
		}
		from := rapid.Int64Range(-10, 5010).Draw(rt, "from")
		rng := oneOf(rt, "range", store.Range{}, store.Range{Start: t0 + from*1e6, End: t0 + (from+rapid.Int64Range(1, 3000).Draw(rt, "rows"))*1e6})
		tenant := oneOf(rt, "tenant", "", "default", "blue", "green")
		table := NewTable(p)
		defer table.Close()
		n, err := table.bind(New(part.Logs, tenant, rng, e))
		if err != nil {
			rt.Fatal(err)
		}
		blocks, m := n.candidates(), store.NewMatcher(e)
		for i, r := range stored {
			if n != none && (blocks == nil || blocks[i/part.BlockRows]) {
				continue
			}
			if (rng == store.Range{} || rng.Contains(r.Time)) && (tenant == "" || tenant == r.Resource.Tenant) && m.Log(&r) {
				rt.Fatalf("%#v in %+v of %q: row %d matches, and its block is passed over", e, rng, tenant, i)
			}
		}
	})
}
