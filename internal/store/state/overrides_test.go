package state

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

func TestOverridesStandWithTheirDecisionAndExpire(t *testing.T) {
	dir := t.TempDir()
	s := openIn(t, dir)
	at := time.Date(2026, 3, 2, 14, 0, 0, 0, time.UTC)
	d := model.GateDecision{ID: "d1", Time: at, Verdict: model.VerdictBlock, Envelope: &model.GateEnvelope{Payload: []byte("{}")}}
	if err := s.SaveDecision(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	o := model.GateOverride{
		ID: "o1", DecisionID: "d1", Service: "edge", Environment: "prod", Version: "2", Verdict: model.VerdictBlock,
		Actor: "alice", Reason: "the fix for the outage", Time: at, Expires: at.Add(time.Hour),
	}
	if err := s.SaveOverride(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if err := s.SaveOverride(t.Context(), o); err == nil {
		t.Error("the same override was stored twice")
	}
	newer := o
	newer.ID, newer.Actor, newer.Time = "o2", "bob", at.Add(time.Minute)
	if err := s.SaveOverride(t.Context(), newer); err != nil {
		t.Fatal(err)
	}
	s.Close()
	s = openIn(t, dir)
	for _, c := range []struct {
		name                 string
		service, env, number string
		at                   time.Time
		want                 []model.GateOverride
	}{
		{"both hold, the newest first", "edge", "prod", "2", at, []model.GateOverride{newer, o}},
		{"another version", "edge", "prod", "3", at, nil},
		{"no environment is not every environment", "edge", "", "2", at, nil},
		{"both have expired", "edge", "prod", "2", at.Add(time.Hour), nil},
	} {
		got, err := s.Overrides(t.Context(), c.service, c.env, c.number, c.at)
		if err != nil || len(got) != len(c.want) || len(got) > 0 && !cmp.Equal(got, c.want) {
			t.Errorf("%s: %v, %v", c.name, got, err)
		}
	}
	got, err := s.Decision(t.Context(), "d1")
	if err != nil || got.Override == nil || got.Override.Actor != "bob" || got.Envelope == nil {
		t.Errorf("decision %+v, %v", got, err)
	}
	list, _, err := s.Decisions(t.Context(), store.DecisionQuery{})
	if err != nil || len(list) != 1 || list[0].Override == nil || list[0].Envelope != nil {
		t.Errorf("list %+v, %v", list, err)
	}
}
