package part

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store/events/cipherfile"
	"github.com/signalbox-project/signalbox/internal/store/events/head"
)

// ReadLogs reads all rows of a part's Parquet file, in file order.
func ReadLogs(keys *cipherfile.Keys, path string, into *head.LogsBuilder) error {
	w, err := readFile(keys, path)
	if err != nil {
		return err
	}
	if w.signal != Logs {
		return fmt.Errorf("rows %s: %w: not logs", path, ErrDamaged)
	}
	return w.logs(into)
}

// ReadSpans is ReadLogs for spans.
func ReadSpans(keys *cipherfile.Keys, path string, into *head.SpansBuilder) error {
	w, err := readFile(keys, path)
	if err != nil {
		return err
	}
	if w.signal != Spans {
		return fmt.Errorf("rows %s: %w: not spans", path, ErrDamaged)
	}
	return w.spans(into)
}

// tableOf loads a file's rows for indexing, in file order and with the file's own columns.
func tableOf(w *wholeFile) (t *table, opt Options, err error) {
	switch w.signal {
	case Spans:
		b := head.NewSpans(w.opt.ID)
		if err := w.spans(b); err != nil {
			return nil, opt, err
		}
		t = spansTable(b.Snapshot())
	default:
		b := head.NewLogs(w.opt.ID)
		if err := w.logs(b); err != nil {
			return nil, opt, err
		}
		t = logsTable(b.Snapshot())
	}
	for i := range t.order {
		t.order[i] = int32(i)
	}
	t.enc.traceID, t.enc.requestID = w.hasDictionary(ColTraceID), w.hasDictionary(ColRequestID)
	t.plan.use(w.promoted, t.rows)
	for i, p := range w.promoted {
		t.plan.dict[i] = w.hasDictionary(p.Column())
	}
	return t, w.opt, nil
}

func (w *wholeFile) hasDictionary(column string) bool {
	for _, c := range w.rows.Metadata().RowGroups[0].Columns {
		if c.MetaData.PathInSchema[0] == column {
			return slices.Contains(c.MetaData.Encoding, format.RLEDictionary)
		}
	}
	return false
}

// fields maps column numbers to setters.
type setter[T any] func(*T, parquet.Value) error

// each decodes all rows into records of type T and hands them over by the page.
func each[T any](w *wholeFile, setters []setter[T], finish func(*T), emit func([]T)) (err error) {
	defer recoverDamage(&err)
	rows := w.rows.RowGroups()[0].Rows()
	defer rows.Close()
	buf := make([]parquet.Row, 256)
	for {
		n, err := rows.ReadRows(buf)
		batch := make([]T, n)
		for i, row := range buf[:n] {
			for _, v := range row {
				if set := setters[v.Column()]; set != nil {
					if err := set(&batch[i], v); err != nil {
						return fmt.Errorf("%w: %w", ErrDamaged, err)
					}
				}
			}
			finish(&batch[i])
		}
		emit(batch)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("%w: %w", ErrDamaged, err)
		}
	}
}

// row is a record being put together; promoted attributes follow the JSON ones.
type row[T any] struct {
	event    T
	res      model.Resource
	rest     model.Attrs
	promoted model.Attrs
}

// attrs are all attributes of the record; the row gives its JSON ones away.
func (r *row[T]) attrs() model.Attrs {
	r.rest = append(r.rest, r.promoted...)
	return r.rest
}

func (w *wholeFile) logs(into *head.LogsBuilder) error {
	setters := setters(w, map[string]setter[row[model.LogRecord]]{
		ColTimestamp: func(r *row[model.LogRecord], v parquet.Value) error { r.event.Time = v.Int64(); return nil },
		ColLevel: func(r *row[model.LogRecord], v parquet.Value) error {
			return r.event.Level.UnmarshalText(v.ByteArray())
		},
		ColTraceID:   func(r *row[model.LogRecord], v parquet.Value) error { return fixed(r.event.TraceID[:], v) },
		ColSpanID:    func(r *row[model.LogRecord], v parquet.Value) error { return fixed(r.event.SpanID[:], v) },
		ColRequestID: func(r *row[model.LogRecord], v parquet.Value) error { r.event.RequestID = str(v); return nil },
		ColMessage:   func(r *row[model.LogRecord], v parquet.Value) error { r.event.Message = str(v); return nil },
	})
	out := make([]model.LogRecord, 0, 256)
	return each(w, setters, func(r *row[model.LogRecord]) {
		r.event.Resource, r.event.Attrs = &r.res, r.attrs()
	}, func(batch []row[model.LogRecord]) {
		out = out[:0]
		for i := range batch {
			out = append(out, batch[i].event)
		}
		into.Append(out)
	})
}

func (w *wholeFile) spans(into *head.SpansBuilder) error {
	type r = *row[model.Span]
	setters := setters(w, map[string]setter[row[model.Span]]{
		ColTimestamp:     func(r r, v parquet.Value) error { r.event.Start = v.Int64(); return nil },
		ColDuration:      func(r r, v parquet.Value) error { r.event.Duration = v.Int64(); return nil },
		ColTraceID:       func(r r, v parquet.Value) error { return fixed(r.event.TraceID[:], v) },
		ColSpanID:        func(r r, v parquet.Value) error { return fixed(r.event.SpanID[:], v) },
		ColParentSpanID:  func(r r, v parquet.Value) error { return fixed(r.event.ParentID[:], v) },
		ColName:          func(r r, v parquet.Value) error { r.event.Name = str(v); return nil },
		ColKind:          func(r r, v parquet.Value) error { return r.event.Kind.UnmarshalText(v.ByteArray()) },
		ColStatus:        func(r r, v parquet.Value) error { return r.event.Status.UnmarshalText(v.ByteArray()) },
		ColStatusMessage: func(r r, v parquet.Value) error { r.event.StatusMessage = str(v); return nil },
		ColTraceState:    func(r r, v parquet.Value) error { r.event.TraceState = str(v); return nil },
		ColScope:         func(r r, v parquet.Value) error { r.event.Scope = str(v); return nil },
		ColEvents: func(r r, v parquet.Value) (err error) {
			r.event.Events, err = head.DecodeEventsJSON(str(v))
			return err
		},
		ColLinks: func(r r, v parquet.Value) (err error) {
			r.event.Links, err = head.DecodeLinksJSON(str(v))
			return err
		},
	})
	out := make([]model.Span, 0, 256)
	return each(w, setters, func(r r) {
		r.event.Resource, r.event.Attrs = &r.res, r.attrs()
	}, func(batch []row[model.Span]) {
		out = out[:0]
		for i := range batch {
			out = append(out, batch[i].event)
		}
		into.Append(out)
	})
}

// setters completes a table's own columns with the shared ones and orders them by column number.
func setters[T any](w *wholeFile, own map[string]setter[row[T]]) []setter[row[T]] {
	text := func(field func(*model.Resource) *string) setter[row[T]] {
		return func(r *row[T], v parquet.Value) error { *field(&r.res) = str(v); return nil }
	}
	own[ColService] = text(func(r *model.Resource) *string { return &r.Service })
	own[ColNamespace] = text(func(r *model.Resource) *string { return &r.Namespace })
	own[ColEnv] = text(func(r *model.Resource) *string { return &r.Env })
	own[ColRegion] = text(func(r *model.Resource) *string { return &r.Region })
	own[ColVersion] = text(func(r *model.Resource) *string { return &r.Version })
	own[ColInstance] = text(func(r *model.Resource) *string { return &r.Instance })
	own[ColTenant] = text(func(r *model.Resource) *string { return &r.Tenant })
	own[ColResource] = func(r *row[T], v parquet.Value) (err error) {
		r.res.Attrs, err = head.DecodeAttrsJSON(str(v))
		return err
	}
	own[ColAttributes] = func(r *row[T], v parquet.Value) (err error) {
		r.rest, err = head.DecodeAttrsJSON(str(v))
		return err
	}
	for _, p := range w.promoted {
		own[p.Column()] = func(r *row[T], v parquet.Value) error {
			if !v.IsNull() {
				r.promoted = append(r.promoted, model.Attr{Key: p.Key, Value: promotedValue(p.Kind, v)})
			}
			return nil
		}
	}
	var out []setter[row[T]]
	for _, c := range w.rows.Root().Columns() {
		out = append(out, own[c.Name()])
	}
	return out
}

func promotedValue(kind model.ValueKind, v parquet.Value) model.Value {
	switch kind {
	case model.KindInt:
		return model.IntValue(v.Int64())
	case model.KindFloat:
		return model.FloatValue(v.Double())
	case model.KindBool:
		return model.BoolValue(v.Boolean())
	}
	return model.StringValue(str(v))
}

// str copies: the value's page is reused.
func str(v parquet.Value) string { return string(v.ByteArray()) }

func fixed(dst []byte, v parquet.Value) error {
	if b := v.ByteArray(); len(b) != len(dst) {
		return fmt.Errorf("id of %d bytes, want %d", len(b), len(dst))
	}
	copy(dst, v.ByteArray())
	return nil
}
