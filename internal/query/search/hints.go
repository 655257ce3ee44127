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
	Seen []string // fields that records in range have; none where that is not known
}

// Hints says why a filter that found nothing could not: fields that no record in
// range has, and tests that nothing passes.
func Hints(e store.Expr, known Fields) []string {
	var out []string
	add := func(hint string) {
		if hint != "" && !slices.Contains(out, hint) {
			out = append(out, hint)
		}
	}
	eachTest(e, func(field string, c *store.Compare) {
		hint := ""
		if len(known.Seen) > 0 {
			hint = fieldHint(field, known)
		}
		if hint == "" && c != nil {
			hint = valueHint(field, c, known)
		}
		add(hint)
	})
	eachAll(e, func(tests []store.Compare) { add(contradiction(tests, known)) })
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
	if field == "timestamp" || field == "message" {
		return "" // every record has them, so that they are not listed
	}
	if slices.Contains(known.Own, field) && slices.Contains(known.Seen, store.AttrPrefix+field) && !slices.Contains(known.Seen, field) {
		return fmt.Sprintf("nothing in this time range has the field %[1]q, but an attribute has that name: %[2]s%[1]s", field, store.AttrPrefix)
	}
	for _, name := range all {
		if name == field || strings.HasPrefix(field, name+".") || strings.TrimPrefix(strings.TrimPrefix(field, "event."), "link.") == name {
			return ""
		}
	}
	hint := fmt.Sprintf("nothing in this time range has the field %q", field)
	meant := nearest.Name(field, all)
	within := func(name string) bool {
		return slices.ContainsFunc(known.Seen, func(s string) bool { return s == name || strings.HasPrefix(name, s+".") })
	}
	if name, ok := strings.CutPrefix(field, store.AttrPrefix); ok && within(name) {
		meant = name
	}
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
