package gate

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/model"
)

const broker = `# budget policies
policies:
  - name: broker
    match: {services: [edge, "layout*"], environments: [prod]}
    rules:
      hold_above: 0.6
      burn_fast: {long: 1h, short: 5m, factor: 10}
      open_pages: hold
    freezes:
      - {name: year end, reason: nobody is there, start: 2026-12-18 18:00, end: 2027-01-04, time_zone: Europe/Zurich, effect: block}
      - {name: weekend, reason: nobody is there, weekly: {from: fri 16:00, to: mon 08:00}}
  - name: payments team
    match: {teams: [payments], labels: {tier: "1"}}
    rules: {caution_above: 0.3, hold_above: 0.5}
`

func TestAPolicyFileSaysWhatDiffersFromTheGateSection(t *testing.T) {
	got, problems := ParsePolicies("policy.yml", []byte(broker), DefaultPolicy())
	if len(problems) > 0 || len(got) != 2 {
		t.Fatal(got, problems)
	}
	want := DefaultPolicy()
	want.HoldAbove, want.BurnFast.Factor, want.OpenPages = 0.6, 10, EffectHold
	if diff := cmp.Diff(want, got[0].Rules); diff != "" {
		t.Error(diff)
	}
	if got[0].Line != 3 || got[1].Line != 12 || got[0].Freezes[1].Weekly.From != "fri 16:00" || len(got[1].Freezes) != 0 {
		t.Errorf("%+v", got)
	}
	if diff := cmp.Diff(Selector{Teams: []string{"payments"}, Labels: map[string]string{"tier": "1"}}, got[1].Match); diff != "" {
		t.Error(diff)
	}
}

func TestTheDocumentedPolicyFileIsGood(t *testing.T) {
	text, err := os.ReadFile("../../docs/gate.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, ok := strings.Cut(string(text), "```yaml\n# policies/")
	block, _, _ = strings.Cut(block, "```")
	named, problems := ParsePolicies("gate.md", []byte("# "+block), DefaultPolicy())
	if !ok || len(problems) > 0 || len(named) != 1 || len(named[0].Freezes) != 2 {
		t.Errorf("%v: %+v", problems, named)
	}
}

func TestEveryMistakeInAPolicyFileIsSaidWithItsLine(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"keys that nobody knows", "policies:\n  - name: a\n    rulez: {}\n    rules:\n      hold_abov: 0.5\n    match:\n      nonsense: 1\n", []string{
			`p.yml:3: policies[0]: unknown key "rulez"; did you mean "rules"?`,
			`p.yml:5: policies[0].rules: unknown key "hold_abov"; did you mean "hold_above"?`,
			`p.yml:7: policies[0].match: unknown key "nonsense"; known are environments, labels, services, teams`,
		}},
		{"limits in the wrong order", "policies:\n  - name: a\n    rules:\n      caution_above: 0.5\n      hold_above: 1.5\n", []string{"p.yml:5: policies[0].rules.hold_above: must be"}},
		{"a value of another kind", "policies:\n  - name: a\n    rules:\n      stale_after: soon\n", []string{"p.yml:4: policies[0].rules.stale_after: "}},
		{"a limit that is no number", "policies:\n  - name: a\n    rules:\n      hold_above: .nan\n", []string{"p.yml:4: policies[0].rules.hold_above: must be a number, got NaN"}},
		{"a list that is none", "policies:\n  name: a\n", []string{"policies must be a list"}},
		{"a key twice", "policies:\n  - name: a\n    name: b\n", []string{"p.yml:3: "}},
		{"no name", "policies:\n  - rules: {}\n", []string{"p.yml:2: policies[0].name: must be given"}},
		{"the name of the gate section", "policies:\n  - name: default\n", []string{"p.yml:2: policies[0].name: must be given"}},
		{"freezes that cannot be", "policies:\n  - name: a\n    freezes:\n      - {name: x, start: 2026-01-02, end: 2026-01-01}\n      - name: y\n        reason: r\n        time_zone: Mars/Base\n        weekly: {from: fri 25:00, to: someday}\n        effect: explode\n", []string{
			"p.yml:4: policies[0].freezes[0].reason: must say why", "p.yml:4: policies[0].freezes[0].end: must be after start",
			`p.yml:7: policies[0].freezes[1].time_zone: "Mars/Base" is no IANA name`, "p.yml:8: policies[0].freezes[1].weekly.from: ",
			"p.yml:8: policies[0].freezes[1].weekly.to: ", "p.yml:9: policies[0].freezes[1].effect: must be hold or block",
		}},
		{"a pattern that is none", "policies:\n  - name: a\n    match:\n      services: ['[']\n", []string{"p.yml:4: policies[0].match.services: "}},
		{"no YAML", "policies: [\n", []string{"p.yml:"}},
		{"nothing", "", []string{"p.yml:1: it holds no policies"}},
		{"two documents", "policies: [{name: a}]\n---\npolicies: [{name: b}]\n", []string{"p.yml:3: a second YAML document"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, problems := ParsePolicies("p.yml", []byte(c.text), DefaultPolicy())
			var lines []string
			for _, p := range problems {
				lines = append(lines, p.Error())
			}
			text := strings.Join(lines, "\n")
			for _, want := range c.want {
				if !strings.Contains(text, want) {
					t.Errorf("no %q in\n%s", want, text)
				}
			}
		})
	}
}

func TestTheStrictestOfAllMatchingPoliciesWins(t *testing.T) {
	named, problems := ParsePolicies("p.yml", []byte(`policies:
  - {name: all, rules: {hold_above: 0.7}}
  - {name: prod, match: {environments: [prod]}, rules: {hold_above: 0.6}}
  - {name: lax, match: {environments: [dev]}, rules: {caution_above: 0.8, hold_above: 0.95}}
  - {name: workspace, match: {teams: [workspace]}, rules: {freeze_at: 0.9}}
`), DefaultPolicy())
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	team := func(s *model.SLOSnapshot) { s.Status.Labels = map[string]string{"team": "workspace"} }
	for _, c := range []struct {
		name        string
		environment string
		oneSLO      model.SLOSnapshot
		want        model.Verdict
		policy      string
	}{
		{"the stricter of two holds", "prod", oneSLO(used(0.65)), model.VerdictHold, "prod"},
		{"the other does not match", "staging", oneSLO(used(0.65)), model.VerdictAllow, "all"},
		{"a laxer one does not soften", "dev", oneSLO(used(0.72)), model.VerdictHold, "all"},
		{"a team's freezes sooner", "staging", oneSLO(team, used(0.92)), model.VerdictBlock, "workspace"},
		{"no environment concerns them all", "", oneSLO(used(0.65)), model.VerdictHold, "prod"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := Decide(Set{Default: DefaultPolicy(), Named: named}, Input{Request: model.GateRequest{Service: "edge", Environment: c.environment}, Time: now, SLOs: []model.SLOSnapshot{c.oneSLO}})
			if d.Verdict != c.want || d.Reasons[0].Policy != c.policy {
				t.Errorf("%s by %s: %s", d.Verdict, d.Reasons[0].Policy, d.Summary)
			}
		})
	}
	only := Set{Default: DefaultPolicy(), Named: named[2:3]}
	if d := Decide(only, Input{Request: model.GateRequest{Service: "edge", Environment: "dev"}, Time: now, SLOs: []model.SLOSnapshot{oneSLO(used(0.85))}}); d.Verdict != model.VerdictAllow || d.Band != BandCaution {
		t.Errorf("a policy alone is laxer than the gate section: %s, %s", d.Verdict, d.Band)
	}
	if d := Decide(only, Input{Request: model.GateRequest{Service: "edge", Environment: "prod"}, Time: now, SLOs: []model.SLOSnapshot{oneSLO(used(0.85))}}); d.Verdict != model.VerdictHold || d.Reasons[0].Policy != DefaultName {
		t.Errorf("where none matches the gate section applies: %s by %s", d.Verdict, d.Reasons[0].Policy)
	}
}

func TestAReloadWithABadFileKeepsTheLastGoodPolicies(t *testing.T) {
	file := filepath.Join(t.TempDir(), "p.yml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := NewCatalog(DefaultPolicy(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	write(broker)
	if err := c.Reload([]string{file}); err != nil || len(c.Set().Named) != 2 {
		t.Fatal(err)
	}
	write("policies:\n  - name: a\n    rules: {hold_above: 7}\n")
	var bad *document.LoadError
	if err := c.Reload([]string{file}); !errors.As(err, &bad) || bad.Problems[0].Line != 3 || len(c.Set().Named) != 2 || len(c.Problems()) != 1 {
		t.Errorf("%v, %d policies, %v", err, len(c.Set().Named), c.Problems())
	}
	write("policies: [{name: a}]")
	if err := c.Reload([]string{file, file}); err != nil || len(c.Set().Named) != 1 || len(c.Problems()) != 0 {
		t.Errorf("%v, %v", err, c.Problems())
	}
	second := filepath.Join(filepath.Dir(file), "q.yml")
	if err := os.WriteFile(second, []byte("policies: [{name: a}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.Reload([]string{file, second}); err == nil || !strings.Contains(err.Error(), "stands for another policy already") {
		t.Errorf("one name twice: %v", err)
	}
	if err := c.Reload([]string{filepath.Join(filepath.Dir(file), "missing.yml")}); err == nil {
		t.Error("a missing file is no problem")
	}
}

func FuzzParsePolicies(f *testing.F) {
	f.Add(broker)
	f.Add("policies:\n  - name: a\n    rules: {hold_above: .nan, burn_fast: {long: 9999999999h}}\n")
	f.Add("policies: &a [*a]")
	f.Fuzz(func(t *testing.T, text string) {
		named, problems := ParsePolicies("p.yml", []byte(text), DefaultPolicy())
		if len(problems) > 0 {
			return
		}
		in := Input{Request: model.GateRequest{Service: "edge"}, Time: time.Unix(1_800_000_000, 0), SLOs: []model.SLOSnapshot{oneSLO()}}
		if d := Decide(Set{Default: DefaultPolicy(), Named: named}, in); len(d.Reasons) == 0 {
			t.Fatal("no reason")
		}
	})
}
