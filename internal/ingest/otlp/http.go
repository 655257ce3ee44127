package otlp

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/front"
	"github.com/signalbox-project/signalbox/internal/ingest/otlp/compress"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/stream"
)

const (
	typeProto = "application/x-protobuf"
	typeJSON  = "application/json"
)

// Routes are the paths that Handler serves.
func Routes() []string {
	return []string{"/v1/traces", "/v1/metrics", "/v1/logs", "/api/v1/otlp/v1/metrics"}
}

// Mount is the intake as the front serves it: bodies that have arrived, answers
// that a permitted page can read, and refusals in OTLP's own shape.
func (s *Server) Mount() front.Mount {
	return front.Mount{
		Handler: s, Needs: front.Always(access.TelemetryWrite), MaxBody: int64(s.cfg.MaxMessageBytes),
		CORS: front.NewCORS(s.cfg.CORSOrigins, http.MethodPost), Refuse: s.refuseHTTP,
	}
}

// refuseHTTP answers what the front refused.
func (s *Server) refuseHTTP(w http.ResponseWriter, r *http.Request, ref front.Refusal) {
	f := &failure{httpStatus: ref.Status, code: codes.InvalidArgument, reason: ref.Reason, retry: ref.RetryAfter > 0, message: ref.Message}
	switch {
	case ref.Status == http.StatusRequestTimeout:
		f.httpStatus, f.code = http.StatusServiceUnavailable, codes.Unavailable // senders drop what a 4xx refuses
	case ref.Status == http.StatusRequestEntityTooLarge:
		f = tooLarge(s.cfg.MaxMessageBytes)
	case ref.Status == http.StatusTooManyRequests:
		f.code = codes.ResourceExhausted
	case ref.Status == http.StatusUnauthorized:
		f.code = codes.Unauthenticated
	case ref.Status == http.StatusForbidden:
		f.code = codes.PermissionDenied
	case ref.Status >= http.StatusInternalServerError:
		f.code = codes.Unavailable
	}
	if signal, ok := signalOfPath(r.URL.Path); ok {
		s.intake.own.requests.WithLabelValues("http", signal, f.reason).Inc()
	}
	s.answerFailure(w, answerType(r), f)
}

// answerType is the form in which a request is answered: its own, and JSON, which people read,
// where it has none that is known.
func answerType(r *http.Request) string {
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err == nil && strings.Contains(mediaType, "protobuf") {
		return typeProto
	}
	return typeJSON
}

func signalOfPath(path string) (string, bool) {
	switch path {
	case "/v1/traces":
		return stream.SignalSpans, true
	case "/v1/metrics", "/api/v1/otlp/v1/metrics":
		return stream.SignalMetrics, true
	case "/v1/logs":
		return stream.SignalLogs, true
	}
	return "", false
}

// ServeHTTP answers OTLP/HTTP requests on the paths of Routes.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if to := s.serverOf(r.Context()); to != s {
		to.ServeHTTP(w, r)
		return
	}
	signal, ok := signalOfPath(r.URL.Path)
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case !ok:
		s.answerFailure(w, answerType(r), &failure{
			httpStatus: http.StatusNotFound, code: codes.NotFound,
			message: fmt.Sprintf("no such path; OTLP/HTTP is served on %s", strings.Join(Routes(), ", ")),
		})
		return
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		s.answerFailure(w, answerType(r), &failure{httpStatus: http.StatusMethodNotAllowed, code: codes.Unimplemented, message: "OTLP/HTTP requests are POST requests"})
		return
	case err != nil || mediaType != typeProto && mediaType != typeJSON:
		s.intake.own.requests.WithLabelValues("http", signal, "content_type").Inc()
		s.answerFailure(w, answerType(r), &failure{
			httpStatus: http.StatusUnsupportedMediaType, code: codes.InvalidArgument,
			message: fmt.Sprintf("content type %q is not supported: send %s or %s", r.Header.Get("Content-Type"), typeProto, typeJSON),
		})
		return
	}
	resp, err := s.exportHTTP(r, signal, mediaType == typeJSON)
	if err != nil {
		s.answerFailure(w, mediaType, asFailure(err))
		return
	}
	var body []byte
	if mediaType == typeJSON {
		body, err = resp.MarshalJSON()
	} else {
		body, err = resp.MarshalProto()
	}
	if err != nil {
		s.answerFailure(w, mediaType, &failure{httpStatus: http.StatusInternalServerError, code: codes.Internal, message: err.Error()})
		return
	}
	w.Header().Set("Content-Type", mediaType)
	_, _ = w.Write(body) // a sender that hung up has its data kept all the same
}

func (s *Server) exportHTTP(r *http.Request, signal string, json bool) (resp answer, err error) {
	served := false
	defer func() {
		if err != nil && !served {
			s.intake.own.requests.WithLabelValues("http", signal, asFailure(err).reason).Inc()
		}
	}()
	if !s.quota.enter() {
		return nil, overloaded(fmt.Sprintf("more than %d requests are in flight", s.cfg.MaxRequestsInFlight))
	}
	defer s.quota.leave()
	body, reserved, err := s.readBody(r)
	defer func() { s.quota.free(reserved) }()
	if err != nil {
		return nil, err
	}
	served = true
	req := request{signal: signal, protocol: "http", tenant: s.tenantOf(r.Header.Get(model.TenantHeader)), json: json, body: body}
	return s.serve(r.Context(), req, true)
}

// readBody reads and decompresses. The bytes it reserved, also on failure, are
// the caller's to free.
func (s *Server) readBody(r *http.Request) (body []byte, reserved int64, err error) {
	limit := int64(s.cfg.MaxMessageBytes)
	if r.ContentLength > limit {
		return nil, 0, tooLarge(s.cfg.MaxMessageBytes)
	}
	src, err := decompressed(r, s.cfg.MaxMessageBytes)
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = src.Close() }() // frees memory only
	size := int64(4 << 10)
	if r.ContentLength >= size {
		size = r.ContentLength + 1 // one more, so that the end is seen without growing
	}
	for err == nil {
		if int64(len(body)) > limit {
			return nil, reserved, tooLarge(s.cfg.MaxMessageBytes)
		}
		if len(body) == cap(body) {
			size = min(size, limit+1)
			if !s.quota.reserve(size - reserved) {
				return nil, reserved, overloaded(fmt.Sprintf("requests in flight hold more than %d bytes", s.cfg.MaxBytesInFlight))
			}
			reserved = size
			body = append(make([]byte, 0, size), body...)
			size *= 2
		}
		var n int
		n, err = src.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
	}
	switch {
	case errors.Is(err, io.EOF):
		return body, reserved, nil
	case errors.Is(err, zstd.ErrDecoderSizeExceeded), errors.Is(err, zstd.ErrWindowSizeExceeded):
		return nil, reserved, tooLarge(s.cfg.MaxMessageBytes)
	}
	return nil, reserved, malformed("read the body: %s", err)
}

// decompressed opens the body by its Content-Encoding.
func decompressed(r *http.Request, limit int) (io.ReadCloser, error) {
	body, err := compress.Reader(r.Body, r.Header.Get("Content-Encoding"), limit)
	switch {
	case err == nil:
		return body, nil
	case errors.Is(err, compress.ErrUnknown):
		return nil, &failure{httpStatus: http.StatusUnsupportedMediaType, code: codes.InvalidArgument, reason: "encoding", message: err.Error()}
	case errors.Is(err, zstd.ErrDecoderSizeExceeded):
		return nil, tooLarge(limit)
	}
	return nil, malformed("%s", err)
}

// answerFailure writes google.rpc.Status in the request's content type.
func (s *Server) answerFailure(w http.ResponseWriter, mediaType string, f *failure) {
	st := f.status(time.Duration(s.cfg.RetryAfter))
	var body []byte
	var err error
	if mediaType == typeJSON {
		body, err = protojson.Marshal(st)
	} else {
		body, err = proto.Marshal(st)
	}
	if err != nil {
		http.Error(w, f.message, f.httpStatus)
		return
	}
	w.Header().Set("Content-Type", mediaType)
	if f.retry {
		seconds := max(1, int64((time.Duration(s.cfg.RetryAfter)+time.Second-1)/time.Second))
		w.Header().Set("Retry-After", strconv.FormatInt(seconds, 10))
	}
	w.WriteHeader(f.httpStatus)
	_, _ = w.Write(body)
}
