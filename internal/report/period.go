package report

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/report/archive"
	"github.com/signalbox-project/signalbox/internal/report/paper"
)

// span is a period: calendar months, or a length of time.
type span struct {
	name       string
	in         string // for sentences: in October 2026
	start, end time.Time
	months     int // of a calendar period, 0 otherwise
}

// Bounds of a period.
const (
	maxPeriod = 3 * 366 * 24 * time.Hour
	minPeriod = archive.SlotWidth
)

var (
	monthText   = regexp.MustCompile(`^(\d{4})-(\d{2})$`)
	quarterText = regexp.MustCompile(`^(\d{4})-[qQ]([1-4])$`)
	yearText    = regexp.MustCompile(`^(\d{4})$`)
	daysText    = regexp.MustCompile(`^last-(\d{1,4})d$`)
)

const periodForms = "write it as 2026-10, 2026-Q4, 2026, last-month, this-month or last-28d"

// periodOf is the period asked for.
func periodOf(req paper.Request, now time.Time) (span, error) {
	if req.Period == "" {
		return lengthOf(req.Start, req.End, req.Zone)
	}
	local := now.In(req.Zone)
	year, month, _ := local.Date()
	number := func(s string) int { n, _ := strconv.Atoi(s); return n } // digits by the pattern
	text := strings.TrimSpace(req.Period)
	if len(text) >= 4 && text[0] >= '0' && text[0] <= '9' && (text[:4] < "1970" || text[:4] > "2200") {
		return span{}, refuse("period: %q lies outside the years 1970 to 2200; %s", text, periodForms)
	}
	switch {
	case text == "this-month":
		return calendar(year, month, 1, req.Zone), nil
	case text == "last-month":
		return calendar(year, month-1, 1, req.Zone), nil
	case monthText.MatchString(text):
		m := monthText.FindStringSubmatch(text)
		if n := number(m[2]); n < 1 || n > 12 {
			return span{}, refuse("period: there is no month %s; %s", text, periodForms)
		}
		return calendar(number(m[1]), time.Month(number(m[2])), 1, req.Zone), nil
	case quarterText.MatchString(text):
		m := quarterText.FindStringSubmatch(text)
		return calendar(number(m[1]), time.Month(3*number(m[2])-2), 3, req.Zone), nil
	case yearText.MatchString(text):
		return calendar(number(text), time.January, 12, req.Zone), nil
	case daysText.MatchString(text):
		n := number(daysText.FindStringSubmatch(text)[1])
		end := local.Truncate(time.Minute)
		p, err := lengthOf(end.AddDate(0, 0, -n), end, req.Zone)
		p.name = fmt.Sprintf("the last %d days", n)
		p.in = "in " + p.name
		return p, err
	default:
		return span{}, refuse("period: %q is none; %s", text, periodForms)
	}
}

// calendar is n months from one on, from midnight to midnight.
func calendar(year int, month time.Month, n int, zone *time.Location) span {
	p := span{start: time.Date(year, month, 1, 0, 0, 0, 0, zone), end: time.Date(year, month+time.Month(n), 1, 0, 0, 0, 0, zone), months: n}
	year, month, _ = p.start.Date()
	switch n {
	case 1:
		p.name = p.start.Format("January 2006")
	case 3:
		p.name = fmt.Sprintf("quarter %d of %d", (int(month)+2)/3, year)
	default:
		p.name = strconv.Itoa(year)
	}
	p.in = "in " + p.name
	return p
}

func lengthOf(start, end time.Time, zone *time.Location) (span, error) {
	p := span{start: start.In(zone).Truncate(time.Minute), end: end.In(zone).Truncate(time.Minute)}
	switch {
	case p.end.Sub(p.start) < minPeriod:
		return p, refuse("start: %s must be at least a quarter of an hour before end, %s", start.Format(time.RFC3339), end.Format(time.RFC3339))
	case p.end.Sub(p.start) > maxPeriod:
		return p, refuse("period: %d days are more than the %d that a report may span", int(p.end.Sub(p.start).Hours()/24), int(maxPeriod.Hours()/24))
	}
	format := "2006-01-02 15:04"
	if paper.Midnight(p.start) && paper.Midnight(p.end) {
		format = time.DateOnly
	}
	p.name = p.start.Format(format) + " to " + p.end.Format(format)
	p.in = "from " + p.name
	return p, nil
}

// before are the n periods of the same kind before this one, oldest first.
func (p span) before(n int) []span {
	out := make([]span, n)
	for i := range out {
		back := n - i
		if p.months > 0 {
			year, month, _ := p.start.Date()
			out[i] = calendar(year, month-time.Month(back*p.months), p.months, p.start.Location())
			continue
		}
		length := p.end.Sub(p.start)
		one := span{start: p.start.Add(-time.Duration(back) * length), end: p.start.Add(-time.Duration(back-1) * length)}
		one.name = one.start.Format(time.DateOnly)
		out[i] = one
	}
	for len(out) > 0 && p.start.Sub(out[0].start) > archive.KeepDays {
		out = out[1:]
	}
	return out
}

// days are the midnights of (start, end) in the period's zone, with both ends.
func (p span) days(end time.Time) []time.Time {
	out := []time.Time{p.start}
	year, month, day := p.start.Date()
	for n := 1; ; n++ {
		at := time.Date(year, month, day+n, 0, 0, 0, 0, p.start.Location())
		if !at.Before(end) {
			return append(out, end)
		}
		if at.After(p.start) {
			out = append(out, at)
		}
	}
}
