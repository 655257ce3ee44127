package openslo

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// read is what a text without problems holds.
func read(t *testing.T, text string) Documents {
	t.Helper()
	docs, problems := Parse("a.yaml", []byte(text))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return docs
}

// sloWith is an SLO of openslo/v1 with an indicator and an objective, both as YAML in one line.
func sloWith(indicator, objective, method string) string {
	return fmt.Sprintf("apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: x}\nspec:\n  service: s\n  indicator: {spec: %s}\n"+
		"  timeWindow: [{duration: 28d, isRolling: true}]\n  budgetingMethod: %s\n  objectives: [%s]\n", indicator, method, objective)
}

func TestEveryPartOfARatioArrives(t *testing.T) {
	const good, bad, total = "good: {metricSource: {spec: {query: g}}}", "bad: {metricSource: {spec: {query: b}}}", "total: {metricSource: {spec: {query: t}}}"
	q := func(text string) *Metric { return &Metric{Query: text} }
	for _, c := range []struct {
		text string
		want Ratio
	}{
		{good + ", " + total, Ratio{Counter: true, Good: q("g"), Total: q("t")}},
		{"counter: true, " + bad + ", " + total, Ratio{Counter: true, Bad: q("b"), Total: q("t")}},
		{"counter: false, " + good + ", " + total, Ratio{Good: q("g"), Total: q("t")}},
		{"rawType: success, raw: {metricSource: {spec: {query: r}}}", Ratio{Counter: true, RawType: "success", Raw: q("r")}},
		{"rawType: failure, raw: {metricSource: {metricSourceRef: prom, type: prometheus, spec: {query: '  r  '}}}", Ratio{Counter: true, RawType: "failure", Raw: &Metric{Source: "prom", Type: "prometheus", Query: "r"}}},
		{"good: {metricSource: {type: SIGNALBOX-SPANS, spec: {query: 'a:1', quiet: 10m}}}, total: {metricSource: {type: signalbox-spans, spec: {query: '*', by: [http.route, tenant], quiet: 2h}}}", Ratio{
			Counter: true, Good: &Metric{Type: SourceSpans, Query: "a:1", Quiet: 10 * time.Minute},
			Total: &Metric{Type: SourceSpans, Query: "*", Quiet: 2 * time.Hour, By: []string{"http.route", "tenant"}},
		}},
		{"bad: {metricSource: {type: signalbox-deploys, spec: {query: 'a:1', quiet: 28d}}}, total: {metricSource: {type: signalbox-logs, spec: {query: '*'}}}", Ratio{
			Counter: true, Bad: &Metric{Type: SourceDeploys, Query: "a:1", Quiet: 28 * day}, Total: &Metric{Type: SourceLogs, Query: "*"},
		}},
	} {
		docs := read(t, sloWith("{description: d, ratioMetric: {"+c.text+"}}", "{target: 0.9}", "Occurrences"))
		in := docs.SLOs[0].Indicator
		if diff := cmp.Diff(&c.want, in.Ratio, cmpopts.IgnoreFields(Metric{}, "Line")); diff != "" || in.Description != "d" || in.Name != "x" {
			t.Errorf("%s: %+v %s", c.text, in.Meta, diff)
		}
		if in.Valued() != in.Ratio.Raw {
			t.Errorf("%s: what is judged by its value: %+v", c.text, in.Valued())
		}
	}
}

func TestEveryPartOfAnObjectiveArrives(t *testing.T) {
	const threshold = "{thresholdMetric: {metricSource: {spec: {query: v}}}}"
	for _, c := range []struct {
		text, method string
		want         Objective
	}{
		{"{displayName: Fast, op: lte, value: 0.3, target: 0.9}", Occurrences, Objective{DisplayName: "Fast", Op: "lte", Value: 0.3, HasValue: true, Target: 0.9, SliceWindow: time.Minute}},
		{"{op: gt, value: 0, targetPercent: 90}", Occurrences, Objective{Op: "gt", HasValue: true, Target: 0.9, SliceWindow: time.Minute}},
		{"{op: gte, value: -2.5, target: 0.9}", Occurrences, Objective{Op: "gte", Value: -2.5, HasValue: true, Target: 0.9, SliceWindow: time.Minute}},
		{"{op: lt, value: 1e-7, target: 0.9, timeSliceTarget: 0.5, timeSliceWindow: 1h}", Timeslices, Objective{Op: "lt", Value: 1e-7, HasValue: true, Target: 0.9, SliceTarget: 0.5, SliceWindow: time.Hour}},
		{"{op: lt, value: 1, target: 0.9, timeSliceWindow: 30m}", RatioTimeslices, Objective{Op: "lt", Value: 1, HasValue: true, Target: 0.9, SliceWindow: 30 * time.Minute}},
	} {
		docs := read(t, sloWith(threshold, c.text, c.method))
		s := docs.SLOs[0]
		if diff := cmp.Diff(c.want, s.Objectives[0], cmpopts.IgnoreFields(Objective{}, "Line")); diff != "" || s.Method != c.method || s.Objectives[0].Line != 9 {
			t.Errorf("%s: method %s, line %d: %s", c.text, s.Method, s.Objectives[0].Line, diff)
		}
		if s.Indicator.Valued() != s.Indicator.Threshold || s.Indicator.Threshold.Query != "v" {
			t.Errorf("%s: %+v", c.text, s.Indicator)
		}
		if err := roundTrip(docs); err != nil {
			t.Errorf("%s: %v", c.text, err)
		}
	}
}

// composite is one in the keys of a version.
const composite = `apiVersion: %[1]s
kind: SLO
metadata: {name: whole, displayName: Whole, labels: {team: a}, annotations: {runbook: 'https://rb.example'}}
spec:
  service: s
  description: d
  timeWindow: [{duration: 4w}]
  objectives:
  - {displayName: a, %[2]sRef: other, compositeWeight: 2.5}
  - {%[2]sRef: third, targetPercent: 99.9}
  - {displayName: c, %[2]s: {metadata: {name: own, displayName: Own}, spec: {thresholdMetric: {%[3]s}}}, op: lt, value: 1, target: 0.9, compositeWeight: 0.5}
`

// The same composite in v1 and in v2alpha, which only calls some things otherwise.
func TestTheVersionsOfOpenSLOMeanTheSame(t *testing.T) {
	one := read(t, fmt.Sprintf(composite, Version, "indicator", "metricSource: {metricSourceRef: here, type: Prometheus, spec: {query: v}}"))
	two := read(t, fmt.Sprintf(composite, NextVersion, "sli", "dataSourceRef: here, dataSourceSpec: {type: Prometheus, description: d, connectionDetails: {url: u}}, spec: {query: v}"))
	if diff := cmp.Diff(one, two, places()); diff != "" {
		t.Error(diff)
	}
	want := SLO{
		Meta:        Meta{Name: "whole", DisplayName: "Whole", Labels: map[string]string{"team": "a"}, Annotations: map[string]string{"runbook": "https://rb.example"}, File: "a.yaml", Line: 3},
		Description: "d", Service: "s", Window: 28 * day, Method: Occurrences,
		Objectives: []Objective{
			{DisplayName: "a", IndicatorRef: "other", Weight: 2.5, SliceWindow: time.Minute, Line: 9},
			{IndicatorRef: "third", Target: 0.999, Weight: 1, SliceWindow: time.Minute, Line: 10},
			{DisplayName: "c", Op: "lt", Value: 1, HasValue: true, Target: 0.9, Weight: 0.5, SliceWindow: time.Minute, Line: 11, Indicator: &SLI{
				Meta:      Meta{Name: "own", DisplayName: "Own", File: "a.yaml", Line: 11},
				Threshold: &Metric{Source: "here", Type: "Prometheus", Query: "v", Line: 11},
			}},
		},
	}
	if diff := cmp.Diff(want, one.SLOs[0]); diff != "" || !one.SLOs[0].Composite() {
		t.Error(diff)
	}
	// Each version has its own keys, and names those when the other's stand there.
	_, problems := Parse("a.yaml", []byte(fmt.Sprintf(composite, Version, "sli", "metricSource: {spec: {query: v}}")))
	if got := fmt.Sprint(problems); !strings.Contains(got, `a.yaml:9: objectives: unknown key "sliRef"`) || !strings.Contains(got, `a.yaml:11: objectives: unknown key "sli"`) {
		t.Error(got)
	}
	// A file may hold both, in either order.
	both := fmt.Sprintf(composite, NextVersion, "sli", "spec: {query: v}") + "---\n" + fmt.Sprintf(composite, Version, "indicator", "metricSource: {spec: {query: v}}")
	if docs := read(t, both); len(docs.SLOs) != 2 || docs.SLOs[0].Objectives[2].Indicator.Threshold.Query != docs.SLOs[1].Objectives[2].Indicator.Threshold.Query {
		t.Errorf("%+v", docs.SLOs)
	}
}

func TestEveryPartOfAlertingArrives(t *testing.T) {
	docs := read(t, `apiVersion: openslo/v1
kind: SLO
metadata: {name: x}
spec:
  service: s
  indicatorRef: sli
  timeWindow: [{duration: 28d}]
  objectives: [{target: 0.9}]
  alertPolicies:
  - by-text
  - {alertPolicyRef: by-key}
  - apiVersion: openslo/v1
    kind: AlertPolicy
    metadata: {name: own, labels: {team: a}, annotations: {b: c}}
    spec:
      description: d
      alertWhenNoData: true
      alertWhenBreaching: false
      alertWhenResolved: true
      conditions:
      - burn
      - kind: AlertCondition
        metadata: {name: fast}
        spec: {description: e, severity: page, condition: {kind: Burnrate, op: gt, threshold: 14.4, lookbackWindow: 90m, alertAfter: 0m}}
      notificationTargets: [chat]
`)
	s := docs.SLOs[0]
	want := []PolicyRef{
		{Name: "by-text", Line: 10},
		{Name: "by-key", Line: 11},
		{Line: 12, Inline: &AlertPolicy{
			Meta: Meta{Name: "own", Labels: map[string]string{"team": "a"}, Annotations: map[string]string{"b": "c"}, File: "a.yaml", Line: 14}, Description: "d", WhenNoData: true,
			Conditions: []ConditionRef{{Name: "burn", Line: 21}, {Line: 22, Inline: &AlertCondition{
				Meta: Meta{Name: "fast", File: "a.yaml", Line: 23}, Description: "e", Severity: "page", Threshold: 14.4, Lookback: 90 * time.Minute,
			}}},
			Targets: []TargetRef{{Name: "chat", Line: 25}},
		}},
	}
	if diff := cmp.Diff(want, s.Policies); diff != "" || s.IndicatorRef != "sli" || s.Indicator != nil {
		t.Error(diff)
	}
}

// A value that a merge key brings is read as if it stood there; what stands there goes before it, and of
// several mappings the first.
func TestMergeKeysAreLaidUnderWhatStandsThere(t *testing.T) {
	docs := read(t, strings.Replace(good, "  objectives:\n    - displayName: 99.5 percent\n      targetPercent: 99.5\n",
		"  objectives:\n  - &a {displayName: a, target: 0.9}\n  - &b {<<: *a, displayName: b}\n  - {<<: [{target: 0.5}, *b], displayName: c}\n  - {<<: *b, target: 0.7}\n", 1))
	var got []string
	for _, o := range docs.SLOs[0].Objectives {
		got = append(got, fmt.Sprintf("%s=%v", o.DisplayName, o.Target))
	}
	if text := strings.Join(got, " "); text != "a=0.9 b=0.9 c=0.5 b=0.7" {
		t.Error(text)
	}
}

// A document means the same alone, as one of several, in a list and in an object that lists.
func TestListsMeanTheirEntries(t *testing.T) {
	const one, two = "{apiVersion: openslo/v1, kind: Service, metadata: {name: a}, spec: {description: d}}", "{apiVersion: openslo/v1, kind: SLI, metadata: {name: b}, spec: {thresholdMetric: {metricSource: {spec: {query: v}}}}}"
	want := read(t, one+"\n---\n"+two+"\n")
	if len(want.Services) != 1 || len(want.SLIs) != 1 || want.Empty() {
		t.Fatalf("%+v", want)
	}
	for _, text := range []string{
		"- " + one + "\n- " + two + "\n", "[" + one + ", [" + two + "]]\n", "---\n---\n[" + one + "]\n---\n" + two + "\n---\n",
		"apiVersion: v1\nkind: List\nmetadata: {}\nitems:\n- " + one + "\n- " + two + "\n",
		"apiVersion: openslo/v1\nkind: ServiceList\nitems: [" + one + "]\n---\n" + two + "\n",
	} {
		if diff := cmp.Diff(want, read(t, text), places()); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
}

func TestDocumentsOfSeveralFilesAreFoundByTheirFile(t *testing.T) {
	all := Documents{}
	for name, text := range map[string]string{"a.yaml": good, "b.yaml": peaks, "c.yaml": sloth} {
		docs, _ := Parse(name, []byte(text))
		all.Append(docs)
	}
	a, b, c, none := all.Of("a.yaml"), all.Of("b.yaml"), all.Of("c.yaml"), all.Of("d.yaml")
	if len(a.Services) != 1 || len(a.SLOs) != 1 || len(a.Calendars) != 0 || len(b.Calendars) != 1 || len(b.SLOs) != 0 || len(c.SLOs) != 2 || !none.Empty() || a.Empty() || b.Empty() {
		t.Errorf("%+v\n%+v\n%+v\n%+v", a, b, c, none)
	}
}

func TestCalendarsAreSaidInWords(t *testing.T) {
	for text, want := range map[string]string{
		"1M": "calendar month (Europe/Zurich)", "3M": "3 calendar months (Europe/Zurich)", "1d": "calendar day (Europe/Zurich)", "2w": "2 calendar weeks (Europe/Zurich)",
		"1Q": "calendar quarter (Europe/Zurich)", "1Y": "calendar year (Europe/Zurich)",
	} {
		c := window(t, text, "timeZone: Europe/Zurich")
		if c.Words() != want || c.Text() != text {
			t.Errorf("%s: %q, %q", text, c.Words(), c.Text())
		}
	}
}
