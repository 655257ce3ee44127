package events

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/api/operation"
	"github.com/signalbox-project/signalbox/internal/front"
	"github.com/signalbox-project/signalbox/internal/query/sql/answer"
)

// SQLRequest is a query.
type SQLRequest struct {
	Query string `json:"query" minLength:"1" maxLength:"65536" doc:"one SELECT, WITH, DESCRIBE or EXPLAIN"`
	Limit int    `json:"limit,omitempty" minimum:"1" maximum:"100000" default:"1000" doc:"rows at most"`
}

// SQLResponse is a table.
type SQLResponse struct {
	answer.SQLResult
	TookMS float64 `json:"took_ms"`
}

// SQLSchemaResponse lists the tables that can be queried.
type SQLSchemaResponse struct {
	Tables []answer.SQLTable `json:"tables"`
}

type sqlInput struct {
	operation.TenantInput
	Body SQLRequest
}

func (h *handlers) registerSQL() {
	served := h.deps.SQL != nil
	operation.Register(h.Registry, operation.Operation{
		ID: "querySQL", Method: http.MethodPost, Path: "/sql", Tag: "sql", Permission: access.SQLQuery, Work: front.Heavy, Summary: "Ask in SQL",
		Description: "Read-only and sandboxed DuckDB over logs, spans and views of state; see /sb/v1/sql/schema.",
		Served:      served, Room: "SQL queries",
	}, h.querySQL)
	operation.Register(h.Registry, operation.Operation{
		ID: "sqlSchema", Path: "/sql/schema", Tag: "sql", Permission: access.SQLQuery, Summary: "Tables and columns", Served: served, Room: "SQL queries",
	}, h.sqlSchema)
}

func (h *handlers) querySQL(ctx context.Context, in *sqlInput) (SQLResponse, error) {
	began := time.Now()
	res, err := h.deps.SQL.Query(ctx, in.Tenant, in.Body.Query, in.Body.Limit)
	var p operation.Positioned
	if errors.As(err, &p) {
		return SQLResponse{}, operation.BadText(operation.CodeBadSQL, p)
	}
	if err != nil {
		return SQLResponse{}, err
	}
	return SQLResponse{SQLResult: res, TookMS: millis(began)}, nil
}

func (h *handlers) sqlSchema(ctx context.Context, _ *struct{}) (SQLSchemaResponse, error) {
	tables, err := h.deps.SQL.Schema(ctx)
	return SQLSchemaResponse{Tables: tables}, err
}
