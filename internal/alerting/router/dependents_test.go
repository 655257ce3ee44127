package router

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	amalert "github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/api/v2/client/alert"
	prommodel "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/store"
)

// wiring is a topology that stays as it is.
type wiring struct {
	edges []model.Edge
	err   error
}

func (w wiring) Edges(context.Context, string, store.Range) ([]model.Edge, error) {
	return w.edges, w.err
}

func edge(client, server string) model.Edge {
	return model.Edge{Client: client, Server: server, Kind: "call", Calls: 100}
}

// shop is edge → layout → file-server, edge → access-control.
func shop() wiring {
	return wiring{edges: []model.Edge{edge("edge", "layout"), edge("layout", "file-server"), edge("edge", "access-control")}}
}

func holding(w Topology, change ...func(*DependentsConfig)) func(*Deps) {
	return func(d *Deps) {
		d.Topology, d.Dependents = w, DefaultDependentsConfig()
		for _, c := range change {
			c(&d.Dependents)
		}
	}
}

const fast = `
route: {receiver: inbox, group_by: [service, alertname], group_wait: 0s, group_interval: 100ms, repeat_interval: 1h}
receivers: [{name: inbox}]
`

func TestTheRootCauseIsPagedAndThoseWhoDependOnItWhenItIsOver(t *testing.T) {
	f := start(t, t.TempDir(), fast, holding(shop(), func(c *DependentsConfig) { c.Linger = 0 }))
	root := burn("service", "file-server")
	send(t, f.Router, root)
	f.pages.await(t, "the root cause", func(p model.Page) bool { return p.Service == "file-server" })
	send(t, f.Router, burn("service", "layout"), burn("service", "edge"), burn("service", "billing"))
	// Groups are flushed at once: what is not held back comes before this.
	f.pages.await(t, "independent", func(p model.Page) bool { return p.Service == "billing" })

	m := f.Muted(context.Background(), burn("service", "edge").Labels)
	if !strings.Contains(m.HeldBack, "edge depends on file-server (edge calls layout calls file-server), whose alert SLOBurnRateFast has fired since") || len(m.InhibitedBy) != 1 {
		t.Errorf("edge: %+v", m)
	}
	active, err := f.ActiveAlerts(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	held := map[string]bool{}
	for _, a := range active {
		held[a.Labels["service"]] = a.HeldBack != "" && len(a.InhibitedBy) == 1
	}
	if held["file-server"] || held["billing"] || !held["layout"] || !held["edge"] {
		t.Errorf("held back: %v", held)
	}
	no := false
	got, err := f.api.Alert.GetAlerts(alert.NewGetAlertsParams().WithInhibited(&no))
	if err != nil || len(got.Payload) != 2 {
		t.Errorf("Alertmanager's API shows %d alerts that are not inhibited, want 2 (%v)", len(got.Payload), err)
	}

	root.EndsAt = time.Now()
	send(t, f.Router, root)
	// What is left is the next that others depend on, and then who is left.
	f.pages.await(t, "of who fails still and is called", func(p model.Page) bool { return p.Status == "firing" && p.Service == "layout" })
	if m := f.Muted(context.Background(), burn("service", "edge").Labels); !strings.Contains(m.HeldBack, "edge calls layout)") {
		t.Errorf("edge, when only layout is left: %+v", m)
	}
	next := burn("service", "layout")
	next.EndsAt = time.Now()
	send(t, f.Router, next)
	f.pages.await(t, "of who is left", func(p model.Page) bool { return p.Status == "firing" && p.Service == "edge" })
	f.pages.mu.Lock()
	defer f.pages.mu.Unlock()
	n := 0
	for _, p := range f.pages.list {
		if p.Service == "file-server" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d pages for the root cause", n)
	}
}

func TestWhatWentOutBeforeGoesOnAndItsEndIsTold(t *testing.T) {
	f := start(t, t.TempDir(), fast, holding(shop()))
	send(t, f.Router, burn("service", "edge"))
	page := f.pages.await(t, "of the dependent, which noticed first", func(p model.Page) bool { return p.Service == "edge" })
	send(t, f.Router, burn("service", "layout"))
	f.pages.await(t, "the cause", func(p model.Page) bool { return p.Service == "layout" })
	if m := f.Muted(context.Background(), burn("service", "edge").Labels); m.HeldBack != "" {
		t.Errorf("said to be held back after it went out: %s", m.HeldBack)
	}
	ended := burn("service", "edge")
	ended.EndsAt = time.Now()
	send(t, f.Router, ended)
	f.pages.await(t, "closed", func(p model.Page) bool { return p.ID == page.ID && p.Status == "resolved" })
}

func TestARestartHoldsBackStill(t *testing.T) {
	dir := t.TempDir()
	f := start(t, dir, fast, holding(shop()))
	send(t, f.Router, burn("service", "file-server"))
	f.pages.await(t, "the cause", func(p model.Page) bool { return p.Service == "file-server" })
	send(t, f.Router, burn("service", "edge"))
	f.stop()
	g := start(t, dir, fast, holding(shop()))
	send(t, g.Router, burn("service", "billing"))
	if p := g.pages.await(t, "any", func(model.Page) bool { return true }); p.Service != "billing" {
		t.Errorf("after the restart a page about %s went out", p.Service)
	}
}

// fired is an alert of a service that began some minutes after twelve.
func fired(minute int, service string, kv ...string) *amalert.Alert {
	at := noon.Add(time.Duration(minute) * time.Minute)
	ls := prommodel.LabelSet{"alertname": "SLOBurnRateFast", "severity": "critical", "service": prommodel.LabelValue(service)}
	for i := 0; i+1 < len(kv); i += 2 {
		ls[prommodel.LabelName(kv[i])] = prommodel.LabelValue(kv[i+1])
	}
	return &amalert.Alert{Alert: prommodel.Alert{Labels: ls, StartsAt: at, EndsAt: noon.Add(time.Hour)}}
}

var noon = time.Date(2030, 5, 1, 12, 0, 0, 0, time.UTC)

func ready(t *testing.T, w Topology, change ...func(*DependentsConfig)) *dependents {
	t.Helper()
	cfg := DefaultDependentsConfig()
	for _, c := range change {
		c(&cfg)
	}
	d, err := newDependents(cfg, w, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	_ = d.read(context.Background())
	return d
}

func TestWhichAlertsAreHeldBack(t *testing.T) {
	everyone := func(*amalert.Alert) bool { return true }
	nobody := func(*amalert.Alert) bool { return false }
	few := shop()
	few.edges[1].Calls = 9
	queue := shop()
	queue.edges[1].Kind = "queue"
	circle := wiring{edges: []model.Edge{edge("a", "b"), edge("b", "c"), edge("c", "a")}}
	for _, c := range []struct {
		name     string
		topology wiring
		target   *amalert.Alert
		source   *amalert.Alert
		audible  func(*amalert.Alert) bool
		change   func(*DependentsConfig)
		want     string // the path; "" is not held back
	}{
		{name: "the caller of a failing service", target: fired(1, "layout"), source: fired(0, "file-server"), want: "layout file-server"},
		{name: "the caller of its caller", target: fired(1, "edge"), source: fired(0, "file-server"), want: "edge layout file-server"},
		{name: "one call too many", target: fired(1, "edge"), source: fired(0, "file-server"), change: func(c *DependentsConfig) { c.MaxHops = 1 }},
		{name: "a warning about it", target: fired(1, "edge", "severity", "warning", "alertname", "HighLatencyP99"), source: fired(0, "layout"), want: "edge layout"},
		{name: "the failing service itself", target: fired(1, "layout", "alertname", "HighErrorRate"), source: fired(0, "layout")},
		{name: "who is called does not depend on its caller", target: fired(1, "file-server"), source: fired(0, "layout")},
		{name: "who does not call it", target: fired(1, "access-control"), source: fired(0, "layout")},
		{name: "an unknown service", target: fired(1, "billing"), source: fired(0, "layout")},
		{name: "fewer calls than make a dependency", topology: few, target: fired(1, "layout"), source: fired(0, "file-server")},
		{name: "messages, which nobody waits for", topology: queue, target: fired(1, "layout"), source: fired(0, "file-server")},
		{name: "a disk has causes of its own", target: fired(1, "edge", "alertname", "DiskFillingUp", "severity", "warning"), source: fired(0, "layout")},
		{name: "a backlog too", target: fired(1, "edge", "alertname", "QueueBacklogOld"), source: fired(0, "layout")},
		{name: "a warning upstream explains no page", target: fired(1, "edge"), source: fired(0, "layout", "severity", "warning", "alertname", "HighLatencyP99")},
		{name: "a full disk upstream explains no error here", target: fired(1, "edge"), source: fired(0, "layout", "alertname", "DiskFillingUp")},
		{name: "the upstream began 5 minutes later", target: fired(0, "edge"), source: fired(5, "layout"), want: "edge layout"},
		{name: "the upstream began 6 minutes later", target: fired(0, "edge"), source: fired(6, "layout")},
		{name: "another region", target: fired(1, "edge", "region", "eu-1"), source: fired(0, "layout", "region", "us-1")},
		{name: "the same region", target: fired(1, "edge", "region", "eu-1"), source: fired(0, "layout", "region", "eu-1"), want: "edge layout"},
		{name: "an upstream alert about all regions", target: fired(1, "edge", "region", "eu-1"), source: fired(0, "layout"), want: "edge layout"},
		{name: "an upstream alert that is silenced or inhibited: nobody would hear of either", target: fired(1, "edge"), source: fired(0, "layout"), audible: nobody},
		{name: "in a circle of calls, the one that began later", topology: circle, target: fired(1, "a"), source: fired(0, "b"), want: "a b"},
		{name: "in a circle of calls, the one that began first", topology: circle, target: fired(0, "a"), source: fired(1, "b")},
		{name: "a topology that cannot be read", topology: wiring{err: errors.New("down")}, target: fired(1, "edge"), source: fired(0, "layout")},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.topology.edges == nil && c.topology.err == nil {
				c.topology = shop()
			}
			if c.audible == nil {
				c.audible = everyone
			}
			var change []func(*DependentsConfig)
			if c.change != nil {
				change = append(change, c.change)
			}
			d := ready(t, c.topology, change...)
			sources := d.upstreams(noon.Add(10*time.Minute), []*amalert.Alert{c.source, c.target}, c.audible)
			got := ""
			if h := d.hold(c.target, sources); h != nil {
				got = strings.Join(h.path, " ")
			}
			if got != c.want {
				t.Errorf("held back for %q, want %q", got, c.want)
			}
		})
	}
}

// failing answers how many requests each service failed.
type failing map[string]float64

func (f failing) Instant(context.Context, string, time.Time) ([]model.Sample, error) {
	var out []model.Sample
	for service, n := range f {
		out = append(out, model.Sample{Labels: model.Labels{"service": service}, Value: n})
	}
	return out, nil
}

func TestOnlyWhatFailedCallsExplainIsHeldBack(t *testing.T) {
	w := shop()
	w.edges[0].Errors, w.edges[1].Errors, w.edges[2].Errors = 60, 60, 5
	for _, c := range []struct {
		name           string
		failed         failing
		target, source *amalert.Alert
		want           bool
	}{
		{"all that fails are calls to the failing service", failing{"edge": 60, "layout": 60}, fired(1, "edge"), fired(0, "file-server"), true},
		{"half of it", failing{"edge": 120, "layout": 60}, fired(1, "edge"), fired(0, "file-server"), true},
		{"less than half: a bad release of its own, say", failing{"edge": 121, "layout": 60}, fired(1, "edge"), fired(0, "file-server"), false},
		{"the service in between fails for another reason", failing{"edge": 60, "layout": 200}, fired(1, "edge"), fired(0, "file-server"), false},
		{"few failed calls to another failing service", failing{"edge": 60}, fired(1, "edge"), fired(0, "access-control"), false},
		{"a latency has no failed calls", failing{"edge": 121, "layout": 200}, fired(1, "edge", "alertname", "HighLatencyP99"), fired(0, "file-server"), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := newDependents(DefaultDependentsConfig(), w, c.failed, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			if err := d.read(t.Context()); err != nil {
				t.Fatal(err)
			}
			sources := d.upstreams(noon.Add(10*time.Minute), []*amalert.Alert{c.source}, func(*amalert.Alert) bool { return true })
			if got := d.hold(c.target, sources) != nil; got != c.want {
				t.Errorf("held back: %t, want %t", got, c.want)
			}
		})
	}
}

func TestOfACircleOneIsAlwaysHeard(t *testing.T) {
	d := ready(t, wiring{edges: []model.Edge{edge("a", "b"), edge("b", "c"), edge("c", "a")}}, func(c *DependentsConfig) { c.MaxHops = 1 })
	all := []*amalert.Alert{fired(0, "a"), fired(0, "b"), fired(0, "c")}
	heard := 0
	sources := d.upstreams(noon.Add(time.Minute), all, func(*amalert.Alert) bool { return true })
	for _, a := range all {
		if d.hold(a, sources) == nil {
			heard++
		}
	}
	if heard == 0 {
		t.Error("three services that call each other hold back each other: nobody is paged")
	}
}

func TestAnUpstreamLingersAfterItsEndAndIsForgotten(t *testing.T) {
	d := ready(t, shop())
	source, target := fired(0, "layout"), fired(1, "edge")
	everyone := func(*amalert.Alert) bool { return true }
	d.upstreams(noon.Add(10*time.Minute), []*amalert.Alert{source}, everyone)
	source.EndsAt = noon.Add(11 * time.Minute)
	for minute, want := range map[int]bool{12: true, 15: true} {
		if got := d.hold(target, d.upstreams(noon.Add(time.Duration(minute)*time.Minute), nil, everyone)) != nil; got != want {
			t.Errorf("held back at minute %d: %t, want %t", minute, got, want)
		}
	}
	if d.hold(target, d.upstreams(noon.Add(16*time.Minute+time.Second), nil, everyone)) != nil || len(d.ended) != 0 {
		t.Errorf("held back 5 minutes after the end; %d remembered", len(d.ended))
	}
	// What ended before it was ever seen firing explains nothing.
	if s := d.upstreams(noon.Add(12*time.Minute), []*amalert.Alert{source}, everyone); len(s) != 0 {
		t.Errorf("an alert that was never seen firing holds back: %v", s)
	}
}

func TestAnAlertThatComesBackIsANewOne(t *testing.T) {
	d := ready(t, shop())
	first := fired(0, "edge")
	if !d.goesOut(first, nil, noon.Add(time.Minute)) {
		t.Fatal("held back without a source")
	}
	again := fired(30, "edge")
	sources := d.upstreams(noon.Add(31*time.Minute), []*amalert.Alert{fired(29, "layout")}, func(*amalert.Alert) bool { return true })
	if d.goesOut(again, sources, noon.Add(31*time.Minute)) {
		t.Error("it was not held back because it went out half an hour before")
	}
	again.EndsAt = noon.Add(32 * time.Minute)
	if d.goesOut(again, sources, noon.Add(33*time.Minute)) {
		t.Error("the end of what nobody was told of is told")
	}
}

func TestWrongSettingsOfDependentsAreNamed(t *testing.T) {
	c := DefaultDependentsConfig()
	c.Sources, c.Targets, c.MaxHops, c.Window = []string{"["}, nil, 0, 0
	var text []string
	for _, err := range c.Validate() {
		text = append(text, err.Error())
	}
	for _, want := range []string{"source_alerts:", "target_alerts:", "max_hops:", "window:"} {
		if !strings.Contains(strings.Join(text, "\n"), want) {
			t.Errorf("%q lacks %s", text, want)
		}
	}
	if errs := DefaultDependentsConfig().Validate(); len(errs) > 0 {
		t.Error(errs)
	}
}

var _ notify.Sender = (*Router)(nil)
