package openslo

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const good = `apiVersion: openslo/v1
kind: Service
metadata: {name: layout, displayName: Open Layout}
spec: {description: Layouts}
---
apiVersion: openslo/v1
kind: SLO
metadata:
  name: layout-availability
  displayName: Layouts open
  labels: {team: [a, b], env: prod}
spec:
  service: layout
  description: Almost every request is answered.
  indicator:
    metadata: {name: availability}
    spec:
      ratioMetric:
        counter: true
        good:
          metricSource:
            type: Prometheus
            spec:
              query: sum(http_requests_total{code!~"5.."})
        total:
          metricSource: {spec: {query: sum(http_requests_total)}}
  timeWindow:
    - duration: 28d
      isRolling: true
  budgetingMethod: Occurrences
  objectives:
    - displayName: 99.5 percent
      targetPercent: 99.5
`

func TestDocumentsAreRead(t *testing.T) {
	docs, problems := Parse("a.yaml", []byte(good))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	want := Documents{
		Services: []Service{{Meta: Meta{Name: "layout", DisplayName: "Open Layout", File: "a.yaml", Line: 3}, Description: "Layouts"}},
		SLOs: []SLO{{
			Meta:        Meta{Name: "layout-availability", DisplayName: "Layouts open", Labels: map[string]string{"team": "a,b", "env": "prod"}, File: "a.yaml", Line: 9},
			Description: "Almost every request is answered.", Service: "layout", Window: 28 * 24 * time.Hour, Method: Occurrences,
			Indicator: &SLI{Meta: Meta{Name: "availability", File: "a.yaml", Line: 16}, Ratio: &Ratio{
				Counter: true,
				Good:    &Metric{Type: "Prometheus", Query: `sum(http_requests_total{code!~"5.."})`, Line: 24},
				Total:   &Metric{Query: "sum(http_requests_total)", Line: 26},
			}},
			Objectives: []Objective{{DisplayName: "99.5 percent", Target: 0.995, SliceWindow: time.Minute, Line: 32}},
		}},
	}
	if diff := cmp.Diff(want, docs); diff != "" {
		t.Error(diff)
	}
}

func TestEveryProblemIsNamedWithLineAndCure(t *testing.T) {
	for _, c := range []struct {
		name, old, new string
		want           []string
	}{
		{"an objective of 100 %", "targetPercent: 99.5", "targetPercent: 100", []string{"a.yaml:33: objectives.targetPercent: an objective of 100 % leaves no error budget; promise less"}},
		{"an objective of 0 %", "targetPercent: 99.5", "target: 0", []string{"promises nothing"}},
		{"both targets", "targetPercent: 99.5", "targetPercent: 99.5\n      target: 0.9", []string{"one of target and targetPercent"}},
		{"an unknown key", "  budgetingMethod:", "  budgetingMethd:", []string{`a.yaml:30: spec: unknown key "budgetingMethd"; did you mean "budgetingMethod"?`}},
		{"an unknown window", "28d", "1M", []string{`a.yaml:28: timeWindow.duration: window "1M" is unknown: months`}},
		{"no window", "  timeWindow:\n    - duration: 28d\n      isRolling: true\n", "", []string{"exactly one timeWindow"}},
		{"a key that stands twice", "isRolling: true", "isRolling: true\n      isRolling: true", []string{"stands here twice"}},
		{"a calendar window that rolls", "isRolling: true", "isRolling: true\n      calendar: {timeZone: UTC}", []string{"the window rolls and follows a calendar"}},
		{"an unknown time zone", "isRolling: true", "isRolling: false\n      calendar: {timeZone: Europe/Zurch}", []string{`time zone "Europe/Zurch" is unknown; use an IANA name`}},
		{"a calendar window of hours", "28d\n      isRolling: true", "28h\n      isRolling: false", []string{"days, weeks, months, quarters or years"}},
		{"an unknown method", "Occurrences", "Occurences", []string{`did you mean "Occurrences"?`}},
		{"no total", "total:", "bad:", []string{"total is missing"}},
		{"no indicator", "indicator:", "indicatorRef: x\n  indicator:", []string{"one of indicator and indicatorRef"}},
		{"no query", "query: sum(http_requests_total)", "query: ''", []string{"query is empty"}},
		{"an unknown kind", "kind: Service", "kind: Servic", []string{`kind: kind "Servic" is unknown; did you mean "Service"?`}},
		{"an unknown version", "apiVersion: openslo/v1\nkind: Service", "apiVersion: openslo/v2\nkind: Service", []string{"apiVersion is \"openslo/v2\"; openslo/v1, openslo/v1alpha"}},
		{"an alert policy without conditions", "kind: Service", "kind: AlertPolicy", []string{"spec.conditions is missing"}},
		{"an alert condition that is none", "kind: Service", "kind: AlertCondition", []string{"spec.severity is missing", "spec.condition is missing"}},
		{"a receiver without a target", "kind: Service", "kind: AlertNotificationTarget", []string{"spec.target is missing"}},
		{"a weight without an indicator", "targetPercent: 99.5", "targetPercent: 99.5\n      compositeWeight: 2", []string{"compositeWeight needs an indicator"}},
		{"indicators in both places", "targetPercent: 99.5", "targetPercent: 99.5\n      indicatorRef: x", []string{"and so have its objectives"}},
		{"a name that cannot be a path", "name: layout-availability", "name: layout/availability", []string{"is not usable"}},
		{"another store's type", "type: Prometheus", "type: Datadog", []string{"known are Prometheus, signalbox-spans"}},
		{"text for a number", "99.5\n", "high\n", []string{`must be a number, got "high"`}},
		{"broken YAML", "spec: {description: Layouts}", "spec: {description: Layouts", []string{"a.yaml:", "not valid YAML"}},
		{"several at once", "targetPercent: 99.5", "targetPercent: 100\n      op: less\n      colour: red", []string{"leaves no error budget", "lt, lte, gt or gte", `unknown key "colour"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(good, c.old) {
				t.Fatalf("%q is not in the document", c.old)
			}
			_, problems := Parse("a.yaml", []byte(strings.Replace(good, c.old, c.new, 1)))
			var texts []string
			for _, p := range problems {
				texts = append(texts, p.Error())
				if p.Line == 0 {
					t.Errorf("no line: %v", p)
				}
			}
			for _, want := range c.want {
				if !strings.Contains(strings.Join(texts, "\n"), want) {
					t.Errorf("no %q in\n%s", want, strings.Join(texts, "\n"))
				}
			}
		})
	}
}

func TestADocumentWithAProblemIsLeftOutAndOthersStay(t *testing.T) {
	docs, _ := Parse("a.yaml", []byte(strings.Replace(good, "targetPercent: 99.5", "target: 7", 1)))
	if len(docs.SLOs) != 0 || len(docs.Services) != 1 {
		t.Errorf("got %d SLOs and %d services", len(docs.SLOs), len(docs.Services))
	}
}

func TestAnchorsAndAliasesAreFollowed(t *testing.T) {
	text := strings.Replace(good, "query: sum(http_requests_total{", "query: &q sum(http_requests_total{", 1)
	text = strings.Replace(text, "query: sum(http_requests_total)", "query: *q", 1)
	docs, problems := Parse("a.yaml", []byte(text))
	if len(problems) > 0 || docs.SLOs[0].Indicator.Ratio.Total.Query != docs.SLOs[0].Indicator.Ratio.Good.Query {
		t.Errorf("%v %+v", problems, docs.SLOs)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte("apiVersion: openslo/v1\nkind: SLO\nmetadata: &a {name: *a}\nspec: [1, 2]\n"))
	f.Add([]byte("- - - {"))
	f.Add([]byte(sloth))
	f.Add([]byte(pyrra))
	f.Add([]byte(peaks))
	f.Add([]byte(good + "---\nspec: [\n---\n" + good))
	f.Add([]byte("\uFEFFapiVersion: openslo/v1\r\nkind: \"SLO\r\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		docs, problems := Parse("f.yaml", text)
		for _, s := range docs.SLOs {
			if s.Window <= 0 || len(s.Objectives) == 0 || s.Name == "" || s.Service == "" {
				t.Errorf("an SLO without what it needs was kept: %+v", s)
			}
			for _, o := range s.Objectives {
				if !(o.Target > 0 && o.Target < 1) {
					t.Errorf("objective %v was kept", o.Target)
				}
			}
		}
		for _, p := range problems {
			if p.Message == "" || p.File != "f.yaml" || p.Line < 1 || p.Cure == "" {
				t.Errorf("a problem without a message, a file, a line or a cure: %+v", p)
			}
		}
	})
}
