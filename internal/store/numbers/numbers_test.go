package numbers_test

import (
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/signalbox-project/signalbox/internal/store/numbers"
)

func TestOneFormIsStored(t *testing.T) {
	for _, c := range []struct{ metric, name, value, want string }{
		{"d_bucket", "le", "1", "1.0"},
		{"d_bucket", "le", "1.0", "1.0"},
		{"d_bucket", "le", "1.00", "1.0"},
		{"d_bucket", "le", "1e+06", "1e+06"},
		{"d_bucket", "le", ".25", "0.25"},
		{"d_bucket", "le", "1000000", "1e+06"},
		{"d_bucket", "le", "+Inf", "+Inf"},
		{"d_bucket", "le", "Inf", "+Inf"},
		{"d_bucket", "le", "-0.50", "-0.5"},
		{"d_bucket", "le", "fast", "fast"},
		{"height", "le", "1", "1"}, // no bucket
		{"s", "quantile", "1", "1.0"},
		{"s", "quantile", "0.990", "0.99"},
		{"s", "quantile", "99", "99"}, // no quantile of a summary's
		{"s", "quantile", "p99", "p99"},
		{"s", "version", "1", "1"},
	} {
		ls := labels.FromStrings("__name__", c.metric, c.name, c.value, "pod", "a")
		if got := numbers.Canonical(ls); got.Get(c.name) != c.want || got.Get("pod") != "a" || got.Len() != 3 {
			t.Errorf("%s became %s, want %s=%q", ls, got, c.name, c.want)
		}
	}
}

func TestANumberIsFoundInEveryForm(t *testing.T) {
	for _, c := range []struct {
		of        labels.MatchType
		name      string
		value     string
		yes, none []string
	}{
		{labels.MatchEqual, "le", "1", []string{"1", "1.0"}, []string{"10", "1.5", "", "100", "1x0"}},
		{labels.MatchEqual, "le", "1.0", []string{"1", "1.0"}, []string{"10"}},
		{labels.MatchEqual, "le", "1e+06", []string{"1000000", "1e+06", "1000000.0"}, []string{"1e+07"}},
		{labels.MatchEqual, "le", "+Inf", []string{"+Inf", "Inf", "inf"}, []string{"-Inf", "1"}},
		{labels.MatchEqual, "quantile", "0.50", []string{"0.5", "0.50"}, []string{"0.05", "0x5"}},
		{labels.MatchRegexp, "le", "1|2.5", []string{"1", "1.0", "2.5"}, []string{"2", "3"}},
		{labels.MatchRegexp, "le", "1.*", []string{"1", "1.0", "15"}, []string{"2"}},
		{labels.MatchNotEqual, "le", "1", []string{"2", "", "10"}, []string{"1", "1.0"}},
		{labels.MatchNotRegexp, "le", "1|2", []string{"3", ""}, []string{"1.0", "2.0"}},
		{labels.MatchEqual, "le", "", []string{""}, []string{"0", "1"}},
		{labels.MatchEqual, "version", "1", []string{"1"}, []string{"1.0"}},
	} {
		m := numbers.Matcher(labels.MustNewMatcher(c.of, c.name, c.value))
		for _, v := range c.yes {
			if !m.Matches(v) {
				t.Errorf("%s%s%q does not match %q", c.name, c.of, c.value, v)
			}
		}
		for _, v := range c.none {
			if m.Matches(v) {
				t.Errorf("%s%s%q matches %q", c.name, c.of, c.value, v)
			}
		}
	}
}

// Whatever form a client writes, what is stored is found by every other form,
// and is a number of the same value.
func TestEveryFormFindsWhatIsStored(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		f := float64(random.IntN(100000)) / []float64{1, 10, 1000, 1e7, 1e-6}[random.IntN(5)]
		forms := []string{strconv.FormatFloat(f, 'f', -1, 64), strconv.FormatFloat(f, 'g', -1, 64), labels.FormatOpenMetricsFloat(f), strconv.FormatFloat(f, 'e', -1, 64)}
		for _, sent := range forms {
			stored := numbers.Canonical(labels.FromStrings("__name__", "d_bucket", "le", sent)).Get("le")
			if v, err := strconv.ParseFloat(stored, 64); err != nil || v != f {
				t.Fatalf("%s was stored as %s", sent, stored)
			}
			for _, asked := range forms {
				for _, kept := range []string{stored, sent} { // the latter before there was one form
					if m := numbers.Matcher(labels.MustNewMatcher(labels.MatchEqual, "le", asked)); !m.Matches(kept) && kept != strconv.FormatFloat(f, 'e', -1, 64) {
						t.Fatalf("le=%q does not find %q", asked, kept)
					}
				}
			}
		}
	}
}
