package backtest

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const ruleFile = `groups:
- name: queue
  labels: {team: a}
  rules:
  - {record: "queue:max", expr: "max(queue_length)"}
  - {alert: Long, expr: "queue_length > 5", for: 5m, labels: {severity: critical}, annotations: {summary: "{{ $value }}"}}
  - {alert: Now, expr: "queue_length > 5", labels: {severity: warning, at: '{{ $labels.service }}'}}
  - {alert: Kept, expr: "queue_length > 5", keep_firing_for: 3m, labels: {severity: warning}}
  - {alert: Slow, expr: "max_over_time(queue_length[1m]) > 5", for: 2h}
`

func repeat(v float64, n int) []float64 { return clean(time.Duration(n)*time.Minute, v) }

// TestRulesFireAsPrometheusSays: pending from the first step that is true, firing when `for`
// has passed, over at the first step that is not.
func TestRulesFireAsPrometheusSays(t *testing.T) {
	p := newPast(t)
	// From 8:50: ten minutes low, 4 high (too short), 1 low, 9 high, 2 low, 1
	// high, then low; minute k after epoch is element k+10.
	p.gauge("queue_length", epoch.Add(-10*time.Minute), slices.Concat(
		repeat(0, 10), repeat(9, 4), repeat(0, 1), repeat(9, 9), repeat(0, 2), repeat(9, 1), repeat(0, 20)))
	got := p.result(Request{
		Set: Set{Rules: []Document{{Name: "queue.yml", Text: ruleFile}}}, Start: epoch, End: epoch.Add(40 * time.Minute),
	})
	type span struct {
		Name        string
		Start, Stop int // minutes
	}
	var spans []span
	for _, a := range got.Sets[0].Alerts {
		stop := -1
		if a.End != nil {
			stop = int(a.End.Sub(epoch).Minutes())
		}
		spans = append(spans, span{a.Name, int(a.Start.Sub(epoch).Minutes()), stop})
		if a.Labels["team"] != "a" || a.Labels["service"] != "edge" || a.Name == "Now" && a.Labels["at"] != "edge" {
			t.Errorf("labels %v", a.Labels)
		}
	}
	want := []span{
		{"Kept", 0, 17}, // bridges the minute at 4 and ends 3 min after 14; high again at 16 begins anew
		{"Now", 0, 4}, {"Now", 5, 14}, {"Long", 10, 14}, {"Now", 16, 17},
	}
	// Kept: low at 14 and 15, high at 16 resets, low from 17: ends at 20.
	want[0].Stop = 20
	if diff := cmp.Diff(want, spans); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(got.Notes) != 0 {
		t.Errorf("notes %v", got.Notes)
	}
	if r := got.Sets[0].Pages[0]; r.Receiver == "" {
		t.Errorf("page %+v", r)
	}
}

func TestARuleThatPendedBeforeTheStartFiresInTime(t *testing.T) {
	p := newPast(t)
	p.gauge("queue_length", epoch.Add(-3*time.Hour), slices.Concat(repeat(0, 100), repeat(9, 200)))
	got := p.result(Request{
		Set: Set{Rules: []Document{{Name: "queue.yml", Text: ruleFile}}}, Start: epoch, End: epoch.Add(2 * time.Hour),
	})
	for _, a := range got.Sets[0].Alerts {
		if a.Name == "Slow" && a.Start.Equal(epoch.Add(40*time.Minute)) {
			return
		}
	}
	t.Errorf("Slow pends from 80 minutes before the start and fires 40 after it: %+v", got.Sets[0].Alerts)
}

func TestAnAlertPerStepIsBounded(t *testing.T) {
	p := newPast(t)
	var saw []float64
	for i := range 600 {
		saw = append(saw, float64(i%2))
	}
	p.gauge("queue_length", epoch, saw)
	text := "groups: [{name: g, rules: [{alert: Flaps, expr: queue_length == 1}, {alert: Value, expr: queue_length == 1, labels: {v: '{{ query \"queue_length\" | first | value }}'}}]}]"
	got := p.result(Request{Set: Set{Rules: []Document{{Name: "g.yml", Text: text}}}, Start: epoch, End: epoch.Add(10 * time.Hour)})
	if n := len(got.Sets[0].Alerts); n != 600 {
		t.Errorf("%d alerts, want 300 of each", n)
	}
	if got.Sets[0].Alerts[1].Labels["v"] != "1" {
		t.Errorf("a template's query: %v", got.Sets[0].Alerts[1].Labels)
	}
}

func TestMissingSamplesEndAnAlert(t *testing.T) {
	p := newPast(t)
	p.gauge("queue_length", epoch, slices.Concat(repeat(9, 10), repeat(math.NaN(), 30)))
	got := p.result(Request{Set: Set{Rules: []Document{{Name: "queue.yml", Text: ruleFile}}}, Start: epoch, End: epoch.Add(30 * time.Minute)})
	for _, a := range got.Sets[0].Alerts {
		// The last sample is of minute 9; it counts for less than five minutes.
		if a.Name == "Now" && (a.End == nil || !a.End.Equal(epoch.Add(14*time.Minute))) {
			t.Errorf("ends %v", a.End)
		}
	}
}

// Recording rules are replayed first, those that others read before them,
// whatever was stored under their names. high is true in minutes 10 to 29.
func TestAlertsSeeWhatTheSetRecords(t *testing.T) {
	p := newPast(t)
	p.gauge("queue_length", epoch.Add(-2*time.Hour), slices.Concat(repeat(0, 130), repeat(9, 20), repeat(0, 60)))
	p.gauge("queue:max", epoch.Add(-2*time.Hour), repeat(9, 240)) // recorded by an older rule, and wrong
	const text = `groups:
- name: later
  rules:
  - {record: "queue:doubled", expr: "2 * queue:max", labels: {kind: doubled}}
- name: first
  labels: {team: a}
  rules:
  - {record: "queue:max", expr: "max(queue_length)"}
  - {record: "circle:a", expr: "circle:b + queue:max"}
  - {record: "circle:b", expr: "circle:a"}
- name: alerts
  rules:
  - {alert: Direct, expr: "max(queue_length) > 5", for: 5m}
  - {alert: Recorded, expr: "queue:max > 5", for: 5m}
  - {alert: Twice, expr: 'queue:doubled{kind="doubled"} > 17', for: 5m}
  - {alert: Averaged, expr: "avg_over_time(queue:max[10m]) >= 9"}
  - {alert: Regex, expr: '{__name__=~"queue:m.*"} > 5'}
  - {alert: Circular, expr: "circle:a > 0"}
  - {alert: Strange, expr: "other:recorded > 0"}
  - {alert: Gone, expr: "absent(never_there) * 0 == 1"}
`
	got := p.result(Request{
		Set: Set{Rules: []Document{{Name: "queue.yml", Text: text}}}, Start: epoch, End: epoch.Add(60 * time.Minute),
	})
	spans := map[string][2]int{}
	for _, a := range got.Sets[0].Alerts {
		if _, twice := spans[a.Name]; twice || a.End == nil {
			t.Fatalf("%s fires twice or for ever: %+v", a.Name, got.Sets[0].Alerts)
		}
		spans[a.Name] = [2]int{int(a.Start.Sub(epoch).Minutes()), int(a.End.Sub(epoch).Minutes())}
	}
	want := map[string][2]int{"Direct": {15, 30}, "Recorded": {15, 30}, "Twice": {15, 30}, "Averaged": {19, 30}, "Regex": {10, 30}}
	if diff := cmp.Diff(want, spans); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	notes := strings.Join(got.Notes, "\n")
	for _, want := range []string{"Alert Circular cannot be judged: it reads circle:a", "Alert Strange reads other:recorded, of which nothing is stored"} {
		if !strings.Contains(notes, want) {
			t.Errorf("%q is not noted:\n%s", want, notes)
		}
	}
	if len(got.Notes) != 2 {
		t.Errorf("notes %v", got.Notes)
	}
}
