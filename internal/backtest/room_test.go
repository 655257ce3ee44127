package backtest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/slo"
	"github.com/signalbox-project/signalbox/internal/store"
)

func TestWhatCannotBeDoneIsRefusedBeforeAnythingIsRead(t *testing.T) {
	p := newPast(t)
	r := p.room()
	one := Set{SLOs: []Document{document("edge", "99.5", "28d")}}
	for _, c := range []struct {
		name, want string
		req        Request
	}{
		{"nothing", "nothing to replay", Request{Start: epoch, End: epoch.Add(time.Hour)}},
		{"a step of seconds", "step: must be whole minutes", Request{Set: one, Start: epoch, End: epoch.Add(time.Hour), Step: 15 * time.Second}},
		{"the future", "lies in the future", Request{Set: one, Start: epoch, End: epoch.Add(100 * day)}},
		{"no time at all", "at least one step", Request{Set: one, Start: epoch, End: epoch}},
		{"two years", "more than the 400d", Request{Set: one, Start: epoch.Add(-720 * day), End: epoch}},
		{"a bad document", "edge.yaml", Request{Set: Set{SLOs: []Document{{Name: "edge.yaml", Text: "kind: SLO"}}}, Start: epoch, End: epoch.Add(time.Hour)}},
		{"a bad rule", "g.yml", Request{Set: Set{Rules: []Document{{Name: "g.yml", Text: "groups: [{name: g, rules: [{alert: A, expr: '1 +'}]}]"}}}, Start: epoch, End: epoch.Add(time.Hour)}},
	} {
		_, err := r.StartBacktest(t.Context(), c.req)
		var bad interface{ BadRequest() }
		if !errors.As(err, &bad) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	many := Set{}
	for i := range 30 {
		many.SLOs = append(many.SLOs, document(fmt.Sprintf("s%02d", i), "99", "28d"))
	}
	_, err := r.StartBacktest(t.Context(), Request{Set: many, Start: epoch.Add(-390 * day), End: epoch})
	if err == nil || !strings.Contains(err.Error(), "choose a step of at least 2m0s") {
		t.Errorf("too many steps: %v", err)
	}
}

// slow answers when it is let to.
type slow struct {
	slo.Querier
	asked, goOn chan struct{}
}

func (s slow) Range(ctx context.Context, expr string, start, end time.Time, step time.Duration) ([]model.Series, error) {
	select {
	case s.asked <- struct{}{}:
	default:
	}
	select {
	case <-s.goOn:
		return s.Querier.Range(ctx, expr, start, end, step)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func TestAJobIsWatchedCancelledAndFollowedByAnother(t *testing.T) {
	p := newPast(t)
	p.minutes("edge", epoch.Add(-day), clean(day+2*time.Hour, 0))
	r := p.room()
	s := slow{Querier: r.deps.SLOQuerier, asked: make(chan struct{}, 1), goOn: make(chan struct{})}
	r.deps.SLOQuerier = s
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	req := Request{Set: Set{SLOs: []Document{document("edge", "99.5", "28d")}}, Start: epoch, End: epoch.Add(time.Hour)}
	j, err := r.StartBacktest(t.Context(), req)
	if err != nil || j.State != Running {
		t.Fatal(j, err)
	}
	<-s.asked
	if _, err := r.StartBacktest(t.Context(), req); !errors.Is(err, store.ErrOverloaded) {
		t.Errorf("a second job beside the first: %v", err)
	}
	if _, err := r.CancelBacktest(t.Context(), j.ID); err != nil {
		t.Fatal(err)
	}
	r.wg.Wait()
	if j, err = r.Backtest(t.Context(), j.ID); err != nil || j.State != Cancelled || j.Result != nil {
		t.Fatalf("cancelled: %+v, %v", j, err)
	}
	close(s.goOn)
	if j, err = r.StartBacktest(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	r.wg.Wait()
	if j, err = r.Backtest(t.Context(), j.ID); err != nil || j.State != Done || j.Progress != 1 || j.Result == nil {
		t.Fatalf("done: %+v, %v", j, err)
	}
	if _, err := r.Backtest(t.Context(), "no such"); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, err := r.StartBacktest(t.Context(), req); !errors.Is(err, store.ErrOverloaded) {
		t.Errorf("after the end: %v", err)
	}
}
