// Package heartbeat raises an alert when something that should say regularly that it works does not: a backup, a cron job, another monitor.
//
// In: the heartbeats that on-call files name, and pings. Out: how each stands, and alerts, which go the way of all others.
//
// Invariants: a ping that was answered is kept, whatever happens to the process. A ping that could have come while this process was down is neither
// missed nor forgotten: the heartbeat is unknown until one more interval has gone by. What was missed before stays missed. One that
// was never pinged raises nothing.
//
// Start reading at Monitor.evaluate.
package heartbeat

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/oncall"
	"github.com/signalbox-project/signalbox/internal/platform/redact"
	"github.com/signalbox-project/signalbox/internal/store"
)

const (
	kind  = "oncall.heartbeat"
	alive = "oncall.heartbeat.alive" // whose one document says until when this process was up
	// tick is how often heartbeats are looked at, and how often it is written down that the process is up.
	tick = 15 * time.Second
	// lasting is how long an alert is good that is not sent again.
	lasting = 5 * time.Minute
	// maxTries bounds how often a ping is written against others.
	maxTries = 8
	maxNote  = 200
)

// The states.
const (
	New     oncall.HeartbeatState = "new"     // never pinged
	OK      oncall.HeartbeatState = "ok"      // pinged in time
	Late    oncall.HeartbeatState = "late"    // within the grace
	Missed  oncall.HeartbeatState = "missed"  // raises an alert
	Failed  oncall.HeartbeatState = "failed"  // said itself that it failed: raises an alert
	Unknown oncall.HeartbeatState = "unknown" // the ping may have come while this process was down
)

// record is what is kept of a heartbeat.
type record struct {
	Last    time.Time     `json:"last,omitzero"`
	Started time.Time     `json:"started,omitzero"`
	Resumed time.Time     `json:"resumed,omitzero"` // from when on the next ping is counted, where one may have been lost
	Fail    bool          `json:"fail,omitempty"`
	Note    string        `json:"note,omitempty"`
	Raised  *notify.Alert `json:"raised,omitempty"` // the alert that stands
}

// Deps is what a Monitor is given.
type Deps struct {
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Documents  store.DocumentStore
	Sender     notify.Sender
	Named      func() []oncall.Heartbeat // those of the files in force
	External   string                    // where people see the UI
	Now        func() time.Time          // nil means time.Now
}

// Monitor watches heartbeats. It is safe for concurrent use.
type Monitor struct {
	deps  Deps
	log   *slog.Logger
	now   func() time.Time
	pings *prometheus.CounterVec
	wake  chan struct{}
}

// NewMonitor makes a Monitor.
func NewMonitor(deps Deps) (*Monitor, error) {
	m := &Monitor{deps: deps, log: instrument.Logger(deps.Logger), now: deps.Now, wake: make(chan struct{}, 1), pings: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "signalbox_heartbeat_pings_total", Help: "Pings of heartbeats by what they say (ok, start, fail).",
	}, []string{"says"})}
	if m.now == nil {
		m.now = time.Now
	}
	return m, instrument.Register(deps.Registerer, "heartbeats", m.pings)
}

// Ping keeps what something says of itself.
func (m *Monitor) Ping(ctx context.Context, name string, p oncall.HeartbeatPing) (oncall.HeartbeatStanding, error) {
	h, ok := m.find(name)
	if !ok {
		return oncall.HeartbeatStanding{}, fmt.Errorf("heartbeat %q: %w", name, store.ErrNotFound)
	}
	says := "ok"
	var rec record
	err := store.ErrChanged
	for try := 0; errors.Is(err, store.ErrChanged) && try < maxTries; try++ {
		var version int64
		if rec, version, err = m.load(ctx, name); err != nil {
			return oncall.HeartbeatStanding{}, err
		}
		now := m.now().UTC()
		switch {
		case p.Start:
			rec.Started, says = now, "start"
		default:
			rec.Last, rec.Resumed, rec.Fail = now, time.Time{}, p.Fail || p.ExitCode != 0
			if rec.Fail {
				says = "fail"
			}
		}
		rec.Note = noteOf(p)
		err = m.save(ctx, name, rec, version)
	}
	if err != nil {
		return oncall.HeartbeatStanding{}, err
	}
	m.pings.WithLabelValues(says).Inc()
	select {
	case m.wake <- struct{}{}:
	default:
	}
	return m.standing(h, rec, m.now()), nil
}

func noteOf(p oncall.HeartbeatPing) string {
	note := redact.Text(p.Note)
	if len(note) > maxNote {
		note = note[:maxNote] + "…"
	}
	if p.ExitCode != 0 {
		note = fmt.Sprintf("exit code %d %s", p.ExitCode, note)
	}
	return note
}

func (m *Monitor) find(name string) (oncall.Heartbeat, bool) {
	for _, h := range m.deps.Named() {
		if h.Name == name {
			return h, true
		}
	}
	return oncall.Heartbeat{}, false
}

// Heartbeats are all, by name, as they stand.
func (m *Monitor) Heartbeats(ctx context.Context) ([]oncall.HeartbeatStanding, error) {
	out := []oncall.HeartbeatStanding{}
	for _, h := range m.deps.Named() {
		rec, _, err := m.load(ctx, h.Name)
		if err != nil {
			return nil, err
		}
		out = append(out, m.standing(h, rec, m.now()))
	}
	return out, nil
}

// standing says how a heartbeat stands at a moment.
func (m *Monitor) standing(h oncall.Heartbeat, rec record, now time.Time) oncall.HeartbeatStanding {
	s := oncall.HeartbeatStanding{Heartbeat: h, Note: rec.Note, State: OK}
	if !rec.Started.IsZero() {
		s.Started = &rec.Started
	}
	if rec.Last.IsZero() {
		s.State, s.Summary = New, "It was never pinged: it raises nothing until it has been."
		return s
	}
	s.Last = &rec.Last
	from := rec.Last
	if rec.Resumed.After(from) {
		from = rec.Resumed
	}
	due := from.Add(time.Duration(h.Every + h.Grace))
	s.Due = &due
	switch {
	case rec.Fail:
		s.State, s.Summary = Failed, "It said that it failed: "+either(rec.Note, "without a reason")+"."
	case !now.Before(due):
		s.State, s.Summary = Missed, fmt.Sprintf("It was pinged last at %s, and should be every %s.", rec.Last.UTC().Format(time.RFC3339), h.Every)
	case !rec.Resumed.IsZero():
		s.State, s.Summary = Unknown, "A ping may have come while Signalbox was down: it is missed if none comes by "+due.UTC().Format(time.RFC3339)+"."
	case now.After(from.Add(time.Duration(h.Every))):
		s.State, s.Summary = Late, "It is late, within its grace of "+h.Grace.String()+"."
	default:
		s.Summary = "It was pinged in time."
	}
	return s
}

func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// Run watches until ctx is done.
func (m *Monitor) Run(ctx context.Context) error {
	for first := true; ctx.Err() == nil; {
		if first {
			first = m.resume(ctx) != nil
		}
		if !first {
			m.evaluate(ctx)
			m.live(ctx)
		}
		timer := time.NewTimer(tick)
		select {
		case <-ctx.Done():
		case <-m.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
	return nil
}

// resume finds out whose ping may have come while the process was down.
func (m *Monitor) resume(ctx context.Context) error {
	now := m.now().UTC()
	var since time.Time
	d, err := m.deps.Documents.Document(ctx, alive, alive)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil // the first start
	case err != nil:
		return m.fail("resume", err)
	}
	since = d.Time
	for _, h := range m.deps.Named() {
		rec, version, err := m.load(ctx, h.Name)
		if err != nil {
			return m.fail(h.Name, err)
		}
		if rec.Last.IsZero() || rec.Fail || m.standing(h, rec, since).State == Missed {
			continue // what was so before the process went down is so still
		}
		from := rec.Last
		if rec.Resumed.After(from) {
			from = rec.Resumed
		}
		// Pings come about when they are expected, as late as the grace lets them, and as early.
		early, late := from.Add(time.Duration(h.Every-h.Grace)), from.Add(time.Duration(h.Every+h.Grace))
		if late.Before(since) || early.After(now) {
			continue
		}
		rec.Resumed = now
		if err := m.save(ctx, h.Name, rec, version); err != nil && !errors.Is(err, store.ErrChanged) { // a ping came
			return m.fail(h.Name, err)
		}
	}
	return nil
}

func (m *Monitor) fail(name string, err error) error {
	m.log.Error("a heartbeat could not be looked at, and is again", "heartbeat", name, "err", err)
	return err
}

// live writes down that the process is up.
func (m *Monitor) live(ctx context.Context) {
	if len(m.deps.Named()) == 0 {
		return
	}
	d, err := m.deps.Documents.Document(ctx, alive, alive)
	if err == nil || errors.Is(err, store.ErrNotFound) {
		if d.Version > 0 && m.now().Sub(d.Time) < tick/2 {
			return
		}
		_, err = m.deps.Documents.SaveDocuments(ctx, store.Document{Kind: alive, ID: alive, Version: d.Version, Time: m.now().UTC(), Body: json.RawMessage("{}")})
	}
	if err != nil && ctx.Err() == nil && !errors.Is(err, store.ErrChanged) {
		_ = m.fail(alive, err)
	}
}

// evaluate raises and ends alerts.
func (m *Monitor) evaluate(ctx context.Context) {
	docs, _, err := m.deps.Documents.Documents(ctx, store.DocumentQuery{Kind: kind, Limit: 2 * oncall.MaxHeartbeats})
	if err != nil {
		_ = m.fail("all", err)
		return
	}
	for _, d := range docs {
		var rec record
		if err := json.Unmarshal(d.Body, &rec); err != nil {
			_ = m.fail(d.ID, err)
			continue
		}
		if err := m.settle(ctx, d, rec); err != nil && !errors.Is(err, store.ErrChanged) && ctx.Err() == nil {
			_ = m.fail(d.ID, err)
		}
	}
}

// settle brings one heartbeat's alert up to how it stands.
func (m *Monitor) settle(ctx context.Context, d store.Document, rec record) error {
	now := m.now().UTC()
	h, named := m.find(d.ID)
	var want *notify.Alert
	if named {
		want = m.alert(h, m.standing(h, rec, now))
	}
	same := rec.Raised != nil && want != nil && fmt.Sprint(rec.Raised.Labels) == fmt.Sprint(want.Labels)
	if same {
		want.StartsAt = rec.Raised.StartsAt
	}
	if rec.Raised != nil && !same {
		gone := *rec.Raised
		gone.EndsAt = now
		if err := m.deps.Sender.Send(ctx, gone); err != nil {
			return err
		}
	}
	// It is written down before it is sent: a ping that came meanwhile is heard, and after a kill in between it is sent by the next look.
	if (rec.Raised == nil) != (want == nil) || want != nil && !same {
		rec.Raised = want
		if err := m.save(ctx, d.ID, rec, d.Version); err != nil {
			return err
		}
	}
	if want == nil {
		return nil
	}
	sent := *want
	sent.EndsAt = now.Add(lasting)
	return m.deps.Sender.Send(ctx, sent)
}

// alert is what a heartbeat raises as it stands; nil for nothing.
func (m *Monitor) alert(h oncall.Heartbeat, s oncall.HeartbeatStanding) *notify.Alert {
	if s.State != Missed && s.State != Failed {
		return nil
	}
	a := &notify.Alert{
		Labels:       model.Labels{"alertname": "HeartbeatMissed", "heartbeat": h.Name, "severity": h.Severity, "class": "work"},
		Annotations:  model.Labels{"summary": fmt.Sprintf("The heartbeat %s was missed", h.Name), "description": s.Summary},
		StartsAt:     *s.Due,
		GeneratorURL: m.deps.External,
	}
	if s.State == Failed {
		a.Labels["alertname"], a.Annotations["summary"], a.StartsAt = "HeartbeatFailed", fmt.Sprintf("%s says that it failed", h.Name), *s.Last
	}
	for label, value := range map[string]string{"service": h.Service, "team": h.Team} {
		if value != "" {
			a.Labels[label] = value
		}
	}
	for name, value := range map[string]string{"text": h.Text, "runbook_url": h.Runbook} {
		if value != "" {
			a.Annotations[name] = value
		}
	}
	return a
}

func (m *Monitor) load(ctx context.Context, name string) (rec record, version int64, err error) {
	d, err := m.deps.Documents.Document(ctx, kind, name)
	if errors.Is(err, store.ErrNotFound) {
		return rec, 0, nil
	}
	if err == nil {
		err = json.Unmarshal(d.Body, &rec)
	}
	return rec, d.Version, err
}

func (m *Monitor) save(ctx context.Context, name string, rec record, version int64) error {
	body, err := json.Marshal(rec)
	if err != nil {
		return err
	}
	_, err = m.deps.Documents.SaveDocuments(ctx, store.Document{Kind: kind, ID: name, Version: version, Time: m.now().UTC(), Body: body})
	return err
}
