package definition

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/slo/indicator"
	"github.com/signalbox-project/signalbox/internal/slo/ledger"
)

// figures is a source that has what it was given.
type figures struct {
	cells  []ledger.Cell // the first is what is live, too
	newest time.Time     // zero: none
	reread time.Duration
	name   string
	err    error
}

func (f *figures) Cells(context.Context, indicator.Querier, time.Time, time.Time, time.Duration) ([]ledger.Cell, error) {
	return f.cells, f.err
}

func (f *figures) Live(context.Context, indicator.Querier, time.Time, time.Time) (ledger.Cell, error) {
	return f.cells[0], f.err
}

func (f *figures) Newest(context.Context, indicator.Querier, time.Time) (time.Time, bool, error) {
	return f.newest, !f.newest.IsZero(), f.err
}

func (f *figures) Reread() time.Duration { return f.reread }

func (f *figures) Identity() string { return f.name }

// half is a composite of two sources of equal weight, each held to 90 %, which makes 90 %.
func half(a, b *figures) *compositeSource {
	part := func(f *figures) Part {
		return Part{Definition: &Definition{About: About{Name: f.name}, Measure: f}, Weight: 0.5, Objective: 0.9}
	}
	return &compositeSource{parts: []Part{part(a), part(b)}, objective: 0.9}
}

// Of two minutes: in the first a loses 10 of 100 events (burn 1) and b none, so the composite burns at 0.5 and has
// 0.05 bad minutes; in the second only b has data, so the composite has none.
func TestACompositeIsReadSlotBySlot(t *testing.T) {
	a := &figures{name: "a", cells: []ledger.Cell{{Bad: 10, Total: 100, Minutes: 1}, {}}}
	b := &figures{name: "b", cells: []ledger.Cell{{Total: 7, Minutes: 1}, {Bad: 3, Total: 3, Minutes: 1}}}
	begin := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	cells, err := half(a, b).Cells(t.Context(), nil, begin, begin.Add(2*time.Minute), time.Minute)
	if err != nil || len(cells) != 2 || cells[0] != (ledger.Cell{Bad: 0.05, Total: 1, Minutes: 1}) || cells[1] != (ledger.Cell{}) {
		t.Errorf("%v, %v", cells, err)
	}
	if live, err := half(a, b).Live(t.Context(), nil, begin, begin.Add(time.Minute)); err != nil || live != cells[0] {
		t.Errorf("%v, %v", live, err)
	}
}

// A composite knows no more than the part that is behind, and nothing when one of them has nothing.
func TestACompositeIsAsOldAsThePartThatIsBehind(t *testing.T) {
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct{ a, b, want time.Time }{
		{now, now.Add(-time.Hour), now.Add(-time.Hour)}, {now.Add(-time.Hour), now, now.Add(-time.Hour)}, {now, now, now}, {now, time.Time{}, time.Time{}}, {time.Time{}, now, time.Time{}},
	} {
		at, has, err := half(&figures{newest: c.a}, &figures{newest: c.b}).Newest(t.Context(), nil, now)
		if err != nil || has == c.want.IsZero() || has && !at.Equal(c.want) {
			t.Errorf("%s and %s: %s, %v, %v", c.a, c.b, at, has, err)
		}
	}
	if d := half(&figures{reread: time.Minute}, &figures{reread: time.Hour}).Reread(); d != time.Hour {
		t.Errorf("slots change for %s", d)
	}
}

// What cannot be read of one part is not read of the whole: half of it would be another number.
func TestAFailingPartFailsItsComposite(t *testing.T) {
	broken := errors.New("broken")
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	good, bad := &figures{cells: make([]ledger.Cell, 1), newest: now}, &figures{cells: make([]ledger.Cell, 1), newest: now, err: broken}
	for _, s := range []*compositeSource{half(good, bad), half(bad, good)} {
		_, cells := s.Cells(t.Context(), nil, now, now.Add(time.Minute), time.Minute)
		_, live := s.Live(t.Context(), nil, now, now)
		_, has, newest := s.Newest(t.Context(), nil, now)
		if !errors.Is(cells, broken) || !errors.Is(live, broken) || !errors.Is(newest, broken) || has {
			t.Errorf("%v, %v, %v, %v", cells, live, newest, has)
		}
	}
}

// Figures that were kept are of another composite when anything that they were counted by is another.
func TestACompositeIsKnownByItsParts(t *testing.T) {
	base := func() *compositeSource { return half(&figures{name: "a"}, &figures{name: "b"}) }
	for name, change := range map[string]func(*compositeSource){
		"a weight":     func(s *compositeSource) { s.parts[0].Weight, s.parts[1].Weight = 0.4, 0.6 },
		"an objective": func(s *compositeSource) { s.parts[1].Objective = 0.95 },
		"a query":      func(s *compositeSource) { s.parts[0].Definition.Queries.Good = "x" },
		"a source":     func(s *compositeSource) { s.parts[0].Definition.Measure.(*figures).name = "c" },
		"the order":    func(s *compositeSource) { s.parts[0], s.parts[1] = s.parts[1], s.parts[0] },
		"the number":   func(s *compositeSource) { s.parts = s.parts[:1] },
	} {
		other := base()
		if other.Identity() != base().Identity() {
			t.Fatal("the same composite has two identities")
		}
		if change(other); other.Identity() == base().Identity() {
			t.Errorf("with another %s it is taken for the same", name)
		}
	}
}
