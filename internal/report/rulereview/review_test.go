package rulereview

import (
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"

	"github.com/signalbox-project/signalbox/internal/alerting/rules"
	"github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/slo/promexpr"
	"github.com/signalbox-project/signalbox/internal/store"
)

const file = `# Ours. Do not touch the comments.
groups:
  - name: work
    rules:
      # Errors.
      - alert: Noisy
        expr: errors > 1   # a threshold
        for: "1m"   # long enough?
        labels:
          severity: critical # P0
        annotations: {summary: noisy}
      - alert: Flappy
        expr: >-
          flap
            > 1
        labels: {severity: warning}

      # Waits for a metric that is gone.
      - alert: Stale
        expr: gone_total > 1
      - record: a:b
        expr: errors
      - alert: Twin
        expr: errors > 2
        labels:
          severity: warning
      - alert: Ignored
        labels:
          severity: critical
        expr: errors > 3
      - {alert: Flow, expr: flap > 5, labels: {severity: warning}}
      - alert: Rare
        expr: errors > 9000
      - alert: Acted
        expr: errors > 4
        labels: {severity: critical}
`

type world struct {
	t     *testing.T
	db    *tsdb.DB
	end   time.Time
	pages []model.Page
	text  string
}

func newWorld(t *testing.T) *world {
	opts := tsdb.DefaultOptions()
	opts.MinBlockDuration = (1000 * 24 * time.Hour).Milliseconds()
	opts.MaxBlockDuration = opts.MinBlockDuration
	opts.OutOfOrderTimeWindow = opts.MinBlockDuration
	db, err := tsdb.Open(t.TempDir(), nil, nil, opts, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return &world{t: t, db: db, end: time.Date(2026, 3, 30, 0, 0, 0, 0, time.UTC), text: file}
}

// series writes one value a minute, and that it ended.
func (w *world) series(from, to time.Time, kv ...string) {
	w.t.Helper()
	app := w.db.AppenderV2(w.t.Context())
	ls := labels.FromStrings(kv...)
	for at := from; !at.After(to.Add(time.Minute)); at = at.Add(time.Minute) {
		v := 1.0
		if at.After(to) {
			v = math.Float64frombits(value.StaleNaN)
		}
		if _, err := app.Append(0, ls, 0, at.UnixMilli(), v, nil, nil, storage.AOptions{}); err != nil {
			w.t.Fatal(err)
		}
	}
	if err := app.Commit(); err != nil {
		w.t.Fatal(err)
	}
}

// fire has an alert fire for some minutes, a day and minutes after the first; told makes a page of it.
func (w *world) fire(alert, severity string, day, minute, lasts int, told, acked bool) {
	from := w.end.AddDate(0, 0, -14).Add(time.Duration(day*1440+minute) * time.Minute)
	to := from.Add(time.Duration(lasts-1) * time.Minute)
	kv := []string{"__name__", "ALERTS", "alertname", alert, "alertstate", "firing", "service", "edge"}
	ls := model.Labels{"alertname": alert, "service": "edge", "cluster": "external"}
	if severity != "" {
		kv, ls["severity"] = append(kv, "severity", severity), severity
	}
	w.series(from, to, kv...)
	if told {
		p := model.Page{ID: fmt.Sprint(alert, day, minute), Time: from, Status: "resolved", ResolvedAt: &to, Alerts: []model.PageAlert{{Labels: ls, StartsAt: from, EndsAt: &to}}}
		if acked {
			p.AckedBy = "kim"
		}
		w.pages = append(w.pages, p)
	}
}

func (w *world) Pages(_ context.Context, q store.PageQuery) (out []model.Page, _ error) {
	slices.SortFunc(w.pages, func(a, b model.Page) int { return b.Time.Compare(a.Time) })
	for _, p := range w.pages {
		if !p.Time.Before(q.Start) && p.Time.Before(q.End) && len(out) < q.Limit {
			out = append(out, p)
		}
	}
	return out, nil
}

func (w *world) review(dir string) RuleReview {
	w.t.Helper()
	path := filepath.Join(dir, "rules", "work.yml")
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(w.text), 0o600); err != nil {
		w.t.Fatal(err)
	}
	set, problems := rules.LoadFiles([]string{path}, rules.DefaultParser())
	if len(problems) > 0 {
		w.t.Fatal(problems)
	}
	r := New(Deps{
		Querier: promexpr.NewEvaluator(w.db, time.Minute, nil), Pages: w, Dir: dir, Now: func() time.Time { return w.end },
		Files: func() []document.File { return []document.File{{Path: path, Text: []byte(w.text)}} }, Set: func() rules.Set { return set },
	})
	out, err := r.Review(w.t.Context(), 14)
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// fortnight is a history in which each rule of the file does what its name says.
func fortnight(t *testing.T) *world {
	w := newWorld(t)
	w.series(w.end.AddDate(0, 0, -14), w.end, "__name__", "ALERTS", "alertname", "Watchdog", "alertstate", "firing", "severity", "none")
	w.series(w.end.AddDate(0, 0, -14), w.end, "__name__", "errors")
	w.series(w.end.AddDate(0, 0, -14), w.end, "__name__", "flap")
	for i := range 6 {
		w.fire("Noisy", "critical", i, 0, 3, true, false)
		w.fire("Twin", "warning", i, 0, 3, true, false)
		w.fire("Ignored", "critical", i, 300, 200, true, false)
		w.fire("Flappy", "warning", 7, 20*i, 5, i == 0, true)
		w.fire("Flow", "warning", 9, 20*i, 5, false, false)
		w.fire("Acted", "critical", i, 700, 4, true, i == 5)
	}
	w.fire("Noisy", "critical", 8, 0, 60, true, true)
	return w
}

func TestWhatIsProposed(t *testing.T) {
	w := fortnight(t)
	r := w.review(t.TempDir())
	got := map[string]string{}
	for _, one := range r.Rules {
		for _, p := range one.Proposals {
			got[one.Alert] += strings.TrimSpace(p.Kind+" "+p.From+" → "+p.To) + "; "
			if (p.Manual != "") != (one.Alert == "Flow") {
				t.Errorf("%s: %s is by hand: %q", one.Alert, p.Kind, p.Manual)
			}
		}
	}
	want := map[string]string{
		"Noisy":   "for 1m → 5m; ",                 // those that ended by themselves lasted 3 minutes, the one that was acted on an hour
		"Twin":    "remove  →; ",                   // it fires when Noisy does, and is less severe
		"Ignored": "severity critical → warning; ", // a longer for would have to be more than an hour
		"Stale":   "remove  →; ",
		"Flappy":  "keep_firing_for  → 20m; ", // pauses of 16 minutes
		"Flow":    "keep_firing_for  → 20m; ",
		// Acted, one of whose short firings somebody acted on, keeps what it has.
	}
	for alert, text := range want {
		if got[alert] != text {
			t.Errorf("%s: %q, want %q", alert, got[alert], text)
		}
	}
	if len(got) != len(want) || r.Covered < 0.999 {
		t.Errorf("proposed: %v; covered %v", got, r.Covered)
	}
	if want := "8 rules fired 37 times in 14 days (100 % of which are known); 6 edits are proposed."; r.Summary != want {
		t.Errorf("summary %q", r.Summary)
	}
}

func TestWhatIsFound(t *testing.T) {
	w := fortnight(t)
	// A budget of edge burned twice: once while Noisy fired, once while nothing did.
	for _, day := range []int{8, 11} {
		at := w.end.AddDate(0, 0, day-14)
		w.series(at, at.Add(20*time.Minute), "__name__", "signalbox_slo_burn_rate", "service", "edge", "slo", "edge-ok", "window", "1h", "x", "10")
	}
	found := map[string]ReviewedRule{}
	for _, one := range w.review(t.TempDir()).Rules {
		found[one.Alert] = one
	}
	noisy := found["Noisy"]
	if noisy.Outcome != (RuleOutcome{Told: 7, ActedOn: 1, AutoResolved: 6}) || noisy.Firings.Count != 7 || noisy.Firings.Seconds != 78*60 {
		t.Errorf("Noisy: %+v", noisy)
	}
	if found["Flow"].Outcome.Quiet != 6 || found["Flow"].Findings[0].Kind != "always-quiet" {
		t.Errorf("Flow: %+v", found["Flow"])
	}
	if f := found["Rare"].Findings; len(f) != 1 || f[0].Kind != "never-fired" {
		t.Errorf("Rare: %+v", f)
	}
	if f := found["Stale"]; len(f.Stale) != 1 || f.Stale[0] != "gone_total" {
		t.Errorf("Stale: %+v", f)
	}
}

func TestABurnThatARuleSleptThrough(t *testing.T) {
	w := newWorld(t)
	h := &history{burns: map[string][]span{"edge": {{w.end.Add(-time.Hour), w.end.Add(-50 * time.Minute)}, {w.end.Add(-5 * time.Hour), w.end.Add(-4 * time.Hour)}}}}
	set, errs := rules.Parse([]byte("groups: [{name: g, rules: [{alert: A, expr: up == 0, labels: {service: edge}}]}]"))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	mine := []*episode{{labels: model.Labels{"service": "edge"}, start: w.end.Add(-70 * time.Minute), end: w.end.Add(-55 * time.Minute)}}
	if n := h.missed(set.Groups[0].Rules[0], mine); n != 1 {
		t.Errorf("%d", n)
	}
}

// What git makes of the patch is the file with those edits, and everything else as it was.
func TestGitTakesThePatch(t *testing.T) {
	git, err := exec.LookPath("git")
	if err != nil {
		t.Skip("there is no git")
	}
	w := fortnight(t)
	for name, change := range map[string]func(string) string{
		"as people write":          func(s string) string { return s },
		"with the ends of Windows": func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") },
		"without an end":           func(s string) string { return strings.TrimSuffix(s, "\n") },
		"a PrometheusRule object": func(s string) string {
			return "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata: {name: work}\nspec:\n  " + strings.TrimSuffix(strings.ReplaceAll(s, "\n", "\n  "), "  ")
		},
	} {
		t.Run(name, func(t *testing.T) {
			w.text = change(file)
			dir := t.TempDir()
			r := w.review(dir)
			patch := exec.CommandContext(t.Context(), git, "apply", "-")
			patch.Dir, patch.Stdin = dir, strings.NewReader(r.Patch)
			if out, err := patch.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s\n%s", err, out, r.Patch)
			}
			got, err := os.ReadFile(filepath.Join(dir, "rules", "work.yml"))
			if err != nil {
				t.Fatal(err)
			}
			want := change(strings.NewReplacer(
				`for: "1m"   # long enough?`, `for: 5m   # long enough?`,
				"      - alert: Flappy\n", "      - alert: Flappy\n        keep_firing_for: 20m\n",
				"      - alert: Stale\n        expr: gone_total > 1\n", "",
				"      - alert: Twin\n        expr: errors > 2\n        labels:\n          severity: warning\n", "",
				"      - alert: Ignored\n        labels:\n          severity: critical\n", "      - alert: Ignored\n        labels:\n          severity: warning\n",
			).Replace(file))
			if string(got) != want {
				t.Errorf("got\n%s\nwant\n%s\npatch\n%s", got, want, r.Patch)
			}
		})
	}
}

func TestWithLittleHistoryNothingIsProposed(t *testing.T) {
	fresh := newWorld(t)
	fresh.series(fresh.end.AddDate(0, 0, -5), fresh.end, "__name__", "ALERTS", "alertname", "Watchdog", "alertstate", "firing")
	for i := range 6 {
		fresh.fire("Noisy", "critical", 10, 100*i, 3, true, false)
	}
	r := fresh.review(t.TempDir())
	if r.Patch != "" || !strings.HasPrefix(r.Summary, "Only 35.7 % of the last 14 days are known, so nothing is proposed") {
		t.Errorf("%s\n%s", r.Summary, r.Patch)
	}
	if r.Rules[0].Alert != "Noisy" || len(r.Rules[0].Findings) == 0 {
		t.Errorf("%+v", r.Rules[0])
	}
}
