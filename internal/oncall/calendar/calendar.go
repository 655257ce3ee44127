// Package calendar writes shifts as an iCalendar object (RFC 5545), which calendar programs subscribe to.
//
// It knows no schedules and no clock. In: a Feed. Out: its text. Times are written in UTC, so that no reader needs a
// definition of a time zone and the week in which the clocks change is exact.
//
// Invariants: a shift keeps its UID however often the feed is read, so that a reader changes an event rather than adding a second
// one; names and links from outside cannot end a line.
//
// Start reading at Feed.
package calendar

import (
	"io"
	"net/url"
	"strings"
	"time"
	"unicode"

	ics "github.com/arran4/golang-ical"
	"github.com/google/uuid"

	"github.com/signalbox-project/signalbox/internal/oncall"
)

// Type is the media type of what Write writes.
const Type = "text/calendar; charset=utf-8"

// readAgain is how often readers are asked to read the feed again, as RFC 7986 writes a duration.
const readAgain = "PT1H"

// Feed is what one calendar shows.
type Feed struct {
	Name   string
	Link   string // where a person sees the same; "" leaves it out
	Shifts []oncall.Shift
	From   time.Time // shifts that began before are cut here
	Now    time.Time
}

// Write writes a feed.
func Write(w io.Writer, f Feed) error {
	cal := ics.NewCalendarFor("Signalbox")
	cal.SetMethod(ics.MethodPublish)
	cal.SetName(line(f.Name))
	cal.SetXWRCalName(line(f.Name))
	cal.SetRefreshInterval(readAgain)
	cal.SetXPublishedTTL(readAgain)
	for _, s := range f.Shifts {
		e := cal.AddEvent(uid(s, f.From))
		e.SetDtStampTime(f.Now)
		e.SetStartAt(s.Start)
		e.SetEndAt(s.End)
		e.SetSummary(summary(s))
		e.SetDescription(description(s))
		e.SetTimeTransparency(ics.TransparencyTransparent) // people on call are free to meet
		if f.Link != "" {
			e.SetURL(f.Link)
		}
		if s.Person.Email != "" {
			e.AddAttendee(line(s.Person.Email), ics.WithCN(parameter(shown(s.Person))), ics.ParticipationStatusAccepted)
		}
	}
	return cal.SerializeTo(w, ics.WithNewLineWindows)
}

// uid names a shift: by its schedule, its beginning and its person, who may be another after a swap. The beginning of one that
// was cut is another every day.
func uid(s oncall.Shift, from time.Time) string {
	begins := "before"
	if s.Start.After(from) {
		begins = s.Start.UTC().Format(time.RFC3339)
	}
	text := strings.Join([]string{s.Schedule, begins, s.Person.Name}, "\x00")
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte(text)).String() + "@signalbox"
}

func summary(s oncall.Shift) string {
	return line("On call: " + s.Schedule + " – " + shown(s.Person))
}

func description(s oncall.Shift) string {
	if s.Override != "" {
		return "Taken over from whoever's turn it is (override)."
	}
	return line("By the rotation " + s.Layer + ".")
}

func shown(p oncall.Person) string {
	if p.Shown != "" {
		return p.Shown
	}
	return p.Name
}

// line is a text without what would end it.
func line(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
}

// parameter is a text that may be a property's parameter, which holds no quotes.
func parameter(text string) string { return strings.ReplaceAll(line(text), `"`, "'") }

// Link is the page that shows a schedule.
func Link(external *url.URL) string { return external.JoinPath("oncall").String() }
