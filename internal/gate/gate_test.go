package gate

import (
	"context"
	"errors"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/signalbox-project/signalbox/internal/gate/sign"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

var now = time.Date(2026, 3, 2, 14, 0, 0, 0, time.UTC)

// oneSLO is one that nothing is wrong with: 99.5 % over 28 d, 42 % used.
func oneSLO(change ...func(*model.SLOSnapshot)) model.SLOSnapshot {
	s := model.SLOSnapshot{
		LastData: now.Add(-10 * time.Second), Age: 28 * 24 * time.Hour, Loaded: true,
		Status: model.SLOStatus{
			Name: "edge-ok", Service: "edge", Objective: 0.995, Window: "28d", Method: "occurrences", State: model.SLOOK, Time: now.Add(-time.Second),
			Budget:  model.Budget{Total: 1e6, Allowed: 5000, Bad: 2100, UsedRatio: 0.42, LeftRatio: 0.58, Coverage: 1},
			Queries: model.SLOQueries{Error: "1 - sum(good[$window]) / sum(total[$window])"},
			Burn: []model.Burn{
				{Window: "5m", Rate: 1, Events: 100, Coverage: 1},
				{Window: "30m", Rate: 1, Events: 600, Coverage: 1},
				{Window: "1h", Rate: 1, Events: 1200, Coverage: 1},
				{Window: "6h", Rate: 1, Events: 7200, Coverage: 1},
			},
		},
	}
	for _, c := range change {
		c(&s)
	}
	return s
}

func burn(window string, rate float64) func(*model.SLOSnapshot) {
	return func(s *model.SLOSnapshot) {
		for i := range s.Status.Burn {
			if s.Status.Burn[i].Window == window {
				s.Status.Burn[i].Rate = rate
			}
		}
	}
}

// doubted is an SLO that cannot be judged.
func doubted(why model.SLODoubt) func(*model.SLOSnapshot) {
	return func(s *model.SLOSnapshot) {
		s.Status.State, s.Status.Doubt = model.SLOInsufficient, why
		s.Status.Reason, s.Status.Action = "The query of good events has matched nothing.", "Check the selector."
		s.Status.Budget = model.Budget{Total: 100, UsedRatio: 100, LeftRatio: -99, Unknown: true}
	}
}

func events(window string, n, coverage float64) func(*model.SLOSnapshot) {
	return func(s *model.SLOSnapshot) {
		for i := range s.Status.Burn {
			if s.Status.Burn[i].Window == window {
				s.Status.Burn[i].Events, s.Status.Burn[i].Coverage = n, coverage
			}
		}
	}
}

func used(ratio float64) func(*model.SLOSnapshot) {
	return func(s *model.SLOSnapshot) { s.Status.Budget.UsedRatio, s.Status.Budget.LeftRatio = ratio, 1-ratio }
}

func named(name string) func(*model.SLOSnapshot) {
	return func(s *model.SLOSnapshot) { s.Status.Name = name }
}

func corrected(tampered string) func(*model.SLOSnapshot) {
	return func(s *model.SLOSnapshot) {
		s.Status.Corrections = append(s.Status.Corrections, model.SLOCorrection{ID: "c7", SLO: "edge-ok", Tampered: tampered})
	}
}

func lastData(ago time.Duration) func(*model.SLOSnapshot) {
	return func(s *model.SLOSnapshot) { s.LastData = now.Add(-ago) }
}

func TestVerdicts(t *testing.T) {
	noData := func(s *model.SLOSnapshot) {
		*s = model.SLOSnapshot{Status: model.SLOStatus{Name: "edge-ok", Service: "edge"}}
	}
	thin := func(s *model.SLOSnapshot) {
		s.Status.State, s.Status.Reason, s.Status.Action = model.SLOInsufficient, "Too few events to judge.", "Add traffic."
	}
	for _, c := range []struct {
		name     string
		slos     []model.SLOSnapshot
		critical bool
		want     model.Verdict
		rule     string
		summary  string
	}{
		{"all is well", []model.SLOSnapshot{oneSLO()}, false, model.VerdictAllow, RuleBudget, "Allowed: edge-ok has 58 % of its budget left."},
		{"several SLOs hold", []model.SLOSnapshot{oneSLO(), oneSLO(named("edge-fast"), used(0.5))}, false, model.VerdictAllow, RuleBudget, "all 2 SLOs hold; the least budget, 50 %, is left to edge-fast"},
		{"14× over both fast windows blocks", []model.SLOSnapshot{oneSLO(burn("1h", 14), burn("5m", 14))}, false, model.VerdictBlock, RuleBurnFast, "Blocked: edge-ok burns 14× over 1 h and 14× over 5 m (limit 14×)."},
		{"and a critical fix too", []model.SLOSnapshot{oneSLO(burn("1h", 21), burn("5m", 30))}, true, model.VerdictBlock, RuleBurnFast, "21×"},
		{"just below 14× passes", []model.SLOSnapshot{oneSLO(burn("1h", 13.99), burn("5m", 20))}, false, model.VerdictAllow, "", "Allowed"},
		{"14× over the long window alone is over", []model.SLOSnapshot{oneSLO(burn("1h", 20), burn("5m", 2))}, false, model.VerdictAllow, RuleBurnFast, "Allowed"},
		{"6× over 6 h blocks", []model.SLOSnapshot{oneSLO(burn("6h", 6), burn("30m", 6))}, false, model.VerdictBlock, RuleBurnSlow, "6 h"},
		{"silence after a fire blocks", []model.SLOSnapshot{oneSLO(burn("1h", 20), events("5m", 0, 0), burn("5m", 0))}, false, model.VerdictBlock, RuleBurnFast, "the last 5 m have no data"},
		{"a burn of three events is insufficient", []model.SLOSnapshot{oneSLO(burn("1h", 20), burn("5m", 20), events("1h", 30, 1))}, false, model.VerdictInsufficient, RuleBurnFast, "3 bad events only"},
		{"above 75 % used is a hold", []model.SLOSnapshot{oneSLO(used(0.7501))}, false, model.VerdictHold, RuleBudget, "On hold: edge-ok has used 75 % of its budget of 28 d (hold above 75 %)."},
		{"an hour of which just enough has data will do", []model.SLOSnapshot{oneSLO(events("1h", 5400, math.Nextafter(0.25, 0)))}, false, model.VerdictAllow, RuleBudget, "Allowed"},
		{"exactly 75 % is not, however it was added up", []model.SLOSnapshot{oneSLO(used(math.Nextafter(0.75, 1)))}, false, model.VerdictAllow, RuleBudget, "Allowed"},
		{"exactly 75 % is not", []model.SLOSnapshot{oneSLO(used(0.75))}, false, model.VerdictAllow, RuleBudget, "Allowed"},
		{"a critical fix passes the hold", []model.SLOSnapshot{oneSLO(used(0.9))}, true, model.VerdictAllow, RuleBudget, "Allowed"},
		{"a spent budget freezes", []model.SLOSnapshot{oneSLO(used(1))}, false, model.VerdictBlock, RuleBudget, "freeze at 100 %"},
		{"critical fixes too", []model.SLOSnapshot{oneSLO(used(1.3))}, true, model.VerdictBlock, RuleBudget, "130 %"},
		{"no SLO is insufficient", nil, false, model.VerdictInsufficient, RuleData, "No SLO is defined for edge in prod."},
		{"no data is insufficient", []model.SLOSnapshot{oneSLO(noData)}, false, model.VerdictInsufficient, RuleData, "no data has been seen"},
		{"stale data is insufficient", []model.SLOSnapshot{oneSLO(lastData(6 * time.Minute))}, false, model.VerdictInsufficient, RuleData, "6 m old (limit 5 m)"},
		{"thin data is insufficient", []model.SLOSnapshot{oneSLO(thin)}, false, model.VerdictInsufficient, RuleData, "Too few events"},
		{"thin data's budget does not hold", []model.SLOSnapshot{oneSLO(thin, used(0.9))}, false, model.VerdictInsufficient, RuleData, "Too few events"},
		{"history still being read is insufficient", []model.SLOSnapshot{oneSLO(func(s *model.SLOSnapshot) { s.Loaded = false })}, false, model.VerdictInsufficient, RuleData, "being read"},
		{"an hour with little data is insufficient", []model.SLOSnapshot{oneSLO(events("1h", 100, 0.2))}, false, model.VerdictInsufficient, RuleData, "20 % of the last 1 h"},
		{"what cannot be is insufficient though it looks like burning", []model.SLOSnapshot{oneSLO(doubted(model.DoubtUnmatched), lastData(time.Hour))}, false, model.VerdictInsufficient, RuleData, "matched nothing"},
		{"a history that is being read burns nobody", []model.SLOSnapshot{oneSLO(burn("1h", 100), burn("5m", 100), doubted(model.DoubtReading))}, false, model.VerdictInsufficient, RuleData, "matched nothing"},
		{"a spent budget blocks though data is stale", []model.SLOSnapshot{oneSLO(used(1.2), lastData(time.Hour))}, false, model.VerdictBlock, RuleBudget, "Blocked"},
		{"a hold comes before insufficient", []model.SLOSnapshot{oneSLO(used(0.8)), oneSLO(named("b"), noData)}, false, model.VerdictHold, RuleBudget, "On hold"},
		{"but a critical fix meets the insufficient one", []model.SLOSnapshot{oneSLO(used(0.8)), oneSLO(named("b"), noData)}, true, model.VerdictInsufficient, RuleData, "Not enough data"},
		{"a correction that is as it was written changes nothing", []model.SLOSnapshot{oneSLO(corrected(""))}, false, model.VerdictAllow, RuleBudget, "Allowed"},
		{"one that was touched holds", []model.SLOSnapshot{oneSLO(corrected(""), corrected("it was changed in the database"))}, false, model.VerdictHold, RuleBudget, "its correction c7 was tampered with, so that the budget may be less than it looks: it was changed in the database"},
		{"a critical fix too", []model.SLOSnapshot{oneSLO(corrected("it was changed in the database"))}, true, model.VerdictHold, RuleBudget, "On hold"},
		{"it lets nothing pass that is blocked", []model.SLOSnapshot{oneSLO(corrected("it was changed in the database"), used(1.2))}, false, model.VerdictBlock, RuleBudget, "Blocked"},
		{"one that nobody could compare is insufficient", []model.SLOSnapshot{oneSLO(corrected(model.Uncompared + " with the audit log: that is still being read"))}, false, model.VerdictInsufficient, RuleData, "whether its correction c7 is as it was written is not known"},
		{"the strictest of all SLOs wins", []model.SLOSnapshot{oneSLO(), oneSLO(named("b"), used(0.8)), oneSLO(named("c"), burn("1h", 20), burn("5m", 20))}, false, model.VerdictBlock, RuleBurnFast, "c burns 20×"},
	} {
		t.Run(c.name, func(t *testing.T) {
			req := model.GateRequest{Service: "edge", Environment: "prod", Critical: c.critical}
			d := Decide(Set{Default: DefaultPolicy()}, Input{Request: req, Time: now, SLOs: c.slos})
			if d.Verdict != c.want || c.rule != "" && d.Reasons[0].Rule != c.rule || !strings.Contains(d.Summary, c.summary) {
				t.Errorf("got %s by %s: %s", d.Verdict, d.Reasons[0].Rule, d.Summary)
			}
			for _, r := range d.Reasons {
				if r.Verdict != model.VerdictAllow && r.Cure == "" {
					t.Errorf("no cure: %+v", r)
				}
			}
			if again := Decide(Set{Default: DefaultPolicy()}, Input{Request: req, Time: now, SLOs: c.slos}); !cmp.Equal(again, d) {
				t.Error("the same input gives another decision")
			}
		})
	}
}

func TestEvidenceCarriesQueryValueThresholdAndTimes(t *testing.T) {
	d := Decide(Set{Default: DefaultPolicy()}, Input{Request: model.GateRequest{Service: "edge"}, Time: now, SLOs: []model.SLOSnapshot{oneSLO(burn("1h", 20), burn("5m", 30))}})
	by := map[string]model.Evidence{}
	for _, e := range d.Evidence {
		by[e.Name] = e
	}
	want := model.Evidence{
		SLO: "edge-ok", Name: "burn_rate_1h", Query: "(1 - sum(good[1h]) / sum(total[1h])) / 0.005", Window: "1h", Value: pointer(20), Threshold: pointer(14),
		Events: 1200, Coverage: 1, LastData: now.Add(-10 * time.Second), Time: now.Add(-time.Second),
	}
	if diff := cmp.Diff(want, by["burn_rate_1h"]); diff != "" {
		t.Error(diff)
	}
	if e := by["budget_used"]; *e.Value != 0.42 || e.Window != "28d" || *e.Threshold != 0.75 {
		t.Errorf("budget %+v", e)
	}
	if len(by) != 5 {
		t.Errorf("evidence %v", d.Evidence)
	}
	d = Decide(Set{Default: DefaultPolicy()}, Input{Request: model.GateRequest{Service: "edge"}, Time: now, SLOs: []model.SLOSnapshot{oneSLO(events("1h", 0, 0))}})
	for _, e := range d.Evidence {
		if e.Name == "burn_rate_1h" && e.Value != nil {
			t.Error("a window without data must have no value")
		}
	}
}

// rooms stands for every room that the gate asks.
type rooms struct {
	slos      []model.SLOSnapshot
	saved     []model.GateDecision
	audited   []model.AuditEntry
	overrides []model.GateOverride
	edges     []model.Edge
	pages     []model.Page
	others    map[string][]model.SLOSnapshot // of other services
	fail      error
	failPages error
}

func (r *rooms) Snapshots(_ context.Context, service, _ string) ([]model.SLOSnapshot, error) {
	if service != "edge" {
		return r.others[service], nil
	}
	return r.slos, nil
}

func (r *rooms) SaveDecision(_ context.Context, d model.GateDecision) error {
	r.saved = append(r.saved, d)
	return r.fail
}

func (r *rooms) Decision(_ context.Context, id string) (model.GateDecision, error) {
	for _, d := range r.saved {
		if d.ID == id {
			return d, nil
		}
	}
	return model.GateDecision{}, store.ErrNotFound
}

func (r *rooms) SaveOverride(_ context.Context, o model.GateOverride) error {
	r.overrides = append(r.overrides, o)
	return nil
}

func (r *rooms) Overrides(_ context.Context, service, environment, version string, at time.Time) ([]model.GateOverride, error) {
	var out []model.GateOverride
	for _, o := range r.overrides {
		if o.Service == service && o.Environment == environment && o.Version == version && at.Before(o.Expires) {
			out = append(out, o)
		}
	}
	return out, nil
}

func (r *rooms) Edges(context.Context, string, store.Range) ([]model.Edge, error) {
	return r.edges, nil
}

func (r *rooms) Pages(context.Context, store.PageQuery) ([]model.Page, error) {
	return r.pages, r.failPages
}

func (r *rooms) Audit(_ context.Context, e model.AuditEntry) (model.AuditEntry, error) {
	r.audited = append(r.audited, e)
	return e, nil
}

// open makes a gate over rooms; change may be nil.
func open(t *testing.T, r *rooms, change func(*Config, *Deps)) *Gate {
	t.Helper()
	key, err := sign.Open(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	cfg := DefaultConfig()
	deps := Deps{SLOs: r, Decisions: r, Overrides: r, Audit: r, Edges: r, Pages: r, Key: key, Now: func() time.Time { return now }}
	if change != nil {
		change(&cfg, &deps)
	}
	g, err := New(cfg, deps)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestADecisionIsStoredAndAuditedBeforeItIsAnswered(t *testing.T) {
	r := &rooms{slos: []model.SLOSnapshot{oneSLO()}}
	g := open(t, r, nil)
	d, err := g.Decide(t.Context(), model.GateRequest{Service: " edge ", Version: "2", Actor: "ci"})
	if err != nil || d.ID == "" || len(r.saved) != 1 || !cmp.Equal(r.saved[0], d) {
		t.Fatalf("decision %+v, saved %+v, %v", d, r.saved, err)
	}
	if a := r.audited[0]; a.Actor != "ci" || a.Action != "gate.decide" || a.Subject != d.ID || a.Details["verdict"] != "allow" {
		t.Errorf("audit %+v", a)
	}
	r.fail = errors.New("disk full")
	if _, err := g.Decide(t.Context(), model.GateRequest{Service: "edge"}); !errors.Is(err, r.fail) {
		t.Errorf("a decision that was not stored was answered: %v", err)
	}
	var bad interface{ BadRequest() }
	if _, err := g.Decide(t.Context(), model.GateRequest{}); !errors.As(err, &bad) {
		t.Errorf("a request without a service: %v", err)
	}
}

func TestAPolicyIsCheckedWhole(t *testing.T) {
	if errs := DefaultPolicy().Validate(); len(errs) > 0 {
		t.Error(errs)
	}
	errs := Policy{BurnFast: BurnRule{Long: 1, Short: 2}, HoldAbove: 2, FreezeAt: 1, MinCoverage: 3, MinBadEvents: -1}.Validate()
	text := errors.Join(errs...).Error()
	for _, want := range []string{"burn_fast.factor: ", "burn_fast.short: ", "burn_slow.factor: ", "hold_above: ", "stale_after: ", "min_coverage: ", "min_bad_events: "} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func TestTheDocumentedPolicyIsTheDefault(t *testing.T) {
	text, err := os.ReadFile("../../docs/gate.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, ok := strings.Cut(string(text), "```yaml\ngate:")
	block = "gate:" + block
	if !ok {
		t.Fatal("no YAML block")
	}
	block, _, _ = strings.Cut(block, "```")
	var section struct {
		Gate Config `yaml:"gate"`
	}
	if err := yaml.UnmarshalWithOptions([]byte(block), &section, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(DefaultConfig(), section.Gate); diff != "" {
		t.Error(diff)
	}
}
