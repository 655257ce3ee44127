package search

import (
	"fmt"
	"slices"
	"strings"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/nearest"
	"github.com/signalbox-project/signalbox/internal/store"
)

// valueHint names comparisons that hold for no value the field can have.
func valueHint(field string, c *store.Compare, known Fields) string {
	if !slices.Contains(known.Own, field) {
		if !c.IsNum && !c.Prefix && c.Op != store.OpEq && c.Op != store.OpNe {
			return fmt.Sprintf("%q is no number: texts alone are compared with it, by their letters", c.Value)
		}
		return ""
	}
	switch field {
	case "status":
		return oneOf(field, c, "unset", "ok", "error")
	case "kind":
		return oneOf(field, c, "internal", "server", "client", "producer", "consumer")
	case "level":
		return levelHint(c)
	case "duration":
		return durationHint(c)
	}
	return ""
}

func oneOf(field string, c *store.Compare, values ...string) string {
	if c.Prefix || c.Op != store.OpEq || slices.Contains(values, c.Value) {
		return ""
	}
	hint := fmt.Sprintf("%s is never %q, but one of %s", field, c.Value, strings.Join(values, ", "))
	if meant := nearest.Name(strings.ToLower(c.Value), values); meant != "" {
		hint += fmt.Sprintf("; did you mean %q?", meant)
	}
	return hint
}

func levelHint(c *store.Compare) string {
	switch {
	case c.Op == store.OpGt && c.Value == model.LevelFatal.String():
		return "no level is above fatal: write level:fatal"
	case c.Op == store.OpLt && c.Value == model.LevelTrace.String():
		return "no level is below trace: write level:trace"
	}
	return ""
}

func durationHint(c *store.Compare) string {
	switch {
	case c.Prefix:
		return ""
	case !c.IsNum:
		return fmt.Sprintf("%q is no duration: write 300ms, 1.5s or nanoseconds", c.Value)
	case c.Num < 0 && (c.Op == store.OpEq || c.Op == store.OpLt || c.Op == store.OpLe), c.Num == 0 && c.Op == store.OpLt:
		return "a duration is never below 0"
	}
	return ""
}

// eachAll calls f with the comparisons that must hold together.
func eachAll(e store.Expr, f func([]store.Compare)) {
	switch e := e.(type) {
	case store.Or:
		for _, p := range e.Exprs {
			eachAll(p, f)
		}
	case store.And:
		var together []store.Compare
		for _, p := range e.Exprs {
			if c, ok := p.(store.Compare); ok {
				together = append(together, c)
				continue
			}
			eachAll(p, f)
		}
		f(together)
	}
}

// contradiction names two comparisons of a field with one value that cannot both hold.
func contradiction(tests []store.Compare, known Fields) string {
	for i, a := range tests {
		for _, b := range tests[:i] {
			if a.Field != b.Field || a.Prefix || b.Prefix || !slices.Contains(known.Own, a.Field) {
				continue
			}
			if a.Op == store.OpEq && b.Op == store.OpEq && a.Value != b.Value && (!a.IsNum || !b.IsNum || a.Num != b.Num) {
				return fmt.Sprintf("%[1]s has one value, it is not both %[2]s and %[3]s: write %[1]s:(%[2]s OR %[3]s)", a.Field, b.Value, a.Value)
			}
			if apart(a, b) || apart(b, a) {
				return fmt.Sprintf("no %s is %s and %s at once", a.Field, boundText(b), boundText(a))
			}
		}
	}
	return ""
}

// apart reports whether all that low lets through lies above all that high lets through.
func apart(low, high store.Compare) bool {
	atLeast := low.Op == store.OpGe || low.Op == store.OpEq
	atMost := high.Op == store.OpLe || high.Op == store.OpEq
	if low.Op == store.OpEq && high.Op == store.OpEq || !atLeast && low.Op != store.OpGt || !atMost && high.Op != store.OpLt {
		return false
	}
	order, ok := orderOf(low, high)
	return ok && (order > 0 || order == 0 && (!atLeast || !atMost))
}

// orderOf compares the values of two comparisons, where the field orders them otherwise than as texts.
func orderOf(a, b store.Compare) (order int, ok bool) {
	if a.Field == "level" {
		la, errA := model.ParseLevel(a.Value)
		lb, errB := model.ParseLevel(b.Value)
		return int(la) - int(lb), errA && errB
	}
	if !a.IsNum || !b.IsNum {
		return 0, false
	}
	switch {
	case a.Num < b.Num:
		return -1, true
	case a.Num > b.Num:
		return 1, true
	}
	return 0, a.Value == b.Value // integers that round alike may differ
}

func boundText(c store.Compare) string {
	return [...]string{store.OpEq: "=", store.OpNe: "!=", store.OpGt: ">", store.OpGe: ">=", store.OpLt: "<", store.OpLe: "<="}[c.Op] + c.Value
}
