package escalation

import (
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
)

// A phone that was busy is found out after its call was taken: the next contact is tried at once, and not when it would have been its turn.
func TestWhatDidNotArriveAfterAllFailsOver(t *testing.T) {
	begin := time.Date(2026, 3, 10, 10, 0, 0, 0, time.UTC)
	w := newWorld(t, begin, `
people:
  - name: ada
    contacts: [{channel: voice, address: "+4915112345678"}, {channel: sms, address: "+4915112345678"}, {channel: push, address: ada}]
    rules: [{contact: voice}, {contact: sms, after: 10m}, {contact: push, after: 20m}]
escalation_policies:
  - {name: p, default: true, steps: [{notify: [{person: ada}]}]}
`)
	w.fire("a", model.Labels{"severity": "critical"})
	w.until(begin.Add(time.Minute))
	tries := func() (out string) {
		for _, try := range w.record("a").Tries {
			out += try.Contact + " " + try.State + " " + try.Note + "; "
		}
		return out
	}
	say := func(page string, r notify.Report) {
		t.Helper()
		if err := w.engine.Report(t.Context(), page, r); err != nil {
			t.Fatal(err)
		}
	}
	if got := tries(); got != "voice delivered queued; sms planned ; push planned ; " {
		t.Fatal(got)
	}
	say("a", notify.Report{Channel: "voice", Receipt: "another", Note: "busy"})
	say("nobody's", notify.Report{Channel: "voice", Receipt: "r1", Note: "busy"})
	w.until(begin.Add(2 * time.Minute))
	if got := tries(); got != "voice delivered queued; sms planned ; push planned ; " {
		t.Fatal(got)
	}
	say("a", notify.Report{Channel: "voice", Receipt: "r1", Note: "busy"})
	say("a", notify.Report{Channel: "voice", Receipt: "r1", Arrived: true, Note: "answered"}) // it is said again, otherwise
	w.restart()
	w.until(begin.Add(3 * time.Minute))
	if got := tries(); got != "voice failed busy; sms delivered queued; push planned ; " {
		t.Fatal(got)
	}
	say("a", notify.Report{Channel: "sms", Receipt: "r2", Arrived: true, Note: "delivered"})
	w.until(begin.Add(4 * time.Minute))
	if got := tries(); got != "voice failed busy; sms delivered delivered; push planned ; " {
		t.Fatal(got)
	}
	var said string
	for _, e := range w.record("a").Events {
		said += e.Text + "; "
	}
	if !strings.Contains(said, "the message to ada by voice did not arrive: busy") || !strings.Contains(said, "sms of ada is tried at once") {
		t.Error(said)
	}
	if _, err := w.engine.AckPage(t.Context(), "a", "ada", w.now()); err != nil {
		t.Fatal(err)
	}
	w.until(begin.Add(5 * time.Minute))
	if got := tries(); !strings.Contains(got, "push cancelled") {
		t.Error(got)
	}
}
