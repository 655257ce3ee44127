package calendar

import (
	"bytes"
	"strings"
	"testing"
	"time"

	ical "github.com/emersion/go-ical"
	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/oncall"
)

var now = time.Date(2026, 3, 20, 9, 0, 0, 0, time.UTC)

func written(t interface{ Fatal(...any) }, f Feed) string {
	var b bytes.Buffer
	if err := Write(&b, f); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// read is a feed as another library reads it.
func read(t interface{ Fatal(...any) }, text string) (*ical.Calendar, []ical.Event) {
	dec := ical.NewDecoder(strings.NewReader(text))
	cal, err := dec.Decode()
	if err != nil {
		t.Fatal(err)
	}
	return cal, cal.Events()
}

func TestAShiftIsReadByAnotherLibraryAsItWasWritten(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	// The week in which the clocks go forward: 167 hours.
	start, end := time.Date(2026, 3, 23, 9, 0, 0, 0, berlin), time.Date(2026, 3, 30, 9, 0, 0, 0, berlin)
	text := written(t, Feed{
		Name: "On call: edge", Link: "https://signalbox.example/oncall", From: now, Now: now,
		Shifts: []oncall.Shift{{Schedule: "edge", Person: oncall.Person{Name: "ada", Shown: "Ada L.", Email: "ada@example.com"}, Start: start, End: end, Layer: "week"}},
	})
	cal, events := read(t, text)
	if name, err := cal.Props.Text("X-WR-CALNAME"); err != nil || name != "On call: edge" {
		t.Errorf("%q %v", name, err)
	}
	if len(events) != 1 {
		t.Fatalf("%d events", len(events))
	}
	e := events[0]
	from, err1 := e.DateTimeStart(time.UTC)
	to, err2 := e.DateTimeEnd(time.UTC)
	if err1 != nil || err2 != nil || !from.Equal(start) || !to.Equal(end) || to.Sub(from) != 167*time.Hour {
		t.Errorf("%v to %v, %v %v", from, to, err1, err2)
	}
	for prop, want := range map[string]string{ical.PropSummary: "On call: edge – Ada L.", ical.PropDescription: "By the rotation week.", ical.PropTransparency: "TRANSPARENT"} {
		if got, err := e.Props.Text(prop); err != nil || got != want {
			t.Errorf("%s: %q %v", prop, got, err)
		}
	}
	for i, l := range strings.Split(strings.TrimSuffix(text, "\r\n"), "\r\n") {
		if len(l) > 75 || strings.ContainsAny(l, "\r\n") {
			t.Errorf("line %d is not one of RFC 5545: %q", i, l)
		}
	}
}

// A reader that asks again finds the same events, also on the next day, and another where somebody took over.
func TestEventsKeepTheirUID(t *testing.T) {
	shift := oncall.Shift{Schedule: "edge", Person: oncall.Person{Name: "ada"}, Start: now.AddDate(0, 0, 3), End: now.AddDate(0, 0, 10)}
	cut := oncall.Shift{Schedule: "edge", Person: oncall.Person{Name: "kim"}, Start: now, End: shift.Start}
	uids := func(from time.Time, shifts ...oncall.Shift) (out []string) {
		_, events := read(t, written(t, Feed{Name: "x", From: from, Now: from, Shifts: shifts}))
		for _, e := range events {
			uid, err := e.Props.Text(ical.PropUID)
			if err != nil || uid == "" {
				t.Fatal(uid, err)
			}
			out = append(out, uid)
		}
		return out
	}
	today := uids(now, cut, shift)
	tomorrow := now.AddDate(0, 0, 1)
	cut.Start = tomorrow
	if next := uids(tomorrow, cut, shift); next[0] != today[0] || next[1] != today[1] || today[0] == today[1] {
		t.Errorf("%v, a day later %v", today, next)
	}
	shift.Person.Name = "lee"
	if swapped := uids(now, shift); swapped[0] == today[1] {
		t.Error("another person's shift is the same event")
	}
}

// Names from files and links from outside stay within their lines, whatever they hold.
func TestNoNameEndsALine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := oncall.Shift{
			Schedule: rapid.String().Draw(t, "schedule"), Layer: rapid.String().Draw(t, "layer"), Start: now, End: now.Add(time.Hour),
			Person: oncall.Person{Name: rapid.String().Draw(t, "name"), Shown: rapid.SampledFrom([]string{"", "A\r\nEND:VEVENT", `"; X="`, "a,b;c\\d", "Zoë\u2028x"}).Draw(t, "shown"), Email: "a@example.com"},
		}
		_, events := read(t, written(t, Feed{Name: rapid.String().Draw(t, "feed"), From: now, Now: now, Shifts: []oncall.Shift{s, s}}))
		if len(events) != 2 {
			t.Fatalf("%d events of 2 shifts", len(events))
		}
		if got, err := events[0].Props.Text(ical.PropSummary); err != nil || got != summary(s) {
			t.Fatalf("%q is read as %q, %v", summary(s), got, err)
		}
	})
}
