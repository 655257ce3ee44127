package history

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/slo/ledger"
)

// Whatever passes, sleep, late samples, restarts, corrections that come, overlap and go: every window is a sum over its minutes,
// found here by looking at each.
func TestEveryWindowIsTheSumOfItsMinutes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &stream{minutes: map[int64]ledger.Cell{}}
		now := noon
		begin := now.Add(-time.Duration(rapid.SampledFrom([]int{1, 5, 30, 100, 300}).Draw(t, "hours of data")) * time.Hour)
		grow := func(from time.Time) {
			for at := from; at.Before(now.Add(30 * time.Hour)); at = at.Add(7 * time.Minute) {
				c := ledger.Cell{Bad: float64(at.Unix() / 60 % 5), Total: 6, Minutes: 1}
				s.minutes[at.Unix()/60] = c
			}
		}
		grow(begin)
		h := New(slo(s))
		var out []span
		correct := func() {
			var list []model.SLOCorrection
			for i, x := range out {
				list = append(list, taken(x.from.String()+string(rune('a'+i)), x.from, x.to))
			}
			slices.SortFunc(list, func(a, b model.SLOCorrection) int { return a.Start.Compare(b.Start) })
			h.Correct(list)
		}
		for range rapid.IntRange(1, 5).Draw(t, "steps") {
			switch rapid.SampledFrom([]string{"pass", "sleep", "late", "restart", "correct", "uncorrect", "again"}).Draw(t, "what") {
			case "pass":
				now = now.Add(time.Hour)
			case "sleep":
				now = now.Add(26 * time.Hour)
				grow(now)
			case "late": // within what is read again by itself
				s.minutes[now.Unix()/60-8] = ledger.Cell{Bad: 2, Total: 40, Minutes: 1}
				now = now.Add(time.Hour)
			case "again": // somebody fills in what is older
				s.minutes[now.Unix()/60-4000] = ledger.Cell{Bad: 2, Total: 40, Minutes: 1}
				h.Again()
			case "restart":
				if kept, ok := h.Stored(0); ok {
					h = New(slo(s))
					h.Resume(kept, now)
				} else {
					h = New(slo(s))
				}
				correct()
			case "correct":
				from := now.Add(-time.Duration(rapid.IntRange(20, 9000).Draw(t, "minutes ago")) * time.Minute)
				to := from.Add(time.Duration(rapid.SampledFrom([]int{1, 15, 90, 700}).Draw(t, "lasts")) * time.Minute)
				if latest := now.Add(-20 * time.Minute); to.After(latest) {
					to = latest.Add(time.Minute)
				}
				out = append(out, span{from, to})
				correct()
			case "uncorrect":
				if len(out) > 0 {
					out = out[1:]
				}
				correct()
			}
			read(t, h, nil, now)
			m := measure(h, now)
			from := now.Add(-10 * 24 * time.Hour)
			if want := s.sum(from, now); !near(m.Felt, want) {
				t.Fatalf("felt %+v, want %+v", m.Felt, want)
			}
			if want := s.sum(from, now, out...); !near(m.Budget, want) {
				t.Fatalf("budget %+v, want %+v", m.Budget, want)
			}
			for w, got := range m.Windows {
				if want := s.sum(now.Add(-w), now, out...); !near(got, want) {
					t.Fatalf("%s: %+v, want %+v", w, got, want)
				}
			}
		}
	})
}
