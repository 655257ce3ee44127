package scan

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store/events/head"
	"github.com/signalbox-project/signalbox/internal/store/events/match"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

// fetched is one row on its way out. place is its position in the answer.
type fetched struct {
	place int
	row   int
}

// byUnit sorts an answer's rows by where they are read.
func byUnit(refs []ref) map[int32][]fetched {
	out := map[int32][]fetched{}
	for i, r := range refs {
		out[r.unit] = append(out[r.unit], fetched{place: i, row: int(r.row)})
	}
	for _, list := range out {
		slices.SortFunc(list, func(a, b fetched) int { return cmp.Compare(a.row, b.row) })
	}
	return out
}

// fetch reads whole rows in the order of refs. Rows of parts that prove
// damaged are missing from the result.
func fetch[T any](ctx context.Context, v *part.View, units []match.Unit, refs []ref,
	fromHead func(u *match.Unit, i int) T, fromPart func(t *match.Table, rows []fetched, set func(place int, value T)) error,
) ([]T, error) {
	out := make([]T, len(refs))
	ok := make([]bool, len(refs))
	set := func(place int, value T) { out[place], ok[place] = value, true }
	wanted := byUnit(refs)
	var used []match.Unit
	var rows [][]fetched
	for i := range units {
		if list := wanted[int32(i)]; list != nil {
			used, rows = append(used, units[i]), append(rows, list)
		}
	}
	err := run(ctx, v, used, func(_ context.Context, i int, u *match.Unit) error {
		if u.Part != nil {
			t := match.NewTable(u.Part)
			defer t.Close()
			return fromPart(t, rows[i], set)
		}
		for _, f := range rows[i] {
			set(f.place, fromHead(u, f.row))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	kept := out[:0]
	for i := range out {
		if ok[i] {
			kept = append(kept, out[i])
		}
	}
	return kept, nil
}

// eachRow calls f with the place of each row's value in the column's page.
func eachRow(t *match.Table, name string, rows []fetched, f func(i int, c *match.Column, at int)) error {
	c, err := t.Need(name)
	if err != nil {
		return err
	}
	for i, r := range rows {
		if err := c.Load(r.row); err != nil {
			return err
		}
		if at := c.At(r.row); at >= 0 {
			f(i, c, at)
		}
	}
	return nil
}

// texts reads a column of text; equal neighbours share one string.
func texts(t *match.Table, name string, rows []fetched, set func(i int, s string)) error {
	last := ""
	return eachRow(t, name, rows, func(i int, c *match.Column, at int) {
		if s := c.TextAt(at); s != last {
			last = strings.Clone(s)
		}
		set(i, last)
	})
}

// resources reads the resources of rows; equal ones are one.
func resources(t *match.Table, rows []fetched) ([]*model.Resource, error) {
	names := [...]string{
		part.ColTenant, part.ColService, part.ColNamespace, part.ColEnv, part.ColRegion,
		part.ColVersion, part.ColInstance, part.ColResource,
	}
	keys := make([][len(names)]string, len(rows))
	for k, name := range names {
		if err := texts(t, name, rows, func(i int, s string) { keys[i][k] = s }); err != nil {
			return nil, err
		}
	}
	known := map[[len(names)]string]*model.Resource{}
	out := make([]*model.Resource, len(rows))
	for i, k := range keys {
		r, ok := known[k]
		if !ok {
			attrs, err := head.DecodeAttrsJSON(k[7])
			if err != nil {
				return nil, fmt.Errorf("column %s: %w", part.ColResource, err)
			}
			r = &model.Resource{
				Tenant: k[0], Service: k[1], Namespace: k[2], Env: k[3], Region: k[4],
				Version: k[5], Instance: k[6], Attrs: attrs,
			}
			known[k] = r
		}
		out[i] = r
	}
	return out, nil
}

// attributes reads the attributes of rows: those in JSON, then the promoted ones.
func attributes(t *match.Table, rows []fetched) ([]model.Attrs, error) {
	out := make([]model.Attrs, len(rows))
	var failed error
	err := eachRow(t, part.ColAttributes, rows, func(i int, c *match.Column, at int) {
		attrs, err := head.DecodeAttrsJSON(c.TextAt(at))
		if err != nil {
			failed = fmt.Errorf("column %s: %w", part.ColAttributes, err)
		}
		out[i] = attrs
	})
	if err == nil {
		err = failed
	}
	if err != nil {
		return nil, err
	}
	for _, p := range t.Promoted {
		err := eachRow(t, p.Column(), rows, func(i int, c *match.Column, at int) {
			v := c.ValueAt(p.Kind, at)
			if p.Kind == model.KindString {
				v = model.StringValue(strings.Clone(v.Str()))
			}
			out[i] = append(out[i], model.Attr{Key: p.Key, Value: v})
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// fetchLogs reads whole log records of a part.
func fetchLogs(t *match.Table, rows []fetched, set func(int, model.LogRecord)) error {
	out := make([]model.LogRecord, len(rows))
	err := eachColumn(t, rows, []setter{
		{part.ColTimestamp, func(i int, c *match.Column, at int) { out[i].Time = c.IntAt(at) }},
		{part.ColTraceID, func(i int, c *match.Column, at int) { copy(out[i].TraceID[:], c.FixedAt(at)) }},
		{part.ColSpanID, func(i int, c *match.Column, at int) { copy(out[i].SpanID[:], c.FixedAt(at)) }},
		{part.ColLevel, func(i int, c *match.Column, at int) { out[i].Level = match.LevelOf(c.TextAt(at)) }},
		{part.ColRequestID, func(i int, c *match.Column, at int) { out[i].RequestID = strings.Clone(c.TextAt(at)) }},
		{part.ColMessage, func(i int, c *match.Column, at int) { out[i].Message = strings.Clone(c.TextAt(at)) }},
	})
	if err != nil {
		return err
	}
	res, err := resources(t, rows)
	if err != nil {
		return err
	}
	attrs, err := attributes(t, rows)
	if err != nil {
		return err
	}
	for i, r := range rows {
		out[i].Resource, out[i].Attrs = res[i], attrs[i]
		set(r.place, out[i])
	}
	return nil
}

// setter takes a value of row i from a column.
type setter struct {
	column string
	set    func(i int, c *match.Column, at int)
}

func eachColumn(t *match.Table, rows []fetched, setters []setter) error {
	for _, s := range setters {
		if err := eachRow(t, s.column, rows, s.set); err != nil {
			return err
		}
	}
	return nil
}

// fetchSpans reads whole spans of a part.
func fetchSpans(t *match.Table, rows []fetched, set func(int, model.Span)) error {
	out := make([]model.Span, len(rows))
	if err := fetchSpanNumbers(t, rows, out); err != nil {
		return err
	}
	if err := fetchSpanTexts(t, rows, out); err != nil {
		return err
	}
	res, err := resources(t, rows)
	if err != nil {
		return err
	}
	attrs, err := attributes(t, rows)
	if err != nil {
		return err
	}
	for i, r := range rows {
		out[i].Resource, out[i].Attrs = res[i], attrs[i]
		set(r.place, out[i])
	}
	return nil
}

func fetchSpanNumbers(t *match.Table, rows []fetched, out []model.Span) error {
	return eachColumn(t, rows, []setter{
		{part.ColTimestamp, func(i int, c *match.Column, at int) { out[i].Start = c.IntAt(at) }},
		{part.ColDuration, func(i int, c *match.Column, at int) { out[i].Duration = c.IntAt(at) }},
		{part.ColTraceID, func(i int, c *match.Column, at int) { copy(out[i].TraceID[:], c.FixedAt(at)) }},
		{part.ColSpanID, func(i int, c *match.Column, at int) { copy(out[i].SpanID[:], c.FixedAt(at)) }},
		{part.ColParentSpanID, func(i int, c *match.Column, at int) { copy(out[i].ParentID[:], c.FixedAt(at)) }},
	})
}

func fetchSpanTexts(t *match.Table, rows []fetched, out []model.Span) error {
	for _, col := range []struct {
		name string
		set  func(s *model.Span, text string) error
	}{
		{part.ColName, func(s *model.Span, text string) error { s.Name = text; return nil }},
		{part.ColKind, func(s *model.Span, text string) error { return s.Kind.UnmarshalText([]byte(text)) }},
		{part.ColStatus, func(s *model.Span, text string) error { return s.Status.UnmarshalText([]byte(text)) }},
		{part.ColStatusMessage, func(s *model.Span, text string) error { s.StatusMessage = text; return nil }},
		{part.ColTraceState, func(s *model.Span, text string) error { s.TraceState = text; return nil }},
		{part.ColScope, func(s *model.Span, text string) error { s.Scope = text; return nil }},
		{part.ColEvents, func(s *model.Span, text string) (err error) { s.Events, err = head.DecodeEventsJSON(text); return err }},
		{part.ColLinks, func(s *model.Span, text string) (err error) { s.Links, err = head.DecodeLinksJSON(text); return err }},
	} {
		var failed error
		err := texts(t, col.name, rows, func(i int, text string) {
			if err := col.set(&out[i], text); err != nil {
				failed = fmt.Errorf("column %s: %w", col.name, err)
			}
		})
		if err == nil {
			err = failed
		}
		if err != nil {
			return err
		}
	}
	for i := range out {
		if len(out[i].Events) == 0 {
			out[i].Events = nil
		}
		if len(out[i].Links) == 0 {
			out[i].Links = nil
		}
	}
	return nil
}
