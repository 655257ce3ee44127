package guard

import (
	"context"
	"errors"
	"strings"
	"testing"
)

func TestTextsAreBoundedBeforeAnyParserSeesThem(t *testing.T) {
	for _, c := range []struct {
		name, query, message string
		at                   int
	}{
		{"plain", "SELECT 1", "", 0},
		{"comments within comments", "/* a /* b */ c */ SELECT 1", "", 0},
		{"nine deep", "SELECT 1 " + strings.Repeat("/*", 9), "nested more than 8 deep", 25},
		{"many beside each other", strings.Repeat("/**/", 1000) + "SELECT 1", "", 0},
		{"without an end", "SELECT 1 /* x", "no end", 9},
		{"within texts", "SELECT '/*', '''/*', \"/*\", e'\\'/*', $$/*$$, $a$ $$ /* $a$", "", 0},
		{"behind a text", "SELECT '\\' /* ", "no end", 11},
		{"behind a line comment", "SELECT 1 -- '\n/*", "no end", 14},
		{"a name that ends in e is no escape", "SELECT nane'\\' /*", "no end", 15},
		{"a parameter is no quote", "SELECT $1$ /*", "no end", 11},
		{"a text without an end is the parser's", "SELECT 'x /*", "", 0},
		{"as long as allowed", strings.Repeat("x", MaxQueryBytes), "", 0},
		{"longer", strings.Repeat("x", MaxQueryBytes+1), "at most 262144", MaxQueryBytes},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := Bound(c.query)
			var bad *Error
			switch {
			case c.message == "" && err == nil:
			case !errors.As(err, &bad) || c.message == "" || !strings.Contains(bad.Message, c.message) || bad.At != c.at:
				t.Errorf("got %v, want %q at %d", err, c.message, c.at)
			}
		})
	}
	parsed := false
	_, err := Check(t.Context(), func(context.Context, string) (string, error) { parsed = true; return "", nil }, Rules{}, strings.Repeat("/*", 30_000))
	if err == nil || parsed {
		t.Errorf("a bomb of comments reached the parser: %t, %v", parsed, err)
	}
}

func TestWhatIsNotListedIsRefused(t *testing.T) {
	for name, tree := range map[string]string{
		"a kind of expression": `{"class":"BOUND_SUBQUERY","type":"X"}`,
		"a kind of table":      `{"type":"COLUMN_DATA"}`,
		"a kind of query":      `{"node":{"type":"INSERT_NODE"}}`,
		"a function":           `{"class":"FUNCTION","type":"FUNCTION","function_name":"brand_new"}`,
		"an operator":          `{"class":"FUNCTION","type":"FUNCTION","function_name":"@@","is_operator":true}`,
		"a window function":    `{"class":"WINDOW","type":"WINDOW_AGGREGATE","function_name":"brand_new"}`,
		"a table function":     `{"type":"TABLE_FUNCTION","function":{"class":"FUNCTION","function_name":"upper"}}`,
		"a function's schema":  `{"class":"FUNCTION","type":"FUNCTION","function_name":"upper","schema":"pg_catalog"}`,
		"a type":               `{"class":"CAST","type":"OPERATOR_CAST","cast_type":{"id":"UNBOUND","type_info":{"type":"UNBOUND_TYPE_INFO","name":"regclass"}}}`,
	} {
		parser := func(context.Context, string) (string, error) {
			return `{"error":false,"statements":[` + tree + `]}`, nil
		}
		_, err := Check(t.Context(), parser, Rules{}, "SELECT")
		var bad *Error
		if !errors.As(err, &bad) || bad.Kind != "refused" {
			t.Errorf("%s passes: %v", name, err)
		}
	}
	parser := func(context.Context, string) (string, error) {
		return `{"statements":[{"class":"FUNCTION","type":"FUNCTION","function_name":"quantile_contt","query_location":7}]}`, nil
	}
	_, err := Check(t.Context(), parser, Rules{}, "EXPLAIN SELECT quantile_contt(1)")
	var bad *Error
	if !errors.As(err, &bad) || bad.Hint() != "did you mean quantile_cont?" || bad.Position() != 14 {
		t.Errorf("got %#v", err)
	}
}

// What TrimEnd leaves must be the statement; the check of the wrapped query
// then guards what runs.
func FuzzTrimEnd(f *testing.F) {
	for _, s := range []string{"SELECT 1;", "SELECT ';' -- x", "SELECT $$;$$ ;/* */", `SELECT E'\';' ;`, `"a""b";`, "/* a /* b */ ; */", "'", "$", "--"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		out := TrimEnd(s)
		if len(out) > len(s) || s[:len(out)] != out {
			t.Errorf("%q is not the beginning of %q", out, s)
		}
		if again := TrimEnd(out); again != out {
			t.Errorf("trimmed again %q becomes %q", out, again)
		}
	})
}
