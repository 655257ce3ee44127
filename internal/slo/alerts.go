package slo

import (
	"context"
	"log/slog"
	"net/url"
	"slices"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/slo/judgement"
	"github.com/signalbox-project/signalbox/internal/store"
)

// courier hands burn alerts to the pipeline.
type courier struct {
	limits      judgement.Limits
	resendEvery time.Duration
	to          notify.Sender // nil: they are not sent
	url         string        // what links begin with
	external    map[string]string
	log         *slog.Logger
	metrics     *engineMetrics
}

// message is an alert that is due to be handed to the pipeline.
type message struct {
	o      *objective
	record *store.SLOAlertRecord
	active bool
	alerts []notify.Alert // one for each value of labels that are lists
}

// send hands new, due and ended alerts to the pipeline, all at once: it
// has each call on disk before it answers. What the pipeline did not take is sent
// again at the next evaluation.
func (c *courier) send(ctx context.Context, list []*objective, now time.Time) {
	var due, forgotten []message
	for _, o := range list {
		for name, a := range o.alerts {
			m := message{o: o, record: a, active: slices.Contains(o.own().Alerts, name)}
			if m.active && now.Sub(a.Sent) < c.resendEvery {
				continue
			}
			row, known := judgement.RowOf(c.limits, o.def, name)
			if !known || c.to == nil {
				forgotten = append(forgotten, m)
				continue
			}
			one := c.alert(o.def, o.status, row, a, now, m.active)
			if m.alerts = []notify.Alert{one}; !row.Only { // another tool sends one
				m.alerts = notify.Spread(one)
			}
			for _, a := range m.alerts {
				notify.WithExternal(a.Labels, c.external)
			}
			due = append(due, m)
		}
	}
	for _, m := range append(c.deliver(ctx, due), forgotten...) {
		c.sent(m, now)
	}
}

// deliver answers which of the messages the pipeline took. One that it refuses
// must not hold the others up.
func (c *courier) deliver(ctx context.Context, due []message) (taken []message) {
	if len(due) == 0 {
		return nil
	}
	var alerts []notify.Alert
	for _, m := range due {
		alerts = append(alerts, m.alerts...)
	}
	err := c.to.Send(ctx, alerts...)
	switch {
	case err == nil:
		return due
	case len(due) == 1:
		c.metrics.fail(c.log, "send", err)
		return nil
	}
	half := len(due) / 2
	return append(c.deliver(ctx, due[:half]), c.deliver(ctx, due[half:])...)
}

func (c *courier) sent(m message, now time.Time) {
	if m.active {
		c.metrics.sent.WithLabelValues("firing").Inc()
		m.o.dirty = m.o.dirty || m.record.Sent.IsZero()
		m.record.Sent = now.UTC()
		return
	}
	c.log.Info("SLO burn alert is resolved", "slo", m.o.def.Name, "alert", m.record.Name)
	c.metrics.sent.WithLabelValues("resolved").Inc()
	delete(m.o.alerts, m.record.Name)
	m.o.dirty = true
}

// retire resolves the alerts of SLOs that are no longer defined.
func (c *courier) retire(ctx context.Context, gone []*objective, now time.Time) {
	for _, o := range gone {
		o.mu.Lock()
		o.status.Alerts, o.whole.Alerts, o.fresh.status.Alerts = nil, nil, nil
		o.mu.Unlock()
	}
	c.send(ctx, gone, now)
}

// alert is what the pipeline is told. Its labels are the same every time: they
// are its identity.
func (c *courier) alert(d *Definition, s model.SLOStatus, b BurnAlert, a *store.SLOAlertRecord, now time.Time, active bool) notify.Alert {
	ls := d.AlertLabels(b)
	link := c.url + "/slos/" + url.PathEscape(d.Whole())
	text, errors := judgement.AlertText(d, s, b, now)
	text["link"] = link
	out := notify.Alert{Labels: ls, Annotations: c.annotate(text, d, b, ls, errors, now), StartsAt: a.Since, GeneratorURL: link}
	// As Prometheus does: an alert that nobody repeats ends by itself.
	out.EndsAt = now.Add(4 * c.resendEvery)
	if !active {
		out.EndsAt = now
	}
	return out
}
