package gate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
)

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
	p := &pipeline{status: oneSLO().Status}
	catalog, err := NewCatalog(DefaultPolicy(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := NewBands(DefaultConfig(), BandsDeps{SLOs: p, Sender: p, Policies: catalog, Now: func() time.Time { return at }})
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
	p := &pipeline{status: oneSLO(used(0.8)).Status}
	catalog, err := NewCatalog(DefaultPolicy(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	set := strict(func(r *Policy) { r.CautionAbove, r.HoldAbove = 0.5, 0.9 })
	set.Named[0].Freezes = []Freeze{{Name: "today", Reason: "r", Start: "2026-03-02", End: "2026-03-03"}, {Name: "tomorrow", Reason: "r", Start: "2026-03-03", End: "2026-03-04"}}
	catalog.Catalog = document.NewCatalog(set, document.Options[Set]{})
	b, err := NewBands(DefaultConfig(), BandsDeps{SLOs: p, Sender: p, Policies: catalog, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	v, err := b.View(t.Context())
	if err != nil || len(v.Frozen) != 1 || v.Frozen[0].Name != "today" || len(v.SLOs) != 1 || v.SLOs[0].Band != BandCaution || v.SLOs[0].Policy != "strict" {
		t.Errorf("%+v, %v", v, err)
	}
	if want := "1 of 1 SLOs are above the band normal; the strictest is caution. Frozen until 2026-03-03 00:00 UTC: today."; v.Summary != want {
		t.Errorf("summary %q", v.Summary)
	}
}
