package promexpr

import (
	"fmt"
	"testing"
)

func TestAQueryIsNarrowedToOneOfItsGroups(t *testing.T) {
	group := map[string]string{"handler": "/b"}
	for _, c := range []struct{ query, by, narrow string }{
		{`sum(x)`, "[]", `sum(x)`},
		{`sum by (handler) (x{code="500"})`, "[handler]", `sum(x{code="500",handler="/b"})`},
		{`(sum by (handler) (rate(x[5m])))`, "[handler]", `(sum(rate(x{handler="/b"}[5m])))`},
		{`sum by (handler) (increase(x[$window])) + sum by (handler) (increase(y[$window]))`, "[handler]", `sum(increase(x{handler="/b"}[$window])) + sum(increase(y{handler="/b"}[$window]))`},
		{`histogram_count(sum by (handler) (rate(x[5m])))`, "[handler]", `histogram_count(sum(rate(x{handler="/b"}[5m])))`},
		{`sum by (handler) (rate(x[{{.window }}])) + sum by (handler) (rate(y[{{ $.window}}]))`, "[handler]", `sum(rate(x{handler="/b"}[$window])) + sum(rate(y{handler="/b"}[$window]))`},
		{`sum by (b, a) (x)`, "[a b]", ""},
	} {
		by, err := Groups(c.query)
		if err != nil || fmt.Sprint(by) != c.by {
			t.Errorf("%s: by %v, want %s (%v)", c.query, by, c.by, err)
		}
		if c.narrow == "" || len(by) == 0 {
			continue
		}
		if got, err := Narrow(c.query, group); err != nil || got != c.narrow {
			t.Errorf("%s: %s, want %s (%v)", c.query, got, c.narrow, err)
		}
	}
	if got, err := Members(`sum by (a, b) (rate(x{c="d"}[5m] offset 1m))`, []string{"a", "b"}); err != nil || got != `group by (a, b) (x{c="d"})` {
		t.Errorf("the groups are %s (%v)", got, err)
	}
}

func TestGroupsThatCannotBeToldApartAreRefused(t *testing.T) {
	for _, query := range []string{
		`sum without (pod) (x)`, `max by (a) (x)`, `sum by (a) (x) + sum by (b) (y)`, `sum by (a) (x) + y`,
		`sum by (a) (label_replace(x, "a", "$1", "b", "(.*)"))`, `sum by (a) (x * on (pod) group_left (a) y)`,
	} {
		if by, err := Groups(query); err == nil {
			t.Errorf("%s: by %v", query, by)
		}
	}
}

func TestTheGroupsOfValues(t *testing.T) {
	for query, want := range map[string]string{
		`max by (queue) (age)`:    "[queue]",
		`max(age)`:                "[]",
		`age`:                     "[]",
		`max without (pod) (age)`: "error",
		`histogram_quantile(0.99, sum by (le, route) (rate(b_bucket[5m])))`: "[route]",
		`histogram_quantile(0.99, sum by (le) (rate(b_bucket[5m])))`:        "[]",
		`histogram_quantile(0.99, sum by (route) (rate(b[5m])))`:            "[route]",
		`sum by (a) (rate(x[5m])) / sum by (a) (rate(y[5m]))`:               "[a]",
		`1 - (sum by (b, a) (x) / sum by (a, b) (y))`:                       "[a b]",
		`clamp_max(max by (a) (x), 1)`:                                      "[a]",
		`max_over_time(max by (a) (x)[10m:1m])`:                             "[a]",
		`max by (a) (sum by (a, pod) (x))`:                                  "[a]",
		`quantile by (a) (0.5, x) > 3`:                                      "[a]",
		`max by (a) (x) / sum(y)`:                                           "error",
		`max by (a) (x) or max by (b) (y)`:                                  "error",
		`max by (a) (sum by (pod) (x))`:                                     "error",
		`max by (a) (x) / on () group_left () sum(y)`:                       "error",
		`topk by (a) (3, x)`:                                                "error",
		`max by (a) (label_replace(x, "a", "$1", "b", "(.*)"))`:             "error",
		`label_replace(max by (a) (x), "c", "$1", "a", "(.*)")`:             "error",
		`max by (a) (x) + max without (a) (y)`:                              "error",
	} {
		by, err := ValueGroups(query)
		got := fmt.Sprint(by)
		if err != nil {
			got = "error"
		}
		if got != want {
			t.Errorf("%s: by %s (%v), want %s", query, got, err, want)
		}
	}
	if got, err := NarrowValues(`histogram_quantile(0.99, sum by (le, route) (rate(b_bucket[5m])))`, map[string]string{"route": "/b"}); err != nil || got != `histogram_quantile(0.99, sum by (le, route) (rate(b_bucket{route="/b"}[5m])))` {
		t.Errorf("%s (%v)", got, err)
	}
}
