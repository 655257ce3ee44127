package diagnose

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/alerting/inforce"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

const highErrors = `sum by (service) (rate(signalbox_span_duration_seconds_count{status="error"}[5m])) > 1`

// ruleFacts has an alerting rule over the failed requests of edge, ten requests a second.
func ruleFacts(t *testing.T, errorRatio float64, active ...inforce.RuleAlert) *facts {
	f := newFacts(t)
	f.traffic(10*time.Minute, 15*time.Second, "1", 10, errorRatio, 0.05)
	f.rules = []inforce.AlertRule{
		{Name: "HighErrorRate", Query: highErrors, For: 5 * time.Minute, State: "inactive", Labels: model.Labels{"severity": "critical"}, Active: active},
		{Name: "Fresh", Query: "x > 1", State: "unknown"},
		{Name: "DiskFull", Query: `disk_free < 0.1`, State: "inactive"},
	}
	return f
}

func TestWhyNobodyWasPaged(t *testing.T) {
	edge := model.Labels{"alertname": "HighErrorRate", "service": "edge", "severity": "critical"}
	since := time.Date(2026, 3, 2, 14, 7, 30, 0, time.UTC)
	pending := inforce.RuleAlert{Fingerprint: "p1", Labels: edge, State: "pending", Since: since, Value: 5}
	for _, tc := range []struct {
		name, ask, state, want string
		facts                  *facts
	}{
		{
			"an inactive rule", "HighErrorRate", "inactive",
			"HighErrorRate is not active: value 0.2, needs > 1 for 5 m. It would go to team-.", ruleFacts(t, 0.02),
		},
		{"a rule whose query answers nothing", "DiskFull", "inactive", "DiskFull is not active: its query answers nothing now, needs < 0.1. It would go to team-.", ruleFacts(t, 0.02)},
		{"a rule that was loaded just now", "Fresh", "inactive", "Fresh is not active: its rule has not been evaluated yet. It would go to team-.", ruleFacts(t, 0.02)},
		{
			"a pending alert, by its fingerprint", "p1", "pending",
			"HighErrorRate of edge is pending since 14:07 UTC: value 5, needs > 1 for 5 m. It fires at 14:12:30 UTC if it stays so. It would go to team-edge.", ruleFacts(t, 0.5, pending),
		},
		{
			"a pending alert, by its name", "HighErrorRate", "pending",
			"HighErrorRate of edge is pending since 14:07 UTC: value 5, needs > 1 for 5 m. It fires at 14:12:30 UTC if it stays so. It would go to team-edge.", ruleFacts(t, 0.5, pending),
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e, err := tc.facts.room().Explain(t.Context(), tc.ask)
			if err != nil {
				t.Fatal(err)
			}
			if e.State != tc.state || e.Summary != tc.want {
				t.Errorf("%s: got  %s\nwant %s", e.State, e.Summary, tc.want)
			}
		})
	}
}

func TestWhatIsUnknownIsSaidWithWhatIsMeant(t *testing.T) {
	_, err := ruleFacts(t, 0).room().Explain(t.Context(), "HighErorRate")
	if !errors.Is(err, store.ErrNotFound) || !strings.Contains(err.Error(), "did you mean HighErrorRate?") {
		t.Errorf("%v", err)
	}
	_, err = ruleFacts(t, 0).room().Explain(t.Context(), "0123456789abcdef")
	if !errors.Is(err, store.ErrNotFound) || !strings.Contains(err.Error(), "/api/v1/rules") {
		t.Errorf("%v", err)
	}
}

func TestAlertsOfOneNameAreNotMixed(t *testing.T) {
	f := newFacts(t)
	at := func(m int) time.Time { return f.now.Add(time.Duration(m-60) * time.Minute) }
	labels := func(service string) model.Labels {
		return model.Labels{"alertname": "HighErrorRate", "service": service, "severity": "critical"}
	}
	page := func(id, fingerprint, service, receiver string, m int) model.Page {
		return model.Page{
			ID: id, Time: at(m), Receiver: receiver,
			Alerts:     []model.PageAlert{{Fingerprint: fingerprint, Labels: labels(service), StartsAt: at(m)}},
			Deliveries: []model.Delivery{{Channel: "webhook[0]", Time: at(m), Status: "delivered"}, {Channel: "webhook[0]", Time: at(m - 30), Status: "delivered"}},
		}
	}
	f.pages = []model.Page{page("2", "b", "layout", "layout-team", 20), page("1", "a", "edge", "edge-team", 10)}
	f.alerts = []inforce.ActiveAlert{
		{Fingerprint: "b", Labels: labels("layout"), StartsAt: at(20)},
		{Fingerprint: "a", Labels: labels("edge"), StartsAt: at(10)},
	}
	for fingerprint, want := range map[string]string{"a": "edge", "b": "layout"} {
		e, err := f.room().Explain(t.Context(), fingerprint)
		if err != nil {
			t.Fatal(err)
		}
		if e.Labels["service"] != want || len(e.Pages) != 1 || len(e.Others) != 1 || e.Others[0].Fingerprint == fingerprint {
			t.Errorf("%s: labels %v, %d pages, others %v", fingerprint, e.Labels, len(e.Pages), e.Others)
		}
		var events []string
		for _, ev := range e.Timeline {
			events = append(events, ev.Event)
		}
		// The delivery of half an hour before was about another alert of the group.
		if want := []string{"HighErrorRate became active", want + "-team was notified through webhook[0]"}; !slices.Equal(events, want) {
			t.Errorf("%s: timeline %q, want %q", fingerprint, events, want)
		}
	}
	f.alerts = nil // both are over: by name the newest page tells, alone
	e, err := f.room().Explain(t.Context(), "HighErrorRate")
	if err != nil || e.State != "resolved" || len(e.Pages) != 1 || e.Labels["service"] != "layout" {
		t.Errorf("%s, %d pages of %v, %v", e.State, len(e.Pages), e.Labels, err)
	}
}

func TestWhatIsComparedIsTakenApart(t *testing.T) {
	for expr, want := range map[string]string{
		`up == 0`:                            "up == 0",
		`1 > rate(x_total[5m])`:              "rate(x_total[5m]) < 1",
		`(rate(a[5m]) / rate(b[5m])) > 0.05`: "(rate(a[5m]) / rate(b[5m])) > 0.05",
		`x > (14.4 * (1 - 0.999)) and y > 5`: "x > 0.0144",
		`absent(up{job="a"})`:                `absent(up{job="a"})`,
		`x > y`:                              "x > y",
		`x > bool 1`:                         "x > bool 1",
	} {
		c := split(expr)
		got := c.value
		if c.threshold != nil {
			got += " " + c.op + " " + strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(*c.threshold, 'f', 6, 64), "0"), ".")
		}
		if got != want {
			t.Errorf("%s: %q, want %q", expr, got, want)
		}
	}
}

func TestCausesFoldTheirSymptoms(t *testing.T) {
	f := newFacts(t)
	f.traffic(10*time.Minute, 15*time.Second, "2.5.0", 10, 0.2, 0.05)
	since, earlier := f.now.Add(-5*time.Minute), f.now.Add(-6*time.Minute)
	f.slos = []model.SLOStatus{
		{Name: "edge-availability", Service: "edge", State: model.SLOBurning, Since: &since},
		{Name: "access-availability", Service: "access", State: model.SLOBurning, Since: &earlier},
		{Name: "files-latency", Service: "files", State: model.SLOOK},
	}
	f.edges = []model.Edge{{Client: "edge", Server: "access", Kind: "call", Calls: 5000, Errors: 5000}}
	f.deploys = []model.Deploy{
		{Service: "access", Version: "1.10.0", Kind: "deploy", Time: f.now.Add(-8 * time.Minute)},
		{Service: "edge", Version: "2.5.0", Kind: "deploy", Time: f.now.Add(-7 * time.Minute)},
	}
	list, summary, err := f.room().Causes(t.Context(), "default")
	if err != nil || len(list) != 1 {
		t.Fatalf("%+v, %v", list, err)
	}
	if want := "access has failed since 14:04 UTC, right after version 1.10.0; edge fails because of it. 2 of 3 SLOs burn of it."; summary != want {
		t.Errorf("got  %s\nwant %s", summary, want)
	}
	if got := list[0]; !slices.Equal(got.SLOs, []string{"access-availability", "edge-availability"}) || !slices.Equal(got.Services, []string{"access", "edge"}) {
		t.Errorf("%+v", got)
	}
	f.slos = f.slos[2:]
	if list, summary, err = f.room().Causes(t.Context(), "default"); err != nil || len(list) != 0 || summary != "" {
		t.Errorf("nothing fails: %v, %q, %v", list, summary, err)
	}
}

func TestWhatFlapsSaysSo(t *testing.T) {
	f := ruleFacts(t, 0.5)
	f.alerts = []inforce.ActiveAlert{{
		Fingerprint: "f1", Labels: model.Labels{"alertname": "HighErrorRate", "service": "edge"}, StartsAt: f.now.Add(-time.Hour),
		Flapping: "it fired 5 times since 12:00 UTC; it is held open",
	}}
	e, err := f.room().Explain(t.Context(), "f1")
	if err != nil || e.Flapping == "" || !strings.HasSuffix(e.Summary, " It is flapping: it fired 5 times since 12:00 UTC; it is held open.") {
		t.Errorf("%+v, %v", e, err)
	}
}
