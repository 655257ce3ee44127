package heartbeat

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	common "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/oncall"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/state"
)

// world is a monitor with a clock that a test moves; it says which alerts stand.
type world struct {
	t      *testing.T
	now    time.Time
	m      *Monitor
	state  *state.Store
	named  []oncall.Heartbeat
	alerts map[string]notify.Alert
	broken error
}

func newWorld(t *testing.T) *world {
	t.Helper()
	s, err := state.Open(t.Context(), state.Config{Dir: t.TempDir()}, state.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	w := &world{
		t: t, state: s, now: time.Date(2026, 3, 28, 20, 0, 0, 0, time.UTC), alerts: map[string]notify.Alert{},
		named: []oncall.Heartbeat{{Name: "backup", Every: common.Duration(time.Hour), Grace: common.Duration(5 * time.Minute), Severity: "critical", Service: "db", Team: "data", Text: "the nightly backup", Runbook: "https://example.com/backup"}},
	}
	w.restart()
	return w
}

// restart begins with a new monitor on what was written, as a process does.
func (w *world) restart() {
	w.t.Helper()
	var err error
	w.m, err = NewMonitor(Deps{Documents: w.state, Sender: w, Named: func() []oncall.Heartbeat { return w.named }, Now: func() time.Time { return w.now }})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.m.resume(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	w.pass(0)
}

// pass lets time go by while the process is up.
func (w *world) pass(d time.Duration) {
	w.t.Helper()
	for end := w.now.Add(d); ; {
		w.m.evaluate(w.t.Context())
		w.m.live(w.t.Context())
		if !w.now.Before(end) {
			return
		}
		w.now = w.now.Add(min(time.Minute, end.Sub(w.now)))
	}
}

// Send implements notify.Sender.
func (w *world) Send(_ context.Context, alerts ...notify.Alert) error {
	if w.broken != nil {
		return w.broken
	}
	for _, a := range alerts {
		if key := a.Labels["alertname"] + " " + a.Labels["heartbeat"]; a.EndsAt.After(w.now) {
			w.alerts[key] = a
		} else {
			delete(w.alerts, key)
		}
	}
	return nil
}

func (w *world) ping(p oncall.HeartbeatPing) {
	w.t.Helper()
	if _, err := w.m.Ping(w.t.Context(), "backup", p); err != nil {
		w.t.Fatal(err)
	}
	w.pass(0)
}

func (w *world) is(state oncall.HeartbeatState, alerts ...string) {
	w.t.Helper()
	all, err := w.m.Heartbeats(w.t.Context())
	if err != nil || len(all) != 1 {
		w.t.Fatal(all, err)
	}
	var names []string
	for name := range w.alerts {
		names = append(names, name)
	}
	if all[0].State != state || fmt.Sprint(names) != fmt.Sprint(alerts) {
		w.t.Errorf("at %s: %s %v, want %s %v: %s", w.now.Format("15:04"), all[0].State, names, state, alerts, all[0].Summary)
	}
}

const missed = "HeartbeatMissed backup"

func TestAHeartbeatIsMissedAfterItsGraceAndComesBack(t *testing.T) {
	w := newWorld(t)
	w.pass(3 * time.Hour)
	w.is(New)
	w.ping(oncall.HeartbeatPing{})
	w.is(OK)
	w.pass(62 * time.Minute)
	w.is(Late)
	w.pass(3 * time.Minute)
	w.is(Missed, missed)
	a := w.alerts[missed]
	if a.Labels["severity"] != "critical" || a.Labels["service"] != "db" || a.Labels["team"] != "data" || a.Annotations["runbook_url"] != "https://example.com/backup" || !strings.Contains(a.Annotations["description"], "pinged last at 2026-03-28T23:00:00Z") {
		t.Errorf("%+v", a)
	}
	began := a.StartsAt
	w.pass(time.Hour) // it is sent again, as the same alert, before it would end by itself
	w.is(Missed, missed)
	if a := w.alerts[missed]; !a.StartsAt.Equal(began) || a.EndsAt.Sub(w.now) != lasting {
		t.Errorf("%+v", a)
	}
	w.ping(oncall.HeartbeatPing{})
	w.is(OK)
	w.pass(61 * time.Minute)
	w.named = nil // taken out of the file while it is not missed, and then while it is
	w.pass(time.Hour)
	w.named = []oncall.Heartbeat{{Name: "backup", Every: common.Duration(time.Hour), Grace: common.Duration(time.Minute), Severity: "low"}}
	w.pass(0)
	w.is(Missed, missed)
	w.named = nil
	w.pass(0)
	if len(w.alerts) > 0 {
		t.Errorf("%+v", w.alerts)
	}
}

func TestAHeartbeatSaysThatItBeginsAndThatItFails(t *testing.T) {
	w := newWorld(t)
	w.ping(oncall.HeartbeatPing{Start: true})
	w.is(New)
	w.ping(oncall.HeartbeatPing{ExitCode: 3, Note: "disk full"})
	w.is(Failed, "HeartbeatFailed backup")
	if a := w.alerts["HeartbeatFailed backup"]; !strings.Contains(a.Annotations["description"], "exit code 3 disk full") {
		t.Errorf("%+v", a)
	}
	w.ping(oncall.HeartbeatPing{Start: true})
	w.is(Failed, "HeartbeatFailed backup")
	w.ping(oncall.HeartbeatPing{})
	w.is(OK)
	w.ping(oncall.HeartbeatPing{Fail: true})
	w.is(Failed, "HeartbeatFailed backup")
	if _, err := w.m.Ping(t.Context(), "none", oncall.HeartbeatPing{}); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
}

// Time that this process was down is no fault of who pings, and hides none either.
func TestTimeThatTheProcessWasDownMissesNothingAndForgetsNothing(t *testing.T) {
	w := newWorld(t)
	w.ping(oncall.HeartbeatPing{})
	w.pass(10 * time.Minute)
	// A short stop while no ping is expected changes nothing.
	w.now = w.now.Add(2 * time.Minute)
	w.restart()
	w.is(OK)
	w.pass(40 * time.Minute)
	// A stop in which the ping was expected: it may have come.
	w.now = w.now.Add(3 * time.Hour)
	w.restart()
	w.is(Unknown)
	w.pass(64 * time.Minute)
	w.is(Unknown)
	w.pass(time.Minute)
	w.is(Missed, missed)
	// What was missed before a stop is missed after it.
	w.now = w.now.Add(3 * time.Hour)
	w.restart()
	w.is(Missed, missed)
	w.ping(oncall.HeartbeatPing{})
	w.is(OK)
	w.pass(50 * time.Minute)
	w.now = w.now.Add(20 * time.Minute)
	w.restart()
	w.is(Unknown)
	w.ping(oncall.HeartbeatPing{})
	w.is(OK)
	w.pass(65 * time.Minute)
	w.is(Missed, missed)
}

// An alert that could not be handed over is tried again.
func TestAnAlertThatIsNotTakenIsRaisedAgain(t *testing.T) {
	w := newWorld(t)
	w.ping(oncall.HeartbeatPing{})
	w.broken = errors.New("the disk is full")
	w.pass(2 * time.Hour)
	w.is(Missed)
	w.broken = nil
	w.pass(time.Minute)
	w.is(Missed, missed)
	w.broken = errors.New("the disk is full")
	w.ping(oncall.HeartbeatPing{})
	w.is(OK, missed)
	w.broken = nil
	w.pass(time.Minute)
	w.is(OK)
}
