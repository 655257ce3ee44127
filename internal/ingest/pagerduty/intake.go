package pagerduty

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/evidence"
	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/store"
)

const (
	// kind is of the documents that say which alert a dedup_key stands for.
	kind = "pagerduty.alert"
	// lifetime is how long an alert lives on after its last trigger, if nobody resolves it: the resolve may be lost.
	lifetime = 7 * 24 * time.Hour
	// sweepEvery is how often what nobody resolved is forgotten.
	sweepEvery = time.Hour
	// maxTries bounds how often a change is decided anew, because somebody else was quicker.
	maxTries = 10
	// maxPages bounds how many open pages are looked through for an alert that is acknowledged, and maxAcked of how many alerts.
	maxPages, maxAcked = 1000, 500
)

// Deploys take markers of changes.
type Deploys interface {
	AddDeploy(context.Context, model.Deploy) (model.Deploy, error)
}

// Pages are acknowledged.
type Pages interface {
	Pages(context.Context, store.PageQuery) ([]model.Page, error)
	AckPage(ctx context.Context, id, by string, at time.Time) (model.Page, error)
}

// Deps is what an Intake is given.
type Deps struct {
	Registerer prometheus.Registerer
	Sender     notify.Sender
	Documents  store.DocumentStore
	Pages      Pages
	Deploys    Deploys
	// Record keeps what was done for the audit log.
	Record func(context.Context, model.AuditEntry)
	Now    func() time.Time // nil means time.Now
}

// Intake takes the events of one tenant. It is safe for concurrent use.
type Intake struct {
	deps   Deps
	events *prometheus.CounterVec
	swept  atomic.Int64 // when, in nanoseconds
}

// New makes an Intake.
func New(deps Deps) (*Intake, error) {
	if deps.Now == nil {
		deps.Now = time.Now
	}
	in := &Intake{deps: deps, events: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "signalbox_pagerduty_events_total", Help: "Events received as PagerDuty's, by action (trigger, acknowledge, resolve, change) and outcome (taken, unknown, failed).",
	}, []string{"action", "outcome"})}
	return in, instrument.Register(deps.Registerer, "PagerDuty intake", in.events)
}

// kept is the alert that a sender's dedup_key stands for.
type kept struct {
	Labels      model.Labels `json:"labels"`
	Annotations model.Labels `json:"annotations,omitempty"`
	StartsAt    time.Time    `json:"starts_at"`
	Shown       string       `json:"shown,omitempty"`
	AckedAt     time.Time    `json:"acked_at,omitzero"`
}

func (k kept) alert(ends time.Time) notify.Alert {
	return notify.Alert{Labels: k.Labels, Annotations: k.Annotations, StartsAt: k.StartsAt, EndsAt: ends, GeneratorURL: k.Shown}
}

// Take does what an event says, for whoever ctx says, and answers its dedup_key. An event about an alert that is not open is
// taken and changes nothing.
func (in *Intake) Take(ctx context.Context, e Event) (dedup string, err error) {
	outcome := "taken"
	defer func() {
		if err != nil {
			outcome = "failed"
		}
		in.events.WithLabelValues(e.Action, outcome).Inc()
	}()
	if e.DedupKey == "" {
		e.DedupKey = strings.ReplaceAll(uuid.NewString(), "-", "")
	}
	in.sweep(ctx)
	for range maxTries {
		known := true
		switch e.Action {
		case Trigger:
			err = in.trigger(ctx, e)
		case Acknowledge:
			known, err = in.acknowledge(ctx, e)
		case Resolve:
			known, err = in.resolve(ctx, e)
		}
		if !known {
			outcome = "unknown"
		}
		if !errors.Is(err, store.ErrChanged) {
			break
		}
	}
	return e.DedupKey, err
}

func (in *Intake) trigger(ctx context.Context, e Event) error {
	now := in.deps.Now().UTC()
	sender := senderOf(ctx, e.RoutingKey)
	said := e.Payload.details()[access.NamespaceLabel]
	scope := access.ScopeOf(ctx)
	namespace, ok := scope.Place(said)
	if !ok {
		return &InvalidError{Reasons: []string{scope.RefusedSending(said) + "; name it in custom_details." + access.NamespaceLabel}}
	}
	doc, was, err := in.find(ctx, sender, e.DedupKey)
	if err != nil {
		return err
	}
	next := kept{Labels: e.labels(sender.shown, namespace), Annotations: e.annotations(), Shown: e.shownAt(), StartsAt: now}
	if at, _ := e.Payload.at(); !at.IsZero() && at.Before(now) && now.Sub(at) < lifetime {
		next.StartsAt = at
	}
	var alerts []notify.Alert
	if doc.Version > 0 && now.Sub(doc.Time) < lifetime {
		if same := maps.Equal(was.Labels, next.Labels); same {
			next.StartsAt, next.AckedAt = was.StartsAt, was.AckedAt
		} else {
			// It is told apart by its labels: what a label says anew, such as a higher severity, is routed anew.
			alerts = append(alerts, was.alert(now))
		}
	}
	doc.Time, doc.Status = now, "open"
	if doc.Body, err = json.Marshal(next); err != nil {
		return err
	}
	// What stands here is the alert that resolve ends. A kill in between loses nothing: nobody was answered yet.
	if _, err := in.deps.Documents.SaveDocuments(ctx, doc); err != nil {
		return err
	}
	return in.deps.Sender.Send(ctx, append(alerts, next.alert(now.Add(lifetime)))...)
}

func (in *Intake) resolve(ctx context.Context, e Event) (known bool, err error) {
	doc, was, err := in.find(ctx, senderOf(ctx, e.RoutingKey), e.DedupKey)
	if err != nil || doc.Version == 0 {
		return false, err
	}
	if err := in.deps.Sender.Send(ctx, was.alert(in.deps.Now().UTC())); err != nil {
		return true, err
	}
	doc.Gone = true
	_, err = in.deps.Documents.SaveDocuments(ctx, doc)
	return true, err
}

// acknowledge notes that the sender's own side is at work on an alert, and acknowledges its page if that holds for all that fires in it:
// what others have in the page must not be silenced by this one.
func (in *Intake) acknowledge(ctx context.Context, e Event) (known bool, err error) {
	sender, now := senderOf(ctx, e.RoutingKey), in.deps.Now().UTC()
	doc, was, err := in.find(ctx, sender, e.DedupKey)
	if err != nil || doc.Version == 0 {
		return false, err
	}
	if was.AckedAt.IsZero() {
		was.AckedAt = now
		if doc.Body, err = json.Marshal(was); err != nil {
			return true, err
		}
		if _, err := in.deps.Documents.SaveDocuments(ctx, doc); err != nil {
			return true, err
		}
	}
	pages, err := in.deps.Pages.Pages(ctx, store.PageQuery{Status: "firing", Limit: maxPages})
	if err != nil {
		return true, err
	}
	for _, p := range pages {
		if p.AckedBy != "" {
			continue
		}
		if all, err := in.allAcknowledged(ctx, sender, was, p); err != nil {
			return true, err
		} else if all {
			return true, in.ackPage(ctx, sender, p.ID, now)
		}
	}
	return true, nil
}

// allAcknowledged says whether a page holds an alert, and every one that fires in it was acknowledged by this sender.
func (in *Intake) allAcknowledged(ctx context.Context, sender sender, alert kept, p model.Page) (bool, error) {
	holds, firing := false, 0
	for _, a := range p.Alerts {
		if a.Status != "firing" {
			continue
		}
		if firing++; firing > maxAcked || a.Labels[labelIntegration] != sender.shown {
			return false, nil
		}
		if carries(a.Labels, alert.Labels) {
			holds = true
			continue
		}
		_, other, err := in.find(ctx, sender, a.Labels[labelDedup])
		if err != nil || other.AckedAt.IsZero() || !carries(a.Labels, other.Labels) {
			return false, err
		}
	}
	return holds, nil
}

// carries says whether an alert has all labels that it was sent with; the pipeline may have added some.
func carries(has, sent model.Labels) bool {
	for k, v := range sent {
		if has[k] != v {
			return false
		}
	}
	return true
}

func (in *Intake) ackPage(ctx context.Context, sender sender, id string, now time.Time) error {
	by := access.SubjectOf(ctx, "pagerduty:"+sender.shown)
	page, err := in.deps.Pages.AckPage(ctx, id, by, now)
	if err != nil {
		return fmt.Errorf("acknowledge page: %w", err)
	}
	entry := model.AuditEntry{Time: now, Actor: by, Action: "page.ack", Subject: id, Details: map[string]string{"integration": sender.shown}}
	evidence.NoteAck(&entry, page, now)
	in.deps.Record(ctx, entry)
	return nil
}

// Mark takes a change as a deployment marker.
func (in *Intake) Mark(ctx context.Context, c Change) error {
	d := c.deploy(in.deps.Now().UTC())
	d.Actor = access.SubjectOf(ctx, cmp.Or(d.Actor, "pagerduty:"+senderOf(ctx, c.RoutingKey).shown))
	made, err := in.deps.Deploys.AddDeploy(ctx, d)
	if err != nil {
		in.events.WithLabelValues("change", "failed").Inc()
		return err
	}
	in.events.WithLabelValues("change", "taken").Inc()
	in.deps.Record(ctx, model.AuditEntry{
		Time: in.deps.Now().UTC(), Actor: made.Actor, Action: "deploy.mark", Subject: made.Service, Details: map[string]string{"id": made.ID, "version": made.Version, "environment": made.Environment, "way": "pagerduty"},
	})
	return nil
}

// sender is whose events belong together.
type sender struct{ id, shown string }

// senderOf is the identity that the routing key proved; without authentication the key tells integrations apart, and is not shown.
func senderOf(ctx context.Context, key string) sender {
	if a := access.From(ctx); a != nil && a.Kind != access.Nobody {
		return sender{id: a.Subject, shown: cmp.Or(strings.TrimSpace(clip(a.Name, maxLabel)), a.Subject)}
	}
	sum := sha256.Sum256([]byte("pagerduty routing key\x00" + key))
	text := hex.EncodeToString(sum[:])
	return sender{id: "key:" + text, shown: "pagerduty-" + text[:8]}
}

// find is the alert that a sender's key stands for; a document without a version where there is none.
func (in *Intake) find(ctx context.Context, s sender, dedup string) (store.Document, kept, error) {
	sum := sha256.Sum256([]byte(s.id + "\x00" + dedup))
	id := hex.EncodeToString(sum[:])
	doc, err := in.deps.Documents.Document(ctx, kind, id)
	var k kept
	switch {
	case errors.Is(err, store.ErrNotFound):
		return store.Document{Kind: kind, ID: id}, k, nil
	case err != nil:
		return doc, k, err
	}
	if err := json.Unmarshal(doc.Body, &k); err != nil || k.Labels["alertname"] == "" {
		// A trigger writes it anew; what it stood for ends by itself.
		return store.Document{Kind: kind, ID: id, Version: doc.Version}, kept{}, nil //nolint:nilerr // said above
	}
	return doc, k, nil
}

// sweep forgets what nobody resolved, now and then; the alerts ended by themselves.
func (in *Intake) sweep(ctx context.Context) {
	now := in.deps.Now()
	last := in.swept.Load()
	if now.Sub(time.Unix(0, last)) < sweepEvery || !in.swept.CompareAndSwap(last, now.UnixNano()) {
		return
	}
	old, _, err := in.deps.Documents.Documents(ctx, store.DocumentQuery{Kind: kind, End: now.Add(-lifetime - sweepEvery), Oldest: true, Limit: 1000})
	if err != nil {
		return
	}
	for _, d := range old {
		d.Gone = true
		_, _ = in.deps.Documents.SaveDocuments(ctx, d) // one that is triggered at this moment stays
	}
}
