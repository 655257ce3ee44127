package sql

import (
	"database/sql/driver"
	"fmt"

	duckdb "github.com/duckdb/duckdb-go/v2"

	"github.com/signalbox-project/signalbox/internal/mask"
)

// Who does not see what rules mask asks views whose columns are shown by a function of ours, so that no expression of a query, and no
// statistics of a file, knows the values. A query cannot call it: its name begins with internalPrefix.

// maskFunction shows the text of a column, in a namespace.
const maskFunction = internalPrefix + "mask"

// masks opens what the caller is shown, and makes the function.
func (s *session) masks(sealed *mask.Sealed) (*mask.View, error) {
	view, err := sealed.Open()
	if err != nil || view == nil {
		return nil, err
	}
	text, err := duckdb.NewTypeInfo(duckdb.TYPE_VARCHAR)
	if err != nil {
		return nil, fmt.Errorf("prepare masking: %w", err)
	}
	if err := duckdb.RegisterScalarUDF(s.conn, maskFunction, &masking{view, text}); err != nil {
		return nil, fmt.Errorf("prepare masking: %w", err)
	}
	return view, nil
}

// masking is maskFunction(namespace, column, text).
type masking struct {
	view *mask.View
	text duckdb.TypeInfo
}

// Config implements duckdb.ScalarFunc.
func (m *masking) Config() duckdb.ScalarFuncConfig {
	return duckdb.ScalarFuncConfig{InputTypeInfos: []duckdb.TypeInfo{m.text, m.text, m.text}, ResultTypeInfo: m.text, SpecialNullHandling: true}
}

// Executor implements duckdb.ScalarFunc. It has no error: one would tell of the row.
func (m *masking) Executor() duckdb.ScalarFuncExecutor {
	return duckdb.ScalarFuncExecutor{RowExecutor: func(values []driver.Value) (any, error) {
		text, ok := values[2].(string)
		if !ok {
			return nil, nil
		}
		namespace, _ := values[0].(string)
		column, _ := values[1].(string)
		return m.view.Column(namespace, column, text), nil
	}}
}

// columns are those of a table, as a caller is shown them.
type columns struct {
	list  []eventColumn
	masks *mask.View // nil shows everything
}

func masked(column, expr string) string {
	return fmt.Sprintf("%s(namespace, %s, %s)", maskFunction, literal(column), expr)
}

// shown is the expression of a column as it is shown.
func (c columns) shown(col eventColumn, expr string) string {
	switch {
	case c.masks == nil:
	case col.sqlType == "JSON":
		return masked(col.name, "("+expr+")::VARCHAR") + "::JSON"
	case mask.Maskable(col.name):
		return masked(col.name, expr)
	}
	return expr
}

// attribute is the expression of one attribute as it is shown. A number that a pattern is found in is NULL: its column holds numbers.
func (c columns) attribute(key string, promoted map[string]string) string {
	sqlType, own := promoted[key], name(attrPrefix+key)
	if sqlType == "" {
		own = ""
	}
	if c.masks == nil {
		return attributeColumn(key, "attributes::JSON", own, sqlType)
	}
	whole, touched := c.masks.Attribute(key)
	switch text := masked(attrPrefix+key, own+"::VARCHAR"); {
	case own == "":
	case whole || sqlType == "VARCHAR":
		own, sqlType = text, "VARCHAR"
	case touched:
		own = fmt.Sprintf("CASE WHEN %s = %s::VARCHAR THEN %s END", text, own, own)
	}
	return attributeColumn(key, masked("attributes", "attributes")+"::JSON", own, sqlType)
}
