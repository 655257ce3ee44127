package sql

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/signalbox-project/signalbox/internal/query/sql/answer"
)

const (
	// internalPrefix begins the names of what views are made from.
	internalPrefix = "sb_"
	// attrPrefix begins attribute columns: in files (promoted attributes) and
	// in queries, where "attr.http.route" names any attribute.
	attrPrefix = "attr."
	zeroUUID   = "00000000-0000-0000-0000-000000000000"
)

// eventColumn is a column of logs or spans; expr is its expression over a
// Parquet file's columns, by default the column of that name.
type eventColumn struct{ name, sqlType, expr string }

// hexOf shows a BLOB id as hex digits, "" for zeros.
func hexOf(column string) string {
	return fmt.Sprintf(`CASE WHEN %[1]s = '\x00\x00\x00\x00\x00\x00\x00\x00'::BLOB THEN '' ELSE lower(hex(%[1]s)) END`, column)
}

func textColumn(name string) eventColumn { return eventColumn{name: name, sqlType: "VARCHAR"} }

func jsonColumn(name string) eventColumn {
	return eventColumn{name: name, sqlType: "JSON", expr: name + "::JSON"}
}

func textColumns(names ...string) []eventColumn {
	out := make([]eventColumn, len(names))
	for i, n := range names {
		out[i] = textColumn(n)
	}
	return out
}

// logColumns are the columns of logs, in the order of SELECT *.
func logColumns() []eventColumn {
	cols := []eventColumn{{name: "timestamp", sqlType: "TIMESTAMP_NS"}}
	cols = append(cols, textColumns("level", "service", "env", "region", "version", "instance", "namespace", "tenant")...)
	return append(cols,
		eventColumn{name: "trace_id", sqlType: "UUID"},
		eventColumn{name: "span_id", sqlType: "VARCHAR", expr: hexOf("span_id")},
		textColumn("request_id"), textColumn("message"), jsonColumn("attributes"), jsonColumn("resource"),
	)
}

// spanColumns are the columns of spans, in the order of SELECT *.
func spanColumns() []eventColumn {
	cols := []eventColumn{{name: "timestamp", sqlType: "TIMESTAMP_NS"}, {name: "duration_ns", sqlType: "BIGINT"}}
	cols = append(cols, textColumns("service", "name", "kind", "status", "status_message", "env", "region", "version", "instance", "namespace", "tenant")...)
	return append(cols,
		eventColumn{name: "trace_id", sqlType: "UUID"},
		eventColumn{name: "span_id", sqlType: "VARCHAR", expr: hexOf("span_id")},
		eventColumn{name: "parent_span_id", sqlType: "VARCHAR", expr: hexOf("parent_span_id")},
		textColumn("trace_state"), textColumn("scope"),
		jsonColumn("attributes"), jsonColumn("resource"), jsonColumn("events"), jsonColumn("links"),
	)
}

// tableNames are all tables that a query may name.
func tableNames() []string {
	names := []string{"logs", "spans"}
	for _, t := range stateTables() {
		names = append(names, t.name)
	}
	return names
}

// Schema lists the tables and their columns.
func (e *Engine) Schema(context.Context) ([]answer.SQLTable, error) {
	out := []answer.SQLTable{eventTable("logs", logColumns()), eventTable("spans", spanColumns())}
	for _, t := range stateTables() {
		out = append(out, answer.SQLTable{Name: t.name, Columns: slices.Clone(t.columns)})
	}
	return out, nil
}

func eventTable(name string, cols []eventColumn) answer.SQLTable {
	t := answer.SQLTable{Name: name}
	for _, c := range cols {
		t.Columns = append(t.Columns, answer.SQLColumn{Name: c.name, Type: c.sqlType})
	}
	return t
}

// eventView makes the view of one table over the tenant's rows in files.
func (s *session) eventView(ctx context.Context, table, tenant string, cols columns, files, attrKeys []string, apart bool) error {
	if len(files) == 0 {
		return s.emptyView(ctx, table, cols.list, attrKeys)
	}
	promoted, err := s.promotedColumns(ctx, files, apart)
	if err != nil {
		return err
	}
	var exprs []string
	for _, c := range cols.list {
		expr := c.expr
		switch {
		case c.name == "attributes":
			expr = mergedAttributes(promoted)
		case expr == "":
			expr = name(c.name)
		}
		exprs = append(exprs, cols.shown(c, expr)+" AS "+name(c.name))
	}
	for _, key := range attrKeys {
		exprs = append(exprs, cols.attribute(key, promoted)+" AS "+name(attrPrefix+key))
	}
	return s.exec(ctx, "CREATE VIEW "+name(table)+" AS SELECT "+strings.Join(exprs, ", ")+
		" FROM read_parquet("+listLiteral(files)+", union_by_name = true) WHERE tenant = "+literal(tenant))
}

func (s *session) emptyView(ctx context.Context, table string, cols []eventColumn, attrKeys []string) error {
	var exprs []string
	for _, c := range cols {
		exprs = append(exprs, "NULL::"+c.sqlType+" AS "+name(c.name))
	}
	for _, key := range attrKeys {
		exprs = append(exprs, "NULL::VARCHAR AS "+name(attrPrefix+key))
	}
	return s.exec(ctx, "CREATE VIEW "+name(table)+" AS SELECT "+strings.Join(exprs, ", ")+" WHERE false")
}

// promotedColumns maps attribute keys with a column of their own in any of
// the files to the column's type. Apart, only those count that hold a value: the others' rows had the column.
func (s *session) promotedColumns(ctx context.Context, files []string, apart bool) (_ map[string]string, err error) {
	query := "SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM read_parquet(" + listLiteral(files) + ", union_by_name = true))"
	if apart {
		query += " WHERE column_name IN (SELECT path_in_schema FROM parquet_metadata(" + listLiteral(files) + ") GROUP BY ALL HAVING sum(num_values) > sum(stats_null_count))"
	}
	rows, err := s.conn.QueryContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("read columns of parts: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	out := map[string]string{}
	for rows.Next() {
		var column, sqlType string
		if err := rows.Scan(&column, &sqlType); err != nil {
			return nil, fmt.Errorf("read columns of parts: %w", err)
		}
		if key, ok := strings.CutPrefix(column, attrPrefix); ok {
			out[key] = sqlType
		}
	}
	return out, rows.Err()
}

// mergedAttributes is the expression that puts promoted attributes back into
// the JSON column. The inner merge removes those that are absent (null); it is computed
// only by queries that look at attributes.
func mergedAttributes(promoted map[string]string) string {
	if len(promoted) == 0 {
		return "attributes::JSON"
	}
	var args []string
	for _, key := range sortedKeys(promoted) {
		args = append(args, literal(key)+", "+name(attrPrefix+key))
	}
	return "json_merge_patch(attributes::JSON, json_merge_patch('{}'::JSON, json_object(" + strings.Join(args, ", ") + ")))"
}

// attributeColumn is one attribute as a column: its promoted column where a
// file has one, else out of the JSON column; typed when all files agree on a
// type other than text.
func attributeColumn(key, attributes, own, sqlType string) string {
	var texts []string
	for _, path := range jsonPaths(key) {
		texts = append(texts, attributes+" ->> "+literal(path))
	}
	text := "coalesce(" + strings.Join(texts, ", ") + ", NULL)"
	if own == "" {
		return text
	}
	if sqlType != "VARCHAR" {
		text = "TRY_CAST(" + text + " AS " + sqlType + ")"
	}
	return "coalesce(" + own + ", " + text + ")"
}

// maxSplits bounds the ways that a key with many dots may be a path.
const maxSplits = 4

// jsonPaths are the paths under which a key may stand, the key as it is first: keys hold dots
// themselves, so a.b.c is also c within a.b, b.c within a, and c within b within a.
func jsonPaths(key string) []string {
	paths := []string{jsonPath(key)}
	parts := strings.Split(key, ".")
	if len(parts)-1 > maxSplits {
		return append(paths, jsonPath(parts...))
	}
	for cuts := 1; cuts < 1<<(len(parts)-1); cuts++ {
		steps := slices.Clone(parts[:1])
		for i, part := range parts[1:] {
			if cuts>>i&1 != 0 {
				steps = append(steps, part)
			} else {
				steps[len(steps)-1] += "." + part
			}
		}
		paths = append(paths, jsonPath(steps...))
	}
	return paths
}

// jsonPath addresses keys within each other as they are, dots included.
func jsonPath(keys ...string) string {
	path := "$"
	for _, key := range keys {
		path += `."` + strings.ReplaceAll(strings.ReplaceAll(key, `\`, `\\`), `"`, `\"`) + `"`
	}
	return path
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
