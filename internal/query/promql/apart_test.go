package promql

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/golang/snappy"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"
	"github.com/prometheus/prometheus/storage"
	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/store/metrics"
)

// names of namespaces that a careless pattern would mix up; the empty one is none.
var spaces = []string{"", "pay", "pay-eu", "p.y", "PAY", "a|b", "a", "trade", "pay\ntrade", ".*"}

// fillSpaces stores series of all namespaces, or of those alone that scope sees.
func fillSpaces(t testing.TB, s *metrics.Store, now time.Time, scope access.Scope, copies int) {
	t.Helper()
	app := s.AppenderV2(context.Background())
	for n, space := range spaces {
		if !scope.Sees(space) {
			continue
		}
		for i, name := range []string{"reqs_total", "lat", "only_" + strconv.Itoa(n)} {
			for c := range copies {
				ls := labels.FromStrings("__name__", name, "namespace", space, "service", "svc"+strconv.Itoa(n%3), "own"+strconv.Itoa(n), "x", "copy", strconv.Itoa(c))
				for k := range 5 {
					at := now.Add(time.Duration(k-4) * 30 * time.Second).UnixMilli()
					ex := exemplar.Exemplar{Labels: labels.FromStrings("trace_id", strconv.Itoa(n*10+k)), Value: 1, Ts: at, HasTs: true}
					if _, err := app.Append(0, ls, 0, at, float64(n*100+i*10+k*k), nil, nil, storage.AOptions{Exemplars: []exemplar.Exemplar{ex}}); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	}
	if err := app.Commit(); err != nil {
		t.Fatal(err)
	}
}

// served is what an answer says.
func served(h http.Handler, r *http.Request, scope access.Scope) string {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r.WithContext(access.With(context.Background(), &access.Access{Scope: scope})))
	body, _ := io.ReadAll(w.Result().Body)
	return strconv.Itoa(w.Code) + " " + string(body)
}

// surfacesOf are the API and federation over a store.
func surfacesOf(t testing.TB, s *metrics.Store, now time.Time) http.Handler {
	t.Helper()
	e, err := New(DefaultConfig(), Deps{Queryable: s})
	if err != nil {
		t.Fatal(err)
	}
	api, err := NewAPI(e, APIDeps{Registerer: prometheus.NewRegistry(), Storage: s, Metadata: pushed{}})
	if err != nil {
		t.Fatal(err)
	}
	fed, err := NewFederation(e, FederationDeps{Storage: s, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle(FederationPath, fed)
	mux.Handle("/", api)
	return mux
}

func drawSelector(t *rapid.T) string {
	var parts []string
	// Each label once: with more the TSDB's order of matchers decides the labels of absent().
	for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"namespace", "service", "own1", "own7", "copy"}), 0, 2, rapid.ID).Draw(t, "labels") {
		op := rapid.SampledFrom([]string{"=", "!=", "=~", "!~"}).Draw(t, "op")
		value := rapid.SampledFrom(append([]string{"svc1", "svc.*", ".+", ".*|", "pay|trade", "x"}, spaces...)).Draw(t, "value")
		parts = append(parts, name+op+strconv.Quote(value))
	}
	name := rapid.SampledFrom([]string{"reqs_total", "lat", "only_1", "only_7", `{__name__=~".+"`}).Draw(t, "name")
	if strings.HasPrefix(name, "{") {
		return name + "," + strings.Join(parts, ",") + "}"
	}
	return name + "{" + strings.Join(parts, ",") + "}"
}

func drawQuery(t *rapid.T, depth int) string {
	if depth == 0 {
		return drawSelector(t)
	}
	in := func() string { return drawQuery(t, depth-1) }
	switch rapid.IntRange(0, 11).Draw(t, "form") {
	case 0:
		return "sum by (service, namespace) (" + in() + ")"
	case 1:
		return "count(" + in() + ")"
	case 2:
		return "rate(" + drawSelector(t) + "[2m])"
	case 3:
		return "absent(" + drawSelector(t) + ")"
	case 4:
		return "quantile(0.5, " + in() + ")"
	case 5:
		return drawSelector(t) + " * on (service) " + drawSelector(t) // the error names series of both sides
	case 6:
		return in() + " or " + in()
	case 7:
		return in() + " unless on (namespace) " + in()
	case 8:
		return `label_replace(` + in() + `, "namespace", "$1", "service", "(.*)")`
	case 9:
		return "count_over_time(" + drawSelector(t) + "[1m] offset 30s)"
	case 10:
		return "max_over_time((" + in() + ")[1m:30s])"
	}
	return `count_values("namespace", ` + in() + ")"
}

// drawAsked is a request of one of the endpoints that show series.
func drawAsked(t *rapid.T, now time.Time) func() *http.Request {
	at := strconv.FormatInt(now.Unix(), 10)
	from := strconv.FormatInt(now.Add(-2*time.Minute).Unix(), 10)
	match := func(v url.Values) {
		for range rapid.IntRange(0, 2).Draw(t, "selectors") {
			v.Add("match[]", drawSelector(t))
		}
	}
	v := url.Values{"start": {from}, "end": {at}}
	path := rapid.SampledFrom([]string{
		"/api/v1/query", "/api/v1/query_range", "/api/v1/query_exemplars", "/api/v1/series", "/api/v1/labels", "/api/v1/label/{}/values", "/api/v1/read", FederationPath,
	}).Draw(t, "endpoint")
	switch path {
	case "/api/v1/query":
		v.Set("time", at)
		v.Set("stats", "all")
		fallthrough
	case "/api/v1/query_range", "/api/v1/query_exemplars":
		v.Set("query", drawQuery(t, rapid.IntRange(0, 3).Draw(t, "depth")))
		v.Set("step", "30")
	case "/api/v1/read":
		return drawRead(t, now)
	default:
		match(v)
		path = strings.Replace(path, "{}", rapid.SampledFrom([]string{"namespace", "service", "own7", "__name__", "copy"}).Draw(t, "of"), 1)
		if rapid.Bool().Draw(t, "limited") {
			v.Set("limit", "2")
		}
	}
	return func() *http.Request { return httptest.NewRequest(http.MethodGet, path+"?"+v.Encode(), nil) }
}

func drawRead(t *rapid.T, now time.Time) func() *http.Request {
	m := &prompb.LabelMatcher{
		Type:  prompb.LabelMatcher_RE,
		Name:  rapid.SampledFrom([]string{"__name__", "namespace", "service"}).Draw(t, "label"),
		Value: rapid.SampledFrom([]string{".*", ".+", "pay|trade", "reqs_total", ""}).Draw(t, "value"),
	}
	req := &prompb.ReadRequest{Queries: []*prompb.Query{{StartTimestampMs: now.Add(-time.Hour).UnixMilli(), EndTimestampMs: now.UnixMilli(), Matchers: []*prompb.LabelMatcher{m}}}}
	if rapid.Bool().Draw(t, "streamed") {
		req.AcceptedResponseTypes = []prompb.ReadRequest_ResponseType{prompb.ReadRequest_STREAMED_XOR_CHUNKS}
	}
	body, err := req.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return func() *http.Request {
		return httptest.NewRequest(http.MethodPost, "/api/v1/read", strings.NewReader(string(snappy.Encode(nil, body))))
	}
}

// inOrder is an answer with its series sorted and without times: Prometheus gives the groups of an aggregation in any order.
func inOrder(answer string) string {
	if i := strings.Index(answer, `"timings":`); i >= 0 {
		j := strings.Index(answer[i:], "}")
		answer = answer[:i] + `"timings":{` + answer[i+j:]
	}
	status, body, _ := strings.Cut(answer, " ")
	var said struct {
		Status, Error, ErrorType string
		Data                     json.RawMessage
		Warnings, Infos          []string
	}
	var data map[string]json.RawMessage
	var series []json.RawMessage
	if json.Unmarshal([]byte(body), &said) != nil || json.Unmarshal(said.Data, &data) != nil || json.Unmarshal(data["result"], &series) != nil {
		return answer
	}
	slices.SortFunc(series, func(a, b json.RawMessage) int { return bytes.Compare(a, b) })
	data["result"] = nil
	return fmt.Sprintf("%s %s %s %s %q %q %s %s", status, said.Status, said.Error, said.ErrorType, said.Warnings, said.Infos, series, data)
}

// A restricted caller gets, whatever is asked, what a store answers that only ever had the caller's series: so nothing of others is
// told in results, counts, suggestions, costs or errors.
func TestWhoSeesSomeNamespacesIsAnsweredAsIfThereWereNoOthers(t *testing.T) {
	now := time.Now().Truncate(time.Second)
	full := openStore(t)
	fillSpaces(t, full, now, access.Scope{All: true}, 1)
	all := surfacesOf(t, full, now)
	for _, names := range [][]string{nil, {""}, {"pay"}, {"a", "pay-eu"}, {"p.y"}, {"a|b", ".*"}, {"pay\ntrade"}, {"nothing"}, {"\xff"}} {
		t.Run(fmt.Sprintf("%q", names), func(t *testing.T) {
			scope := access.Scope{Names: names}
			own := openStore(t)
			fillSpaces(t, own, now, scope, 1)
			visible := surfacesOf(t, own, now)
			rapid.Check(t, func(t *rapid.T) {
				r := drawAsked(t, now)
				got, want := inOrder(served(all, r(), scope)), inOrder(served(visible, r(), access.Scope{All: true}))
				if got != want {
					t.Fatalf("%s\n%s", r().URL, cmp.Diff(want, got))
				}
			})
		})
	}
}

func TestMetadataIsOfTheMetricsThatOneSees(t *testing.T) {
	s, now := openStore(t), time.Now()
	fillSpaces(t, s, now, access.Scope{Names: []string{"pay"}}, 1)
	h := surfacesOf(t, s, now)
	for _, c := range []struct {
		scope access.Scope
		sees  bool
	}{
		{access.Scope{All: true}, true}, {access.Scope{Names: []string{"pay"}}, true}, {access.Scope{Names: []string{"trade"}}, false}, {access.Scope{}, false},
	} {
		got := served(h, httptest.NewRequest(http.MethodGet, "/api/v1/metadata", nil), c.scope)
		if !strings.HasPrefix(got, "200 ") || strings.Contains(got, "reqs_total") != c.sees {
			t.Errorf("%+v: %s", c.scope, got)
		}
	}
}

func BenchmarkNamespacesKeptApart(b *testing.B) {
	now := time.Now().Truncate(time.Second)
	s, err := metrics.Open(metrics.DefaultConfig(), metrics.Deps{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	fillSpaces(b, s, now, access.Scope{All: true}, 500)
	h := surfacesOf(b, s, now)
	q := "/api/v1/query?" + url.Values{"query": {`sum(reqs_total{namespace="pay"})`}, "time": {strconv.FormatInt(now.Unix(), 10)}}.Encode()
	for _, c := range []struct {
		name  string
		scope access.Scope
	}{{"all", access.Scope{All: true}}, {"two", access.Scope{Names: []string{"pay", "trade"}}}} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				served(h, httptest.NewRequest(http.MethodGet, q, nil), c.scope)
			}
		})
	}
}
