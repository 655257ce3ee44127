package admit

import (
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/admit/identifiers"
	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/stream"
)

// Reasons of refusals.
const (
	ReasonTooOld   = "too_old"
	ReasonFuture   = "too_far_in_future"
	ReasonTooLarge = "too_large"
	ReasonLevel    = "level"
	ReasonNoID     = "no_id"
	ReasonNoTime   = "timestamp_unset"
	ReasonUnit     = "timestamp_unit"
)

// requestID is the attribute that a record has a field for.
const requestID = "request_id"

// change is what admission altered in a record that it kept.
type change uint8

const (
	changeUTF8 change = iota
	changeTruncated
	changeAttributes
	changeEvents
	changeLinks
	changeMasked
	changeHashed
	changeTime
	changeDuration
	changeCount
)

func (c change) String() string {
	return [...]string{"utf8", "truncated", "attributes_dropped", "events_dropped", "links_dropped", "masked", "hashed", "time_set", "negative_duration"}[c]
}

// changes counts alterations within one batch.
type changes [changeCount]int

// Policy is the rules in force; it implements stream.Admitter.
type Policy struct {
	cfg      Config
	now      func() time.Time
	minLevel map[string]model.Level
	anyLevel model.Level
	mask     *masker

	refused *prometheus.CounterVec
	changed *prometheus.CounterVec
}

// Deps is what a policy needs.
type Deps struct {
	Registerer prometheus.Registerer // nil registers nothing
	Now        func() time.Time      // nil is time.Now
	// Identifiers hashes what identifies people; nil hashes nothing.
	Identifiers *identifiers.Hasher
}

// New compiles the rules.
func New(cfg Config, d Deps) (*Policy, error) {
	if err := errors.Join(cfg.Validate()...); err != nil {
		return nil, fmt.Errorf("admit: %w", err)
	}
	mask, err := newMasker(cfg.PII, d.Identifiers)
	if err != nil {
		return nil, fmt.Errorf("admit: %w", err)
	}
	p := &Policy{
		cfg: cfg, now: d.Now, minLevel: map[string]model.Level{}, mask: mask,
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "signalbox_admit_refused_total", Help: "Log records and spans refused at admission, by reason.",
		}, []string{"signal", "reason"}),
		changed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "signalbox_admit_changed_total", Help: "What admission altered in records that it kept: invalid UTF-8 replaced, texts truncated, surplus attributes, events or links dropped, values masked, identifiers hashed, times or durations set.",
		}, []string{"signal", "change"}),
	}
	if p.now == nil {
		p.now = time.Now
	}
	for env, name := range cfg.MinLevel {
		level, _ := model.ParseLevel(name)
		if env == "*" {
			p.anyLevel = level
			continue
		}
		p.minLevel[env] = level
	}
	if err := instrument.Register(d.Registerer, "admission", p.refused, p.changed); err != nil {
		return nil, err
	}
	return p, nil
}

// batch is the state of admitting one batch.
type batch struct {
	*Policy
	now      int64
	changes  changes
	refusals []stream.Refusal
	last     *model.Resource // the resource that was admitted last
}

func (p *Policy) begin() batch { return batch{Policy: p, now: p.now().UnixNano()} }

func (b *batch) end(signal string) []stream.Refusal {
	for c, n := range b.changes {
		if n > 0 {
			b.changed.WithLabelValues(signal, change(c).String()).Add(float64(n))
		}
	}
	b.mask.ids.Count(signal, b.changes[changeHashed])
	for _, r := range b.refusals {
		b.refused.WithLabelValues(signal, r.Reason).Add(float64(r.Count))
	}
	return b.refusals
}

// refuse counts one record; message is called for the first of its reason only.
func (b *batch) refuse(reason string, message func() string) {
	for i := range b.refusals {
		if b.refusals[i].Reason == reason {
			b.refusals[i].Count++
			return
		}
	}
	b.refusals = append(b.refusals, stream.Refusal{Reason: reason, Message: message(), Count: 1})
}

// AdmitLogs implements stream.Admitter.
func (p *Policy) AdmitLogs(records []model.LogRecord) ([]model.LogRecord, []stream.Refusal) {
	b := p.begin()
	kept := records[:0]
	for i := range records {
		if b.log(&records[i]) {
			kept = append(kept, records[i])
		}
	}
	clear(records[len(kept):])
	return kept, b.end(stream.SignalLogs)
}

// AdmitSpans implements stream.Admitter.
func (p *Policy) AdmitSpans(spans []model.Span) ([]model.Span, []stream.Refusal) {
	b := p.begin()
	kept := spans[:0]
	for i := range spans {
		if b.span(&spans[i]) {
			kept = append(kept, spans[i])
		}
	}
	clear(spans[len(kept):])
	return kept, b.end(stream.SignalSpans)
}

func (b *batch) log(r *model.LogRecord) bool {
	if r.Time == 0 {
		r.Time = b.now
		b.changes[changeTime]++
	}
	if !b.timely(r.Time) || !b.fits(len(r.Message)+len(r.RequestID)+attrsSize(r.Attrs)) {
		return false
	}
	if r.Resource == nil {
		r.Resource = &model.Resource{Tenant: model.DefaultTenant}
	}
	if minimum := b.minimum(r.Resource.Env); r.Level != model.LevelUnset && r.Level < minimum {
		b.refuse(ReasonLevel, func() string {
			return fmt.Sprintf("level %s is below min_level %s of environment %q", r.Level, minimum, r.Resource.Env)
		})
		return false
	}
	b.resource(r.Resource)
	r.Message = b.text(r.Message, b.cfg.MaxMessageBytes)
	if b.mask.ids.Names(requestID) {
		r.RequestID = b.identifier(model.StringValue(r.RequestID)).Str()
	}
	r.RequestID = b.text(r.RequestID, b.cfg.MaxValueBytes)
	r.Attrs = b.attrs(r.Attrs)
	return true
}

func (b *batch) span(s *model.Span) bool {
	if s.TraceID.IsZero() || s.SpanID.IsZero() {
		b.refuse(ReasonNoID, func() string { return fmt.Sprintf("span %q has no trace id or no span id", clip(s.Name)) })
		return false
	}
	if s.Duration < 0 {
		s.Duration = 0
		b.changes[changeDuration]++
	}
	if !b.timely(s.End()) || !b.begun(s.Start) || !b.fits(spanSize(s)) {
		return false
	}
	if s.Resource == nil {
		s.Resource = &model.Resource{Tenant: model.DefaultTenant}
	}
	b.resource(s.Resource)
	s.Name = b.text(s.Name, b.cfg.MaxMessageBytes)
	s.StatusMessage = b.text(s.StatusMessage, b.cfg.MaxMessageBytes)
	s.TraceState = b.repair(s.TraceState, b.cfg.MaxValueBytes)
	s.Scope = b.repair(s.Scope, b.cfg.MaxValueBytes)
	s.Attrs = b.attrs(s.Attrs)
	if len(s.Events) > b.cfg.MaxEvents {
		s.Events = s.Events[:b.cfg.MaxEvents:b.cfg.MaxEvents]
		b.changes[changeEvents]++
	}
	for i := range s.Events {
		s.Events[i].Name = b.text(s.Events[i].Name, b.cfg.MaxMessageBytes)
		s.Events[i].Attrs = b.attrs(s.Events[i].Attrs)
	}
	if len(s.Links) > b.cfg.MaxLinks {
		s.Links = s.Links[:b.cfg.MaxLinks:b.cfg.MaxLinks]
		b.changes[changeLinks]++
	}
	for i := range s.Links {
		s.Links[i].Attrs = b.attrs(s.Links[i].Attrs)
	}
	return true
}

func (b *batch) minimum(env string) model.Level {
	if l, ok := b.minLevel[env]; ok {
		return l
	}
	return b.anyLevel
}

// timely checks a record's end against the clock and the retention.
func (b *batch) timely(end int64) bool {
	switch {
	case end-b.now > int64(b.cfg.MaxFuture):
		b.refuse(ReasonFuture, func() string {
			return fmt.Sprintf("timestamp %s is more than %s ahead of this server's clock", stamp(end), b.cfg.MaxFuture)
		})
		return false
	case end == 0:
		b.refuse(ReasonNoTime, func() string { return "a span has no time: set startTimeUnixNano and endTimeUnixNano" })
		return false
	case !b.inNanos(end):
		return false
	case b.cfg.MaxAge > 0 && (end < 0 || b.now-end > int64(b.cfg.MaxAge)):
		b.refuse(ReasonTooOld, func() string {
			return fmt.Sprintf("timestamp %s is older than the retention of %s", stamp(end), b.cfg.MaxAge)
		})
		return false
	}
	return true
}

// begun checks a span's start, of which its duration is made: one of years is no
// latency, and one process that never set its clock would be in every sum.
func (b *batch) begun(start int64) bool {
	switch {
	case !b.inNanos(start):
		return false
	case b.cfg.MaxAge > 0 && b.now-start > int64(b.cfg.MaxAge):
		b.refuse(ReasonTooOld, func() string {
			return fmt.Sprintf("a span began at %s, which is before the retention of %s: check its startTimeUnixNano", stamp(start), b.cfg.MaxAge)
		})
		return false
	}
	return true
}

func (b *batch) inNanos(t int64) bool {
	if t < 0 || t >= model.EarliestNanos {
		return true
	}
	b.refuse(ReasonUnit, func() string {
		return fmt.Sprintf("the time %d is %s, not nanoseconds, since 1970", t, model.UnitOf(t))
	})
	return false
}

func (b *batch) fits(size int) bool {
	if size <= b.cfg.MaxRecordBytes {
		return true
	}
	b.refuse(ReasonTooLarge, func() string {
		return fmt.Sprintf("a record of %d bytes is larger than the limit of %d", size, b.cfg.MaxRecordBytes)
	})
	return false
}

// resource admits a resource once per run of records that share it.
func (b *batch) resource(r *model.Resource) {
	if r == b.last {
		return
	}
	b.last = r
	for _, field := range []*string{&r.Tenant, &r.Service, &r.Namespace, &r.Env, &r.Region, &r.Version, &r.Instance} {
		*field = b.repair(*field, b.cfg.MaxValueBytes)
	}
	if r.Tenant == "" {
		r.Tenant = model.DefaultTenant
	}
	r.Attrs = b.attrs(r.Attrs)
}

func stamp(ns int64) string { return time.Unix(0, ns).UTC().Format(time.RFC3339) }

// clip keeps messages to senders short.
func clip(s string) string { return truncate(s, minLimitBytes) }
