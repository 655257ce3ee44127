package ownership

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// world has services of namespaces, SLOs, deployments, decisions, pages and remedies in memory.
type world struct {
	spaces    map[string][]string
	slos      []model.SLOStatus
	deploys   []model.Deploy
	decisions []model.GateDecision
	pages     []model.Page
	remedies  []model.Remedy
	acked     []string
}

type querier struct {
	storage.LabelQuerier
	w *world
}

func (w *world) Querier(int64, int64) (storage.Querier, error) { return querier{w: w}, nil }

func (q querier) LabelValues(_ context.Context, _ string, _ *storage.LabelHints, ms ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return q.w.spaces[ms[0].Value], nil, nil
}
func (querier) Close() error { return nil }
func (querier) Select(context.Context, bool, *storage.SelectHints, ...*labels.Matcher) storage.SeriesSet {
	return nil
}

func (w *world) SLOs(_ context.Context, service string) (out []model.SLOStatus, _ string, _ error) {
	for _, s := range w.slos {
		if service == "" || service == s.Service {
			out = append(out, s)
		}
	}
	return out, "all", nil
}

func (w *world) Deploys(_ context.Context, q store.DeployQuery) (out []model.Deploy, _ error) {
	for _, d := range w.deploys {
		if (q.Service == "" || q.Service == d.Service) && len(out) < q.Limit {
			out = append(out, d)
		}
	}
	return out, nil
}

func (w *world) AddDeploy(_ context.Context, d model.Deploy) (model.Deploy, error) {
	w.deploys = append(w.deploys, d)
	return d, nil
}

func (w *world) Decisions(_ context.Context, q store.DecisionQuery) (out []model.GateDecision, next string, _ error) {
	i := slices.IndexFunc(w.decisions, func(d model.GateDecision) bool { return d.ID == q.Before }) + 1
	out = w.decisions[i:min(i+q.Limit, len(w.decisions))]
	if i+q.Limit < len(w.decisions) {
		next = out[len(out)-1].ID
	}
	return slices.Clone(out), next, nil
}

func (w *world) Decision(_ context.Context, id string) (model.GateDecision, error) {
	for _, d := range w.decisions {
		if d.ID == id {
			return d, nil
		}
	}
	return model.GateDecision{}, fmt.Errorf("gate decision %s: %w", id, store.ErrNotFound)
}

func (w *world) Pages(context.Context, store.PageQuery) ([]model.Page, error) { return w.pages, nil }

func (w *world) AckPage(_ context.Context, id, _ string, _ time.Time) (model.Page, error) {
	w.acked = append(w.acked, id)
	return model.Page{ID: id}, nil
}

func (w *world) Remedies(context.Context, store.RemedyQuery) ([]model.Remedy, error) {
	return w.remedies, nil
}

func owners(t *testing.T, w *world) *Owners {
	o, err := New(Deps{Series: w, SLOs: w})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func bound(t *testing.T, names ...string) context.Context {
	return access.With(t.Context(), &access.Access{Scope: access.Scope{Names: names}})
}

func TestWhoseAServiceIs(t *testing.T) {
	w := &world{spaces: map[string][]string{"mine": {"pay"}, "both": {"pay", "trade"}, "zebra": {"trade"}, "nobody": {}}}
	o := owners(t, w)
	for _, c := range []struct {
		service     string
		known, full bool
	}{{"mine", true, true}, {"both", true, false}, {"zebra", false, false}, {"nobody", false, false}, {"", false, false}} {
		if err := o.Known(bound(t, "pay"), c.service); (err == nil) != c.known {
			t.Errorf("%s is known: %v", c.service, err)
		}
		if err := o.Whole(bound(t, "pay"), c.service); (err == nil) != c.full {
			t.Errorf("%s is all theirs: %v", c.service, err)
		}
	}
	foreign, none := o.Known(bound(t, "pay"), "zebra"), o.Known(bound(t, "pay"), "nobody")
	if strings.ReplaceAll(foreign.Error(), "zebra", "nobody") != none.Error() || !errors.Is(none, store.ErrNotFound) {
		t.Errorf("%v, %v", foreign, none)
	}
	if o.Known(t.Context(), "nobody") != nil || o.Known(bound(t), "mine") == nil {
		t.Error("who sees all sees what is unknown, who sees nothing sees nothing")
	}
}

func TestADeploymentIsMarkedOfOnesOwnServicesOnly(t *testing.T) {
	w := &world{spaces: map[string][]string{"mine": {"pay"}, "both": {"pay", "shop", "trade"}, "zebra": {"trade"}}, deploys: []model.Deploy{{ID: "theirs", Service: "zebra"}, {ID: "plain", Service: "mine"}}}
	d := Deploys{From: w, Owners: owners(t, w)}
	ctx := bound(t, "pay", "shop")
	for _, c := range []struct {
		service, said, id string
		want              string // the namespace that it gets; "" is refused
		keeps             bool   // the id
	}{
		{"mine", "", "", "pay", false},
		{"mine", "pay", "new", "pay", false},
		{"mine", "", "theirs", "pay", false},
		{"mine", "", "plain", "pay", false},
		{"mine", "trade", "", "", false},
		{"mine", "shop", "", "", false},
		{"both", "", "", "", false},
		{"both", "shop", "", "shop", false},
		{"zebra", "", "", "", false},
		{"zebra", "pay", "", "", false},
		{"nobody", "", "", "", false},
	} {
		in := model.Deploy{ID: c.id, Service: c.service, Version: "1"}
		if c.said != "" {
			in.Labels = map[string]string{"namespace": c.said}
		}
		got, err := d.AddDeploy(ctx, in)
		if (err == nil) != (c.want != "") || err == nil && (got.Labels["namespace"] != c.want || got.ID != "") {
			t.Errorf("%+v: %+v %v", c, got, err)
		}
	}
	w.deploys = append(w.deploys, model.Deploy{ID: "started", Service: "mine", Labels: map[string]string{"namespace": "pay"}})
	if got, err := d.AddDeploy(ctx, model.Deploy{ID: "started", Service: "mine"}); err != nil || got.ID != "started" {
		t.Errorf("one's own goes on: %+v %v", got, err)
	}
	list, err := d.Deploys(ctx, store.DeployQuery{Limit: 100})
	for _, one := range list {
		if one.Service == "zebra" || one.Labels["namespace"] == "trade" {
			t.Errorf("%+v", one)
		}
	}
	if err != nil || len(list) < 5 {
		t.Errorf("%d %v", len(list), err)
	}
}

// Following the cursor shows each decision of one's own once, and no other.
func TestDecisionsOfOthersLeaveNoGap(t *testing.T) {
	w := &world{spaces: map[string][]string{"mine": {"pay"}, "zebra": {"trade"}}}
	want := []string{}
	for i := range 40 {
		service := "zebra"
		if i%7 == 3 {
			service, want = "mine", append(want, fmt.Sprint(i))
		}
		w.decisions = append(w.decisions, model.GateDecision{ID: fmt.Sprint(i), Request: model.GateRequest{Service: service}})
	}
	d := Decisions{From: w, Owners: owners(t, w)}
	for limit := 1; limit < 9; limit++ {
		got, before := []string{}, ""
		for range 50 {
			list, next, err := d.Decisions(bound(t, "pay"), store.DecisionQuery{Limit: limit, Before: before})
			if err != nil || len(list) > limit {
				t.Fatal(len(list), err)
			}
			for _, one := range list {
				got = append(got, one.ID)
			}
			if before = next; next == "" {
				break
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("limit %d: %v, want %v", limit, got, want)
		}
	}
	foreign, none := func() (error, error) {
		_, a := d.Decision(bound(t, "pay"), "0")
		_, b := d.Decision(bound(t, "pay"), "77")
		return a, b
	}()
	if !errors.Is(foreign, store.ErrNotFound) || strings.ReplaceAll(foreign.Error(), " 0:", " 77:") != none.Error() {
		t.Errorf("%v; %v", foreign, none)
	}
}

func TestWhatADecisionRestsOnIsShownAsFarAsItIsSeen(t *testing.T) {
	w := &world{
		spaces: map[string][]string{"mine": {"pay"}, "zebra": {"trade"}},
		slos:   []model.SLOStatus{{Name: "own", Service: "mine", Labels: map[string]string{"namespace": "pay"}}, {Name: "zebra-slo", Service: "zebra", Labels: map[string]string{"namespace": "trade"}}},
	}
	d := model.GateDecision{
		ID: "1", Request: model.GateRequest{Service: "mine"}, Verdict: model.VerdictBlock, Summary: "mine depends on zebra.",
		Reasons:  []model.GateReason{{Verdict: model.VerdictBlock, Rule: "dependency", SLO: "zebra-slo", Message: "zebra burns"}, {Rule: "burn_fast", SLO: "own", Message: "own burns"}, {Rule: "open_page", Message: "zebra page"}},
		Evidence: []model.Evidence{{SLO: "zebra-slo"}, {SLO: "own"}},
		Changes:  []model.Deploy{{Service: "mine", Version: "2"}, {Service: "mine", Labels: map[string]string{"namespace": "trade"}, Version: "zebra"}},
		Cause: &model.Cause{
			Kind: model.CauseUpstream, Service: "zebra", Path: []string{"mine", "zebra"}, Change: &model.Deploy{Service: "zebra"},
			RuledOut: []model.RuledOut{{Change: model.Deploy{Service: "zebra"}}}, Text: ", because zebra fails",
		},
		Envelope: &model.GateEnvelope{Payload: []byte("zebra")},
	}
	got, err := owners(t, w).Hide(t.Context(), access.Scope{Names: []string{"pay"}}, d)
	text := fmt.Sprintf("%+v %+v", got, *got.Cause)
	if err != nil || strings.Contains(text, "zebra") || got.Envelope != nil || got.Verdict != model.VerdictBlock || len(got.Reasons) != 3 || len(got.Evidence) != 1 || len(got.Changes) != 1 ||
		got.Reasons[1].Message != "own burns" || got.Cause.Service != "hidden: team trade" || len(got.Cause.Path) != 2 {
		t.Errorf("%v %s", err, text)
	}
	if all, err := owners(t, w).Hide(t.Context(), access.Scope{All: true}, d); err != nil || all.Envelope == nil || all.Summary != d.Summary {
		t.Errorf("who sees all: %+v %v", all, err)
	}
}

func TestAPageOfTwoTeams(t *testing.T) {
	alert := func(name, space string) model.PageAlert {
		return model.PageAlert{Labels: model.Labels{"alertname": name, "namespace": space}, Annotations: model.Labels{"summary": "of " + name}}
	}
	w := &world{pages: []model.Page{
		{ID: "mixed", Title: "zebra and own", Summary: "2 alerts of zebra", Service: "zebra", Alerts: []model.PageAlert{alert("zebra", "trade"), alert("own", "pay")}, Deliveries: []model.Delivery{{Error: "zebra"}}},
		{ID: "own", Title: "own", Alerts: []model.PageAlert{alert("own", "pay")}},
		{ID: "zebra", Title: "zebra", Alerts: []model.PageAlert{alert("zebra", "trade")}},
		{ID: "none", Title: "zebra", Alerts: []model.PageAlert{alert("zebra", "")}},
	}}
	p, ctx := Pages{From: w}, bound(t, "pay")
	got, err := p.Pages(ctx, store.PageQuery{Limit: 10})
	if err != nil || len(got) != 2 || strings.Contains(fmt.Sprintf("%+v", got), "zebra") || got[0].Title != "own" {
		t.Errorf("%+v %v", got, err)
	}
	_, foreign := p.AckPage(ctx, "zebra", "me", time.Now())
	_, none := p.AckPage(ctx, "nobody", "me", time.Now())
	if !errors.Is(foreign, store.ErrNotFound) || strings.ReplaceAll(foreign.Error(), "zebra", "nobody") != none.Error() {
		t.Errorf("%v; %v", foreign, none)
	}
	if _, err := p.AckPage(ctx, "mixed", "me", time.Now()); err == nil {
		t.Error("a page of two teams was acknowledged for both")
	}
	if _, err := p.AckPage(ctx, "own", "me", time.Now()); err != nil || !slices.Equal(w.acked, []string{"own"}) {
		t.Errorf("%v %v", err, w.acked)
	}
}

func TestARemedyOfOnesOwnSaysNothingOfAnSLOOfOthers(t *testing.T) {
	w := &world{
		spaces:   map[string][]string{"mine": {"pay"}, "zebra": {"trade"}},
		slos:     []model.SLOStatus{{Name: "own", Labels: map[string]string{"namespace": "pay"}}},
		remedies: []model.Remedy{{ID: "1", Service: "mine", SLO: "own", Reason: "burns"}, {ID: "2", Service: "mine", SLO: "zebra", Reason: "zebra", History: []model.RemedyStep{{Reason: "zebra"}}}, {ID: "3", Service: "zebra"}},
	}
	got, err := Remedies{From: w, Owners: owners(t, w)}.Remedies(bound(t, "pay"), store.RemedyQuery{Limit: 10})
	if err != nil || len(got) != 2 || strings.Contains(fmt.Sprintf("%+v", got), "zebra") || got[0].Reason != "burns" || w.remedies[1].History[0].Reason != "zebra" {
		t.Errorf("%+v %v", got, err)
	}
}
