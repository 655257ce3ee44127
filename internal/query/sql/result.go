package sql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
	"time"

	duckdb "github.com/duckdb/duckdb-go/v2"

	"github.com/signalbox-project/signalbox/internal/query/sql/answer"
	"github.com/signalbox-project/signalbox/internal/query/sql/guard"
)

// wrapHead begins the query around the user's own, which bounds its rows and
// casts what has no exact Go value. The line break keeps a comment at the end of the
// user's text from swallowing the rest.
const wrapHead = "FROM (\n"

// answer runs a checked query in a locked session.
func (s *session) answer(ctx context.Context, p guard.Plan, limit int) (answer.SQLResult, error) {
	names, err := s.columnNames(ctx, p.Text)
	if err != nil {
		return answer.SQLResult{}, err
	}
	text, columns, kinds, err := s.wrapped(ctx, p, names, limit)
	if err != nil {
		return answer.SQLResult{}, err
	}
	return s.collect(ctx, text, columns, kinds, limit)
}

// columnNames prepares the user's text alone, so that errors have its
// positions and columns its names.
func (s *session) columnNames(ctx context.Context, text string) (names []string, err error) {
	err = s.conn.Raw(func(dc any) error {
		stmt, err := dc.(driver.ConnPrepareContext).PrepareContext(ctx, text)
		if err != nil {
			return err
		}
		defer func() { _ = stmt.Close() }()
		ds, ok := stmt.(*duckdb.Stmt)
		if !ok {
			return fmt.Errorf("prepare: unexpected statement %T", stmt)
		}
		if ds.NumInput() > 0 {
			return &Error{Message: "parameters ($1, ?) cannot be used; write values into the query", At: -1}
		}
		n, err := ds.ColumnCount()
		if err != nil {
			return err
		}
		for i := range n {
			name, err := ds.ColumnName(i)
			if err != nil {
				return err
			}
			names = append(names, name)
		}
		return nil
	})
	return names, err
}

// wrapped is the text to run, with the columns it answers and how their cells
// are to be read. EXPLAIN cannot stand in a subquery and runs as it is.
func (s *session) wrapped(ctx context.Context, p guard.Plan, names []string, limit int) (string, []answer.SQLColumn, []cellKind, error) {
	if p.Explain {
		columns, kinds := make([]answer.SQLColumn, len(names)), make([]cellKind, len(names))
		for i, n := range names {
			columns[i] = answer.SQLColumn{Name: n, Type: "VARCHAR"}
		}
		return p.Text, columns, kinds, nil
	}
	aliases := make([]string, len(names))
	for i := range names {
		aliases[i] = fmt.Sprintf("c%d", i)
	}
	from := wrapHead + guard.TrimEnd(p.Text) + "\n) AS t(" + strings.Join(aliases, ", ") + ")"
	types, err := s.columnTypes(ctx, from)
	if err != nil {
		return "", nil, nil, err
	}
	if len(types) != len(names) {
		return "", nil, nil, fmt.Errorf("query has %d columns, its description %d", len(names), len(types))
	}
	columns, kinds, exprs := make([]answer.SQLColumn, len(names)), make([]cellKind, len(names)), make([]string, len(names))
	for i := range names {
		columns[i] = answer.SQLColumn{Name: names[i], Type: types[i]}
		exprs[i], kinds[i] = cellOf(aliases[i], names[i], types[i])
	}
	text := fmt.Sprintf("SELECT %s %s LIMIT %d", strings.Join(exprs, ", "), from, limit+1)
	// What runs is what was checked, not what the wrapping may have made of it.
	if _, err := s.check(ctx, text); err != nil {
		return "", nil, nil, fmt.Errorf("check wrapped query: %w", err)
	}
	return text, columns, kinds, nil
}

func (s *session) columnTypes(ctx context.Context, from string) (types []string, err error) {
	rows, err := s.conn.QueryContext(ctx, "DESCRIBE SELECT * "+from)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var name, sqlType string
		var null, key, def, extra sql.NullString
		if err := rows.Scan(&name, &sqlType, &null, &key, &def, &extra); err != nil {
			return nil, fmt.Errorf("read description: %w", err)
		}
		types = append(types, sqlType)
	}
	return types, rows.Err()
}

// cellKind says how a cell is read.
type cellKind int

const (
	cellPlain   cellKind = iota // what the driver gives
	cellNumber                  // the text of a number
	cellJSON                    // JSON text
	cellTraceID                 // the text of a UUID
)

// cellOf is the expression that fetches a column exactly.
func cellOf(alias, columnName, sqlType string) (string, cellKind) {
	base, _, _ := strings.Cut(sqlType, "(")
	switch {
	case strings.HasSuffix(sqlType, "]"), base == "STRUCT", base == "MAP", base == "UNION":
		return "to_json(" + alias + ")::VARCHAR", cellJSON
	case sqlType == "JSON":
		return alias + "::VARCHAR", cellJSON
	case base == "DECIMAL", base == "HUGEINT", base == "UHUGEINT":
		return alias + "::VARCHAR", cellNumber
	case base == "UUID" && strings.HasSuffix(strings.ToLower(columnName), "trace_id"):
		return alias + "::VARCHAR", cellTraceID
	case base == "BLOB":
		return "lower(hex(" + alias + "))", cellPlain
	}
	switch base {
	case "BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "FLOAT", "DOUBLE",
		"TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE", "VARCHAR":
		return alias, cellPlain
	}
	return alias + "::VARCHAR", cellPlain // DATE, TIME, INTERVAL, ENUM, BIT, …
}

// collect runs text and reads at most limit rows.
func (s *session) collect(ctx context.Context, text string, columns []answer.SQLColumn, kinds []cellKind, limit int) (_ answer.SQLResult, err error) {
	rows, err := s.conn.QueryContext(ctx, text)
	if err != nil {
		return answer.SQLResult{}, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	out := answer.SQLResult{Columns: columns, Rows: [][]any{}}
	cells, ptrs := make([]any, len(columns)), make([]any, len(columns))
	for i := range cells {
		ptrs[i] = &cells[i]
	}
	for rows.Next() {
		if len(out.Rows) == limit {
			out.Truncated = true
			break
		}
		if err := rows.Scan(ptrs...); err != nil {
			return answer.SQLResult{}, fmt.Errorf("read row: %w", err)
		}
		row := make([]any, len(cells))
		for i, c := range cells {
			row[i] = jsonValue(c, kinds[i])
		}
		out.Rows = append(out.Rows, row)
	}
	return out, rows.Err()
}

// jsonValue is a cell as encoding/json writes it right.
func jsonValue(v any, kind cellKind) any {
	if text, ok := v.(string); ok {
		switch kind {
		case cellNumber:
			return json.Number(text)
		case cellJSON:
			if json.Valid([]byte(text)) {
				return json.RawMessage(text)
			}
			return text
		case cellTraceID:
			if text == zeroUUID {
				return ""
			}
			return strings.ReplaceAll(text, "-", "")
		}
		return strings.ToValidUTF8(text, "\uFFFD")
	}
	switch v := v.(type) {
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	case float32:
		return finite(float64(v))
	case float64:
		return finite(v)
	case []byte:
		return hex.EncodeToString(v)
	case *big.Int:
		return json.Number(v.String())
	}
	return v
}

// finite keeps what JSON numbers cannot say as text.
func finite(f float64) any {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "+Inf"
	case math.IsInf(f, -1):
		return "-Inf"
	}
	return f
}
