package escalation

import (
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
)

// What an earlier round told is shown with its step, which is next again nevertheless.
func TestTheLadderIsOfTheRoundThatGoesOn(t *testing.T) {
	begin := time.Date(2026, 3, 10, 10, 0, 0, 0, time.UTC)
	w := newWorld(t, begin, `
people:
  - {name: ada, contacts: [{channel: push, address: ada}]}
  - {name: kim, contacts: [{channel: push, address: kim}]}
escalation_policies:
  - name: p
    default: true
    steps: [{notify: [{person: ada}]}, {after: 10m, notify: [{person: kim}]}]
    repeat: 1
    repeat_after: 5m
`)
	w.fire("a", model.Labels{"severity": "critical"})
	for _, c := range []struct {
		after time.Duration
		round int
		want  string // the state of each step, and how many messages it has
		next  time.Duration
	}{
		{time.Minute, 0, "begun 1, next 0", 10 * time.Minute},
		{11 * time.Minute, 0, "begun 1, begun 1", 15 * time.Minute},
		{16 * time.Minute, 1, "begun 2, next 1", 25 * time.Minute},
		{26 * time.Minute, 1, "begun 2, begun 2", 30 * time.Minute},
	} {
		w.until(begin.Add(c.after))
		v, err := w.engine.OfPage(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range v.Steps {
			got = append(got, s.State+" "+string(rune('0'+len(s.Attempts))))
		}
		if text := strings.Join(got, ", "); text != c.want || v.Round != c.round || v.Next == nil || !v.Next.Equal(begin.Add(c.next)) {
			t.Errorf("after %s: round %d, %s, next %v; want round %d, %s", c.after, v.Round, text, v.Next, c.round, c.want)
		}
	}
}
