package courier_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/notify/courier"
)

// channel answers as its function says.
type channel func(ctx context.Context, m notify.Message) (notify.Receipt, error)

func (c channel) Send(ctx context.Context, m notify.Message) (notify.Receipt, error) {
	return c(ctx, m)
}

// several is a channel of several services.
type several struct{ channel }

func (several) Service(address string) string { return address }

func newCourier(t *testing.T, ch notify.Channel) *courier.Courier {
	t.Helper()
	c, err := courier.New(courier.Deps{Channels: map[string]notify.Channel{"x": ch}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func page(to string) notify.Message {
	return notify.Message{Kind: notify.Paged, To: notify.Target{Channel: "x", Address: to}, Title: "down"}
}

var errDown = errors.New("x: does not answer")

func TestWhatFailsIsTriedAgainAndEachTryIsNoted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Time
		c := newCourier(t, channel(func(context.Context, notify.Message) (notify.Receipt, error) {
			if at = append(at, time.Now()); len(at) < 4 {
				return notify.Receipt{}, errDown
			}
			return notify.Receipt{ID: "id"}, nil
		}))
		var notes []model.Delivery
		r, err := c.Deliver(t.Context(), page(""), func(d model.Delivery) { notes = append(notes, d) })
		if err != nil || r.ID != "id" || len(notes) != 4 {
			t.Fatal(r, err, notes)
		}
		want := []model.Delivery{
			{Channel: "x", Time: at[0], Status: "failed", Attempt: 1, Error: errDown.Error()},
			{Channel: "x", Time: at[1], Status: "failed", Attempt: 2, Error: errDown.Error()},
			{Channel: "x", Time: at[2], Status: "failed", Attempt: 3, Error: errDown.Error()},
			{Channel: "x", Time: at[3], Status: "delivered", Attempt: 4},
		}
		if d := cmp.Diff(want, notes); d != "" {
			t.Error(d)
		}
		for i, least := range []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second} {
			if got := at[i+1].Sub(at[i]); got < least || got > 3*least {
				t.Errorf("pause %d is %s, want %s to %s", i, got, least, 3*least)
			}
		}
	})
}

func TestAServiceGetsTheTimeThatItAsksFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		c := newCourier(t, channel(func(context.Context, notify.Message) (notify.Receipt, error) {
			if n++; n == 1 {
				return notify.Receipt{}, notify.Later(errDown, time.Minute)
			}
			return notify.Receipt{}, nil
		}))
		began := time.Now()
		done := make(chan error)
		go func() {
			_, err := c.Deliver(t.Context(), page("a"), nil)
			done <- err
		}()
		synctest.Wait()
		// Another message waits too: it is the same service.
		if _, err := c.Deliver(t.Context(), page("b"), nil); err != nil || time.Since(began) < time.Minute || time.Since(began) > 61*time.Second {
			t.Error(err, time.Since(began))
		}
		if err := <-done; err != nil || n != 3 {
			t.Error(err, n)
		}
	})
}

func TestNobodyWaitsForATryThatCannotBe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCourier(t, channel(func(context.Context, notify.Message) (notify.Receipt, error) {
			return notify.Receipt{}, notify.Later(errDown, time.Hour)
		}))
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		for range 2 { // the second one finds out before it is tried
			began := time.Now()
			_, err := c.Deliver(ctx, page(""), nil)
			if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 0 {
				t.Error(err, time.Since(began))
			}
		}
	})
}

func TestWhatIsRefusedIsNotTriedAgain(t *testing.T) {
	n := 0
	c := newCourier(t, channel(func(context.Context, notify.Message) (notify.Receipt, error) {
		n++
		return notify.Receipt{}, notify.Refused(errors.New("no such address"))
	}))
	for range 20 { // nor does it count as an outage
		if _, err := c.Deliver(t.Context(), page(""), nil); !notify.IsRefused(err) {
			t.Fatal(err)
		}
	}
	if n != 20 || c.States()[0].Down {
		t.Error(n, c.States())
	}
	m := page("")
	m.To.Channel = "fax"
	if _, err := c.Deliver(t.Context(), m, nil); !notify.IsRefused(err) || !strings.Contains(err.Error(), `"fax"`) {
		t.Error(err)
	}
}

func TestATryEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		c := newCourier(t, channel(func(ctx context.Context, _ notify.Message) (notify.Receipt, error) {
			if n++; n == 1 {
				<-ctx.Done()
				return notify.Receipt{}, ctx.Err()
			}
			return notify.Receipt{}, nil
		}))
		began, notes := time.Now(), []model.Delivery{}
		_, err := c.Deliver(t.Context(), page(""), func(d model.Delivery) { notes = append(notes, d) })
		if err != nil || time.Since(began) < 20*time.Second || time.Since(began) > 22*time.Second || notes[0].Error != "x: no answer within 20s" {
			t.Error(err, time.Since(began), notes)
		}
	})
}

func TestADeadServiceIsAskedNowAndThenAndHoldsUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		asked, dead := 0, true
		c := newCourier(t, several{channel(func(ctx context.Context, m notify.Message) (notify.Receipt, error) {
			mu.Lock()
			defer mu.Unlock()
			if m.To.Address != "dead" {
				return notify.Receipt{}, nil
			}
			if asked++; dead {
				return notify.Receipt{}, errDown
			}
			return notify.Receipt{}, nil
		})})
		var all sync.WaitGroup
		for range 300 {
			all.Go(func() {
				if _, err := c.Deliver(t.Context(), page("dead"), nil); err != nil {
					t.Error(err)
				}
			})
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		mu.Lock()
		if asked > 30 { // some at the same moment, then one in ten seconds
			t.Errorf("a dead service was asked %d times in a minute", asked)
		}
		mu.Unlock()
		if s := c.States()[0]; !s.Down || s.Waiting != 300 || s.LastError != errDown.Error() || s.LastSuccess != nil {
			t.Errorf("%+v", s)
		}
		began := time.Now()
		if _, err := c.Deliver(t.Context(), page("alive"), nil); err != nil || time.Since(began) != 0 {
			t.Error(err, time.Since(began))
		}
		mu.Lock()
		dead = false
		mu.Unlock()
		all.Wait()
		// 13 s to find out, and ten a second.
		if took := time.Since(began); took > 45*time.Second {
			t.Errorf("300 messages took %s after the service was back", took)
		}
		if s := c.States()[0]; s.Down || s.Waiting != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestAPageGoesBeforeAThousandReports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCourier(t, channel(func(context.Context, notify.Message) (notify.Receipt, error) {
			time.Sleep(15 * time.Second)
			return notify.Receipt{}, nil
		}))
		ctx, stop := context.WithCancel(t.Context())
		var all sync.WaitGroup
		for range 1000 {
			all.Go(func() {
				m := page("")
				m.Kind = notify.Told
				_, _ = c.Deliver(ctx, m, nil)
			})
		}
		time.Sleep(time.Minute)
		began := time.Now()
		if _, err := c.Deliver(t.Context(), page(""), nil); err != nil || time.Since(began) > 16*time.Second {
			t.Error(err, time.Since(began))
		}
		stop()
		all.Wait()
	})
}

func TestTheQueueIsBoundedAndEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCourier(t, channel(func(ctx context.Context, _ notify.Message) (notify.Receipt, error) {
			<-ctx.Done()
			return notify.Receipt{}, ctx.Err()
		}))
		ctx, stop := context.WithCancel(t.Context())
		var all sync.WaitGroup
		for range 2000 {
			all.Go(func() {
				if _, err := c.Deliver(ctx, page(""), nil); !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		if _, err := c.Deliver(t.Context(), page(""), nil); err == nil || notify.IsRefused(err) || !strings.Contains(err.Error(), "2000 messages wait") {
			t.Error(err)
		}
		stop()
		all.Wait()
		if s := c.States()[0]; s.Waiting != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestTriesAreMeasuredLoggedAndTraced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg, spans, logged := prometheus.NewRegistry(), tracetest.NewSpanRecorder(), &bytes.Buffer{}
		n := 0
		c, err := courier.New(courier.Deps{
			Logger: slog.New(slog.NewTextHandler(logged, nil)), Registerer: reg, Tracer: sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)),
			Channels: map[string]notify.Channel{"x": channel(func(context.Context, notify.Message) (notify.Receipt, error) {
				if n++; n == 1 {
					return notify.Receipt{}, errDown
				}
				return notify.Receipt{}, nil
			})},
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Deliver(t.Context(), page("+4915112345"), nil); err != nil {
			t.Fatal(err)
		}
		if err := testutil.GatherAndCompare(reg, strings.NewReader(`
# HELP signalbox_notify_channel_tries_total Tries to hand a message to a channel, by outcome: delivered, failed, refused, later, cancelled.
# TYPE signalbox_notify_channel_tries_total counter
signalbox_notify_channel_tries_total{channel="x",outcome="delivered"} 1
signalbox_notify_channel_tries_total{channel="x",outcome="failed"} 1
# HELP signalbox_notify_channel_waiting Messages under way to a channel.
# TYPE signalbox_notify_channel_waiting gauge
signalbox_notify_channel_waiting{channel="x"} 0
# HELP signalbox_notify_channel_down 1 while the service of a channel does not answer, and is asked only now and then.
# TYPE signalbox_notify_channel_down gauge
signalbox_notify_channel_down{channel="x"} 0
`), "signalbox_notify_channel_tries_total", "signalbox_notify_channel_waiting", "signalbox_notify_channel_down"); err != nil {
			t.Error(err)
		}
		ended := spans.Ended()
		if len(ended) != 2 || ended[0].Name() != "notify x" || ended[0].Status().Code != codes.Error || ended[1].Status().Code == codes.Error {
			t.Error(ended)
		}
		if strings.Contains(logged.String(), "4915112345") || !strings.Contains(logged.String(), "does not answer") {
			t.Error(logged)
		}
	})
}
