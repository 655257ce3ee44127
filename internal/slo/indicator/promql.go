package indicator

import (
	"fmt"
	"strings"
	"time"
)

// ErrorOver is a source's error ratio over a window such as 5m in standard PromQL. text is
// its error ratio with $window for the range, or at one time where it judges values.
func ErrorOver(src Source, text, window string) string {
	slice, target := time.Minute, 0.0
	switch s := Inner(src).(type) {
	case *Slices:
		slice, target = s.Slice, s.Target
		text = strings.ReplaceAll(text, "$window", fmt.Sprintf("%dm", int(slice.Minutes())))
	case *Ratio:
		return strings.ReplaceAll(text, "$window", window)
	}
	if target > 0 {
		text = fmt.Sprintf("(%s) > bool %.10g", text, 1-target+1e-12)
	}
	return fmt.Sprintf("avg(avg_over_time((%s)[%s:%dm]))", text, window, int(slice.Minutes()))
}
