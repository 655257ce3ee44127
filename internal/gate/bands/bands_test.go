package bands

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/gate"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
)

var now = time.Date(2026, 3, 2, 14, 0, 0, 0, time.UTC)

// status is an SLO that has used a share of its budget.
func status(used float64) model.SLOStatus {
	return model.SLOStatus{Name: "edge-ok", Service: "edge", Window: "28d", State: model.SLOOK, Budget: model.Budget{Total: 10_000, UsedRatio: used}}
}

// strict is a set with one policy.
func strict(change func(*gate.Policy)) gate.Set {
	p := gate.NamedPolicy{Name: "strict", Rules: gate.DefaultPolicy()}
	change(&p.Rules)
	return gate.Set{Default: gate.DefaultPolicy(), Named: []gate.NamedPolicy{p}}
}

type pipeline struct {
	status model.SLOStatus
	sent   []string
	fail   error
}

func (p *pipeline) SLOs(context.Context, string) ([]model.SLOStatus, string, error) {
	return []model.SLOStatus{p.status}, "", nil
}

func (p *pipeline) Send(_ context.Context, alerts ...notify.Alert) error {
	for _, a := range alerts {
		p.sent = append(p.sent, fmt.Sprintf("%s %s %s firing since %s, ends %s",
			a.Labels["alertname"], a.Labels["slo"], a.Labels["band"], a.StartsAt.Format("15:04"), a.EndsAt.Format("15:04")))
	}
	slices.Sort(p.sent)
	return p.fail
}

func TestABudgetThatPassesALimitIsSaidOncePerCrossing(t *testing.T) {
	at := now // 14:00
	p := &pipeline{status: status(0.2)}
	catalog, err := gate.NewCatalog(gate.DefaultPolicy(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := New(gate.DefaultConfig(), Deps{SLOs: p, Sender: p, Policies: catalog, Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		name   string
		change func()
		want   []string // alive alerts end 4 looks of 30 s later
	}{
		{"half of the budget is left", func() { p.status.Budget.UsedRatio = 0.5 }, nil},
		{"it passes 50 %", func() { p.status.Budget.UsedRatio = 0.501 }, []string{"SLOBudgetBand edge-ok caution firing since 14:01, ends 14:03"}},
		{"it stays", func() {}, []string{"SLOBudgetBand edge-ok caution firing since 14:01, ends 14:04"}},
		{"no data is no recovery", func() { p.status.State = model.SLOInsufficient }, []string{"SLOBudgetBand edge-ok caution firing since 14:01, ends 14:05"}},
		{"it wavers at the limit", func() { p.status.State, p.status.Budget.UsedRatio = model.SLOOK, 0.495 }, []string{"SLOBudgetBand edge-ok caution firing since 14:01, ends 14:06"}},
		{"it passes 75 %", func() { p.status.Budget.UsedRatio = 0.76 }, []string{"SLOBudgetBand edge-ok caution firing since 14:01, ends 14:05", "SLOBudgetBand edge-ok critical-fixes-only firing since 14:05, ends 14:07"}},
		{"nothing is left", func() { p.status.Budget.UsedRatio = 1 }, []string{"SLOBudgetBand edge-ok critical-fixes-only firing since 14:05, ends 14:06", "SLOBudgetBand edge-ok freeze firing since 14:06, ends 14:08"}},
		{"it falls back", func() { p.status.Budget.UsedRatio = 0.2 }, []string{"SLOBudgetBand edge-ok freeze firing since 14:06, ends 14:07"}},
		{"and is silent", func() {}, nil},
	} {
		step.change()
		p.sent = nil
		if err := b.look(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(step.want, p.sent); diff != "" {
			t.Errorf("%s: %s", step.name, diff)
		}
		at = at.Add(time.Minute)
	}
	p.fail, p.status.Budget.UsedRatio = errors.New("the pipeline is down"), 0.6
	if err := b.look(t.Context()); !errors.Is(err, p.fail) {
		t.Error(err)
	}
	p.fail, p.sent = nil, nil
	if err := b.look(t.Context()); err != nil || len(p.sent) != 1 {
		t.Errorf("what was not taken is not sent again: %v, %v", p.sent, err)
	}
}

func TestThePolicyPageSaysWhatHoldsNow(t *testing.T) {
	p := &pipeline{status: status(0.8)}
	catalog, err := gate.NewCatalog(gate.DefaultPolicy(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	set := strict(func(r *gate.Policy) { r.CautionAbove, r.HoldAbove = 0.5, 0.9 })
	set.Named[0].Freezes = []gate.Freeze{{Name: "today", Reason: "r", Start: "2026-03-02", End: "2026-03-03"}, {Name: "tomorrow", Reason: "r", Start: "2026-03-03", End: "2026-03-04"}}
	catalog.Catalog = document.NewCatalog(set, document.Options[gate.Set]{})
	b, err := New(gate.DefaultConfig(), Deps{SLOs: p, Sender: p, Policies: catalog, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	v, err := b.View(t.Context())
	if err != nil || len(v.Frozen) != 1 || v.Frozen[0].Name != "today" || len(v.SLOs) != 1 || v.SLOs[0].Band != gate.BandCaution || v.SLOs[0].Policy != "strict" {
		t.Errorf("%+v, %v", v, err)
	}
	if want := "1 of 1 SLOs are above the band normal; the strictest is caution. Frozen until 2026-03-03 00:00 UTC: today."; v.Summary != want {
		t.Errorf("summary %q", v.Summary)
	}
}

type answers struct{ status model.SLOStatus }

func (a answers) SLOs(context.Context, string) ([]model.SLOStatus, string, error) {
	return []model.SLOStatus{a.status}, "", nil
}

func (a answers) SLO(context.Context, string) (model.SLOStatus, error) { return a.status, nil }

func (a answers) SLOHistory(context.Context, string, time.Time, time.Time, time.Duration) (model.SLOHistory, error) {
	return model.SLOHistory{}, nil
}

func TestEveryAnswerAboutAnSLOHasItsBand(t *testing.T) {
	catalog, err := gate.NewCatalog(gate.DefaultPolicy(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	catalog.Catalog = document.NewCatalog(strict(func(*gate.Policy) {}), document.Options[gate.Set]{})
	from := answers{status(0.77)}
	from.status.Groups = &model.SLOGroups{List: []model.SLOGroup{
		{Name: "a", State: model.SLOOK, Budget: model.Budget{Total: 10, UsedRatio: 0.6}},
		{Name: "b", State: model.SLOInsufficient, Budget: model.Budget{Unknown: true}},
	}}
	b := With(from, catalog)
	want := &model.SLOBand{Name: gate.BandCritical, Text: "critical fixes only", Threshold: 0.75, Policy: "strict"}
	list, _, err := b.SLOs(t.Context(), "")
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	if diff := cmp.Diff(want, list[0].Band); diff != "" {
		t.Error("list: ", diff)
	}
	one, err := b.SLO(t.Context(), "edge-ok")
	if diff := cmp.Diff(want, one.Band); diff != "" || err != nil {
		t.Error("one: ", diff, err)
	}
	groups := one.Groups.List
	if groups[0].Band == nil || groups[0].Band.Name != gate.BandCaution || groups[1].Band != nil {
		t.Errorf("groups: %+v, %+v", groups[0].Band, groups[1].Band)
	}
	if from.status.Groups.List[0].Band != nil {
		t.Error("what the other room holds was changed")
	}
}
