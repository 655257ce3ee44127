package gate

import (
	"math/big"
	"strings"
	"testing"
	"time"

	prom "github.com/prometheus/common/model"
	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/budget"
	"github.com/signalbox-project/signalbox/internal/model"
)

// The verdict worked out a second way, from docs/gate.md and from counts of events: fractions are exact,
// nothing of the product's rules is called, and every rule is a line of its own that names a verdict.

// counts are bad and all events of a window; minutes of 100 have data.
type counts struct{ bad, total, covered int64 }

// facts are one SLO in whole numbers. The objective is objective/1000.
type facts struct {
	objective               int64
	windows                 map[string]counts // 5m, 30m, 1h, 6h; one that is missing is not measured
	budget                  counts            // over 28 d
	age                     time.Duration     // of the newest data
	never, wrong, loaded    bool
	thin, unknown, byMinute bool
}

func (f facts) snapshot(service string, labels map[string]string) model.SLOSnapshot {
	objective := float64(f.objective) / 1000
	s := model.SLOSnapshot{LastData: now.Add(-f.age), Age: 28 * 24 * time.Hour, Loaded: f.loaded, Status: model.SLOStatus{
		Name: "slo", Service: service, Labels: labels, Objective: objective, Window: "28d", Method: "occurrences", State: model.SLOOK, Time: now.Add(-time.Second),
		Budget: model.Budget{Total: float64(f.budget.total), Bad: float64(f.budget.bad), Coverage: 1, Unknown: f.unknown},
	}}
	st := &s.Status
	if st.Budget.Allowed = budget.Share(objective) * st.Budget.Total; st.Budget.Allowed > 0 {
		st.Budget.UsedRatio = st.Budget.Bad / st.Budget.Allowed
	}
	st.Budget.LeftRatio = 1 - st.Budget.UsedRatio
	for window, c := range f.windows {
		st.Burn = append(st.Burn, model.Burn{
			Window: window, Rate: budget.BurnRate(float64(c.bad), float64(c.total), objective), Events: float64(c.total), Coverage: float64(c.covered) / 100,
		})
	}
	if f.byMinute {
		st.Method = "timeslices"
	}
	if f.thin {
		st.State, st.Reason = model.SLOInsufficient, "Too few events."
	}
	if f.wrong {
		st.State, st.Doubt = model.SLOInsufficient, model.DoubtUnmatched
	}
	if f.never {
		s.LastData, st.Time = time.Time{}, time.Time{}
	}
	return s
}

// share is bad/total in units of what may be bad: the burn, or the budget used.
func (f facts) share(c counts) *big.Rat {
	if c.total == 0 {
		return new(big.Rat)
	}
	return new(big.Rat).Mul(big.NewRat(c.bad, c.total), big.NewRat(1000, 1000-f.objective))
}

// limits are a policy's numbers as fractions.
type limits struct {
	fast, slow, caution, hold, freeze *big.Rat
	stale                             time.Duration
	cover, badEvents                  int64 // percent; events
}

func (l limits) policy() Policy {
	p, of := DefaultPolicy(), func(r *big.Rat) float64 { v, _ := r.Float64(); return v }
	p.BurnFast.Factor, p.BurnSlow.Factor, p.CautionAbove, p.HoldAbove, p.FreezeAt = of(l.fast), of(l.slow), of(l.caution), of(l.hold), of(l.freeze)
	p.StaleAfter, p.MinCoverage, p.MinBadEvents = prom.Duration(l.stale), float64(l.cover)/100, float64(l.badEvents)
	return p
}

// votes is what every rule says about one SLO; the strictest counts.
func (f facts) votes(l limits, critical bool) []model.Verdict {
	out := []model.Verdict{model.VerdictAllow}
	say := func(v model.Verdict, when bool) {
		if when {
			out = append(out, v)
		}
	}
	measured := len(f.windows) == 4
	say(model.VerdictInsufficient, f.never || f.wrong || f.age > l.stale || !f.loaded || f.thin || f.unknown || !measured ||
		f.windows["1h"].covered < l.cover || f.budget.total == 0)
	for _, r := range []struct {
		long, short string
		factor      *big.Rat
	}{{"1h", "5m", l.fast}, {"6h", "30m", l.slow}} {
		long, first := f.windows[r.long]
		short, second := f.windows[r.short]
		burns := first && second && long.covered > 0 && f.share(long).Cmp(r.factor) >= 0
		few := !f.byMinute && long.bad < l.badEvents
		goesOn := short.total == 0 || f.share(short).Cmp(r.factor) >= 0
		say(model.VerdictInsufficient, burns && few)
		say(model.VerdictBlock, burns && !few && goesOn)
	}
	// A budget counts unless its figures mean nothing; what is only old still counts.
	counts := !f.never && !f.wrong && !f.unknown && !f.thin && f.loaded && f.budget.total > 0
	used := f.share(f.budget)
	say(model.VerdictBlock, counts && used.Cmp(l.freeze) >= 0)
	say(model.VerdictHold, counts && used.Cmp(l.hold) > 0 && used.Cmp(l.freeze) < 0 && !critical)
	return out
}

// around is what one policy makes of everything beside the SLOs.
type around struct {
	freezes       []Effect // that hold now
	pages, called Effect
}

func (a around) votes(w world, critical bool) (out []model.Verdict) {
	effects := append([]Effect{}, a.freezes...)
	if w.page {
		effects = append(effects, a.pages)
	}
	if w.broken {
		effects = append(effects, a.called)
	}
	for _, e := range effects {
		switch {
		case e == EffectBlock:
			out = append(out, model.VerdictBlock)
		case e == EffectHold && !critical:
			out = append(out, model.VerdictHold)
		}
	}
	return out
}

func strictest(votes []model.Verdict) model.Verdict {
	for _, v := range []model.Verdict{model.VerdictBlock, model.VerdictHold, model.VerdictInsufficient} {
		for _, o := range votes {
			if o == v {
				return v
			}
		}
	}
	return model.VerdictAllow
}

func anyLimits(t *rapid.T) limits {
	pick := func(name string, of ...*big.Rat) *big.Rat { return rapid.SampledFrom(of).Draw(t, name) }
	r := big.NewRat
	return limits{
		fast: pick("fast", r(14, 1), r(144, 10), r(1, 1)), slow: pick("slow", r(6, 1), r(3, 1)),
		caution: pick("caution", r(1, 2), r(1, 10)), hold: pick("hold", r(3, 4), r(7, 10), r(1, 2)), freeze: pick("freeze", r(1, 1), r(9, 10), r(3, 2)),
		stale: 5 * time.Minute, cover: rapid.SampledFrom([]int64{0, 25, 100}).Draw(t, "cover"), badEvents: rapid.SampledFrom([]int64{0, 5}).Draw(t, "bad events"),
	}
}

// near draws bad events out of total on one of the limits, or one beside it.
func near(t *rapid.T, f facts, total int64, limits ...*big.Rat) int64 {
	at := new(big.Rat).Mul(rapid.SampledFrom(limits).Draw(t, "limit"), big.NewRat(total*(1000-f.objective), 1000))
	bad := new(big.Int).Quo(at.Num(), at.Denom()).Int64() + rapid.Int64Range(-1, 1).Draw(t, "beside")
	return min(max(bad, 0), total)
}

func anyFacts(t *rapid.T, l limits) facts {
	odd := func(name string) bool { return rapid.IntRange(0, 11).Draw(t, name) == 0 }
	f := facts{
		objective: rapid.SampledFrom([]int64{900, 990, 995, 999, 950}).Draw(t, "objective"), windows: map[string]counts{},
		age:   rapid.SampledFrom([]time.Duration{0, time.Minute, 5 * time.Minute, 5*time.Minute + time.Nanosecond, 6 * time.Hour}).Draw(t, "age"),
		never: odd("never"), wrong: odd("wrong"), loaded: !odd("reading"), thin: odd("thin"), unknown: odd("unknown"), byMinute: rapid.Bool().Draw(t, "by minute"),
	}
	if f.age > l.stale && !odd("stale") {
		f.age = time.Minute
	}
	quiet := rapid.Bool().Draw(t, "quiet")
	for _, w := range []string{"5m", "30m", "1h", "6h"} {
		c := counts{total: rapid.SampledFrom([]int64{0, 30, 1000, 7200, 123_457}).Draw(t, "events"), covered: rapid.SampledFrom([]int64{0, 24, 25, 100}).Draw(t, "covered")}
		if c.bad = near(t, f, c.total, new(big.Rat), l.fast, l.slow); quiet {
			c = counts{total: 1000, covered: 100}
		}
		if !odd("unmeasured") {
			f.windows[w] = c
		}
	}
	f.budget = counts{total: rapid.SampledFrom([]int64{0, 1000, 20_000, 999_983, 3_000_000}).Draw(t, "events of 28 d")}
	f.budget.bad = near(t, f, f.budget.total, new(big.Rat), l.caution, l.hold, l.freeze)
	return f
}

// world is everything beside the SLOs and the policies.
type world struct {
	page     bool // one of a severity that counts is open
	broken   bool // a service that is called burns or is exhausted
	override bool // one is in force
}

func anyWorld(t *rapid.T, in *Input) (w world) {
	if rapid.IntRange(0, 3).Draw(t, "page") == 0 {
		severity := rapid.SampledFrom([]string{"critical", "warning"}).Draw(t, "severity")
		in.Pages, w.page = append(in.Pages, OpenPage{ID: "1", Severity: severity, Since: now.Add(-time.Hour)}), severity == "critical"
	}
	if rapid.IntRange(0, 3).Draw(t, "dependency") == 0 {
		state := rapid.SampledFrom([]model.SLOState{model.SLOOK, model.SLOBurning, model.SLOExhausted, model.SLOInsufficient}).Draw(t, "state")
		called := rapid.Bool().Draw(t, "called")
		in.Dependencies = append(in.Dependencies, Dependency{Service: "db", SLO: "db-ok", State: state, Called: called})
		w.broken = called && (state == model.SLOBurning || state == model.SLOExhausted)
	}
	o := model.GateOverride{Service: "edge", Environment: "prod", Version: "2", Time: now, Expires: now.Add(time.Nanosecond), Actor: "ada"}
	switch rapid.IntRange(0, 9).Draw(t, "override") {
	case 0:
		w.override = true
	case 1:
		o.Version = "1"
	case 2:
		o.Environment = ""
	case 3:
		o.Time, o.Expires = now.Add(-time.Hour), now
	case 4:
		o.Time, o.Expires = now.Add(time.Nanosecond), now.Add(time.Hour)
	default:
		return w
	}
	in.Overrides = []model.GateOverride{o}
	return w
}

func anyAround(t *rapid.T, p *NamedPolicy) around {
	effect := rapid.SampledFrom([]Effect{EffectOff, EffectHold, EffectBlock})
	a := around{pages: effect.Draw(t, "pages"), called: effect.Draw(t, "dependencies")}
	p.Rules.OpenPages, p.Rules.Dependencies = a.pages, a.called
	// It is Monday 14:00 UTC, 15:00 in Zurich.
	for _, f := range []struct {
		from, to string
		holds    bool
	}{{"mon 15:00", "mon 16:00", true}, {"mon 14:00", "mon 15:00", false}, {"fri 16:00", "mon 15:01", true}, {"mon 15:01", "mon 15:00", false}} {
		if rapid.IntRange(0, 11).Draw(t, "freeze") == 0 {
			e := rapid.SampledFrom([]Effect{EffectHold, EffectBlock}).Draw(t, "effect")
			p.Freezes = append(p.Freezes, Freeze{Name: f.from, Reason: "nobody is there", Weekly: &Weekly{From: f.from, To: f.to}, TimeZone: "Europe/Zurich", Effect: e})
			if f.holds {
				a.freezes = append(a.freezes, e)
			}
		}
	}
	return a
}

// TestVerdictsAreThoseOfTheRulesWorkedOutAnew compares the gate with the oracle over random worlds.
func TestVerdictsAreThoseOfTheRulesWorkedOutAnew(t *testing.T) {
	seen := map[model.Verdict]int{}
	rapid.Check(t, func(t *rapid.T) {
		in := Input{Time: now, Request: model.GateRequest{Service: "edge", Environment: "prod", Version: "2", Critical: rapid.Bool().Draw(t, "critical")}}
		w := anyWorld(t, &in)
		set := Set{Default: DefaultPolicy()}
		var votes []model.Verdict
		var all []facts
		for _, team := range []string{"a", "b"} { // each has a policy of its own
			l := anyLimits(t)
			p := NamedPolicy{Name: team, Match: Selector{Services: []string{"ed*"}, Teams: []string{team}}, Rules: l.policy()}
			a := anyAround(t, &p)
			set.Named = append(set.Named, p)
			has := rapid.IntRange(0, 2).Draw(t, "SLOs")
			for range has {
				f := anyFacts(t, l)
				in.SLOs = append(in.SLOs, f.snapshot("edge", map[string]string{"team": team}))
				votes, all = append(votes, f.votes(l, in.Request.Critical)...), append(all, f)
			}
			if has > 0 { // without an SLO of the team its policy says nothing
				votes = append(votes, a.votes(w, in.Request.Critical)...)
			}
		}
		if len(in.SLOs) == 0 {
			votes = append(votes, model.VerdictInsufficient)
		}
		want := strictest(votes)
		if w.override {
			want = model.VerdictAllow
		}
		d := Decide(set, in)
		if d.Verdict != want {
			var why []string
			for _, r := range d.Reasons {
				why = append(why, string(r.Verdict)+" "+r.Policy+" "+r.Rule+": "+r.Message)
			}
			t.Fatalf("the gate says %s, the rules %s (%v)\n%s\n%+v", d.Verdict, want, votes, strings.Join(why, "\n"), all)
		}
		seen[d.Verdict]++
	})
	for _, v := range []model.Verdict{model.VerdictAllow, model.VerdictHold, model.VerdictBlock, model.VerdictInsufficient} {
		if seen[v] == 0 {
			t.Errorf("no world led to %s: %v", v, seen)
		}
	}
}

// An SLO with windows of its own (Pyrra's of 14 d: 3m, 15m, 30m, 1h, …) has no 5 m: that is no silence after a fire.
func TestAWindowThatIsNotMeasuredIsNotOneWithoutData(t *testing.T) {
	f := facts{objective: 990, loaded: true, budget: counts{bad: 1, total: 10_000}, windows: map[string]counts{}}
	for _, w := range []string{"3m", "15m", "30m", "1h", "3h"} {
		f.windows[w] = counts{bad: 900, total: 1000, covered: 100}
	}
	d := Decide(Set{Default: DefaultPolicy()}, Input{Request: model.GateRequest{Service: "edge"}, Time: now, SLOs: []model.SLOSnapshot{f.snapshot("edge", nil)}})
	if d.Verdict != model.VerdictInsufficient || !strings.Contains(d.Summary, "burn over 5 m, which the policy default asks for, is not measured") {
		t.Errorf("%s: %s", d.Verdict, d.Summary)
	}
	for _, r := range d.Reasons {
		if strings.Contains(r.Message, "no data") {
			t.Errorf("%s %s: %s", r.Verdict, r.Rule, r.Message)
		}
	}
}

// A rule over more time than the SLO's own window has nothing to count: the other rules and the budget decide.
func TestARuleThatIsLongerThanTheSLOsWindowDoesNotApply(t *testing.T) {
	f := facts{objective: 990, loaded: true, budget: counts{bad: 1, total: 10_000}, windows: map[string]counts{}}
	for _, w := range []string{"5m", "30m", "1h"} {
		f.windows[w] = counts{bad: 1, total: 1000, covered: 100}
	}
	decide := func(own string) model.GateDecision {
		s := f.snapshot("edge", nil)
		s.Status.Window = own
		return Decide(Set{Default: DefaultPolicy()}, Input{Request: model.GateRequest{Service: "edge"}, Time: now, SLOs: []model.SLOSnapshot{s}})
	}
	for own, want := range map[string]model.Verdict{"4h": model.VerdictAllow, "6h": model.VerdictInsufficient, "28d": model.VerdictInsufficient, "1M": model.VerdictInsufficient} {
		if d := decide(own); d.Verdict != want {
			t.Errorf("window %s: %s: %s, want %s", own, d.Verdict, d.Summary, want)
		}
	}
	f.windows["1h"] = counts{bad: 900, total: 1000, covered: 100}
	f.windows["5m"] = counts{bad: 900, total: 1000, covered: 100}
	if d := decide("4h"); d.Verdict != model.VerdictBlock {
		t.Errorf("%s: %s", d.Verdict, d.Summary)
	}
}
