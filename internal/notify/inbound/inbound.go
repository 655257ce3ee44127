// Package inbound takes what services send when people answer there, and answers within a second.
//
// It knows no service: an Intake proves and understands, the Desk bounds. In: requests below Prefix. Out: work that was asked for, one
// piece after the other, each within its time.
//
// Invariants: a body is bounded and proved before it is understood; who cannot prove to be the service learns nothing and waits longer
// each time; what waits to be done is bounded, and a request that finds no room is told to come again; what was taken
// is done before Run returns, within a few seconds. Start reading at Desk.
package inbound

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/auth/accounts/throttle"
	"github.com/signalbox-project/signalbox/internal/front"
	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/notify"
)

const (
	// Prefix is where services send to: Prefix and the name of the channel.
	Prefix = "/sb/v1/hooks/channels/"

	maxBody    = 256 << 10
	maxWaiting = 64
	workers    = 2
	patience   = 20 * time.Second // for one piece of work
	inTime     = 8 * time.Second  // for what is done before the answer, which services wait 15 s for
	lastChance = 5 * time.Second  // for all that waits when the process stops
)

// Deps is what a Desk is given.
type Deps struct {
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Now        func() time.Time // nil means time.Now
	Intakes    map[string]notify.Intake
	Limits     throttle.Config
}

// Desk serves Prefix. Safe for concurrent use.
type Desk struct {
	log      *slog.Logger
	intakes  map[string]notify.Intake
	wrong    *throttle.Limiter
	waiting  chan task
	requests *prometheus.CounterVec
}

type task struct {
	channel string
	work    notify.Work
}

// New makes a Desk; it starts nothing.
func New(d Deps) (*Desk, error) {
	if d.Now == nil {
		d.Now = time.Now
	}
	desk := &Desk{log: instrument.Logger(d.Logger), intakes: d.Intakes, waiting: make(chan task, maxWaiting), requests: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "signalbox_channel_answers_total",
		Help: "What services sent because people answered there, by channel and outcome (taken, acknowledged, silenced, late, nothing, refused, failed, reported, unproved, malformed, throttled, overloaded).",
	}, []string{"channel", "outcome"})}
	var err error
	if desk.wrong, err = throttle.New(d.Limits, d.Now, nil); err != nil { // counted by outcome
		return nil, err
	}
	return desk, instrument.Register(d.Registerer, "channel answers", desk.requests)
}

// ServeHTTP implements http.Handler.
func (d *Desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	channel := strings.TrimPrefix(r.URL.Path, Prefix)
	intake := d.intakes[channel]
	if intake == nil || r.Method != http.MethodPost {
		http.NotFound(w, r)
		return
	}
	outcome, status := d.take(w, r, channel, intake)
	d.requests.WithLabelValues(channel, outcome).Inc()
	if status != http.StatusOK {
		front.WriteJSON(w, status, map[string]any{"error": map[string]any{"code": outcome, "message": said()[status]}})
		return
	}
	if s, speaks := intake.(notify.Speaker); speaks {
		contentType, body := s.Speak(r, outcome)
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write(body)
		return
	}
	w.WriteHeader(status)
}

// said is all that a caller learns.
func said() map[int]string {
	return map[int]string{
		http.StatusUnauthorized:          "the request is not proved to come from the service",
		http.StatusBadRequest:            "the request is not what the service documents",
		http.StatusRequestEntityTooLarge: "the body is too large",
		http.StatusTooManyRequests:       "too many requests that were not proved; wait",
		http.StatusServiceUnavailable:    "too many answers wait; send it again",
		http.StatusInternalServerError:   "it could not be read; the log of Signalbox says more",
	}
}

// take proves and understands a request, and keeps what is to be done.
func (d *Desk) take(w http.ResponseWriter, r *http.Request, channel string, intake notify.Intake) (outcome string, status int) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return "malformed", http.StatusRequestEntityTooLarge
		}
		return "malformed", http.StatusBadRequest
	}
	work, err := intake.Read(r, body)
	switch {
	case errors.Is(err, notify.ErrUnproved):
		// Only who fails is slowed down: the service comes from the same addresses for everybody.
		if wait, _ := d.wrong.Try(channel, front.RemoteOf(r), true); wait > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(wait/time.Second)+1))
			return "throttled", http.StatusTooManyRequests
		}
		d.log.WarnContext(r.Context(), "an answer is not proved to come from the service and was refused", "channel", channel, "remote", front.RemoteOf(r))
		return "unproved", http.StatusUnauthorized
	case errors.Is(err, notify.ErrMalformed):
		d.log.WarnContext(r.Context(), "an answer was not understood", "channel", channel, "err", err)
		return "malformed", http.StatusBadRequest
	case err != nil:
		d.log.ErrorContext(r.Context(), "an answer could not be read", "channel", channel, "err", err)
		return "failed", http.StatusInternalServerError
	case work == nil:
		return "nothing", http.StatusOK
	}
	if _, speaks := intake.(notify.Speaker); speaks {
		// It ends when it is done, also where the service hangs up.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), inTime)
		defer cancel()
		outcome, err := d.safely(ctx, task{channel, work})
		if err != nil {
			d.log.ErrorContext(ctx, "an answer could not be carried out whole", "channel", channel, "outcome", outcome, "err", err)
		}
		return outcome, http.StatusOK
	}
	select {
	case d.waiting <- task{channel, work}:
		return "taken", http.StatusOK
	default:
		w.Header().Set("Retry-After", "5")
		return "overloaded", http.StatusServiceUnavailable
	}
}

// Run does what was asked for until ctx is done, and what waits then.
func (d *Desk) Run(ctx context.Context) error {
	working, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(lastChance, cancel) })
	defer stop()
	var group sync.WaitGroup
	for range workers {
		group.Go(func() { d.work(ctx, working) })
	}
	group.Wait()
	return nil
}

func (d *Desk) work(ctx, working context.Context) {
	for {
		select {
		case t := <-d.waiting:
			d.do(working, t)
		case <-ctx.Done():
			for {
				select {
				case t := <-d.waiting:
					d.do(working, t)
				default:
					return
				}
			}
		}
	}
}

func (d *Desk) do(ctx context.Context, t task) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	outcome, err := d.safely(ctx, t)
	if err != nil {
		d.log.ErrorContext(ctx, "an answer could not be carried out whole", "channel", t.channel, "outcome", outcome, "err", err)
	}
	d.requests.WithLabelValues(t.channel, outcome).Inc()
}

// safely keeps a fault in what one service sent from stopping what others did.
func (d *Desk) safely(ctx context.Context, t task) (outcome string, err error) {
	defer func() {
		if p := recover(); p != nil {
			outcome, err = "failed", fmt.Errorf("it panicked: %v", p)
		}
	}()
	return t.work(ctx)
}
