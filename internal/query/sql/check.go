package sql

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// plan is a checked query.
type plan struct {
	text     string          // as given, without a trailing semicolon
	explain  bool            // begins with EXPLAIN
	tables   map[string]bool // tables of ours that it names
	attrKeys []string        // keys named as "attr.<key>" columns, sorted
}

// The table functions that read nothing but their arguments.
func harmlessTableFunction(name string) bool {
	return slices.Contains([]string{"unnest", "range", "generate_series", "generate_subscripts", "json_each", "json_tree", "repeat"}, name)
}

// deniedFunction names the scalar functions that look outside the query: at
// settings, the catalog, the environment, sequences, logs, or run SQL from a string.
func deniedFunction(name string) bool {
	for _, prefix := range []string{"read_", "duckdb_", "pragma_", "pg_", "sniff_", "parquet_", "has_", "current_", "in_search_path", "json_execute", "json_deserialize", "query", "which_secret"} {
		if strings.HasPrefix(name, prefix) {
			switch name {
			case "current_date", "current_time", "current_timestamp", "current_localtime", "current_localtimestamp":
				return false
			}
			return true
		}
	}
	return slices.Contains([]string{
		"getenv", "glob", "getvariable", "nextval", "currval", "txid_current", "write_log", "set_config", "version", "stats",
		"icu_sort_key_debug", "add_parquet_key", "from_substrait", "get_substrait", "test_all_types", "sleep_ms", "parse_duckdb_log_message",
	}, name)
}

// allowedCTE refuses names that are files or DuckDB's own views, which a CTE
// could otherwise make pass where the CTE itself is out of scope.
func allowedCTE(name string) bool {
	lower := strings.ToLower(name)
	for _, prefix := range []string{"duckdb_", "sqlite_", "pragma_", "pg_", "information_schema", internalPrefix} {
		if strings.HasPrefix(lower, prefix) {
			return false
		}
	}
	return regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`).MatchString(name)
}

// check parses query with DuckDB's parser and refuses everything but one
// SELECT (or what the parser makes one: WITH, VALUES, FROM, DESCRIBE, SUMMARIZE), or
// EXPLAIN of one, over our tables.
func check(ctx context.Context, s *session, query string) (plan, error) {
	p := plan{text: query, tables: map[string]bool{}}
	inner, offset := query, 0
	if at, rest, ok := cutKeyword(query, "explain"); ok {
		p.explain, inner, offset = true, rest, at
		if at, rest, ok := cutKeyword(inner, "analyze"); ok {
			inner, offset = rest, offset+at
		}
	}
	tree, err := parse(ctx, s, inner, offset)
	if err != nil {
		return p, err
	}
	w := &walker{plan: &p, ctes: map[string]bool{}, offset: offset}
	w.collectCTEs(tree)
	if err := w.walk(tree); err != nil {
		return p, err
	}
	slices.Sort(p.attrKeys)
	p.attrKeys = slices.Compact(p.attrKeys)
	return p, nil
}

// parse is the syntax tree of a single SELECT.
func parse(ctx context.Context, s *session, text string, offset int) (any, error) {
	var out string
	if err := s.conn.QueryRowContext(ctx, "SELECT json_serialize_sql(CAST($1 AS VARCHAR), skip_default := true)::VARCHAR", text).Scan(&out); err != nil {
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
		return nil, refused(0, "only SELECT, WITH, DESCRIBE and EXPLAIN are allowed")
	case len(parsed.Statements) != 1:
		return nil, refused(0, fmt.Sprintf("exactly one statement is allowed, not %d", len(parsed.Statements)))
	}
	return parsed.Statements[0], nil
}

// walker checks a syntax tree. The tree is DuckDB's own serialization: objects
// with "type", and for table references "table_name", for functions
// "function_name".
type walker struct {
	plan   *plan
	ctes   map[string]bool // lower-case names of all CTEs, wherever they stand
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
	if fn, ok := n["function_name"].(string); ok {
		if deniedFunction(strings.ToLower(fn)) {
			return refused(w.position(n), "the function "+fn+" is not allowed")
		}
	}
	switch n["type"] {
	case "BASE_TABLE":
		return w.table(n)
	case "TABLE_FUNCTION":
		fn, _ := n["function"].(map[string]any)
		name, _ := fn["function_name"].(string)
		if !harmlessTableFunction(strings.ToLower(name)) {
			return refused(w.position(n), "the table function "+name+" is not allowed")
		}
	case "SHOW_REF":
		if n["query"] == nil {
			return refused(0, "use DESCRIBE <table>; the tables are "+strings.Join(tableNames(), ", "))
		}
	case "BOUND_TABLE_REF", "COLUMN_DATA", "DELIM_GET", "INVALID":
		return refused(w.position(n), "this kind of table is not allowed")
	case "COLUMN_REF":
		w.column(n)
	}
	return nil
}

func (w *walker) table(n map[string]any) error {
	table, _ := n["table_name"].(string)
	schema, _ := n["schema_name"].(string)
	catalog, _ := n["catalog_name"].(string)
	lower := strings.ToLower(table)
	if catalog != "" || schema != "" && !strings.EqualFold(schema, "main") {
		return refused(w.position(n), "tables are named without a schema; they are "+strings.Join(tableNames(), ", "))
	}
	if w.ctes[lower] {
		if !allowedCTE(table) {
			return refused(w.position(n), "the name "+table+" cannot be given to a WITH query")
		}
		// The name may also mean the table where the CTE is out of scope.
		if slices.Contains(tableNames(), lower) {
			w.plan.tables[lower] = true
		}
		return nil
	}
	if !slices.Contains(tableNames(), lower) {
		return refused(w.position(n), fmt.Sprintf("there is no table %q; the tables are %s", table, strings.Join(tableNames(), ", ")))
	}
	w.plan.tables[lower] = true
	return nil
}

// column notes columns named attr.<key>.
func (w *walker) column(n map[string]any) {
	parts, _ := n["column_names"].([]any)
	if len(parts) == 0 {
		return
	}
	last, _ := parts[len(parts)-1].(string)
	if key, ok := strings.CutPrefix(last, attrPrefix); ok && key != "" {
		w.plan.attrKeys = append(w.plan.attrKeys, key)
	}
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
	i := skipBlank(s, 0)
	end := i + len(keyword)
	if end >= len(s) || !strings.EqualFold(s[i:end], keyword) {
		return 0, "", false
	}
	if isWordByte(s[end]) {
		return 0, "", false
	}
	return end, s[end:], true
}

// isWordByte reports whether c can stand inside an unquoted name.
func isWordByte(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c >= 0x80
}

// skipBlank is the offset of the first byte at or after i that is neither
// blank nor in a comment.
func skipBlank(s string, i int) int {
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
