package storetest

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// eventEpoch is when generated events begin: inside of an hour and a minute,
// so that buckets do not start with them by chance.
var eventEpoch = time.Date(2026, 11, 21, 10, 17, 23, 4567, time.UTC).UnixNano()

// generator makes events and filters that have much in common, so that filters
// match some of the events. The same seed makes the same.
type generator struct {
	*rand.Rand
	resources []*model.Resource
	n         int
}

func newGenerator(seed uint64) *generator {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 42))}
	for _, tenant := range []string{"default", "blue"} {
		for i, service := range []string{"edge", "layout", "file-server", "édition"} {
			g.resources = append(g.resources, &model.Resource{
				Tenant: tenant, Service: service, Env: "prod", Region: []string{"eu-1", "us-2"}[i%2], Version: fmt.Sprintf("1.%d", i*9+1),
				Instance: fmt.Sprintf("%s-%d", service, i),
				Attrs:    model.Attrs{{Key: "host.name", Value: model.StringValue(fmt.Sprintf("h%d", i))}, {Key: "cores", Value: model.IntValue(int64(i))}},
			})
		}
	}
	g.resources = append(g.resources, &model.Resource{Tenant: "default"})
	return g
}

func pick[T any](g *generator, list ...T) T { return list[g.IntN(len(list))] }

func (g *generator) words() string {
	list := make([]string, g.IntN(7))
	for i := range list {
		list[i] = pick(g, "connection", "Connection", "RESET", "reset", "by", "peer", "timeout", "user_id=7", "42", "größe", "GRÖSSE",
			"日本語", "日志", "本", "ログ", "로그를", "\x1b[31mERROR\x1b[0m", "re\x1b[1mset", "\u009b1mok", "retry;", "[error]", "a.b", "/login", "kelvin", "\u212Aelvin", "st\u00fcck", "ok")
	}
	return strings.Join(list, pick(g, " ", " ", ", ", "\t", "-", "_"))
}

func (g *generator) value() model.Value {
	switch g.IntN(7) {
	case 0:
		return model.IntValue(int64(g.IntN(6) * 100))
	case 1:
		return model.FloatValue(float64(g.IntN(8)) / 2 * 100)
	case 2:
		return model.BoolValue(g.IntN(2) == 0)
	case 3:
		return model.StringValue(pick(g, "", "500", "500.0", "GET", "größe", `q"uote\`, "/login", "x y"))
	case 4:
		return model.JSONValue(pick(g, `[1,2]`, `{"a":"b"}`, `["GET",["v1"],500]`, `{"status":503,"a":{"b":[{"c":"x y"},{"c":500}]}}`,
			`{"a.b":{"c":"v1"},"":7,"e":"","n":18446744073709551616}`, `18446744073709551615`, `{"\u0061":{"b":null}}`))
	case 5:
		return model.Value{}
	}
	return model.StringValue(fmt.Sprintf("v%d", g.IntN(40)))
}

func (g *generator) attrs() (out model.Attrs) {
	for range g.IntN(5) {
		switch g.IntN(5) {
		case 0:
			out = append(out, model.Attr{Key: "http.status", Value: model.IntValue(int64(pick(g, 200, 404, 500)))})
		case 1:
			out = append(out, model.Attr{Key: "http.route", Value: model.StringValue(pick(g, "/login", "/a/{id}", "/"))})
		case 2:
			out = append(out, model.Attr{Key: "ratio", Value: model.FloatValue(float64(g.IntN(4)) / 4)})
		default:
			out = append(out, model.Attr{Key: pick(g, "mixed", "mixed.a", "http", "http.status", "tenant", "request_id", "level", "host.name", `odd "key"`, "schlüssel"), Value: g.value()})
		}
	}
	return out
}

// time is unique, rising with some disorder.
func (g *generator) time() int64 {
	g.n++
	return eventEpoch + int64(g.n)*1_500_000_000 - int64(g.IntN(60))*1_500_000_000 + int64(g.n)
}

func (g *generator) traceID() model.TraceID {
	return model.TraceID{1, byte(g.n / 10), 15: byte(g.IntN(3) + 1)}
}

func (g *generator) log() model.LogRecord {
	r := model.LogRecord{
		Time: g.time(), Level: model.Level(g.IntN(int(model.LevelFatal) + 1)), Message: g.words(), Attrs: g.attrs(), Resource: pick(g, g.resources...),
	}
	if g.IntN(2) == 0 {
		r.TraceID, r.SpanID = g.traceID(), model.SpanID{7, byte(g.n)}
	}
	if g.IntN(3) > 0 {
		r.RequestID = fmt.Sprintf("req-%d", g.n)
	}
	return r
}

func (g *generator) logs(n int) []model.LogRecord {
	out := make([]model.LogRecord, n)
	for i := range out {
		out[i] = g.log()
	}
	return out
}

func (g *generator) span() model.Span {
	s := model.Span{
		Start: g.time(), Duration: int64(g.IntN(1000)) * 1e6, TraceID: g.traceID(), SpanID: model.SpanID{8, byte(g.n), byte(g.n >> 8)},
		Name: pick(g, "GET /login", "SELECT", "publish order", "größe"), Kind: model.SpanKind(g.IntN(6)), Status: model.SpanStatus(g.IntN(3)),
		Scope: pick(g, "", "otelhttp"), Attrs: g.attrs(), Resource: pick(g, g.resources[:8]...),
	}
	if g.IntN(3) > 0 {
		s.ParentID = model.SpanID{8, byte(g.IntN(256))}
	}
	if s.Status == model.StatusError {
		s.StatusMessage = g.words()
	}
	if g.IntN(9) == 0 {
		s.TraceState = "a=b"
		s.Events = []model.SpanEvent{{Time: s.Start, Name: "exception", Attrs: model.Attrs{{Key: "type", Value: model.StringValue("E")}}}}
		s.Links = []model.SpanLink{{TraceID: model.TraceID{9}, SpanID: model.SpanID{9}}}
	}
	if g.IntN(4) == 0 {
		for range 1 + g.IntN(3) {
			s.Events = append(s.Events, model.SpanEvent{Time: s.Start, Name: g.words(), Attrs: g.attrs()})
		}
		if g.IntN(3) == 0 {
			s.Links = append(s.Links, model.SpanLink{TraceID: g.traceID(), SpanID: model.SpanID{8, byte(g.n)}, Attrs: g.attrs()})
		}
	}
	return s
}

func (g *generator) spans(n int) []model.Span {
	out := make([]model.Span, n)
	for i := range out {
		out[i] = g.span()
	}
	return out
}

// expr is a filter of any shape.
func (g *generator) expr(depth int) store.Expr {
	if depth > 0 && g.IntN(3) > 0 {
		list := make([]store.Expr, g.IntN(4))
		for i := range list {
			list[i] = g.expr(depth - 1)
		}
		switch g.IntN(3) {
		case 0:
			return store.And{Exprs: list}
		case 1:
			return store.Or{Exprs: list}
		}
		return store.Not{Expr: g.expr(depth - 1)}
	}
	switch g.IntN(7) {
	case 0, 1:
		return store.Text{Phrase: pick(g, "connection", "Reset", "reset by", "by, peer", "42", "GRÖßE", "größe", "日本語", "[error]", "a.b",
			"-", "kelvin", "absent", "user_id", "user_id=7", "login", "conn", "S", "/login",
			"ERROR", "error reset", "31m", "志", "ログ", "日", "\x1b[31mERROR", "ok 42"), Prefix: g.IntN(4) == 0}
	case 2:
		return store.Exists{Field: g.field()}
	case 3:
		return g.regexp()
	case 4:
		known := store.Known{Expr: g.compare(), Sure: func(text string) bool { return len(text)%3 > 0 }, Else: g.IntN(2) == 0}
		if g.IntN(3) == 0 {
			known.Expr = g.regexp()
		}
		return known
	}
	return g.compare()
}

func (g *generator) regexp() store.Expr {
	return store.Regexp{Field: pick(g, "", "", "message", g.field()), Re: regexp.MustCompile(pick(g, `reset`, `(?i)RESET by`, `conn\w+ion`, `timeout|peer`,
		`^connection`, ` by `, `\d+`, `gr..e`, `(?i)kelvin`, `e$`, `^$`, `[45]00`, `(?i)größe`, ` peer, `, `ERROR`, `31mE`, `日志`, `reset$`))}
}

func (g *generator) field() string {
	return pick(g, "level", "service", "namespace", "env", "region", "version", "instance", "tenant", "trace_id", "span_id", "request_id",
		"message", "attr.tenant", "attr.request_id", "attr.level", "name", "kind", "status", "status_message", "duration", "parent_id", "scope", "timestamp",
		"mixed.a", "mixed.a.b.c", "mixed.status", "http.a", "event.name", "event.http.status", "event.mixed.a", "link.trace_id", "link.mixed", "type",
		"mixed.n", "http.status", "http.route", "mixed", "ratio", "host.name", "cores", `odd "key"`, "schlüssel", "absent", "mixed", "http.status")
}

// anyValue lets c compare with a number or a text of any attribute.
func (g *generator) anyValue(c *store.Compare) {
	c.IsNum = true
	switch g.IntN(5) {
	case 0:
		c.Value, c.Num = "18446744073709551615", 18446744073709551615
	case 1:
		c.Value, c.Num = "500", 500
	case 2:
		c.Value, c.Num = "5e2", 500
	case 3:
		c.Value, c.Num = "0", 0
	default:
		c.IsNum = false
		c.Value = pick(g, "500", "GET", "true", "v7", "x y", "prod", "eu-1", "0.5", "[1,2]", "otelhttp", "default",
			"v1", "E", `["v1"]`, "b")
	}
}

func (g *generator) compare() store.Expr {
	c := store.Compare{Field: g.field(), Op: store.Op(g.IntN(6))}
	if g.IntN(2) == 0 {
		c.Op = store.OpEq
	}
	num := func(text string, n float64) { c.Value, c.Num, c.IsNum = text, n, true }
	switch c.Field {
	case "level":
		c.Value = pick(g, "info", "warn", "error")
	case "trace_id":
		c.Value = model.TraceID{1, byte(g.IntN(8)), 15: byte(g.IntN(3) + 1)}.String()
	case "span_id", "parent_id":
		c.Value = model.SpanID{byte(7 + g.IntN(2)), byte(g.IntN(256))}.String()
	case "request_id":
		c.Value = fmt.Sprintf("req-%d", g.IntN(100))
	case "duration":
		num("300ms", 3e8)
	case "timestamp":
		c.Value = store.TimeText(eventEpoch + int64(g.IntN(200))*1e9)
	case "message":
		c.Value = pick(g, "connection", "ok", "timeout", "reset")
	case "name":
		c.Value = pick(g, "SELECT", "GET /login", "größe")
	case "kind":
		c.Value = pick(g, "server", "client")
	case "status":
		c.Value = pick(g, "error", "ok", "unset")
	case "service", "instance":
		c.Value = pick(g, "edge", "layout", "édition", "nobody")
	case "version":
		num(pick(g, "1.1", "1.10"), 1.1)
	case "http.route":
		c.Value = pick(g, "/login", "/")
	case "event.name":
		c.Value = pick(g, "exception", "connection", "42")
	case "link.trace_id":
		c.Value = model.TraceID{1, byte(g.IntN(8)), 15: byte(g.IntN(3) + 1)}.String()
	case "mixed.n":
		c.Value = pick(g, "18446744073709551616", "18446744073709551615", "1.8446744073709551616e19")
		num(c.Value, 18446744073709551616)
	case "host.name":
		c.Value = pick(g, "h1", "h2", "500")
	default:
		g.anyValue(&c)
	}
	if g.IntN(6) == 0 && (c.Op == store.OpEq || c.Op == store.OpNe) {
		c.Prefix, c.IsNum, c.Num = true, false, 0
		c.Value = string([]rune(c.Value)[:min(len([]rune(c.Value)), 1+g.IntN(4))])
	}
	return c
}
