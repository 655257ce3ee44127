package pagerduty

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/state"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// pipeline holds alerts by their labels, as Alertmanager does.
type pipeline struct {
	mu   sync.Mutex
	fail error
	ends map[string]time.Time
	last map[string]notify.Alert
}

func (p *pipeline) Send(_ context.Context, alerts ...notify.Alert) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fail != nil {
		return p.fail
	}
	for _, a := range alerts {
		key := fmt.Sprint(a.Labels)
		p.ends[key], p.last[key] = a.EndsAt, a
	}
	return nil
}

func (p *pipeline) firing(now time.Time) (out []notify.Alert) {
	for key, end := range p.ends {
		if end.After(now) {
			out = append(out, p.last[key])
		}
	}
	return out
}

type fixture struct {
	*Intake
	pipeline *pipeline
	state    *state.Store
	now      time.Time
	records  []model.AuditEntry
}

func setup(t *testing.T) *fixture {
	t.Helper()
	s, err := state.Open(t.Context(), state.Config{Dir: t.TempDir()}, state.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	f := &fixture{pipeline: &pipeline{ends: map[string]time.Time{}, last: map[string]notify.Alert{}}, state: s, now: start}
	f.Intake, err = New(Deps{
		Registerer: prometheus.NewRegistry(), Sender: f.pipeline, Documents: s, Pages: s, Deploys: s, Now: func() time.Time { return f.now },
		Record: func(_ context.Context, e model.AuditEntry) { f.records = append(f.records, e) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *fixture) take(t *testing.T, ctx context.Context, action, key, dedup, severity string) string {
	t.Helper()
	e := Event{RoutingKey: key, Action: action, DedupKey: dedup}
	if action == Trigger {
		e.Payload = &Payload{Summary: dedup + " is down", Source: "host", Severity: severity}
	}
	got, err := f.Take(ctx, e)
	if err != nil {
		t.Fatalf("%s %s: %v", action, dedup, err)
	}
	return got
}

func TestAnAlertLivesFromItsTriggerToItsResolve(t *testing.T) {
	f, ctx := setup(t), t.Context()
	if got := f.take(t, ctx, Resolve, "k", "a", ""); got != "a" || len(f.pipeline.last) != 0 {
		t.Error("the end of nothing is taken and does nothing")
	}
	f.take(t, ctx, Trigger, "k", "a", "error")
	f.now = start.Add(time.Hour)
	f.take(t, ctx, Trigger, "k", "a", "error")
	firing := f.pipeline.firing(f.now)
	if len(firing) != 1 || !firing[0].StartsAt.Equal(start) || firing[0].Labels["severity"] != "error" || firing[0].Annotations["summary"] != "a is down" {
		t.Fatalf("firing %+v", firing)
	}
	f.take(t, ctx, Trigger, "k2", "a", "error") // another integration's
	if n := len(f.pipeline.firing(f.now)); n != 2 {
		t.Errorf("%d alerts of two senders", n)
	}
	f.take(t, ctx, Trigger, "k", "a", "critical") // worse: routed anew
	firing = f.pipeline.firing(f.now)
	if len(firing) != 2 {
		t.Errorf("firing %+v", firing)
	}
	f.take(t, ctx, Resolve, "k", "a", "")
	if firing = f.pipeline.firing(f.now); len(firing) != 1 || firing[0].Labels[labelIntegration] != senderOf(ctx, "k2").shown {
		t.Errorf("after the end of k's: %+v", firing)
	}
	if one, two := f.take(t, ctx, Trigger, "k", "", "info"), f.take(t, ctx, Trigger, "k", "", "info"); one == two || one == "" {
		t.Errorf("keys that were made: %q %q", one, two)
	}
}

func TestAnAlertThatNobodyResolvesEndsAfterAWeek(t *testing.T) {
	f, ctx := setup(t), t.Context()
	f.take(t, ctx, Trigger, "k", "a", "error")
	f.now = start.Add(lifetime - time.Minute)
	if len(f.pipeline.firing(f.now)) != 1 {
		t.Error("it ended early")
	}
	f.now = start.Add(lifetime + 2*time.Hour)
	if len(f.pipeline.firing(f.now)) != 0 {
		t.Error("it did not end")
	}
	f.take(t, ctx, Trigger, "k", "b", "error")
	docs, _, err := f.state.Documents(ctx, store.DocumentQuery{Kind: kind, Limit: 10})
	if err != nil || len(docs) != 1 {
		t.Errorf("%d documents: what ended by itself is forgotten (%v)", len(docs), err)
	}
}

func TestAnEndThatWasNotKeptIsSentAgain(t *testing.T) {
	f, ctx := setup(t), t.Context()
	f.take(t, ctx, Trigger, "k", "a", "error")
	f.pipeline.fail = errors.New("disk")
	if _, err := f.Take(ctx, Event{RoutingKey: "k", Action: Resolve, DedupKey: "a"}); err == nil {
		t.Fatal("an end that was not kept was acknowledged")
	}
	f.pipeline.fail = nil
	f.take(t, ctx, Resolve, "k", "a", "")
	if len(f.pipeline.firing(f.now)) != 0 {
		t.Error("the second try did not end it")
	}
}

// pageOf is a page as the recorder makes it, with everything that fires.
func (f *fixture) pageOf(t *testing.T, id string, more ...model.PageAlert) {
	t.Helper()
	p := model.Page{ID: id, DedupKey: id, Time: f.now, Updated: f.now, Status: "firing", Alerts: more}
	for _, a := range f.pipeline.firing(f.now) {
		ls := model.Labels{"cluster": "added by the pipeline"}
		for k, v := range a.Labels {
			ls[k] = v
		}
		p.Alerts = append(p.Alerts, model.PageAlert{Labels: ls, Status: "firing"})
	}
	if err := f.state.SavePage(t.Context(), p); err != nil {
		t.Fatal(err)
	}
}

func TestAPageIsAcknowledgedOnceAllOfItIs(t *testing.T) {
	f, ctx := setup(t), t.Context()
	f.take(t, ctx, Trigger, "k", "a", "error")
	f.take(t, ctx, Trigger, "k", "b", "error")
	f.pageOf(t, "p")
	f.take(t, ctx, Acknowledge, "k", "a", "")
	if p, _ := f.state.Page(ctx, "p"); p.AckedBy != "" {
		t.Fatal("b would wait for nobody")
	}
	f.take(t, ctx, Acknowledge, "other", "b", "") // not its own
	if p, _ := f.state.Page(ctx, "p"); p.AckedBy != "" {
		t.Fatal("another sender acknowledged it")
	}
	f.take(t, ctx, Acknowledge, "k", "b", "")
	p, err := f.state.Page(ctx, "p")
	if err != nil || p.AckedBy != "pagerduty:"+senderOf(ctx, "k").shown || len(f.records) != 1 || f.records[0].Action != "page.ack" {
		t.Errorf("acked by %q, %d audit entries, %v", p.AckedBy, len(f.records), err)
	}
}

func TestAPageWithAlertsOfOthersIsNotAcknowledged(t *testing.T) {
	f, ctx := setup(t), t.Context()
	f.take(t, ctx, Trigger, "k", "a", "error")
	f.pageOf(t, "p", model.PageAlert{Status: "firing", Labels: model.Labels{"alertname": "Burn"}})
	f.take(t, ctx, Acknowledge, "k", "a", "")
	if p, _ := f.state.Page(ctx, "p"); p.AckedBy != "" {
		t.Error("the burn alert of somebody else was acknowledged")
	}
}

func TestWhoIsBoundToNamespacesSendsToThemAlone(t *testing.T) {
	f := setup(t)
	as := func(names ...string) context.Context {
		return access.With(t.Context(), &access.Access{Identity: access.Identity{Subject: "token:x", Name: "x", Kind: access.Token}, Scope: access.Scope{Names: names}})
	}
	trigger := func(ctx context.Context, details string) error {
		_, err := f.Take(ctx, Event{RoutingKey: "k", Action: Trigger, DedupKey: "a", Payload: &Payload{Summary: "s", Source: "h", Severity: "info", Details: []byte(details)}})
		return err
	}
	var invalid *InvalidError
	if err := trigger(as("pay"), `{"namespace":"trade"}`); !errors.As(err, &invalid) {
		t.Errorf("another namespace: %v", err)
	}
	if err := trigger(as("pay", "trade"), `{}`); !errors.As(err, &invalid) {
		t.Errorf("none of two: %v", err)
	}
	if err := trigger(as("pay"), `{}`); err != nil || len(f.pipeline.last) != 1 {
		t.Errorf("the only one: %v", err)
	}
	for _, a := range f.pipeline.last {
		if a.Labels["namespace"] != "pay" {
			t.Errorf("labels %v", a.Labels)
		}
	}
}

// Triggers and ends of one key at one moment leave the alert as whoever came last left it, and never without its document.
func TestEventsOfOneKeyAtOnce(t *testing.T) {
	f, ctx := setup(t), t.Context()
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			e := Event{RoutingKey: "k", Action: Trigger, DedupKey: "a", Payload: &Payload{Summary: "s", Source: "h", Severity: "info"}}
			if i%2 == 1 {
				e = Event{RoutingKey: "k", Action: Resolve, DedupKey: "a"}
			}
			if _, err := f.Take(ctx, e); err != nil && !errors.Is(err, store.ErrChanged) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	f.take(t, ctx, Trigger, "k", "a", "info")
	f.take(t, ctx, Resolve, "k", "a", "")
	if n := len(f.pipeline.firing(f.now)); n != 0 {
		t.Errorf("%d fire after the last end", n)
	}
}

func TestAChangeIsADeployment(t *testing.T) {
	f, ctx := setup(t), t.Context()
	c, err := ParseChange([]byte(`{"routing_key":"k","payload":{"summary":"Build Success: raised limits","timestamp":"2026-01-02T03:00:00Z","source":"acme-build",
		"custom_details":{"service":"edge","version":"1.2","environment":"prod"}},"links":[{"href":"https://ci.example.org/1","text":"build"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Mark(ctx, c); err != nil {
		t.Fatal(err)
	}
	list, err := f.state.Deploys(ctx, store.DeployQuery{Service: "edge", Limit: 10})
	if err != nil || len(list) != 1 || list[0].Version != "1.2" || list[0].Environment != "prod" || list[0].Link != "https://ci.example.org/1" || list[0].Message != "Build Success: raised limits" {
		t.Errorf("%+v %v", list, err)
	}
}
