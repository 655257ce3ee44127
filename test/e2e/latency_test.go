package e2e

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/prometheus/prompb"

	"github.com/signalbox-project/signalbox/internal/model"
)

var (
	latencyTrials  = flag.Int("latency-trials", 10, "how many services TestConditionToWebhook makes fail, one after the other")
	latencyFleet   = flag.Int("latency-services", 200, "how many of them one server watches; the rest has another server, one after the other")
	latencyWatched = flag.Int("latency-slos", 0, "how many services with an SLO each such a server watches, if more than there are trials")
	latencyRouting = flag.String("latency-routing", "", "an alertmanager.yml for TestConditionToWebhook; its first receiver gets the webhook (default: the built-in tree)")
)

// fleet is a number of services with an SLO each, scraped every 15 s.
type fleet struct {
	t  *testing.T
	s  *server
	mu sync.Mutex
	// good and bad are the services' counters.
	good, bad []float64
	last      []time.Time
}

func newFleet(t *testing.T, s *server, n int) *fleet {
	return &fleet{t: t, s: s, good: make([]float64, n), bad: make([]float64, n), last: make([]time.Time, n)}
}

func serviceName(i int) string { return fmt.Sprintf("svc-%04d", i) }

// scrape writes one sample of each counter of every parts-th service, as a
// Prometheus server does.
func (f *fleet) scrape(at time.Time, part, parts int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []series
	for i := part; i < len(f.good); i += parts {
		f.good[i] += perSecond * at.Sub(f.last[i]).Seconds()
		f.last[i] = at
		all = append(all, f.series(i, at)...)
	}
	if len(all) > 0 {
		write(f.t, f.s, all...)
	}
}

func (f *fleet) series(i int, at time.Time) []series {
	d := frontDoor{service: serviceName(i)}
	return d.series([]prompb.Sample{sample(at, f.good[i])}, []prompb.Sample{sample(at, f.bad[i])})
}

// fail makes 700 requests of a service fail in one sample: with 36,000 in the last hour, 19×.
func (f *fleet) fail(i int) (sent, acknowledged time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.bad[i] += 700
	body := remoteWrite(f.t, f.series(i, time.Now())...)
	sent = time.Now()
	if status, text, _ := f.s.request(http.MethodPost, "/api/v1/write", protobuf, body); status/100 != 2 {
		f.t.Fatalf("write: %d %s", status, text)
	}
	return sent, time.Now()
}

// history writes two hours of each service.
func (f *fleet) history(now time.Time) {
	const step = time.Minute
	for from := 0; from < len(f.good); from += 100 {
		var all []series
		for i := from; i < min(from+100, len(f.good)); i++ {
			var good, bad []prompb.Sample
			for at := now.Add(-2 * time.Hour); !at.After(now); at = at.Add(step) {
				f.good[i] += perSecond * step.Seconds()
				good, bad = append(good, sample(at, f.good[i])), append(bad, sample(at, 0))
			}
			d := frontDoor{service: serviceName(i)}
			f.last[i] = now
			all = append(all, d.series(good, bad)...)
		}
		write(f.t, f.s, all...)
	}
}

// TestConditionToWebhook measures how long after the acknowledgement of the
// samples that make a burn alert true its page arrives. Every trial has a
// service, an SLO and an alert group of its own, and begins at a random moment.
func TestConditionToWebhook(t *testing.T) {
	var sent, acknowledged []time.Duration
	for left := *latencyTrials; left > 0; left -= *latencyFleet {
		t.Run("server", func(t *testing.T) {
			a, b := conditionToWebhook(t, min(left, *latencyFleet))
			sent, acknowledged = append(sent, a...), append(acknowledged, b...)
		})
	}
	if t.Failed() {
		return
	}
	slices.Sort(sent)
	slices.Sort(acknowledged)
	t.Logf("%d trials, %d SLOs a server", len(sent), max(*latencyWatched, min(*latencyTrials, *latencyFleet)))
	t.Logf("acknowledged → webhook: %s", quantiles(acknowledged))
	t.Logf("sent → webhook:         %s", quantiles(sent))
	// The race detector slows everything; the promise holds for the product.
	if p95 := acknowledged[(len(acknowledged)*95-1)/100]; p95 >= time.Second && !raceDetector {
		t.Errorf("P95 is %s, promised is less than 1 s", p95)
	}
}

// conditionToWebhook runs one server's trials.
func conditionToWebhook(t *testing.T, n int) (fromSent, fromAck []time.Duration) {
	paged := make(chan page, 4*n)
	hook := pageCatcher(t, paged)
	watched := max(n, *latencyWatched)
	f := newFleet(t, start(t, asShipped(t, watched, hook)), watched)
	f.history(time.Now().Truncate(time.Second))
	settled(t, f.s, watched)

	ctx, stop := context.WithCancel(t.Context())
	var scraping sync.WaitGroup
	defer scraping.Wait()
	defer stop()
	scraping.Go(func() { f.keepScraping(ctx) })
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range n {
		pause(t, time.Duration(rng.Float64()*float64(300*time.Millisecond)))
		sent, acknowledged := f.fail(i)
		at := awaitPage(t, paged, serviceName(i), 30*time.Second)
		fromSent, fromAck = append(fromSent, at.Sub(sent)), append(fromAck, at.Sub(acknowledged))
	}
	return fromSent, fromAck
}

type page struct {
	service string
	at      time.Time
}

// pageCatcher is a webhook that says when the first page about each service came.
func pageCatcher(t *testing.T, paged chan<- page) string {
	t.Helper()
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		at := time.Now()
		var n notification
		if err := json.NewDecoder(r.Body).Decode(&n); err != nil {
			t.Errorf("webhook: %v", err)
		}
		for _, a := range n.Alerts {
			if a.Status == "firing" && a.Labels["severity"] == "critical" {
				select {
				case paged <- page{a.Labels["service"], at}:
				default:
				}
			}
		}
	}))
	t.Cleanup(hook.Close)
	return hook.URL
}

func awaitPage(t *testing.T, paged <-chan page, service string, limit time.Duration) time.Time {
	t.Helper()
	timeout := time.NewTimer(limit)
	defer timeout.Stop()
	for {
		select {
		case p := <-paged:
			if p.service == service {
				return p.at
			}
		case <-timeout.C:
			t.Fatalf("no page about %s within %s", service, limit)
		}
	}
}

// asShipped is the program as shipped, with n SLOs and a webhook.
func asShipped(t *testing.T, n int, hook string) options {
	t.Helper()
	dir := t.TempDir()
	text, err := os.ReadFile("testdata/incident/edge.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const perFile = 500
	for from := 0; from < n; from += perFile {
		var documents strings.Builder
		for i := from; i < min(from+perFile, n); i++ {
			fmt.Fprintf(&documents, "---\n"+string(text), serviceName(i))
		}
		writeFile(t, filepath.Join(dir, fmt.Sprintf("slos-%d.yaml", from/perFile)), documents.String())
	}
	routing := filepath.Join(dir, "alertmanager.yml")
	if *latencyRouting == "" {
		shippedRouting(t, routing, hook)
	} else {
		tree, err := os.ReadFile(*latencyRouting)
		if err != nil {
			t.Fatal(err)
		}
		webhook := fmt.Sprintf("- {name: on-call, webhook_configs: [{url: %q}]}", hook)
		writeFile(t, routing, strings.Replace(string(tree), "- name: on-call", webhook, 1))
	}
	return options{config: fmt.Sprintf("alertmanager_file: %s\nslo_files: [%q]\nmetrics: {out_of_order_window: 1d}\n", routing, filepath.Join(dir, "slos-*.yaml"))}
}

// settled waits until every SLO is judged well.
func settled(t *testing.T, s *server, n int) {
	t.Helper()
	within(t, 20*time.Minute, func() error {
		var list struct {
			SLOs []model.SLOStatus `json:"slos"`
		}
		s.get("/sb/v1/slos", nil, &list)
		states := map[model.SLOState]int{}
		for _, o := range list.SLOs {
			states[o.State]++
		}
		if states[model.SLOOK] != n {
			return fmt.Errorf("of %d SLOs: %v", n, states)
		}
		return nil
	})
}

// keepScraping writes every service's counters every 15 s, spread over them.
func (f *fleet) keepScraping(ctx context.Context) {
	const parts = 15
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for part := 0; ; part = (part + 1) % parts {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		f.scrape(time.Now(), part, parts)
	}
}

// pause waits: a trial must not begin right after what the one before caused.
func pause(t *testing.T, d time.Duration) {
	t.Helper()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.Context().Done():
	}
}

func quantiles(sorted []time.Duration) string {
	at := func(percent int) time.Duration {
		return sorted[(len(sorted)*percent+99)/100-1].Round(time.Millisecond)
	}
	return fmt.Sprintf("P50 %s, P95 %s, P99 %s, max %s", at(50), at(95), at(99), at(100))
}
