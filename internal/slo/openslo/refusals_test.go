package openslo

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Each refusal whole: where, what, and what to write instead.
func TestRefusalsAreSaidWhole(t *testing.T) {
	document := func(kind, spec string) string {
		return "apiVersion: openslo/v1\nkind: " + kind + "\nmetadata: {name: x}\nspec:\n  " + spec + "\n"
	}
	condition := func(rest string) string { return document("AlertCondition", "severity: page\n  condition: {"+rest+"}") }
	policy := func(rest string) string { return document("AlertPolicy", rest) }
	ratio := func(rest string) string { return document("SLI", "ratioMetric: {"+rest+"}") }
	const good, bad, total, raw = "good: {metricSource: {spec: {query: g}}}", "bad: {metricSource: {spec: {query: b}}}", "total: {metricSource: {spec: {query: t}}}", "raw: {metricSource: {spec: {query: r}}}"
	for _, c := range []struct{ text, want string }{
		{condition("kind: burnrat, threshold: 1, lookbackWindow: 1h"), `6: spec.condition.kind: condition kind "burnrat" is unknown; OpenSLO knows burnrate`},
		{condition("kind: burnrate, op: lte, threshold: 1, lookbackWindow: 1h"), `6: spec.condition.op: op "lte" would alert on a budget that lasts; use gte`},
		{condition("kind: burnrate, lookbackWindow: 1h"), "6: spec.condition.threshold is missing; give the burn rate, for example 14"},
		{condition("kind: burnrate, threshold: 0, lookbackWindow: 1h"), "6: spec.condition.threshold: the threshold is 0; give a burn rate above 0, for example 14"},
		{condition("kind: burnrate, threshold: -1, lookbackWindow: 1h"), "6: spec.condition.threshold: the threshold is -1; give a burn rate above 0, for example 14"},
		{condition("kind: burnrate, threshold: 1"), "6: spec.condition.lookbackWindow is missing; for example `lookbackWindow: 1h`"},
		{condition("kind: burnrate, threshold: 1, lookbackWindow: 1h, alertAfter: 30s"), `6: spec.condition.alertAfter: alertAfter "30s" is unknown: it has no unit; use a number with m, h, d or w, for example 1h`},
		{condition("kind: burnrate, threshold: 1, lookbakWindow: 1h"), `6: spec.condition: unknown key "lookbakWindow"; did you mean "lookbackWindow"?`},
		{policy("conditions: [{kind: AlertPolicy, metadata: {name: a}, spec: {severity: a, condition: {kind: burnrate, threshold: 1, lookbackWindow: 1h}}}]"), `5: spec.conditions.kind: kind "AlertPolicy" cannot stand here; write AlertCondition, or conditionRef with a name`},
		{policy("conditions: []\n  notificationTargets: [{targetRef: a, targetReff: b}]"), `6: spec.notificationTargets: unknown key "targetReff"; did you mean "targetRef"?`},
		{policy("conditions: []\n  alertWhenNoData: yes please"), "6: spec.alertWhenNoData must be true or false; write one of the two words, without quotes"},
		{policy("conditions: {}"), "5: spec.conditions must be a list; begin each entry with `- `"},
		{document("AlertNotificationTarget", "target: ''"), "5: spec.target is missing; name who is told, for example `target: pagerduty`"},
		{document("DataSource", "type: Datadog"), `5: spec.type: data source type "Datadog" cannot be read; only Prometheus is; its metrics must reach the own store`},
		{document("Service", "descript1on: d"), `5: spec: unknown key "descript1on"; did you mean "description"?`},
		{document("SLI", "description: d"), "5: spec: the indicator needs one of ratioMetric and thresholdMetric; count events with ratioMetric, compare a value with thresholdMetric"},
		{ratio(raw), "5: spec.ratioMetric: raw needs rawType; say `rawType: success` or `rawType: failure`"},
		{ratio(raw + ", rawType: good"), "5: spec.ratioMetric: raw needs rawType; say `rawType: success` or `rawType: failure`"},
		{ratio(raw + ", rawType: success, " + total), "5: spec.ratioMetric: raw stands beside good, bad or total; give either the ratio as raw or its parts"},
		{ratio(good), "5: spec.ratioMetric: total is missing; add the query that counts all events"},
		{ratio(total), "5: spec.ratioMetric: the ratio needs one of good and bad beside total; add the query of the one that is easier to count, and only that one"},
		{ratio(good + ", " + bad + ", " + total), "5: spec.ratioMetric: the ratio needs one of good and bad beside total; add the query of the one that is easier to count, and only that one"},
		{ratio("good: {}, " + total), "5: spec.ratioMetric.good.metricSource is missing; for example `metricSource: {spec: {query: 'sum(requests_total)'}}`"},
		{ratio("good: {metricSource: {spec: {query: g, quiet: 5m}}}, " + total), `5: spec.ratioMetric.good.metricSource.spec: unknown key "quiet"; known are query`},
		{ratio("good: {metricSource: {type: signalbox-span, spec: {query: g}}}, " + total), `5: spec.ratioMetric.good.metricSource.type: metric source type "signalbox-span" cannot be read; did you mean "signalbox-spans"?`},
		{ratio("good: {metricSource: {type: signalbox-spans, spec: {query: g, quiet: 3h}}}, " + total), "5: spec.ratioMetric.good.metricSource.spec.quiet: quiet is 3h0m0s; give 1m to 2h"},
		{ratio("good: {metricSource: {type: signalbox-deploys, spec: {query: g, quiet: 29d}}}, " + total), "5: spec.ratioMetric.good.metricSource.spec.quiet: quiet is 696h0m0s; give 1m to 28d"},
		{ratio("good: {metricSource: {type: signalbox-logs, spec: {query: g, by: [[a]]}}}, " + total), "5: spec.ratioMetric.good.metricSource.spec.by must be a list of texts; put each in quotes if need be"},
		{"apiVersion: openslo/v1\nkind: Service\nmetadata: {name: " + strings.Repeat("a", 121) + "}\n", `3: metadata.name: the name "` + strings.Repeat("a", 121) + `" is not usable; use letters, digits, . _ and -, at most 120 of them`},
		{"apiVersion: openslo/v1\nkind: Service\nmetadata: {naem: a}\n", "3: metadata.name is missing; for example `name: checkout-availability`"},
		{"apiVersion: openslo/v1\nkind: Service\n", "1: metadata is missing; for example `metadata: {name: checkout-availability}`"},
		{"apiVersion: openslo/v1\nmetadata: {name: a}\n", "1: kind is missing; for example `kind: SLO`"},
		{"kind: SLO\n", "1: apiVersion is missing; for example `apiVersion: openslo/v1`"},
		{"- just text\n", "1: must be a mapping of keys to values; write `key: value` lines, indented below it"},
		{"version: prometheus/v2\n", `1: version: version is "prometheus/v2"; of Sloth's files prometheus/v1 is read`},
	} {
		docs, problems := Parse("a.yaml", []byte(c.text))
		var all []string
		for _, p := range problems {
			all = append(all, p.Error())
		}
		if !strings.Contains("\n"+strings.Join(all, "\n")+"\n", "\na.yaml:"+c.want+"\n") {
			t.Errorf("%s\n got %s\nwant a.yaml:%s", c.text, strings.Join(all, "\n     "), c.want)
		}
		if n := len(docs.SLIs) + len(docs.Services) + len(docs.Policies) + len(docs.Conditions) + len(docs.Targets) + len(docs.Sources); n > 0 {
			t.Errorf("%s: is kept", c.text)
		}
	}
}

// Refusals of an SLO: line 33 is the objective's target.
func TestRefusalsOfAnSLO(t *testing.T) {
	const calendar = "isRolling: false\n      calendar: "
	for _, c := range []struct{ old, new, want string }{
		{"isRolling: true", calendar + "{timeZone: Local}", `30: timeWindow.calendar.timeZone: time zone "Local" is unknown; use an IANA name such as Europe/Zurich`},
		{"28d\n      isRolling: true", "1M\n      " + calendar + "{timeZone: UTC, startTime: yesterday}", `30: timeWindow.calendar.startTime: startTime "yesterday" is no time; write it as 2026-01-01 00:00:00`},
		{"28d\n      isRolling: true", "2Y\n      " + calendar + "{timeZone: UTC}", "28: timeWindow.duration: window 2Y is out of bounds; use at most a year"},
		{"28d\n      isRolling: true", "01M\n      " + calendar + "{timeZone: UTC}", `28: timeWindow.duration: window "01M" is unknown; use a number with d, w, M, Q or Y, for example 1M`},
		{"28d\n      isRolling: true", "M\n      " + calendar + "{timeZone: UTC}", `28: timeWindow.duration: window "M" is unknown`},
		{"28d\n      isRolling: true", "99999999999999999999d\n      " + calendar + "{timeZone: UTC}", "28: timeWindow.duration: window \"99999999999999999999d\" is unknown"},
		{"isRolling: true", "isRolling: sometimes", "29: timeWindow.isRolling must be true or false"},
		{"    - duration: 28d\n      isRolling: true", "    - {duration: 28d}\n    - {duration: 7d}", "27: spec.timeWindow: the SLO needs exactly one timeWindow"},
		{"targetPercent: 99.5", "target: 0.9\n      op: less\n      value: 1", `34: objectives.op: op "less" is unknown; use lt, lte, gt or gte`},
		{"targetPercent: 99.5", "target: 0.9\n      value: 300ms", `34: objectives.value must be a number, got "300ms"; write digits only, without a unit or %`},
		{"targetPercent: 99.5", "target: 0.9\n      compositeWeight: 1", "34: objectives.compositeWeight: compositeWeight needs an indicator of the objective's own; add indicator or indicatorRef to every objective"},
		{"targetPercent: 99.5", "target: 0.9\n      indicatorRef: a\n      compositeWeight: 0", "35: objectives.compositeWeight: compositeWeight is 0; give a number above 0"},
		{"targetPercent: 99.5", "target: 0.9\n      indicatorRef: a\n      indicator: {spec: {thresholdMetric: {metricSource: {spec: {query: v}}}}}", "32: objectives: the objective has both indicator and indicatorRef; keep one"},
		{"    - displayName: 99.5 percent\n      targetPercent: 99.5\n", "    - {target: 0.9}\n    - {target: 0.9, indicatorRef: a}\n", "a composite has them in its objectives only"},
		{"  objectives:\n    - displayName: 99.5 percent\n      targetPercent: 99.5\n", "  objectives: []\n", "31: spec.objectives is empty; for example `objectives: [{target: 0.995}]`"},
		{"  objectives:\n    - displayName: 99.5 percent\n      targetPercent: 99.5\n", "  alertPolicies: [null, {}]\n", "31: spec.alertPolicies.kind is missing"},
		{"  service: layout\n", "", "13: spec.service is missing; for example `service: checkout`"},
		{"env: prod", "env: {a: b}", "11: metadata.labels.env must be text or a list of texts; put the value in quotes, or texts in [ ]"},
	} {
		if !strings.Contains(good, c.old) {
			t.Fatalf("%q is not in the document", c.old)
		}
		docs, problems := Parse("a.yaml", []byte(strings.Replace(good, c.old, c.new, 1)))
		if got := fmt.Sprint(problems); !strings.Contains(got, c.want) || len(docs.SLOs) != 0 || strings.Count(got, "a.yaml:") < len(problems) {
			t.Errorf("%s:\n got %s\nwant %s", c.new, got, c.want)
		}
	}
}

// A key that is wrong by one letter is named with the right one, whichever key it is.
func TestEveryKeyIsNamedWhenALetterIsWrong(t *testing.T) {
	keys := []string{"metadata", "displayName", "labels", "spec", "description", "ratioMetric", "counter", "metricSource", "query", "timeWindow", "duration", "isRolling", "budgetingMethod", "objectives", "targetPercent"}
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SampledFrom(keys).Draw(t, "key")
		at := rapid.IntRange(0, len(key)-1).Draw(t, "at")
		wrong := key[:at] + "_" + key[at+1:]
		places := strings.Split(good, key+":")
		n := rapid.IntRange(1, len(places)-1).Draw(t, "which")
		text := strings.Join(places[:n], key+":") + wrong + ":" + strings.Join(places[n:], key+":")
		if before := places[n-1]; strings.HasSuffix(before, "//") {
			t.Skip("no key")
		}
		line := 1 + strings.Count(strings.Join(places[:n], key+":"), "\n")
		_, problems := Parse("a.yaml", []byte(text))
		want := fmt.Sprintf("unknown key %q; did you mean %q?", wrong, key)
		for _, p := range problems {
			if p.Line == line && strings.Contains(p.Error(), want) {
				return
			}
		}
		t.Fatalf("no %q of line %d in %v\n%s", want, line, problems, text)
	})
}

// A file that is cut off or has a byte changed is read or refused, never half an SLO without a word.
func TestDamagedFilesAreReadOrRefused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := []byte(rapid.SampledFrom([]string{good, sloth, pyrra, peaks}).Draw(t, "file"))
		switch rapid.IntRange(0, 2).Draw(t, "damage") {
		case 0:
			text = text[:rapid.IntRange(0, len(text)).Draw(t, "end")]
		case 1:
			text[rapid.IntRange(0, len(text)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
		default:
			at := rapid.IntRange(0, len(text)-1).Draw(t, "at")
			text = append(text[:at:at], text[at+1:]...)
		}
		docs, problems := Parse("a.yaml", text)
		for _, s := range docs.SLOs {
			if s.Name == "" || s.Service == "" || s.Window <= 0 || len(s.Objectives) == 0 || s.Indicator == nil {
				t.Fatalf("half an SLO is kept: %+v", s)
			}
		}
		if docs.Empty() && len(problems) == 0 {
			t.Fatalf("nothing is read and nothing said of\n%s", text)
		}
		for _, p := range problems {
			if p.Line < 1 || p.File != "a.yaml" || p.Cure == "" {
				t.Fatalf("a problem without a place or a cure: %+v", p)
			}
		}
		if err := roundTrip(docs); err != nil {
			t.Fatalf("what was read is written otherwise: %v", err)
		}
	})
}
