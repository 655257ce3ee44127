package statuspage

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/slo/ledger"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/state"
)

const pagesFile = `
status_pages:
- name: broker
  title: Broker
  public: true
  url: https://status.example.com
  language: de
  time_zone: Europe/Berlin
  components:
  - {id: orders, title: Orders, group: Trading, services: [order-api], slos: [orders-available, orders-fast], probes: [orders]}
  - {id: quotes, title: Quotes, services: [secret-quotes]}
  automatic: {after: 5m, title: "{components}: out of order", text: "We know, and work on it.", resolved: "It works again."}
- name: inside
  title: Inside
  tiers: [1]
  components: [{id: db, title: Database}]
`

// scene is a room over a real store, with a clock and figures of the test's.
type scene struct {
	*Room
	now       time.Time
	incidents []Incident
	days      map[string][]ledger.Cell
}

func setup(t *testing.T) *scene {
	t.Helper()
	documents, err := state.Open(t.Context(), state.Config{Dir: t.TempDir()}, state.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = documents.Close() })
	s := &scene{now: time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC), days: map[string][]ledger.Cell{}}
	from := func(kind string) func(context.Context, string, time.Time, int) ([]ledger.Cell, error) {
		return func(_ context.Context, name string, _ time.Time, _ int) ([]ledger.Cell, error) {
			if cells, known := s.days[kind+name]; known {
				return cells, nil
			}
			return nil, store.ErrNotFound
		}
	}
	s.Room, err = New(Deps{Documents: documents, Now: func() time.Time { return s.now }, Sources: Sources{
		Incidents: func(context.Context) ([]Incident, error) { return s.incidents, nil },
		SLODays:   from(ofSLO), ProbeDays: from(ofProbe), SLOsOf: func(service string) []string { return []string{service + "-slo"} },
		Services: func([]int) []Service {
			return []Service{{Name: "Edge/API", Title: "The edge", Names: []string{"edge"}}, {Name: "db", Title: "x"}}
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "pages.yml")
	if err := os.WriteFile(file, []byte(pagesFile), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Reload([]string{file}); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *scene) state(t *testing.T, page, component string) State {
	t.Helper()
	v, err := s.View(t.Context(), page)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range v.Components {
		if c.ID == component {
			return c.State
		}
	}
	t.Fatalf("%s has no %s", page, component)
	return ""
}

// One incident from the first word to the last: the state of components follows what is said, and nothing else does.
func TestStatesFollowWhatIsPublished(t *testing.T) {
	s := setup(t)
	s.incidents = []Incident{{ID: "INC-7", Severity: "P1", Services: []string{"order-api"}, Started: s.now.Add(-time.Hour)}}
	if got := s.state(t, "broker", "orders"); got != Operational {
		t.Fatalf("an incident that nobody published shows as %s", got)
	}
	p, err := s.Publish(t.Context(), Announcement{
		Pages: []string{"broker"}, Incident: "INC-7", Title: "Orders are slow", Text: "We look.", By: "ann-1",
		Components: []Affected{{"orders", Degraded}, {"quotes", Operational}},
	})
	if err != nil {
		t.Fatal(err)
	}
	steps := []struct {
		status     Status
		components []Affected
		want       State
	}{
		{Identified, []Affected{{"orders", PartialOutage}}, PartialOutage},
		{Identified, []Affected{{"orders", MajorOutage}}, MajorOutage},
		{Monitoring, nil, MajorOutage}, // nobody said that it is better
		{Monitoring, []Affected{{"orders", Degraded}}, Degraded},
		{Resolved, nil, Operational},
		{Investigating, nil, Degraded}, // it was not over
		{Resolved, nil, Operational},
	}
	for _, step := range steps {
		s.now = s.now.Add(10 * time.Minute)
		if p, err = s.Update(t.Context(), p.ID, Further{Status: step.status, Text: "Further.", Components: step.components, By: "ann-1"}); err != nil {
			t.Fatal(err)
		}
		if got := s.state(t, "broker", "orders"); got != step.want {
			t.Errorf("%s with %v: %s, want %s", step.status, step.components, got, step.want)
		}
	}
	if p.Ended == nil || !p.Ended.Equal(s.now) {
		t.Errorf("it ended at %v", p.Ended)
	}
	v, _ := s.View(t.Context(), "broker")
	if n := v.Notices[0]; n.Impact != "critical" || len(n.Updates) != len(steps)+1 {
		t.Errorf("impact %s, %d updates", n.Impact, len(n.Updates))
	}
	// What is inside stays inside.
	text, _ := json.Marshal(v)
	for _, secret := range []string{"INC-7", "ann-1", "order-api", "secret-quotes", "orders-available", `"db"`} { // none of which the letters and digits of a random ID can make
		if strings.Contains(string(text), secret) {
			t.Errorf("the page tells %q: %s", secret, text)
		}
	}
	if inside, _ := s.View(t.Context(), "inside"); len(inside.Notices) != 0 {
		t.Error("a page shows what was announced on another")
	}
}

func TestWhatCannotBeShownIsRefused(t *testing.T) {
	s := setup(t)
	at := s.now.Add(time.Hour)
	for name, a := range map[string]Announcement{
		"a page that is not there":              {Pages: []string{"brokr"}, Title: "t", Text: "t"},
		"a component of another page":           {Pages: []string{"broker"}, Title: "t", Text: "t", Components: []Affected{{"db", Degraded}}},
		"a component twice":                     {Pages: []string{"broker"}, Title: "t", Text: "t", Components: []Affected{{"orders", Degraded}, {"orders", MajorOutage}}},
		"a state that is none":                  {Pages: []string{"broker"}, Title: "t", Text: "t", Components: []Affected{{"orders", "down"}}},
		"blank text":                            {Pages: []string{"broker"}, Title: "t", Text: " \n"},
		"the status of maintenance":             {Pages: []string{"broker"}, Title: "t", Text: "t", Status: Scheduled},
		"maintenance without an end":            {Kind: OfMaintenance, Pages: []string{"broker"}, Title: "t", Text: "t", Starts: &at},
		"maintenance that ends as it starts":    {Kind: OfMaintenance, Pages: []string{"broker"}, Title: "t", Text: "t", Starts: &at, Ends: &at},
		"an incident that starts at some time":  {Pages: []string{"broker"}, Title: "t", Text: "t", Starts: &at},
		"maintenance as the state of incidents": {Pages: []string{"broker"}, Title: "t", Text: "t", Components: []Affected{{"orders", Maintenance}}},
	} {
		_, err := s.Publish(t.Context(), a)
		var fault interface{ BadRequest() }
		if !errors.As(err, &fault) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if all, err := s.Posts(t.Context(), ""); err != nil || len(all) != 0 {
		t.Errorf("%v %v", all, err)
	}
}

// Maintenance begins and ends by the clock, once each, whatever is missed in between.
func TestMaintenanceFollowsTheClock(t *testing.T) {
	s := setup(t)
	starts, ends := s.now.Add(time.Hour), s.now.Add(2*time.Hour)
	if _, err := s.Publish(t.Context(), Announcement{Kind: OfMaintenance, Pages: []string{"broker"}, Title: "New disks", Text: "t", Starts: &starts, Ends: &ends, Components: []Affected{{Component: "orders"}}}); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		after time.Duration
		want  State
	}{{0, Operational}, {59 * time.Minute, Operational}, {60 * time.Minute, Maintenance}, {119 * time.Minute, Maintenance}, {120 * time.Minute, Operational}, {300 * time.Minute, Operational}} {
		s.now = starts.Add(-time.Hour + step.after)
		for range 2 {
			if err := s.Look(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if got := s.state(t, "broker", "orders"); got != step.want {
			t.Errorf("after %s: %s, want %s", step.after, got, step.want)
		}
	}
	v, _ := s.View(t.Context(), "broker")
	if u := v.Notices[0].Updates; len(u) != 3 || u[0].Status != Completed || !u[0].Time.Equal(ends) || u[1].Status != InProgress || !u[1].Time.Equal(starts) || u[2].Status != Scheduled {
		t.Errorf("%+v", u)
	}
	if d := v.Components[0].Days[UptimeDays-1]; !d.Maintenance || d.Incidents != 0 || v.Components[0].Days[UptimeDays-2].Maintenance {
		t.Errorf("today is %+v", d)
	}
}

// A page with a rule announces by itself, once, and says that it is over unless somebody took it in hand.
func TestARuleOfThePageAnnounces(t *testing.T) {
	s := setup(t)
	look := func() []Post {
		t.Helper()
		if err := s.Look(t.Context()); err != nil {
			t.Fatal(err)
		}
		all, err := s.Posts(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	s.incidents = []Incident{
		{ID: "I-1", Severity: "P0", Services: []string{"order-api", "hidden"}, Started: s.now},
		{ID: "I-2", Severity: "P1", Services: []string{"order-api"}, Started: s.now.Add(-time.Hour)},
		{ID: "I-3", Severity: "P0", Services: []string{"hidden"}, Started: s.now.Add(-time.Hour)},
	}
	if all := look(); len(all) != 0 {
		t.Fatalf("too early, or too much: %+v", all)
	}
	s.now = s.now.Add(5 * time.Minute)
	look()
	all := look()
	if len(all) != 1 || all[0].Title != "Orders: out of order" || !all[0].Automatic || s.state(t, "broker", "orders") != MajorOutage {
		t.Fatalf("%+v", all)
	}
	list, err := s.List(t.Context(), func(string) string { return "" })
	if err != nil || len(list.Needs) != 0 {
		t.Errorf("%+v %v", list.Needs, err)
	}
	gone := s.incidents
	s.incidents = nil
	if all = look(); all[0].Status != Resolved || all[0].Updates[1].Text != "It works again." {
		t.Errorf("%+v", all[0])
	}
	s.incidents = gone // it opens again: what was announced of it is over, and is a person's to take up
	if all = look(); len(all) != 1 {
		t.Errorf("announced twice: %+v", all)
	}

	s.now = s.now.Add(time.Minute)
	s.incidents = []Incident{{ID: "I-4", Severity: "P0", Services: []string{"order-api"}, Started: s.now.Add(-time.Hour)}}
	look()
	all = look()
	if _, err := s.Update(t.Context(), all[0].ID, Further{Text: "We found it.", By: "ann-1"}); err != nil {
		t.Fatal(err)
	}
	s.incidents = nil
	if all = look(); all[0].Status != Investigating {
		t.Error("somebody's announcement was ended without them")
	}
	if list, _ = s.List(t.Context(), func(string) string { return "" }); len(list.Needs) != 1 || !strings.Contains(list.Needs[0].Text, "its incident is") {
		t.Errorf("nobody is told that it stands: %+v", list.Needs)
	}
	if _, err := s.Withdraw(t.Context(), all[0].ID); err != nil {
		t.Fatal(err)
	}
	s.incidents = []Incident{{ID: "I-4", Severity: "P0", Services: []string{"order-api"}, Started: s.now.Add(-time.Hour)}}
	if look(); s.state(t, "broker", "orders") != Operational {
		t.Error("what was withdrawn came back")
	}
}

// The figures were made by hand: of each day the worst source, over all days the worst sum, and no data is never good.
func TestUptimeIsWhatWasCounted(t *testing.T) {
	s := setup(t)
	first, second, probe := make([]ledger.Cell, UptimeDays), make([]ledger.Cell, UptimeDays), make([]ledger.Cell, UptimeDays)
	first[87], second[87] = ledger.Cell{Bad: 1, Total: 1000, Minutes: 1440}, ledger.Cell{Bad: 0, Total: 500, Minutes: 1440}
	first[88], second[88] = ledger.Cell{Bad: 0, Total: 1000, Minutes: 720}, ledger.Cell{Bad: 20, Total: 500, Minutes: 1440}
	first[89] = ledger.Cell{Bad: 0, Total: 0, Minutes: 700} // nobody asked anything
	probe[86] = ledger.Cell{Bad: 2880, Total: 2880, Minutes: 1440}
	probe[87] = ledger.Cell{Bad: 0, Total: 2880, Minutes: 1440}
	s.days["slo/orders-available"], s.days["slo/orders-fast"], s.days["probe/orders"] = first, second, probe
	s.Count(t.Context())
	view := func() ComponentView {
		v, err := s.View(t.Context(), "broker")
		if err != nil {
			t.Fatal(err)
		}
		if v.Components[1].Uptime != nil || len(v.Components[1].Days) != 0 {
			t.Error("a component that nothing counts has an uptime")
		}
		return v.Components[0]
	}
	c := view()
	want := map[int]float64{86: 0, 87: 0.999, 88: 0.96}
	for i, d := range c.Days {
		switch ratio, known := want[i]; {
		case known != (d.Ratio != nil):
			t.Errorf("day %d: %v", i, d.Ratio)
		case known && math.Abs(*d.Ratio-ratio) > 1e-12:
			t.Errorf("day %d: %v, want %v", i, *d.Ratio, ratio)
		}
	}
	// first: 1 of 2000 bad; second: 20 of 1000; probe: 2880 of 5760.
	if u := c.Uptime; u.Days != 3 || u.Of != 90 || math.Abs(*u.Ratio-0.5) > 1e-12 {
		t.Errorf("%+v", u)
	}
	if c.Days[87].Minutes != 1440 || c.Days[88].Minutes != 0 || c.Days[89].Date != "2026-12-01" || c.Days[0].Date != "2026-09-03" {
		t.Errorf("%+v %+v", c.Days[87], c.Days[88])
	}
	// The next day, before it is counted again, what was counted stands a day earlier.
	s.now = s.now.Add(24 * time.Hour)
	if c = view(); c.Days[87].Ratio == nil || *c.Days[87].Ratio != 0.96 || c.Days[88].Ratio != nil || c.Days[89].Ratio != nil || c.Days[86].Date != "2026-11-29" {
		t.Errorf("%+v", c.Days[85:])
	}
}

func TestThePagesOfFiles(t *testing.T) {
	s := setup(t)
	inside, err := s.Page("inside")
	if err != nil || len(inside.Components) != 2 || inside.Components[1].ID != "edge-api" || inside.Components[1].Title != "The edge" {
		t.Errorf("%+v %v", inside.Components, err)
	}
	if got := s.sourcesOf(inside.Components[1]); len(got) != 1 || got[0] != "slo/edge-slo" {
		t.Error(got)
	}
	if p, ok := s.ByHost("STATUS.example.com"); !ok || p.Name != "broker" {
		t.Error("the host is not known")
	}
	for wrong, message := range map[string]string{
		"status_pages: [{name: a, title: A, public: true, tiers: [1]}]":                                                              "a public page shows only what its file names",
		"status_pages: [{name: a.b, title: A, components: [{id: x, title: X}]}]":                                                     "small letters",
		"status_pages: [{name: a, title: A, public: true, components: [{id: x, services: [edge]}]}]":                                 "what readers see",
		"status_pages: [{name: a, title: A, components: [{id: x, title: X}, {id: x, title: Y}]}]":                                    "twice",
		"status_pages: [{name: a, title: A, time_zone: Mars/Base, components: [{id: x, title: X}]}]":                                 "IANA",
		"status_pages: [{name: a, title: A, language: tlh, components: [{id: x, title: X}]}]":                                        "must be one of",
		"status_pages: [{name: a, title: A, support: 'javascript:x', components: [{id: x, title: X}]}]":                              "must be a whole address",
		"status_pages: [{name: a, title: A, components: [{id: x, title: X}], automatic: {text: t}}]":                                 "automatic.title",
		"status_pages: [{name: a, title: A, components: [{id: x, titel: X}]}]":                                                       `unknown key "titel"`,
		"status_pages: [{name: a, title: A, components: [{id: x, title: X}]}, {name: a, title: B, components: [{id: x, title: X}]}]": "stands in",
	} {
		file := filepath.Join(t.TempDir(), "p.yml")
		if err := os.WriteFile(file, []byte(wrong), 0o600); err != nil {
			t.Fatal(err)
		}
		_, problems := Load([]string{file})
		if len(problems) == 0 || !strings.Contains(problems[0].Error(), message) {
			t.Errorf("%s: %v", wrong, problems)
		}
	}
}
