package indicator

import (
	"fmt"
	"strings"
	"time"
)

// ErrorOver is a source's error ratio over a window such as 5m in standard PromQL: one sample without labels or, where
// it has groups, one for each set of the labels. text is its error ratio with $window for the range, or at one time where it judges values.
func ErrorOver(src Source, text, window string, by []string) string {
	if r := RatioOf(src); r != nil && len(by) > 0 {
		text = r.errorBy(by)
	}
	slice, target := time.Minute, 0.0
	switch s := Inner(src).(type) {
	case *Slices:
		slice, target = s.Slice, s.Target
		text = strings.ReplaceAll(text, "$window", fmt.Sprintf("%dm", int(slice.Minutes())))
	case *Ratio:
		return strings.ReplaceAll(text, "$window", window)
	}
	if target > 0 {
		// So many digits that what takes up binary fractions, as when a slice is judged here, is among them.
		text = fmt.Sprintf("(%s) > bool %.15g", text, 1-target+1e-12)
	}
	avg := "avg"
	if len(by) > 0 {
		avg = "avg by (" + strings.Join(by, ", ") + ") "
	}
	return fmt.Sprintf("%s(avg_over_time((%s)[%s:%dm]))", avg, text, window, int(slice.Minutes()))
}

// errorBy is the error ratio of each group. One in which nothing was good, or bad, has no series of that: it is zero.
func (s *Ratio) errorBy(by []string) string {
	total := s.Total.SumBy("$window", by)
	part := s.part().SumBy("$window", by)
	ratio := fmt.Sprintf("(%s or 0 * %s) / %s", part, total, total)
	if s.Good != nil {
		return "1 - " + ratio
	}
	return ratio
}

// GroupsInPromQL reports whether the groups of a source can be told apart in standard PromQL: not where counts are weighed or
// filtered minute by minute.
func GroupsInPromQL(src Source) bool {
	r := RatioOf(src)
	return r == nil || !r.Total.Minutewise() && !r.part().Minutewise()
}
