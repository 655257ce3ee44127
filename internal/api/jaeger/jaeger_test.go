package jaeger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

var now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// spans is a store with one trace of two services.
type spans struct {
	values map[string][]string // by field, or by field and kind
	asked  store.TraceQuery
	hint   store.Range
	empty  bool
	most   int // the largest limit, if there is one
}

func (s *spans) Trace(_ context.Context, tenant string, id model.TraceID, hint store.Range) ([]model.Span, error) {
	s.hint = hint
	if tenant != "default" || id != (model.TraceID{1}) {
		return nil, fmt.Errorf("trace %s: %w", id, store.ErrNotFound)
	}
	edge := &model.Resource{Tenant: "default", Service: "edge", Env: "prod", Version: "2.4.1", Attrs: model.Attrs{{Key: "host.name", Value: model.StringValue("n1")}}}
	same := *edge
	return []model.Span{
		{
			TraceID: id, SpanID: model.SpanID{1}, Name: "GET /", Kind: model.SpanKindServer, Start: 1_700_000_000_000_001_999, Duration: 5_999, Resource: edge, Scope: "net/http", TraceState: "a=b",
			Attrs: model.Attrs{
				{Key: "http.route", Value: model.StringValue("/")},
				{Key: "http.status_code", Value: model.IntValue(500)},
				{Key: "ratio", Value: model.FloatValue(0.5)},
				{Key: "retry", Value: model.BoolValue(true)},
				{Key: "big", Value: model.IntValue(1 << 60)},
				{Key: "list", Value: model.JSONValue(`["a"]`)},
			},
			Status: model.StatusError, StatusMessage: "boom",
			Events: []model.SpanEvent{{Time: 1_700_000_000_000_002_000, Name: "exception", Attrs: model.Attrs{{Key: "exception.type", Value: model.StringValue("E")}}}},
		},
		{
			TraceID: id, SpanID: model.SpanID{2}, ParentID: model.SpanID{1}, Name: "consume", Kind: model.SpanKindConsumer, Start: 1_700_000_000_000_003_000, Duration: 1_000, Resource: &same, Status: model.StatusOK,
			Links: []model.SpanLink{{TraceID: model.TraceID{9}, SpanID: model.SpanID{9}}},
		},
		{TraceID: id, SpanID: model.SpanID{3}, ParentID: model.SpanID{2}, Name: "read", Start: 1_700_000_000_000_003_100, Resource: &model.Resource{Tenant: "default", Service: "file-server"}},
	}, nil
}

// tooMany is the store's refusal of a limit.
type tooMany int

func (e tooMany) Error() string { return "too many" }
func (e tooMany) Largest() int  { return int(e) }

func (s *spans) Traces(_ context.Context, q store.TraceQuery) ([]store.TraceSummary, error) {
	if s.most > 0 && q.Limit > s.most {
		return nil, fmt.Errorf("search: %w", tooMany(s.most))
	}
	s.asked = q
	if s.empty {
		return nil, nil
	}
	return []store.TraceSummary{{TraceID: model.TraceID{1}, Start: 5, Duration: 7}, {TraceID: model.TraceID{8}}}, nil
}

func (s *spans) Spans(context.Context, store.TraceQuery) iter.Seq2[model.Span, error] {
	return func(func(model.Span, error) bool) {}
}

func (s *spans) SpanHistogram(context.Context, store.TraceQuery, time.Duration, string) (store.Histogram, error) {
	return store.Histogram{}, nil
}

func (s *spans) SpanValues(_ context.Context, q store.TraceQuery, field string, _ int) ([]store.ValueCount, error) {
	s.asked = q
	key := field
	if and, ok := q.Expr.(store.And); ok {
		key += " " + and.Exprs[1].(store.Compare).Value
	}
	var out []store.ValueCount
	for _, v := range s.values[key] {
		out = append(out, store.ValueCount{Value: v, Count: 1})
	}
	return out, nil
}

func (s *spans) SpanFields(context.Context, store.TraceQuery, int) ([]string, error) { return nil, nil }

func serve(s store.SpanReader, target string) *httptest.ResponseRecorder {
	h := Handler(Deps{
		Spans: s, Now: func() time.Time { return now },
		Edges: func(_ context.Context, _ string, r store.Range) ([]model.Edge, error) {
			if r.End-r.Start != int64(time.Hour) {
				return nil, nil
			}
			return []model.Edge{{Client: "edge", Server: "file-server", Kind: "call", Calls: 10}, {Client: "edge", Server: "file-server", Kind: "queue", Calls: 2}}, nil
		},
		Fail: func(_ context.Context, err error) (int, string) {
			var bad paramError
			switch {
			case errors.As(err, &bad):
				return 400, err.Error()
			case errors.Is(err, store.ErrNotFound):
				return 404, err.Error()
			}
			return 500, "internal"
		},
	})
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, target, nil))
	return rec
}

func TestAnswers(t *testing.T) {
	s := &spans{values: map[string][]string{
		"service": {"file-server", "edge", ""}, "name": {"read", "GET /"}, "name server": {"GET /"}, "name client": {"read"},
	}}
	cases := []struct {
		name, target string
		status       int
		want         string
	}{
		{"services, sorted", "/jaeger/api/services", 200, `{"data":["edge","file-server"],"total":2,"limit":0,"offset":0,"errors":null}`},
		{"operations of a service", "/jaeger/api/services/edge/operations", 200, `{"data":["GET /","read"],"total":2,"limit":0,"offset":0,"errors":null}`},
		{"a service with a slash", "/jaeger/api/services/a%2Fb/operations", 200, `{"data":["GET /","read"],"total":2,"limit":0,"offset":0,"errors":null}`},
		{"operations with kinds", "/jaeger/api/operations?service=edge", 200, `{"data":[{"name":"GET /","spanKind":"server"},{"name":"read","spanKind":"client"}],"total":2,"limit":0,"offset":0,"errors":null}`},
		{"operations of a kind", "/jaeger/api/operations?service=edge&spanKind=client", 200, `{"data":[{"name":"read","spanKind":"client"}],"total":1,"limit":0,"offset":0,"errors":null}`},
		{"operations of no service", "/jaeger/api/operations", 400, `{"data":null,"total":0,"limit":0,"offset":0,"errors":[{"code":400,"msg":"parameter 'service' is required"}]}`},
		{"dependencies", "/jaeger/api/dependencies?endTs=1763726400000&lookback=3600000", 200, `{"data":[{"parent":"edge","child":"file-server","callCount":12}],"total":1,"limit":0,"offset":0,"errors":null}`},
		{"dependencies, none", "/jaeger/api/dependencies", 200, `{"data":[],"total":0,"limit":0,"offset":0,"errors":null}`},
		{"dependencies until nonsense", "/jaeger/api/dependencies?endTs=x", 400, `{"data":null,"total":0,"limit":0,"offset":0,"errors":[{"code":400,"msg":"unable to parse param 'endTs': want Unix milliseconds, got \"x\""}]}`},
		{"a trace that is not there", "/jaeger/api/traces/02", 404, `{"data":null,"total":0,"limit":0,"offset":0,"errors":[{"code":404,"msg":"trace 00000000000000000000000000000002: not found"}]}`},
		{"a trace without an id", "/jaeger/api/traces/xyz", 400, `{"data":null,"total":0,"limit":0,"offset":0,"errors":[{"code":400,"msg":"malformed trace id \"xyz\": want up to 32 hex digits, not all 0"}]}`},
		{"traces of no service", "/jaeger/api/traces", 400, `{"data":null,"total":0,"limit":0,"offset":0,"errors":[{"code":400,"msg":"parameter 'service' is required"}]}`},
		{"traces by ids that are not there", "/jaeger/api/traces?traceID=2&traceID=3", 200, `{"data":[],"total":0,"limit":0,"offset":0,"errors":null}`},
		{"nothing", "/jaeger/api/nothing", 404, `{"data":null,"total":0,"limit":0,"offset":0,"errors":[{"code":404,"msg":"no such endpoint"}]}`},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			rec := serve(s, tc.target)
			if got := strings.TrimSpace(rec.Body.String()); rec.Code != tc.status || got != tc.want {
				t.Errorf("%d\n got %s\nwant %s", rec.Code, got, tc.want)
			}
		})
	}
}

// The whole shape, as Jaeger's UI and Grafana read it.
func TestATrace(t *testing.T) {
	const want = `{"data":[{"traceID":"01000000000000000000000000000000","spans":[` +
		`{"traceID":"01000000000000000000000000000000","spanID":"0100000000000000","flags":1,"operationName":"GET /","references":[],"startTime":1700000000000001,"duration":5,` +
		`"tags":[{"key":"http.route","type":"string","value":"/"},{"key":"http.status_code","type":"int64","value":500},{"key":"ratio","type":"float64","value":0.5},` +
		`{"key":"retry","type":"bool","value":true},{"key":"big","type":"int64","value":"1152921504606846976"},{"key":"list","type":"string","value":"[\"a\"]"},` +
		`{"key":"span.kind","type":"string","value":"server"},{"key":"otel.status_code","type":"string","value":"ERROR"},{"key":"error","type":"bool","value":true},` +
		`{"key":"otel.status_description","type":"string","value":"boom"},{"key":"otel.scope.name","type":"string","value":"net/http"},{"key":"w3c.tracestate","type":"string","value":"a=b"}],` +
		`"logs":[{"timestamp":1700000000000002,"fields":[{"key":"event","type":"string","value":"exception"},{"key":"exception.type","type":"string","value":"E"}]}],"processID":"p1","warnings":null},` +
		`{"traceID":"01000000000000000000000000000000","spanID":"0200000000000000","flags":1,"operationName":"consume","references":[` +
		`{"refType":"CHILD_OF","traceID":"01000000000000000000000000000000","spanID":"0100000000000000"},{"refType":"FOLLOWS_FROM","traceID":"09000000000000000000000000000000","spanID":"0900000000000000"}],` +
		`"startTime":1700000000000003,"duration":1,"tags":[{"key":"span.kind","type":"string","value":"consumer"},{"key":"otel.status_code","type":"string","value":"OK"}],"logs":[],"processID":"p1","warnings":null},` +
		`{"traceID":"01000000000000000000000000000000","spanID":"0300000000000000","flags":1,"operationName":"read","references":[{"refType":"CHILD_OF","traceID":"01000000000000000000000000000000","spanID":"0200000000000000"}],` +
		`"startTime":1700000000000003,"duration":0,"tags":[],"logs":[],"processID":"p2","warnings":null}],` +
		`"processes":{"p1":{"serviceName":"edge","tags":[{"key":"deployment.environment.name","type":"string","value":"prod"},{"key":"service.version","type":"string","value":"2.4.1"},{"key":"host.name","type":"string","value":"n1"}]},` +
		`"p2":{"serviceName":"file-server","tags":[]}},"warnings":null}],"total":1,"limit":0,"offset":0,"errors":null}`
	for _, target := range []string{"/jaeger/api/traces/01000000000000000000000000000000", "/jaeger/api/traces?traceID=01000000000000000000000000000000"} {
		var got, wanted any
		rec := serve(&spans{}, target)
		if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(want), &wanted); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(wanted, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", target, diff)
		}
	}
}

func TestSearch(t *testing.T) {
	s := &spans{}
	rec := serve(s, "/jaeger/api/traces?"+url.Values{
		"service": {"edge"}, "operation": {"GET /"}, "start": {"1763719200000000"}, "end": {"1763722800000000"}, "limit": {"5"}, "minDuration": {"100ms"}, "maxDuration": {"1.5s"},
		"tags": {`{"error":"true","http.status_code":"500","span.kind":"server"}`}, "tag": {"a:b:c"},
	}.Encode())
	var out struct {
		Data []struct {
			TraceID string `json:"traceID"`
		}
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &out); err != nil || rec.Code != 200 {
		t.Fatalf("%d %s, %v", rec.Code, rec.Body, err)
	}
	// The second summary's trace is gone by now.
	if len(out.Data) != 1 || s.hint == (store.Range{}) {
		t.Errorf("data %+v, last hint %+v", out.Data, s.hint)
	}
	eq := func(field, value string) store.Expr { return store.Compare{Field: field, Value: value} }
	want := store.TraceQuery{
		Tenant: "default", Limit: 5, Range: store.Range{Start: 1763719200000000000, End: 1763722800000001000},
		Expr: store.And{Exprs: []store.Expr{
			eq("service", "edge"), eq("name", "GET /"), eq("a", "b:c"), eq("status", "error"),
			store.Compare{Field: "http.status_code", Value: "500", Num: 500, IsNum: true},
			eq("kind", "server"),
			store.Compare{Field: "duration", Op: store.OpGe, Value: "100ms", Num: 1e8, IsNum: true},
			store.Compare{Field: "duration", Op: store.OpLe, Value: "1.5s", Num: 1.5e9, IsNum: true},
		}},
	}
	if diff := cmp.Diff(want, s.asked); diff != "" {
		t.Errorf("query (-want +got):\n%s", diff)
	}

	s = &spans{empty: true}
	if rec := serve(s, "/jaeger/api/traces?service=edge&lookback=2d"); !strings.HasPrefix(rec.Body.String(), `{"data":[],`) {
		t.Errorf("no traces: %s", rec.Body)
	}
	if want := store.RangeOf(now.Add(-48*time.Hour), now); s.asked.Range != want || s.asked.Limit != 20 {
		t.Errorf("lookback: %+v", s.asked)
	}
}

func TestLimitsAreCapped(t *testing.T) {
	for _, c := range []struct {
		limit      string
		most, want int
	}{{"1500", 0, 1500}, {"20000", 0, 1500}, {"99999999999999999999", 0, 1500}, {"1500", 1000, 1000}, {"7", 1000, 7}} {
		s := &spans{most: c.most}
		if rec := serve(s, "/jaeger/api/traces?service=edge&limit="+c.limit); rec.Code != 200 || s.asked.Limit != c.want {
			t.Errorf("limit=%s where %d may be asked for: %d, asked for %d, want %d", c.limit, c.most, rec.Code, s.asked.Limit, c.want)
		}
	}
}

func TestBadParameters(t *testing.T) {
	for _, query := range []string{
		"limit=0", "limit=-3", "limit=x", "start=x", "end=-5", "start=1763722800000000&end=1763719200000000", "end=99999999999999999", "minDuration=5", "maxDuration=-1s", "lookback=x", "lookback=0h", "lookback=9999999d",
		"tags=x", "tags=[1]", "tag=x", "tag=:x", "service=%zz",
	} {
		rec := serve(&spans{}, "/jaeger/api/traces?service=edge&"+query)
		if rec.Code != 400 || !strings.Contains(rec.Body.String(), `"errors":[{"code":400,"msg":"`) {
			t.Errorf("%s: %d %s", query, rec.Code, rec.Body)
		}
	}
}

func TestWithoutAStoreEverythingIsEmpty(t *testing.T) {
	for target, status := range map[string]int{"/jaeger/api/services": 200, "/jaeger/api/traces?service=x": 200, "/jaeger/api/traces/1": 404} {
		if rec := serve(nil, target); rec.Code != status {
			t.Errorf("%s: %d %s", target, rec.Code, rec.Body)
		}
	}
}

func FuzzSearchQuery(f *testing.F) {
	f.Add("service=edge&start=1763719200000000&end=1763722800000000&limit=20&lookback=1h&tags=%7B%22error%22%3A%22true%22%7D&minDuration=1ms")
	f.Add("service=a&tag=a:b&lookback=w&end=0")
	f.Fuzz(func(t *testing.T, query string) {
		form, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		q, err := searchQuery(form, "default", now)
		if err != nil {
			return
		}
		if q.Range.Start >= q.Range.End || q.Limit < 1 || q.Limit > maxLimit {
			t.Errorf("%q gives %+v", query, q)
		}
	})
}
