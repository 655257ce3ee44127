package definition

import (
	"slices"
	"time"

	"github.com/signalbox-project/signalbox/internal/budget"
)

// Span is the budget window that holds now: it began at start and is length
// long when it is over.
func (d *Definition) Span(now time.Time) (start time.Time, length time.Duration) {
	if d.Calendar == nil {
		return now.Add(-d.Window), d.Window
	}
	start, end := d.Calendar.At(now)
	return start, end.Sub(start)
}

// WindowText is the budget window as people write it: 28d, or 1M for a
// calendar month.
func (d *Definition) WindowText() string {
	if d.Calendar != nil {
		return d.Calendar.Text()
	}
	return budget.Window(d.Window)
}

// BurnWindows are the windows of the table, shortest first, each once.
func (d *Definition) BurnWindows(defaults []BurnAlert) []time.Duration {
	out := []time.Duration{time.Hour}
	for _, a := range d.Table(defaults) {
		for _, w := range []time.Duration{time.Duration(a.Long), a.ShortWindow()} {
			if time.Duration(a.Long) <= d.Window && !slices.Contains(out, w) {
				out = append(out, w)
			}
		}
	}
	slices.Sort(out)
	return out
}

// WantsFirstHour reports whether the calendar window that holds a time begins
// within an hour, and when.
func (d *Definition) WantsFirstHour(at time.Time) (start time.Time, wants bool) {
	if d.Calendar == nil {
		return start, false
	}
	start, _ = d.Calendar.At(at)
	start = start.UTC()
	return start, !start.Truncate(time.Hour).Equal(start) && start.Truncate(time.Minute).Equal(start)
}
