// Package answer has the words of what SQL answers: rows, and which tables there are.
//
// It does nothing and knows no database: internal/query/sql fills it in, the API writes it as JSON.
// Start at SQLResult.
package answer

// SQLResult is the answer to a SQL query. A cell is nil, a bool, a number, a
// string, a list or an object, ready for JSON; times are RFC 3339 in UTC.
type SQLResult struct {
	Columns   []SQLColumn `json:"columns"`
	Rows      [][]any     `json:"rows"`
	Truncated bool        `json:"truncated" doc:"there are more rows than the limit"`
}

// SQLColumn is a column's name and DuckDB type.
type SQLColumn struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// SQLTable is a table and its columns.
type SQLTable struct {
	Name    string      `json:"name"`
	Columns []SQLColumn `json:"columns"`
}
