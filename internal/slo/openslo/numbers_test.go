package openslo

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// failer is what *testing.T and *rapid.T have in common.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// target reads the good document with another objective, and answers what is refused of it.
func target(t failer, key, value string) (read float64, refused string) {
	t.Helper()
	return only(t, strings.Replace(good, "targetPercent: 99.5", key+": "+value, 1))
}

// only is the target of a text's one SLO, or why it has none.
func only(t failer, text string) (read float64, refused string) {
	t.Helper()
	docs, problems := Parse("a.yaml", []byte(text))
	for _, p := range problems {
		if !p.Warning {
			return 0, p.Error()
		}
	}
	if len(docs.SLOs) != 1 {
		t.Fatalf("%d SLOs and no problem in\n%s", len(docs.SLOs), text)
	}
	return docs.SLOs[0].Objectives[0].Target, ""
}

// What each format calls the objective, and whether it is in percent.
var targetKeys = []struct {
	name    string
	percent bool
	text    func(value string) string
}{
	{"openslo target", false, func(v string) string { return strings.Replace(good, "targetPercent: 99.5", "target: "+v, 1) }},
	{"openslo targetPercent", true, func(v string) string { return strings.Replace(good, "99.5\n", v+"\n", 1) }},
	{"sloth objective", true, func(v string) string {
		return "version: prometheus/v1\nservice: s\nslos: [{name: a, objective: " + v + ", sli: {events: {error_query: 'e[{{.window}}]', total_query: 't[{{.window}}]'}}}]\n"
	}},
	{"pyrra target", true, func(v string) string { return strings.Replace(pyrra, `"99.5"`, v, 1) }},
	{"slo-generator goal", false, func(v string) string {
		return "apiVersion: sre.google.com/v2\nkind: ServiceLevelObjective\nmetadata: {name: x}\n" +
			"spec: {goal: " + v + ", backend: prometheus, method: good_bad_ratio, service_level_indicator: {filter_good: g, filter_valid: v}}\n"
	}},
	{"openslo/v1alpha target", false, func(v string) string {
		return "apiVersion: openslo/v1alpha\nkind: SLO\nmetadata: {name: x}\n" +
			"spec: {service: s, objectives: [{target: " + v + ", ratioMetrics: {good: {query: g}, total: {query: t}}}]}\n"
	}},
}

// Every format takes the same objectives and refuses the same, whatever it calls them.
func TestTargetsAtTheirBorders(t *testing.T) {
	for _, c := range []struct{ share, percent, refused string }{
		{"0.999999", "99.9999", ""},
		{"0.5", "50", ""},
		{"0.000001", "0.0001", ""},
		{"9.95e-1", "9.95e1", ""},
		{"0.999999998", "99.9999998", ""}, // a budget of 2 in a billion
		{"0.9999999999", "99.99999999", "less than one event in a billion"}, // of 1 in ten billion
		{"0", "0", "promises nothing"},
		{"-0.5", "-50", "promises nothing"},
		{"1", "100", "leaves no error budget"},
		{"1.0", "100.0", "leaves no error budget"},
		{"99.5", "9950", ""}, // refused, in different words: see below
		{".nan", ".nan", "number"},
		{"NaN", "NaN", "number"},
		{".inf", ".inf", "number"},
		{"high", "high", "number"},
		{"[0.9]", "[99]", "must be"},
	} {
		for _, k := range targetKeys {
			value := c.share
			if k.percent {
				value = c.percent
			}
			got, refused := only(t, k.text(value))
			wanted, _ := strconv.ParseFloat(c.share, 64)
			switch {
			case wanted > 1:
				if !strings.Contains(refused, "a.yaml:") || !strings.Contains(refused, "write a share below 1") && !strings.Contains(refused, "leaves no error budget") {
					t.Errorf("%s: %s: %v, %q", k.name, value, got, refused)
				}
			case c.refused != "":
				if !strings.Contains(refused, c.refused) || !strings.Contains(refused, "a.yaml:") || !strings.Contains(refused, "; ") {
					t.Errorf("%s: %s is read as %v, %q; want a refusal with %q, its place and a cure", k.name, value, got, refused, c.refused)
				}
			case refused != "" || got != wanted:
				t.Errorf("%s: %s is read as %v, %q; want %v", k.name, value, got, refused, wanted)
			}
		}
	}
}

// 99.5 % is the number that people mean by 0.995, to the last bit: the decimal point moves, nothing is divided.
func TestAPercentIsTheShareThatItsDigitsSay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		digits := rapid.IntRange(1, 999_999_999).Draw(t, "digits") // of the share, behind the point
		places := rapid.IntRange(len(strconv.Itoa(digits)), 9).Draw(t, "places")
		exact := new(big.Rat).SetFrac(big.NewInt(int64(digits)), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(places)), nil))
		want, _ := exact.Float64()
		if 1-want < leastBudget {
			t.Skip("too small a budget")
		}
		percent := new(big.Rat).Mul(exact, big.NewRat(100, 1)).FloatString(9)
		for _, text := range []string{percent, "+" + percent, percent + "0"} {
			if got, refused := only(t, targetKeys[1].text(text)); refused != "" || got != want {
				t.Fatalf("%s %% is %v, want %v; %s", text, got, want, refused)
			}
		}
		if got, refused := only(t, targetKeys[3].text(`"`+percent+`%"`)); refused != "" || got != want {
			t.Fatalf("%s %% of Pyrra's is %v, want %v; %s", percent, got, want, refused)
		}
	})
}

func TestTargetsSayWhatIsWrongWithThem(t *testing.T) {
	for _, c := range []struct{ key, value, want string }{
		{"target", "99.5", "a.yaml:33: objectives.target: the objective is 99.5, and 1 is everything; write a share below 1, for example 0.995, or use targetPercent: 99.5"},
		{"target", "1", "a.yaml:33: objectives.target: an objective of 100 % leaves no error budget; promise less than 100 %, for example 99.9 %"},
		{"targetPercent", "101", "a.yaml:33: objectives.targetPercent: an objective of 101 % leaves no error budget; promise less than 100 %, for example 99.9 %"},
		{"target", "-0.1", "a.yaml:33: objectives.target: an objective of -10 % promises nothing; promise more than 0 %, for example 99.5 %"},
		{"target", "99.5%", `a.yaml:33: objectives.target must be a number, got "99.5%"; write digits only, without a unit or %; for example ` + "`target: 0.995`"},
		{"displayName", "x", "a.yaml:32: objectives: the objective needs one of target and targetPercent; for example `target: 0.995`"},
	} {
		if _, got := target(t, c.key, c.value); got != c.want {
			t.Errorf("%s: %s:\n got %s\nwant %s", c.key, c.value, got, c.want)
		}
	}
}

// units are the lengths that OpenSLO's shorthand has.
var units = map[string]int64{"m": 60, "h": 3600, "d": 86400, "w": 604800}

// A duration is its number times its unit, or refused: however large the number, it never becomes another length.
func TestDurationsAreTheirNumberTimesTheirUnit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.OneOf(rapid.Uint64Range(0, 70_000), rapid.Uint64()).Draw(t, "n")
		unit := rapid.SampledFrom([]string{"m", "h", "d", "w"}).Draw(t, "unit")
		text := fmt.Sprintf("%d%s", n, unit)
		got, err := parseDuration(text)
		want := new(big.Int).Mul(new(big.Int).SetUint64(n), big.NewInt(units[unit]*int64(time.Second)))
		switch {
		case err == nil && (n == 0 || big.NewInt(int64(got)).Cmp(want) != 0):
			t.Fatalf("%s is %s, want %s ns or a refusal", text, got, want)
		case err != nil && n > 0 && want.Cmp(big.NewInt(int64(maxWindow))) <= 0:
			t.Fatalf("%s is refused: %v", text, err)
		}
	})
}

func TestDurationsThatAreNone(t *testing.T) {
	for text, why := range map[string]string{
		"": "it is empty", "28": "it has no unit", "d": "is not a whole number", "-1d": "is not a whole number", "1.5d": "is not a whole number", "0d": "is not a whole number",
		"28D": "it has no unit", "30s": "it has no unit", "1h30m": "is not a whole number", "1 d": "is not a whole number", "1M": "calendar windows", "1Q": "calendar windows", "1Y": "calendar windows",
		"30501w": "is not a whole number", // of nanoseconds there are more than fit; cut off they would be three days
	} {
		if d, err := parseDuration(text); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%q is %s, %v; want %q", text, d, err, why)
		}
	}
}

func TestRollingWindowsAtTheirBorders(t *testing.T) {
	for text, want := range map[string]time.Duration{"1h": time.Hour, "60m": time.Hour, "61m": 61 * time.Minute, "400d": 400 * day, "57w": 399 * day, "59m": 0, "401d": 0, "9601h": 0, "58w": 0} {
		docs, problems := Parse("a.yaml", []byte(strings.Replace(good, "28d", text, 1)))
		if want == 0 {
			if got := fmt.Sprint(problems); got != fmt.Sprintf("[a.yaml:28: timeWindow.duration: window %s is out of bounds; use 1h to 400d; 28d and 30d are customary]", text) {
				t.Errorf("%s: %s", text, got)
			}
			continue
		}
		if len(problems) > 0 || docs.SLOs[0].Window != want || docs.SLOs[0].Calendar != nil {
			t.Errorf("%s is %+v, want %s; %v", text, docs.SLOs, want, problems)
		}
	}
}

// A window is written so that it is read as the same again, whatever its length.
func TestWindowsAreWrittenAsTheyAreRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := time.Duration(rapid.IntRange(60, 400*24*60).Draw(t, "minutes")) * time.Minute
		if got, err := parseDuration(durationText(want)); err != nil || got != want {
			t.Fatalf("%s is written as %s and read as %s, %v", want, durationText(want), got, err)
		}
	})
}

func TestSlicesDivideAnHour(t *testing.T) {
	text := strings.Replace(good, "Occurrences", "Timeslices", 1)
	for minutes := range 62 {
		docs, problems := Parse("a.yaml", []byte(strings.Replace(text, "targetPercent: 99.5", fmt.Sprintf("target: 0.99\n      timeSliceTarget: 1\n      timeSliceWindow: %dm", minutes), 1)))
		if minutes > 0 && 60%minutes == 0 {
			if len(problems) > 0 || docs.SLOs[0].Objectives[0].SliceWindow != time.Duration(minutes)*time.Minute {
				t.Errorf("%d min: %v", minutes, problems)
			}
		} else if got := fmt.Sprint(problems); !strings.Contains(got, "a.yaml:35: objectives.timeSliceWindow") {
			t.Errorf("%d min: %s", minutes, got)
		}
	}
}

func TestTheShareOfASlice(t *testing.T) {
	text := strings.Replace(good, "Occurrences", "Timeslices", 1)
	for value, refused := range map[string]bool{"1": false, "0.95": false, "0.000001": false, "0": true, "-1": true, "1.0001": true, "95": true} {
		docs, problems := Parse("a.yaml", []byte(strings.Replace(text, "targetPercent: 99.5", "target: 0.99\n      timeSliceTarget: "+value, 1)))
		want, _ := strconv.ParseFloat(value, 64)
		if !refused && (len(problems) > 0 || docs.SLOs[0].Objectives[0].SliceTarget != want || docs.SLOs[0].Objectives[0].SliceWindow != time.Minute) {
			t.Errorf("%s: %v", value, problems)
		}
		if refused && !strings.Contains(fmt.Sprint(problems), "a.yaml:34: objectives.timeSliceTarget: timeSliceTarget is "+value+"; it is the share of good events that makes a slice good: above 0, at most 1") {
			t.Errorf("%s: %v", value, problems)
		}
	}
	if _, problems := Parse("a.yaml", []byte(text)); !strings.Contains(fmt.Sprint(problems), "a.yaml:32: objectives: budgetingMethod Timeslices needs a timeSliceTarget; say which share") {
		t.Errorf("without one: %v", problems)
	}
}

// Sloth's factor is the share of the budget that may go within the long window, times period / long: whatever the
// period, a burn at the factor for that long spends that share.
func TestSlothsFactorsSpendTheirShareWhateverThePeriod(t *testing.T) {
	shares := []float64{0.02, 0.05, 0.10, 0.10}
	rapid.Check(t, func(t *rapid.T) {
		period := time.Duration(rapid.IntRange(4, 400).Draw(t, "days")) * day
		for i, w := range SlothWindows(period) {
			if spent := w.Factor * float64(w.Long) / float64(period); math.Abs(spent-shares[i]) > 1e-12 {
				t.Fatalf("%s over %s: %s spends %v", w.Name, period, w.Long, spent)
			}
		}
	})
}
