package escalation

import (
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
)

// Whom a page reached is counted once a page, whatever number of messages it took; drills, notices and what failed are no pages.
func TestWhoWasPagedIsCounted(t *testing.T) {
	begin := time.Date(2026, 3, 10, 10, 0, 0, 0, time.UTC)
	w := newWorld(t, begin, `
people:
  - {name: ada, contacts: [{channel: push, address: ada}, {channel: sms, address: "+4915112345678"}]}
  - {name: kim, contacts: [{channel: push, address: kim}]}
  - {name: lee, contacts: [{channel: voice, address: "+4915112345679"}]}
escalation_policies:
  - name: p
    default: true
    notices: [{person: kim}]
    steps: [{notify: [{person: ada}, {person: lee}]}, {after: 10m, notify: [{person: kim}]}]
    repeat: 1
`)
	w.down["voice"] = true
	w.fire("a", model.Labels{"severity": "critical"}) // pages ada twice, and kim after ten minutes
	w.fire("b", model.Labels{"severity": "warning"})  // a notice
	if _, err := w.engine.Test(t.Context(), "p", "", "", "kim"); err != nil {
		t.Fatal(err)
	}
	w.until(begin.Add(25 * time.Minute))
	w.resolve("a")
	w.until(begin.Add(26 * time.Minute))
	w.fire("c", model.Labels{"severity": "critical"})
	w.drain()
	w.page("c", func(p *model.Page) { p.AckedBy = "ada" })
	w.until(begin.Add(time.Hour))
	got, err := w.engine.Paged(t.Context(), begin, begin.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, p := range got {
		counts[p.Person+" "+p.Page]++
		if want := p.Page == "a"; p.ByItself != want {
			t.Errorf("%+v: ended by itself: want %v", p, want)
		}
		if p.Person == "kim" && !p.At.Equal(begin.Add(10*time.Minute)) {
			t.Errorf("%+v", p)
		}
	}
	if len(counts) != 3 || counts["ada a"] != 1 || counts["kim a"] != 1 || counts["ada c"] != 1 {
		t.Errorf("%+v", counts)
	}
	if later, err := w.engine.Paged(t.Context(), begin.Add(time.Minute), begin.Add(11*time.Minute)); err != nil || len(later) != 1 || later[0].Person != "kim" {
		t.Errorf("%+v %v", later, err)
	}
}
