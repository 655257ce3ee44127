package cause

import (
	"fmt"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/human"
)

// rightAfter is how soon after a change a symptom follows it closely.
const rightAfter = 15 * time.Minute

// What is a change in words: version 2.4.1, the change db-pool-20, the rollback to 2.4.0.
func What(d *model.Deploy) string {
	switch d.Kind {
	case "rollback":
		return "the rollback to " + d.Version
	case "config":
		return "the change " + d.Version
	case "remediation":
		return "the remedy " + d.Version
	}
	return "version " + d.Version
}

// changeText is a clause that goes on after the time of an onset; "" where
// nothing is known.
func changeText(onset time.Time, c model.Cause, beside []*model.Deploy) string {
	if c.Change == nil {
		if len(c.RuledOut) == 0 {
			return ""
		}
		r := c.RuledOut[0]
		return fmt.Sprintf(", not by %s, which %s", What(&r.Change), r.Why)
	}
	text := ", " + After(onset, c.Change)
	if c.Undone != nil {
		text += ", undone at " + human.Clock(*c.Undone)
	}
	for i, d := range beside {
		text += [...]string{", with ", " and "}[min(i, 1)] + What(d)
	}
	if len(beside) > 0 {
		text += " at the same time"
	}
	return text
}

// After says how a change stands to an onset: right after version 2.4.1, 40 min
// after version 2.4.1.
func After(onset time.Time, d *model.Deploy) string {
	if gap := onset.Sub(begin(d)); gap > rightAfter {
		return human.Duration(gap.Round(time.Minute)) + " after " + What(d)
	}
	return "right after " + What(d)
}

func upstreamText(s Symptom, up found, c model.Cause, beside []*model.Deploy) string {
	return fmt.Sprintf(", because %s, which %s (%s), has failed since %s%s", up.failing.Service, callsIt(s.Service, up.path),
		strings.Join(up.path, " calls "), human.Clock(up.failing.Since), changeText(up.failing.Since, c, beside))
}

func callsIt(service string, path []string) string {
	if len(path) > 2 {
		return service + " depends on"
	}
	return service + " calls"
}
