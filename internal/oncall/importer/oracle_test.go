package importer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-ical"
)

// The tests of this file say who is on call by what a tool's documentation says, by another way than the importer's: hand-overs are counted
// one by one, restrictions are compared with what the clock on the wall shows, and rules of recurrence are another library's. Times of the
// day stay out of the hours in which clocks change, in which tools differ.

var oracleZones = []string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Sydney"}

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

func zoneFor(t *testing.T, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// minuteOfWeek is what the clock on the wall shows, from Sunday on.
func minuteOfWeek(at time.Time) int { return int(at.Weekday())*1440 + at.Hour()*60 + at.Minute() }

// handed counts hand-overs, one by one.
func handed(start, at time.Time, every int, unit string) int {
	next := start
	for k := 0; ; k++ {
		switch unit {
		case "h":
			next = time.Date(start.Year(), start.Month(), start.Day(), start.Hour()+(k+1)*every, start.Minute(), 0, 0, start.Location())
		case "d":
			next = time.Date(start.Year(), start.Month(), start.Day()+(k+1)*every, start.Hour(), start.Minute(), 0, 0, start.Location())
		}
		if next.After(at) {
			return k
		}
	}
}

// compare asks at random moments of a year.
func compare(t *testing.T, r *rand.Rand, o Outcome, schedule string, want func(at time.Time) []string) {
	t.Helper()
	roster := loaded(t, o)
	for range 60 {
		at := time.Date(2026, 3, 6, 0, r.IntN(365*24*60), 0, 0, time.UTC)
		who := want(at)
		slices.Sort(who)
		who = slices.Compact(slices.DeleteFunc(who, func(s string) bool { return s == "" }))
		if got := present(t, roster, o.Overrides, schedule, at); got != strings.Join(who, " ") {
			text, _ := o.YAML()
			t.Fatalf("at %s: %q, want %q\n%s\n%s", at, got, who, text, losses(o))
		}
	}
}

func TestPagerDutysLayersAreCarriedExactly(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	clocks := []int{0, 4 * 60, 8*60 + 30, 9 * 60, 17 * 60, 20 * 60, 23 * 60}
	for range 40 {
		zone := zoneFor(t, pick(r, oracleZones...))
		var layers []map[string]any
		for n := range 1 + r.IntN(3) {
			minute := pick(r, clocks...)
			virtual := time.Date(2026, 1, 1+r.IntN(60), 0, minute, 0, 0, zone)
			l := map[string]any{
				"name": fmt.Sprint("Layer ", n), "rotation_virtual_start": virtual, "start": virtual.AddDate(0, 0, pick(r, 0, 0, 75)), "end": nil,
				"rotation_turn_length_seconds": 3600 * pick(r, 12, 24, 48, 168, 336),
			}
			if r.IntN(3) == 0 {
				l["end"] = virtual.AddDate(0, 4+r.IntN(4), 0)
			}
			users, restrictions := []any{}, []any{}
			for range 1 + r.IntN(3) {
				users = append(users, map[string]any{"user": map[string]any{"id": pick(r, "ada", "kim", "lee")}})
			}
			for range r.IntN(3) {
				one := map[string]any{"type": "daily_restriction", "start_time_of_day": clockText(pick(r, clocks...)) + ":00", "duration_seconds": 3600 * pick(r, 4, 8, 12, 24)}
				if r.IntN(2) == 0 {
					one["type"], one["start_day_of_week"], one["duration_seconds"] = "weekly_restriction", 1+r.IntN(7), 3600*pick(r, 4, 24, 60, 120)
				}
				restrictions = append(restrictions, one)
			}
			l["users"], l["restrictions"] = users, restrictions
			layers = append(layers, l)
		}
		text, err := json.Marshal(map[string]any{"schedule": map[string]any{"id": "S", "name": "S", "time_zone": zone.String(), "schedule_layers": layers}})
		if err != nil {
			t.Fatal(err)
		}
		compare(t, r, outcome(t, "pagerduty", File{"s.json", text}), "s", func(at time.Time) []string {
			for _, l := range layers { // the first of the answer is the highest
				if who := pagerDutySays(l, at.In(zone)); who != "" {
					return []string{who}
				}
			}
			return nil
		})
	}
}

func pagerDutySays(l map[string]any, at time.Time) string {
	if end, ok := l["end"].(time.Time); ok && !at.Before(end) || at.Before(l["start"].(time.Time)) {
		return ""
	}
	open := len(l["restrictions"].([]any)) == 0
	for _, v := range l["restrictions"].([]any) {
		r := v.(map[string]any)
		clock, _ := time.Parse(time.TimeOnly, r["start_time_of_day"].(string))
		from, long := clock.Hour()*60+clock.Minute(), r["duration_seconds"].(int)/60
		if r["type"] == "daily_restriction" {
			open = open || (minuteOfWeek(at)-from+1440*7)%1440 < long
		} else {
			day := r["start_day_of_week"].(int) % 7
			open = open || (minuteOfWeek(at)-from-day*1440+2*1440*7)%(1440*7) < long
		}
	}
	if !open {
		return ""
	}
	start, hours := l["rotation_virtual_start"].(time.Time), l["rotation_turn_length_seconds"].(int)/3600
	var turn int
	if hours%24 == 0 {
		turn = handed(start, at, hours/24, "d")
	} else {
		turn = handed(start, at, hours, "h")
	}
	users := l["users"].([]any)
	return users[turn%len(users)].(map[string]any)["user"].(map[string]any)["id"].(string)
}

func TestOpsgeniesRotationsAreCarriedExactly(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 2))
	days := []string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}
	for range 40 {
		zone := zoneFor(t, pick(r, oracleZones...))
		var rotations []map[string]any
		for n := range 1 + r.IntN(3) {
			one := map[string]any{"id": fmt.Sprint(n), "name": fmt.Sprint("r", n), "type": pick(r, "hourly", "daily", "weekly"), "length": 1 + r.IntN(3), "startDate": time.Date(2026, 1, 1+r.IntN(40), pick(r, 0, 8, 20), 30, 0, 0, zone).UTC()}
			if one["type"] == "hourly" {
				one["length"] = pick(r, 4, 6, 8, 12)
			}
			var people []any
			for range 1 + r.IntN(3) {
				people = append(people, map[string]any{"type": "user", "id": pick(r, "ada", "kim", "lee")})
			}
			if r.IntN(4) == 0 {
				people = append(people, map[string]any{"type": "none"})
			}
			one["participants"] = people
			if r.IntN(4) == 0 {
				one["endDate"] = time.Date(2026, 5+time.Month(r.IntN(5)), 3, 10, 0, 0, 0, zone).UTC()
			}
			from, to := pick(r, 4, 8, 20), pick(r, 0, 6, 12, 18)
			switch r.IntN(3) {
			case 0:
				one["timeRestriction"] = map[string]any{"type": "time-of-day", "restriction": map[string]any{"startHour": from, "startMin": 30, "endHour": to, "endMin": 0}}
			case 1:
				one["timeRestriction"] = map[string]any{"type": "weekday-and-time-of-day", "restrictions": []any{
					map[string]any{"startDay": pick(r, days...), "startHour": from, "startMin": 0, "endDay": pick(r, days...), "endHour": to, "endMin": 30},
					map[string]any{"startDay": "monday", "startHour": 8, "startMin": 0, "endDay": "monday", "endHour": 18, "endMin": 0},
				}}
			}
			rotations = append(rotations, one)
		}
		text, err := json.Marshal(map[string]any{"data": []any{map[string]any{"id": "S", "name": "S", "timezone": zone.String(), "enabled": true, "rotations": rotations}}})
		if err != nil {
			t.Fatal(err)
		}
		compare(t, r, outcome(t, "opsgenie", File{"s.json", text}), "s", func(at time.Time) (out []string) {
			for _, one := range rotations {
				out = append(out, opsgenieSays(one, days, at.In(zone)))
			}
			return out
		})
	}
}

func opsgenieSays(r map[string]any, days []string, at time.Time) string {
	start := r["startDate"].(time.Time).In(at.Location())
	if end, ok := r["endDate"].(time.Time); ok && !at.Before(end) || at.Before(start) {
		return ""
	}
	between := func(from, to, of int) bool {
		long := (to - from + of) % of
		return long == 0 || (minuteOfWeek(at)-from+2*of+1440*7)%of < long
	}
	if limit, ok := r["timeRestriction"].(map[string]any); ok {
		open := false
		if one, ok := limit["restriction"].(map[string]any); ok {
			open = between(one["startHour"].(int)*60+one["startMin"].(int), one["endHour"].(int)*60+one["endMin"].(int), 1440)
		}
		list, _ := limit["restrictions"].([]any)
		for _, v := range list {
			one := v.(map[string]any)
			minute := func(day, hour, min string) int {
				return slices.Index(days, one[day].(string))*1440 + one[hour].(int)*60 + one[min].(int)
			}
			open = open || between(minute("startDay", "startHour", "startMin"), minute("endDay", "endHour", "endMin"), 1440*7)
		}
		if !open {
			return ""
		}
	}
	n := r["length"].(int)
	var turn int
	switch r["type"] {
	case "hourly":
		turn = handed(start, at, n, "h")
	case "daily":
		turn = handed(start, at, n, "d")
	default:
		turn = handed(start, at, 7*n, "d")
	}
	if r["type"] == "hourly" && n%24 == 0 {
		turn = handed(start, at, n/24, "d")
	}
	people := r["participants"].([]any)
	who, _ := people[turn%len(people)].(map[string]any)["id"].(string)
	return who
}

// occurrence says whether an event that comes again goes on at a moment, as another library counts.
func occurrence(t *testing.T, zone *time.Location, start time.Time, minutes int, rule string, at time.Time) bool {
	t.Helper()
	e := ical.NewEvent()
	e.Props.SetDateTime(ical.PropDateTimeStart, start)
	if rule != "" {
		e.Props.Set(&ical.Prop{Name: ical.PropRecurrenceRule, Params: ical.Params{}, Value: rule})
	}
	set, err := e.RecurrenceSet(zone)
	if err != nil {
		t.Fatal(rule, err)
	}
	begins := []time.Time{start}
	if set != nil {
		begins = set.Between(at.AddDate(0, 0, -30), at, true)
	}
	for _, b := range begins {
		end := time.Date(b.Year(), b.Month(), b.Day(), b.Hour(), b.Minute()+minutes, 0, 0, zone)
		if !at.Before(b) && at.Before(end) {
			return true
		}
	}
	return false
}

// Grafana OnCall makes an event of each group of people, which comes again after all groups had their turn.
func TestGrafanaOnCallsShiftsAreCarriedExactly(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	names := []string{"SU", "MO", "TU", "WE", "TH", "FR", "SA"}
	compared := 0
	for range 30 {
		zone := zoneFor(t, pick(r, oracleZones...))
		type event struct {
			level, minutes int
			start          time.Time
			rule           string
			who            []string
		}
		var events []event
		var shifts []any
		var ids []string
		for n := range 1 + r.IntN(3) {
			start := time.Date(2026, 1, 1+r.IntN(60), pick(r, 4, 8, 20), 30, 0, 0, zone)
			freq, interval, minutes := pick(r, "hourly", "daily", "weekly"), 1+r.IntN(2), 0
			weekStart := r.IntN(7)
			var byDay []string
			switch freq {
			case "hourly":
				interval = pick(r, 4, 6, 8, 12)
				minutes = interval * 60
			case "daily":
				minutes = pick(r, interval*1440, 480, 720)
			case "weekly":
				if minutes = pick(r, interval*7*1440, 3*1440, 480); r.IntN(2) == 0 {
					byDay, minutes = []string{names[start.Weekday()], names[(start.Weekday()+2)%7], names[(start.Weekday()+5)%7]}, pick(r, 480, 900, 1440)
				}
			}
			var groups [][]string
			for range 1 + r.IntN(3) {
				groups = append(groups, []string{pick(r, "ada", "kim", "lee"), pick(r, "max", "zoe")}[:1+r.IntN(2)])
			}
			id := fmt.Sprint("O", n)
			ids = append(ids, id)
			s := map[string]any{
				"id": id, "name": id, "type": "rolling_users", "level": r.IntN(2), "start": start.Format("2006-01-02T15:04:05"), "duration": minutes * 60,
				"frequency": freq, "interval": interval, "week_start": names[weekStart], "rolling_users": groups, "start_rotation_from_user_index": r.IntN(len(groups)), "until": nil, "by_day": byDay,
			}
			until := ""
			if r.IntN(4) == 0 {
				end := start.AddDate(0, 4, 11).Add(time.Hour)
				s["until"], until = end.Format("2006-01-02T15:04:05"), ";UNTIL="+end.UTC().Format("20060102T150405Z")
			}
			shifts = append(shifts, s)
			for k := range groups {
				var first time.Time
				switch {
				case freq == "hourly":
					first = start.Add(time.Duration(k*interval) * time.Hour)
				case freq == "daily":
					first = start.AddDate(0, 0, k*interval)
				case len(byDay) == 0:
					first = start.AddDate(0, 0, 7*k*interval)
				default: // the first of the days in the group's first week
					week := start.AddDate(0, 0, -(int(start.Weekday())-weekStart+7)%7+7*k*interval)
					for first = week; first.Before(start) || !slices.Contains(byDay, names[first.Weekday()]); {
						first = first.AddDate(0, 0, 1)
					}
				}
				rule := fmt.Sprintf("FREQ=%s;INTERVAL=%d;WKST=%s%s", strings.ToUpper(freq), interval*len(groups), names[weekStart], until)
				if len(byDay) > 0 {
					rule += ";BYDAY=" + strings.Join(byDay, ",")
				}
				who := groups[(k+s["start_rotation_from_user_index"].(int))%len(groups)]
				events = append(events, event{s["level"].(int), minutes, first, rule, who})
			}
		}
		text, err := json.Marshal(map[string]any{"results": append(shifts, map[string]any{"id": "S", "name": "S", "type": "web", "time_zone": zone.String(), "shifts": ids, "on_call_now": []string{}})})
		if err != nil {
			t.Fatal(err)
		}
		o := outcome(t, "grafana-oncall", File{"s.json", text})
		if strings.Contains(losses(o), "shift") {
			continue // what is not carried is named; the schedule is another one then
		}
		compared++
		compare(t, r, o, "s", func(at time.Time) []string {
			var out []string
			highest := -1
			for _, e := range events {
				if e.level >= highest && occurrence(t, zone, e.start, e.minutes, e.rule, at.In(zone)) {
					if e.level > highest {
						out = nil
					}
					out, highest = append(out, e.who...), e.level
				}
			}
			return out
		})
	}
	if compared < 15 {
		t.Errorf("only %d schedules were carried", compared)
	}
}

func TestCalendarsAreCarriedExactly(t *testing.T) {
	text, err := os.ReadFile("testdata/grafana-oncall/oncall.ics")
	if err != nil {
		t.Fatal(err)
	}
	zone := zoneFor(t, "America/New_York")
	cal, err := ical.NewDecoder(bytes.NewReader(text)).Decode()
	if err != nil {
		t.Fatal(err)
	}
	o := readAll(t, "grafana-oncall")
	compare(t, rand.New(rand.NewPCG(3, 4)), o, "calendar", func(at time.Time) (out []string) {
		for _, e := range cal.Events() {
			rule := e.Props.Get(ical.PropRecurrenceRule).Value
			if strings.Contains(rule, "COUNT") {
				continue // is named as not carried
			}
			start, _ := e.DateTimeStart(zone)
			end, _ := e.DateTimeEnd(zone)
			if occurrence(t, zone, start, int(end.Sub(start).Minutes()), rule, at.In(zone)) {
				summary, _ := e.Props.Text(ical.PropSummary)
				if who, ok := strings.CutPrefix(summary, "[L1] "); ok {
					return []string{who}
				}
				out = append(out, summary)
			}
		}
		return out
	})
}

// GoAlert keeps whose turn it is and hands over from there.
func TestGoAlertsRotationsAreCarriedExactly(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 5))
	for range 40 {
		zone := zoneFor(t, pick(r, oracleZones...))
		people := []string{"ada", "kim", "lee"}[:1+r.IntN(3)]
		kind, length, active := pick(r, "hourly", "daily", "weekly"), 1+r.IntN(3), r.IntN(len(people))
		start := time.Date(2025, 11, 1+r.IntN(60), pick(r, 4, 9, 21), 0, 0, 0, zone)
		if kind == "hourly" {
			length = pick(r, 4, 6, 8, 12)
		}
		from, to := pick(r, 4, 8, 20), pick(r, 6, 18, 0, 4)
		var days []bool
		for range 7 {
			days = append(days, r.IntN(3) > 0)
		}
		text, err := json.Marshal(map[string]any{"data": map[string]any{
			"rotations": map[string]any{"nodes": []any{map[string]any{"id": "r", "name": "r", "type": kind, "start": start.UTC(), "timeZone": zone.String(), "shiftLength": length, "activeUserIndex": active, "userIDs": people}}},
			"schedules": map[string]any{"nodes": []any{map[string]any{"id": "s", "name": "s", "timeZone": zone.String(), "targets": []any{
				map[string]any{"target": map[string]any{"id": "r", "type": "rotation"}, "rules": []any{map[string]any{"start": fmt.Sprintf("%02d:00", from), "end": fmt.Sprintf("%02d:00", to), "weekdayFilter": days}}},
				map[string]any{"target": map[string]any{"id": "max", "type": "user"}, "rules": []any{map[string]any{"start": "08:00", "end": "12:00", "weekdayFilter": []bool{false, true, false, false, false, false, false}}}},
			}}}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		compare(t, r, outcome(t, "goalert", File{"x.json", text}), "s", func(at time.Time) (out []string) {
			local := at.In(zone)
			long := (to - from + 24) % 24
			if long == 0 {
				long = 24
			}
			for day, holds := range days {
				if holds && (minuteOfWeek(local)-day*1440-from*60+2*1440*7)%(1440*7) < long*60 {
					turns := 0
					switch kind {
					case "hourly":
						turns = handed(start, at, length, "h") - handed(start, now, length, "h")
					case "daily":
						turns = handed(start, at, length, "d") - handed(start, now, length, "d")
					case "weekly":
						turns = handed(start, at, 7*length, "d") - handed(start, now, 7*length, "d")
					}
					out = append(out, people[(active+turns)%len(people)])
				}
			}
			if m := minuteOfWeek(local); m >= 1440+8*60 && m < 1440+12*60 {
				out = append(out, "max")
			}
			return out
		})
	}
}
