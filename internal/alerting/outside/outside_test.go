package outside

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	promconfig "github.com/prometheus/prometheus/config"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
)

// pipeline is the one of the process.
type pipeline struct {
	mu  sync.Mutex
	got int
	err error
}

func (p *pipeline) Send(_ context.Context, alerts ...notify.Alert) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.got += len(alerts)
	return p.err
}

type received struct {
	Labels, Annotations map[string]string
	StartsAt, EndsAt    time.Time
	GeneratorURL        string
}

// alertmanager passes on what it is sent.
func alertmanager(t *testing.T) (address string, got chan received) {
	t.Helper()
	got = make(chan received, 100)
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var alerts []received
		if err := json.NewDecoder(r.Body).Decode(&alerts); err != nil || r.URL.Path != "/api/v2/alerts" {
			t.Errorf("%s: %v", r.URL.Path, err)
		}
		for _, a := range alerts {
			got <- a
		}
	}))
	t.Cleanup(srv.Close)
	return strings.TrimPrefix(srv.URL, "http://"), got
}

func load(t *testing.T, text string) *promconfig.Config {
	t.Helper()
	c, err := promconfig.Load(text, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func start(t *testing.T, next notify.Sender, text string) *Sender {
	t.Helper()
	s, err := New(Deps{Next: next, Registerer: prometheus.NewRegistry(), ExternalLabels: map[string]string{"region": "eu"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Apply(load(t, text)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return s
}

// found waits until so many Alertmanagers are known: discovery gathers for some seconds.
func found(t *testing.T, s *Sender, n int) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	late := time.After(time.Minute)
	for len(s.Alertmanagers()) != n {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("%d Alertmanagers, want %d", len(s.Alertmanagers()), n)
		}
	}
}

func alert(name string) notify.Alert {
	return notify.Alert{
		Labels: model.Labels{"alertname": name, "service": "edge"}, Annotations: model.Labels{"summary": "S."},
		StartsAt: time.Unix(100, 0).UTC(), EndsAt: time.Unix(200, 0).UTC(), GeneratorURL: "http://box/x",
	}
}

func TestEveryAlertAlsoReachesTheAlertmanagersOfTheSection(t *testing.T) {
	address, got := alertmanager(t)
	p := &pipeline{}
	s := start(t, p, `
alerting:
  alert_relabel_configs:
  - {source_labels: [alertname], regex: Quiet, action: drop}
  - {target_label: replica, replacement: a}
  alertmanagers:
  - static_configs: [{targets: ["`+address+`"]}]
  - static_configs: [{targets: ["127.0.0.1:9"]}]
`)
	found(t, s, 2)
	if err := s.Send(t.Context(), alert("Quiet"), alert("Loud")); err != nil {
		t.Fatal(err)
	}
	want := received{
		Labels:      map[string]string{"alertname": "Loud", "service": "edge", "region": "eu", "replica": "a"},
		Annotations: map[string]string{"summary": "S."}, StartsAt: time.Unix(100, 0).UTC(), EndsAt: time.Unix(200, 0).UTC(), GeneratorURL: "http://box/x",
	}
	select {
	case a := <-got:
		if d := cmp.Diff(want, a); d != "" {
			t.Error(d)
		}
	case <-time.After(time.Minute):
		t.Fatal("nothing arrived")
	}
	if p.got != 2 {
		t.Errorf("the own pipeline got %d", p.got)
	}
	// The pipeline's failure is the sender's to know, and the outside hears all the same.
	p.err = errors.New("full")
	if err := s.Send(t.Context(), alert("Second")); !errors.Is(err, p.err) {
		t.Errorf("%v", err)
	}
	if a := <-got; a.Labels["alertname"] != "Second" {
		t.Errorf("%+v", a)
	}

	// A reload to nobody ends it.
	if err := s.Apply(load(t, "")); err != nil {
		t.Fatal(err)
	}
	found(t, s, 0)
	if len(s.DroppedAlertmanagers()) != 0 {
		t.Errorf("%v", s.DroppedAlertmanagers())
	}
}

func TestASenderNeedsAPipelineAndMetricsOfItsOwn(t *testing.T) {
	if _, err := New(Deps{}); err == nil {
		t.Error("without a pipeline")
	}
	reg := prometheus.NewRegistry()
	if _, err := New(Deps{Next: &pipeline{}, Registerer: reg}); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Deps{Next: &pipeline{}, Registerer: reg}); err == nil || !strings.Contains(err.Error(), "already registered") {
		t.Errorf("%v", err)
	}
}
