package state_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

func TestDaysOfPromisesAreKeptByWhatTheyCount(t *testing.T) {
	dir, ctx := t.TempDir(), t.Context()
	s := openAt(t, dir)
	day := func(n int) time.Time { return time.Date(2026, 10, n, 0, 0, 0, 0, time.UTC) }
	one := store.SLODay{SLO: "a", Counts: "x", Day: day(1), Read: day(2), Cells: []byte{1, 0, 255}}
	two := store.SLODay{SLO: "a", Counts: "x", Day: day(2), Read: day(3), Settled: true, Cells: []byte{2}}
	other := store.SLODay{SLO: "a", Counts: "y", Day: day(1), Read: day(2), Cells: []byte{3}}
	if err := s.SaveSLODays(ctx, []store.SLODay{one, two, other}); err != nil {
		t.Fatal(err)
	}
	one.Settled, one.Read = true, day(3)
	if err := s.SaveSLODays(ctx, []store.SLODay{one}); err != nil {
		t.Fatal(err)
	}
	s.Close()
	s = openAt(t, dir)
	defer s.Close()
	for _, c := range []struct {
		name     string
		from, to time.Time
		want     []store.SLODay
	}{
		{"all days of one meaning, oldest first", day(1), day(3), []store.SLODay{one, two}},
		{"the end is not part of it", day(1), day(2), []store.SLODay{one}},
		{"none", day(3), day(9), nil},
	} {
		got, err := s.SLODays(ctx, "a", "x", c.from, c.to)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
	if err := s.DropSLODays(ctx, day(2)); err != nil {
		t.Fatal(err)
	}
	if got, err := s.SLODays(ctx, "a", "x", day(1), day(3)); err != nil || len(got) != 1 {
		t.Errorf("after dropping the first: %v %v", got, err)
	}
}

func TestPagesAndDecisionsOfAPeriod(t *testing.T) {
	s, ctx := openAt(t, t.TempDir()), t.Context()
	defer s.Close()
	at := func(n int) time.Time { return time.Date(2026, 10, n, 12, 0, 0, 0, time.UTC) }
	for i, id := range []string{"p1", "p2", "p3"} {
		if err := s.SavePage(ctx, model.Page{ID: id, DedupKey: id, Time: at(i + 1), Status: "resolved"}); err != nil {
			t.Fatal(err)
		}
		if err := s.SaveDecision(ctx, model.GateDecision{ID: id, Time: at(i + 1), Verdict: model.VerdictHold}); err != nil {
			t.Fatal(err)
		}
	}
	pages, err := s.Pages(ctx, store.PageQuery{Start: at(2), End: at(3)})
	if err != nil || len(pages) != 1 || pages[0].ID != "p2" {
		t.Errorf("pages: %v %v", pages, err)
	}
	decisions, next, err := s.Decisions(ctx, store.DecisionQuery{Start: at(1), End: at(3), Limit: 1})
	if err != nil || len(decisions) != 1 || decisions[0].ID != "p2" || next == "" {
		t.Fatalf("decisions: %v %q %v", decisions, next, err)
	}
	decisions, next, err = s.Decisions(ctx, store.DecisionQuery{Start: at(1), End: at(3), Limit: 1, Before: next})
	if err != nil || len(decisions) != 1 || decisions[0].ID != "p1" || next != "" {
		t.Errorf("the next page: %v %q %v", decisions, next, err)
	}
}
