package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/signalbox-project/signalbox/internal/store"
)

const root = "/sb/v1"

// operation is what an endpoint needs beside its types.
type operation struct {
	id, method, path string // path below /sb/v1
	tag, summary     string
	description      string
	status           int    // 0 means 200
	served           bool   // false answers 404: the room is not part of this process
	room             string // what is not served then
}

type output[O any] struct{ Body O }

// register adds an endpoint: I is huma's input struct, O the JSON answered.
func register[I, O any](a *API, op operation, handle func(context.Context, *I) (O, error)) {
	ho := a.humaOperation(op)
	huma.Register(a.huma, ho, func(ctx context.Context, in *I) (*output[O], error) {
		if !op.served {
			return nil, notServed(op)
		}
		out, err := handle(ctx, in)
		if err != nil {
			return nil, a.failureOf(ctx, err)
		}
		return &output[O]{Body: noNulls(out)}, nil
	})
}

func (a *API) humaOperation(op operation) huma.Operation {
	method := op.method
	if method == "" {
		method = http.MethodGet
	}
	status := op.status
	if status == 0 {
		status = http.StatusOK
	}
	return huma.Operation{
		OperationID: op.id, Method: method, Path: root + op.path, DefaultStatus: status,
		Summary: op.summary, Description: op.description, Tags: []string{op.tag},
		MaxBodyBytes: a.cfg.MaxBodyBytes,
		// Present so that huma does not describe its own error type.
		Responses: map[string]*huma.Response{"default": {Description: "Error"}},
	}
}

func notServed(op operation) *failure {
	return &failure{status: http.StatusNotFound, info: ErrorInfo{
		Code: codeNotFound, Message: op.room + " are not served by this process; ask one that runs the role",
	}}
}

// TenantInput is embedded in the input of everything that belongs to a tenant.
// It is exported, like the other embedded inputs, because huma sees no fields
// of unexported embedded structs.
type TenantInput struct {
	Tenant string `header:"X-Scope-OrgID" default:"default" maxLength:"150" pattern:"^[a-zA-Z0-9!_.*'()-]+$" doc:"tenant"`
}

// RangeInput is embedded where a time range is taken.
type RangeInput struct {
	Start string `query:"start" maxLength:"64" doc:"RFC 3339, Unix s, ms or ns, now or now-1h; an hour before end if absent" example:"now-1h"`
	End   string `query:"end" maxLength:"64" doc:"as start; now if absent" example:"now"`
}

// timeRange is the half-open range asked for.
func (a *API) timeRange(in RangeInput) (store.Range, error) {
	start, end, err := parseRange(in.Start, in.End, a.now())
	if err != nil {
		return store.Range{}, err
	}
	return store.RangeOf(start, end), nil
}

// nameOf trims what people paste.
func nameOf(s string) string { return strings.TrimSpace(s) }
