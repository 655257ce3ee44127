// Package courier delivers messages whatever it takes: notify.Courier.
//
// It knows no service and nobody's rules: it is handed channels, and told what to send where. In: a message. Out: a receipt, or why
// there is none; a note of every try. Each service has a line of its own with a bounded number of tries at once and of
// messages that wait, a rate, and a breaker: one that is dead holds up neither the others nor more than its share of memory.
//
// Invariants: Deliver returns when ctx is done, or as soon as no further try could be made before it is. A try lasts a bounded time. What somebody is
// waited for with goes before what can wait. Start reading at Deliver, then line.
package courier

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
)

// maxServices bounds the lines of one channel: what is beyond shares one.
const maxServices = 200

// Deps are what a courier is made with.
type Deps struct {
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Tracer     trace.TracerProvider // nil makes no spans
	Channels   map[string]notify.Channel
}

// Services is what a channel says that hands messages to several services: which one an address is of. They do not hold up one another.
type Services interface {
	Service(address string) string
}

// Paced is what a channel says whose service takes no more than so many messages a second.
type Paced interface {
	Pace() (perSecond float64, burst int)
}

// Courier delivers messages.
type Courier struct {
	log      *slog.Logger
	tracer   trace.Tracer
	channels map[string]notify.Channel
	metrics  *metrics

	mu     sync.Mutex
	lines  map[place]*line
	states map[string]State
}

// place is one service.
type place struct{ channel, service string }

// State is how a channel fares.
type State struct {
	Channel     string     `json:"channel"`
	Waiting     int        `json:"waiting" doc:"messages under way"`
	Most        int        `json:"most" doc:"how many messages to one service may be under way; further ones fail at once"`
	PerSecond   float64    `json:"per_second" doc:"the rate at which messages are handed to one service"`
	Burst       int        `json:"burst" doc:"how many of them may go out at once"`
	Down        bool       `json:"down" doc:"its service did not answer several times in a row, and is asked again only now and then"`
	LastSuccess *time.Time `json:"last_success,omitempty"`
	LastError   string     `json:"last_error,omitempty"`
	LastErrorAt *time.Time `json:"last_error_at,omitempty"`
}

// New makes a courier.
func New(d Deps) (*Courier, error) {
	if d.Tracer == nil {
		d.Tracer = noop.NewTracerProvider()
	}
	c := &Courier{
		log: instrument.Logger(d.Logger), tracer: d.Tracer.Tracer("github.com/signalbox-project/signalbox/internal/notify/courier"),
		channels: d.Channels, metrics: newMetrics(), lines: map[place]*line{}, states: map[string]State{},
	}
	if err := instrument.Register(d.Registerer, "channel", append(c.metrics.collectors(), collector{c})...); err != nil {
		return nil, err
	}
	return c, nil
}

// Channels implements notify.Courier.
func (c *Courier) Channels() []string { return slices.Sorted(maps.Keys(c.channels)) }

// Deliver implements notify.Courier.
func (c *Courier) Deliver(ctx context.Context, m notify.Message, note func(model.Delivery)) (notify.Receipt, error) {
	ch, known := c.channels[m.To.Channel]
	if !known {
		return notify.Receipt{}, notify.Refused(fmt.Errorf("there is no channel %q: set it up below `channels`", m.To.Channel))
	}
	if note == nil {
		note = func(model.Delivery) {}
	}
	l := c.line(m.To, ch)
	leave, err := l.enter()
	if err != nil {
		c.failed(m.To.Channel, err)
		return notify.Receipt{}, err
	}
	defer leave()
	return c.deliver(ctx, l, m, note)
}

func (c *Courier) deliver(ctx context.Context, l *line, m notify.Message, note func(model.Delivery)) (notify.Receipt, error) {
	pauses, last := newPauses(), error(nil)
	for attempt := 1; ; {
		receipt, tried, err := l.send(ctx, urgent(m.Kind), func(ctx context.Context) (notify.Receipt, error) { return c.try(ctx, l.channel, m, attempt) })
		switch {
		case tried && err == nil:
			c.succeeded(m.To.Channel)
			note(model.Delivery{Channel: m.To.Channel, Time: time.Now(), Status: "delivered", Attempt: attempt})
			return receipt, nil
		case tried:
			c.failed(m.To.Channel, err)
			note(model.Delivery{Channel: m.To.Channel, Time: time.Now(), Status: "failed", Attempt: attempt, Error: err.Error()})
			last, attempt = err, attempt+1
		}
		if notify.IsRefused(err) {
			return notify.Receipt{}, err
		}
		if err := pause(ctx, pauses, tried, err); err != nil {
			return notify.Receipt{}, gaveUp(m.To.Channel, err, last, attempt-1)
		}
	}
}

// pause waits until the next try. err is why the last one failed, or was not made.
func pause(ctx context.Context, pauses *backoff.ExponentialBackOff, tried bool, err error) error {
	switch {
	case tried:
		return wait(ctx, max(pauses.NextBackOff(), notify.RetryAfter(err)))
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return err
	}
	return wait(ctx, lookAgain())
}

// try is one try, within its time.
func (c *Courier) try(ctx context.Context, ch notify.Channel, m notify.Message, attempt int) (notify.Receipt, error) {
	ctx, span := c.tracer.Start(ctx, "notify "+m.To.Channel, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		attribute.String("signalbox.channel", m.To.Channel), attribute.String("signalbox.message.kind", string(m.Kind)), attribute.Int("signalbox.attempt", attempt)))
	defer span.End()
	began := time.Now()
	own, cancel := context.WithTimeoutCause(ctx, tryTimeout, fmt.Errorf("no answer within %s", tryTimeout))
	defer cancel()
	receipt, err := ch.Send(own, m)
	if err != nil && own.Err() != nil && ctx.Err() == nil {
		err = fmt.Errorf("%s: %w", m.To.Channel, context.Cause(own))
	}
	c.metrics.tried(m.To.Channel, outcome(err), time.Since(began))
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
		c.log.Warn("a message was not delivered", "channel", m.To.Channel, "kind", m.Kind, "attempt", attempt, "refused", notify.IsRefused(err), "err", err)
	}
	return receipt, err
}

// gaveUp is why a message was not delivered in the time that there was.
func gaveUp(channel string, why, last error, tries int) error {
	if last == nil {
		return fmt.Errorf("%s: not tried, because other messages to it do not get through: %w", channel, why)
	}
	return fmt.Errorf("not delivered after %d %s: %w; the last one: %w", tries, map[bool]string{true: "try", false: "tries"}[tries == 1], why, last)
}

// outcome is what became of a try, in a word.
func outcome(err error) string {
	switch {
	case err == nil:
		return "delivered"
	case notify.IsRefused(err):
		return "refused"
	case notify.RetryAfter(err) > 0:
		return "later"
	case errors.Is(err, context.Canceled):
		return "cancelled"
	}
	return "failed"
}

// urgent says whether somebody waits for a message of a kind.
func urgent(k notify.Kind) bool {
	switch k {
	case notify.Paged, notify.Noticed, notify.Drill, notify.Verification:
		return true
	}
	return false
}

// line is the one of an address.
func (c *Courier) line(to notify.Target, ch notify.Channel) *line {
	at := place{channel: to.Channel}
	if s, several := ch.(Services); several {
		at.service = s.Service(to.Address)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	l, known := c.lines[at]
	if !known && len(c.lines) >= maxServices {
		at.service = ""
		l, known = c.lines[at]
	}
	if !known {
		l = newLine(at.channel, ch)
		c.lines[at] = l
	}
	return l
}

func (c *Courier) succeeded(channel string) {
	c.note(channel, func(s *State, now time.Time) { s.LastSuccess = &now })
}

func (c *Courier) failed(channel string, err error) {
	if errors.Is(err, context.Canceled) {
		return // by whoever asked for it
	}
	c.note(channel, func(s *State, now time.Time) { s.LastError, s.LastErrorAt = err.Error(), &now })
}

func (c *Courier) note(channel string, change func(*State, time.Time)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.states[channel]
	change(&s, time.Now())
	c.states[channel] = s
}

// Problems are the channels that do not get through now.
func (c *Courier) Problems() []model.Problem {
	var out []model.Problem
	for _, s := range c.States() {
		if s.Down {
			out = append(out, model.Problem{
				Severity: "critical", Message: "messages by " + s.Channel + " do not get through: " + s.LastError,
				Cure: "see whether its service is reached and its keys are valid; `signalbox channels test " + s.Channel + " ADDRESS` sends a drill",
			})
		}
	}
	return out
}

// States are how the channels fare, by name.
func (c *Courier) States() []State {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []State
	for _, name := range c.Channels() {
		s := c.states[name]
		s.Channel, s.Most = name, maxWaiting
		s.PerSecond, s.Burst = paceOf(c.channels[name])
		for at, l := range c.lines {
			if at.channel == name {
				s.Waiting += l.waiting()
				s.Down = s.Down || l.down()
			}
		}
		out = append(out, s)
	}
	return out
}
