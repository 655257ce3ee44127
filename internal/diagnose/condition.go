package diagnose

import (
	"context"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"

	prommodel "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/human"
	"github.com/signalbox-project/signalbox/internal/slo/promexpr"
)

// condition finds what is compared with what: for a burn alert from the SLO, for
// a rule from its expression.
func (r *Diagnoser) condition(ctx context.Context, e *Explanation, s subject) error {
	if name := s.Labels.Own("slo"); name != "" && s.rule == nil {
		return r.burnCondition(ctx, e, s, name)
	}
	e.Query = expressionOf(s.GeneratorURL)
	if s.rule != nil {
		e.Query = s.rule.Query
	}
	if e.Query == "" {
		return nil
	}
	c := split(e.Query)
	if c.threshold != nil {
		e.Threshold = c.threshold
		e.Condition = c.op + " " + human.Number(*c.threshold)
	}
	if s.rule != nil && s.rule.For > 0 {
		e.Condition = strings.TrimSpace(e.Condition + " for " + human.Duration(s.rule.For))
	}
	samples, err := r.deps.Querier.Instant(ctx, c.value, r.deps.Now())
	if err != nil {
		// The alert is explained all the same, with the value that its rule saw last.
		r.log.DebugContext(ctx, "value of an alert's query", "alert", e.Alert, "err", err)
		e.Value = s.value
		return nil
	}
	e.Value = c.closest(samples, s.Labels, s.state == stateInactive)
	if e.Value == nil {
		e.Value = s.value
	}
	return nil
}

func (r *Diagnoser) burnCondition(ctx context.Context, e *Explanation, s subject, name string) error {
	list, err := r.slos(ctx, s.Labels.Own("service"))
	if err != nil {
		return err
	}
	for _, st := range list {
		if st.Name != name {
			continue
		}
		long := orElse(s.Labels.Own("long_window"), "1h")
		e.Query = st.ErrorRatioQuery(long)
		for _, b := range st.Burn {
			if b.Window == long {
				e.Value = pointer(b.Rate)
			}
		}
	}
	if v, err := strconv.ParseFloat(s.Annotations["threshold"], 64); err == nil {
		e.Threshold = pointer(v)
		e.Condition = "≥ " + human.Times(v)
		if long, short := s.Labels.Own("long_window"), s.Labels.Own("short_window"); long != "" && short != "" {
			e.Condition += " over " + long + " and " + short
		}
	}
	return nil
}

// expressionOf reads the expression from the link that Prometheus gives a
// rule's alerts.
func expressionOf(generatorURL string) string {
	u, err := url.Parse(generatorURL)
	if err != nil {
		return ""
	}
	for _, key := range []string{"g0.expr", "expr", "q"} {
		if q := u.Query().Get(key); q != "" {
			return q
		}
	}
	return ""
}

// comparison is an expression taken apart: what is compared, how, and with which number.
type comparison struct {
	value     string
	op        string   // as seen from the value: > or <, >=, …
	threshold *float64 // nil where nothing is compared with a number
}

// split takes the outermost comparison with a number apart. Of conditions that are
// joined by and, or, unless, the first that has one counts.
func split(expr string) comparison {
	whole := comparison{value: expr}
	parsed, err := parser.NewParser(parser.Options{ExperimentalDurationExpr: true, EnableExperimentalFunctions: true}).ParseExpr(expr)
	if err != nil {
		return whole
	}
	if c, ok := compared(parsed); ok {
		return c
	}
	return whole
}

func compared(e parser.Expr) (comparison, bool) {
	switch e := e.(type) {
	case *parser.ParenExpr:
		return compared(e.Expr)
	case *parser.BinaryExpr:
		if e.Op.IsSetOperator() {
			if c, ok := compared(e.LHS); ok {
				return c, true
			}
			return compared(e.RHS)
		}
		if !e.Op.IsComparisonOperator() || e.ReturnBool {
			return comparison{}, false
		}
		if n, ok := promexpr.Constant(e.RHS); ok {
			return comparison{e.LHS.String(), e.Op.String(), pointer(n)}, true
		}
		if n, ok := promexpr.Constant(e.LHS); ok {
			return comparison{e.RHS.String(), mirrored(e.Op.String()), pointer(n)}, true
		}
	}
	return comparison{}, false
}

func mirrored(op string) string {
	switch op {
	case ">":
		return "<"
	case "<":
		return ">"
	case ">=":
		return "<="
	case "<=":
		return ">="
	}
	return op
}

// closest is the value of the alert's series or, of any, the one closest to the
// condition.
func (c comparison) closest(samples []model.Sample, alert model.Labels, any bool) *float64 {
	var best *float64
	for _, s := range samples {
		if math.IsNaN(s.Value) || !any && !matches(s.Labels, alert) {
			continue
		}
		better := best == nil
		if best != nil && c.threshold != nil {
			switch c.op {
			case ">", ">=":
				better = s.Value > *best
			case "<", "<=":
				better = s.Value < *best
			default:
				better = math.Abs(s.Value-*c.threshold) < math.Abs(*best-*c.threshold)
			}
		}
		if better {
			best = pointer(s.Value)
		}
	}
	return best
}

// matches reports whether a series' labels are those of the alert. A rule may
// replace labels of the series, so that what the alert has otherwise does not count.
func matches(series, alert model.Labels) bool {
	for k, v := range series {
		if k != "__name__" && alert[k] != v {
			return false
		}
	}
	return true
}

// shortWindow is what an alert is measured over: so long it goes on after its
// cause is gone.
func shortWindow(labels model.Labels) time.Duration {
	if d, err := prommodel.ParseDuration(labels["short_window"]); err == nil {
		return max(time.Duration(d), burnWindow)
	}
	return burnWindow
}

// latencyAlert says whether an alert is about how long requests take.
func latencyAlert(name string) bool { return strings.Contains(name, "Latency") }
