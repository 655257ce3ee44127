package rules_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	prommodel "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	promrules "github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/storage"

	"github.com/signalbox-project/signalbox/internal/alerting/inforce"
	"github.com/signalbox-project/signalbox/internal/alerting/router"
	"github.com/signalbox-project/signalbox/internal/alerting/rules"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/query/promql"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/metrics"
)

// patience guards against a test that hangs; it is no claim of how quick anything is.
const patience = time.Minute

// outbox is a Sender that keeps what it is sent.
type outbox struct{ c chan notify.Alert }

func newOutbox() *outbox { return &outbox{c: make(chan notify.Alert, 1000)} }

func (o *outbox) Send(_ context.Context, alerts ...notify.Alert) error {
	for _, a := range alerts {
		select {
		case o.c <- a:
		default:
		}
	}
	return nil
}

func (o *outbox) await(t *testing.T, what string, ok func(notify.Alert) bool) notify.Alert {
	t.Helper()
	timeout := time.After(patience)
	for {
		select {
		case a := <-o.c:
			if ok(a) {
				return a
			}
		case <-timeout:
			t.Fatalf("no alert that is %s within %s", what, patience)
		}
	}
}

func named(name string) func(notify.Alert) bool {
	return func(a notify.Alert) bool { return a.Labels["alertname"] == name && a.EndsAt.After(time.Now()) }
}

type fixture struct {
	*rules.Rules
	store *metrics.Store
	stop  func()
}

func start(t *testing.T, dir string, cfg rules.Config, to notify.Sender) *fixture {
	t.Helper()
	s, err := metrics.Open(metrics.DefaultConfig(), metrics.Deps{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	e, err := promql.New(promql.DefaultConfig(), promql.Deps{Queryable: s})
	if err != nil {
		t.Fatal(err)
	}
	r, err := rules.New(cfg, rules.Deps{Engine: e.PromQL(), Store: s, Sender: to, ExternalLabels: map[string]string{"cluster": "c1"}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	var once sync.Once
	stop := func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(stop)
	return &fixture{Rules: r, store: s, stop: stop}
}

func (f *fixture) put(t *testing.T, v float64) {
	t.Helper()
	app := f.store.AppenderV2(context.Background())
	if _, err := app.Append(0, labels.FromStrings("__name__", "errors", "service", "edge"), 0, time.Now().UnixMilli(), v, nil, nil, storage.AOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := app.Commit(); err != nil {
		t.Fatal(err)
	}
}

func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func every(d time.Duration) rules.Config {
	return rules.Config{Interval: prommodel.Duration(d), EarlyEvaluation: true}
}

const errorsHigh = `
groups:
  - name: %s
    interval: %s
    rules:
      - alert: ErrorsHigh
        expr: errors > 10
        labels: {severity: critical}
        annotations: {summary: "{{ $value }} errors on {{ $labels.service }}."}
`

// dueSoon is a name that makes a group of an hour be evaluated some seconds from now, and then an hour
// later: within an hour, name and file decide when. What happens after the first evaluation is early.
func dueSoon(file string) string {
	opts := promrules.ManagerOptions{Metrics: promrules.NewGroupMetrics(nil)}
	for i := 0; ; i++ {
		g := promrules.NewGroup(promrules.GroupOptions{Name: fmt.Sprint("g", i), File: file, Interval: time.Hour, Opts: &opts})
		if wait := time.Until(g.EvalTimestamp(time.Now().UnixNano()).Add(time.Hour)); wait > 5*time.Second && wait < 8*time.Second {
			return g.Name()
		}
	}
}

// The whole chain: samples in, rule true, webhook called, an hour before the rule's next turn.
func TestAConditionThatTurnsTrueReachesAWebhookBeforeItsGroupsInterval(t *testing.T) {
	t.Parallel()
	calls := make(chan map[string]any, 10)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var body map[string]any
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		calls <- body
	}))
	defer hook.Close()
	am := file(t, "alertmanager.yml", fmt.Sprintf("route: {receiver: h, group_wait: 0s}\nreceivers: [{name: h, webhook_configs: [{url: %q}]}]\n", hook.URL))
	rt, err := router.New(router.Deps{Dir: t.TempDir(), ConfigFile: am, Pages: noPages{}, Registerer: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- rt.Run(ctx) }()
	defer func() { cancel(); <-done }()

	f := start(t, t.TempDir(), every(time.Minute), rt)
	path := filepath.Join(t.TempDir(), "r.yml")
	name := dueSoon(path)
	if err := os.WriteFile(path, []byte(fmt.Sprintf(errorsHigh, name, "1h")), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.Reload([]string{path}); err != nil {
		t.Fatal(err)
	}
	f.put(t, 1)
	evaluated(t, f, name)
	f.put(t, 99)
	select {
	case body := <-calls:
		text, _ := json.Marshal(body)
		for _, want := range []string{`"alertname":"ErrorsHigh"`, `"cluster":"c1"`, "99 errors on edge.", `"status":"firing"`} {
			if !strings.Contains(string(text), want) {
				t.Errorf("the payload lacks %s: %s", want, text)
			}
		}
	case <-time.After(patience):
		t.Fatalf("no call within %s", patience)
	}
}

// evaluated waits for a group's first evaluation.
func evaluated(t *testing.T, f *fixture, group string) {
	t.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for time.Now().Before(deadline) {
		for _, g := range f.RuleGroups() {
			if g.Name() == group && !g.GetLastEvaluation().IsZero() {
				return
			}
		}
		<-tick.C
	}
	t.Fatalf("group %s was not evaluated within %s", group, patience)
}

type noPages struct{}

func (noPages) SavePage(context.Context, model.Page) error { return nil }
func (noPages) Page(context.Context, string) (model.Page, error) {
	return model.Page{}, store.ErrNotFound
}

func (noPages) PageByDedup(context.Context, string) (model.Page, error) {
	return model.Page{}, store.ErrNotFound
}

func TestTheWatchdogFiresWithoutAnyRuleFile(t *testing.T) {
	out := newOutbox()
	f := start(t, t.TempDir(), every(time.Second), out)
	a := out.await(t, "the watchdog", named("Watchdog"))
	if a.Labels["severity"] != notify.SeverityNone || a.Labels["cluster"] != "c1" {
		t.Errorf("labels %v", a.Labels)
	}
	if as := f.AlertingRules(); len(as) != 1 || as[0].Name() != "Watchdog" {
		t.Errorf("rules in the API: %v", as)
	}
}

func TestAnAlertThatEndsIsSentAsEnded(t *testing.T) {
	out := newOutbox()
	f := start(t, t.TempDir(), every(time.Second), out)
	if err := f.Reload([]string{file(t, "r.yml", fmt.Sprintf(errorsHigh, "g", "1s"))}); err != nil {
		t.Fatal(err)
	}
	f.put(t, 99)
	a := out.await(t, "firing", named("ErrorsHigh"))
	if !strings.Contains(a.GeneratorURL, "errors") {
		t.Errorf("generator URL %q", a.GeneratorURL)
	}
	f.put(t, 0)
	out.await(t, "ended", func(a notify.Alert) bool {
		return a.Labels["alertname"] == "ErrorsHigh" && !a.EndsAt.After(time.Now())
	})
}

func TestRecordingRulesAreStored(t *testing.T) {
	f := start(t, t.TempDir(), every(time.Second), newOutbox())
	if err := f.Reload([]string{file(t, "r.yml", "groups: [{name: rec, interval: 1s, rules: [{record: 'a:b', expr: 'vector(7)'}]}]")}); err != nil {
		t.Fatal(err)
	}
	evaluated(t, f, "rec")
	q, err := f.store.Querier(0, time.Now().Add(time.Minute).UnixMilli())
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	if !q.Select(context.Background(), false, nil, labels.MustNewMatcher(labels.MatchEqual, "__name__", "a:b")).Next() {
		t.Error("the recorded series is not in the store")
	}
}

func TestABadFileIsNamedKeepsItsLastGoodRulesAndHoldsUpNoOther(t *testing.T) {
	f := start(t, t.TempDir(), every(time.Minute), newOutbox())
	dir := t.TempDir()
	put := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	alert := func(name string) string {
		return "groups: [{name: g, rules: [{alert: " + name + ", expr: up == 0}]}]\n"
	}
	inForce := func() string {
		var out []string
		for _, r := range f.AlertingRules() {
			out = append(out, r.Name())
		}
		slices.Sort(out)
		return strings.Join(out, " ")
	}
	put("a.yml", alert("A"))
	put("b.yml", alert("B"))
	all := []string{filepath.Join(dir, "*.yml")}
	if err := f.Reload(all); err != nil || inForce() != "A B Watchdog" {
		t.Fatalf("%v, %s", err, inForce())
	}
	put("a.yml", "groups:\n  - name: x\n    rules:\n      - alert: A\n        expr: sum(\n")
	put("b.yml", alert("B2"))
	put("c.yml", "groups:\n  - name: y\n    rulez: []\n")
	put("d.yml", alert("D"))
	err := f.Reload(append(all, filepath.Join(dir, "none.yml")))
	if err == nil || inForce() != "A B2 D Watchdog" {
		t.Fatalf("%v, %s", err, inForce())
	}
	for _, want := range []string{
		"a.yml:5: ", "unclosed left parenthesis", "(the last good version of the file stays in force)",
		`c.yml:3: unknown key "rulez" (the rest of the file is in force); did you mean "rules"?`, "none.yml: there is no such file; mend the path in rule_files",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q: %v", want, err)
		}
	}
	if n := len(f.Problems()); n != 3 {
		t.Errorf("%d problems are shown, want 3: %v", n, f.Problems())
	}
}

// What was read is what is taken over, whatever stands on the disk by then.
func TestAFileThatIsReplacedAfterItWasReadIsTakenAsItWasRead(t *testing.T) {
	f := start(t, t.TempDir(), every(time.Minute), newOutbox())
	path := file(t, "r.yml", "groups: [{name: g, rules: [{alert: Read, expr: up == 0}]}]\n")
	change := f.Prepare([]string{path})
	if err := os.WriteFile(path, []byte("groups: [{name: g, rules: [{alert: Later, expr: 'sum('}]}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if as := f.AlertingRules(); len(as) != 1 {
		t.Errorf("preparing changed the rules: %v", as)
	}
	if err := change.Commit(); err != nil {
		t.Fatal(err)
	}
	if as := f.AlertingRules(); len(as) != 2 || as[0].Name() != "Read" && as[1].Name() != "Read" {
		t.Errorf("in force: %v", as)
	}
}

func TestASecondDocumentOfARuleFileIsNamed(t *testing.T) {
	set, problems := rules.LoadFiles([]string{file(t, "r.yml", "groups: []\n---\ngroups: [{name: g, rules: [{alert: Never, expr: up == 0}]}]\n")}, rules.DefaultParser())
	if len(set) != 1 || len(problems) != 1 || !problems[0].Warning || problems[0].Line != 3 || !strings.Contains(problems[0].Message, "only the first is read") {
		t.Errorf("%v: %v", set, problems)
	}
}

func TestAReloadDoesNotWaitForAGroupThatWaitsForSamples(t *testing.T) {
	t.Parallel()
	f := start(t, t.TempDir(), every(time.Minute), newOutbox())
	path := filepath.Join(t.TempDir(), "r.yml")
	name := dueSoon(path)
	load := func(text string) error {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return f.Reload([]string{path})
	}
	if err := load(fmt.Sprintf(errorsHigh, name, "1h")); err != nil {
		t.Fatal(err)
	}
	evaluated(t, f, name)
	// The group waits for samples until its next turn, in an hour.
	reloaded := make(chan error, 1)
	go func() { reloaded <- load(strings.Replace(fmt.Sprintf(errorsHigh, name, "1h"), "> 10", "> 11", 1)) }()
	select {
	case err := <-reloaded:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Fatal("the reload waits for the group")
	}
}

func TestThePendingTimeOfAnAlertSurvivesARestart(t *testing.T) {
	f := start(t, t.TempDir(), every(time.Second), newOutbox())
	// What the run before left: pending for ten minutes when it ended.
	app := f.store.AppenderV2(context.Background())
	state := labels.FromStrings("__name__", "ALERTS_FOR_STATE", "alertname", "ErrorsHigh", "service", "edge", "severity", "critical")
	ended := time.Now().Add(-5 * time.Second)
	if _, err := app.Append(0, state, 0, ended.UnixMilli(), float64(ended.Add(-10*time.Minute).Unix()), nil, nil, storage.AOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := app.Commit(); err != nil {
		t.Fatal(err)
	}
	f.put(t, 99)
	text := strings.Replace(fmt.Sprintf(errorsHigh, "g", "1s"), "expr: errors > 10", "expr: errors > 10\n        for: 40m", 1)
	if err := f.Reload([]string{file(t, "r.yml", text)}); err != nil {
		t.Fatal(err)
	}
	pending(t, f, func(since time.Time) bool { return time.Since(since) > 9*time.Minute })
}

func pending(t *testing.T, f *fixture, ok func(since time.Time) bool) time.Time {
	t.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for time.Now().Before(deadline) {
		for _, r := range f.AlertingRules() {
			for _, a := range r.ActiveAlerts() {
				if r.Name() == "ErrorsHigh" && a.State.String() == "pending" && ok(a.ActiveAt) {
					return a.ActiveAt
				}
			}
		}
		<-tick.C
	}
	t.Fatalf("no such pending alert within %s", patience)
	return time.Time{}
}

func TestAlertRulesShowWhatWaitsUnderThePipelinesFingerprint(t *testing.T) {
	box := newOutbox()
	f := start(t, t.TempDir(), rules.Config{Interval: prommodel.Duration(time.Second), EarlyEvaluation: true}, box)
	if err := f.Reload([]string{file(t, "r.yml", "groups: [{name: g, rules: [{alert: Later, expr: errors > 1, for: 5m}, {alert: Never, expr: errors > 100}, {alert: Now, expr: errors > 1}]}]")}); err != nil {
		t.Fatal(err)
	}
	f.put(t, 7)
	box.await(t, "Now", named("Now")) // the group's last rule, so that the others were evaluated
	states := map[string]inforce.AlertRule{}
	// An alert is sent before its rule's own state is set.
	for deadline := time.Now().Add(patience); states["Now"].State != "firing" && time.Now().Before(deadline); {
		for _, r := range f.AlertRules() {
			states[r.Name] = r
		}
	}
	later := states["Later"]
	if states["Now"].State != "firing" || later.State != "pending" || states["Never"].State != "inactive" || later.For != 5*time.Minute || later.Query != "errors > 1" {
		t.Fatalf("states %+v", states)
	}
	a := later.Active[0]
	want := prommodel.LabelSet{"alertname": "Later", "service": "edge", "cluster": "c1"}.Fingerprint().String()
	if len(later.Active) != 1 || a.State != "pending" || a.Value != 7 || a.Fingerprint != want || a.Since.IsZero() {
		t.Errorf("active %+v, want the fingerprint %s", later.Active, want)
	}
}
