package indicator

import "time"

// Concerns reports whether one of the metrics may be one that a source reads; no metric is where it counts events.
func Concerns(src Source, may func(metric string) bool) bool {
	if v := ValuesOf(src); v != nil {
		return v.Query.Concerns(may)
	}
	for _, c := range countersOf(src) {
		if c.Concerns(may) {
			return true
		}
	}
	return false
}

// Reach is how long before and after the time of a sample or an event slots depend on it, beside the one that holds it.
func Reach(src Source) (before, after time.Duration) {
	switch s := Inner(src).(type) {
	case *Slices:
		if counts, ok := s.Counts.(Source); ok {
			before, after = Reach(counts)
		}
		return before + s.Slice, after + s.Slice
	case *EventRatio:
		return 0, s.Quiet
	case *Values:
		return s.Query.Reach()
	case *Ratio:
		for _, c := range countersOf(s) {
			b, a := c.Reach()
			before, after = max(before, b), max(after, a)
		}
		return before + maxScrape, after // slots between two samples are covered
	}
	return 0, 0
}
