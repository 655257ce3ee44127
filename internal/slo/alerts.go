package slo

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/budget"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/platform/human"
	"github.com/signalbox-project/signalbox/internal/store"
)

// conclude judges one promise, if it is due, and updates its alerts and record.
func (e *Engine) conclude(p *promise, now time.Time) model.SLOStatus {
	k := p.knows()
	if !p.due(k, now) {
		return p.own()
	}
	p.judged = judgement{known: k, at: now}
	m := p.measure(e.cfg, now)
	v := judge(e.cfg, p.def, m, standing{active: func(name string) bool { return p.alerts[name] != nil }, pending: p.record.Pending})
	s := v.status
	if !maps.Equal(v.pending, p.record.Pending) {
		p.record.Pending, p.dirty = v.pending, true
	}
	for _, r := range v.rows {
		a := p.alerts[r.alert.Name]
		if r.firing && a == nil {
			p.alerts[r.alert.Name] = &store.SLOAlertRecord{Name: r.alert.Name, Window: r.long.Window, Since: now.UTC()}
			e.log.Warn("SLO burn alert fires", "slo", p.def.Name, "alert", r.alert.Name, "burn", r.long.Rate, "window", r.long.Window)
			p.dirty = true
		}
	}
	reading := m.loaded == 0 && !p.record.Since.IsZero()
	if s.State != p.record.State && !reading {
		p.record.State, p.record.Since = s.State, now.UTC()
		p.dirty = true
	}
	if reading {
		// A restart is no change of state: the old one stands until history is read.
		s.State = p.record.State
	}
	if !p.record.Since.IsZero() {
		since := p.record.Since
		s.Since = &since
	}
	p.mu.Lock()
	p.status = s
	if p.def.Grouping != nil {
		p.whole = s
	}
	p.mu.Unlock()
	return s
}

// own is how the promise itself stands; one that has groups is shown as its worst.
func (p *promise) own() model.SLOStatus {
	if p.def.Grouping != nil {
		return p.whole
	}
	return p.status
}

// message is an alert that is due to be handed to the pipeline.
type message struct {
	p      *promise
	record *store.SLOAlertRecord
	active bool
	alerts []notify.Alert // one for each value of labels that are lists
}

// sendAlerts hands new, due and ended alerts to the pipeline, all at once: it
// has each call on disk before it answers. What the pipeline did not take is sent
// again at the next evaluation.
func (e *Engine) sendAlerts(ctx context.Context, promises []*promise, now time.Time) {
	var due, forgotten []message
	for _, p := range promises {
		for name, a := range p.alerts {
			m := message{p: p, record: a, active: slices.Contains(p.own().Alerts, name)}
			if m.active && now.Sub(a.Sent) < time.Duration(e.cfg.ResendEvery) {
				continue
			}
			row, known := rowOf(e.cfg, p.def, name)
			if !known || e.deps.Alerts == nil {
				forgotten = append(forgotten, m)
				continue
			}
			one := e.alert(p.def, p.status, row, a, now, m.active)
			if m.alerts = []notify.Alert{one}; !row.Only { // another tool sends one
				m.alerts = notify.Spread(one)
			}
			for _, a := range m.alerts {
				notify.WithExternal(a.Labels, e.deps.ExternalLabels)
			}
			due = append(due, m)
		}
	}
	for _, m := range append(e.deliver(ctx, due), forgotten...) {
		e.sent(m, now)
	}
}

// deliver answers which of the messages the pipeline took. One that it refuses
// must not hold the others up.
func (e *Engine) deliver(ctx context.Context, due []message) (taken []message) {
	if len(due) == 0 {
		return nil
	}
	var alerts []notify.Alert
	for _, m := range due {
		alerts = append(alerts, m.alerts...)
	}
	err := e.deps.Alerts.Send(ctx, alerts...)
	switch {
	case err == nil:
		return due
	case len(due) == 1:
		e.fail("send", err)
		return nil
	}
	half := len(due) / 2
	return append(e.deliver(ctx, due[:half]), e.deliver(ctx, due[half:])...)
}

func (e *Engine) sent(m message, now time.Time) {
	if m.active {
		e.metrics.sent.WithLabelValues("firing").Inc()
		m.p.dirty = m.p.dirty || m.record.Sent.IsZero()
		m.record.Sent = now.UTC()
		return
	}
	e.log.Info("SLO burn alert is resolved", "slo", m.p.def.Name, "alert", m.record.Name)
	e.metrics.sent.WithLabelValues("resolved").Inc()
	delete(m.p.alerts, m.record.Name)
	m.p.dirty = true
}

// retire resolves the alerts of promises that are no longer defined.
func (e *Engine) retire(ctx context.Context, gone map[string]*promise, now time.Time) {
	for _, p := range gone {
		p.status.Alerts, p.whole.Alerts = nil, nil
		e.sendAlerts(ctx, []*promise{p}, now)
	}
}

// alert is what the pipeline is told. Its labels are the same every time: they
// are its identity.
func (e *Engine) alert(d *Definition, s model.SLOStatus, b BurnAlert, a *store.SLOAlertRecord, now time.Time, active bool) notify.Alert {
	ls, long := d.AlertLabels(b), budget.Window(time.Duration(b.Long))
	link := e.deps.ExternalURL + "/slos/" + url.PathEscape(d.Whole())
	text := e.alertText(d, s, b, now)
	text["link"], text["query"] = link, s.ErrorRatioQuery(long)
	text = e.annotate(text, d, b, ls, burnIn(s, long)*d.ErrorBudget(), now)
	out := notify.Alert{Labels: ls, Annotations: text, StartsAt: a.Since, GeneratorURL: link}
	// As Prometheus does: an alert that nobody repeats ends by itself.
	out.EndsAt = now.Add(4 * time.Duration(e.cfg.ResendEvery))
	if !active {
		out.EndsAt = now
	}
	return out
}

// alertText is what a person reads first.
func (e *Engine) alertText(d *Definition, s model.SLOStatus, b BurnAlert, now time.Time) model.Labels {
	long, short, factor := budget.Window(time.Duration(b.Long)), budget.Window(b.ShortWindow()), d.FactorAt(b, now)
	rest := fmt.Sprintf("objective %s over %s, %s. %s %s",
		human.Percent(d.Objective), windowWords(d), leftWords(s.Budget), s.Reason, s.Action)
	switch {
	case b.NoData:
		return model.Labels{"summary": d.DisplayName + " has no data", "description": "Nobody can vouch for it; " + rest}
	case b.Name == AlertTrickle:
		return model.Labels{
			"summary": d.DisplayName + " fails a few at a time", "threshold": fmt.Sprint(factor),
			"description": "It has few events, and too many of them are bad for chance; " + rest,
		}
	}
	rate := burnIn(s, long)
	return model.Labels{
		"summary": fmt.Sprintf("%s burns its budget %s over %s", d.DisplayName, human.Times(rate), budget.Spaced(long)),
		"description": fmt.Sprintf("%s over %s and %s over %s (limit %s); %s",
			human.Times(rate), budget.Spaced(long), human.Times(burnIn(s, short)), budget.Spaced(short), human.Times(factor), rest),
		"threshold": fmt.Sprint(factor),
	}
}

func leftWords(b model.Budget) string {
	if b.Unknown {
		return "how much of the budget is left is not known"
	}
	return human.Percent(b.LeftRatio) + " of the budget left"
}

func burnIn(s model.SLOStatus, window string) float64 {
	for _, b := range s.Burn {
		if b.Window == window {
			return b.Rate
		}
	}
	return 0
}

// save stores the records that changed. What cannot be stored is tried again
// at the next evaluation.
func (e *Engine) save(ctx context.Context, promises []*promise) {
	if e.deps.Records == nil {
		return
	}
	var records []store.SLORecord
	for _, p := range promises {
		if !p.dirty {
			continue
		}
		p.record.Alerts = p.record.Alerts[:0:0]
		for _, a := range p.alerts {
			p.record.Alerts = append(p.record.Alerts, *a)
		}
		slices.SortFunc(p.record.Alerts, func(a, b store.SLOAlertRecord) int { return strings.Compare(a.Name, b.Name) })
		p.record.Updated = e.deps.Now().UTC()
		records = append(records, p.record)
	}
	if len(records) == 0 {
		return
	}
	if err := e.deps.Records.SaveSLORecords(ctx, records); err != nil {
		e.fail("save", err)
		return
	}
	for _, p := range promises {
		p.dirty = false
	}
}
