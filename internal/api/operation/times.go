package operation

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"
)

// The years between which times are accepted: what fits into Unix ns, with
// room for arithmetic.
const (
	minYear = 1970
	maxYear = 2200
)

// ParseRange reads start and end with their defaults; end must be after start.
func ParseRange(start, end string, now time.Time) (from, to time.Time, err error) {
	return ParseRangeOf(start, end, now, time.Hour)
}

// ParseRangeOf is ParseRange with another length where start is absent.
func ParseRangeOf(start, end string, now time.Time, length time.Duration) (from, to time.Time, err error) {
	to = now
	if end != "" {
		if to, err = ParseTime(end, now); err != nil {
			return from, to, BadRequest("end: %v", err)
		}
	}
	from = to.Add(-length)
	if start != "" {
		if from, err = ParseTime(start, now); err != nil {
			return from, to, BadRequest("start: %v", err)
		}
	}
	if !from.Before(to) {
		return from, to, BadRequest("start (%s) must be before end (%s)", from.UTC().Format(time.RFC3339), to.UTC().Format(time.RFC3339))
	}
	return from, to, nil
}

// ParseTime reads RFC 3339, a Unix time in s, ms, µs or ns (told apart by
// magnitude; seconds may have a fraction), now, now-1h or now+5m.
func ParseTime(s string, now time.Time) (time.Time, error) {
	s = strings.TrimSpace(s)
	t, err := parseTimeForm(s, now)
	if err != nil {
		return time.Time{}, err
	}
	if y := t.UTC().Year(); y < minYear || y > maxYear {
		return time.Time{}, fmt.Errorf("%q lies outside the years %d to %d", s, minYear, maxYear)
	}
	return t, nil
}

func parseTimeForm(s string, now time.Time) (time.Time, error) {
	if rest, ok := strings.CutPrefix(s, "now"); ok {
		return parseRelative(s, rest, now)
	}
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		return timeOfMagnitude(i), nil
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		if math.IsNaN(f) || math.Abs(f) > 1e10 {
			return time.Time{}, fmt.Errorf("%q is not a time: a number with a fraction is Unix seconds", s)
		}
		sec, frac := math.Modf(f)
		return time.Unix(int64(sec), int64(frac*1e9)), nil
	}
	// In a query string an unescaped + of a zone arrives as a space.
	t, err := time.Parse(time.RFC3339Nano, strings.Replace(s, " ", "+", 1))
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is not a time: use RFC 3339, Unix s, ms or ns, now, or now-1h", s)
	}
	return t, nil
}

func parseRelative(s, rest string, now time.Time) (time.Time, error) {
	if rest == "" {
		return now, nil
	}
	sign := time.Duration(-1)
	switch rest[0] {
	case '-':
	case '+', ' ':
		sign = 1
	default:
		return time.Time{}, fmt.Errorf("%q is not a time: after now comes - or + and a duration", s)
	}
	d, err := model.ParseDuration(rest[1:])
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is not a time: %q is not a duration such as 30m, 12h or 7d", s, rest[1:])
	}
	return now.Add(sign * time.Duration(d)), nil
}

// timeOfMagnitude tells the unit of a Unix time: seconds reach 1e11 in the year
// 5138, milliseconds 1e14 likewise, and so on.
func timeOfMagnitude(i int64) time.Time {
	switch abs := max(i, -i); {
	case abs < 1e11:
		return time.Unix(i, 0)
	case abs < 1e14:
		return time.UnixMilli(i)
	case abs < 1e17:
		return time.UnixMicro(i)
	}
	return time.Unix(0, i)
}

// maxBuckets bounds the points of a histogram or history.
const maxBuckets = 5000

// ParseStep reads a bucket width; "" chooses one that gives about 60 buckets
// of a round width.
func ParseStep(s string, span time.Duration) (time.Duration, error) {
	if s == "" {
		return roundStep(span / 60), nil
	}
	var step time.Duration
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		if math.IsNaN(f) || f > 1e9 {
			return 0, BadRequest("step: %q is not a width in seconds", s)
		}
		step = time.Duration(f * float64(time.Second))
	} else {
		d, err := model.ParseDuration(s)
		if err != nil {
			return 0, BadRequest("step: %q is not a duration such as 30s, 5m or 1h", s)
		}
		step = time.Duration(d)
	}
	if step < time.Millisecond {
		return 0, BadRequest("step: must be at least 1ms, got %q", s)
	}
	if n := int64(span / step); n > maxBuckets {
		return 0, BadRequest("step: %s over this range gives %d points, more than %d; ask for a larger step", step, n, maxBuckets)
	}
	return step, nil
}

// roundStep is the smallest round width that is at least d.
func roundStep(d time.Duration) time.Duration {
	for _, s := range []time.Duration{
		time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second,
		time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
		time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	} {
		if d <= s {
			return s
		}
	}
	const day = 24 * time.Hour
	if rest := d % day; rest > 0 {
		d += day - rest
	}
	return d
}
