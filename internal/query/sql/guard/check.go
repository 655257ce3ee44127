package guard

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/signalbox-project/signalbox/internal/platform/nearest"
)

// Plan is a checked query.
type Plan struct {
	Text     string          // as given
	Explain  bool            // begins with EXPLAIN
	Tables   map[string]bool // tables of ours that it names
	AttrKeys []string        // keys named as "attr.<key>" columns, sorted

	// Times are what bounds the rows of a table, one for each reference to it; there are none of a table of which one may
	// need all rows.
	Times map[string][]Times `json:"-"`
}

// Rules are what a query may name.
type Rules struct {
	Tables     []string // in lower case
	AttrPrefix string   // begins the names of attribute columns
	Hidden     string   // begins names of ours that nobody may use
}

// Parser gives DuckDB's syntax tree of a text as its function json_serialize_sql writes it.
type Parser func(ctx context.Context, text string) (string, error)

// allowedCTE refuses names that are files or DuckDB's own views, which a CTE
// could otherwise make pass where the CTE itself is out of scope.
func (r Rules) allowedCTE(name string) bool {
	lower := strings.ToLower(name)
	for _, prefix := range []string{"duckdb_", "sqlite_", "pragma_", "pg_", "information_schema", r.Hidden} {
		if strings.HasPrefix(lower, prefix) {
			return false
		}
	}
	return regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`).MatchString(name)
}

// Check parses query with DuckDB's parser and refuses everything but one
// SELECT (or what the parser makes one: WITH, VALUES, FROM, DESCRIBE, SUMMARIZE), or
// EXPLAIN of one, over the rules' tables. Errors of the query are *Error.
func Check(ctx context.Context, parser Parser, rules Rules, query string) (Plan, error) {
	p := Plan{Text: query, Tables: map[string]bool{}, Times: map[string][]Times{}}
	if err := Bound(query); err != nil {
		return p, err
	}
	inner, offset := query, 0
	if at, rest, ok := cutKeyword(query, "explain"); ok {
		p.Explain, inner, offset = true, rest, at
		if at, rest, ok := cutKeyword(inner, "analyze"); ok {
			inner, offset = rest, offset+at
		}
	}
	tree, err := parse(ctx, parser, inner, offset)
	if err != nil {
		return p, err
	}
	w := &walker{plan: &p, rules: rules, ctes: map[string]bool{}, refs: map[string]int{}, offset: offset}
	w.collectCTEs(tree)
	if err := w.walk(tree); err != nil {
		return p, err
	}
	for table, n := range w.refs {
		if len(p.Times[table]) != n {
			delete(p.Times, table)
		}
	}
	slices.Sort(p.AttrKeys)
	p.AttrKeys = slices.Compact(p.AttrKeys)
	return p, nil
}

// parse is the syntax tree of a single SELECT.
func parse(ctx context.Context, parser Parser, text string, offset int) (any, error) {
	out, err := parser(ctx, text)
	if err != nil {
		return nil, fmt.Errorf("parse: %w", err)
	}
	var parsed struct {
		Error      bool   `json:"error"`
		Type       string `json:"error_type"`
		Message    string `json:"error_message"`
		Position   string `json:"position"`
		Statements []any  `json:"statements"`
	}
	if err := json.Unmarshal([]byte(out), &parsed); err != nil {
		return nil, fmt.Errorf("read syntax tree: %w", err)
	}
	switch {
	case parsed.Error && parsed.Type == "parser":
		pos, err := strconv.Atoi(parsed.Position)
		if err != nil {
			pos = -1
		} else {
			pos += offset
		}
		return nil, &Error{Message: parsed.Message, At: pos}
	case parsed.Error:
		return nil, Refused(0, "only SELECT, WITH, DESCRIBE and EXPLAIN are allowed")
	case len(parsed.Statements) != 1:
		return nil, Refused(0, fmt.Sprintf("exactly one statement is allowed, not %d", len(parsed.Statements)))
	}
	return parsed.Statements[0], nil
}

// walker checks a syntax tree. The tree is DuckDB's own serialization: objects
// with "type", and for table references "table_name", for functions
// "function_name".
type walker struct {
	plan   *Plan
	rules  Rules
	ctes   map[string]bool // lower-case names of all CTEs, wherever they stand
	refs   map[string]int  // references to tables, by lower-case name
	offset int
}

// collectCTEs gathers the names that WITH defines.
func (w *walker) collectCTEs(node any) {
	switch n := node.(type) {
	case []any:
		for _, c := range n {
			w.collectCTEs(c)
		}
	case map[string]any:
		if m, ok := n["cte_map"].(map[string]any); ok {
			entries, _ := m["map"].([]any)
			for _, entry := range entries {
				if e, ok := entry.(map[string]any); ok {
					if key, ok := e["key"].(string); ok {
						w.ctes[strings.ToLower(key)] = true
					}
				}
			}
		}
		for _, c := range n {
			w.collectCTEs(c)
		}
	}
}

func (w *walker) walk(node any) error {
	switch n := node.(type) {
	case []any:
		for _, c := range n {
			if err := w.walk(c); err != nil {
				return err
			}
		}
	case map[string]any:
		if err := w.visit(n); err != nil {
			return err
		}
		for _, c := range n {
			if err := w.walk(c); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *walker) visit(n map[string]any) error {
	if err := w.kind(n); err != nil {
		return err
	}
	if name, ok := n["function_name"].(string); ok {
		if err := w.function(n, name); err != nil {
			return err
		}
	}
	switch n["type"] {
	case "SELECT_NODE":
		w.timesOf(n)
	case "BASE_TABLE":
		return w.table(n)
	case "TABLE_FUNCTION":
		fn, _ := n["function"].(map[string]any)
		name, _ := fn["function_name"].(string)
		if !isTableFunction(strings.ToLower(name)) {
			return Refused(w.position(n), "the table function "+name+" is not allowed")
		}
	case "SHOW_REF":
		if n["query"] == nil {
			return Refused(0, "use DESCRIBE <table>; the tables are "+w.tableNames())
		}
	case "COLUMN_REF":
		return w.column(n)
	case "UNBOUND_TYPE_INFO":
		if name, _ := n["name"].(string); !slices.Contains([]string{"json", "enum"}, strings.ToLower(name)) {
			return Refused(-1, "the type "+name+" is not allowed")
		}
	}
	return nil
}

// kind refuses every kind of expression, table, query and type that is not known to be harmless.
func (w *walker) kind(n map[string]any) error {
	if class, ok := n["class"].(string); ok {
		if !isExpression(class) {
			return Refused(w.position(n), "an expression of the kind "+class+" is not allowed")
		}
		return nil
	}
	if kind, ok := n["type"].(string); ok && !isNode(kind) {
		return Refused(w.position(n), "a part of the kind "+kind+" is not allowed")
	}
	return nil
}

func (w *walker) function(n map[string]any, name string) error {
	lower := strings.ToLower(name)
	schema, _ := n["schema"].(string)
	catalog, _ := n["catalog"].(string)
	if catalog != "" || schema != "" && !strings.EqualFold(schema, "main") {
		return Refused(w.position(n), "functions are named without a schema: "+name)
	}
	if isFunction(lower) || isTableFunction(lower) {
		return nil
	}
	err := Refused(w.position(n), "the function "+name+" is not allowed")
	if meant := nearest.Name(lower, functions()); meant != "" {
		err.Advice = "did you mean " + meant + "?"
	}
	return err
}

func (w *walker) tableNames() string { return strings.Join(w.rules.Tables, ", ") }

func (w *walker) table(n map[string]any) error {
	table, _ := n["table_name"].(string)
	schema, _ := n["schema_name"].(string)
	catalog, _ := n["catalog_name"].(string)
	lower := strings.ToLower(table)
	w.refs[lower]++
	if catalog != "" || schema != "" && !strings.EqualFold(schema, "main") {
		return Refused(w.position(n), "tables are named without a schema; they are "+w.tableNames())
	}
	if w.ctes[lower] {
		if !w.rules.allowedCTE(table) {
			return Refused(w.position(n), "the name "+table+" cannot be given to a WITH query")
		}
		// The name may also mean the table where the CTE is out of scope.
		if slices.Contains(w.rules.Tables, lower) {
			w.plan.Tables[lower] = true
		}
		return nil
	}
	if !slices.Contains(w.rules.Tables, lower) {
		return Refused(w.position(n), fmt.Sprintf("there is no table %q; the tables are %s", table, w.tableNames()))
	}
	w.plan.Tables[lower] = true
	return nil
}

// column notes columns named attr.<key>. Some functions are called by their mere name,
// as a column is.
func (w *walker) column(n map[string]any) error {
	parts, _ := n["column_names"].([]any)
	if len(parts) == 0 {
		return nil
	}
	last, _ := parts[len(parts)-1].(string)
	if key, ok := strings.CutPrefix(last, w.rules.AttrPrefix); ok && key != "" {
		w.plan.AttrKeys = append(w.plan.AttrKeys, key)
	}
	switch lower := strings.ToLower(last); lower {
	case "current_catalog", "current_role", "current_schema", "current_user", "session_user":
		if len(parts) == 1 {
			return Refused(w.position(n), "the function "+lower+" is not allowed")
		}
	}
	return nil
}

// position is where a node stands in the query, -1 if unknown.
func (w *walker) position(n map[string]any) int {
	f, ok := n["query_location"].(float64)
	if !ok || f < 0 || f > 1<<30 {
		return -1
	}
	return int(f) + w.offset
}

// cutKeyword removes a leading keyword with the blanks and comments around it;
// at is the offset of rest.
func cutKeyword(s, keyword string) (at int, rest string, ok bool) {
	i := SkipBlank(s, 0)
	end := i + len(keyword)
	if end >= len(s) || !strings.EqualFold(s[i:end], keyword) {
		return 0, "", false
	}
	if IsWordByte(s[end]) {
		return 0, "", false
	}
	return end, s[end:], true
}

// IsWordByte reports whether c can stand inside an unquoted name.
func IsWordByte(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c >= 0x80
}

// SkipBlank is the offset of the first byte at or after i that is neither
// blank nor in a comment.
func SkipBlank(s string, i int) int {
	for i < len(s) {
		switch {
		case strings.IndexByte(" \t\r\n\f\v", s[i]) >= 0:
			i++
		case strings.HasPrefix(s[i:], "--"):
			n := strings.IndexByte(s[i:], '\n')
			if n < 0 {
				return len(s)
			}
			i += n + 1
		case strings.HasPrefix(s[i:], "/*"):
			n := strings.Index(s[i+2:], "*/")
			if n < 0 {
				return len(s)
			}
			i += n + 4
		default:
			return i
		}
	}
	return i
}
