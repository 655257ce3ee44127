package match

import (
	"path/filepath"
	"regexp"
	"testing"

	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/disk"
	"github.com/signalbox-project/signalbox/internal/store/events/head"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

// Events and filters are drawn from few words, so that filters hold for some of the rows. Few different
// rows are repeated to fill blocks: a shrunken failure is small all the same.

const t0 = int64(1_795_219_200_000_000_000) // 2026-11-21T00:00:00Z

func oneOf[T any](t *rapid.T, label string, list ...T) T {
	return rapid.SampledFrom(list).Draw(t, label)
}

func drawResource(t *rapid.T) *model.Resource {
	return &model.Resource{
		Tenant: oneOf(t, "tenant", "default", "blue"), Service: oneOf(t, "service", "edge", "pay", ""), Env: oneOf(t, "env", "prod", ""),
		Attrs: oneOf(t, "resource", nil, model.Attrs{{Key: "host", Value: model.StringValue("h1")}}, model.Attrs{{Key: "k", Value: model.IntValue(500)}, {Key: "level", Value: model.StringValue("gold")}}),
	}
}

func drawAttrs(t *rapid.T) (out model.Attrs) {
	for range rapid.IntRange(0, 3).Draw(t, "attrs") {
		out = append(out, model.Attr{Key: oneOf(t, "key", "k", "k.a", "tenant", "request_id", "o", "häß"), Value: oneOf(t, "value",
			model.IntValue(500), model.IntValue(-1), model.FloatValue(500), model.FloatValue(0.5), model.BoolValue(true), model.StringValue("500"), model.StringValue(""),
			model.StringValue("x y"), model.StringValue("12ms"), model.JSONValue(`{"a":"x y","b":{"c":500}}`), model.JSONValue(`["x y",500]`), model.Value{})})
	}
	return out
}

func drawText(t *rapid.T) string {
	return oneOf(t, "text", "", "connection reset", "Reset by peer", "日志系统", "\x1b[31mERROR\x1b[0m reset", "größe 500", "a-b_c", "kelvin \u212A")
}

func drawLog(t *rapid.T) model.LogRecord {
	r := model.LogRecord{
		Time: t0 + rapid.Int64Range(0, 5).Draw(t, "second")*1e9, Level: model.Level(rapid.IntRange(0, int(model.LevelFatal)).Draw(t, "level")),
		Message: drawText(t), RequestID: oneOf(t, "request", "", "r-1", "r-2"), Attrs: drawAttrs(t), Resource: drawResource(t),
	}
	if rapid.Bool().Draw(t, "traced") {
		r.TraceID, r.SpanID = model.TraceID{15: byte(rapid.IntRange(1, 3).Draw(t, "trace"))}, model.SpanID{7: 1}
	}
	return r
}

func drawSpan(t *rapid.T) model.Span {
	s := model.Span{
		Start: t0 + rapid.Int64Range(0, 5).Draw(t, "second")*1e9, Duration: oneOf[int64](t, "duration", 0, 5e6, 2e9), Name: oneOf(t, "name", "GET /a", "SELECT reset", ""),
		TraceID: model.TraceID{15: byte(rapid.IntRange(1, 3).Draw(t, "trace"))}, SpanID: model.SpanID{7: 1}, Kind: model.SpanKind(rapid.IntRange(0, 5).Draw(t, "kind")),
		Status: model.SpanStatus(rapid.IntRange(0, 2).Draw(t, "status")), StatusMessage: drawText(t), Scope: oneOf(t, "scope", "", "http"), Attrs: drawAttrs(t), Resource: drawResource(t),
	}
	if rapid.Bool().Draw(t, "child") {
		s.ParentID = model.SpanID{7: 2}
	}
	for range rapid.IntRange(0, 2).Draw(t, "events") {
		s.Events = append(s.Events, model.SpanEvent{Time: s.Start, Name: drawText(t), Attrs: drawAttrs(t)})
	}
	if rapid.IntRange(0, 4).Draw(t, "linked") == 0 {
		s.Links = []model.SpanLink{{TraceID: model.TraceID{15: 9}, SpanID: model.SpanID{7: 9}, Attrs: drawAttrs(t)}}
	}
	return s
}

// fill repeats some rows to n.
func fill[T any](t *rapid.T, draw func(*rapid.T) T) []T {
	few := rapid.SliceOfN(rapid.Custom(draw), 1, 6).Draw(t, "rows")
	n := oneOf(t, "n", len(few), 63, 64, 65, 1023, 1024, 1025, 2100)
	out := make([]T, 0, n)
	for i := range n {
		out = append(out, few[(i*i+i/7)%len(few)])
	}
	return out
}

var fieldNames = []string{
	"level", "service", "env", "tenant", "trace_id", "span_id", "request_id", "message", "name", "kind", "status", "status_message", "duration", "parent_id", "scope", "timestamp",
	"k", "k.a", "k.b.c", "o.a", "o", "häß", "host", "attr.tenant", "attr.request_id", "attr.level", "event.name", "event.k", "link.trace_id", "link.k", "nothing",
}

func drawField(t *rapid.T) string { return rapid.SampledFrom(fieldNames).Draw(t, "field") }

func drawCompare(t *rapid.T) store.Expr {
	c := store.Compare{Field: drawField(t), Op: store.Op(rapid.IntRange(0, 5).Draw(t, "op"))}
	switch c.Field {
	case "trace_id", "link.trace_id":
		c.Value = model.TraceID{15: byte(rapid.IntRange(1, 3).Draw(t, "of"))}.String()
	case "span_id", "parent_id":
		c.Value = model.SpanID{7: byte(rapid.IntRange(1, 2).Draw(t, "of"))}.String()
	case "level":
		c.Value = oneOf(t, "of", "info", "error", "fatal")
	default:
		c.Value = oneOf(t, "of", "500", "0.5", "5e2", "-1", "10ms", "1s", "x y", "edge", "pay", "prod", "default", "r-1", "true", "error", "server", "http", "gold", "connection reset", "12ms")
		if rapid.IntRange(0, 3).Draw(t, "number") > 0 {
			c.Num, c.IsNum = store.ParseNumber(c.Value)
		}
	}
	if (c.Op == store.OpEq || c.Op == store.OpNe) && rapid.IntRange(0, 5).Draw(t, "prefix") == 0 {
		c.Value, c.Prefix, c.IsNum = c.Value[:1], true, false
	}
	return c
}

func drawExpr(t *rapid.T, depth int) store.Expr {
	if depth > 0 {
		switch rapid.IntRange(0, 4).Draw(t, "shape") {
		case 0, 1:
			var list []store.Expr
			for range rapid.IntRange(0, 3).Draw(t, "parts") {
				list = append(list, drawExpr(t, depth-1))
			}
			if rapid.Bool().Draw(t, "and") {
				return store.And{Exprs: list}
			}
			return store.Or{Exprs: list}
		case 2:
			return store.Not{Expr: drawExpr(t, depth-1)}
		}
	}
	switch rapid.IntRange(0, 6).Draw(t, "leaf") {
	case 0, 1:
		return store.Text{Phrase: oneOf(t, "phrase", "reset", "Connection", "reset by", "日", "志系", "ERROR", "500", "GRÖSSE", "größe", "31m", "a", "b_c", "kelvin", "-", "absent"), Prefix: rapid.Bool().Draw(t, "prefix")}
	case 2:
		return store.Exists{Field: drawField(t)}
	case 3:
		field := ""
		if rapid.Bool().Draw(t, "in a field") {
			field = drawField(t)
		}
		return store.Regexp{Field: field, Re: regexp.MustCompile(oneOf(t, "regexp", "reset", "(?i)RESET b", "^$", "5.0", "系统$", "ERROR reset", `\d+`, "x|y", "(?i)k"))}
	}
	return drawCompare(t)
}

// writer puts parts below a test's folder, each in its own.
type writer struct {
	dir string
	n   uint64
}

func newWriter(t *testing.T) *writer { return &writer{dir: t.TempDir()} }

func (w *writer) logs(t interface{ Fatal(...any) }, rows []model.LogRecord) (p *part.Part, h *head.Logs) {
	w.n++
	b := head.NewLogs(w.n)
	b.Append(rows)
	p, err := part.WriteLogs(disk.OS{}, filepath.Join(w.dir, "logs"), b.Snapshot(), part.Options{ID: w.n})
	if err != nil {
		t.Fatal(err)
	}
	return p, b.Snapshot()
}

func (w *writer) spans(t interface{ Fatal(...any) }, rows []model.Span) (p *part.Part, h *head.Spans) {
	w.n++
	b := head.NewSpans(w.n)
	b.Append(rows)
	p, err := part.WriteSpans(disk.OS{}, filepath.Join(w.dir, "spans"), b.Snapshot(), part.Options{ID: w.n})
	if err != nil {
		t.Fatal(err)
	}
	return p, b.Snapshot()
}

// discard deletes a part that a draw is done with.
func discard(p *part.Part) {
	p.Doom()
	p.Release()
}
