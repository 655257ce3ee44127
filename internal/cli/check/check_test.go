package check_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const goodSLO = `apiVersion: openslo/v1
kind: SLO
metadata: {name: good}
spec:
  service: edge
  indicator:
    spec:
      ratioMetric:
        good: {metricSource: {spec: {query: 'sum(ok_total)'}}}
        total: {metricSource: {spec: {query: 'sum(all_total)'}}}
  timeWindow: [{duration: 28d, isRolling: true}]
  objectives:
    - target: 0.995
`

const goodSloth = `version: prometheus/v1
service: shop
slos:
  - name: ok
    objective: 99.9
    sli:
      events:
        error_query: sum(rate(errors_total[{{.window}}]))
        total_query: sum(rate(requests_total[{{.window}}]))
    alerting:
      name: Shop
`

const goodPyrra = `apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata: {name: reads}
spec:
  target: "99.5"
  window: 4w
  indicator:
    ratio:
      errors: {metric: 'http_requests_total{code=~"5.."}'}
      total: {metric: http_requests_total}
`

const goodComposite = `apiVersion: openslo/v1
kind: SLO
metadata: {name: %s}
spec:
  service: edge
  timeWindow: [{duration: 28d, isRolling: true}]
  objectives:
    - {indicatorRef: %s, target: 0.99}
`

// say runs a check of files, and answers its exit status, what it found, and
// what it printed when it found nothing.
func say(t *testing.T, kind string, files map[string]string) (status int, found, good string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range files {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	names, err := filepath.Glob("*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	status, good, found = run(t, append([]string{"check", kind}, names...)...)
	return status, found, good
}

// TestCheckSLOsNamesPlaceCauseAndCure puts one sin after the other into a good
// document. The line is that of the cause.
func TestCheckSLOsNamesPlaceCauseAndCure(t *testing.T) {
	swap := func(base, old, now string) map[string]string {
		if !strings.Contains(base, old) {
			t.Fatalf("%q is not in the document", old)
		}
		return map[string]string{"a.yaml": strings.Replace(base, old, now, 1)}
	}
	slo := func(old, now string) map[string]string { return swap(goodSLO, old, now) }
	ring := func(a, b string) string { return fmt.Sprintf(goodComposite, a, b) }
	const window = "{duration: 28d, isRolling: true}"
	for _, c := range []struct {
		name  string
		files map[string]string
		want  []string // file:line, cause and cure
	}{
		{"an unknown kind", slo("kind: SLO", "kind: SLOs"), []string{`a.yaml:2: kind: kind "SLOs" is unknown; did you mean "SLO"?`}},
		{"a kind of nothing known", slo("kind: SLO", "kind: Deployment"), []string{`a.yaml:2: kind: kind "Deployment" is unknown; known are `}},
		{"an unknown apiVersion", slo("openslo/v1", "openslo/v2alpha"), []string{`a.yaml:1: apiVersion: apiVersion is "openslo/v2alpha"; openslo/v1, openslo/v1alpha and openslo.com/v2alpha are read`}},
		{"no apiVersion", slo("apiVersion: openslo/v1\n", ""), []string{"a.yaml:1: apiVersion is missing; for example `apiVersion: openslo/v1`"}},
		{"a query that does not parse", slo("sum(ok_total)", "sum(ok_total"), []string{"a.yaml:9: SLO good: good query: ", "unclosed left parenthesis; try it in Explore"}},
		{"a query that counts nothing", slo("sum(ok_total)", "avg(ok_total)"), []string{"a.yaml:9: SLO good: good query: avg over counts does not add up", "count good or bad events"}},
		{"no query", slo("'sum(all_total)'", "''"), []string{"a.yaml:10: spec.indicator.spec.ratioMetric.total.metricSource.spec.query is empty; for example"}},
		{"an objective of 0", slo("0.995", "0"), []string{"a.yaml:13: objectives.target: an objective of 0 % promises nothing; promise more than 0 %"}},
		{"an objective of 1", slo("0.995", "1"), []string{"a.yaml:13: objectives.target: an objective of 100 % leaves no error budget; promise less than 100 %"}},
		{"an objective of 100 %", slo("target: 0.995", "targetPercent: 100"), []string{"a.yaml:13: objectives.targetPercent: an objective of 100 % leaves no error budget; promise less"}},
		{"an objective of 0 %", slo("target: 0.995", "targetPercent: 0"), []string{"a.yaml:13: objectives.targetPercent: an objective of 0 % promises nothing; promise more"}},
		{"an objective of 1.5", slo("0.995", "1.5"), []string{"a.yaml:13: objectives.target: the objective is 1.5, and 1 is everything; write a share below 1"}},
		{"an objective of -1", slo("0.995", "-1"), []string{"a.yaml:13: objectives.target: an objective of -100 % promises nothing; promise more"}},
		{"an objective with a sign", slo("0.995", `"99%"`), []string{`a.yaml:13: objectives.target must be a number, got "99%"; write digits only, without a unit or %`}},
		{"an objective that is no number", slo("0.995", ".nan"), []string{`a.yaml:13: objectives.target must be a number, got ".nan"; write digits only`}},
		{"an objective that leaves less than rounding does", slo("0.995", "0.99999999999999"), []string{"a.yaml:13: objectives.target: an objective of 0.99999999999999 leaves an error budget of less than one event in a billion; promise less"}},
		{"no objective", slo("    - target: 0.995\n", ""), []string{"a.yaml:12: spec.objectives is missing; for example `objectives: [{target: 0.995}]`"}},
		{"the same name twice in a file", map[string]string{"a.yaml": goodSLO + "---\n" + goodSLO}, []string{"a.yaml:17: SLO good was defined before, in a.yaml:3; give one of them another name"}},
		{"the same name in two files", map[string]string{"a.yaml": goodSLO, "b.yaml": goodSLO}, []string{"b.yaml:3: SLO good was defined before, in a.yaml:3; give one"}},
		{"a window without a length", slo("duration: 28d, ", ""), []string{"a.yaml:11: timeWindow.duration is missing; for example `duration: 28d`"}},
		{"no window", slo("  timeWindow: ["+window+"]\n", ""), []string{"a.yaml:5: spec.timeWindow: the SLO needs exactly one timeWindow; for example"}},
		{"a window of a minute", slo("28d", "5m"), []string{"a.yaml:11: timeWindow.duration: window 5m is out of bounds; use 1h to 400d"}},
		{"a composite of itself", map[string]string{"a.yaml": ring("a", "a")}, []string{"a.yaml:3: the composite refers to itself: a → a; take one of them out of the circle"}},
		{"a composite of three that come back", map[string]string{"a.yaml": ring("a", "b"), "b.yaml": ring("b", "c"), "c.yaml": ring("c", "a")}, []string{"a.yaml:3: the composite refers to itself: a → b → c → a; take one"}},
		{"a composite of something unknown", map[string]string{"a.yaml": ring("a", "goood"), "b.yaml": goodSLO}, []string{`a.yaml:8: SLO a: there is no SLI or SLO goood; did you mean "good"?`}},
		{"no service", slo("  service: edge\n", ""), []string{"a.yaml:5: spec.service is missing; for example `service: checkout`"}},
		{"an empty service", slo("service: edge", "service:"), []string{"a.yaml:5: spec.service is missing; for example"}},
		{"an unknown budgeting method", slo("  objectives:", "  budgetingMethod: Eventually\n  objectives:"), []string{`a.yaml:12: spec.budgetingMethod: budgetingMethod "Eventually" is unknown; known are Occurrences, Timeslices, RatioTimeslices`}},
		{"slices without a target", slo("  objectives:", "  budgetingMethod: Timeslices\n  objectives:"), []string{"a.yaml:14: objectives: budgetingMethod Timeslices needs a timeSliceTarget; say which share"}},
		{"a calendar without a zone", slo(window, "{duration: 1M, isRolling: false, calendar: {startTime: 2026-01-01 00:00:00}}"), []string{"warning: a.yaml:11: timeWindow.calendar: the calendar window has no time zone and begins at midnight UTC; say whose midnight it is"}},
		{"a calendar that is none", slo(window, "{duration: 1M, isRolling: false}"), []string{"warning: a.yaml:11: timeWindow.duration: the calendar window has no time zone"}},
		{"a calendar of an unknown zone", slo(window, "{duration: 1M, isRolling: false, calendar: {timeZone: Mars/Base}}"), []string{`a.yaml:11: timeWindow.calendar.timeZone: time zone "Mars/Base" is unknown; use an IANA name`}},
		{"an alert policy of nothing", slo("  objectives:", "  alertPolicies: [nobody]\n  objectives:"), []string{"a.yaml:12: SLO good: there is no AlertPolicy nobody; write that document"}},
		{"an alert condition of nothing", map[string]string{"a.yaml": strings.Replace(goodSLO, "  objectives:", "  alertPolicies: [mine]\n  objectives:", 1) +
			"---\napiVersion: openslo/v1\nkind: AlertPolicy\nmetadata: {name: mine}\nspec:\n  conditions:\n    - conditionRef: nobody\n"}, []string{"a.yaml:21: AlertPolicy mine: there is no AlertCondition nobody; write that document"}},
		{"an SLI of nothing", map[string]string{"a.yaml": ring("a", "x")}, []string{"a.yaml:8: SLO a: there is no SLI or SLO x; "}},
		{"a bracket that stays open", slo("["+window+"]", "["+window), []string{`a.yaml:11: not valid YAML: the "[" of this line is not closed; add the "]" that belongs to it`}},
		{"a quote that stays open", slo("'sum(all_total)'", "'sum(all_total)"), []string{"not valid YAML: ", "; "}},
		{"an empty file", map[string]string{"a.yaml": ""}, []string{"warning: a.yaml:1: the file holds no document; write an SLO there, or delete the file"}},
		{"a file of comments", map[string]string{"a.yaml": "# nothing yet\n---\n"}, []string{"warning: a.yaml:1: the file holds no document"}},
		{"a tab", slo("  service: edge", "\tservice: edge"), []string{"a.yaml:5: not valid YAML: ", "indent with spaces"}},
		{
			"two documents, one of which is bad",
			map[string]string{"a.yaml": goodSLO + "---\n" + strings.NewReplacer("name: good", "name: other", "service: edge", "servce: edge").Replace(goodSLO)},
			[]string{"a.yaml:19: spec.service is missing", `a.yaml:19: spec: unknown key "servce"; did you mean "service"?`},
		},
		{
			"two documents, one of which is no YAML",
			map[string]string{"a.yaml": strings.Replace(goodSLO, "0.995", "2", 1) + "---\nspec: {\n---\n" + strings.NewReplacer("name: good", "name: third", "28d", "28x").Replace(goodSLO)},
			[]string{"a.yaml:13: objectives.target: the objective is 2", `a.yaml:15: not valid YAML: the "{" of this line is not closed`, `a.yaml:27: timeWindow.duration: window "28x" is unknown`},
		},
		{"a key twice", slo("  service: edge\n", "  service: edge\n  service: layout\n"), []string{`a.yaml:6: spec.service stands here twice; keep one`}},
		{"a huge file", map[string]string{"a.yaml": strings.Repeat("# much too much\n", 300_000)}, []string{"a.yaml:1: it is larger than 4 MiB, and so is no SLO file; check the pattern"}},
		{"Latin 1", slo("name: good", "name: caf\xe9"), []string{"a.yaml:3: not valid UTF-8; save the file as UTF-8"}},
		{"UTF-16", map[string]string{"a.yaml": "\xff\xfea\x00p\x00i\x00"}, []string{"a.yaml:1: not valid UTF-8; save the file as UTF-8"}},
		{
			"all files at once",
			map[string]string{"a.yaml": strings.Replace(goodSLO, "0.995", "7", 1), "b.yaml": strings.Replace(goodSLO, "28d", "28x", 1), "c.yaml": "kind: ["},
			[]string{"a.yaml:13: ", "b.yaml:11: ", `c.yaml:1: not valid YAML: the "[" of this line is not closed`, "3 errors in 3 files"},
		},

		{"Sloth: another version", swap(goodSloth, "prometheus/v1", "prometheus/v2"), []string{`a.yaml:1: version: version is "prometheus/v2"; of Sloth's files prometheus/v1 is read`}},
		{"Sloth: no service", swap(goodSloth, "service: shop\n", ""), []string{"a.yaml:1: service is missing; for example `service: checkout`"}},
		{"Sloth: an objective of 100", swap(goodSloth, "99.9", "100"), []string{"a.yaml:5: slos.objective: an objective of 100 % leaves no error budget; promise less"}},
		{"Sloth: an objective of 0", swap(goodSloth, "99.9", "0"), []string{"a.yaml:5: slos.objective: an objective of 0 % promises nothing; promise more"}},
		{"Sloth: an objective in words", swap(goodSloth, "99.9", "high"), []string{`a.yaml:5: slos.objective must be a number of percent, got "high"; write it without words`}},
		{"Sloth: a query that does not parse", swap(goodSloth, "sum(rate(errors_total[{{.window}}]))", "sum(rate(errors_total[{{.window}}])"), []string{"a.yaml:8: SLO shop-ok: bad query: ", "; try it in Explore"}},
		{"Sloth: no query", swap(goodSloth, "        total_query: sum(rate(requests_total[{{.window}}]))\n", ""), []string{"a.yaml:8: slos.sli.events.total_query is missing; for example"}},
		{"Sloth: no indicator", swap(goodSloth, "events:", "eventz:"), []string{"a.yaml:7: slos.sli: the SLI needs one of events and raw; give error_query", `unknown key "eventz", which Sloth passes over too; did you mean "events"?`}},
		{"Sloth: a name twice", map[string]string{"a.yaml": goodSloth, "b.yaml": goodSloth}, []string{"b.yaml:4: SLO shop-ok was defined before, in a.yaml:4; give one"}},
		{"Sloth: no list", swap(goodSloth, "slos:\n  - name: ok\n", "slos:\n    name: ok\n"), []string{"a.yaml:3: slos must be a list; begin each entry with `- `"}},
		{"Sloth: a bracket that stays open", swap(goodSloth, "service: shop", "labels: {a: b"), []string{`a.yaml:2: not valid YAML: the "{" of this line is not closed`}},

		{"Pyrra: another kind", swap(goodPyrra, "kind: ServiceLevelObjective", "kind: SLO"), []string{`a.yaml:2: kind: kind "SLO" is unknown; Pyrra has ServiceLevelObjective`}},
		{"Pyrra: a target of 100", swap(goodPyrra, `"99.5"`, `"100"`), []string{"a.yaml:5: spec.target: an objective of 100 % leaves no error budget; promise less"}},
		{"Pyrra: a target of -1", swap(goodPyrra, `"99.5"`, `"-1"`), []string{"a.yaml:5: spec.target: an objective of -1 % promises nothing; promise more"}},
		{"Pyrra: no window", swap(goodPyrra, "  window: 4w\n", ""), []string{"a.yaml:5: spec.window is missing; for example `window: 4w`"}},
		{"Pyrra: a window that is none", swap(goodPyrra, "4w", "soon"), []string{`a.yaml:6: spec.window: window "soon" is not 1h to 400d in whole minutes; use for example 4w`}},
		{"Pyrra: a metric that does not parse", swap(goodPyrra, `code=~"5.."}`, `code=~"5.."`), []string{"a.yaml:9: SLO reads: bad query: ", "; try it in Explore"}},
		{"Pyrra: no total", swap(goodPyrra, "      total: {metric: http_requests_total}\n", ""), []string{"a.yaml:9: spec.indicator.ratio.total is missing; for example"}},
		{"Pyrra: no name", swap(goodPyrra, "{name: reads}", "{}"), []string{"a.yaml:3: metadata.name is missing; for example"}},
		{"Pyrra: a name twice", map[string]string{"a.yaml": goodPyrra + "---\n" + goodPyrra}, []string{"a.yaml:14: SLO reads was defined before, in a.yaml:3; give one"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, found, good := say(t, "slos", c.files)
			for _, want := range c.want {
				if !strings.Contains(found, want) {
					t.Errorf("it does not say %q:\n%s", want, found)
				}
			}
			if warned := strings.HasPrefix(c.want[0], "warning: "); warned && (status != 0 || !strings.Contains(good, "are good")) || !warned && (status != 3 || good != "") {
				t.Errorf("exit status %d, %q", status, good)
			}
			everyFindingIsWhole(t, found)
		})
	}
}

// everyFindingIsWhole looks for file, line, cause and cure in each line of a check.
func everyFindingIsWhole(t *testing.T, found string) {
	t.Helper()
	whole := regexp.MustCompile(`^(warning: )?[a-z]\.yaml:[1-9]\d*: .+; .+`)
	lines := strings.Split(strings.TrimSpace(found), "\n")
	for i, l := range lines {
		if last := i == len(lines)-1 && regexp.MustCompile(`^\d+ errors? in \d+ files?$`).MatchString(l); !last && !whole.MatchString(l) {
			t.Errorf("without file, line, cause or cure: %q", l)
		}
	}
}

func TestCheckSLOsTakesGoodFilesOfAllKinds(t *testing.T) {
	status, found, good := say(t, "slos", map[string]string{"a.yaml": goodSLO, "b.yaml": goodSloth, "c.yaml": "\uFEFF" + strings.ReplaceAll(goodPyrra, "\n", "\r\n"), "d.yaml": fmt.Sprintf(goodComposite, "all", "good")})
	if status != 0 || found != "" || good != "4 SLOs in 4 files are good\n" {
		t.Errorf("%d %q %q", status, found, good)
	}
}

func TestACheckOfFilesThatAreNotThereShowsTheOthersToo(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("a.yaml", []byte(strings.Replace(goodSLO, "0.995", "7", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	for kind, want := range map[string]string{"slos": "a.yaml:13: objectives.target: ", "policies": "a.yaml:1: unknown key"} {
		status, _, found := run(t, "check", kind, "none/*.yaml", "a.yaml", "nowhere.yaml")
		if status != 3 {
			t.Errorf("%s: exit status %d", kind, status)
		}
		for _, text := range []string{want, "none/*.yaml: there is no such file", "nowhere.yaml: there is no such file"} {
			if !strings.Contains(found, text) {
				t.Errorf("%s: no %q in %s", kind, text, found)
			}
		}
	}
}

const goodPolicy = `policies:
  - name: broker
    match: {services: [edge], environments: [prod]}
    rules:
      caution_above: 0.5
      hold_above: 0.75
      freeze_at: 1
      burn_fast: {long: 1h, short: 5m, factor: 14}
    freezes:
      - {name: year end, reason: closed, start: 2025-12-24, end: 2026-01-02, time_zone: Europe/Zurich}
`

// TestCheckPoliciesNamesPlaceCauseAndCure does the same with budget policies.
func TestCheckPoliciesNamesPlaceCauseAndCure(t *testing.T) {
	policy := func(old, now string) map[string]string {
		if !strings.Contains(goodPolicy, old) {
			t.Fatalf("%q is not in the document", old)
		}
		return map[string]string{"a.yaml": strings.Replace(goodPolicy, old, now, 1)}
	}
	for _, c := range []struct {
		name  string
		files map[string]string
		want  []string
	}{
		{"an unknown key", policy("hold_above", "hold_abov"), []string{`a.yaml:6: policies[0].rules: unknown key "hold_abov"; did you mean "hold_above"?`}},
		{"limits in the wrong order", policy("hold_above: 0.75", "hold_above: 0.25"), []string{"a.yaml:5: policies[0].rules.caution_above: must be above 0 and at most hold_above, got 0.5"}},
		{"a limit of 0", policy("caution_above: 0.5", "caution_above: 0"), []string{"a.yaml:5: policies[0].rules.caution_above: must be above 0"}},
		{"a limit in percent", policy("0.75", "75%"), []string{"a.yaml:6: policies[0].rules.hold_above must be a number, is a text; write digits only"}},
		{"a limit that is no number", policy("0.75", ".nan"), []string{"a.yaml:6: policies[0].rules.hold_above: must be a number, got NaN"}},
		{"a short window that is longer", policy("short: 5m", "short: 5h"), []string{"a.yaml:8: policies[0].rules.burn_fast.short: must be above 0 and below long, got 5h"}},
		{"a factor of 0", policy("factor: 14", "factor: 0"), []string{"a.yaml:8: policies[0].rules.burn_fast.factor: must be > 0, got 0"}},
		{"no name", policy("name: broker", "name: ''"), []string{"a.yaml:2: policies[0].name: must be given"}},
		{"the name of the gate section", policy("name: broker", "name: default"), []string{"a.yaml:2: policies[0].name: must be given and not be \"default\""}},
		{"a name twice in a file", map[string]string{"a.yaml": goodPolicy + strings.TrimPrefix(goodPolicy, "policies:\n")}, []string{`a.yaml:11: name: "broker" stands for another policy already (a.yaml:2)`}},
		{"a name in two files", map[string]string{"a.yaml": goodPolicy, "b.yaml": goodPolicy}, []string{`b.yaml:2: name: "broker" stands for another policy already (a.yaml:2)`}},
		{"a freeze of an unknown zone", policy("Europe/Zurich", "Mars/Base"), []string{`a.yaml:10: policies[0].freezes[0].time_zone: "Mars/Base" is no IANA name such as Europe/Zurich`}},
		{"a freeze without a reason", policy("reason: closed, ", ""), []string{"a.yaml:10: policies[0].freezes[0].reason: must say why"}},
		{"a freeze that ends before it begins", policy("end: 2026-01-02", "end: 2025-12-02"), []string{"a.yaml:10: policies[0].freezes[0].end: must be after start"}},
		{"a pattern that is none", policy("[edge]", "['[']"), []string{`a.yaml:3: policies[0].match.services: "[" is no name or pattern`}},
		{"no list", map[string]string{"a.yaml": "policies:\n  name: a\n"}, []string{"a.yaml:1: policies must be a list; begin each entry with"}},
		{"an empty file", map[string]string{"a.yaml": ""}, []string{"a.yaml:1: it holds no policies; begin with the key policies and a list"}},
		{"an SLO", map[string]string{"a.yaml": goodSLO}, []string{`a.yaml:1: unknown key "apiVersion"; known are policies`}},
		{"a second document", map[string]string{"a.yaml": goodPolicy + "---\n" + goodPolicy}, []string{"a.yaml:12: a second YAML document: one file holds one list of policies"}},
		{"a key twice", policy("      freeze_at: 1\n", "      freeze_at: 1\n      freeze_at: 2\n"), []string{"a.yaml:8: "}},
		{"a bracket that stays open", policy("{services: [edge], environments: [prod]}", "{services: [edge"), []string{"a.yaml:"}},
		{"a tab", policy("    match", "\tmatch"), []string{"a.yaml:3: "}},
		{"Latin 1", policy("broker", "caf\xe9"), []string{"a.yaml:2: not valid UTF-8; save the file as UTF-8"}},
		{"a huge file", map[string]string{"a.yaml": strings.Repeat("# much too much\n", 100_000)}, []string{"a.yaml:1: it is larger than 1 MiB, and so is no policy file; check the pattern"}},
		{"all at once", map[string]string{"a.yaml": strings.Replace(goodPolicy, "0.75", "7", 1), "b.yaml": "policies: [", "c.yaml": "polices: []"}, []string{"a.yaml:6: ", "b.yaml:1: ", "c.yaml:1: unknown key \"polices\"; did you mean \"policies\"?", "3 errors in 3 files"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, found, good := say(t, "policies", c.files)
			for _, want := range c.want {
				if !strings.Contains(found, want) {
					t.Errorf("it does not say %q:\n%s", want, found)
				}
			}
			if status != 3 || good != "" {
				t.Errorf("exit status %d, %q", status, good)
			}
		})
	}
	status, found, good := say(t, "policies", map[string]string{"a.yaml": goodPolicy})
	want := "broker (services edge; environments prod): caution above 50 %, hold above 75 %, freeze at 100 % of the budget; blocks at 14× over 1 h and 5 m and 6× over 6 h and 30 m; 1 freeze\n1 policy in 1 file: good\n"
	if status != 0 || found != "" || good != want {
		t.Errorf("%d %q %q", status, found, good)
	}
}

func TestCheckPoliciesBuildsOnTheGateSection(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{"p.yml": "policies: [{name: a, rules: {caution_above: 0.6}}]\n", "signalbox.yml": "gate: {hold_above: 0.55, caution_above: 0.3}\npolicy_files: [p.yml]\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if status, out, found := run(t, "check", "policies", "p.yml"); status != 0 || !strings.Contains(out, "hold above 75 %") {
		t.Errorf("alone: %d %q %q", status, out, found)
	}
	if status, _, found := run(t, "check", "policies", "--config.file", "signalbox.yml"); status != 3 || !strings.Contains(found, "p.yml:1: policies[0].rules.caution_above: must be above 0 and at most hold_above, got 0.6") {
		t.Errorf("on the gate section: %d %q", status, found)
	}
	if status, _, found := run(t, "check", "policies"); status != 2 || !strings.Contains(found, "FILE") {
		t.Errorf("without a file: %d %q", status, found)
	}
}
