package history

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/slo/definition"
	"github.com/signalbox-project/signalbox/internal/slo/judgement"
	"github.com/signalbox-project/signalbox/internal/slo/ledger"
	"github.com/signalbox-project/signalbox/internal/slo/openslo"
	"github.com/signalbox-project/signalbox/internal/store"
)

var errClosed = errors.New("the store is closed")

func TestARestartTakesUpWhatWasCountedOrCountsAnew(t *testing.T) {
	s := &stream{}
	s.fill(noon.Add(-20*24*time.Hour), noon.Add(12*24*time.Hour), 1)
	h := New(slo(s))
	if _, ok := h.Stored(0); ok {
		t.Error("nothing is worth keeping")
	}
	read(t, h, nil, noon)
	good, ok := h.Stored(0)
	if !ok || good.Name != "edge-ok" || !good.Sealed.Equal(noon.Add(-time.Minute)) {
		t.Fatalf("%+v %t", good, ok)
	}
	for _, c := range []struct {
		name   string
		change func(*store.SLOLedger)
		after  time.Duration
		taken  bool
	}{
		{"as it was", func(*store.SLOLedger) {}, time.Minute, true},
		{"an hour later", func(*store.SLOLedger) {}, time.Hour, true},
		{"as old as the window", func(*store.SLOLedger) {}, 10*24*time.Hour - time.Minute, true},
		{"older than the window", func(*store.SLOLedger) {}, 10 * 24 * time.Hour, false},
		{"of the future", func(l *store.SLOLedger) { l.Sealed = noon.Add(time.Hour) }, time.Minute, false},
		{"of another query", func(l *store.SLOLedger) { l.Measures = "x" }, time.Minute, false},
		{"nothing", func(l *store.SLOLedger) { l.Slots = nil }, time.Minute, false},
		{"no byte", func(l *store.SLOLedger) { l.Slots = []byte{} }, time.Minute, false},
		{"half of it", func(l *store.SLOLedger) { l.Slots = l.Slots[:len(l.Slots)/2] }, time.Minute, false},
		{"a wrong length", func(l *store.SLOLedger) { l.Slots[0] ^= 0x7f }, time.Minute, false},
	} {
		l := good
		l.Slots = append([]byte(nil), good.Slots...)
		c.change(&l)
		now := noon.Add(c.after)
		h := New(slo(s))
		h.Resume(l, now)
		if h.Begun() != c.taken {
			t.Errorf("%s: taken up %t, want %t", c.name, h.Begun(), c.taken)
		}
		read(t, h, nil, now)
		if m := measure(h, now); m.Budget.Total != s.sum(now.Add(-10*24*time.Hour), now).Total && c.after%time.Hour == 0 || !h.Whole() {
			t.Errorf("%s: %+v, whole %t", c.name, m.Budget, h.Whole())
		}
	}
}

// A budget of a young SLO depends on its age: it is known to the minute in which data began, however coarse the slots are.
func TestHowOldDataIs(t *testing.T) {
	for _, age := range []time.Duration{3 * time.Minute, 5*time.Hour + 17*time.Minute, 40*time.Hour + 17*time.Minute, 100*time.Hour + 43*time.Minute} {
		s := &stream{}
		s.fill(noon.Add(-age), noon, 1)
		h := New(slo(s))
		read(t, h, nil, noon)
		measure(h, noon) // asks for the first hour
		read(t, h, nil, noon)
		if m := measure(h, noon); m.Age != age || m.History != age || !m.LastData.Equal(noon) {
			t.Errorf("data of %s: age %s, history %s, newest %s", age, m.Age, m.History, m.LastData)
		}
	}
}

// Windows of a calendar in a zone that is half an hour off begin within an hour, of which the ledger keeps a sum only.
func TestACalendarWindowThatBeginsWithinAnHour(t *testing.T) {
	kolkata, err := time.LoadLocation("Asia/Kolkata")
	if err != nil {
		t.Fatal(err)
	}
	s := &stream{}
	begin := time.Date(2026, 3, 22, 18, 30, 0, 0, time.UTC) // Monday, 00:00 in Kolkata
	s.fill(begin.Add(-10*24*time.Hour), begin, 10)          // everything was bad before
	s.fill(begin, noon, 1)
	d := slo(s)
	d.Calendar = &openslo.Calendar{Start: time.Date(2026, 1, 5, 0, 0, 0, 0, kolkata), Count: 1, Unit: openslo.UnitWeek}
	d.Window = d.Calendar.Longest()
	for now, from := range map[time.Time]time.Time{
		begin.Add(6 * 24 * time.Hour):    begin,
		begin.Add(7*24*time.Hour - 1):    begin,
		begin.Add(7 * 24 * time.Hour):    begin.Add(7 * 24 * time.Hour),
		begin.Add(-time.Minute):          begin.Add(-7 * 24 * time.Hour),
		begin.Add(90 * time.Second):      begin,
		begin.Add(7*24*time.Hour + 9000): begin.Add(7 * 24 * time.Hour),
	} {
		h := New(d)
		read(t, h, nil, now)
		m := measure(h, now)
		if want := s.sum(from, now); !m.Start.Equal(from) || m.Length != 7*24*time.Hour || !near(m.Budget, want) {
			t.Errorf("at %s: window from %s for %s, %+v, want %s, %+v", now, m.Start, m.Length, m.Budget, from, want)
		}
	}
}

// Errors 1 %, objective 99 %: a burn of one, and as much of the budget is spent as time has passed.
func TestAPointOfTheCurve(t *testing.T) {
	s := &stream{}
	s.fill(noon.Add(-5*24*time.Hour), noon, 0.1)
	h := New(slo(s))
	if end := func() time.Time { _ = h.Load(t.Context(), nil, noon.Add(-time.Hour)); return h.sealed }(); !end.Equal(noon.Add(-time.Hour)) {
		t.Fatal(end)
	}
	cells, err := s.Cells(t.Context(), nil, noon.Add(-time.Hour), noon, time.Minute)
	if err != nil || !h.Append(cells).Equal(noon) || !h.LastData().Equal(noon) {
		t.Fatalf("appended to %s, newest %s, %v", h.sealed, h.LastData(), err)
	}
	if err := h.readLive(t.Context(), nil, noon); err != nil {
		t.Fatal(err)
	}
	limits := judgement.DefaultLimits()
	for ago, left := range map[time.Duration]float64{0: 0.5, 24 * time.Hour: 0.6, 4 * 24 * time.Hour: 0.9} {
		p := h.Point(limits, noon.Add(-ago))
		if p.Burn == nil || p.Left == nil || !near(ledger.Cell{Bad: *p.Burn, Total: *p.Error, Minutes: *p.Left}, ledger.Cell{Bad: 1, Total: 0.01, Minutes: left}) {
			t.Errorf("%s ago: %+v, want burn 1, %g left", ago, p, left)
		}
	}
	for _, at := range []time.Time{noon.Add(time.Second), noon.Add(-5*24*time.Hour - time.Minute)} {
		if p := h.Point(limits, at); p.Burn != nil || p.Error != nil || p.Left != nil || !p.Time.Equal(at) {
			t.Errorf("at %s, where nothing was counted: %+v", at, p)
		}
	}
	if p := h.Point(limits, noon.Add(-5*24*time.Hour+10*time.Minute)); p.Burn == nil || p.Left != nil {
		t.Errorf("ten minutes after data began: %+v, want a burn and no budget", p)
	}
	if p := New(slo(s)).Point(limits, noon); p.Burn != nil || p.Left != nil {
		t.Errorf("of nothing: %+v", p)
	}
}

// The curve ends where the page stands, also of a young SLO of which a correction takes out a part: five days of 1 % bad, of
// which two do not count, are three of the eight days that are left of the window.
func TestTheCurveEndsAtTheBudgetOfThePage(t *testing.T) {
	s := &stream{}
	s.fill(noon.Add(-5*24*time.Hour), noon, 0.1)
	h := New(slo(s))
	for _, fix := range [][]span{nil, {{noon.Add(-4 * 24 * time.Hour), noon.Add(-2 * 24 * time.Hour)}}} {
		left := 0.5
		if fix != nil {
			h.Correct([]model.SLOCorrection{taken("a", fix[0].from, fix[0].to)})
			left = 5.0 / 8
		}
		read(t, h, nil, noon)
		page := judgement.BudgetOf(h.def, measure(h, noon)).LeftRatio
		p := h.Point(judgement.DefaultLimits(), noon)
		if p.Left == nil || math.Abs(*p.Left-left) > 1e-9 || math.Abs(page-left) > 1e-9 {
			t.Errorf("corrections %v: the curve %+v, the page %g, want %g", fix, p, page, left)
		}
	}
}

// A composite is as old, as far behind and as much in doubt as its worst part.
func TestACompositeIsAsGoodAsItsWorstPart(t *testing.T) {
	old, young, idle := &stream{}, &stream{}, &stream{}
	old.fill(noon.Add(-20*24*time.Hour), noon, 1)
	young.fill(noon.Add(-2*time.Hour), noon.Add(-3*time.Minute), 0)
	for at := noon.Add(-time.Hour); at.Before(noon); at = at.Add(time.Minute) {
		idle.fill(at, at, 0)
		idle.minutes[at.Unix()/60] = ledger.Cell{Minutes: 1}
	}
	part := func(name string, s *stream) (*History, definition.Part) {
		d := slo(s)
		d.Name = name
		h := New(d)
		read(t, h, nil, noon)
		return h, definition.Part{Definition: d, Weight: 0.5, Objective: 0.99}
	}
	a, pa := part("old", old)
	b, pb := part("young", young)
	c, pc := part("idle", idle)
	whole := slo(&stream{})
	whole.Method, whole.Parts = "timeslices", []definition.Part{pa, pb}
	h := New(whole)
	h.Link([]*History{a, b})
	m := measure(h, noon)
	if m.Age != 2*time.Hour || !m.LastData.Equal(noon.Add(-3*time.Minute)) || m.Idle != "" || !h.Composite() {
		t.Errorf("age %s, newest %s, idle %q", m.Age, m.LastData, m.Idle)
	}
	// In the last hour one part burns ten times and the other not at all: five times, of the minutes that both have.
	if got := m.Windows[time.Hour]; !near(got, ledger.Cell{Bad: 57 * 0.05, Total: 57, Minutes: 57}) {
		t.Errorf("%+v", got)
	}
	if _, ok := h.Stored(0); ok {
		t.Error("a composite keeps no ledger of its own")
	}
	whole.Parts = []definition.Part{pa, pc}
	h.Link([]*History{a, c})
	if m := measure(h, noon); m.Idle != "idle" {
		t.Errorf("idle %q", m.Idle)
	}
	b.Note(errClosed, noon)
	h.Link([]*History{a, b})
	if m := measure(h, noon.Add(time.Minute)); m.Err == nil {
		t.Error("a part whose query fails is not told")
	}
}
