package contract

import (
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
)

const good = `remedies:
  - name: scale
    owner: platform
    runbook: queue
    trigger: {alert: Backlog, matchers: ['queue=~"a|b"']}
    precondition: ['sum(depth{queue="${queue}"}) > 10']
    blast_radius: {max_replicas: 8}
    expected_effect: {query: 'sum(depth{queue="${queue}"}) < 10'}
    action: {scale: {namespace: shop, deployment: "consumer-${queue}", factor: 2}}
`

func TestAFileSaysTheLeastByDefault(t *testing.T) {
	list, problems := Parse("r.yml", []byte(good))
	if len(problems) > 0 || len(list) != 1 {
		t.Fatal(list, problems)
	}
	if r := list[0]; r.Mode != Suggest || !r.DryRun || r.Undo != UndoAuto || r.Blast.MaxTargets != 1 {
		t.Errorf("%+v", r)
	}
}

func TestWhatIsWrongIsSaidWithItsPlace(t *testing.T) {
	for old, c := range map[string]struct{ now, want string }{
		"owner: platform":              {"owner: ''", "r.yml:3: remedies[0].owner: must not be empty"},
		"matchers: ['queue=~\"a|b\"']": {"matchers: []", "no matcher says which it may be"},
		"queue=~\"a|b\"":               {"queue=~\".*\"", "no matcher says which it may be"},
		"'queue=~\"a|b\"'":             {"'queue!=\"a\"'", "no matcher says which it may be"},
		"precondition: ['sum(depth{queue=\"${queue}\"}) > 10']": {"precondition: []", "must have a query"},
		"> 10']":           {"> ${queue}']", "remedies[0].precondition[0]"},
		"max_replicas: 8":  {"max_percent: 50", "max_replicas: must be given"},
		"factor: 2":        {"factor: 1", "factor: must be > 1"},
		"name: scale":      {"name: Scale", "must be small letters"},
		"runbook: queue":   {"runbook: queue\n    mode: always", "mode: must be suggest, approve or auto"},
		"runbook: queue\n": {"runbook: queue\n    limits: {cooldown: 1s}\n", "limits.cooldown: must be 1m to 1d"},
		"action: {scale":   {"action: {restart: {namespace: a, deployment: b}, scale", "exactly one of"},
		"alert: Backlog, ": {"alert: Backlog, for: 2d, ", "trigger.for"},
	} {
		text := strings.Replace(good, old, c.now, 1)
		list, problems := Parse("r.yml", []byte(text))
		if len(list) != 0 || len(problems) == 0 || !strings.Contains(problems[0].Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.now, problems, c.want)
		}
	}
}

type asked []string

func (a *asked) Instant(_ context.Context, expr string, _ time.Time) ([]model.Sample, error) {
	*a = append(*a, expr)
	return []model.Sample{{Value: math.NaN()}}, nil
}

// Whatever a label says, it is a value in the query and nothing else.
func TestALabelCannotBecomeAPartOfAQuery(t *testing.T) {
	for _, evil := range []string{`x"}) or vector(1) or sum(y{a="`, `\`, "a\nb", `${other}`, "`"} {
		var got asked
		if _, err := Query(`sum(depth{queue="${q}",r=~"p-${q}-.*"}) > 10`).Ask(t.Context(), &got, map[string]string{"q": evil}, time.Now()); err != nil {
			t.Fatalf("%q: %v", evil, err)
		}
		expr, err := Query(got[0]).parse()
		if err != nil || strings.Count(expr.String(), "depth") != 1 || strings.Contains(got[0], "${q}") {
			t.Errorf("%q became %s (%v)", evil, got[0], err)
		}
		if !strings.HasPrefix(expr.String(), "sum(depth{") || !strings.HasSuffix(expr.String(), "}) > 10") {
			t.Errorf("%q became %s", evil, expr)
		}
	}
	if _, err := Query(`depth{queue="${q}"}`).Ask(t.Context(), &asked{}, map[string]string{}, time.Now()); err == nil {
		t.Error("a label that is not there selects everything")
	}
}

func TestALabelThatNamesATargetIsPlain(t *testing.T) {
	list, _ := Parse("r.yml", []byte(good))
	for label, ok := range map[string]bool{"a": true, "--all": false, "../../x": false, "a b": false, "a;b": false, "": false, "a/b": true, "a\n": false} {
		_, target, err := list[0].Action.For(map[string]string{"queue": label})
		if (err == nil) != ok {
			t.Errorf("%q: %q, %v", label, target, err)
		}
	}
	if list[0].Action.Scale.Deployment != "consumer-${queue}" {
		t.Error("the remedy itself was changed")
	}
}

type constant map[string][]model.Sample

func (c constant) Instant(_ context.Context, expr string, _ time.Time) ([]model.Sample, error) {
	return c[expr], nil
}

func TestNoDataIsToldFromNo(t *testing.T) {
	is := func(v float64) []model.Sample { return []model.Sample{{Value: v}} }
	for _, c := range []struct {
		query         string
		data          constant
		holds, noData bool
	}{
		{"a > 5", constant{"a > 5": is(7)}, true, false},
		{"a > 5", constant{"a": is(3)}, false, false},
		{"a > 5", constant{}, false, true},
		{"a > -1", constant{"a > -1": is(0), "a": is(0)}, true, false},
		{"a > bool 5", constant{"a > bool 5": is(0), "a": is(3)}, false, false},
		{"a", constant{"a": is(0)}, false, false},
		{"a", constant{"a": is(math.NaN())}, false, true},
		{"a > 5 and b < 1", constant{"a > 5 and b < 1": is(6)}, true, false},
	} {
		f, err := Query(c.query).Ask(t.Context(), c.data, nil, time.Now())
		if err != nil || f.Holds != c.holds || f.NoData != c.noData || f.Text() == "" {
			t.Errorf("%s of %v: %+v, %v", c.query, c.data, f, err)
		}
	}
}
