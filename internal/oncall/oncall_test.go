package oncall

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/state"
)

const two = `
people:
- {name: ada, shown: Ada L., email: ada@example.com}
- {name: kim}
- {name: lee, time_zone: America/New_York}
schedules:
- name: edge
  team: edge
  time_zone: Europe/Berlin
  layers:
  - {name: week, start: 2026-03-23, people: [ada, kim]}
- name: nights
  layers:
  - start: 2026-03-23
    at: "00:00"
    people: [lee]
    windows: [{from: "20:00", to: "08:00"}]
`

// in loads the text of on-call files into a room whose clock stands.
func in(t *testing.T, now time.Time, texts ...string) (*Room, *state.Store) {
	t.Helper()
	s, err := state.Open(t.Context(), state.Config{Dir: t.TempDir()}, state.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	r, err := New(Deps{State: s, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Reload([]string{write(t, texts...)}); err != nil {
		t.Fatal(err)
	}
	return r, s
}

func write(t *testing.T, texts ...string) (pattern string) {
	t.Helper()
	dir := t.TempDir()
	for i, text := range texts {
		if err := os.WriteFile(filepath.Join(dir, string(rune('a'+i))+".yml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "*.yml")
}

func utc(t *testing.T, s string) time.Time {
	t.Helper()
	v, err := time.Parse("2006-01-02 15:04", s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestWhoIsOnCallNowAndNext(t *testing.T) {
	now := utc(t, "2026-03-24 12:00")
	r, _ := in(t, now, two)
	got, err := r.Schedules(t.Context(), now)
	if err != nil || len(got) != 2 {
		t.Fatal(got, err)
	}
	edge, nights := got[0], got[1]
	if edge.Name != "edge" || edge.TimeZone != "Europe/Berlin" || edge.Now == nil || edge.Now.Person.Shown != "Ada L." || edge.Now.Layer != "week" || len(edge.People) != 2 {
		t.Errorf("edge: %+v", edge)
	}
	// The clocks go forward on the 29th: 09:00 is 07:00 UTC.
	if !edge.Now.End.Equal(utc(t, "2026-03-30 07:00")) || edge.Next == nil || edge.Next.Person.Name != "kim" || !edge.Next.Start.Equal(edge.Now.End) {
		t.Errorf("edge, now %+v, next %+v", edge.Now, edge.Next)
	}
	if nights.TimeZone != "UTC" || nights.Now != nil || nights.Next == nil || !nights.Next.Start.Equal(utc(t, "2026-03-24 20:00")) || !nights.Next.End.Equal(utc(t, "2026-03-25 08:00")) {
		t.Errorf("nights: %+v, next %+v", nights, nights.Next)
	}
}

// Where nobody looked, nothing is said to end.
func TestNoEndIsSaidThatWasNotLookedFor(t *testing.T) {
	now := utc(t, "2026-03-24 12:00")
	far := now.Add(40 * 24 * time.Hour)
	for name, c := range map[string]struct {
		layers             string
		start, end, nextTo time.Time
	}{
		"alone for ever": {`[{name: week, start: 2026-01-05, people: [ada]}]`, time.Time{}, time.Time{}, time.Time{}},
		"since a week":   {`[{name: week, start: 2026-03-17, people: [ada]}]`, utc(t, "2026-03-17 09:00"), time.Time{}, time.Time{}},
		"a quarter each": {`[{name: quarter, start: 2026-01-01, every: 3mo, people: [ada, kim]}]`, time.Time{}, utc(t, "2026-04-01 09:00"), time.Time{}},
		"a week each":    {`[{name: week, start: 2026-03-23, people: [ada, kim]}]`, utc(t, "2026-03-23 09:00"), utc(t, "2026-03-30 09:00"), utc(t, "2026-04-06 09:00")},
	} {
		r, _ := in(t, now, "people: [{name: ada}, {name: kim}]\nschedules: [{name: edge, time_zone: UTC, layers: "+c.layers+"}]\n")
		got, err := r.Schedules(t.Context(), now)
		if err != nil || len(got) != 1 || got[0].Now == nil {
			t.Fatal(name, got, err)
		}
		is := got[0].Now
		if !is.Start.Equal(c.start) || !is.End.Equal(c.end) || c.end.IsZero() != is.NoChangeBefore.Equal(far) || (got[0].Next == nil) != c.end.IsZero() {
			t.Errorf("%s: %+v, next %+v", name, is, got[0].Next)
		}
		if next := got[0].Next; next != nil && (!next.Start.Equal(c.end) || !next.End.Equal(c.nextTo) || c.nextTo.IsZero() != next.NoChangeBefore.Equal(far)) {
			t.Errorf("%s: next %+v", name, next)
		}
		text, err := json.Marshal(is)
		if err != nil || strings.Contains(string(text), "0001-") {
			t.Errorf("%s: %s %v", name, text, err)
		}
	}
}

func TestAnOverrideCountsUntilItIsTakenBack(t *testing.T) {
	now := utc(t, "2026-03-24 12:00")
	r, s := in(t, now, two)
	made, err := r.Override(t.Context(), Override{Schedule: "edge", Person: "lee", Start: now.Add(time.Hour), End: now.Add(3 * time.Hour), By: "ada", Reason: "dentist"})
	if err != nil || len(made) != 1 || !strings.HasPrefix(made[0].ID, "edge:") || !made[0].Created.Equal(now) {
		t.Fatal(made, err)
	}
	// Another process on the same state sees it.
	again, err := New(Deps{State: s, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Reload([]string{write(t, two)}); err != nil {
		t.Fatal(err)
	}
	shifts, err := again.Shifts(t.Context(), "edge", now, now.Add(5*time.Hour))
	if err != nil || len(shifts) != 3 || shifts[1].Person.Name != "lee" || shifts[1].Override != made[0].ID || !shifts[1].Start.Equal(now.Add(time.Hour)) || shifts[2].Person.Name != "ada" {
		t.Fatalf("%+v %v", shifts, err)
	}
	if gone, err := r.Unoverride(t.Context(), made[0].ID); err != nil || gone.Person != "lee" {
		t.Fatal(gone, err)
	}
	if _, err := r.Unoverride(t.Context(), made[0].ID); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
	if shifts, _ := r.Shifts(t.Context(), "edge", now, now.Add(5*time.Hour)); len(shifts) != 1 {
		t.Errorf("%+v", shifts)
	}
}

func TestASwapIsTwoOverridesOrNone(t *testing.T) {
	now := utc(t, "2026-03-24 12:00")
	r, _ := in(t, now, two)
	one := Override{Schedule: "edge", Person: "kim", Start: now, End: now.Add(time.Hour)}
	for _, c := range []struct {
		want   string
		change func(*Override)
	}{
		{"nobody in people", func(o *Override) { o.Person = "mallory" }},
		{"did you mean", func(o *Override) { o.Schedule = "edgy" }},
		{"before it begins", func(o *Override) { o.End = o.Start }},
		{"it is over", func(o *Override) { o.Start, o.End = now.Add(-2*time.Hour), now.Add(-time.Hour) }},
		{"change of the roster", func(o *Override) { o.End = o.Start.Add(100 * 24 * time.Hour) }},
	} {
		bad := one
		c.change(&bad)
		if _, err := r.Override(t.Context(), one, bad); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
	if got, err := r.Overrides(t.Context(), "edge", now.Add(-time.Hour), now.Add(time.Hour)); err != nil || len(got) != 0 {
		t.Errorf("%+v %v", got, err)
	}
}

func TestCoverageNamesEveryGap(t *testing.T) {
	now := utc(t, "2026-03-24 12:00")
	r, _ := in(t, now, two)
	got, err := r.Coverage(t.Context(), "", now, now.Add(48*time.Hour))
	if err != nil || got.Covered || len(got.Schedules) != 2 || len(got.Schedules[0].Gaps) != 0 {
		t.Fatalf("%+v %v", got, err)
	}
	var gaps []string
	for _, g := range got.Schedules[1].Gaps {
		gaps = append(gaps, g.Start.Format("02 15:04")+"-"+g.End.Format("02 15:04"))
	}
	if text := strings.Join(gaps, " "); text != "24 12:00-24 20:00 25 08:00-25 20:00 26 08:00-26 12:00" {
		t.Error(text)
	}
	if got, err := r.Coverage(t.Context(), "edge", now, now.Add(48*time.Hour)); err != nil || !got.Covered {
		t.Errorf("%+v %v", got, err)
	}
	if _, err := r.Coverage(t.Context(), "nightly", now, now.Add(time.Hour)); !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), `did you mean "nights"`) {
		t.Error(err)
	}
	empty, _ := in(t, now, "people: []\n")
	if got, err := empty.Coverage(t.Context(), "", now, now.Add(time.Hour)); err != nil || got.Covered || got.Problem == "" {
		t.Errorf("without a schedule: %+v %v", got, err)
	}
}

func TestWhatIsWrongInAFileIsNamedWithItsPlace(t *testing.T) {
	layer := func(text string) string {
		return "people: [{name: ada}]\nschedules:\n- name: x\n  holidays: [2026-12-25]\n  layers:\n  - {start: 2026-01-05, people: [ada], " + text + "}\n"
	}
	for _, c := range []struct{ text, want string }{
		{layer("every: 0d"), "every: must be a number of hours"},
		{layer("every: 2y"), "every:"},
		{layer(`at: "9:00"`), "at:"},
		{layer("on_holidays: never"), "on_holidays: must be too, not or only"},
		{layer("windows: [{days: [monday]}]"), "windows[0].days[0]"},
		{layer(`windows: [{from: "25:00"}]`), "windows[0].from"},
		{layer("changes: [{from: 2026-01-01, people: [ada]}]"), "changes[0].from: must be after 2026-01-05"},
		{layer("changes: [{from: 2026-02-01}]"), "changes[0].people"},
		{layer("rotation: weekly"), "rotation"},
		{"people: [{name: ada}]\nschedules: [{name: x}]\n", "layers: a schedule needs at least one"},
		{"people: [{name: ada}]\nschedules: [{name: x, time_zone: Berlin, layers: [{start: 2026-01-05, people: [ada]}]}]\n", `time_zone: "Berlin"`},
		{"people: [{name: ada}]\nschedules: [{name: x, layers: [{start: 2026-02-30, people: [ada]}]}]\n", "start:"},
		{"people: [{name: ada}]\nschedules: [{name: x, layers: [{start: 2026-01-05, people: [adda]}]}]\n", `did you mean "ada"`},
		{"people: [{name: ada}]\nschedules: [{name: x, layers: [{start: 2026-01-05, people: [ada], on_holidays: only}]}]\n", "has no holidays"},
		{"people: [{name: ada}]\nschedules: [{name: x, layers: [{start: 0001-01-01, every: 1h, people: [ada]}]}]\n", "between 1970 and 2200"},
		{"people: [{name: ada}, {name: ada}]\n", `"ada" stands in`},
		{"people: [{name: 'a b'}]\n", "name: must be letters"},
		{"people: [{name: a, email: nowhere}]\n", "email:"},
		{"people: [{name: a, time_zone: Mars/Base}]\n", "time_zone:"},
		{"schedule: []\n", "schedule"},
	} {
		_, problems := Load([]string{write(t, c.text)})
		if err := document.Err(problems); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "a.yml:") {
			t.Errorf("%s\n%v\nwant %q", c.text, err, c.want)
		}
	}
	if _, problems := Load([]string{write(t, "")}); document.Failed(problems) || len(problems) != 1 {
		t.Errorf("an empty file: %v", problems)
	}
	// People of one file, turns in another.
	r, problems := Load([]string{write(t, "people: [{name: ada}]\n", "schedules: [{name: x, layers: [{start: 2026-01-05, people: [ada, '']}]}]\n")})
	if len(problems) > 0 || len(r.Schedules) != 1 {
		t.Errorf("%+v %v", r, problems)
	}
}

// A file with an error costs no other file its schedules, nor itself the last good ones.
func TestAFileThatBreaksKeepsItsLastGoodVersion(t *testing.T) {
	now := utc(t, "2026-03-24 12:00")
	r, _ := in(t, now, two)
	dir := t.TempDir()
	path := filepath.Join(dir, "a.yml")
	if err := os.WriteFile(path, []byte(two), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := r.Reload([]string{path}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("people: {"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := r.Reload([]string{path}); err == nil {
		t.Error("a broken file is taken without a word")
	}
	if got, _ := r.Schedules(t.Context(), now); len(got) != 2 {
		t.Errorf("%d schedules are left", len(got))
	}
}

func FuzzAnOnCallFileNeverPanics(f *testing.F) {
	f.Add(two)
	f.Add("people: [{name: ada}]\nschedules: [{name: x, layers: [{start: 2026-01-31, every: 9999mo, at: '24:00', people: [ada, ''], offset: -7, windows: [{to: '00:00'}]}]}]\n")
	f.Fuzz(func(t *testing.T, text string) {
		files := []document.File{{Path: "a.yml", Text: []byte(text)}}
		r, _ := buildRoster(files)
		at := time.Date(2026, 3, 29, 0, 30, 0, 0, time.UTC)
		for _, d := range r.Schedules {
			for _, span := range d.rota.Spans(at, at.Add(72*time.Hour)) {
				if !span.Start.Before(span.End) || span.Person == "" {
					t.Errorf("%+v", span)
				}
			}
		}
	})
}

// A row that somebody edited, or the disk, costs itself and not the answer to who is on call.
func TestADamagedOverrideHidesNobody(t *testing.T) {
	now := utc(t, "2026-03-24 12:00")
	r, s := in(t, now, two)
	if _, err := r.Override(t.Context(), Override{Schedule: "edge", Person: "lee", Start: now, End: now.Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.SaveDocuments(t.Context(), store.Document{Kind: overrideKind, ID: "edge:x", Time: now, Body: []byte("[]")}); err != nil {
		t.Fatal(err)
	}
	if got, err := r.Schedules(t.Context(), now); err != nil || len(got) != 2 || got[0].Now == nil || got[0].Now.Person.Name != "lee" {
		t.Errorf("%+v %v", got, err)
	}
	if _, err := r.Overrides(t.Context(), "edgy", now, now.Add(time.Hour)); !errors.Is(err, ErrUnknown) {
		t.Errorf("overrides of a schedule that there is not: %v", err)
	}
}
