package otlp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	spb "google.golang.org/genproto/googleapis/rpc/status"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/signalbox-project/signalbox/internal/ingest/otlp/wire"
	"github.com/signalbox-project/signalbox/internal/store"
)

// failure is a request that was not taken at all, in both protocols' terms.
type failure struct {
	httpStatus int
	code       codes.Code
	reason     string // for counters
	retry      bool   // sending the same again later makes sense
	message    string
	place      string // in the request, of what is wrong with it
}

func (f *failure) Error() string { return f.message }

func malformed(format string, args ...any) *failure {
	return &failure{httpStatus: http.StatusBadRequest, code: codes.InvalidArgument, reason: "malformed", message: fmt.Sprintf(format, args...)}
}

// undecodable is a body that is not the message, which is the sender's fault.
func undecodable(err error) *failure {
	f := malformed("%s", err)
	var bad *wire.PlaceError
	if errors.As(err, &bad) {
		f.place = bad.Place
	}
	return f
}

func tooLarge(limit int) *failure {
	return &failure{
		httpStatus: http.StatusRequestEntityTooLarge, code: codes.ResourceExhausted, reason: "too_large",
		message: fmt.Sprintf("the message is larger than %d bytes after decompression: send smaller batches or raise otlp.max_message_bytes", limit),
	}
}

func overloaded(message string) *failure {
	return &failure{httpStatus: http.StatusTooManyRequests, code: codes.Unavailable, reason: "overloaded", retry: true, message: message}
}

// storeFailure says what a failed hand-over means to the sender. Nothing was kept,
// so everything but the sender's own giving up may be sent again.
func storeFailure(err error) *failure {
	switch {
	case errors.Is(err, store.ErrOverloaded):
		return overloaded(err.Error())
	case errors.Is(err, store.ErrReadOnly):
		return &failure{httpStatus: http.StatusServiceUnavailable, code: codes.Unavailable, reason: "read_only", retry: true, message: err.Error()}
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return &failure{httpStatus: http.StatusServiceUnavailable, code: codes.Unavailable, reason: "canceled", retry: true, message: err.Error()}
	}
	return &failure{httpStatus: http.StatusServiceUnavailable, code: codes.Unavailable, reason: "store_error", retry: true, message: err.Error()}
}

// asFailure finds the failure in err; anything else is one of the store's.
func asFailure(err error) *failure {
	var f *failure
	if errors.As(err, &f) {
		return f
	}
	return storeFailure(err)
}

// status is google.rpc.Status as the specification wants it in answers of both
// protocols: with RetryInfo exactly where retrying makes sense, and with BadRequest
// where the data is bad.
func (f *failure) status(retryAfter time.Duration) *spb.Status {
	s := status.New(f.code, f.message)
	var detail protoadapt.MessageV1
	switch {
	case f.retry:
		detail = &errdetails.RetryInfo{RetryDelay: durationpb.New(retryAfter)}
	case f.httpStatus == http.StatusBadRequest:
		detail = &errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: f.place, Description: f.message}}}
	default:
		return s.Proto()
	}
	if d, err := s.WithDetails(detail); err == nil {
		s = d
	}
	return s.Proto()
}
