package gate

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/model"
)

func TestAFreezeKeepsToLocalTime(t *testing.T) {
	zurich, err := time.LoadLocation("Europe/Zurich")
	if err != nil {
		t.Fatal(err)
	}
	weekend := Freeze{Name: "weekend", Reason: "r", Weekly: &Weekly{From: "fri 16:00", To: "mon 08:00"}, TimeZone: "Europe/Zurich"}
	night := Freeze{Name: "night", Reason: "r", Weekly: &Weekly{From: "Saturday 22:00", To: "sun 06:00"}}
	year := Freeze{Name: "year end", Reason: "r", Start: "2026-12-18 18:00", End: "2027-01-04", TimeZone: "Europe/Zurich"}
	at := func(text string) time.Time {
		v, err := time.ParseInLocation("2006-01-02 15:04:05", text, zurich)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, c := range []struct {
		name   string
		freeze Freeze
		at     time.Time
		frozen bool
		until  time.Time
	}{
		{"a minute before the weekend", weekend, at("2026-03-06 15:59:59"), false, time.Time{}},
		{"as the weekend begins", weekend, at("2026-03-06 16:00:00"), true, at("2026-03-09 08:00:00")},
		{"over the night in which the clocks go forward", weekend, at("2026-03-27 16:00:00"), true, at("2026-03-30 08:00:00")},
		{"the Monday after they did, before eight", weekend, at("2026-03-30 07:59:59"), true, at("2026-03-30 08:00:00")},
		{"the Monday after they did, at eight", weekend, at("2026-03-30 08:00:00"), false, time.Time{}},
		{"over the night in which they go back", weekend, at("2026-10-24 12:00:00"), true, at("2026-10-26 08:00:00")},
		{"past the week's end", night, time.Date(2026, 3, 8, 5, 59, 0, 0, time.UTC), true, time.Date(2026, 3, 8, 6, 0, 0, 0, time.UTC)},
		{"after it", night, time.Date(2026, 3, 8, 6, 0, 0, 0, time.UTC), false, time.Time{}},
		{"a moment before a dated one", year, at("2026-12-18 17:59:59"), false, time.Time{}},
		{"within a dated one", year, at("2026-12-31 23:59:59"), true, at("2027-01-04 00:00:00")},
		{"its end is the first moment after it", year, at("2027-01-04 00:00:00"), false, time.Time{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if errs := c.freeze.Validate(); len(errs) > 0 {
				t.Fatal(errs)
			}
			until, frozen := c.freeze.active(c.at)
			if frozen != c.frozen || frozen && !until.Equal(c.until) {
				t.Errorf("frozen %v until %s", frozen, until)
			}
		})
	}
}

func strict(change func(*Policy)) Set {
	p := NamedPolicy{Name: "strict", Rules: DefaultPolicy()}
	change(&p.Rules)
	return Set{Default: DefaultPolicy(), Named: []NamedPolicy{p}}
}

// touchedDependency is one that looks well, by a correction that somebody edited.
func touchedDependency(tampered string) Dependency {
	return Dependency{Service: "layout", SLO: "layout-ok", State: model.SLOOK, Called: true, Touched: []model.SLOCorrection{{ID: "c7", Tampered: tampered}}}
}

func TestWhatSurroundsAServiceCounts(t *testing.T) {
	frozen := strict(func(*Policy) {})
	frozen.Named[0].Freezes = []Freeze{{Name: "today", Reason: "the auditors are here.", Start: "2026-03-02", End: "2026-03-03"}}
	hard := strict(func(*Policy) {})
	hard.Named[0].Freezes = []Freeze{{Name: "today", Reason: "moving house", Start: "2026-03-02", End: "2026-03-03", Effect: EffectBlock}}
	pages := strict(func(p *Policy) { p.OpenPages = EffectHold })
	deps := strict(func(p *Policy) { p.Dependencies, p.DependsOn = EffectHold, []string{"auth"} })
	page := OpenPage{ID: "p1", Title: "Layouts fail.", Severity: "critical", Since: now.Add(-10 * time.Minute)}
	dependency := func(service string, state model.SLOState, called bool) Dependency {
		return Dependency{Service: service, SLO: service + "-ok", State: state, Reason: "It burns.", UsedRatio: 0.5, Called: called}
	}
	for _, c := range []struct {
		name     string
		set      Set
		change   func(*Input)
		want     model.Verdict
		rule     string
		contains string
	}{
		{"a freeze holds", frozen, func(*Input) {}, model.VerdictHold, RuleCalendar, "Freeze today until 2026-03-03 00:00 UTC: the auditors are here."},
		{"a critical fix passes it", frozen, func(in *Input) { in.Request.Critical = true }, model.VerdictAllow, "", ""},
		{"but not one that blocks", hard, func(in *Input) { in.Request.Critical = true }, model.VerdictBlock, RuleCalendar, "moving house"},
		{"an open page holds", pages, func(in *Input) { in.Pages = []OpenPage{page} }, model.VerdictHold, RulePage, "has been open for 10 m"},
		{"a warning does not", pages, func(in *Input) { in.Pages = []OpenPage{{Severity: "warning"}} }, model.VerdictAllow, "", ""},
		{"nor does a page by default", Set{Default: DefaultPolicy()}, func(in *Input) { in.Pages = []OpenPage{page} }, model.VerdictAllow, "", ""},
		{"pages that could not be read are no good news", pages, func(in *Input) { in.Unknown = []string{"open pages: disk is full"} }, model.VerdictInsufficient, RulePage, "disk is full"},
		{"a service called that burns holds", deps, func(in *Input) { in.Dependencies = []Dependency{dependency("layout", model.SLOBurning, true)} }, model.VerdictHold, RuleDependency, "edge depends on layout, whose SLO layout-ok is burning"},
		{"one without budget too", deps, func(in *Input) { in.Dependencies = []Dependency{dependency("layout", model.SLOExhausted, true)} }, model.VerdictHold, RuleDependency, "exhausted"},
		{"one that a policy names needs no calls", deps, func(in *Input) { in.Dependencies = []Dependency{dependency("auth", model.SLOBurning, false)} }, model.VerdictHold, RuleDependency, "auth"},
		{"one that only another policy names does not count", deps, func(in *Input) { in.Dependencies = []Dependency{dependency("mail", model.SLOBurning, false)} }, model.VerdictAllow, "", ""},
		{"a correction of one that was touched holds", deps, func(in *Input) {
			in.Dependencies = []Dependency{touchedDependency("it was changed in the database")}
		}, model.VerdictHold, RuleDependency, "edge depends on layout, whose SLO layout-ok: its correction c7 was tampered with, so that the budget may be less than it looks: it was changed in the database"},
		{"a critical fix does not pass it", deps, func(in *Input) {
			in.Request.Critical, in.Dependencies = true, []Dependency{touchedDependency("it was changed in the database")}
		}, model.VerdictHold, RuleDependency, "c7"},
		{"of one that could not be compared nobody knows", deps, func(in *Input) {
			in.Dependencies = []Dependency{touchedDependency(model.Uncompared + " with the audit log: disk")}
		}, model.VerdictInsufficient, RuleDependency, "whether its correction c7 is as it was written is not known"},
		{"nobody asks for dependencies by default", Set{Default: DefaultPolicy()}, func(in *Input) {
			in.Dependencies = []Dependency{touchedDependency("it was changed in the database")}
		}, model.VerdictAllow, "", ""},
		{"an acknowledgement that was edited is nobody's", pages, func(in *Input) {
			p := page
			p.AckedBy, p.Tampered = "bob", "it was changed in the database"
			in.Pages = []OpenPage{p}
		}, model.VerdictHold, RulePage, "who has it is not sure: its acknowledgement was changed in the database"},
		{"one of which nothing is known does not hold", deps, func(in *Input) { in.Dependencies = []Dependency{dependency("layout", model.SLOInsufficient, true)} }, model.VerdictAllow, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := Input{Request: model.GateRequest{Service: "edge", Environment: "prod"}, Time: now, SLOs: []model.SLOSnapshot{oneSLO()}}
			c.change(&in)
			d := Decide(c.set, in)
			if d.Verdict != c.want || c.rule != "" && d.Reasons[0].Rule != c.rule || !strings.Contains(d.Summary, c.contains) {
				t.Errorf("%s by %s: %s", d.Verdict, d.Reasons[0].Rule, d.Summary)
			}
		})
	}
}

// 14 × 0.5 % is 7 %. Of 1,200 events 84 are bad: by Wilson at 95 % one-sided at
// least 5.88 % are sure, 11.8×. Of 120,000 events 8,400: 6.88 %, still below 14×; at
// 7.2 % of 120,000 the bound is 7.08 %, 14.2×.
func TestABurnMustBeSureWhereAPolicyAsksForConfidence(t *testing.T) {
	sure := strict(func(p *Policy) { p.Confidence = 0.95 })
	for _, c := range []struct {
		name   string
		rate   float64
		events float64
		want   model.Verdict
		says   string
	}{
		{"a burn at the limit may be chance", 14, 1200, model.VerdictInsufficient, "84 bad of 1,200 events do not show it with 95 % confidence: at least 11.8× is sure"},
		{"with more events still", 14, 120_000, model.VerdictInsufficient, "13.8× is sure"},
		{"a little above it with many events it is sure", 14.4, 120_000, model.VerdictBlock, "burns 14.4×"},
		{"far above it few are enough", 60, 100, model.VerdictBlock, "burns 60×"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := Input{Request: model.GateRequest{Service: "edge"}, Time: now, SLOs: []model.SLOSnapshot{oneSLO(burn("1h", c.rate), burn("5m", 20), events("1h", c.events, 1))}}
			d := Decide(sure, in)
			if d.Verdict != c.want || !strings.Contains(d.Summary, c.says) {
				t.Errorf("%s: %s", d.Verdict, d.Summary)
			}
		})
	}
}

func TestTheGateGathersWhatItsPoliciesAskFor(t *testing.T) {
	set := strict(func(p *Policy) {
		p.OpenPages, p.Dependencies, p.DependsOn = EffectHold, EffectHold, []string{"auth", "edge"}
	})
	catalog, err := NewCatalog(DefaultPolicy(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	catalog.Catalog = document.NewCatalog(set, document.Options[Set]{})
	burning := oneSLO(named("layout-ok"))
	burning.Status.State, burning.Status.Reason = model.SLOBurning, "It burns."
	alert := func(labels model.Labels) []model.PageAlert {
		return []model.PageAlert{{Status: "firing", Labels: labels}}
	}
	r := &rooms{
		slos:   []model.SLOSnapshot{oneSLO()},
		others: map[string][]model.SLOSnapshot{"layout": {burning}, "auth": {oneSLO(named("auth-ok"), corrected(""), corrected("it was changed"))}, "mail": {burning}},
		edges:  []model.Edge{{Client: "edge", Server: "layout"}, {Client: "other", Server: "mail"}},
		pages: []model.Page{
			{ID: "mine", Severity: "critical", Alerts: alert(model.Labels{"service": "edge", "env": "prod"})},
			{ID: "elsewhere", Severity: "critical", Alerts: alert(model.Labels{"service": "edge", "env": "staging"})},
			{ID: "another's", Severity: "critical", Alerts: alert(model.Labels{"service": "layout"})},
		},
	}
	g := open(t, r, func(_ *Config, d *Deps) { d.Policies = catalog })
	in, err := g.gather(t.Context(), model.GateRequest{Service: "edge", Environment: "prod"})
	if err != nil || len(in.Pages) != 1 || in.Pages[0].ID != "mine" || len(in.Dependencies) != 2 || in.Dependencies[0].SLO != "auth-ok" || in.Dependencies[0].Called || !in.Dependencies[1].Called ||
		len(in.Dependencies[0].Touched) != 1 || len(in.Dependencies[1].Touched) != 0 {
		t.Errorf("%+v, %v", in, err)
	}
	r.failPages, r.others["auth"] = errors.New("disk is full"), nil
	d, err := g.Decide(t.Context(), model.GateRequest{Service: "edge", Environment: "prod", Critical: true})
	if err != nil || d.Verdict != model.VerdictInsufficient || !strings.Contains(d.Summary, "disk is full") {
		t.Errorf("%s: %s, %v", d.Verdict, d.Summary, err)
	}
	catalog.Catalog = document.NewCatalog(Set{Default: DefaultPolicy()}, document.Options[Set]{})
	if in, err := g.gather(t.Context(), model.GateRequest{Service: "edge"}); err != nil || len(in.Pages)+len(in.Dependencies)+len(in.Unknown) != 0 {
		t.Errorf("gathered what no policy asks for: %+v, %v", in, err)
	}
}
