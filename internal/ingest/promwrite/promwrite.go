// Package promwrite takes Prometheus remote write, versions 1 and 2.
//
// It decodes requests (client_golang's handler negotiates the message type) and appends their samples, native histograms and exemplars to
// an admission. It neither judges samples nor stores them. Prometheus' own
// Store function is not used because it answers 204 to a version 1 request whose series have invalid
// labels, and throws away a whole request for one old sample.
//
// In: POST /api/v1/write. Out: 204 when everything was stored; 400 with the
// refused series, reasons and cures when some samples were refused and the rest
// was stored; 503 or 429 with Retry-After and nothing stored when the store
// cannot take data now; other 4xx for what cannot be decoded.
//
// Invariants: a sample is acknowledged (204, or counted in version 2's Written
// headers) only after the store's Commit; a 5xx means that nothing of the
// request was kept. Handlers share no state.
//
// A series that was admitted before is found by a hash of its bytes as they
// stand in the request, and its samples go to the store by reference: its labels are not
// decoded, sorted and judged again (walk.go, known.go). All else takes the long way (batch.go).
//
// Start reading at New, then batch.go.
package promwrite

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"sync"

	remoteapi "github.com/prometheus/client_golang/exp/api/remote"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/metadata"
	"github.com/prometheus/prometheus/storage"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// The protocols' names in counters.
const (
	ProtocolV1 = "remote_write_v1"
	ProtocolV2 = "remote_write_v2"
)

// retryAfter is how many seconds senders are asked to wait.
const retryAfter = 5

// Admission is the way into the metrics store, one entrance a protocol
// (admit/samples).
type Admission interface {
	For(protocol string) storage.AppendableV2
	// Learn takes the metadata that version 1 sends apart from samples.
	Learn(family string, m metadata.Metadata)
}

// Counter counts the samples that are refused before they reach the admission.
type Counter interface {
	Received(signal, protocol string, n int)
	Refused(signal, reason string, n int)
}

// Deps is what the handler is given. Counter may be nil.
type Deps struct {
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Admission  Admission
	// Exemplars is the store, for exemplars that come without a sample; nil drops
	// them.
	Exemplars storage.Appendable
	Counter   Counter
	Home      model.Home
}

// Handler serves POST /api/v1/write.
type Handler struct {
	deps     Deps
	inner    http.Handler
	v1, v2   storage.AppendableV2
	known    *knownSeries
	walkers  sync.Pool // of *walker
	buffers  sync.Pool // of *buffers
	requests *prometheus.CounterVec
	bytes    prometheus.Counter
}

// New makes a Handler.
func New(deps Deps) (*Handler, error) {
	if deps.Admission == nil {
		return nil, errors.New("remote write: no admission given")
	}
	deps.Logger = instrument.Logger(deps.Logger)
	h := &Handler{
		deps:    deps,
		v1:      deps.Admission.For(ProtocolV1),
		v2:      deps.Admission.For(ProtocolV2),
		known:   newKnownSeries(),
		walkers: sync.Pool{New: func() any { return new(walker) }},
		buffers: sync.Pool{New: func() any { return new(buffers) }},
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "signalbox_remote_write_requests_total",
			Help: "Remote write requests by HTTP status code.",
		}, []string{"code"}),
		bytes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "signalbox_remote_write_received_bytes_total",
			Help: "Bytes of remote write requests, decompressed.",
		}),
	}
	if err := instrument.Register(deps.Registerer, "remote write", h.requests, h.bytes); err != nil {
		return nil, err
	}
	h.inner = remoteapi.NewWriteHandler(h, remoteapi.MessageTypes{remoteapi.WriteV1MessageType, remoteapi.WriteV2MessageType},
		remoteapi.WithWriteHandlerMiddlewares(h.decode))
	return h, nil
}

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	sw := &statusWriter{ResponseWriter: w, code: http.StatusOK}
	h.inner.ServeHTTP(sw, r)
	h.requests.WithLabelValues(strconv.Itoa(sw.code)).Inc()
	if sw.code >= http.StatusInternalServerError {
		h.deps.Logger.Warn("remote write request not stored", "code", sw.code, "remote", r.RemoteAddr)
	}
}

type statusWriter struct {
	http.ResponseWriter
	code int
}

func (w *statusWriter) WriteHeader(code int) {
	w.code = code
	w.ResponseWriter.WriteHeader(code)
}

// Store takes one decompressed request; client_golang's handler calls it.
func (h *Handler) Store(r *http.Request, msg remoteapi.WriteMessageType) (*remoteapi.WriteResponse, error) {
	body, err := bodyOf(r)
	if err != nil {
		return answer(http.StatusBadRequest, nil), fmt.Errorf("read remote write request: %w", err)
	}
	h.bytes.Add(float64(len(body)))
	tenant := h.deps.Home.Label(r.Header.Get(model.TenantHeader))
	if len(tenant) > maxTenantBytes {
		return answer(http.StatusBadRequest, nil), fmt.Errorf("header %s has %d bytes, more than %d", model.TenantHeader, len(tenant), maxTenantBytes)
	}
	w := h.walkers.Get().(*walker)
	defer h.putBack(w)
	b := h.newBatch(r.Context(), tenant)
	w.begin(h.known, tenant, access.ScopeOf(r.Context()))
	switch msg {
	case remoteapi.WriteV1MessageType:
		if err := w.decodeV1(body); err != nil {
			return answer(http.StatusBadRequest, nil), fmt.Errorf("not a valid prometheus.WriteRequest: %w", err)
		}
		b.protocol, b.app = ProtocolV1, h.v1.AppenderV2(r.Context())
	default:
		if err := w.decodeV2(body); err != nil {
			return answer(http.StatusBadRequest, nil), fmt.Errorf("not a valid io.prometheus.write.v2.Request: %w", err)
		}
		b.protocol, b.app = ProtocolV2, h.v2.AppenderV2(r.Context())
	}
	err = b.append(&w.request)
	for _, m := range w.metadata {
		h.deps.Admission.Learn(m.MetricFamilyName, metadataV1(m))
	}
	return b.finish(err)
}

// finish commits, or rolls back after an error of the store.
func (b *batch) finish(err error) (*remoteapi.WriteResponse, error) {
	if err != nil {
		b.dropExemplars()
		if rerr := b.app.Rollback(); rerr != nil {
			err = errors.Join(err, rerr)
		}
		return unavailable(err)
	}
	if err := b.app.Commit(); err != nil {
		b.dropExemplars()
		return unavailable(err)
	}
	if b.exemplars != nil {
		if err := b.exemplars.Commit(); err != nil {
			b.deps.Logger.Warn("exemplars not stored", "err", err)
		}
	}
	if b.crowded {
		wr := answer(http.StatusTooManyRequests, &b.written)
		wr.SetExtraHeader("Retry-After", strconv.Itoa(retryAfter))
		return wr, b.refusals()
	}
	if b.refused > 0 {
		return answer(http.StatusBadRequest, &b.written), b.refusals()
	}
	return answer(http.StatusNoContent, &b.written), nil
}

func (b *batch) dropExemplars() {
	if b.exemplars == nil {
		return
	}
	if err := b.exemplars.Rollback(); err != nil {
		b.deps.Logger.Warn("roll back exemplars", "err", err)
	}
}

// unavailable answers that nothing was kept and that the same request may be
// sent again.
func unavailable(err error) (*remoteapi.WriteResponse, error) {
	code := http.StatusInternalServerError
	switch {
	case errors.Is(err, store.ErrReadOnly):
		code = http.StatusServiceUnavailable
	case errors.Is(err, store.ErrOverloaded):
		code = http.StatusTooManyRequests
	}
	wr := answer(code, nil)
	wr.SetExtraHeader("Retry-After", strconv.Itoa(retryAfter))
	return wr, fmt.Errorf("nothing of this request was stored, send it again later: %w", err)
}

func answer(code int, written *remoteapi.WriteResponseStats) *remoteapi.WriteResponse {
	wr := remoteapi.NewWriteResponse()
	wr.SetStatusCode(code)
	if written != nil {
		wr.Add(*written)
	}
	return wr
}
