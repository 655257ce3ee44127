package promexpr

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// numbersOf makes the selectors of an expression compare le and quantile as
// numbers: le="1" selects the bucket that is stored as le="1.0" too.
func numbersOf(e parser.Expr) {
	for _, vs := range selectorsOf(e) {
		for i, m := range vs.LabelMatchers {
			vs.LabelMatchers[i] = numeric(m)
		}
	}
}

func numeric(m *labels.Matcher) *labels.Matcher {
	if m.Name != labels.BucketLabel && m.Name != "quantile" {
		return m
	}
	var values []string
	to := labels.MatchRegexp
	switch m.Type {
	case labels.MatchEqual, labels.MatchNotEqual:
		values = []string{m.Value}
	case labels.MatchRegexp, labels.MatchNotRegexp:
		values = m.SetMatches()
	}
	if m.Type == labels.MatchNotEqual || m.Type == labels.MatchNotRegexp {
		to = labels.MatchNotRegexp
	}
	var all []string
	for _, v := range values {
		for _, s := range spellings(v) {
			if s = regexp.QuoteMeta(s); !slices.Contains(all, s) {
				all = append(all, s)
			}
		}
	}
	if len(all) <= len(values) {
		return m
	}
	out, err := labels.NewMatcher(to, m.Name, strings.Join(all, "|"))
	if err != nil {
		return m
	}
	return out
}

// spellings are the ways in which clients write a number into a label, v
// first; only v when it is no number.
func spellings(v string) []string {
	f, err := strconv.ParseFloat(v, 64)
	if err != nil || math.IsNaN(f) {
		return []string{v}
	}
	out := []string{v}
	if math.IsInf(f, 0) {
		for _, s := range []string{"Inf", "inf", "infinity", "Infinity"} {
			if f < 0 {
				s = "-" + s
			} else {
				out = append(out, "+"+s)
			}
			out = append(out, s)
		}
		return out
	}
	short, long := strconv.FormatFloat(f, 'g', -1, 64), strconv.FormatFloat(f, 'f', -1, 64)
	out = append(out, short, long)
	if !strings.Contains(long, ".") {
		out = append(out, long+".0")
	}
	return out
}
