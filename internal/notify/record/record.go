// Package record writes down every notification: the built-in inbox and the
// delivery log.
//
// A Recorder wraps Alertmanager's integrations so that each attempt, delivered or
// failed, becomes a model.Delivery of the page of its alert group, and it offers
// one integration of its own, the inbox, which is the page itself. What leaves has a link by which its page is
// acknowledged (told.go), and no link that a browser would run. It decides neither who is notified nor when.
//
// In: notifications as Alertmanager's pipeline makes them. Out: pages in a
// notify.PageStore.
//
// Invariants: a page's DedupKey is the hash of its group's key, the same value
// that PagerDuty is sent, and does not change while the group exists; at most one
// page of a key is firing. A failing store never holds up another channel, only
// the inbox, which is tried again. No lock is held while a page is read and written; records of
// one group take turns.
//
// Start reading at Recorder.Integrations.
package record

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	amalert "github.com/prometheus/alertmanager/alert"
	amnotify "github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/platform/redact"
	"github.com/signalbox-project/signalbox/internal/store"
)

// maxDeliveries bounds a page's log; the oldest but the first go first.
const maxDeliveries = 200

// maxClosed bounds how many closed pages are still open to late deliveries.
const maxClosed = 1000

// maxError bounds the text of a failed delivery.
const maxError = 500

// Deps is what a Recorder is given.
type Deps struct {
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Pages      notify.PageStore
	Now        func() time.Time // nil means time.Now
	// Link is where whom a message goes to acknowledges a page; nil makes no links.
	Link func(page model.Page, to notify.Recipient) (string, error)
}

// Recorder records notifications.
type Recorder struct {
	log        *slog.Logger
	pages      notify.PageStore
	now        func() time.Time
	link       func(model.Page, notify.Recipient) (string, error)
	deliveries *prometheus.CounterVec
	lost       prometheus.Counter

	turns turns // one record at a time of a group: a page is read, changed and written

	mu     sync.Mutex        // guards closed only
	closed map[string]string // dedup key → ID of the page closed last
}

// New makes a Recorder.
func New(deps Deps) (*Recorder, error) {
	if deps.Pages == nil {
		return nil, errors.New("delivery log: no page store given")
	}
	r := &Recorder{log: deps.Logger, pages: deps.Pages, now: deps.Now, link: deps.Link, closed: map[string]string{}}
	r.log = instrument.Logger(r.log)
	if r.now == nil {
		r.now = time.Now
	}
	r.deliveries = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "signalbox_notify_deliveries_total",
		Help: "Attempts to deliver a notification by integration and outcome.",
	}, []string{"integration", "status"})
	r.lost = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "signalbox_notify_records_lost_total",
		Help: "Deliveries that could not be written to the delivery log.",
	})
	if err := instrument.Register(deps.Registerer, "delivery", r.deliveries, r.lost); err != nil {
		return nil, err
	}
	return r, nil
}

// Integrations are a receiver's integrations, each recorded, and the inbox. address is whom one writes to, "" where that is no one person.
func (r *Recorder) Integrations(receiver string, in []amnotify.Integration, address func(amnotify.Integration) string) []amnotify.Integration {
	out := make([]amnotify.Integration, 0, len(in)+1)
	for i := range in {
		next := &in[i]
		to := notify.Recipient{Channel: next.Name(), Receiver: receiver, Address: address(*next)}
		out = append(out, amnotify.NewIntegration(channel{r: r, next: next, to: to}, next, next.Name(), next.Index(), receiver))
	}
	return append(out, amnotify.NewIntegration(inbox{r}, always{}, notify.InboxChannel, 0, receiver))
}

// always has the inbox told of resolved alerts.
type always struct{}

func (always) SendResolved() bool { return true }

type inbox struct{ r *Recorder }

// Notify makes or updates the page. An error is the store's and worth another try.
func (i inbox) Notify(ctx context.Context, alerts ...*amalert.Alert) (retry bool, err error) {
	if !aboutWork(alerts) {
		return false, nil
	}
	err = i.r.record(ctx, notify.InboxChannel, nil, alerts)
	i.r.count(notify.InboxChannel, err)
	return err != nil, err
}

type channel struct {
	r    *Recorder
	next *amnotify.Integration
	to   notify.Recipient
}

// Notify delivers and records what became of it.
func (c channel) Notify(ctx context.Context, alerts ...*amalert.Alert) (retry bool, err error) {
	retry, err = c.next.Notify(ctx, c.tell(ctx, alerts)...)
	err = quiet(err)
	c.r.count(c.next.Name(), err)
	if !aboutWork(alerts) {
		return retry, err
	}
	// The record is wanted also of a notification whose time ran out.
	ctx = context.WithoutCancel(ctx)
	if rerr := c.r.record(ctx, c.next.String(), err, alerts); rerr != nil {
		c.r.lost.Inc()
		c.r.log.Error("delivery not recorded", "channel", c.next.String(), "err", rerr)
	}
	return retry, err
}

func (r *Recorder) count(integration string, err error) {
	status := "delivered"
	if err != nil {
		status = "failed"
	}
	r.deliveries.WithLabelValues(integration, status).Inc()
}

// record brings the group's page up to date with one delivery.
func (r *Recorder) record(ctx context.Context, channel string, failure error, alerts []*amalert.Alert) error {
	key, err := amnotify.ExtractGroupKey(ctx)
	if err != nil {
		return err
	}
	done, err := r.turns.take(ctx, key.Hash())
	if err != nil {
		return fmt.Errorf("wait for the record before: %w", err)
	}
	defer done()
	now := r.now()
	page, err := r.pages.PageByDedup(ctx, key.Hash())
	switch {
	case errors.Is(err, store.ErrNotFound) && allResolved(alerts, now):
		return r.recordLate(ctx, key, channel, failure, now)
	case errors.Is(err, store.ErrNotFound):
		page = newPage(ctx, key, now)
	case err != nil:
		return err
	}
	describe(&page, alerts, now)
	page.Deliveries = addDelivery(page.Deliveries, channel, failure, now)
	// Only the inbox closes a page: it cannot fail for reasons of its own.
	if page.Status == "resolved" && channel != notify.InboxChannel {
		page.Status, page.ResolvedAt = "firing", nil
	}
	if err := r.pages.SavePage(ctx, page); err != nil {
		return err
	}
	if page.Status == "resolved" {
		r.remember(page)
	}
	return nil
}

// recordLate notes the delivery of an end on the page that the inbox closed
// first.
func (r *Recorder) recordLate(ctx context.Context, key amnotify.Key, channel string, failure error, now time.Time) error {
	r.mu.Lock()
	id, ok := r.closed[key.Hash()]
	r.mu.Unlock()
	if !ok {
		return nil // nobody was told of the beginning
	}
	page, err := r.pages.Page(ctx, id)
	if err != nil {
		return err
	}
	page.Updated = now
	page.Deliveries = addDelivery(page.Deliveries, channel, failure, now)
	return r.pages.SavePage(ctx, page)
}

func (r *Recorder) remember(page model.Page) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.closed) >= maxClosed {
		for k := range r.closed {
			delete(r.closed, k)
			break
		}
	}
	r.closed[page.DedupKey] = page.ID
}

func newPage(ctx context.Context, key amnotify.Key, now time.Time) model.Page {
	receiver, _ := amnotify.ReceiverName(ctx)
	group, _ := amnotify.GroupLabels(ctx)
	p := model.Page{
		ID:          fmt.Sprintf("%x-%s", now.UnixMilli(), key.Hash()[:12]),
		DedupKey:    key.Hash(),
		Time:        now,
		Receiver:    receiver,
		GroupLabels: model.Labels{},
	}
	for k, v := range group {
		p.GroupLabels[string(k)] = string(v)
	}
	return p
}

// addDelivery appends an attempt. Failures of one channel in a row are one
// entry that counts them, so that an outage of a channel does not fill the log.
func addDelivery(log []model.Delivery, channel string, failure error, now time.Time) []model.Delivery {
	d := model.Delivery{Channel: channel, Time: now, Status: "delivered", Attempt: 1}
	if failure != nil {
		d.Status, d.Error = "failed", clip(redact.Text(failure.Error()), maxError)
	}
	for i := len(log) - 1; i >= 0; i-- {
		if log[i].Channel != channel {
			continue
		}
		if log[i].Status == "failed" {
			d.Attempt = log[i].Attempt + 1
			if failure != nil {
				log[i] = d
				return log
			}
		}
		break
	}
	log = append(log, d)
	if len(log) > maxDeliveries {
		log = append(log[:1], log[len(log)-maxDeliveries+1:]...)
	}
	return log
}
