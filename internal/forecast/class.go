package forecast

import (
	"regexp"
	"slices"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

var (
	// resourceRE are names of what a machine or a runtime uses up: nobody feels it by itself.
	resourceRE = regexp.MustCompile(`(^|[_:])(cpu|memory|mem|heap|swap|disk|filesystem|iops|fds|goroutines|threads|gc|load1|load5|load15|network)([_:]|$)|^(node|container|process|windows|go|jvm)_`)
	// workRE are names of what is done for somebody.
	workRE = regexp.MustCompile(`(^|[_:])(requests?|errors?|failed|failures?|latency|duration|success|5xx|availability|slo|burn|probe|lag|age|backlog)([_:]|$)`)
)

// Resource answers the metrics of an expression if all of them are of resources, and it does not ask how long something
// lasts. What is about one metric of work at least is about work.
func Resource(expr parser.Expr) []string {
	var names []string
	ahead := false
	parser.Inspect(expr, func(n parser.Node, _ []parser.Node) error {
		switch n := n.(type) {
		case *parser.Call:
			ahead = ahead || n.Func.Name == "predict_linear" || n.Func.Name == "deriv" || n.Func.Name == "absent" || n.Func.Name == "absent_over_time"
		case *parser.VectorSelector:
			for _, m := range n.LabelMatchers {
				if m.Name == labels.MetricName {
					names = append(names, m.Value)
				}
			}
		}
		return nil
	})
	if ahead || slices.ContainsFunc(names, func(n string) bool { return workRE.MatchString(n) || !resourceRE.MatchString(n) }) {
		return nil
	}
	slices.Sort(names)
	return slices.Compact(names)
}
