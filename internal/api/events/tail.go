package events

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/api/operation"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// pingEvery is how often an idle tail sends a comment, so that proxies keep
// the connection open and a vanished reader is noticed.
const pingEvery = 15 * time.Second

// DroppedEvent is the data of the tail's event "dropped".
type DroppedEvent struct {
	Count uint64 `json:"count" doc:"records not sent because the reader was too slow"`
}

type tailInput struct {
	operation.TenantInput
	FilterInput
}

// registerTail adds the log tail. It does not use huma/sse, which writes to
// standard error by itself and cannot send comments.
func (h *handlers) registerTail() {
	op := operation.Operation{
		ID: "tailLogs", Path: "/logs/tail", Tag: "logs", Permission: access.LogsRead, Summary: "Follow log records as they arrive",
		Description: "Server-sent events: `log` carries a LogRecord, `dropped` a DroppedEvent; comments keep the connection alive.",
		Served:      h.deps.Tail != nil && h.deps.Filter != nil, Room: "log tails",
	}
	ho := h.Huma(op)
	registry := h.API().OpenAPI().Components.Schemas
	registry.Schema(reflect.TypeFor[DroppedEvent](), true, "")
	ho.Responses["200"] = &huma.Response{Description: "OK", Content: map[string]*huma.MediaType{
		"text/event-stream": {Schema: &huma.Schema{Type: huma.TypeString}},
	}}
	huma.Register(h.API(), ho, func(ctx context.Context, in *tailInput) (*huma.StreamResponse, error) {
		if !op.Served {
			return nil, operation.NotServed(op)
		}
		expr, err := h.parseFilter(in.Q)
		if err != nil {
			return nil, h.FailureOf(ctx, err)
		}
		return &huma.StreamResponse{Body: func(hc huma.Context) {
			r, w := humago.Unwrap(hc)
			h.tail(w, r, in.Tenant, expr)
		}}, nil
	})
}

// tail streams until the client goes away or falls hopelessly behind.
func (h *handlers) tail(w http.ResponseWriter, r *http.Request, tenant string, expr store.Expr) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	s := &eventStream{w: w, rc: http.NewResponseController(w)}
	if err := s.comment("tail"); err != nil {
		return
	}
	var pings sync.WaitGroup
	pings.Go(func() {
		defer cancel()
		s.pingUntil(ctx)
	})
	err := h.deps.Tail.Tail(ctx, tenant, expr, s.send)
	if err != nil && ctx.Err() == nil {
		f := h.FailureOf(ctx, err)
		_ = s.event("error", operation.ErrorBody{Error: f.Info()})
	}
	access.Note(r.Context(), access.NoteRows, strconv.Itoa(s.records))
	cancel()
	pings.Wait()
}

// eventStream writes server-sent events; its methods may be called
// concurrently.
type eventStream struct {
	mu sync.Mutex
	w  http.ResponseWriter
	rc *http.ResponseController

	records int // sent; Tail sends one after the other
}

func (s *eventStream) send(record *model.LogRecord, dropped uint64) error {
	if dropped > 0 {
		if err := s.event("dropped", DroppedEvent{dropped}); err != nil {
			return err
		}
	}
	if record == nil {
		return nil
	}
	s.records++
	return s.event("log", record)
}

func (s *eventStream) event(name string, data any) error {
	text, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("encode %s event: %w", name, err)
	}
	return s.write("event: " + name + "\ndata: " + string(text) + "\n\n")
}

func (s *eventStream) comment(text string) error { return s.write(": " + text + "\n\n") }

func (s *eventStream) pingUntil(ctx context.Context) {
	t := time.NewTicker(pingEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			if s.comment("ping") != nil {
				return
			}
		}
	}
}

// write sends text at once. A client that takes nothing for 10 s is given up.
func (s *eventStream) write(text string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	// Writers that know no deadlines (tests) write without one.
	_ = s.rc.SetWriteDeadline(time.Now().Add(10 * time.Second))
	if _, err := s.w.Write([]byte(text)); err != nil {
		return err
	}
	return s.rc.Flush()
}
