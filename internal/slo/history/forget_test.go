package history

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/slo/indicator"
	"github.com/signalbox-project/signalbox/internal/slo/ledger"
	"github.com/signalbox-project/signalbox/internal/store"
)

// spans is a store that has ten spans of each minute since begin, one of them bad, and drops those before kept.
type spans struct {
	indicator.Querier
	begin, kept time.Time
	late        map[time.Time]uint64 // more of a minute
	bad         uint64
	badIn       span // bad are those of these minutes only; none: all
}

func (s *spans) CountEvents(_ context.Context, q *indicator.EventQuery, from, to time.Time) ([]uint64, error) {
	out := make([]uint64, int(to.Sub(from)/time.Minute))
	for i := range out {
		at := from.Add(time.Duration(i) * time.Minute)
		switch {
		case at.Before(s.begin) || at.Before(s.kept):
		case strings.Contains(q.Text, "bad"):
			if s.badIn == (span{}) || s.badIn.holds(at) {
				out[i] = s.bad
			}
		default:
			out[i] = 10 + s.late[at]
		}
	}
	return out, nil
}

func (s *spans) EventValues(context.Context, *indicator.EventQuery, string, time.Time, time.Time) ([]string, error) {
	return nil, nil
}

func counted(signal indicator.Signal) *indicator.EventRatio {
	of := func(text string) *indicator.EventQuery {
		return &indicator.EventQuery{Signal: signal, Text: text, Expr: store.Exists{Field: text}}
	}
	return &indicator.EventRatio{Total: of("all"), Bad: of("bad"), Quiet: 5 * time.Minute}
}

// Spans are kept for less time than the window lasts. What was counted of those that are gone stays counted, and a correction
// takes out what counts of them: to the minute if it was read while they were there, else in proportion of the hour.
func TestACorrectionOverWhatTheStoreHasDropped(t *testing.T) {
	const day = 24 * time.Hour
	q := &spans{begin: noon.Add(-30 * day), bad: 1}
	d := slo(counted(indicator.Spans))
	h := New(d)
	read(t, h, q, noon)
	whole := ledger.Cell{Bad: 14400, Total: 144000, Minutes: 14400} // ten days
	if m := measure(h, noon); !near(m.Budget, whole) {
		t.Fatalf("%+v", m.Budget)
	}
	from := noon.Add(-9*day + 20*time.Minute) // an hour and a half, beginning and ending within hours
	fix := []model.SLOCorrection{taken("a", from, from.Add(90*time.Minute))}
	want := ledger.Cell{Bad: 14400 - 90, Total: 144000 - 900, Minutes: 14400 - 90}
	check := func(when string, h *History, want ledger.Cell) {
		t.Helper()
		read(t, h, q, noon)
		if m := measure(h, noon); !near(m.Budget, want) || !near(m.Felt, whole) {
			t.Errorf("%s: counts %+v, felt %+v, want %+v of %+v", when, m.Budget, m.Felt, want, whole)
		}
	}
	h.Correct(fix)
	check("all spans there", h, want)
	q.kept = noon.Add(-3 * day)
	h.Again()
	check("dropped after the correction", h, want)
	h.Correct(append(fix, taken("b", noon.Add(-day), noon.Add(-day+time.Hour))))
	check("and another correction", h, ledger.Cell{Bad: want.Bad - 60, Total: want.Total - 600, Minutes: want.Minutes - 60})
	h.Correct(nil)
	check("taken back", h, whole)
	h.Correct(fix)
	check("dropped before the correction", h, want)
	kept, ok := h.Stored(0)
	if !ok {
		t.Fatal("nothing is kept")
	}
	h = New(d)
	h.Resume(kept, noon)
	h.Correct(fix)
	check("after a restart", h, want)
	q.kept = noon.Add(-9*day + time.Hour) // the correction's first 40 minutes are gone
	h.Correct(nil)
	h.Correct(fix)
	check("half of it dropped", h, want)
}

// What was read of a correction while its spans were there is not given up when another correction comes after they are gone.
func TestWhatIsKnownOfACorrectionStaysKnown(t *testing.T) {
	const day = 24 * time.Hour
	from := noon.Add(-9*day + 20*time.Minute)
	q := &spans{begin: noon.Add(-30 * day), bad: 10, badIn: span{from, from.Add(30 * time.Minute)}}
	h := New(slo(counted(indicator.Spans)))
	fix := []model.SLOCorrection{taken("a", from, from.Add(30*time.Minute))}
	h.Correct(fix)
	read(t, h, q, noon)
	q.kept = noon.Add(-3 * day)
	h.Correct(append(fix, taken("b", noon.Add(-day), noon.Add(-day+time.Hour))))
	read(t, h, q, noon)
	if m := measure(h, noon); m.Felt.Bad != 300 || m.Budget.Bad != 0 {
		t.Errorf("counts %+v, felt %+v: the outage that was taken out counts again", m.Budget, m.Felt)
	}
}

// Deployments are kept for ever, and may be taken back: what is read now is what there is.
func TestOfDeploymentsTheStoreIsRight(t *testing.T) {
	q := &spans{begin: noon.Add(-30 * 24 * time.Hour), bad: 1}
	h := New(slo(counted(indicator.Deploys)))
	read(t, h, q, noon)
	q.kept = noon.Add(-24 * time.Hour)
	h.Again()
	read(t, h, q, noon)
	if m := measure(h, noon); !near(m.Budget, ledger.Cell{Bad: 1440, Total: 14400, Minutes: 1440}) {
		t.Errorf("%+v, want those of the last day", m.Budget)
	}
}

// Late spans are found where it is told that they came, in each tier of slots, and nothing else is read again.
func TestHoursIntoWhichLateEventsFellAreReadAgain(t *testing.T) {
	q := &spans{begin: noon.Add(-30 * 24 * time.Hour), bad: 1, late: map[time.Time]uint64{}}
	h := New(slo(counted(indicator.Spans)))
	read(t, h, q, noon)
	h.Kept(noon)
	if h.KeepDue(noon.Add(59 * time.Minute)) {
		t.Error("it is stored twice within an hour")
	}
	var hours []time.Time
	for _, ago := range []time.Duration{200 * time.Hour, 199 * time.Hour, 50 * time.Hour, 2 * time.Hour} {
		hour := noon.Add(-ago)
		hours = append(hours, hour)
		q.late[hour], q.late[hour.Add(59*time.Minute)] = 5, 6
	}
	untold := noon.Add(-100 * time.Hour)
	q.late[untold] = 1000
	h.Requeue(hours)
	if !h.Waiting() {
		t.Fatal("nothing is read again")
	}
	read(t, h, q, noon)
	want := ledger.Cell{Bad: 14400, Total: 144000 + 4*11, Minutes: 14400}
	if m := measure(h, noon); !near(m.Budget, want) {
		t.Errorf("%+v, want %+v", m.Budget, want)
	}
	if !h.KeepDue(noon.Add(time.Minute)) {
		t.Error("what is stored is wrong and is not stored again")
	}
	h.Requeue([]time.Time{noon.Add(-400 * time.Hour), noon.Add(24 * time.Hour)})
	if h.Waiting() {
		t.Error("hours beyond the window are read")
	}
}
