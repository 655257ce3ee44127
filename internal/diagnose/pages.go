package diagnose

import (
	"fmt"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
)

// SummarizePages says in one sentence who knows: the newest open page first,
// otherwise the newest of all. pages are newest first; times are UTC.
func (r *Diagnoser) SummarizePages(pages []model.Page, now time.Time) string {
	open, unacked, warnings := 0, 0, 0
	var shown *model.Page
	for i := range pages {
		p := &pages[i]
		if p.Status != "firing" {
			continue
		}
		if !model.Wakes(p.Severity) { // it went to a channel and waits for nobody
			warnings++
			continue
		}
		open++
		if p.AckedAt == nil {
			unacked++
		}
		if shown == nil || shown.AckedAt != nil && p.AckedAt == nil {
			shown = p
		}
	}
	switch {
	case len(pages) == 0:
		return "Nobody was paged."
	case open == 0 && warnings > 0:
		return fmt.Sprintf("No page is open; %s.", warned(warnings))
	case open == 0:
		return fmt.Sprintf("No page is open. The last one, %s, was sent at %s and is resolved.", strings.TrimSuffix(pages[0].Title, "."), sentAt(pages[0].Time, now))
	}
	text := fmt.Sprintf("%s was sent to %s at %s", strings.TrimSuffix(shown.Title, "."), shown.Receiver, sentAt(shown.Time, now))
	if shown.AckedAt != nil {
		text += fmt.Sprintf(" and acknowledged by %s at %s.", shown.AckedBy, sentAt(*shown.AckedAt, now))
	} else {
		text += "; nobody has acknowledged it yet."
	}
	if unacked > 1 {
		text += fmt.Sprintf(" %d pages wait for somebody.", unacked)
	}
	if warnings > 0 {
		text += " Besides, " + warned(warnings) + "."
	}
	return text
}

func warned(n int) string {
	if n == 1 {
		return "1 warning is in its channel"
	}
	return fmt.Sprintf("%d warnings are in their channels", n)
}

// sentAt is the time of day, with the date when that is another one.
func sentAt(t, now time.Time) string {
	t, now = t.UTC(), now.UTC()
	if t.YearDay() == now.YearDay() && t.Year() == now.Year() {
		return t.Format("15:04 UTC")
	}
	return t.Format("2 Jan 15:04 UTC")
}
