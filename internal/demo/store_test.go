package demo

import (
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/prompb"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/signalbox-project/signalbox/internal/admit/samples"
	"github.com/signalbox-project/signalbox/internal/ingest/promwrite"
	"github.com/signalbox-project/signalbox/internal/simulate"
	"github.com/signalbox-project/signalbox/internal/store/metrics"
)

// handled calls a handler without a network.
type handled struct{ http.Handler }

func (h handled) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result(), nil
}

// TestHistoryThroughTheRealStore writes the history after live samples, as the demo
// does, and asks the store with PromQL for what the SLOs ask.
func TestHistoryThroughTheRealStore(t *testing.T) {
	cfg := metrics.DefaultConfig()
	cfg.Retention, cfg.OutOfOrderWindow = model.Duration(40*day), model.Duration(30*day)
	store, err := metrics.Open(cfg, metrics.Deps{Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	admission, err := samples.New(samples.DefaultConfig(), samples.Deps{Next: store, Retention: 40 * day, OutOfOrderWindow: 30 * day})
	if err != nil {
		t.Fatal(err)
	}
	handler, err := promwrite.New(promwrite.Deps{Admission: admission})
	if err != nil {
		t.Fatal(err)
	}
	c := newClient("http://signalbox")
	c.http = &http.Client{Transport: handled{handler}}
	now := time.Now().Truncate(time.Second)

	// Live data come first: the span metrics go on under the history's labels.
	h := newHistory(now, 28*day, 20, 1)
	live := flow{Flow: simulate.Flow{Service: simulate.FileServer, Region: mainRegion, Version: simulate.StableVersion(simulate.FileServer, mainRegion), Route: "/files/{id}", Kind: "server"}}
	counter := series{Labels: spanLabels("_count", live, "ok", "")}
	for i := range 5 {
		counter.Samples = append(counter.Samples, prompb.Sample{Timestamp: now.Add(time.Duration(i+1) * 5 * time.Second).UnixMilli(), Value: float64(50 * (i + 1))})
	}
	if err := c.write(t.Context(), []series{counter}); err != nil {
		t.Fatal(err)
	}
	start, total := time.Now(), 0
	for batch := range batches(h.all(), samplesPerPush) {
		if err := c.write(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
		for _, s := range batch {
			total += len(s.Samples)
		}
	}
	t.Logf("%d samples in %s", total, time.Since(start))

	engine := promql.NewEngine(promql.EngineOpts{
		MaxSamples: 50_000_000, Timeout: time.Minute, Logger: slog.New(slog.DiscardHandler),
		Parser: parser.NewParser(parser.Options{EnableExtendedRangeSelectors: true}),
	})
	defer engine.Close()
	value := func(query string) float64 {
		t.Helper()
		q, err := engine.NewInstantQuery(t.Context(), store, nil, query, now.Add(30*time.Second))
		if err != nil {
			t.Fatal(err)
		}
		defer q.Close()
		v, err := q.Exec(t.Context()).Vector()
		if err != nil || len(v) != 1 {
			t.Fatalf("%s: %d series, %v", query, len(v), err)
		}
		return v[0].F
	}
	// From sample to sample, as SLOs count: plain increase adds half a step to each version that ended.
	for service, want := range budgetUsed() {
		sel := `http_server_request_duration_seconds_count{service="` + service + `"`
		used := value(`sum(increase(`+sel+`,http_response_status_code=~"5.."}[28d] anchored))/sum(increase(`+sel+`}[28d] anchored))`) / (1 - availability)
		if math.Abs(used-want) > 0.03 {
			t.Errorf("%s has used %.3f of its budget, want %.2f", service, used, want)
		}
	}
	// 20 requests a second × 0.65, rising to 1 in the last ten minutes, × the share of requests that need a file, and the live 250: no jump at the seam.
	seam := value(`sum(increase(signalbox_span_duration_seconds_count{service="file-server",route="/files/{id}",kind="server"}[1h]))`)
	perRequest := 0.0
	for _, f := range h.flows {
		if f.Service == simulate.FileServer && f.Route == "/files/{id}" {
			perRequest += f.PerRequest
		}
	}
	want := 20*perRequest*(calmTraffic*(3000-30)+(1+calmTraffic)/2*600) + 250
	if math.Abs(seam-want)/want > 0.03 {
		t.Errorf("%.0f files served in the last hour across the seam, want %.0f", seam, want)
	}
}
