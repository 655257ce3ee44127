package operation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/signalbox-project/signalbox/internal/auth/login"
	"github.com/signalbox-project/signalbox/internal/store"
)

// The codes of errors, stable for programs.
const (
	CodeBadRequest      = "bad_request"
	CodeBadFilter       = "bad_filter"
	CodeBadSQL          = "bad_sql"
	CodeUnauthenticated = "unauthenticated"
	CodeForbidden       = "forbidden"
	CodeNotFound        = "not_found"
	CodeConflict        = "conflict"
	CodeMethod          = "method_not_allowed"
	CodeOverloaded      = "overloaded"
	CodeReadOnly        = "read_only"
	CodeTimeout         = "timeout"
	CodeTooLarge        = "too_large"
	CodeInternal        = "internal"
)

// StatusClientGone is what is logged when the client went away; nobody
// reads it.
const StatusClientGone = 499

// ErrorBody is the body of every error below /sb/v1.
type ErrorBody struct {
	Error ErrorInfo `json:"error"`
}

// ErrorInfo says what went wrong; Code is stable, Message is for people.
type ErrorInfo struct {
	Code    string `json:"code" enum:"bad_request,bad_filter,bad_sql,unauthenticated,forbidden,not_found,conflict,method_not_allowed,overloaded,read_only,timeout,too_large,internal"`
	Message string `json:"message"`
	Details any    `json:"details,omitempty" doc:"for bad_filter and bad_sql {position, hint}; for bad_request a list of {location, message, value}; for conflict what is there now"`
}

// Position says where in a text an error is; it is the details of bad_filter
// and bad_sql.
type Position struct {
	Position int    `json:"position" doc:"byte offset, from 0; -1 if unknown"`
	Hint     string `json:"hint,omitempty"`
}

// Failure is an error with a status, in the shape that huma writes as is.
type Failure struct {
	status int
	info   ErrorInfo
	header http.Header
}

// Info is what the client is told.
func (f *Failure) Info() ErrorInfo { return f.info }

func (f *Failure) Error() string { return f.info.Message }

// GetStatus implements huma.StatusError.
func (f *Failure) GetStatus() int { return f.status }

// GetHeaders implements huma.HeadersError.
func (f *Failure) GetHeaders() http.Header { return f.header }

// MarshalJSON writes the body that every error has.
func (f *Failure) MarshalJSON() ([]byte, error) { return json.Marshal(ErrorBody{f.info}) }

// BadRequest is the failure of a request that its sender must change.
func BadRequest(format string, args ...any) error {
	return &Failure{status: http.StatusBadRequest, info: ErrorInfo{Code: CodeBadRequest, Message: fmt.Sprintf(format, args...)}}
}

// Conflict is the failure of a change to something that is not any more what its sender read; now is what it is.
func Conflict(now any, message string) error {
	return &Failure{status: http.StatusConflict, info: ErrorInfo{Code: CodeConflict, Message: message, Details: now}}
}

// Forbidden is the failure of a request that its sender may not make.
func Forbidden(message string) error {
	return &Failure{status: http.StatusForbidden, info: ErrorInfo{Code: CodeForbidden, Message: message}}
}

// Positioned is implemented by the syntax errors of the filter language and of
// SQL.
type Positioned interface {
	error
	Position() int
	Hint() string
}

// callersFault is implemented by errors whose text is meant for the caller.
type callersFault interface {
	error
	BadRequest()
}

// FailureOf maps any error of a room to what the client is told. Texts of
// unknown errors stay in the log, under the id that the client is given.
func (r *Registry) FailureOf(ctx context.Context, err error) *Failure {
	var f *Failure
	var bad callersFault
	mk := func(status int, code, msg string) *Failure {
		return &Failure{status: status, info: ErrorInfo{Code: code, Message: msg}}
	}
	said, known := login.Knows(err)
	switch {
	case errors.As(err, &f):
		return f
	case errors.As(err, &bad):
		return mk(http.StatusBadRequest, CodeBadRequest, err.Error())
	case known:
		f = mk(said.Status, CodeOfStatus(said.Status), said.Message+" "+said.Cure)
		if said.RetryAfter > 0 {
			f.header = http.Header{"Retry-After": {strconv.Itoa(said.RetryAfter)}}
		}
		return f
	case errors.Is(err, store.ErrNotFound):
		return mk(http.StatusNotFound, CodeNotFound, err.Error())
	case errors.Is(err, store.ErrReadOnly):
		f = mk(http.StatusServiceUnavailable, CodeReadOnly, err.Error())
		f.header = http.Header{"Retry-After": {"30"}}
		return f
	case errors.Is(err, store.ErrOverloaded):
		f = mk(http.StatusTooManyRequests, CodeOverloaded, err.Error())
		f.header = http.Header{"Retry-After": {"1"}}
		return f
	case errors.Is(err, context.DeadlineExceeded):
		return mk(http.StatusGatewayTimeout, CodeTimeout, "the query took longer than it may; ask for a shorter time range or a narrower filter")
	case errors.Is(err, context.Canceled):
		return mk(StatusClientGone, CodeTimeout, "the request was cancelled")
	}
	id := uuid.NewString()
	r.log.ErrorContext(ctx, "request ended in an internal error", "error_id", id, "err", err)
	return mk(http.StatusInternalServerError, CodeInternal, "internal error "+id+"; the log of Signalbox says more")
}

// ErrorTransformer gives huma's own errors (parameters, body, content type) our
// shape. It does so per response, because the alternative is to replace huma's package
// variable NewError for the whole process.
func ErrorTransformer(ctx huma.Context, _ string, v any) (any, error) {
	em, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	ctx.SetHeader("Content-Type", "application/json")
	info := ErrorInfo{Code: CodeOfStatus(em.Status), Message: em.Detail}
	if len(em.Errors) > 0 {
		texts := make([]string, len(em.Errors))
		for i, d := range em.Errors {
			texts[i] = d.Message
			if d.Location != "" {
				texts[i] = d.Location + ": " + d.Message
			}
		}
		info.Message, info.Details = strings.Join(texts, "; "), em.Errors
	}
	return ErrorBody{info}, nil
}

// CodeOfStatus is the code of errors that huma or the mux made.
func CodeOfStatus(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return CodeUnauthenticated
	case http.StatusForbidden:
		return CodeForbidden
	case http.StatusNotFound:
		return CodeNotFound
	case http.StatusMethodNotAllowed:
		return CodeMethod
	case http.StatusRequestEntityTooLarge:
		return CodeTooLarge
	case http.StatusRequestTimeout, http.StatusGatewayTimeout:
		return CodeTimeout
	case http.StatusTooManyRequests:
		return CodeOverloaded
	}
	if status >= 500 {
		return CodeInternal
	}
	return CodeBadRequest
}

// StatusMiddleware turns huma's 422 for invalid parameters into 400: one code
// for "the request is wrong".
func StatusMiddleware(ctx huma.Context, next func(huma.Context)) {
	next(statusContext{innerContext: ctx})
}

// innerContext lets huma.Context be embedded beside its method Context.
type innerContext huma.Context

type statusContext struct{ innerContext }

func (c statusContext) Unwrap() huma.Context { return c.innerContext }

func (c statusContext) SetStatus(code int) {
	if code == http.StatusUnprocessableEntity {
		code = http.StatusBadRequest
	}
	c.innerContext.SetStatus(code)
}

// BadText is the failure for a text with a syntax error.
func BadText(code string, err error) error {
	f := &Failure{status: http.StatusBadRequest, info: ErrorInfo{Code: code, Message: err.Error()}}
	var p Positioned
	if errors.As(err, &p) {
		f.info.Details = Position{Position: p.Position(), Hint: p.Hint()}
	}
	return f
}
