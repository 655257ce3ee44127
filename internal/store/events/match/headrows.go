package match

import (
	"context"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/head"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

// scanLogs searches a head row by row.
func (q *Query) scanLogs(ctx context.Context, u *Unit, v Visitor) error {
	h := u.Logs
	s := &logRow{h: h, attr: newHeadAttrs(&h.Attributes, &h.Resources)}
	whole := q.Range == store.Range{}
	for i := range h.Rows {
		if i%part.BlockRows == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if !whole && !q.Range.Contains(h.Time[i]) || q.Tenant != "" && h.Resources.At(i).Tenant != q.Tenant {
			continue
		}
		if s.i = i; q.Matcher.Match(s) {
			v.Row(u, i)
		}
	}
	return nil
}

func (q *Query) scanSpans(ctx context.Context, u *Unit, v Visitor) error {
	h := u.Spans
	s := &spanRow{h: h, attr: newHeadAttrs(&h.Attributes, &h.Resources)}
	whole := q.Range == store.Range{}
	for i := range h.Rows {
		if i%part.BlockRows == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if !whole && !q.Range.Contains(h.Start[i]) || q.Tenant != "" && h.Resources.At(i).Tenant != q.Tenant {
			continue
		}
		if s.i = i; q.Matcher.Match(s) {
			v.Row(u, i)
		}
	}
	return nil
}

// logRow is row i of a head as a store.Subject.
type logRow struct {
	h    *head.Logs
	i    int
	attr *HeadAttrs
}

// AnyText is store.Subject's.
func (r *logRow) AnyText(match func(string) bool) bool { return match(r.h.Messages.At(r.i)) }

// Test is store.Subject's.
func (r *logRow) Test(t *store.FieldTest) bool {
	switch store.LogFieldKind(t.Field) {
	case store.FieldLevel:
		return t.Level(r.h.Level[r.i])
	case store.FieldTraceID:
		return t.TraceID(r.h.TraceID[r.i])
	case store.FieldSpanID:
		return t.SpanID(r.h.SpanID[r.i])
	case store.FieldTime:
		return t.Int(store.FieldTime, r.h.Time[r.i])
	case store.FieldText:
		return t.Text(r.text(t.Field))
	}
	return r.attr.test(t, r.i, "", "")
}

func (r *logRow) text(field string) string {
	switch field {
	case "message":
		return r.h.Messages.At(r.i)
	case "request_id":
		return r.h.RequestIDs.At(r.i)
	}
	return store.ResourceField(r.h.Resources.At(r.i), field)
}

// spanRow is row i of a head as a store.Subject.
type spanRow struct {
	h    *head.Spans
	i    int
	attr *HeadAttrs
}

// AnyText is store.Subject's.
func (r *spanRow) AnyText(match func(string) bool) bool {
	if match(r.h.Names.At(r.i)) || match(r.h.StatusMessages.At(r.i)) {
		return true
	}
	return anyInnerText(r.h.Events.At(r.i), r.h.Links.At(r.i), match)
}

// Test is store.Subject's.
func (r *spanRow) Test(t *store.FieldTest) bool {
	switch store.SpanFieldKind(t.Field) {
	case store.FieldTraceID:
		return t.TraceID(r.h.TraceID[r.i])
	case store.FieldSpanID:
		if t.Field == "parent_id" {
			return t.SpanID(r.h.ParentID[r.i])
		}
		return t.SpanID(r.h.SpanID[r.i])
	case store.FieldTime:
		return t.Int(store.FieldTime, r.h.Start[r.i])
	case store.FieldDuration:
		return t.Int(store.FieldDuration, r.h.Duration[r.i])
	case store.FieldText:
		return t.Text(r.text(t.Field))
	}
	return r.attr.test(t, r.i, r.h.Events.At(r.i), r.h.Links.At(r.i))
}

func (r *spanRow) text(field string) string {
	switch field {
	case "name", "message":
		return r.h.Names.At(r.i)
	case "kind":
		return r.h.Kind[r.i].String()
	case "status":
		return r.h.Status[r.i].String()
	case "status_message":
		return r.h.StatusMessages.At(r.i)
	case "scope":
		return r.h.Scopes.At(r.i)
	}
	return store.ResourceField(r.h.Resources.At(r.i), field)
}

// HeadText is a field of a head's row as text, as store.LogField and
// store.SpanField give it. attrs are of u, from the first use on.
func HeadText(u *Unit, attrs **HeadAttrs, i int, field string) string {
	if *attrs == nil {
		*attrs = attrsOf(u)
	}
	switch {
	case field == "":
		return ""
	case u.Logs != nil:
		h := u.Logs
		if store.LogFieldKind(field) == store.FieldAttr {
			return (*attrs).text(i, field, "", "")
		}
		return store.LogField(&model.LogRecord{
			Time: h.Time[i], Level: h.Level[i], TraceID: h.TraceID[i], SpanID: h.SpanID[i],
			RequestID: h.RequestIDs.At(i), Message: h.Messages.At(i), Resource: h.Resources.At(i),
		}, field)
	}
	h := u.Spans
	if store.SpanFieldKind(field) == store.FieldAttr {
		return (*attrs).text(i, field, h.Events.At(i), h.Links.At(i))
	}
	return store.SpanField(&model.Span{
		TraceID: h.TraceID[i], SpanID: h.SpanID[i], ParentID: h.ParentID[i], Name: h.Names.At(i), Kind: h.Kind[i], Start: h.Start[i],
		Duration: h.Duration[i], Status: h.Status[i], StatusMessage: h.StatusMessages.At(i), Scope: h.Scopes.At(i), Resource: h.Resources.At(i),
	}, field)
}
