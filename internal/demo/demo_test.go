package demo

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang/snappy"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/prompb"
	"go.uber.org/goleak"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/simulate"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var end = time.Date(2026, 11, 18, 15, 30, 7, 0, time.UTC)

// past is made once: it is the same for the same end and seed.
var past = sync.OnceValue(func() []series { return newHistory(end, 28*day, 20, 1).all() })

func label(s series, name string) string {
	for _, l := range s.Labels {
		if l.Name == name {
			return l.Value
		}
	}
	return ""
}

func TestHistoryIsSmallSortedAndGoesOnlyUp(t *testing.T) {
	total := 0
	last := map[string]int64{} // by label set: far and near parts may share one
	for _, s := range past() {
		total += len(s.Samples)
		if !slices.IsSortedFunc(s.Labels, func(a, b prompb.Label) int { return strings.Compare(a.Name, b.Name) }) {
			t.Fatalf("labels are not sorted: %v", s.Labels)
		}
		id := ""
		for _, l := range s.Labels {
			id += l.Name + "=" + l.Value + ","
		}
		counter := strings.HasSuffix(label(s, "__name__"), "_count") || strings.HasSuffix(label(s, "__name__"), "_bucket") || strings.HasSuffix(label(s, "__name__"), "_sum")
		for i, p := range s.Samples {
			if p.Timestamp <= last[id] {
				t.Fatalf("%s: sample at %d follows one at %d", id, p.Timestamp, last[id])
			}
			last[id] = p.Timestamp
			if p.Timestamp > end.UnixMilli() || p.Timestamp < end.Add(-28*day-farStep).UnixMilli() {
				t.Fatalf("%s: a sample outside the history: %d", id, p.Timestamp)
			}
			if counter && i > 0 && p.Value < s.Samples[i-1].Value {
				t.Fatalf("%s: a counter fell from %g to %g", id, s.Samples[i-1].Value, p.Value)
			}
		}
	}
	t.Logf("%d series, %d samples", len(past()), total)
	if total > 1_050_000 || total < 500_000 {
		t.Errorf("%d samples, want little more than a million", total)
	}
}

func TestBucketsNeverExceedTheirCount(t *testing.T) {
	counts := map[string]float64{}
	key := func(s series, kind string) string {
		id := strings.TrimSuffix(label(s, "__name__"), kind)
		for _, l := range s.Labels {
			if l.Name != "le" && l.Name != "__name__" {
				id += "," + l.Value
			}
		}
		return id
	}
	final := func(s series) float64 { return s.Samples[len(s.Samples)-1].Value }
	for _, s := range past() {
		if strings.HasSuffix(label(s, "__name__"), "_count") {
			counts[key(s, "_count")] += final(s)
		}
	}
	for _, s := range past() {
		if strings.HasSuffix(label(s, "__name__"), "_bucket") && final(s) > counts[key(s, "_bucket")] {
			t.Errorf("bucket %v counts %g of %g", s.Labels, final(s), counts[key(s, "_bucket")])
		}
	}
}

// increase sums what the selected counters grew by, resets included.
func increase(match func(series) bool) float64 {
	sum := 0.0
	for _, s := range past() {
		if match(s) {
			sum += s.Samples[len(s.Samples)-1].Value - s.Samples[0].Value
		}
	}
	return sum
}

func TestBudgetsComeOutAsIntended(t *testing.T) {
	for service, want := range budgetUsed() {
		requests := func(s series) bool {
			return label(s, "__name__") == "http_server_request_duration_seconds_count" && label(s, "service") == service
		}
		total := increase(requests)
		bad := increase(func(s series) bool { return requests(s) && label(s, "http_response_status_code") == "500" })
		used := bad / total / (1 - availability)
		if math.Abs(used-want) > 0.03 {
			t.Errorf("%s has used %.3f of its budget by HTTP metrics, want %.2f", service, used, want)
		}
		spans := func(s series) bool {
			return label(s, "__name__") == "signalbox_span_duration_seconds_count" && label(s, "service") == service && label(s, "kind") == "server"
		}
		used = increase(func(s series) bool { return spans(s) && label(s, "status") == "error" }) / increase(spans) / (1 - availability)
		if math.Abs(used-want) > 0.03 {
			t.Errorf("%s has used %.3f of its budget by span metrics, want %.2f", service, used, want)
		}
	}
}

func TestLatencySLOsHoldInTheHistory(t *testing.T) {
	for _, tc := range []struct {
		name, metric, service, route, le string
		least                            float64
	}{
		{"layouts in the region", "http_server_request_duration_seconds", simulate.Layout, "/layouts/{id}", "0.3", 0.95},
		{"layouts across regions", "http_server_request_duration_seconds", simulate.Layout, "/remote/layouts/{id}", "0.6", 0.95},
		{"files", "signalbox_span_duration_seconds", simulate.FileServer, "/files/{id}", "0.5", 0.95},
		{"authorise", "http_server_request_duration_seconds", simulate.AccessControl, "/authorize", "0.1", 0.95},
	} {
		in := func(suffix, le string) float64 {
			return increase(func(s series) bool {
				route := label(s, "route") + label(s, "http_route")
				return label(s, "__name__") == tc.metric+suffix && label(s, "service") == tc.service && route == tc.route && label(s, "le") == le && label(s, "kind") != "consumer"
			})
		}
		good := in("_bucket", tc.le) / in("_count", "")
		used := (1 - good) / (1 - tc.least)
		t.Logf("%s: %.4f good, %.2f of the budget used", tc.name, good, used)
		if used < 0.05 || used > 0.9 {
			t.Errorf("%s: %.2f of the budget used, want a believable share", tc.name, used)
		}
	}
}

func TestTrafficOfTheLastHourLeadsIntoTheLiveRate(t *testing.T) {
	from := end.Add(-time.Hour).UnixMilli()
	sum := 0.0
	for _, s := range past() {
		if label(s, "__name__") != "http_server_request_duration_seconds_count" || label(s, "service") != simulate.Edge {
			continue
		}
		i, _ := slices.BinarySearchFunc(s.Samples, from, func(p prompb.Sample, t int64) int { return int(p.Timestamp - t) })
		if i < len(s.Samples) {
			sum += s.Samples[len(s.Samples)-1].Value - s.Samples[i].Value
		}
	}
	want := 20 * (calmTraffic*50 + (1+calmTraffic)/2*10) / 60 // ten minutes of it rise to the live rate
	if rps := sum / 3600; rps < want*0.97 || rps > want*1.03 {
		t.Errorf("the edge served %.2f requests a second in the last hour of the history, want %.1f", rps, want)
	}
	if gap := end.Sub(time.UnixMilli(lastSample())); gap < 0 || gap > latestStep {
		t.Errorf("the history ends %s before now", gap)
	}
}

func lastSample() (last int64) {
	for _, s := range past() {
		last = max(last, s.Samples[len(s.Samples)-1].Timestamp)
	}
	return last
}

func TestPastReleasesEndWithWhatRunsNow(t *testing.T) {
	deploys := pastDeploys(end)
	newest := map[string]string{}
	rollbacks := 0
	for _, d := range deploys {
		if !d.Time.Before(end) {
			t.Errorf("%s %s is not in the past", d.Service, d.Version)
		}
		newest[d.Service] = d.Version
		if d.Kind == "rollback" {
			rollbacks++
		}
	}
	for _, s := range simulate.Services() {
		if newest[s] != simulate.StableVersion(s, mainRegion) {
			t.Errorf("%s was last released as %s, runs %s", s, newest[s], simulate.StableVersion(s, mainRegion))
		}
	}
	if rollbacks != 3 {
		t.Errorf("%d roll-backs", rollbacks)
	}
}

func TestGoodEventsAreWrittenBeforeAllAndBadOnesLast(t *testing.T) {
	before := 0
	for _, s := range past() {
		r := rank(s)
		if r < before {
			t.Fatalf("%v comes too late", s.Labels)
		}
		before = r
	}
}

func TestBatchesCarryEverySampleOnceInOrder(t *testing.T) {
	var in []series
	for i := range 7 {
		s := series{Labels: labels("__name__", string(rune('a'+i)))}
		for j := range 13 * (i + 1) {
			s.Samples = append(s.Samples, prompb.Sample{Timestamp: int64(j), Value: float64(i)})
		}
		in = append(in, s)
	}
	got := map[string][]int64{}
	for b := range batches(in, 20) {
		n := 0
		for _, s := range b {
			n += len(s.Samples)
			for _, p := range s.Samples {
				got[s.Labels[0].Value] = append(got[s.Labels[0].Value], p.Timestamp)
			}
		}
		if n > 20 {
			t.Errorf("a batch of %d samples", n)
		}
	}
	for _, s := range in {
		var want []int64
		for _, p := range s.Samples {
			want = append(want, p.Timestamp)
		}
		if diff := cmp.Diff(want, got[s.Labels[0].Value]); diff != "" {
			t.Error(diff)
		}
	}
}

func TestWriteConfigKeepsWhatTheUserEdited(t *testing.T) {
	dir := t.TempDir()
	path, err := WriteConfig(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := WriteConfig(dir); err != nil {
		t.Fatal(err)
	}
	text, _ := os.ReadFile(path)
	if _, err := os.Stat(filepath.Join(dir, "slos", "edge.yaml")); err != nil || string(text) != "mine" {
		t.Errorf("config %q, slos/edge.yaml: %v", text, err)
	}
}

// server is a Signalbox that a test scripts; it is called without a network.
type server struct {
	mu       sync.Mutex
	refuse   int // remote writes to answer 429 first
	samples  int
	begun    bool
	complete bool
	deploys  []model.Deploy
	gate     func(model.GateRequest) model.Verdict
	pages    func() []model.Page
}

func (s *server) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	s.mu.Lock()
	defer s.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	answer := func(v any) { json.NewEncoder(w).Encode(v) }
	switch r.URL.Path {
	case "/-/ready":
	case "/api/v1/query":
		var result []any
		q := r.URL.Query().Get("query")
		if s.complete && strings.Contains(q, "complete") || s.begun && strings.Contains(q, "begun") {
			result = []any{1}
		}
		answer(map[string]any{"data": map[string]any{"result": result}})
	case "/api/v1/write":
		if s.refuse > 0 {
			s.refuse--
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			break
		}
		raw, _ := snappy.Decode(nil, body)
		var req prompb.WriteRequest
		if err := req.Unmarshal(raw); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			break
		}
		for _, ts := range req.Timeseries {
			s.samples += len(ts.Samples)
			s.begun = s.begun || label(ts, "state") == "begun"
			s.complete = s.complete || label(ts, "state") == "complete"
		}
		w.WriteHeader(http.StatusNoContent)
	case "/sb/v1/deploys":
		var d model.Deploy
		json.Unmarshal(body, &d)
		s.deploys = append(s.deploys, d)
		w.WriteHeader(http.StatusCreated)
		answer(d)
	case "/sb/v1/gate":
		var q model.GateRequest
		json.Unmarshal(body, &q)
		answer(model.GateDecision{ID: "g1", Request: q, Verdict: s.gate(q), Summary: "because."})
	case "/sb/v1/pages":
		answer(map[string]any{"pages": s.pages()})
	case "/sb/v1/slos":
		answer(map[string]any{"slos": []model.SLOStatus{}})
	default:
		w.WriteHeader(http.StatusNotFound)
	}
	resp := w.Result()
	resp.Request = r
	return resp, nil
}

func (s *server) client() *client {
	c := newClient("http://signalbox")
	c.http = &http.Client{Transport: s}
	return c
}

func TestHistoryIsWrittenOnceAndInFullThroughAnOverload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{refuse: 5}
		cfg := DefaultConfig()
		cfg.History, cfg.HistoryTraces = 3*day, 0
		d := &Demo{cfg: cfg, log: slog.New(slog.DiscardHandler), server: s.client(), replay: simulate.Replay}
		now := time.Now()
		if written, err := d.past(t.Context(), now); err != nil || !written {
			t.Fatal(written, err)
		}
		want := 2 // the markers
		for _, x := range newHistory(now.Truncate(time.Second), cfg.History, cfg.Simulate.TargetRPS, cfg.Simulate.Seed).all() {
			want += len(x.Samples)
		}
		if s.samples != want || !s.complete || len(s.deploys) == 0 {
			t.Errorf("%d samples of %d arrived, complete %v, %d deployments", s.samples, want, s.complete, len(s.deploys))
		}
		if written, err := d.past(t.Context(), now); err != nil || written || s.samples != want {
			t.Errorf("a second start wrote again: %d samples, %v", s.samples, err)
		}
	})
}

func TestAnInterruptedHistoryIsNotWrittenTwice(t *testing.T) {
	s := &server{begun: true}
	d := &Demo{cfg: DefaultConfig(), log: slog.New(slog.DiscardHandler), server: s.client()}
	if written, err := d.past(t.Context(), end); err != nil || written || s.samples != 0 {
		t.Errorf("%d samples were written over an incomplete history, %v", s.samples, err)
	}
}

// stage is a simulated platform that remembers what was done to it.
type stage struct {
	mu    sync.Mutex
	fault *simulate.Fault
	at    time.Time
}

func (p *stage) Inject(f simulate.Fault) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault, p.at = &f, time.Now()
	return nil
}

func (p *stage) Clear(string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = nil
}

func (p *stage) Version(service string) string {
	return simulate.StableVersion(service, mainRegion)
}

func (p *stage) burning() (string, time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fault == nil {
		return "", 0
	}
	return p.fault.Service, time.Since(p.at)
}

func TestTheStoryRunsFromReleaseToRecovery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told strings.Builder
		p := &stage{}
		var page *model.Page
		s := &server{}
		s.gate = func(q model.GateRequest) model.Verdict {
			if service, since := p.burning(); service == q.Service && since > time.Minute {
				return model.VerdictBlock
			}
			return model.VerdictAllow
		}
		s.pages = func() []model.Page {
			service, since := p.burning()
			if service != "" && since > 80*time.Second && page == nil {
				page = &model.Page{ID: "p1", Severity: "critical", Status: "firing", Service: service, Title: "SLOBurnRateFast edge", Updated: time.Now()}
			}
			if page == nil {
				return nil
			}
			if service == "" {
				page.Status = "resolved"
			}
			return []model.Page{*page}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		cfg := DefaultConfig()
		cfg.Pause = time.Hour
		newStory(cfg, slog.New(slog.NewTextHandler(&told, nil)), s.client(), p, time.Now()).run(ctx)

		text := told.String()
		at := -1
		for _, want := range []string{"the gate allowed edge 2.5.0", "the primary is paged", "the gate blocks it", "rolled back to 2.4.1", "has recovered"} {
			i := strings.Index(text, want)
			if i <= at {
				t.Fatalf("%q is missing or told too early:\n%s", want, text)
			}
			at = i
		}
		var kinds []string
		for _, d := range s.deploys {
			kinds = append(kinds, d.Kind+" "+d.Version)
		}
		if diff := cmp.Diff([]string{"deploy 2.5.0", "rollback 2.4.1"}, kinds); diff != "" {
			t.Error(diff)
		}
		if f, _ := p.burning(); f != "" {
			t.Error("the bad version still runs")
		}
	})
}

func TestTheStoryMovesOnToAnotherServiceEachTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{pages: func() []model.Page { return nil }, gate: func(model.GateRequest) model.Verdict { return model.VerdictAllow }}
		ctx, cancel := context.WithTimeout(t.Context(), 54*time.Minute)
		defer cancel()
		newStory(DefaultConfig(), slog.New(slog.DiscardHandler), s.client(), &stage{}, time.Now()).run(ctx)
		released := map[string]int{}
		for _, d := range s.deploys {
			if d.Kind == "deploy" {
				released[d.Service]++
			}
		}
		if len(released) < 4 {
			t.Errorf("released %v, want several services", released)
		}
		for service, n := range released {
			if n > 1 {
				t.Errorf("%s was released %d times within the hour that its burn is remembered", service, n)
			}
		}
	})
}

func TestTheStoryObeysTheGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &stage{}
		asked := map[string]bool{}
		s := &server{pages: func() []model.Page { return nil }, gate: func(q model.GateRequest) model.Verdict {
			asked[q.Service] = true
			return model.VerdictBlock
		}}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		newStory(DefaultConfig(), slog.New(slog.DiscardHandler), s.client(), p, time.Now()).run(ctx)
		if len(asked) != 5 || len(s.deploys) != 0 {
			t.Errorf("asked about %d services, released %d times although the gate blocks all", len(asked), len(s.deploys))
		}
	})
}
