package promql

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gogo/protobuf/proto"
	"github.com/golang/snappy"
	promapi "github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/client_golang/prometheus"
	prommodel "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/metadata"
	"github.com/prometheus/prometheus/prompb"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/tsdbutil"

	"github.com/signalbox-project/signalbox/internal/store/metrics"
)

type pushed struct{}

func (pushed) Metadata() map[string]metadata.Metadata {
	return map[string]metadata.Metadata{"reqs_total": {Type: prommodel.MetricTypeCounter, Help: "Requests."}}
}

func openStore(t *testing.T) *metrics.Store {
	t.Helper()
	s, err := metrics.Open(metrics.DefaultConfig(), metrics.Deps{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func fill(t *testing.T, s *metrics.Store, now time.Time) {
	t.Helper()
	app := s.AppenderV2(context.Background())
	add := func(ls labels.Labels, at time.Time, v float64, opts storage.AOptions) {
		if _, err := app.Append(0, ls, 0, at.UnixMilli(), v, nil, nil, opts); err != nil {
			t.Fatal(err)
		}
	}
	reqs := labels.FromStrings("__name__", "reqs_total", "service", "edge")
	for i := range 11 {
		at := now.Add(time.Duration(i-10) * 30 * time.Second)
		ex := exemplar.Exemplar{Labels: labels.FromStrings("trace_id", strconv.Itoa(i)), Value: 1, Ts: at.UnixMilli(), HasTs: true}
		add(reqs, at, float64(i*60), storage.AOptions{Exemplars: []exemplar.Exemplar{ex}})
	}
	if _, err := app.Append(0, labels.FromStrings("__name__", "lat"), 0, now.UnixMilli(), 0, tsdbutil.GenerateTestHistogram(3), nil, storage.AOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := app.Commit(); err != nil {
		t.Fatal(err)
	}
}

func engine(t *testing.T, cfg Config, s *metrics.Store) *Engine {
	t.Helper()
	e, err := New(cfg, Deps{Queryable: s})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func serve(t *testing.T, cfg Config, s *metrics.Store, write http.Handler) *httptest.Server {
	t.Helper()
	reg := prometheus.NewRegistry()
	api, err := NewAPI(engine(t, cfg, s), APIDeps{
		Registerer: reg, Gatherer: reg, Storage: s, Metadata: pushed{}, Write: write,
		ExternalURL: &url.URL{Scheme: "http", Host: "box.example:4300"}, ListenAddress: ":4300",
		Build: Build{Version: "1.2.3"},
	})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(api)
	t.Cleanup(srv.Close)
	return srv
}

func get(t *testing.T, method, rawURL string, into any) int {
	t.Helper()
	req, err := http.NewRequest(method, rawURL, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if into != nil {
		if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
			t.Fatalf("%s: %v", rawURL, err)
		}
	}
	return resp.StatusCode
}

func TestPrometheusClientFindsEverythingItAsksFor(t *testing.T) {
	s, now := openStore(t), time.Now()
	fill(t, s, now)
	srv := serve(t, DefaultConfig(), s, nil)
	client, err := promapi.NewClient(promapi.Config{Address: srv.URL})
	if err != nil {
		t.Fatal(err)
	}
	c, ctx := promv1.NewAPI(client), context.Background()
	start := now.Add(-time.Hour)

	v, _, err := c.Query(ctx, `sum(rate(reqs_total[5m]))`, now)
	if err != nil || len(v.(prommodel.Vector)) != 1 || v.(prommodel.Vector)[0].Value < 1.9 {
		t.Errorf("query: %v, %v", v, err)
	}
	m, _, err := c.QueryRange(ctx, `reqs_total`, promv1.Range{Start: now.Add(-2 * time.Minute), End: now, Step: time.Minute})
	if err != nil || len(m.(prommodel.Matrix)) != 1 || len(m.(prommodel.Matrix)[0].Values) != 3 {
		t.Errorf("query_range: %v, %v", m, err)
	}
	if names, _, err := c.LabelNames(ctx, nil, start, now); err != nil || len(names) != 2 {
		t.Errorf("labels: %v, %v", names, err)
	}
	if vals, _, err := c.LabelValues(ctx, "service", nil, start, now); err != nil || len(vals) != 1 || vals[0] != "edge" {
		t.Errorf("label values: %v, %v", vals, err)
	}
	if series, _, err := c.Series(ctx, []string{"reqs_total"}, start, now); err != nil || len(series) != 1 {
		t.Errorf("series: %v, %v", series, err)
	}
	if ex, err := c.QueryExemplars(ctx, "reqs_total", start, now); err != nil || len(ex) != 1 || len(ex[0].Exemplars) != 11 {
		t.Errorf("exemplars: %v, %v", ex, err)
	}
	if md, err := c.Metadata(ctx, "", ""); err != nil || md["reqs_total"][0].Type != promv1.MetricTypeCounter {
		t.Errorf("metadata of a pushed metric: %v, %v", md, err)
	}
	if st, err := c.TSDB(ctx); err != nil || st.HeadStats.NumSeries != 2 {
		t.Errorf("tsdb stats: %v, %v", st, err)
	}
	bi, err := c.Buildinfo(ctx)
	if err != nil || !strings.HasPrefix(bi.Version, "3.") || !strings.Contains(bi.Branch, "1.2.3") {
		t.Errorf("build info: %+v, %v", bi, err)
	}
	if ri, err := c.Runtimeinfo(ctx); err != nil || ri.StorageRetention != "40d" {
		t.Errorf("runtime info: %+v, %v", ri, err)
	}
	if tg, err := c.Targets(ctx); err != nil || len(tg.Active) != 0 {
		t.Errorf("targets without scraping: %v, %v", tg, err)
	}
	if ru, err := c.Rules(ctx, nil); err != nil || len(ru.Groups) != 0 {
		t.Errorf("rules without rule files: %v, %v", ru, err)
	}
	fl, err := c.Flags(ctx)
	if err != nil || fl["storage.tsdb.retention.time"] != "40d" || fl["web.enable-admin-api"] != "false" || fl["web.listen-address"] != "localhost:4300" {
		t.Errorf("flags: %v, %v", fl, err)
	}
	if am, err := c.AlertManagers(ctx); err != nil || len(am.Active) != 1 {
		t.Errorf("alertmanagers: %v, %v", am, err)
	}
}

func TestEveryPathOfTheAPIAnswers(t *testing.T) {
	s := openStore(t)
	fill(t, s, time.Now())
	write := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	srv := serve(t, DefaultConfig(), s, write)
	cases := []struct {
		method, path string
		want         int
	}{
		{"GET", "/query?query=1", 200},
		{"GET", "/query?query=1+%2B", 400},
		{"GET", "/format_query?query=1%2B1", 200},
		{"GET", "/parse_query?query=1%2B1", 200},
		{"GET", "/status/config", 200},
		{"GET", "/status/walreplay", 200},
		{"GET", "/status/tsdb/blocks", 200},
		{"GET", "/status/self_metrics", 200},
		{"GET", "/alerts", 200},
		{"GET", "/scrape_pools", 200},
		{"GET", "/targets/metadata", 200},
		{"GET", "/features", 200},
		{"GET", "/notifications", 200},
		{"GET", "/notifications/live", 204},
		{"GET", "/openapi.yaml", 200},
		{"GET", "/search/metric_names?search=x", 404},
		{"POST", "/admin/tsdb/snapshot", 500}, // as Prometheus: "admin APIs disabled"
		{"POST", "/write", 204},
		{"POST", "/read", 400},
		{"GET", "/nosuch", 404},
	}
	for _, c := range cases {
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			if got := get(t, c.method, srv.URL+Prefix+c.path, nil); got != c.want {
				t.Errorf("status %d, want %d", got, c.want)
			}
		})
	}
}

func TestSearchAndStatsDoNotPanicOnAnEmptyStore(t *testing.T) {
	srv := serve(t, DefaultConfig(), openStore(t), nil)
	for _, path := range []string{"/status/tsdb", "/labels", "/label/__name__/values", "/series?match[]=up", "/query?query=up", "/metadata"} {
		if got := get(t, "GET", srv.URL+Prefix+path, nil); got != 200 {
			t.Errorf("%s: %d", path, got)
		}
	}
	if got := get(t, "GET", srv.URL+Prefix+"/search/label_names?search=x", nil); got != 404 {
		t.Errorf("search: %d", got)
	}
}

func TestAdminAPIDeletesSeriesOnlyWhereItIsOn(t *testing.T) {
	s := openStore(t)
	fill(t, s, time.Now())
	cfg := DefaultConfig()
	cfg.EnableAdminAPI = true
	srv := serve(t, cfg, s, nil)
	if got := get(t, "POST", srv.URL+Prefix+"/admin/tsdb/delete_series?match[]=reqs_total", nil); got != 204 {
		t.Fatalf("delete: %d", got)
	}
	out, err := engine(t, cfg, s).Instant(context.Background(), "reqs_total", time.Now())
	if err != nil || len(out) != 0 {
		t.Errorf("after delete: %v, %v", out, err)
	}
}

func TestRemoteReadAnswersSamples(t *testing.T) {
	s, now := openStore(t), time.Now()
	fill(t, s, now)
	srv := serve(t, DefaultConfig(), s, nil)
	body, err := proto.Marshal(&prompb.ReadRequest{Queries: []*prompb.Query{{
		StartTimestampMs: now.Add(-time.Hour).UnixMilli(), EndTimestampMs: now.UnixMilli(),
		Matchers: []*prompb.LabelMatcher{{Name: "__name__", Value: "reqs_total"}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Post(srv.URL+Prefix+"/read", "application/x-protobuf", bytes.NewReader(snappy.Encode(nil, body)))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	packed, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := snappy.Decode(nil, packed)
	if err != nil {
		t.Fatalf("%d: %v", resp.StatusCode, err)
	}
	var got prompb.ReadResponse
	if err := proto.Unmarshal(plain, &got); err != nil || len(got.Results) != 1 || len(got.Results[0].Timeseries) != 1 || len(got.Results[0].Timeseries[0].Samples) != 11 {
		t.Errorf("read %v, %v", &got, err)
	}
}

func TestForeignOriginsMayReadOnlyWhereAllowed(t *testing.T) {
	for _, c := range []struct{ pattern, want string }{
		{"", ""},
		{`https://.*\.example`, "https://ui.example"},
	} {
		cfg := DefaultConfig()
		cfg.CORSOrigin = c.pattern
		srv := serve(t, cfg, openStore(t), nil)
		req, err := http.NewRequest(http.MethodGet, srv.URL+Prefix+"/query?query=1", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Origin", "https://ui.example")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if got := resp.Header.Get("Access-Control-Allow-Origin"); got != c.want {
			t.Errorf("pattern %q allows %q, want %q", c.pattern, got, c.want)
		}
	}
}
