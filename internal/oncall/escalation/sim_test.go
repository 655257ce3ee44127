package escalation

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
)

const simulated = `
people:
  - name: ada
    contacts: [{channel: push, address: ada}, {channel: sms, address: "+491511111111"}]
    rules: [{contact: push}, {contact: sms, after: 2m}]
  - {name: kim, contacts: [{channel: push, address: kim}, {channel: email, address: kim@example.com}], rules: [{contact: push}]}
schedules:
  - {name: primary, layers: [{start: 2020-01-06, people: [ada], windows: [{from: "06:00", to: "22:00"}]}]}
  - {name: secondary, layers: [{start: 2020-01-06, people: [kim]}]}
escalation_policies:
  - name: platform
    default: true
    repeat: 2
    steps:
      - {notify: [{schedule: primary}]}
      - {after: 5m, notify: [{schedule: secondary}]}
`

// In any order of pages, outages, silences, crashes and jumps of the clock no page is lost, nobody is told often of the
// same thing, and what is silenced, taken or over pages nobody.
func TestSimulation(t *testing.T) {
	for seed := range uint64(150) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { simulate(t, rand.New(rand.NewPCG(seed, 9))) })
	}
}

func simulate(t *testing.T, r *rand.Rand) {
	w := newWorld(t, time.Date(2026, 3, 10, r.IntN(24), 0, 0, 0, time.UTC), simulated)
	const pages = 4
	crashes := 0
	quietFrom := map[string]int{} // page → how many messages had been sent when it was taken, or over
	for step := range 60 {
		id := fmt.Sprintf("p%d", r.IntN(pages))
		p, known := w.pages[id]
		switch r.IntN(9) {
		case 0, 1:
			if !known {
				w.fire(id, model.Labels{"severity": []string{"critical", "high", "medium"}[r.IntN(3)]})
			}
		case 2:
			if known && p.Status == "firing" && p.AckedBy == "" && r.IntN(3) == 0 {
				if _, err := w.engine.Acknowledge(context.Background(), id, "ada", "test"); err != nil {
					t.Fatal(err)
				}
				quietFrom[id] = len(w.sent)
			}
		case 3:
			if known && p.Status == "firing" && r.IntN(3) == 0 {
				w.resolve(id)
				if _, already := quietFrom[id]; !already {
					quietFrom[id] = len(w.sent)
				}
			}
		case 4:
			w.down["push"] = !w.down["push"]
		case 5:
			if w.silenced = !w.silenced; w.silenced {
				before := len(w.sent)
				w.until(w.at.Add(time.Duration(r.IntN(20)) * time.Minute))
				for _, m := range w.sent[before:] {
					t.Fatalf("step %d: told during a silence: %+v", step, m)
				}
				w.silenced = false
			}
		case 6: // killed before any of the next writes
			crashes++
			w.crash = w.saves + 1 + r.IntN(3)
			w.until(w.at.Add(time.Duration(r.IntN(10)) * time.Minute))
			w.restart()
		case 7:
			w.until(w.at.Add(time.Duration(r.IntN(12)) * time.Minute))
		case 8:
			w.at = w.at.Add(time.Duration(r.IntN(180)-60) * time.Minute)
			w.engine.find(context.Background(), true, w.at)
		}
		w.drain()
	}
	w.down["push"], w.silenced = false, false
	w.until(w.at.Add(6 * time.Hour))
	w.check(t, crashes, quietFrom)
}

// check says what is not as it must be at the end.
func (w *world) check(t *testing.T, crashes int, quietFrom map[string]int) {
	t.Helper()
	told := map[string]int{}
	for i, m := range w.sent {
		if m.Kind != notify.Paged {
			continue
		}
		if from, quiet := quietFrom[m.Page.ID]; quiet && i >= from {
			t.Errorf("%s was paged after it was taken or over", m.Page.ID)
		}
		told[m.Page.ID+" "+m.To.Address]++
	}
	for id, p := range w.pages {
		rec := w.record(id)
		if p.Status == "firing" && p.AckedBy == "" && rec.State != Unreached {
			t.Errorf("%s fires, nobody has it, and it is %s\n%v", id, rec.State, lines(rec))
		}
		if p.Status == "firing" && p.AckedBy == "" && told[id+" kim"]+told[id+" kim@example.com"] == 0 {
			t.Errorf("%s is lost: the end of the chain never heard of it\n%s", id, strings.Join(lines(rec), "\n"))
		}
	}
	for key, n := range told {
		if most := 3 + crashes; n > most {
			t.Errorf("%s was told %d times; three rounds and %d crashes allow %d", key, n, crashes, most)
		}
	}
}

// A thousand pages in a minute are few messages to a phone, the first at once, and each page is accounted for.
func TestAFloodIsFewMessages(t *testing.T) {
	const n = 1000
	w := newWorld(t, time.Date(2026, 3, 10, 10, 0, 0, 0, time.UTC), simulated)
	begin := w.at
	for i := range n {
		w.fire(fmt.Sprintf("p%05d", i), model.Labels{"severity": "critical"})
		if i%50 == 49 {
			w.drain()
			w.at = w.at.Add(3 * time.Second)
		}
	}
	w.until(begin.Add(2 * time.Minute))
	got := 0
	for _, m := range w.sent {
		if m.To.Address == "ada" {
			got++
		}
	}
	if first := w.sent[0].Time; !first.Equal(begin) || got < burst || got > burst+6 {
		t.Errorf("%d messages to one phone, the first after %s", got, first.Sub(begin))
	}
	states := map[string]int{}
	for i := range n {
		for _, try := range w.record(fmt.Sprintf("p%05d", i)).Tries {
			if try.Address == "ada" {
				states[try.State]++
			}
		}
	}
	if states[delivered] != got || states[delivered]+states[summarized] != n {
		t.Errorf("%v of %d", states, n)
	}
}
