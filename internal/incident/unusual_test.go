package incident

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/incident/signs"
)

// finder answers one sign a service, and remembers what it was asked.
type finder struct {
	asked [][]string
	err   error
}

func (f *finder) Find(_ context.Context, services []string, _ string, start, _ time.Time) (signs.Found, error) {
	f.asked = append(f.asked, services)
	var out signs.Found
	for _, s := range services {
		out.Signs = append(out.Signs, signs.Sign{Time: start.Add(-time.Minute), Kind: signs.Metric, Service: s, Name: s + "_ports_used", Text: s + " ports rose.", Query: s + "_ports_used"})
	}
	out.Missing = []string{"3 metrics of pay with less than an hour of history"}
	return out, f.err
}

func unusualIn(t *testing.T, f *fixture, ctx context.Context, id string) (texts, missing []string) {
	t.Helper()
	line, err := f.Timeline(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range line.Entries {
		if e.Source.Kind == signs.Metric {
			texts = append(texts, e.Source.ID)
			if !strings.HasPrefix(e.Source.Link, "/query?expr="+e.Source.ID+"&from=") {
				t.Error(e.Source.Link)
			}
		}
	}
	return texts, line.Missing
}

func TestWhatIsUnusualIsLookedForOnceAndOnceMore(t *testing.T) {
	look := &finder{}
	f := setup(t, [2]string{"pay", "trade"})
	f.deps.Signs = look
	f.page(t, "p1", "pay", "critical")
	id := f.see(t, false)[0].ID
	if len(f.fresh) != 1 {
		t.Error("nobody was told that one was opened")
	}
	if _, missing := unusualIn(t, f, t.Context(), id); !slices.Contains(missing, "what was unusual in metrics and logs when it began: nobody has looked yet") {
		t.Error(missing)
	}
	search := func(n int, when string) {
		t.Helper()
		if err := f.lookForSigns(t.Context()); err != nil || len(look.asked) != n {
			t.Errorf("%s: %v %v", when, look.asked, err)
		}
	}
	search(1, "once it is there")
	search(1, "at once again")
	f.restart(t, [2]string{"pay", "trade"})
	f.deps.Signs = look
	search(1, "after a restart")
	f.now = f.now.Add(signs.Tail)
	search(2, "once its first minutes are over")
	search(2, "after that")
	if !slices.Equal(look.asked[0], []string{"pay", "trade"}) {
		t.Errorf("asked for %v", look.asked[0])
	}
	if texts, missing := unusualIn(t, f, t.Context(), id); !slices.Equal(texts, []string{"pay_ports_used", "trade_ports_used"}) || len(missing) == 0 {
		t.Error(texts, missing)
	}
	early := f.now.Add(-3 * time.Hour)
	if _, err := f.Edit(t.Context(), id, Edit{Started: &early, By: "ann"}); err != nil {
		t.Fatal(err)
	}
	search(3, "when it began earlier than it was thought")
	look.err = errors.New("too busy")
	if _, err := f.Look(t.Context(), id, "ann"); err == nil {
		t.Error("a failure is hidden")
	}
	look.err = nil
	if _, err := f.Look(t.Context(), id, "ann"); err != nil || len(look.asked) != 5 {
		t.Errorf("%v %v", look.asked, err)
	}
	for _, c := range []struct{ id, by string }{{"nothing", "ann"}, {id, ""}} {
		if _, err := f.Look(t.Context(), c.id, c.by); err == nil {
			t.Errorf("%v is taken", c)
		}
	}
}

// Whoever is bound to namespaces is told of the services that are theirs alone, though the incident is theirs and calls others.
func TestWhatIsUnusualIsShownToWhoSeesTheService(t *testing.T) {
	f := setup(t, [2]string{"pay", "trade"})
	f.deps.Signs = &finder{}
	f.page(t, "p1", "pay", "critical")
	id := f.see(t, false)[0].ID
	if err := f.lookForSigns(t.Context()); err != nil {
		t.Fatal(err)
	}
	a := &access.Access{Scope: access.Scope{Names: []string{"team-a"}}}
	texts, missing := unusualIn(t, f, access.With(t.Context(), a), id)
	if !slices.Equal(texts, []string{"pay_ports_used"}) || !slices.Contains(missing, "1 unusual metrics or lines of services that are not shown to you") {
		t.Error(texts, missing)
	}
	a.Of = func(p access.Permission) access.Scope { return access.Scope{All: p != access.MetricsRead} }
	if texts, _ := unusualIn(t, f, access.With(t.Context(), a), id); len(texts) != 0 {
		t.Error(texts)
	}
}
