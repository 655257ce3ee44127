package definition_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signalbox-project/signalbox/internal/slo/definition"
)

func TestWhatADocumentSaysArrives(t *testing.T) {
	d := defined(t, sloText("pay", ", displayName: Pay, labels: {team: [a, b], env: prod, environment: [test, prod]}, annotations: {runbook: r}", counted, target, "  description: d\n"))["pay"]
	want := definition.About{
		Name: "pay", DisplayName: "Pay", Service: "shop", Environment: "prod,test", Description: "d", File: "a.yaml", Line: 4,
		Labels: map[string]string{"team": "a,b", "env": "prod", "environment": "test,prod"}, Annotations: map[string]string{"runbook": "r"},
	}
	if diff := cmp.Diff(want, d.About); diff != "" {
		t.Error(diff)
	}
	if d.Objective != 0.99 || d.ErrorBudget() != 0.01 || d.Window != 28*24*time.Hour || d.Calendar != nil || d.WindowText() != "28d" || d.Method != "occurrences" || d.Source() != "promql" || d.Whole() != "pay" {
		t.Errorf("%+v", d)
	}
}

func TestEveryKindOfIndicatorIsDefined(t *testing.T) {
	const slices = "  budgetingMethod: Timeslices\n"
	for _, c := range []struct{ indicator, objective, more, words, errors, method string }{
		{counted, target, "", "share of good events", "1 - sum(increase(ok_total[$window])) / sum(increase(all_total[$window]))", "occurrences"},
		{failures, target, "", "share of good events", "(sum(increase(bad_total[$window])) or vector(0)) / sum(increase(all_total[$window]))", "occurrences"},
		{counted, "{target: 0.99, timeSliceTarget: 0.95, timeSliceWindow: 5m}", slices, "share of 5 m slices with at least 95 % good events", "1 - sum(increase(ok_total[$window])) / sum(increase(all_total[$window]))", "timeslices"},
		{counted, "{target: 0.99}", "  budgetingMethod: RatioTimeslices\n", "mean share of good events in 1 m slices", "1 - sum(increase(ok_total[$window])) / sum(increase(all_total[$window]))", "timeslices"},
		{threshold, "{op: lte, value: 0.3, target: 0.99}", "", "share of time with a value <= 0.3", "1 - ((max(age_seconds)) <= bool 0.3)", "occurrences"},
		{threshold, "{op: gt, value: 0, target: 0.99}", "", "share of time with a value > 0", "1 - ((max(age_seconds)) > bool 0)", "occurrences"},
		{measured, target, "", "mean of a measured share of good events", "1 - (avg(share))", "occurrences"},
		{strings.Replace(measured, "success", "failure", 1), target, "", "mean of a measured share of good events", "avg(share)", "occurrences"},
		{strings.Replace(counted, "{spec: {ratio", "{spec: {description: In my words, ratio", 1), target, "", "In my words", "1 - sum(increase(ok_total[$window])) / sum(increase(all_total[$window]))", "occurrences"},
	} {
		d := defined(t, sloText("x", "", c.indicator, c.objective, c.more))["x"]
		if d.Indicator != c.words || d.Queries.Error != c.errors || d.Method != c.method || d.Measure == nil {
			t.Errorf("%s%s: %q, %q, %s", c.indicator, c.objective, d.Indicator, d.Queries.Error, d.Method)
		}
	}
	if d := defined(t, sloText("x", "", spans, target))["x"]; d.Source() != "spans" {
		t.Errorf("events of %s", d.Source())
	}
}

// An SLO with several objectives is as many SLOs, called by what the objectives are.
func TestObjectivesHaveNamesOfTheirOwn(t *testing.T) {
	_, names := said(sloText("x", "", counted, "{displayName: 99.5 % of all, target: 0.995}, {displayName: '-- Übrige!', target: 0.9}, {target: 0.8}, {displayName: '%', target: 0.7}"))
	if names != "x-3 x-4 x-99.5-of-all x-brige" {
		t.Error(names)
	}
	problems, names := said(sloText("x", "", counted, "{displayName: A, target: 0.9}, {displayName: a, target: 0.8}"))
	if names != "x-a" || problems != "a.yaml:4: SLO x-a was defined before, in a.yaml:4; give one of them another name" {
		t.Error(names, problems)
	}
}

func TestWhatDoesNotFitTogetherIsSaidWithPlaceAndCure(t *testing.T) {
	const sli = "---\napiVersion: openslo/v1\nkind: SLI\nmetadata: {name: answers}\nspec: {thresholdMetric: {metricSource: {spec: {query: max(v)}}}}\n"
	const policy = "---\napiVersion: openslo/v1\nkind: AlertPolicy\nmetadata: {name: fast}\nspec: {conditions: []}\n"
	inline := func(rest, condition string) string {
		return "  alertPolicies: [{kind: AlertPolicy, metadata: {name: p}, spec: {" + rest + "conditions: [" + condition + "]}}]\n"
	}
	burn := func(name, lookback, annotations string) string {
		return "{kind: AlertCondition, metadata: {name: " + name + ", annotations: {" + annotations + "}}, spec: {severity: page, condition: {kind: burnrate, threshold: 2, lookbackWindow: " + lookback + "}}}"
	}
	for _, c := range []struct{ text, want string }{
		{sloText("x", "", threshold, "{target: 0.9}"), "a.yaml:9: SLO x: a threshold metric needs op and value; for example `op: lte` and `value: 0.3`"},
		{sloText("x", "", threshold, "{target: 0.9, op: lt}"), "a.yaml:9: SLO x: a threshold metric needs op and value; for example `op: lte` and `value: 0.3`"},
		{sloText("x", "", threshold, "{target: 0.9, value: 1}"), "a.yaml:9: SLO x: a threshold metric needs op and value; for example `op: lte` and `value: 0.3`"},
		{sloText("x", "", "  indicatorRef: answer\n", "{target: 0.9, op: lt, value: 1}") + sli, `a.yaml:4: SLO x: there is no SLI answer; did you mean "answers"?`},
		{sloText("x", "", "  indicatorRef: y\n", target), "a.yaml:4: SLO x: there is no SLI y; write the SLI document or the indicator itself"},
		{sli, "a.yaml:4: SLI answers is used by no SLO; name it as an SLO's indicatorRef or delete it"},
		{sli + sli, "a.yaml:9: SLI answers was defined before, in a.yaml:4; give one of them another name"},
		{policy, "a.yaml:4: AlertPolicy fast is used by no SLO; name it in an SLO's alertPolicies or delete it"},
		{policy + policy, "a.yaml:9: AlertPolicy fast was defined before, in a.yaml:4; give one of them another name"},
		{"---\napiVersion: openslo/v1\nkind: Service\nmetadata: {name: s}\n---\napiVersion: openslo/v1\nkind: Service\nmetadata: {name: s}\n", "a.yaml:8: Service s was defined before, in a.yaml:4; give one of them another name"},
		{sloText("x", "", counted, target) + sloText("x", "", counted, target), "a.yaml:13: SLO x was defined before, in a.yaml:4; give one of them another name"},
		{sloText("x", "", strings.Replace(counted, "sum(ok_total)", "sum(", 1), target), "a.yaml:8: SLO x: good query: "},
		{sloText("x", "", strings.Replace(threshold, "max(age_seconds)", "1", 1), "{op: lt, value: 1, target: 0.9}"), "a.yaml:8: SLO x: query: "},
		{sloText("x", "", strings.Replace(threshold, "{spec: {query: 'max(age_seconds)'}}", "{type: signalbox-logs, spec: {query: '*'}}", 1), "{op: lt, value: 1, target: 0.9}"), "a.yaml:8: SLO x: events are counted, they have no value; give good and total of a ratioMetric"},
		{sloText("x", "", counted, target, "  alertPolicies: [fas]\n") + policy, `a.yaml:10: SLO x: there is no AlertPolicy fas; did you mean "fast"?`},
		{sloText("x", "", counted, target, inline("", "nowhere")), "a.yaml:10: AlertPolicy p: there is no AlertCondition nowhere; write that document"},
		{sloText("x", "", counted, target, inline("notificationTargets: [nobody], ", burn("a", "1h", ""))), "a.yaml:10: AlertPolicy p: there is no AlertNotificationTarget nobody; write that document"},
		{sloText("x", "", counted, target, inline("", burn("a-b", "1h", "")+", "+burn("a.b", "2h", ""))), "a.yaml:10: SLO x: two alerts are called a_b; give the AlertConditions different names"},
		{sloText("x", "", counted, target, inline("alertWhenBreaching: false, ", burn("a", "1h", ""))), "a.yaml:10: AlertPolicy p never alerts; set alertWhenBreaching or alertWhenNoData"},
		{sloText("x", "", counted, target, inline("", burn("a", "0m", ""))), "a.yaml:10: AlertCondition a: long: must be whole minutes, got 0s; lookbackWindow is the long window, 1h for example"},
		{sloText("x", "", counted, target, inline("", burn("a", "1h", "signalbox.io/short-window: 1h"))), "a.yaml:10: AlertCondition a: short: must be at least 1m and below long, got 1h; lookbackWindow"},
		{sloText("x", "", counted, target, inline("", burn("a", "1h", "signalbox.io/short-window: soon"))), "a.yaml:10: AlertCondition a: signalbox.io/short-window: not a valid duration string: \"soon\"; use for example 5m"},
		{sloText("x", "", counted, target, inline("", burn("a", "1h", "signalbox.io/alert-labels: all"))), `a.yaml:10: AlertCondition a: annotation signalbox.io/alert-labels is "all"; say only, or leave it out`},
		{sloText("x", ", annotations: {signalbox.io/burn-alerts: add}", counted, target), `a.yaml:4: SLO x: annotation signalbox.io/burn-alerts is "add"; say replace or extend`},
		{sloText("x", ", annotations: {signalbox.io/peak-value: 3}", counted, target), "a.yaml:4: SLO x has figures of the peak and no calendar; name one in the annotation signalbox.io/peak-calendar"},
		{sloText("x", ", annotations: {signalbox.io/peak-calendar: noon, signalbox.io/peak-factor: 2}", counted, target), "a.yaml:4: SLO x: there is no PeakCalendar noon; write that document"},
		{sloText("x", "", strings.Replace(byRoute, "sum by (route) (ok", "sum by (zone) (ok", 1), target), "a.yaml:8: SLO x: its groups are counted together: total counts by [route] and good or bad by [zone]; sum both queries by the same labels"},
		{sloText("x", "", strings.Replace(spans, "'status:error'", "'status:error', by: [a]", 1), target), "a.yaml:8: SLO x: `by` stands beside the query of good or bad events; name the fields beside the query of total: they hold for both"},
		{sloText("x", "", strings.Replace(spans, "'name:x'", "'name:x', by: ['a b']", 1), target), "a.yaml:8: SLO x: `by` names \"a b\", which is no field; name fields as the search does, `by: [http.route]`"},
	} {
		got, names := said(c.text)
		if !strings.Contains("\n"+got, "\n"+c.want) {
			t.Errorf("%s\n got %s\nwant %s", c.text, got, c.want)
		}
		_, problems := definition.Parse("a.yaml", []byte(c.text))
		for _, p := range problems {
			if !p.Warning && names != "" && !strings.Contains(p.Message, "was defined before") {
				t.Errorf("%s: %q is defined beside %v", c.text, names, p)
			}
		}
	}
}

func TestPeaksChangeWhatTheirAnnotationsSay(t *testing.T) {
	const noon = "---\napiVersion: signalbox/v1\nkind: PeakCalendar\nmetadata: {name: noon}\nspec: {timeZone: UTC, weekly: [{days: [mon], from: \"12:00\", to: \"13:00\"}]}\n"
	at := time.Date(2026, 3, 2, 12, 30, 0, 0, time.UTC) // a Monday
	d := defined(t, sloText("x", ", annotations: {signalbox.io/peak-calendar: noon, signalbox.io/peak-value: '0.5', signalbox.io/peak-factor: '2'}", threshold, "{op: lt, value: 2, target: 0.9}")+noon)["x"]
	row := definition.BurnAlert{Factor: 7}
	for _, c := range []struct {
		at            time.Time
		value, factor float64
	}{{at, 0.5, 14}, {at.Add(time.Hour), 2, 7}, {at.AddDate(0, 0, 1), 2, 7}} {
		if v, has := d.Threshold(c.at); v != c.value || !has || d.FactorAt(row, c.at) != c.factor {
			t.Errorf("%s: %v %v, factor %v", c.at, v, has, d.FactorAt(row, c.at))
		}
	}
	if _, has := defined(t, sloText("x", "", counted, target))["x"].Threshold(at); has {
		t.Error("counted events have a threshold")
	}
	for annotations, want := range map[string]string{
		"signalbox.io/peak-target: '1'": `annotation signalbox.io/peak-target is "1"; give a number between 0 and 1`, "signalbox.io/peak-target: high": "give a number between 0 and 1",
		"signalbox.io/peak-factor: '0'": "give a number between 0 and 1e+06", "signalbox.io/peak-factor: NaN": "give a number between", "signalbox.io/peak-value: '1'": "signalbox.io/peak-value needs a threshold metric; use signalbox.io/peak-target or signalbox.io/peak-factor",
		"other: x": "names the calendar noon and nothing that changes at peak; add the annotation signalbox.io/peak-value",
	} {
		got, _ := said(sloText("x", ", annotations: {signalbox.io/peak-calendar: noon, "+annotations+"}", counted, target) + noon)
		if !strings.Contains(got, "a.yaml:4: SLO x") || !strings.Contains(got, want) {
			t.Errorf("%s: %s", annotations, got)
		}
	}
}

// What is counted has one name whatever it is held to; another query, method or window is something else.
func TestFiguresAreKnownByWhatTheyCount(t *testing.T) {
	base := sloText("x", "", counted, target)
	of := func(old, replaced string) *definition.Definition {
		return defined(t, strings.Replace(base, old, replaced, 1))["x"]
	}
	x := of("", "")
	for _, c := range []struct {
		name, old, new              string
		counts, measures, measureIs bool
	}{
		{"the same", "", "", true, true, true},
		{"another objective", "0.99", "0.9", true, true, true},
		{"another text", "name: x", "name: x, displayName: Y", true, true, true},
		{"another window", "28d", "7d", true, false, false},
		{"another query", "ok_total", "fine_total", false, false, false},
		{"another method", "  timeWindow", "  budgetingMethod: RatioTimeslices\n  timeWindow", false, false, false},
	} {
		d := of(c.old, c.new)
		if (d.Counts() == x.Counts()) != c.counts || (d.Measures() == x.Measures()) != c.measures || d.MeasuresLike(x) != c.measureIs || x.MeasuresLike(d) != c.measureIs {
			t.Errorf("%s: counts alike %v, measures alike %v, %v", c.name, d.Counts() == x.Counts(), d.Measures() == x.Measures(), d.MeasuresLike(x))
		}
	}
}

func TestWindowsOfCalendars(t *testing.T) {
	with := func(window string) *definition.Definition {
		return defined(t, strings.Replace(sloText("x", "", counted, target), "{duration: 28d, isRolling: true}", window, 1))["x"]
	}
	now := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct{ window, start, length, text, firstHour string }{
		{"{duration: 7d}", "2026-03-03T12:00:00Z", "168h0m0s", "7d", ""},
		{"{duration: 1M, isRolling: false, calendar: {timeZone: UTC}}", "2026-03-01T00:00:00Z", "744h0m0s", "1M", ""},
		{"{duration: 1M, isRolling: false, calendar: {timeZone: Europe/Zurich}}", "2026-03-01T00:00:00+01:00", "743h0m0s", "1M", ""},
		// A day that begins within an hour of UTC needs that hour's part of its own.
		{"{duration: 1d, isRolling: false, calendar: {timeZone: Asia/Kolkata}}", "2026-03-10T00:00:00+05:30", "24h0m0s", "1d", "2026-03-09T18:30:00Z"},
	} {
		d := with(c.window)
		start, length := d.Span(now)
		if start.Format(time.RFC3339) != c.start || length.String() != c.length || d.WindowText() != c.text {
			t.Errorf("%s: %s, %s, %s", c.window, start.Format(time.RFC3339), length, d.WindowText())
		}
		first := ""
		if at, wants := d.WantsFirstHour(now); wants {
			first = at.Format(time.RFC3339)
		}
		if first != c.firstHour {
			t.Errorf("%s: the first hour begins %q", c.window, first)
		}
	}
	rows := []definition.BurnAlert{{Long: day(3)}, {Long: day(30), Short: day(1)}, {Long: day(1)}}
	if got := fmt.Sprint(with("{duration: 7d}").BurnWindows(rows)); got != "[1h0m0s 2h0m0s 6h0m0s 24h0m0s 72h0m0s]" {
		t.Errorf("windows no longer than the budget's: %s", got)
	}
}
