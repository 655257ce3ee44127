package api

import (
	"context"
	"net/http"
	"time"
)

// SQLRequest is a query.
type SQLRequest struct {
	Query string `json:"query" minLength:"1" maxLength:"65536" doc:"one SELECT, WITH, DESCRIBE or EXPLAIN"`
	Limit int    `json:"limit,omitempty" minimum:"1" maximum:"100000" default:"1000" doc:"rows at most"`
}

// SQLResponse is a table.
type SQLResponse struct {
	SQLResult
	TookMS float64 `json:"took_ms"`
}

// SQLResult is a table; a cell is null, a boolean, a number, a string, a list
// or an object. Times are RFC 3339 in UTC.
type SQLResult struct {
	Columns   []SQLColumn `json:"columns"`
	Rows      [][]any     `json:"rows"`
	Truncated bool        `json:"truncated" doc:"there are more than limit"`
}

// SQLColumn is a column's name and DuckDB type.
type SQLColumn struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// SQLSchemaResponse lists the tables that can be queried.
type SQLSchemaResponse struct {
	Tables []SQLTable `json:"tables"`
}

// SQLTable is a table and its columns.
type SQLTable struct {
	Name    string      `json:"name"`
	Columns []SQLColumn `json:"columns"`
}

type sqlInput struct {
	TenantInput
	Body SQLRequest
}

func (a *API) registerSQL() {
	served := a.deps.SQL != nil
	register(a, operation{
		id: "querySQL", method: http.MethodPost, path: "/sql", tag: "sql", summary: "Ask in SQL",
		description: "Read-only and sandboxed DuckDB over logs, spans and views of state; see /sb/v1/sql/schema.",
		served:      served, room: "SQL queries",
	}, a.querySQL)
	register(a, operation{
		id: "sqlSchema", path: "/sql/schema", tag: "sql", summary: "Tables and columns", served: served, room: "SQL queries",
	}, a.sqlSchema)
}

func (a *API) querySQL(ctx context.Context, in *sqlInput) (SQLResponse, error) {
	began := time.Now()
	res, err := a.deps.SQL.Query(ctx, in.Tenant, in.Body.Query, in.Body.Limit)
	if err != nil {
		return SQLResponse{}, err
	}
	return SQLResponse{SQLResult: res, TookMS: millis(began)}, nil
}

func (a *API) sqlSchema(ctx context.Context, _ *struct{}) (SQLSchemaResponse, error) {
	tables, err := a.deps.SQL.Schema(ctx)
	return SQLSchemaResponse{Tables: tables}, err
}
