package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
)

// SQLRequest is a query.
type SQLRequest struct {
	Query string `json:"query" minLength:"1" maxLength:"65536" doc:"one SELECT, WITH, DESCRIBE or EXPLAIN"`
	Limit int    `json:"limit,omitempty" minimum:"1" maximum:"100000" default:"1000" doc:"rows at most"`
}

// SQLResponse is a table.
type SQLResponse struct {
	model.SQLResult
	TookMS float64 `json:"took_ms"`
}

// SQLSchemaResponse lists the tables that can be queried.
type SQLSchemaResponse struct {
	Tables []model.SQLTable `json:"tables"`
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
	var p positioned
	if errors.As(err, &p) {
		return SQLResponse{}, badText(codeBadSQL, p)
	}
	if err != nil {
		return SQLResponse{}, err
	}
	return SQLResponse{SQLResult: res, TookMS: millis(began)}, nil
}

func (a *API) sqlSchema(ctx context.Context, _ *struct{}) (SQLSchemaResponse, error) {
	tables, err := a.deps.SQL.Schema(ctx)
	return SQLSchemaResponse{Tables: tables}, err
}
