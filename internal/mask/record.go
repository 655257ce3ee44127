package mask

import (
	"slices"
	"strings"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Masker shows records one after another. It is for one goroutine; a nil Masker shows everything.
type Masker struct {
	view    *View
	in, out *model.Resource // the last: records that follow each other share it
}

// Masker makes one.
func (v *View) Masker() *Masker {
	if v == nil {
		return nil
	}
	return &Masker{view: v}
}

// Log is what is shown of a record.
func (m *Masker) Log(r model.LogRecord) model.LogRecord {
	if m == nil {
		return r
	}
	s := m.view.in(r.Resource.Namespace)
	if s == nil {
		return r
	}
	r.Message, r.RequestID = s.field("message", r.Message), s.field("request_id", r.RequestID)
	r.Attrs, r.Resource = s.attrs(r.Attrs), m.resource(s, r.Resource)
	return r
}

// Span is what is shown of a span.
func (m *Masker) Span(p model.Span) model.Span {
	if m == nil {
		return p
	}
	s := m.view.in(p.Resource.Namespace)
	if s == nil {
		return p
	}
	p.Name, p.StatusMessage, p.TraceState = s.field("name", p.Name), s.field("status_message", p.StatusMessage), s.field("trace_state", p.TraceState)
	p.Attrs, p.Resource = s.attrs(p.Attrs), m.resource(s, p.Resource)
	p.Events, p.Links = s.events(p.Events), s.links(p.Links)
	return p
}

// Spans is what is shown of a list, which stays as it is.
func (v *View) Spans(list []model.Span) []model.Span {
	if v == nil {
		return list
	}
	m, out := v.Masker(), make([]model.Span, len(list))
	for i := range list {
		out[i] = m.Span(list[i])
	}
	return out
}

func (m *Masker) resource(s *set, r *model.Resource) *model.Resource {
	if r == m.in {
		return m.out
	}
	out := r
	if attrs := s.attrs(r.Attrs); len(attrs) > 0 && &attrs[0] != &r.Attrs[0] {
		masked := *r
		masked.Attrs = attrs
		out = &masked
	}
	m.in, m.out = r, out
	return out
}

func (s *set) events(list []model.SpanEvent) []model.SpanEvent {
	if len(list) == 0 {
		return list
	}
	out := make([]model.SpanEvent, len(list))
	for i, e := range list {
		e.Name, e.Attrs = s.text(store.EventName, e.Name, s.attr(store.EventName)), s.attrs(e.Attrs)
		out[i] = e
	}
	return out
}

func (s *set) links(list []model.SpanLink) []model.SpanLink {
	if len(list) == 0 {
		return list
	}
	out := make([]model.SpanLink, len(list))
	for i, l := range list {
		l.Attrs = s.attrs(l.Attrs)
		out[i] = l
	}
	return out
}

// Labels is what is shown of an exemplar's labels, of a series in a namespace.
func (v *View) Labels(namespace string, ls labels.Labels) labels.Labels {
	if v == nil {
		return ls
	}
	s := v.in(namespace)
	if s == nil {
		return ls
	}
	var b *labels.Builder
	ls.Range(func(l labels.Label) {
		masked := s.text(l.Name, l.Value, s.attr(l.Name))
		if masked == l.Value {
			return
		}
		if b == nil {
			b = labels.NewBuilder(ls)
		}
		b.Set(l.Name, masked)
	})
	if b == nil {
		return ls
	}
	return b.Labels()
}

// Text is what is shown of a text whose record is not at hand: every rule applies. Field is as in a filter.
func (v *View) Text(field, text string) string {
	if v == nil {
		return text
	}
	return v.all.shown(field, text)
}

// shown is what is shown of a field as text.
func (s *set) shown(field, text string) string {
	if own, ok := s.own[field]; ok {
		return s.text("", text, own)
	}
	key := store.AttrKey(field)
	return s.text(key, text, s.attr(key))
}

// Maskable reports whether rules may concern a field that is no attribute.
func Maskable(field string) bool { return slices.Contains(ownFields(), field) }

// Attribute says what may happen to an attribute: whole where it is masked as a whole, touched where patterns are looked for in it.
func (v *View) Attribute(key string) (whole, touched bool) {
	about := v.all.attr(key)
	return about.whole != nil, len(about.within) > 0
}

// Column masks what a file of events keeps in one column, of a record in a namespace: a field that is no attribute, an attribute as
// attr.KEY, or attributes, resource, events and links as JSON.
func (v *View) Column(namespace, column, text string) string {
	if v == nil || text == "" {
		return text
	}
	s := v.in(namespace)
	if s == nil {
		return text
	}
	at := inner
	switch column {
	case "attributes", "resource":
		at = attrsIn("")
	case "events", "links":
	default:
		if key, ok := strings.CutPrefix(column, store.AttrPrefix); ok {
			return s.text(key, text, s.attr(key))
		}
		return s.field(column, text)
	}
	if out, ok := s.rewrite(text, at, verdict{}, true); ok {
		return out
	}
	return "{}" // cannot be read, so that nobody knows what is in it
}
