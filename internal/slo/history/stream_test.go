package history

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/slo/definition"
	"github.com/signalbox-project/signalbox/internal/slo/indicator"
	"github.com/signalbox-project/signalbox/internal/slo/judgement"
	"github.com/signalbox-project/signalbox/internal/slo/ledger"
)

var noon = time.Date(2026, 3, 30, 12, 0, 0, 0, time.UTC)

// stream is a source of whole events by minute, kept in the open.
type stream struct {
	minutes map[int64]ledger.Cell // by the Unix minute that it begins
	asked   []span                // pieces that were read, in order
	err     error
}

type span struct{ from, to time.Time }

func (x span) holds(at time.Time) bool { return !at.Before(x.from) && at.Before(x.to) }

// begins at a time and has so many bad of ten events in each minute up to the end.
func (s *stream) fill(from, to time.Time, bad float64) {
	if s.minutes == nil {
		s.minutes = map[int64]ledger.Cell{}
	}
	for at := from; at.Before(to); at = at.Add(time.Minute) {
		s.minutes[at.Unix()/60] = ledger.Cell{Bad: bad, Total: 10, Minutes: 1}
	}
}

// sum looks at every minute of (from, to], but for those that are left out.
func (s *stream) sum(from, to time.Time, out ...span) (sum ledger.Cell) {
minutes:
	for at := from; at.Before(to); at = at.Add(time.Minute) {
		for _, x := range out {
			if x.holds(at) {
				continue minutes
			}
		}
		sum = sum.Add(s.minutes[at.Unix()/60])
	}
	return sum
}

func (s *stream) Cells(_ context.Context, _ indicator.Querier, from, to time.Time, width time.Duration) ([]ledger.Cell, error) {
	s.asked = append(s.asked, span{from, to})
	out := make([]ledger.Cell, int(to.Sub(from)/width))
	for i := range out {
		out[i] = s.sum(from.Add(time.Duration(i)*width), from.Add(time.Duration(i+1)*width))
	}
	return out, s.err
}

func (s *stream) Live(_ context.Context, _ indicator.Querier, from, to time.Time) (ledger.Cell, error) {
	return s.sum(from, to), s.err
}

func (s *stream) Newest(_ context.Context, _ indicator.Querier, now time.Time) (time.Time, bool, error) {
	for at := now.Truncate(time.Minute); at.After(now.Add(-5 * time.Minute)); at = at.Add(-time.Minute) {
		if s.minutes[at.Unix()/60-1].Minutes > 0 {
			return at, true, s.err
		}
	}
	return time.Time{}, false, s.err
}

func (s *stream) Reread() time.Duration { return 10 * time.Minute }
func (s *stream) Identity() string      { return "stream" }

// slo is an SLO over a source, of ten days.
func slo(src indicator.Source) *definition.Definition {
	d := &definition.Definition{Measure: src}
	d.Name, d.DisplayName, d.Service, d.File = "edge-ok", "Edge answers", "edge", "edge.yaml"
	d.Objective, d.Window, d.Method = 0.99, 10*24*time.Hour, "occurrences"
	return d
}

// read lets a history read all that there is at a time.
func read(t interface {
	Helper()
	Fatal(args ...any)
}, h *History, q indicator.Querier, now time.Time,
) {
	t.Helper()
	if err := h.Read(context.Background(), q, judgement.DefaultLimits(), time.Minute, now); err != nil {
		t.Fatal(err)
	}
	for n := 0; h.Due(now); n++ {
		if err := h.Scan(context.Background(), q, now); err != nil {
			t.Fatal(err)
		}
		if n > 1000 {
			t.Fatal("the queue has no end")
		}
	}
}

func near(a, b ledger.Cell) bool {
	return math.Abs(a.Bad-b.Bad) < 1e-6 && math.Abs(a.Total-b.Total) < 1e-6 && math.Abs(a.Minutes-b.Minutes) < 1e-6
}

func measure(h *History, now time.Time) judgement.Measured {
	return h.Measure(judgement.DefaultLimits(), now)
}

func taken(id string, from, to time.Time) model.SLOCorrection {
	return model.SLOCorrection{ID: id, Author: "kim", Reason: "moved", Start: from, End: to}
}

func TestTheNewestIsReadFirstAndAllOfTheWindowOnce(t *testing.T) {
	s := &stream{}
	s.fill(noon.Add(-20*24*time.Hour), noon, 1)
	h := New(slo(s))
	now := noon
	if h.Begun() || h.Waiting() || h.Due(now) || h.Whole() {
		t.Error("a history that was never read has something")
	}
	if err := h.Read(t.Context(), nil, judgement.DefaultLimits(), time.Minute, now); err != nil {
		t.Fatal(err)
	}
	sealed := noon.Add(-time.Minute)
	if !h.Begun() || !h.Waiting() || h.Whole() {
		t.Error("nothing is queued")
	}
	s.asked = nil
	var loaded time.Duration
	for h.Waiting() {
		if h.Whole() {
			t.Error("whole while pieces wait")
		}
		if err := h.Scan(t.Context(), nil, now); err != nil {
			t.Fatal(err)
		}
		if h.Known().loaded <= loaded {
			t.Errorf("loaded %s after %s", h.Known().loaded, loaded)
		}
		loaded = h.Known().loaded
	}
	end := sealed
	for _, x := range s.asked {
		if !x.to.Equal(end) || !x.from.Before(x.to) {
			t.Errorf("%s to %s follows what began at %s", x.from, x.to, end)
		}
		end = x.from
	}
	if want := sealed.Truncate(time.Hour).Add(-10 * 24 * time.Hour); !end.Equal(want) || !h.Whole() {
		t.Errorf("read down to %s, want %s, whole %t", end, want, h.Whole())
	}
	if m := measure(h, now); !near(m.Budget, s.sum(now.Add(-10*24*time.Hour), now)) {
		t.Errorf("%+v", m.Budget)
	}
}

// After an error nothing is tried in a tight loop, and what was read is not said to be all.
func TestAFailedReadWaitsAndIsTriedAgain(t *testing.T) {
	s := &stream{}
	s.fill(noon.Add(-20*24*time.Hour), noon.Add(time.Hour), 1)
	h := New(slo(s))
	if err := h.Read(t.Context(), nil, judgement.DefaultLimits(), time.Minute, noon); err != nil {
		t.Fatal(err)
	}
	if err := h.Scan(t.Context(), nil, noon); err != nil {
		t.Fatal(err)
	}
	s.err = context.DeadlineExceeded
	if err := h.Scan(t.Context(), nil, noon); err == nil {
		t.Fatal("no error")
	}
	if h.Due(noon) || h.Due(noon.Add(4*time.Second)) || h.Whole() {
		t.Error("it is tried again at once, or said to be whole")
	}
	if _, keep := h.Stored(0); keep {
		t.Error("half of a history is kept")
	}
	s.err = nil
	if !h.Due(noon.Add(5 * time.Second)) {
		t.Error("it is not tried again")
	}
	read(t, h, nil, noon.Add(5*time.Second))
	if !h.Whole() {
		t.Error("not whole after all")
	}
	// A failure of a moment is none; one that lasts is said, until a query succeeds.
	for _, c := range []struct {
		after       time.Duration
		err         error
		first, told bool
	}{
		{0, context.DeadlineExceeded, true, false},
		{29 * time.Second, context.DeadlineExceeded, false, false},
		{30 * time.Second, context.DeadlineExceeded, false, true},
		{31 * time.Second, nil, false, false},
		{32 * time.Second, context.DeadlineExceeded, true, false},
	} {
		at := noon.Add(c.after)
		if first := h.Note(c.err, at); first != c.first {
			t.Errorf("after %s: first of a row %t", c.after, first)
		}
		if told := measure(h, at).Err != nil; told != c.told {
			t.Errorf("after %s: told %t, want %t", c.after, told, c.told)
		}
	}
}

// Of a process that slept nobody knows what happened meanwhile: until that is read nothing is judged by what was read before.
func TestAfterASleepHistoryIsNotKnown(t *testing.T) {
	s := &stream{}
	s.fill(noon.Add(-20*24*time.Hour), noon.Add(3*time.Hour), 1)
	h := New(slo(s))
	read(t, h, nil, noon)
	if measure(h, noon).Loaded < 10*24*time.Hour {
		t.Fatal("not whole")
	}
	s.asked = nil
	awake := noon.Add(2 * time.Hour)
	if err := h.Read(t.Context(), nil, judgement.DefaultLimits(), time.Minute, awake); err != nil {
		t.Fatal(err)
	}
	if m := measure(h, awake); m.Loaded != 0 || !h.Waiting() {
		t.Errorf("loaded %s, waiting %t", m.Loaded, h.Waiting())
	}
	read(t, h, nil, awake)
	if m := measure(h, awake); !h.Whole() || !near(m.Budget, s.sum(awake.Add(-10*24*time.Hour), awake)) {
		t.Errorf("%+v, whole %t", m.Budget, h.Whole())
	}
	for _, x := range s.asked { // what was read before it slept stays
		if x.from.Before(noon.Add(-2 * time.Hour)) {
			t.Errorf("%s to %s is read again", x.from, x.to)
		}
	}
}
