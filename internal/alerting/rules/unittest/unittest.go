// Package unittest runs tests of rules that are written in the format of
// `promtool test rules`: series by notation, and what alerts and expressions
// must be at which time.
//
// Nothing is evaluated by own code: Prometheus' parser reads the series, its TSDB holds them in a
// temporary folder, its rule groups and its engine judge them. What promtool takes
// and passes passes here; in three places this runner says more: a rule
// file that is not there and a file without tests are errors, because a test of
// nothing would pass, and an alert that no rule has is a warning. It asks less in two: a value of NaN equals NaN, and a
// histogram's counter reset hint counts where exp_samples writes one.
//
// In: test files and the rule files they name, PrometheusRule objects as well.
// Out: a Report. The package keeps no state and leaves nothing on the disk.
//
// Start reading at Run, then trial.go.
package unittest

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
)

// Options is how expressions are read and evaluated.
type Options struct {
	Parser             parser.Parser
	DelayedNameRemoval bool // what Prometheus' flag promql-delayed-name-removal does
}

// Report is what the tests of a file came to.
type Report struct {
	Tests    int // that ran
	Failed   int // of them
	Failures []Failure
	Warnings []string
}

// Failure is one expectation that was not met, or a cause why it could not be judged.
type Failure struct {
	Test      string
	At        string // eval_time; "" when it is no matter of a time
	What      string
	Want, Got []string
}

func (f Failure) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "test %s", f.Test)
	if f.At != "" {
		fmt.Fprintf(&b, ", at %s", f.At)
	}
	b.WriteString(": " + f.What)
	if f.Want != nil || f.Got != nil {
		list(&b, "want", f.Want)
		list(&b, "got ", f.Got)
	}
	return b.String()
}

func list(b *strings.Builder, head string, lines []string) {
	if len(lines) == 0 {
		lines = []string{"nothing"}
	}
	for _, line := range lines {
		fmt.Fprintf(b, "\n    %s %s", head, strings.ReplaceAll(line, "\n", "\n         "))
		head = "    "
	}
}

// Run runs every test of a file. The error is one of the file: it cannot be
// read, or a rule file that it names does not load.
func Run(ctx context.Context, file string, o Options) (Report, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return Report{}, fmt.Errorf("read test file: %w", err)
	}
	f, err := decode(file, text)
	if err != nil {
		return Report{}, fmt.Errorf("%s: %w", file, err)
	}
	groups, alerts, err := f.order(o.Parser)
	if err != nil {
		return Report{}, fmt.Errorf("%s: %w", file, err)
	}
	r := Report{Tests: len(f.Tests), Warnings: f.unknownAlerts(alerts)}
	for i := range f.Tests {
		t := &trial{file: f, test: &f.Tests[i], opts: o, groups: groups}
		if err := t.run(ctx); err != nil {
			t.fail("", err.Error(), nil, nil)
		}
		if err := ctx.Err(); err != nil {
			return r, fmt.Errorf("%s: %w", file, err)
		}
		if len(t.failures) > 0 {
			r.Failed++
			r.Failures = append(r.Failures, t.failures...)
		}
	}
	return r, nil
}

// unknownAlerts warns of expectations that hold because nothing can break them.
func (f *testFile) unknownAlerts(known map[string]bool) []string {
	var out []string
	for i := range f.Tests {
		for _, a := range f.Tests[i].Alerts {
			if a.Name != "" && !known[a.Name] && len(a.Want) == 0 {
				out = append(out, fmt.Sprintf("test %s, at %s: no rule file has an alert %s, so that it does not fire says nothing; check its name",
					f.Tests[i].title, a.At, a.Name))
			}
		}
	}
	return out
}

// end is the time of the last expectation after the test's start.
func (t *test) end() time.Duration {
	var end time.Duration
	for _, a := range t.Alerts {
		end = max(end, time.Duration(a.At))
	}
	for _, e := range t.Exprs {
		end = max(end, time.Duration(e.At))
	}
	return end
}
