package unittest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	promrules "github.com/prometheus/prometheus/rules"

	"github.com/signalbox-project/signalbox/internal/alerting/rules"
	"github.com/signalbox-project/signalbox/internal/instrument"
)

// trial is one test while it runs.
type trial struct {
	file   *testFile
	test   *test
	opts   Options
	groups []string // keys, in the order of evaluation

	failures []Failure
}

func (t *trial) fail(at, what string, want, got []string) {
	t.failures = append(t.failures, Failure{Test: t.test.title, At: at, What: what, Want: want, Got: got})
}

// run evaluates the rules at every interval up to the last expectation. Alerts are
// compared on the way, expressions at the end.
func (t *trial) run(ctx context.Context) (err error) {
	w, err := newWorld(t.test, time.Duration(t.file.Interval), t.opts)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	groups, err := t.load(ctx, w)
	if err != nil {
		return err
	}
	every, end := time.Duration(t.file.Interval), t.test.end()
	for since := time.Duration(0); since <= end; since += every {
		at := t.test.Start.Add(since)
		if err := w.advance(ctx, at); err != nil {
			return err
		}
		if err := evaluate(ctx, groups, at, since); err != nil {
			return err
		}
		for _, c := range t.test.Alerts {
			// Between two evaluations an alert is what the one before made it.
			if due := time.Duration(c.At); since <= due && due < since+every {
				t.compareAlerts(c, groups)
			}
		}
	}
	for _, c := range t.test.Exprs {
		got, err := w.query(ctx, c.Expr, t.test.Start.Add(time.Duration(c.At)))
		if err != nil {
			t.fail(c.At.String(), fmt.Sprintf("expr %s: %v", c.Expr, err), nil, nil)
			continue
		}
		t.compareSamples(c, got)
	}
	return nil
}

// load makes the groups anew: alerts of one test are none of the next.
func (t *trial) load(ctx context.Context, w *world) ([]*promrules.Group, error) {
	for _, c := range t.test.Alerts {
		if c.Name == "" {
			return nil, fmt.Errorf("alert_rule_test at %s has no alertname; name the alert it is about", c.At)
		}
	}
	m := promrules.NewManager(&promrules.ManagerOptions{
		QueryFunc:   promrules.EngineQueryFunc(w.engine, w.db),
		NotifyFunc:  func(context.Context, string, ...*promrules.Alert) {},
		Context:     ctx,
		Appendable:  w.db,
		Queryable:   w.db,
		Logger:      instrument.Silent(),
		GroupLoader: rules.Loader(t.opts.Parser),
		Parser:      t.opts.Parser,
	})
	byKey, errs := m.LoadGroups(time.Duration(t.test.Interval), t.test.ExternalLabels, t.test.ExternalURL, nil, false, t.file.RuleFiles...)
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	groups := make([]*promrules.Group, 0, len(t.groups))
	for _, key := range t.groups {
		groups = append(groups, byKey[key])
		for _, r := range byKey[key].AlertingRules() {
			r.SetRestored(true) // else no ALERTS series would be written
		}
	}
	return groups, nil
}

func evaluate(ctx context.Context, groups []*promrules.Group, at time.Time, since time.Duration) error {
	var errs []error
	for _, g := range groups {
		g.Eval(ctx, at)
		for _, r := range g.Rules() {
			if err := r.LastError(); err != nil {
				errs = append(errs, fmt.Errorf("rule %s of group %s, evaluated at %s: %w", r.Name(), g.Name(), since, err))
			}
		}
	}
	return errors.Join(errs...)
}

// compareAlerts compares the firing alerts of a name, of all groups.
func (t *trial) compareAlerts(c alertCase, groups []*promrules.Group) {
	var got, want []string
	for _, g := range groups {
		for _, r := range g.AlertingRules() {
			if r.Name() != c.Name {
				continue
			}
			for _, a := range r.ActiveAlerts() {
				if a.State == promrules.StateFiring {
					got = append(got, alertText(a.Labels, a.Annotations))
				}
			}
		}
	}
	for _, a := range c.Want {
		ls := map[string]string{}
		maps.Copy(ls, a.Labels)
		ls[labels.AlertName] = c.Name // the rule file does not write it among the labels
		want = append(want, alertText(labels.FromMap(ls), labels.FromMap(a.Annotations)))
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.fail(c.At.String(), "alert "+c.Name, want, got)
	}
}

// alertText is an alert in words that are equal when the alerts are.
func alertText(ls, annotations labels.Labels) string {
	text := ls.String()
	annotations.Range(func(l labels.Label) { text += "\n" + l.Name + ": " + strconv.Quote(l.Value) })
	return text
}
