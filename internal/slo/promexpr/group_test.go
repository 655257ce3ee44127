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
