package courier

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/sony/gobreaker/v2"
	"golang.org/x/time/rate"

	"github.com/signalbox-project/signalbox/internal/notify"
)

const (
	tryTimeout = 20 * time.Second
	// atOnce is how many messages are handed to one service at a time, maxWaiting how many may wait for their turn.
	atOnce, maxWaiting = 8, 2000
	// forUrgent of them are kept for what cannot wait.
	forUrgent = 3
	// Without a word of the channel, a service gets this many messages a second.
	usualPace, usualBurst = 10, 50
	// A breaker opens after this many failures in a row, and lets one through after a while.
	breakAfter, breakFor  = 5, 10 * time.Second
	firstPause, mostPause = time.Second, 30 * time.Second
	// mostPatience bounds what one service may ask of all messages to it.
	mostPatience = 5 * time.Minute
)

// line is where messages to one service queue.
type line struct {
	channel notify.Channel
	entered atomic.Int64
	slots   chan struct{}
	others  chan struct{} // of the slots, those that what can wait may take
	all     *rate.Limiter
	patient *rate.Limiter // of what can wait: half the rate is left for what cannot
	breaker *gobreaker.CircuitBreaker[notify.Receipt]
	resume  atomic.Int64 // Unix ns: the service wants nothing before
}

func newLine(name string, ch notify.Channel) *line {
	pace, burst := paceOf(ch)
	return &line{
		channel: ch, slots: make(chan struct{}, atOnce), others: make(chan struct{}, atOnce-forUrgent),
		all: rate.NewLimiter(rate.Limit(pace), burst), patient: rate.NewLimiter(rate.Limit(pace/2), max(1, burst/2)),
		breaker: gobreaker.NewCircuitBreaker[notify.Receipt](gobreaker.Settings{
			Name: name, Timeout: breakFor, MaxRequests: 1,
			ReadyToTrip: func(n gobreaker.Counts) bool { return n.ConsecutiveFailures >= breakAfter },
			// A service that refuses, or asks for patience, is alive.
			IsSuccessful: func(err error) bool { return err == nil || notify.IsRefused(err) || notify.RetryAfter(err) > 0 },
			IsExcluded:   func(err error) bool { return errors.Is(err, context.Canceled) },
		}),
	}
}

// paceOf is how fast a channel's service is sent to.
func paceOf(ch notify.Channel) (perSecond float64, burst int) {
	if p, paced := ch.(Paced); paced {
		return p.Pace()
	}
	return usualPace, usualBurst
}

// enter takes a place among those that wait.
func (l *line) enter() (leave func(), err error) {
	if l.entered.Add(1) > maxWaiting {
		l.entered.Add(-1)
		return nil, fmt.Errorf("%s: %d messages wait for it already", l.breaker.Name(), maxWaiting)
	}
	return func() { l.entered.Add(-1) }, nil
}

// send waits for its turn and tries. tried says whether the service was asked at all: not while it is down.
func (l *line) send(ctx context.Context, urgent bool, try func(context.Context) (notify.Receipt, error)) (r notify.Receipt, tried bool, err error) {
	free, err := l.turn(ctx, urgent)
	if err != nil {
		return r, false, err
	}
	defer free()
	r, err = l.breaker.Execute(func() (notify.Receipt, error) {
		tried = true
		return try(ctx)
	})
	if after := min(notify.RetryAfter(err), mostPatience); after > 0 {
		l.resume.Store(time.Now().Add(after).UnixNano())
	}
	return r, tried, err
}

// turn waits until the service may be asked, and takes one of its slots.
func (l *line) turn(ctx context.Context, urgent bool) (free func(), err error) {
	if err := wait(ctx, time.Until(time.Unix(0, l.resume.Load()))); err != nil {
		return nil, err
	}
	slots, limits := []chan struct{}{l.slots}, []*rate.Limiter{l.all}
	if !urgent {
		slots, limits = []chan struct{}{l.others, l.slots}, []*rate.Limiter{l.patient, l.all}
	}
	if l.down() {
		limits = nil // nothing is sent but by the one that finds out whether it is back
	}
	for _, limit := range limits {
		if err := limit.Wait(ctx); err != nil {
			return nil, errors.Join(err, context.DeadlineExceeded) // which it foresees
		}
	}
	taken := 0
	free = func() {
		for _, s := range slots[:taken] {
			<-s
		}
	}
	for _, s := range slots {
		select {
		case s <- struct{}{}:
			taken++
		case <-ctx.Done():
			free()
			return nil, ctx.Err()
		}
	}
	return free, nil
}

func (l *line) waiting() int { return int(l.entered.Load()) }

func (l *line) down() bool { return l.breaker.State() != gobreaker.StateClosed }

func newPauses() *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.MaxInterval, b.Multiplier, b.RandomizationFactor = firstPause, mostPause, 2, 0.5
	b.Reset()
	return b
}

// lookAgain is when a message looks again whether a service that is down is asked: soon, since others may have found that it is back.
func lookAgain() time.Duration { return time.Second + rand.N(time.Second) }

// wait returns at once with an error where ctx ends before the time has passed.
func wait(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if d <= 0 {
		return nil
	}
	if end, bounded := ctx.Deadline(); bounded && time.Until(end) < d {
		return fmt.Errorf("the next try would be in %s: %w", d.Round(time.Second), context.DeadlineExceeded)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
