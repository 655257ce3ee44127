package oncall

import (
	"errors"
	"fmt"
	"net/mail"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/oncall/policy"
	"github.com/signalbox-project/signalbox/internal/oncall/rota"
)

// Person is somebody who takes turns.
type Person struct {
	Name     string `yaml:"name" json:"name"`                     // as in schedules; the name that they log in with, where they do
	Shown    string `yaml:"shown" json:"shown,omitempty"`         // as people read it
	Email    string `yaml:"email" json:"email,omitempty"`         // as calendars want it
	TimeZone string `yaml:"time_zone" json:"time_zone,omitempty"` // of their nights and weekends; that of the schedule otherwise
	// How they are reached is for nobody else to read.
	Contacts []policy.Contact `yaml:"contacts" json:"-"`
	Rules    []policy.Rule    `yaml:"rules" json:"-"`       // which contact when; all, one after the other, without any
	Quiet    *policy.Quiet    `yaml:"quiet_hours" json:"-"` // when what wakes nobody waits
}

// Reach is how the person is reached: by their contacts, or by their e-mail alone.
func (p Person) Reach() policy.Reach {
	r := policy.Reach{Contacts: p.Contacts, Rules: p.Rules, Quiet: p.Quiet}
	if len(r.Contacts) == 0 && p.Email != "" {
		r.Contacts = []policy.Contact{{Name: "email", Channel: "email", Address: p.Email}}
	}
	r.Zone, _ = time.LoadLocation(p.TimeZone)
	return r
}

// Definition is one schedule, as a file has it.
type Definition struct {
	Name     string   `yaml:"name"`      // unique
	Team     string   `yaml:"team"`      // whose it is
	TimeZone string   `yaml:"time_zone"` // IANA's name, such as Europe/Berlin; UTC by default
	Holidays []string `yaml:"holidays"`  // dates, for layers that say on_holidays
	Layers   []Layer  `yaml:"layers"`    // a later one goes before an earlier one

	file string
	line int
	rota rota.Schedule // without overrides
}

// Layer is one rotation of a schedule.
type Layer struct {
	Name       string   `yaml:"name"`
	Start      string   `yaml:"start"`       // date of the first hand-over
	At         string   `yaml:"at"`          // time of day of hand-overs, by the clocks of the time zone; 09:00 by default
	Every      string   `yaml:"every"`       // length of a shift: 12h, 1d, 1w (default), 2w, 1mo
	People     []string `yaml:"people"`      // in the order of their turns
	Changes    []Change `yaml:"changes"`     // who takes turns from a date on
	Offset     int      `yaml:"offset"`      // 1 lets the second begin: a backup with the people of the first layer
	Windows    []Window `yaml:"windows"`     // when it has somebody; always, without any
	OnHolidays string   `yaml:"on_holidays"` // too (default), not or only
	Begins     string   `yaml:"begins"`      // moment before which it has nobody, RFC 3339
	Ends       string   `yaml:"ends"`        // moment from which on it has nobody, RFC 3339
}

// Change is another roster from a date on.
type Change struct {
	From   string   `yaml:"from"`
	People []string `yaml:"people"`
}

// Window is a time of the week.
type Window struct {
	Days []string `yaml:"days"` // mon … sun; every day by default
	From string   `yaml:"from"` // 00:00 by default
	To   string   `yaml:"to"`   // 24:00 by default; at or before from it is on the next day
}

var nameRE = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9._@-]*[a-zA-Z0-9])?$`)

const nameRule = "must be letters, digits, '-', '_', '.' and '@'"

// Between which years a rotation may begin: shifts of hours are counted as a time.Duration, which holds 292 years.
const firstYear, lastYear = 1970, 2200

// validate lists what is wrong; each message begins with the field. It makes the rota.
func (d *Definition) validate() (errs []error) {
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if !nameRE.MatchString(d.Name) {
		bad("name: %s, got %q", nameRule, d.Name)
	}
	zone, err := time.LoadLocation(d.TimeZone)
	if err != nil || d.TimeZone == "Local" {
		bad("time_zone: %q is no time zone of IANA's database, such as Europe/Berlin", d.TimeZone)
		zone = time.UTC
	}
	d.rota = rota.Schedule{Zone: zone}
	for i, h := range d.Holidays {
		day, err := rota.ParseDate(h)
		if err != nil {
			bad("holidays[%d]: %w", i, err)
		}
		d.rota.Holidays = append(d.rota.Holidays, day)
	}
	if len(d.Layers) == 0 {
		bad("layers: a schedule needs at least one")
	}
	names := map[string]bool{}
	for i, l := range d.Layers {
		made, wrong := l.rota()
		for _, err := range wrong {
			bad("layers[%d].%w", i, err)
		}
		if made.Name == "" {
			made.Name = "layer " + strconv.Itoa(i+1)
		}
		if names[made.Name] {
			bad("layers[%d].name: %q is another layer already", i, made.Name)
		}
		names[made.Name] = true
		if l.OnHolidays == string(rota.HolidaysOnly) && len(d.Holidays) == 0 {
			bad("layers[%d].on_holidays: the schedule has no holidays, so the layer never has anybody", i)
		}
		d.rota.Layers = append(d.rota.Layers, made)
	}
	return errs
}

func (l Layer) rota() (out rota.Layer, errs []error) {
	bad := func(field string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", field, err))
		}
	}
	out = rota.Layer{Name: l.Name, Offset: l.Offset}
	var err error
	out.Start, err = rota.ParseDate(l.Start)
	if err == nil && (out.Start.Year < firstYear || out.Start.Year > lastYear) {
		err = fmt.Errorf("must lie between %d and %d, got %s", firstYear, lastYear, out.Start)
	}
	bad("start", err)
	out.At, err = clockOr(l.At, "09:00")
	bad("at", err)
	out.Every, out.Unit, err = parseEvery(l.Every)
	bad("every", err)
	switch l.OnHolidays {
	case "", "too":
	case string(rota.HolidaysNot), string(rota.HolidaysOnly):
		out.Holidays = rota.Holidays(l.OnHolidays)
	default:
		bad("on_holidays", fmt.Errorf("must be too, not or only, got %q", l.OnHolidays))
	}
	out.Begins, err = momentOr(l.Begins)
	bad("begins", err)
	out.Ends, err = momentOr(l.Ends)
	bad("ends", err)
	if !out.Ends.IsZero() && !out.Begins.Before(out.Ends) {
		bad("ends", fmt.Errorf("must be after begins, got %s", l.Ends))
	}
	if len(l.People) == 0 {
		bad("people", fmt.Errorf("nobody takes turns"))
	}
	out.Rosters = []rota.Roster{{From: out.Start, People: l.People}}
	for i, c := range l.Changes {
		from, err := rota.ParseDate(c.From)
		bad(fmt.Sprintf("changes[%d].from", i), err)
		if last := out.Rosters[len(out.Rosters)-1].From; err == nil && !last.Before(from) {
			bad(fmt.Sprintf("changes[%d].from", i), fmt.Errorf("must be after %s, got %s", last, from))
		}
		if len(c.People) == 0 {
			bad(fmt.Sprintf("changes[%d].people", i), fmt.Errorf("nobody takes turns"))
		}
		out.Rosters = append(out.Rosters, rota.Roster{From: from, People: c.People})
	}
	for i, w := range l.Windows {
		made, wrong := w.rota()
		for _, err := range wrong {
			errs = append(errs, fmt.Errorf("windows[%d].%w", i, err))
		}
		out.Windows = append(out.Windows, made)
	}
	return out, errs
}

func (w Window) rota() (out rota.Window, errs []error) {
	var err error
	if out.From, err = clockOr(w.From, "00:00"); err != nil {
		errs = append(errs, fmt.Errorf("from: %w", err))
	}
	if out.To, err = clockOr(w.To, "24:00"); err != nil {
		errs = append(errs, fmt.Errorf("to: %w", err))
	}
	days := []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}
	for i, name := range w.Days {
		day := slices.Index(days, strings.ToLower(name))
		if day < 0 {
			errs = append(errs, fmt.Errorf("days[%d]: must be one of mon, tue, wed, thu, fri, sat, sun, got %q", i, name))
			continue
		}
		out.Days = append(out.Days, time.Weekday(day))
	}
	return out, errs
}

func clockOr(text, otherwise string) (rota.Clock, error) {
	if text == "" {
		text = otherwise
	}
	return rota.ParseClock(text)
}

func momentOr(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		err = fmt.Errorf("must be a moment such as 2026-11-30T09:00:00+01:00, got %q", text)
	}
	return t, err
}

var everyRE = regexp.MustCompile(`^([1-9][0-9]{0,3})(h|d|w|mo)$`)

// parseEvery reads the length of a shift.
func parseEvery(text string) (n int, unit rota.Unit, err error) {
	if text == "" {
		return 1, rota.Weeks, nil
	}
	m := everyRE.FindStringSubmatch(text)
	if m == nil {
		return 1, rota.Weeks, fmt.Errorf("must be a number of hours, days, weeks or months such as 12h, 1d, 2w or 1mo, got %q", text)
	}
	n, err = strconv.Atoi(m[1])
	return n, map[string]rota.Unit{"h": rota.Hours, "d": rota.Days, "w": rota.Weeks, "mo": rota.Months}[m[2]], err
}

// Spans are who is on call by a definition alone, without overrides.
func (d Definition) Spans(from, to time.Time) ([]rota.Span, error) {
	if errs := d.validate(); len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return d.rota.Spans(from, to), nil
}

// people are all whom a schedule names.
func (d Definition) people() (out []string) {
	for _, l := range d.rota.Layers {
		for _, r := range l.Rosters {
			out = append(out, r.People...)
		}
	}
	slices.Sort(out)
	return slices.DeleteFunc(slices.Compact(out), func(name string) bool { return name == "" })
}

// validate lists what is wrong with a person; each message begins with the field.
func (p *Person) validate() (errs []error) {
	if !nameRE.MatchString(p.Name) {
		errs = append(errs, fmt.Errorf("name: %s, got %q", nameRule, p.Name))
	}
	if _, err := time.LoadLocation(p.TimeZone); err != nil || p.TimeZone == "Local" {
		errs = append(errs, fmt.Errorf("time_zone: %q is no time zone of IANA's database, such as Europe/Berlin", p.TimeZone))
	}
	if _, err := mail.ParseAddress(p.Email); p.Email != "" && err != nil {
		errs = append(errs, fmt.Errorf("email: %q is no address: %w", p.Email, err))
	}
	reach := p.Reach()
	errs = append(errs, reach.Validate()...)
	return errs
}
