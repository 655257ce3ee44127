package operation

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/front"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Root is what every path begins with.
const Root = "/sb/v1"

// Operation is what an endpoint needs beside its types.
type Operation struct {
	ID, Method, Path string // path below /sb/v1
	Tag, Summary     string
	Permission       access.Permission // what a caller must hold; without one nobody may ask
	Work             front.Work        // what answering costs
	Description      string
	Status           int    // 0 means 200
	Served           bool   // false answers 404: the room is not part of this process
	Room             string // what is not served then
}

type output[O any] struct{ Body O }

// Register adds an endpoint: I is huma's input struct, O the JSON answered.
func Register[I, O any](r *Registry, op Operation, handle func(context.Context, *I) (O, error)) {
	ho := r.Huma(op)
	huma.Register(r.api, ho, func(ctx context.Context, in *I) (*output[O], error) {
		if !op.Served {
			return nil, NotServed(op)
		}
		out, err := handle(ctx, in)
		if err != nil {
			return nil, r.FailureOf(ctx, err)
		}
		op.note(ctx, in, out)
		return &output[O]{Body: noNulls(out)}, nil
	})
}

// Huma is an operation as huma describes it, for those that register one by themselves; its permission is declared with it.
func (r *Registry) Huma(op Operation) huma.Operation {
	method := op.Method
	if method == "" {
		method = http.MethodGet
	}
	r.routes.Add(front.Route{Pattern: method + " " + Root + op.Path, Permission: op.Permission, Work: op.Work})
	status := op.Status
	if status == 0 {
		status = http.StatusOK
	}
	return huma.Operation{
		OperationID: op.ID, Method: method, Path: Root + op.Path, DefaultStatus: status,
		Summary: op.Summary, Description: op.Description, Tags: []string{op.Tag},
		MaxBodyBytes: r.maxBody,
		// The body has arrived before. huma would leave a deadline of 5 s on the connection, at which the server takes a client
		// that waits for its answer for one that left, and cancels its request.
		BodyReadTimeout: -1,
		// Present so that huma does not describe its own error type.
		Responses: map[string]*huma.Response{"default": {Description: "Error"}},
	}
}

// NotServed is the failure of an operation that this process does not serve.
func NotServed(op Operation) *Failure {
	return &Failure{status: http.StatusNotFound, info: ErrorInfo{
		Code: CodeNotFound, Message: op.Room + " are not served by this process; ask one that runs the role",
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

// TimeRange is the half-open range asked for.
func (r *Registry) TimeRange(in RangeInput) (store.Range, error) {
	start, end, err := ParseRange(in.Start, in.End, r.Now())
	if err != nil {
		return store.Range{}, err
	}
	return store.RangeOf(start, end), nil
}

// NameOf trims what people paste.
func NameOf(s string) string { return strings.TrimSpace(s) }

// NoInput is the input of what asks for nothing.
type NoInput struct{}
