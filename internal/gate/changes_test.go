package gate

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/cause"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// markers answers as a store does: those of the service in [Start, End).
type markers []model.Deploy

func (m markers) Deploys(_ context.Context, q store.DeployQuery) (out []model.Deploy, _ error) {
	for _, d := range m {
		if d.Service == q.Service && !d.Time.Before(q.Start) && d.Time.Before(q.End) {
			out = append(out, d)
		}
	}
	return out, nil
}

func TestABlockNamesTheChangeBeforeTheBurn(t *testing.T) {
	since := now.Add(-5 * time.Minute)
	burning := oneSLO(burn("1h", 20), burn("5m", 20), func(s *model.SLOSnapshot) {
		s.Status.State, s.Status.Since = model.SLOBurning, &since
	})
	at := func(version, kind, environment string, ago time.Duration) model.Deploy {
		return model.Deploy{Service: "edge", Version: version, Kind: kind, Environment: environment, Time: now.Add(-ago), Message: "DNS points to the new gateway."}
	}
	for _, c := range []struct {
		name    string
		oneSLO  model.SLOSnapshot
		markers markers
		want    []string
		says    string
	}{
		{
			"the change ahead of the burn", burning,
			markers{at("dns-2", "config", "prod", 9*time.Minute), at("2.4.1", "deploy", "prod", 40*time.Minute)},
			[]string{"dns-2", "2.4.1"},
			"(limit 14×). Likely cause: config dns-2 of edge at 13:51 UTC, 4 m before the burn was seen (DNS points to the new gateway).",
		},
		{"a marker that came a minute late", burning, markers{at("dns-2", "", "", 4*time.Minute)}, []string{"dns-2"}, "Likely cause: deploy dns-2 of edge at 13:56 UTC ("},
		{"not what mends", burning, markers{at("2.4.0", "rollback", "prod", 6*time.Minute), at("r", "remediation", "prod", 6*time.Minute)}, nil, ""},
		{"not another environment's", burning, markers{at("dns-2", "config", "staging", 9*time.Minute)}, nil, ""},
		{"not what is long ago", burning, markers{at("dns-2", "config", "prod", 66*time.Minute)}, nil, ""},
		{"not what came after it", burning, markers{at("dns-2", "config", "prod", 2*time.Minute)}, nil, ""},
		{"nothing where nothing burns", oneSLO(), markers{at("dns-2", "config", "prod", 9*time.Minute)}, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := &Gate{cfg: DefaultConfig(), deps: Deps{SLOs: &rooms{slos: []model.SLOSnapshot{c.oneSLO}}, Changes: c.markers, Now: func() time.Time { return now }}}
			in, err := g.gather(t.Context(), model.GateRequest{Service: "edge", Environment: "prod"})
			if err != nil {
				t.Fatal(err)
			}
			d := Decide(g.set(), in)
			var got []string
			for _, m := range d.Changes {
				got = append(got, m.Version)
			}
			if !slices.Equal(got, c.want) || !strings.Contains(d.Reasons[0].Message, c.says) || c.says == "" && strings.Contains(d.Summary, "cause") {
				t.Errorf("changes %v: %s", got, d.Summary)
			}
		})
	}
}

type culprit model.Cause

func (c culprit) Cause(context.Context, cause.Symptom) (model.Cause, error) {
	return model.Cause(c), nil
}

func TestABlockNamesWhatFailsNowAndNotWhatWasUndone(t *testing.T) {
	since := now.Add(-20 * time.Minute)
	burning := oneSLO(burn("1h", 20), burn("5m", 20), func(s *model.SLOSnapshot) {
		s.Status.State, s.Status.Since = model.SLOBurning, &since
	})
	undone := model.Deploy{Service: "edge", Version: "2.5.0", Time: since.Add(-time.Minute)}
	for _, c := range []struct {
		name, says string
		cause      culprit
		changes    int
	}{
		{
			"an upstream that fails", "Likely cause: access, which edge calls (edge calls access), has failed since 13:38 UTC.",
			culprit{Kind: model.CauseUpstream, Service: "access", Text: ", because access, which edge calls (edge calls access), has failed since 13:38 UTC"},
			1,
		},
		{"a version that was rolled back", "", culprit{Kind: model.CauseUnknown, RuledOut: []model.RuledOut{{Change: undone, Why: "was rolled back"}}}, 0},
		{"the version", "Likely cause: deploy 2.5.0 of edge", culprit{Kind: model.CauseChange, Change: &undone}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := &Gate{cfg: DefaultConfig(), deps: Deps{SLOs: &rooms{slos: []model.SLOSnapshot{burning}}, Changes: markers{undone}, Causes: c.cause, Now: func() time.Time { return now }}}
			in, err := g.gather(t.Context(), model.GateRequest{Service: "edge"})
			if err != nil {
				t.Fatal(err)
			}
			d := Decide(g.set(), in)
			if len(d.Changes) != c.changes || d.Cause == nil || c.says != "" && !strings.Contains(d.Summary, c.says) || c.says == "" && strings.Contains(d.Summary, "Likely cause") {
				t.Errorf("%d changes, %s", len(d.Changes), d.Summary)
			}
		})
	}
}
