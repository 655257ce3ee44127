package state

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

func TestRemediesSurviveARestartAndListNewestFirst(t *testing.T) {
	dir := t.TempDir()
	s := openIn(t, dir)
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	executed := at.Add(time.Minute)
	old := model.Remedy{ID: "a", Service: "edge", State: model.RemedyRecovered, Breach: at, Executed: &executed, Reason: `it's "over"`}
	open := model.Remedy{
		ID: "b", Service: "edge", Environment: "prod", State: model.RemedyWatching, Breach: at.Add(time.Hour),
		History: []model.RemedyStep{{Time: at, State: model.RemedyWatching}},
	}
	for _, r := range []model.Remedy{old, open} {
		if err := s.SaveRemedy(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	second := open
	second.ID = "c"
	if err := s.SaveRemedy(t.Context(), second); err == nil {
		t.Error("two open remedies of one service and environment")
	}
	open.State = model.RemedyVerifying
	if err := s.SaveRemedy(t.Context(), open); err != nil {
		t.Fatal(err)
	}
	s.Close()
	s = openIn(t, dir)
	for _, c := range []struct {
		name string
		q    store.RemedyQuery
		want []model.Remedy
	}{
		{"all", store.RemedyQuery{}, []model.Remedy{open, old}},
		{"open ones", store.RemedyQuery{Open: true}, []model.Remedy{open}},
		{"by state", store.RemedyQuery{State: model.RemedyRecovered}, []model.Remedy{old}},
		{"of another service", store.RemedyQuery{Service: "layout"}, nil},
		{"bounded", store.RemedyQuery{Limit: 1}, []model.Remedy{open}},
	} {
		got, err := s.Remedies(t.Context(), c.q)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
}
