package inbound_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"github.com/signalbox-project/signalbox/internal/auth/accounts/throttle"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/notify/inbound"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// intake does what a body says.
type intake struct{ work notify.Work }

func (i intake) Read(_ *http.Request, body []byte) (notify.Work, error) {
	switch string(body) {
	case "unproved":
		return nil, notify.ErrUnproved
	case "malformed":
		return nil, fmt.Errorf("%w: x", notify.ErrMalformed)
	case "broken":
		return nil, errors.New("read secret: /etc/x")
	case "nothing":
		return nil, nil
	}
	return i.work, nil
}

func desk(t *testing.T, work notify.Work) (*inbound.Desk, *prometheus.Registry) {
	t.Helper()
	reg := prometheus.NewRegistry()
	d, err := inbound.New(inbound.Deps{Registerer: reg, Intakes: map[string]notify.Intake{"slack": intake{work}}, Limits: throttle.DefaultConfig()})
	if err != nil {
		t.Fatal(err)
	}
	return d, reg
}

func post(d *inbound.Desk, channel, body string) (int, string) {
	w := httptest.NewRecorder()
	d.ServeHTTP(w, httptest.NewRequest("POST", inbound.Prefix+channel, strings.NewReader(body)))
	text, _ := io.ReadAll(w.Body)
	return w.Code, string(text)
}

func TestEachRequestIsAnsweredByWhatItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, _ := desk(t, nil)
		for body, want := range map[string]int{"unproved": 401, "malformed": 400, "broken": 500, "nothing": 200, strings.Repeat("x", 256<<10+1): 413} {
			status, text := post(d, "slack", body)
			if status != want || strings.Contains(text, "/etc/x") {
				t.Errorf("%.20s: %d %s", body, status, text)
			}
		}
		if status, _ := post(d, "teams", "nothing"); status != 404 {
			t.Errorf("a channel that is not: %d", status)
		}
		w := httptest.NewRecorder()
		d.ServeHTTP(w, httptest.NewRequest("GET", inbound.Prefix+"slack", nil))
		if w.Code != 404 {
			t.Errorf("GET: %d", w.Code)
		}
	})
}

func TestWhoProvesNothingWaitsAndTheServiceNever(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, _ := desk(t, nil)
		throttled := 0
		for range 100 {
			if status, _ := post(d, "slack", "unproved"); status == 429 {
				throttled++
			}
			if status, _ := post(d, "slack", "nothing"); status != 200 {
				t.Fatalf("the service was told %d", status)
			}
		}
		if throttled < 50 {
			t.Errorf("only %d of 100 were told to wait", throttled)
		}
	})
}

func TestWhatWasTakenIsDoneAlsoWhenTheProcessStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		done := make(chan struct{}, 200)
		d, reg := desk(t, func(ctx context.Context) (string, error) {
			done <- struct{}{}
			return "acknowledged", ctx.Err()
		})
		taken := 0
		for range 200 {
			switch status, _ := post(d, "slack", "press"); status {
			case 200:
				taken++
			case 503:
			default:
				t.Fatal(status)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := d.Run(ctx); err != nil || len(done) != taken || taken == 200 || taken == 0 {
			t.Errorf("%d of %d were done: %v", len(done), taken, err)
		}
		got, err := testutil.GatherAndCount(reg, "signalbox_channel_answers_total")
		if err != nil || got != 3 { // taken, acknowledged, overloaded
			t.Errorf("%d series, %v", got, err)
		}
	})
}

func TestWorkIsBoundedAndAFaultIsOfOneRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := make(chan int, 1)
		n <- 0
		d, _ := desk(t, func(ctx context.Context) (string, error) {
			i := <-n
			n <- i + 1
			if i == 0 {
				panic("one")
			}
			<-ctx.Done() // a service that does not answer
			return "failed", ctx.Err()
		})
		ctx, cancel := context.WithCancel(t.Context())
		began := time.Now()
		ended := make(chan error, 1)
		for range 3 {
			post(d, "slack", "press")
		}
		go func() { ended <- d.Run(ctx) }()
		time.Sleep(time.Minute) // of the fake clock
		cancel()
		if err := <-ended; err != nil || <-n != 3 || time.Since(began) > 2*time.Minute {
			t.Error(err, time.Since(began))
		}
	})
}

// speaker says the outcome.
type speaker struct{ intake }

func (speaker) Speak(_ *http.Request, outcome string) (string, []byte) {
	return "text/xml", []byte("<" + outcome + "/>")
}

func TestWhatIsSaidIsSaidWhenTheWorkIsDone(t *testing.T) {
	done := 0
	d, err := inbound.New(inbound.Deps{
		Registerer: prometheus.NewRegistry(), Limits: throttle.DefaultConfig(), Intakes: map[string]notify.Intake{"voice": speaker{intake{func(ctx context.Context) (string, error) {
			if _, bounded := ctx.Deadline(); !bounded {
				t.Error("it may last for ever")
			}
			if done++; done == 2 {
				panic("a fault")
			}
			return "acknowledged", nil
		}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		body, want string
		status     int
	}{{"x", "<acknowledged/>", 200}, {"x", "<failed/>", 200}, {"nothing", "<nothing/>", 200}} {
		if status, got := post(d, "voice", c.body); status != c.status || got != c.want {
			t.Errorf("%s: %d %s, want %s", c.body, status, got, c.want)
		}
	}
	if status, got := post(d, "voice", "unproved"); status != 401 || strings.Contains(got, "<") || done != 2 {
		t.Error(status, got, done)
	}
}
