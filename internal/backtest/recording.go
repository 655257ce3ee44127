package backtest

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	promrules "github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/storage"
)

// maxReach bounds how long before the start recording rules are replayed for
// those that look back at them.
const maxReach = 32 * 24 * time.Hour

// rests is what an expression reads of the metrics that a set records, and how far back.
type rests map[string]time.Duration

// restsOn finds the metrics of names that an expression reads.
func restsOn(e parser.Expr, names map[string]bool) rests {
	out := rests{}
	parser.Inspect(e, func(n parser.Node, path []parser.Node) error {
		vs, ok := n.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		reach := max(vs.OriginalOffset, 0) + 5*time.Minute
		for _, p := range path {
			switch p := p.(type) {
			case *parser.MatrixSelector:
				reach += p.Range
			case *parser.SubqueryExpr:
				reach += p.Range + max(p.OriginalOffset, 0)
			}
		}
		for name := range names {
			if !slices.ContainsFunc(vs.LabelMatchers, func(m *labels.Matcher) bool { return m.Name == labels.MetricName && !m.Matches(name) }) {
				out[name] = max(out[name], reach)
			}
		}
		return nil
	})
	return out
}

// metricsOf are the metrics that an expression names.
func metricsOf(e parser.Expr) (out []string) {
	parser.Inspect(e, func(n parser.Node, _ []parser.Node) error {
		if vs, ok := n.(*parser.VectorSelector); ok {
			for _, m := range vs.LabelMatchers {
				if m.Name == labels.MetricName && m.Type == labels.MatchEqual && m.Value != "ALERTS" && m.Value != "ALERTS_FOR_STATE" {
					out = append(out, m.Value)
				}
			}
		}
		return nil
	})
	return out
}

// recordings replays the recording rules of a set, so that alerts see what they would have recorded.
type recordings struct {
	*replay
	rules   []*rule           // in the order in which they can be replayed
	missing map[string]string // metric to why it could not be
	store   *recorded
	querier Querier
}

// record replays all recording rules: the set's own order, but that a rule
// comes after those it reads.
func (r *replay) record(ctx context.Context) (*recordings, error) {
	out := &recordings{replay: r, missing: map[string]string{}}
	var names []string
	for i := range r.set.recording {
		names = append(names, r.set.recording[i].name)
	}
	out.querier = r.room.deps.Over(func(base storage.Queryable) storage.Queryable {
		out.store = newRecorded(base, names)
		return out.store
	})
	out.sort()
	for _, one := range out.rules {
		if on := out.unknown(one.rests); on != "" {
			out.missing[one.name] = "it reads " + on
			continue
		}
		if err := out.replayOne(ctx, one); err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			out.missing[one.name] = err.Error()
		}
	}
	return out, nil
}

// unknown is a metric of those that an expression reads which could not be replayed.
func (r *recordings) unknown(on rests) string {
	for _, name := range sortedKeys(on) {
		if r.missing[name] != "" {
			return name
		}
	}
	return ""
}

func sortedKeys(on rests) []string {
	out := make([]string, 0, len(on))
	for name := range on {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// sort orders the rules, and works out how long before the start each must begin.
func (r *recordings) sort() {
	waiting := map[string]int{} // rules of a name that are not yet in order
	var left []*rule
	for i := range r.set.recording {
		one := &r.set.recording[i]
		waiting[one.name]++
		left = append(left, one)
	}
	for len(left) > 0 {
		var later []*rule
		for _, one := range left {
			if slices.ContainsFunc(sortedKeys(one.rests), func(name string) bool { return waiting[name] > 0 }) {
				later = append(later, one)
				continue
			}
			r.rules = append(r.rules, one)
			waiting[one.name]--
		}
		if len(later) == len(left) {
			for _, one := range left {
				r.missing[one.name] = "rules read what each other record"
			}
			break
		}
		left = later
	}
	r.reach()
}

func (r *recordings) reach() {
	need := map[string]time.Duration{}
	for i := range r.set.rules {
		for name, d := range r.set.rules[i].rests {
			need[name] = max(need[name], d+r.set.rules[i].warmup)
		}
	}
	for _, one := range slices.Backward(r.rules) {
		one.warmup = min(need[one.name], maxReach)
		for name, d := range one.rests {
			need[name] = max(need[name], d+one.warmup)
		}
	}
}

// replayOne evaluates one rule step by step and keeps what it answers.
func (r *recordings) replayOne(ctx context.Context, one *rule) error {
	rule := promrules.NewRecordingRule(one.name, one.parsed, one.labels)
	steps := &ruleReplay{replay: r.replay, rule: one, querier: r.querier, every: max(r.step, one.interval)}
	return steps.walk(ctx, func(at time.Time) error {
		vector := steps.vectors[int(at.Sub(steps.from)/steps.every)]
		if len(vector) == 0 {
			return nil
		}
		query := func(context.Context, string, time.Time) (promql.Vector, error) { return slices.Clone(vector), nil }
		got, err := rule.Eval(ctx, one.offset, at, query, &url.URL{}, one.limit)
		if err != nil {
			return nil //nolint:nilerr // as live: that evaluation records nothing
		}
		if !r.store.add(got) {
			return fmt.Errorf("the recording rules make more than %d samples", maxRecorded)
		}
		return nil
	})
}

// explain notes which alerts cannot be judged, by name, and which read a metric
// of which nothing is stored.
func (r *recordings) explain() (notes []string, judged func(*rule) bool) {
	bad := map[*rule]bool{}
	for i := range r.set.rules {
		one := &r.set.rules[i]
		if on := r.unknown(one.rests); on != "" {
			bad[one] = true
			notes = append(notes, fmt.Sprintf("Alert %s cannot be judged: it reads %s, which could not be replayed (%s).", one.name, on, r.missing[on]))
			continue
		}
		if names := r.unstored(one); len(names) > 0 {
			notes = append(notes, fmt.Sprintf("Alert %s reads %s, of which nothing is stored in this time and which no rule of the set records.", one.name, strings.Join(names, ", ")))
		}
	}
	return notes, func(one *rule) bool { return !bad[one] }
}

// unstored are the metrics that a rule reads of which nothing is stored.
func (r *recordings) unstored(one *rule) (out []string) {
	if strings.Contains(one.expr, "absent") {
		return nil // that is what it looks for
	}
	for _, name := range one.metrics {
		if !r.store.names[name] && !r.stored(name) && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

func (r *recordings) stored(metric string) bool {
	start, end := r.start.Add(-maxWarmup).UnixMilli(), r.end.UnixMilli()
	q, err := r.store.base.Querier(start, end)
	if err != nil {
		return true // then the rule itself will say so
	}
	defer q.Close()
	set := q.Select(context.Background(), false, &storage.SelectHints{Start: start, End: end, Limit: 1}, labels.MustNewMatcher(labels.MatchEqual, labels.MetricName, metric))
	return set.Next() || set.Err() != nil
}
