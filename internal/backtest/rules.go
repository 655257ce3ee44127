package backtest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	promrules "github.com/prometheus/prometheus/rules"

	"github.com/signalbox-project/signalbox/internal/alerting/rules"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
)

// rule is one rule with what its group says.
type rule struct {
	name     string
	expr     string
	parsed   parser.Expr
	labels   labels.Labels
	rests    rests                          // what the set records and it reads
	metrics  []string                       // all that it reads
	alert    func() *promrules.AlertingRule // makes a fresh one; nil of a recording rule
	warmup   time.Duration                  // how long before the start it must be evaluated
	interval time.Duration
	offset   time.Duration
	limit    int
}

// maxWarmup bounds how long before the start rules with a long `for` begin.
const maxWarmup = 24 * time.Hour

// readRules reads rule files by Prometheus' own code.
func (r *Replayer) readRules(docs []Document) (alerts, recording []rule, err error) {
	var errs []error
	for _, doc := range docs {
		groups, problems := rules.Parse([]byte(doc.Text))
		for _, err := range problems {
			errs = append(errs, fmt.Errorf("%s: %w", doc.Name, err))
		}
		if len(problems) > 0 {
			continue
		}
		for _, g := range groups.Groups {
			for i := range g.Rules {
				one, err := r.readRule(&g, &g.Rules[i])
				switch {
				case err != nil:
					errs = append(errs, fmt.Errorf("%s: rule %s: %w", doc.Name, one.name, err))
				case one.alert == nil:
					recording = append(recording, one)
				default:
					alerts = append(alerts, one)
				}
			}
		}
	}
	if len(errs) > 0 {
		return nil, nil, badRequest{errors.Join(errs...)}
	}
	names := map[string]bool{}
	for i := range recording {
		names[recording[i].name] = true
	}
	for _, list := range [][]rule{alerts, recording} {
		for i := range list {
			list[i].rests = restsOn(list[i].parsed, names)
		}
	}
	return alerts, recording, nil
}

func (r *Replayer) readRule(g *rulefmt.RuleGroup, one *rulefmt.Rule) (rule, error) {
	n := rule{name: one.Alert + one.Record, interval: time.Duration(g.Interval), limit: g.Limit}
	expr, err := rules.ParseExpr(one.Expr)
	if err != nil {
		return n, err
	}
	ls := labels.NewBuilder(labels.FromMap(g.Labels))
	for k, v := range one.Labels {
		ls.Set(k, v)
	}
	n.expr, n.parsed, n.labels, n.metrics = expr.String(), expr, ls.Labels(), metricsOf(expr)
	if g.QueryOffset != nil {
		n.offset = time.Duration(*g.QueryOffset)
	}
	if one.Alert != "" {
		hold, keep := time.Duration(one.For), time.Duration(one.KeepFiringFor)
		n.warmup = min(hold+keep, maxWarmup)
		n.alert = func() *promrules.AlertingRule {
			return promrules.NewAlertingRule(one.Alert, expr, hold, keep, n.labels, labels.EmptyLabels(),
				labels.FromMap(r.deps.ExternalLabels), "", true, r.deps.Logger)
		}
	}
	return n, nil
}

// ruleReplay is one alert rule under replay: Prometheus' own evaluation, fed
// with the steps of range queries instead of a query per step.
type ruleReplay struct {
	*replay
	rule    *rule
	querier Querier
	alert   *promrules.AlertingRule
	firings firings
	active  bool // something pends or fires
	failed  int
	failure error

	from    time.Time // of vectors
	every   time.Duration
	vectors []promql.Vector
}

func newRuleReplay(r *replay, one *rule, q Querier) *ruleReplay {
	return &ruleReplay{replay: r, rule: one, querier: q, alert: one.alert(), every: max(r.step, one.interval)}
}

func (r *ruleReplay) run(ctx context.Context) error {
	return r.walk(ctx, func(at time.Time) error {
		r.eval(ctx, at)
		return nil
	})
}

// walk reads the rule's expression chunk by chunk and has each step evaluated.
func (r *ruleReplay) walk(ctx context.Context, eval func(at time.Time) error) error {
	for from := r.start.Add(-r.rule.warmup.Truncate(r.every)); !from.After(r.end); {
		n := max(1, int(chunk/r.every))
		to := from.Add(time.Duration(n-1) * r.every)
		if to.After(r.end) {
			to = r.end
		}
		if err := r.read(ctx, from, to); err != nil {
			return fmt.Errorf("replay rule %s: %w", r.rule.name, err)
		}
		for at := from; !at.After(to); at = at.Add(r.every) {
			if err := eval(at); err != nil {
				return err
			}
		}
		if !to.Before(r.start) {
			r.progress.done.Add(1)
		}
		from = to.Add(r.every)
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// read evaluates the expression at every step from from to to.
func (r *ruleReplay) read(ctx context.Context, from, to time.Time) error {
	r.from, r.vectors = from, make([]promql.Vector, int(to.Sub(from)/r.every)+1)
	series, err := r.querier.Range(ctx, r.rule.expr, from.Add(-r.rule.offset), to.Add(-r.rule.offset), r.every)
	if err != nil {
		return err
	}
	for _, s := range series {
		metric := labels.FromMap(s.Labels)
		for _, p := range s.Points {
			k := int(p.Time.Add(r.rule.offset).Sub(from) / r.every)
			if k >= 0 && k < len(r.vectors) {
				r.vectors[k] = append(r.vectors[k], promql.Sample{Metric: metric, T: p.Time.UnixMilli(), F: p.Value})
			}
		}
	}
	return nil
}

// eval lets the rule see one step. Steps at which nothing was active and
// nothing is are skipped: they change nothing.
func (r *ruleReplay) eval(ctx context.Context, at time.Time) {
	vector := r.vectors[int(at.Sub(r.from)/r.every)]
	if len(vector) == 0 && !r.active {
		return
	}
	query := func(ctx context.Context, expr string, t time.Time) (promql.Vector, error) {
		if expr == r.rule.expr {
			return vector, nil
		}
		return r.instant(ctx, expr, t) // of a template
	}
	if _, err := r.alert.Eval(ctx, 0, at, query, &url.URL{}, r.rule.limit); err != nil {
		if r.failed++; r.failed == 1 {
			r.failure = err
		}
	}
	r.active = false
	firing := map[string]bool{}
	r.alert.ForEachActiveAlert(func(a *promrules.Alert) {
		r.active = r.active || a.State != promrules.StateInactive
		if a.State == promrules.StateFiring {
			ls := r.labels(a.Labels)
			firing[identity(ls)] = true
			if !at.Before(r.start) {
				r.firings.begin(ls, at)
			}
		}
	})
	for id, i := range r.firings.open {
		if !firing[id] {
			r.firings.finish(r.firings.list[i].Labels, at)
		}
	}
}

func (r *ruleReplay) labels(ls labels.Labels) model.Labels {
	return notify.WithExternal(ls.Map(), r.room.deps.ExternalLabels)
}

func (r *ruleReplay) instant(ctx context.Context, expr string, t time.Time) (promql.Vector, error) {
	samples, err := r.querier.Instant(ctx, expr, t)
	if err != nil {
		return nil, err
	}
	out := make(promql.Vector, len(samples))
	for i, s := range samples {
		out[i] = promql.Sample{Metric: labels.FromMap(s.Labels), T: s.Time.UnixMilli(), F: s.Value}
	}
	return out, nil
}
