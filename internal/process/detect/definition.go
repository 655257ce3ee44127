package detect

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	common "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"
)

// Direction says which change is worth telling.
type Direction string

// The directions.
const (
	Drop Direction = "drop"
	Rise Direction = "rise"
	Both Direction = "both"
)

// Kind says what the values of an expression are, and so how much of their
// scatter is chance alone.
type Kind string

// The kinds.
const (
	// Level is a gauge or a latency: nothing is known but its past.
	Level Kind = "level"
	// Rate is events per second, counted over Definition.Window: chance moves
	// n events by sqrt(n) (Poisson).
	Rate Kind = "rate"
	// Ratio is a share of events, of which Definition.Events says the number:
	// chance moves a share p of n by sqrt(p(1-p)/n) (binomial).
	Ratio Kind = "ratio"
)

// Definition is one detector, as a detector file has it.
type Definition struct {
	Name        string            `yaml:"name"`         // unique; the label `detector` of what it writes
	Expr        string            `yaml:"expr"`         // PromQL; every series of its answer is watched
	Kind        Kind              `yaml:"kind"`         // level (default), rate or ratio
	Window      common.Duration   `yaml:"window"`       // over which a rate is counted: the 5m of rate(x[5m])
	Events      string            `yaml:"events"`       // PromQL: how many events are behind each value, with the same labels
	Direction   Direction         `yaml:"direction"`    // drop, rise or both (default)
	Sensitivity string            `yaml:"sensitivity"`  // low, medium (default) or high
	Season      string            `yaml:"season"`       // 1d (default), 1w or none
	MinEvents   float64           `yaml:"min_events"`   // fewer say nothing
	MinChange   float64           `yaml:"min_change"`   // smaller changes are of no interest; 0.3 is 30 %
	MinAbsolute float64           `yaml:"min_absolute"` // the same in the unit of the expression
	Labels      map[string]string `yaml:"labels"`       // added to what it writes; severity is what the rule goes by

	file string
	line int
}

// same says whether two definitions ask for the same, wherever they stand.
func (d Definition) same(other Definition) bool {
	d.file, d.line, other.file, other.line = "", 0, "", 0
	return reflect.DeepEqual(d, other)
}

// withDefaults fills in what a file left out.
func withDefaults() Definition {
	return Definition{
		Kind: Level, Direction: Both, Sensitivity: "medium", Season: "1d", MinEvents: 30, MinChange: 0.3,
		Labels: map[string]string{},
	}
}

// sigmas is how many times the usual scatter a value must be away. The steps
// are chosen on the scenarios of detect_test.go.
func (d *Definition) sigmas() float64 {
	return map[string]float64{"low": 9, "medium": 6, "high": 4}[d.Sensitivity]
}

// season is the length of a season and how many are looked back; zero for none.
func (d *Definition) season() (length time.Duration, n int) {
	switch d.Season {
	case "1d":
		return 24 * time.Hour, 7
	case "1w":
		return 7 * 24 * time.Hour, 4
	}
	return 0, 0
}

// guard is how long before now the recent past ends: a change is seen whole
// only after the expression's own window.
func (d *Definition) guard() time.Duration { return max(5*time.Minute, time.Duration(d.Window)/2) }

var nameRE = regexp.MustCompile(`^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$`)

// validate lists what is wrong; each message begins with the field.
func (d *Definition) validate() []error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if !nameRE.MatchString(d.Name) {
		bad("name: must be lower-case letters, digits, '-', '_' and '.', got %q", d.Name)
	}
	if err := checkExpr(d.Expr); err != nil {
		bad("expr: %w", err)
	}
	if d.Events != "" {
		if err := checkExpr(d.Events); err != nil {
			bad("events: %w", err)
		}
	}
	switch {
	case d.Kind != Level && d.Kind != Rate && d.Kind != Ratio:
		bad("kind: must be level, rate or ratio, got %q", d.Kind)
	case d.Kind == Rate && d.Window <= 0:
		bad("window: a rate needs the window over which it is counted, for example 5m for rate(x[5m])")
	case d.Kind == Ratio && d.Events == "":
		bad("events: a ratio needs the number of events behind it, for example sum(increase(requests_total[5m]))")
	}
	if d.Window < 0 || d.Window > common.Duration(time.Hour) {
		bad("window: must be between 0 and 1h, got %s", d.Window)
	}
	if d.Direction != Drop && d.Direction != Rise && d.Direction != Both {
		bad("direction: must be drop, rise or both, got %q", d.Direction)
	}
	if d.sigmas() == 0 {
		bad("sensitivity: must be low, medium or high, got %q", d.Sensitivity)
	}
	if n, _ := d.season(); n == 0 && d.Season != "none" {
		bad("season: must be 1d, 1w or none, got %q", d.Season)
	}
	if d.MinEvents < 0 || d.MinAbsolute < 0 || !(d.MinChange > 0) {
		bad("min_change: must be > 0, and min_events and min_absolute >= 0; got %g, %g and %g", d.MinChange, d.MinEvents, d.MinAbsolute)
	}
	if d.Direction != Rise && d.MinChange >= 1 {
		bad("min_change: nothing drops by %g %%: a detector of drops needs less than 1, a rise can have a detector of its own", d.MinChange*100)
	}
	for _, k := range slices.Sorted(maps.Keys(d.Labels)) {
		if !common.UTF8Validation.IsValidLabelName(k) || k == "detector" || strings.HasPrefix(k, "__") {
			bad("labels: %q cannot be the name of a label here", k)
		}
	}
	return errs
}

// checkExpr takes instant vectors and scalars, and refuses counters that nobody
// made a rate of: they only grow, and every restart would be a drop.
func checkExpr(expr string) error {
	parsed, err := parser.NewParser(parser.Options{ExperimentalDurationExpr: true, EnableExperimentalFunctions: true}).ParseExpr(expr)
	if err != nil {
		return err
	}
	if t := parsed.Type(); t != parser.ValueTypeVector && t != parser.ValueTypeScalar {
		return fmt.Errorf("must be an instant vector, is a %s", parser.DocumentedType(t))
	}
	counter := ""
	parser.Inspect(parsed, func(n parser.Node, path []parser.Node) error {
		if v, ok := n.(*parser.VectorSelector); ok && strings.HasSuffix(v.Name, "_total") && !overTime(path) {
			counter = v.Name
		}
		return nil
	})
	if counter != "" {
		return fmt.Errorf("%s is a counter, which only grows and starts again with its process: take rate(%s[5m])", counter, counter)
	}
	return nil
}

// overTime says whether a node stands inside of a range.
func overTime(path []parser.Node) bool {
	return slices.ContainsFunc(path, func(above parser.Node) bool {
		switch above.(type) {
		case *parser.MatrixSelector, *parser.SubqueryExpr:
			return true
		}
		return false
	})
}
