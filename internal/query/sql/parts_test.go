package sql

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store/events/disk"
	"github.com/signalbox-project/signalbox/internal/store/events/head"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

// writeLogs seals a head into a part as the event store does.
func writeLogs(t *testing.T, h *head.Logs) *part.Part {
	t.Helper()
	p, err := part.WriteLogs(disk.OS{}, filepath.Join(t.TempDir(), "2026-11-21"), h, part.Options{ID: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Release)
	return p
}

func writeSpans(t *testing.T, h *head.Spans) *part.Part {
	t.Helper()
	p, err := part.WriteSpans(disk.OS{}, filepath.Join(t.TempDir(), "2026-11-21"), h, part.Options{ID: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Release)
	return p
}

// writePart writes a part of log records, one per tenant.
func writePart(t *testing.T, tenants ...string) *part.Part {
	var records []model.LogRecord
	for i, tenant := range tenants {
		records = append(records, model.LogRecord{Time: t0.Add(time.Duration(i)).UnixNano(), Message: "of " + tenant, Resource: resource(tenant, "edge")})
	}
	return writeLogs(t, logHead(records...))
}

// many are records in which http.status_code is frequent enough to get a
// column of its own; odd ones carry it as text, if mixed.
func many(n int, mixed bool) *head.Logs {
	var records []model.LogRecord
	for i := range n {
		status := model.IntValue(int64(200 + i%3*150))
		if mixed {
			status = model.StringValue(status.String())
		}
		r := model.LogRecord{
			Time: t0.Add(time.Duration(i) * time.Millisecond).UnixNano(), Level: model.LevelInfo, Message: "request served", Resource: resource("default", "edge"),
			TraceID: model.TraceID{1, byte(i >> 8), byte(i)},
			Attrs:   model.Attrs{{Key: "http.status_code", Value: status}, {Key: "rare" + string(rune('a'+i%26)), Value: model.IntValue(int64(i))}},
		}
		if i%5 == 0 {
			r.Attrs = nil
		}
		records = append(records, r)
	}
	return logHead(records...)
}

func TestFilesAndHeadsAreOneTable(t *testing.T) {
	src := &fakeSource{
		logParts: []*part.Part{writeLogs(t, many(3000, false)), writePart(t, "default", "acme")},
		logs:     []*head.Logs{twoRecords()},
	}
	e := newEngine(t, DefaultConfig(), Deps{Source: src})
	cases := []struct{ name, query, want string }{
		{"every row once, of this tenant", "SELECT count(*) FROM logs", `[[3003]]`},
		{"grouped over both", "SELECT level, count(*) FROM logs GROUP BY ALL ORDER BY ALL", `[["",1],["error",1],["info",3001]]`},
		{"promoted attributes are back in the object", `SELECT attributes FROM logs WHERE timestamp = '2026-11-21 10:00:00.124456789'`, `[[{"http.status_code":350,"rareb":1}]]`},
		{"an attribute as a typed column", `SELECT "attr.http.status_code" AS c, count(*) FROM logs WHERE "attr.http.status_code" >= 350 GROUP BY c ORDER BY c`, `[[350,800],[500,800]]`},
		{"an attribute that has no column", `SELECT count(*) FROM logs WHERE "attr.rareb" = '1'`, `[[1]]`},
		{"an attribute by arrow", `SELECT count(*) FROM logs WHERE attributes->>'http.status_code' = '500'`, `[[800]]`},
		{"a trace id in a file", `SELECT count(*) FROM logs WHERE trace_id = '01000700000000000000000000000000'`, `[[1]]`},
		{"a trace id in a head", `SELECT service FROM logs WHERE trace_id = '4bf92f3577b34da6a3ce929d0e0e4736'`, `[["edge"]]`},
		{"a span id in a head", `SELECT service FROM logs WHERE span_id = '00f067aa0ba902b7'`, `[["edge"]]`},
		{"resource attributes", `SELECT DISTINCT resource->>'host.name' FROM logs`, `[["n1"]]`},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			if got := ask(t, e, tc.query); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

func TestAnAttributeWithTwoTypesIsText(t *testing.T) {
	src := &fakeSource{logParts: []*part.Part{writeLogs(t, many(2000, false)), writeLogs(t, many(2000, true))}}
	e := newEngine(t, DefaultConfig(), Deps{Source: src})
	if got, want := ask(t, e, `SELECT "attr.http.status_code" AS c, typeof(c) AS t, count(*) FROM logs WHERE c = '500' GROUP BY ALL`), `[["500","VARCHAR",1066]]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestSpans(t *testing.T) {
	span := func(i int, tenant string) model.Span {
		return model.Span{
			TraceID: model.TraceID{9, byte(i)}, SpanID: model.SpanID{7, byte(i)}, ParentID: model.SpanID{}, Name: "GET /x", Kind: model.SpanKindServer,
			Start: t0.Add(time.Duration(i)).UnixNano(), Duration: int64(1000 * i), Status: model.StatusError, StatusMessage: "boom", Scope: "net/http",
			Attrs:  model.Attrs{{Key: "http.route", Value: model.StringValue("/x")}},
			Events: []model.SpanEvent{{Time: 1, Name: "exception"}}, Resource: resource(tenant, "edge"),
		}
	}
	src := &fakeSource{
		spanParts: []*part.Part{writeSpans(t, spanHead(span(1, "default"), span(2, "acme")))},
		spans:     []*head.Spans{spanHead(span(3, "default"), span(4, "acme"))},
	}
	e := newEngine(t, DefaultConfig(), Deps{Source: src})
	cases := []struct{ name, query, want string }{
		{
			"sealed and unsealed rows", "SELECT duration_ns, trace_id, span_id, parent_span_id FROM spans ORDER BY 1",
			`[[1000,"09010000000000000000000000000000","0701000000000000",""],[3000,"09030000000000000000000000000000","0703000000000000",""]]`,
		},
		{
			"both forms read the same", "SELECT DISTINCT name, kind, status, status_message, scope, attributes, json_array_length(events), events->0->>'name', links, resource FROM spans",
			`[["GET /x","server","error","boom","net/http",{"http.route":"/x"},1,"exception",[],{"host.name":"n1"}]]`,
		},
		{"sums of durations are numbers", "SELECT sum(duration_ns) FROM spans", `[[4000]]`},
		{"quantiles", "SELECT quantile_cont(duration_ns, 0.5) FROM spans", `[[2000]]`},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			if got := ask(t, e, tc.query); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}
