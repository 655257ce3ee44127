package backtest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/signalbox-project/signalbox/internal/gate"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/slo"
	"github.com/signalbox-project/signalbox/internal/store"
)

// sloReplay is one SLO under replay.
type sloReplay struct {
	*replay
	def     *slo.Definition
	live    *slo.Replay
	firings firings
	out     SLO
	bands   []gate.BandLimit
	bandOf  func(used float64) string
	inBand  map[string]time.Duration
	every   int // steps between points of the curve
	steps   int
	asked   int                       // deployments already asked about
	states  map[int]model.SLOSnapshot // by index of the deployment that it concerns
}

func newSLOReplay(r *replay, d *slo.Definition) *sloReplay {
	p := &sloReplay{
		replay: r, def: d, live: slo.NewReplay(r.room.deps.SLO, d, r.room.deps.SLOQuerier, r.room.deps.ExternalLabels),
		inBand: map[string]time.Duration{}, states: map[int]model.SLOSnapshot{},
		every: max(1, int(r.end.Sub(r.start)/r.step)/curvePoints),
	}
	p.bands, p.bandOf = r.set.policies.BandLimits(model.SLOSnapshot{
		Status: model.SLOStatus{Service: d.Service, Labels: d.Labels}, Environment: d.Environment,
	})
	p.out = SLO{
		Name: d.Name, DisplayName: d.DisplayName, Service: d.Service, Objective: d.Objective, Window: d.WindowText(),
		Curve: []Point{},
	}
	return p
}

func (p *sloReplay) run(ctx context.Context) error {
	pieces := int64((p.end.Sub(p.start) + chunk - 1) / chunk)
	if err := p.correct(ctx); err != nil {
		return fmt.Errorf("replay %s: %w", p.def.Name, err)
	}
	if err := p.live.Load(ctx, p.start); err != nil {
		return fmt.Errorf("replay %s: %w", p.def.Name, err)
	}
	p.progress.done.Add(pieces)
	p.judge(ctx, p.start, 0)
	for from := p.start; from.Before(p.end); from = from.Add(chunk) {
		to := from.Add(chunk)
		if to.After(p.end) {
			to = p.end
		}
		cells, err := p.live.Read(ctx, from, to)
		if err != nil {
			return fmt.Errorf("replay %s: %w", p.def.Name, err)
		}
		for n := 0; n < len(cells); {
			next := min(n+p.minutes(from.Add(time.Duration(n)*time.Minute)), len(cells))
			at := from.Add(time.Duration(next) * time.Minute)
			p.ask(at)
			for _, c := range cells[n:next] {
				p.out.Bad += c.Bad
				p.out.Total += c.Total
			}
			p.live.Put(cells[n:next])
			p.judge(ctx, at, time.Duration(next-n)*time.Minute)
			n = next
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		p.progress.done.Add(1)
	}
	p.ask(p.end.Add(time.Minute))
	return nil
}

// correct takes out what people took out of the SLO of this name, whenever
// they did.
func (p *sloReplay) correct(ctx context.Context) error {
	if p.room.deps.Corrections == nil {
		return nil
	}
	list, err := p.room.deps.Corrections.Corrections(ctx, p.def.Whole())
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	p.live.Correct(list)
	return nil
}

// minutes is how many of them are left of the step that at is in.
func (p *sloReplay) minutes(at time.Time) int {
	into := at.Sub(p.start) % p.step
	return int((p.step - into) / time.Minute)
}

// judge looks at the SLO at a time that is since after the last one.
func (p *sloReplay) judge(ctx context.Context, at time.Time, since time.Duration) {
	s, alerts := p.live.Judge(ctx)
	for _, a := range alerts {
		if a.EndsAt.After(at) {
			p.firings.begin(a.Labels, at)
		} else {
			p.firings.finish(a.Labels, at)
		}
	}
	unknown := s.State == model.SLOInsufficient || s.Budget.Total <= 0
	if unknown {
		p.out.Unknown += since.Seconds()
	} else {
		p.see(s, at, since)
	}
	if p.steps%p.every == 0 || !at.Before(p.end) {
		p.out.Curve = append(p.out.Curve, point(s, at, unknown))
	}
	p.steps++
}

func (p *sloReplay) see(s model.SLOStatus, at time.Time, since time.Duration) {
	used := s.Budget.UsedRatio
	p.inBand[p.bandOf(used)] += since
	if since == 0 {
		p.out.UsedAtStart = &used
	}
	p.out.UsedAtEnd = &used
	if p.out.WorstUsed == nil || used > *p.out.WorstUsed {
		at := at.UTC()
		p.out.WorstUsed, p.out.WorstAt = &used, &at
	}
}

func point(s model.SLOStatus, at time.Time, unknown bool) Point {
	pt := Point{Time: at.UTC()}
	if unknown {
		return pt
	}
	left := s.Budget.LeftRatio
	pt.Left = &left
	for _, b := range s.Burn {
		if b.Window == "1h" && b.Coverage > 0 {
			pt.Burn = &b.Rate
		}
	}
	return pt
}

// ask notes how the SLO stands for the deployments before at.
func (p *sloReplay) ask(at time.Time) {
	for ; p.asked < len(p.deploys) && p.deploys[p.asked].Time.Before(at); p.asked++ {
		d := p.deploys[p.asked]
		if s, concerned := p.live.Snapshot(d.Service, d.Environment); concerned {
			p.states[p.asked] = s
		}
	}
}

func (p *sloReplay) outcome() SLO {
	p.out.Alerts = len(p.firings.list)
	for _, b := range p.bands {
		p.out.Bands = append(p.out.Bands, Band{Name: b.Name, From: b.From, Seconds: p.inBand[b.Name].Seconds()})
	}
	return p.out
}

// decide asks the gate about every deployment.
func (r *replay) decide(slos []*sloReplay) []Deploy {
	out := []Deploy{}
	if len(slos) == 0 {
		return out
	}
	for i, d := range r.deploys {
		if d.Kind == "rollback" || d.Kind == "remediation" {
			continue // they mend, and ask nobody
		}
		in := gate.Input{
			Request: model.GateRequest{Service: d.Service, Environment: d.Environment, Version: d.Version, Critical: d.Labels["critical"] == "true", Actor: d.Actor},
			Time:    d.Time,
		}
		for _, p := range slos {
			if s, concerned := p.states[i]; concerned {
				in.SLOs = append(in.SLOs, s)
			}
		}
		decision := gate.Decide(r.set.policies, in)
		out = append(out, Deploy{Deploy: d, Verdict: decision.Verdict, Summary: decision.Summary, Reasons: decision.Reasons})
	}
	return out
}
