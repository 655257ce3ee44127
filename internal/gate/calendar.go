package gate

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // a freeze must not depend on what the host has installed
)

// Freeze is a time at which nothing may be deployed: once (start and end) or
// every week (weekly).
type Freeze struct {
	// Name names it in verdicts.
	Name string `json:"name" yaml:"name"`
	// Reason is shown to whoever has to wait.
	Reason string `json:"reason" yaml:"reason"`
	// Start and End are local times such as "2026-12-18 18:00"; End is the first
	// moment after it.
	Start string `json:"start,omitempty" yaml:"start"`
	End   string `json:"end,omitempty" yaml:"end"`
	// Weekly recurs.
	Weekly *Weekly `json:"weekly,omitempty" yaml:"weekly"`
	// TimeZone is an IANA name such as Europe/Zurich; UTC by default.
	TimeZone string `json:"time_zone,omitempty" yaml:"time_zone"`
	// Effect is hold (critical fixes pass) or block; hold by default.
	Effect Effect `json:"effect,omitempty" yaml:"effect"`
}

// Weekly is a part of every week in local time; it may pass the week's end.
type Weekly struct {
	// From and To are such as "fri 16:00" and "mon 08:00".
	From string `json:"from" yaml:"from"`
	To   string `json:"to" yaml:"to"`
}

// The forms of times in a calendar.
const (
	dateForm  = "2006-01-02"
	timeForm  = "2006-01-02 15:04"
	clockForm = "15:04"
)

const week = 7 * 24 * 60 // minutes

// active says whether it is frozen at a time, and until when.
func (f Freeze) active(at time.Time) (until time.Time, frozen bool) {
	zone, err := time.LoadLocation(f.TimeZone)
	if err != nil {
		return time.Time{}, false // Validate refused it
	}
	if f.Weekly == nil {
		start, err1 := parseLocal(f.Start, zone)
		end, err2 := parseLocal(f.End, zone)
		return end, err1 == nil && err2 == nil && !at.Before(start) && at.Before(end)
	}
	from, err1 := parseWeekly(f.Weekly.From)
	to, err2 := parseWeekly(f.Weekly.To)
	if err1 != nil || err2 != nil {
		return time.Time{}, false
	}
	// Wall clocks are compared, so that a freeze begins at the same hour before
	// and after the clocks change.
	local := at.In(zone)
	minute := int(local.Weekday())*24*60 + local.Hour()*60 + local.Minute()
	length, since := (to-from+week)%week, (minute-from+week)%week
	if since >= length {
		return time.Time{}, false
	}
	y, m, d := local.Date()
	return time.Date(y, m, d, local.Hour(), local.Minute()+length-since, 0, 0, zone), true
}

// Frozen is a freeze that holds.
type Frozen struct {
	Policy string    `json:"policy"`
	Name   string    `json:"name"`
	Reason string    `json:"reason"`
	Effect Effect    `json:"effect" enum:"hold,block"`
	Until  time.Time `json:"until"`
}

// Frozen are the freezes of a policy that hold at a time.
func (p NamedPolicy) Frozen(at time.Time) []Frozen {
	var out []Frozen
	for _, f := range p.Freezes {
		if until, frozen := f.active(at); frozen {
			out = append(out, Frozen{Policy: p.Name, Name: f.Name, Reason: f.Reason, Effect: f.effect(), Until: until})
		}
	}
	return out
}

func (f Freeze) effect() Effect {
	if f.Effect == "" {
		return EffectHold
	}
	return f.Effect
}

// Validate lists what is wrong, each with the field's name.
func (f Freeze) Validate() []error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if f.Name == "" {
		bad("name: must not be empty")
	}
	if strings.TrimSpace(f.Reason) == "" {
		bad("reason: must say why, for whoever has to wait")
	}
	if !slices.Contains([]Effect{EffectHold, EffectBlock}, f.effect()) {
		bad("effect: must be hold or block, got %q", f.Effect)
	}
	zone, err := time.LoadLocation(f.TimeZone)
	if err != nil || f.TimeZone == "Local" {
		bad("time_zone: %q is no IANA name such as Europe/Zurich", f.TimeZone)
		zone = time.UTC
	}
	if f.Weekly != nil {
		if f.Start != "" || f.End != "" {
			bad("weekly: goes without start and end; use two freezes")
		}
		return append(errs, f.Weekly.validate()...)
	}
	start, err := parseLocal(f.Start, zone)
	if err != nil {
		bad("start: %v", err)
	}
	end, err := parseLocal(f.End, zone)
	if err != nil {
		bad("end: %v", err)
	} else if !end.After(start) {
		bad("end: must be after start, got %s to %s", f.Start, f.End)
	}
	return errs
}

func (w Weekly) validate() []error {
	var errs []error
	from, err := parseWeekly(w.From)
	if err != nil {
		errs = append(errs, fmt.Errorf("weekly.from: %w", err))
	}
	to, err := parseWeekly(w.To)
	if err != nil {
		errs = append(errs, fmt.Errorf("weekly.to: %w", err))
	}
	if len(errs) == 0 && from == to {
		errs = append(errs, errors.New("weekly.to: must differ from weekly.from"))
	}
	return errs
}

func parseLocal(text string, zone *time.Location) (time.Time, error) {
	text = strings.Replace(text, "T", " ", 1)
	if t, err := time.ParseInLocation(timeForm, text, zone); err == nil {
		return t, nil
	}
	t, err := time.ParseInLocation(dateForm, text, zone)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is no local time such as %q", text, timeForm)
	}
	return t, nil
}

// parseWeekly reads "fri 16:00" as minutes since Sunday 00:00.
func parseWeekly(text string) (int, error) {
	day, clock, _ := strings.Cut(strings.ToLower(strings.TrimSpace(text)), " ")
	d := slices.IndexFunc([]string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}, func(name string) bool {
		return len(day) >= 3 && strings.HasPrefix(name, day)
	})
	t, err := time.Parse(clockForm, strings.TrimSpace(clock))
	if d < 0 || err != nil {
		return 0, fmt.Errorf("%q is no time of the week such as \"fri 16:00\"", text)
	}
	return d*24*60 + t.Hour()*60 + t.Minute(), nil
}
