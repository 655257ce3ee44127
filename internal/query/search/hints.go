package search

import (
	"fmt"
	"slices"
	"strings"

	"github.com/signalbox-project/signalbox/internal/platform/nearest"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Fields is what is known of the fields of one kind of record.
type Fields struct {
	Own  []string // those that are no attributes
	Seen []string // attributes that records in range have
}

// Hints says why a filter that found nothing could not: fields that no record in
// range has, and values that a field never has.
func Hints(e store.Expr, known Fields) []string {
	var out []string
	eachTest(e, func(field string, c *store.Compare) {
		hint := fieldHint(field, known)
		if hint == "" && c != nil {
			hint = valueHint(field, c, known)
		}
		if hint != "" && !slices.Contains(out, hint) {
			out = append(out, hint)
		}
	})
	return out
}

// eachTest calls f for each field that e asks for; what is negated finds also what lacks the field.
func eachTest(e store.Expr, f func(field string, c *store.Compare)) {
	switch e := e.(type) {
	case store.And:
		for _, p := range e.Exprs {
			eachTest(p, f)
		}
	case store.Or:
		for _, p := range e.Exprs {
			eachTest(p, f)
		}
	case store.Compare:
		f(e.Field, &e)
	case store.Exists:
		f(e.Field, nil)
	case store.Regexp:
		if e.Field != "" {
			f(e.Field, nil)
		}
	}
}

func fieldHint(field string, known Fields) string {
	all := slices.Concat(known.Own, known.Seen)
	for _, name := range all {
		if name == field || strings.HasPrefix(field, name+".") || strings.TrimPrefix(strings.TrimPrefix(field, "event."), "link.") == name {
			return ""
		}
	}
	hint := fmt.Sprintf("nothing in this time range has the field %q", field)
	meant := nearest.Name(field, all)
	if meant == "" {
		meant = abbreviated(field, known.Own)
	}
	if meant != "" {
		hint += fmt.Sprintf("; did you mean %q?", meant)
	}
	return hint
}

// abbreviated is the field that a short form stands for: lvl for level, svc for service.
func abbreviated(short string, names []string) string {
	for _, name := range names {
		if len(short) < 2 || name[0] != short[0] {
			continue
		}
		rest := name
		for i := range len(short) {
			at := strings.IndexByte(rest, short[i])
			if at < 0 {
				rest = "-"
				break
			}
			rest = rest[at+1:]
		}
		if rest != "-" {
			return name
		}
	}
	return ""
}

// valueHint names comparisons that hold for no value the field can have.
func valueHint(field string, c *store.Compare, known Fields) string {
	if !slices.Contains(known.Own, field) {
		return ""
	}
	var values []string
	switch field {
	case "status":
		values = []string{"unset", "ok", "error"}
	case "kind":
		values = []string{"internal", "server", "client", "producer", "consumer"}
	case "duration":
		if c.IsNum || c.Prefix {
			return ""
		}
		return fmt.Sprintf("%q is no duration: write 300ms, 1.5s or nanoseconds", c.Value)
	default:
		return ""
	}
	if c.Prefix || c.Op != store.OpEq || slices.Contains(values, c.Value) {
		return ""
	}
	hint := fmt.Sprintf("%s is never %q, but one of %s", field, c.Value, strings.Join(values, ", "))
	if meant := nearest.Name(strings.ToLower(c.Value), values); meant != "" {
		hint += fmt.Sprintf("; did you mean %q?", meant)
	}
	return hint
}
