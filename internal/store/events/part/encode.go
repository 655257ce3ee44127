package part

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unsafe"

	"github.com/parquet-go/parquet-go"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store/events/cipherfile"
	"github.com/signalbox-project/signalbox/internal/store/events/head"
)

// Options names what a part is and what it stands for.
type Options struct {
	ID       uint64   // unique in the store
	Segments []uint64 // write-ahead log segments whose rows it holds
	Replaces []string // parts that were merged into it
	// Keys make its files; nil makes them plain.
	Keys *cipherfile.Keys
}

// Keys of the Parquet file's metadata, from which a lost index is rebuilt.
const (
	keyFormat   = "signalbox.format"
	keyID       = "signalbox.id"
	keySegments = "signalbox.segments"
	keyReplaces = "signalbox.replaces"

	formatVersion = "1"
)

// EncodeLogs writes a snapshot as a Parquet file with the schema of sealed
// parts, for readers that want unsealed rows in that form (SQL).
func EncodeLogs(w io.Writer, l *head.Logs) error {
	return writeParquet(w, logsTable(l), logsColumns(l), Options{ID: l.ID})
}

// EncodeSpans is EncodeLogs for spans.
func EncodeSpans(w io.Writer, s *head.Spans) error {
	return writeParquet(w, spansTable(s), spansColumns(s), Options{ID: s.ID})
}

// column gives a column's value of a row. A promoted column is optional: null
// is its absent value.
type column struct {
	value func(row int32) parquet.Value
	page  int // rows
}

type columns map[string]column

// Page sizes in rows.
const (
	pageWide   = BlockRows     // texts that are fetched by the row
	pageMedium = 8 * BlockRows // numbers, and all columns of spans
	pageWhole  = 1 << 30       // the whole row group in one page
)

func logsTable(l *head.Logs) *table {
	t := &table{
		signal: Logs, rows: l.Rows, order: orderLogs(l), plan: planAttrs(&l.Attributes, l.Rows),
		res: &l.Resources, time: l.Time, trace: l.TraceID,
		value: func(row int32) uint8 { return uint8(l.Level[row]) },
		words: func(s *hashSet, row int32) { s.addWords(l.Messages.At(int(row))) },
		end:   func(row int32) int64 { return l.Time[row] }, inner: &innerFields{},
	}
	t.enc.traceID = fewDistinct(l.Rows, func(i int) model.TraceID { return l.TraceID[i] })
	t.enc.requestID = fewDistinct(l.Rows, func(i int) string { return l.RequestIDs.At(i) })
	t.hashed = func(s *hashSet, row int32) {
		if id := l.TraceID[row]; !t.enc.traceID && !id.IsZero() {
			s.add(FieldHash(ColTraceID, id.String()))
		}
		if id := l.RequestIDs.At(int(row)); !t.enc.requestID && id != "" {
			s.add(FieldHash(ColRequestID, id))
		}
	}
	t.finish()
	return t
}

func spansTable(s *head.Spans) *table {
	t := &table{
		inner: &innerFields{counts: map[string]int{}}, signal: Spans, rows: s.Rows, order: orderSpans(s), plan: planAttrs(&s.Attributes, s.Rows),
		res: &s.Resources, time: s.Start, trace: s.TraceID,
		value: func(row int32) uint8 { return uint8(s.Status[row]) },
		end:   func(row int32) int64 { return s.Start[row] + s.Duration[row] },
	}
	t.words = func(set *hashSet, row int32) {
		set.addWords(s.Names.At(int(row)))
		set.addWords(s.StatusMessages.At(int(row)))
		t.inner.add(set, s.Events.At(int(row)), s.Links.At(int(row)))
	}
	t.enc.traceID = fewDistinct(s.Rows, func(i int) model.TraceID { return s.TraceID[i] })
	t.enc.names = len(s.Names.Values) <= max(s.Rows/2, 16)
	t.enc.statusMessage = fewDistinct(s.Rows, func(i int) string { return s.StatusMessages.At(i) })
	t.hashed = func(set *hashSet, row int32) {
		if id := s.TraceID[row]; !t.enc.traceID && !id.IsZero() {
			set.add(FieldHash(ColTraceID, id.String()))
		}
	}
	t.finish()
	return t
}

func (t *table) finish() {
	var scratch []byte
	d := newDistinct[string](t.rows)
	t.enc.attributes = true
	for row := range t.rows {
		if scratch = t.plan.restJSON(scratch[:0], row); len(scratch) > 2 && !d.add(string(scratch)) {
			t.enc.attributes = false
			break
		}
	}
	t.enc.promoted = map[string]bool{}
	for i, p := range t.plan.promoted {
		t.enc.promoted[p.Key] = t.plan.dict[i]
	}
}

func (t *table) schema() *parquet.Schema {
	if t.signal == Spans {
		return spansSchema(t.enc, t.plan.promoted)
	}
	return logsSchema(t.enc, t.plan.promoted)
}

func bytesValue(b []byte) parquet.Value { return parquet.ByteArrayValue(b) }

// textValue aliases s: the writer only reads.
func textValue(s string) parquet.Value {
	return parquet.ByteArrayValue(unsafe.Slice(unsafe.StringData(s), len(s)))
}

func logsColumns(l *head.Logs) columns {
	levels := make([]parquet.Value, model.LevelFatal+1)
	for i := range levels {
		levels[i] = textValue(model.Level(i).String())
	}
	return columns{
		ColTimestamp: {page: pageMedium, value: func(r int32) parquet.Value { return parquet.Int64Value(l.Time[r]) }},
		ColLevel:     {page: pageWhole, value: func(r int32) parquet.Value { return levels[min(l.Level[r], model.LevelFatal)] }},
		ColTraceID:   {page: pageWhole, value: func(r int32) parquet.Value { return parquet.FixedLenByteArrayValue(l.TraceID[r][:]) }},
		ColSpanID:    {page: pageWide, value: func(r int32) parquet.Value { return parquet.FixedLenByteArrayValue(l.SpanID[r][:]) }},
		ColRequestID: {page: pageWhole, value: func(r int32) parquet.Value { return bytesValue(l.RequestIDs.Bytes(int(r))) }},
		ColMessage:   {page: pageWide, value: func(r int32) parquet.Value { return bytesValue(l.Messages.Bytes(int(r))) }},
	}
}

func spansColumns(s *head.Spans) columns {
	array := func(t *head.Text) func(int32) parquet.Value {
		none := textValue("[]")
		return func(r int32) parquet.Value {
			if b := t.Bytes(int(r)); len(b) > 0 {
				return bytesValue(b)
			}
			return none
		}
	}
	dict := func(d *head.Dict) func(int32) parquet.Value {
		return func(r int32) parquet.Value { return textValue(d.At(int(r))) }
	}
	kinds, statuses := make([]parquet.Value, model.SpanKindConsumer+1), make([]parquet.Value, model.StatusError+1)
	for i := range kinds {
		kinds[i] = textValue(model.SpanKind(i).String())
	}
	for i := range statuses {
		statuses[i] = textValue(model.SpanStatus(i).String())
	}
	return columns{
		ColTimestamp:     {page: pageMedium, value: func(r int32) parquet.Value { return parquet.Int64Value(s.Start[r]) }},
		ColDuration:      {page: pageMedium, value: func(r int32) parquet.Value { return parquet.Int64Value(s.Duration[r]) }},
		ColTraceID:       {page: pageMedium, value: func(r int32) parquet.Value { return parquet.FixedLenByteArrayValue(s.TraceID[r][:]) }},
		ColSpanID:        {page: pageWide, value: func(r int32) parquet.Value { return parquet.FixedLenByteArrayValue(s.SpanID[r][:]) }},
		ColParentSpanID:  {page: pageWide, value: func(r int32) parquet.Value { return parquet.FixedLenByteArrayValue(s.ParentID[r][:]) }},
		ColName:          {page: pageMedium, value: dict(&s.Names)},
		ColKind:          {page: pageMedium, value: func(r int32) parquet.Value { return kinds[kindIndex(s.Kind[r])] }},
		ColStatus:        {page: pageMedium, value: func(r int32) parquet.Value { return statuses[min(s.Status[r], model.StatusError)] }},
		ColStatusMessage: {page: pageMedium, value: func(r int32) parquet.Value { return bytesValue(s.StatusMessages.Bytes(int(r))) }},
		ColTraceState:    {page: pageMedium, value: func(r int32) parquet.Value { return bytesValue(s.TraceStates.Bytes(int(r))) }},
		ColScope:         {page: pageMedium, value: dict(&s.Scopes)},
		ColEvents:        {page: pageWide, value: array(&s.Events)},
		ColLinks:         {page: pageWide, value: array(&s.Links)},
	}
}

func kindIndex(k model.SpanKind) model.SpanKind {
	if k > model.SpanKindConsumer {
		return model.SpanKindUnset
	}
	return k
}

// shared adds the columns that both tables have.
func (t *table) shared(cols columns) {
	page := pageWhole
	if t.signal == Spans {
		page = pageMedium
	}
	for name, of := range map[string]func(*model.Resource) string{
		ColService:   func(r *model.Resource) string { return r.Service },
		ColNamespace: func(r *model.Resource) string { return r.Namespace },
		ColEnv:       func(r *model.Resource) string { return r.Env },
		ColRegion:    func(r *model.Resource) string { return r.Region },
		ColVersion:   func(r *model.Resource) string { return r.Version },
		ColInstance:  func(r *model.Resource) string { return r.Instance },
		ColTenant:    func(r *model.Resource) string { return r.Tenant },
		ColResource:  func(r *model.Resource) string { return string(head.AppendAttrsJSON(nil, r.Attrs)) },
	} {
		values := make([]parquet.Value, len(t.res.Values))
		for i, r := range t.res.Values {
			values[i] = textValue(of(r))
		}
		cols[name] = column{page: page, value: func(r int32) parquet.Value { return values[t.res.Codes[r]] }}
	}
	restPage := pageWide
	if t.enc.attributes {
		restPage = pageMedium
	}
	cols[ColAttributes] = column{page: restPage, value: func(r int32) parquet.Value { return bytesValue(t.plan.restJSON(nil, int(r))) }}
	for i, p := range t.plan.promoted {
		cols[p.Column()] = t.promotedColumn(i, page)
	}
}

// narrow gives columns without a dictionary small pages: a row is fetched from one.
func (t *table) narrow(cols columns) {
	for name, dict := range map[string]bool{
		ColTraceID: t.enc.traceID, ColRequestID: t.enc.requestID, ColName: t.enc.names, ColStatusMessage: t.enc.statusMessage,
	} {
		if c, ok := cols[name]; ok && !dict { // logs have no name, spans no request_id
			c.page = pageWide
			cols[name] = c
		}
	}
}

func (t *table) promotedColumn(i, page int) column {
	a, cells := t.plan.attrs, t.plan.cells[i]
	if !t.plan.dict[i] {
		page = pageWide
	}
	return column{page: page, value: func(r int32) parquet.Value {
		c := cells[r]
		if c == 0 {
			return parquet.NullValue()
		}
		switch v := a.ValueAt(int(c - 1)); v.Kind() {
		case model.KindInt:
			return parquet.Int64Value(v.Int())
		case model.KindFloat:
			return parquet.DoubleValue(v.Float())
		case model.KindBool:
			return parquet.BooleanValue(v.Bool())
		default:
			return textValue(v.Str())
		}
	}}
}

// writeParquet writes one row group in the table's order.
func writeParquet(w io.Writer, t *table, cols columns, opt Options) error {
	t.shared(cols)
	t.narrow(cols)
	schema := t.schema()
	// A page is what one call of WriteRowValues brings: with this size every call ends one.
	out := parquet.NewWriter(w, schema, parquet.PageBufferSize(1), parquet.CreatedBy("signalbox", formatVersion, ""),
		parquet.DataPageStatistics(false), parquet.DeprecatedDataPageStatistics(false),
		parquet.SkipPageBounds(ColMessage), parquet.SkipPageBounds(ColAttributes), parquet.SkipPageBounds(ColSpanID), parquet.SkipPageBounds(ColTraceID),
		parquet.SkipPageBounds(ColParentSpanID), parquet.SkipPageBounds(ColEvents), parquet.SkipPageBounds(ColLinks),
		parquet.KeyValueMetadata(keyFormat, formatVersion), parquet.KeyValueMetadata(keyID, strconv.FormatUint(opt.ID, 10)),
		parquet.KeyValueMetadata(keySegments, formatIDs(opt.Segments)),
		parquet.KeyValueMetadata(keyReplaces, strings.Join(opt.Replaces, " ")))
	writers := out.ColumnWriters()
	var scratch []parquet.Value
	for i, path := range schema.Columns() {
		c, ok := cols[path[0]]
		if !ok {
			return fmt.Errorf("encode column %s: no source", path[0])
		}
		var err error
		if scratch, err = t.writeColumn(writers[i], i, c, strings.HasPrefix(path[0], PromotedPrefix), scratch); err != nil {
			return fmt.Errorf("encode column %s: %w", path[0], err)
		}
	}
	return out.Close()
}

// writeColumn writes a column by the page and gives the scratch space back.
func (t *table) writeColumn(w *parquet.ColumnWriter, number int, c column, optional bool, scratch []parquet.Value) ([]parquet.Value, error) {
	page := min(c.page, t.rows)
	for from := 0; from < t.rows; from += page {
		scratch = scratch[:0]
		for _, row := range t.order[from:min(from+page, t.rows)] {
			v := c.value(row)
			def := 0
			if optional && !v.IsNull() {
				def = 1
			}
			scratch = append(scratch, v.Level(0, def, number))
		}
		if _, err := w.WriteRowValues(scratch); err != nil {
			return scratch, err
		}
		if err := w.Flush(); err != nil {
			return scratch, err
		}
	}
	return scratch, nil
}

func formatIDs(ids []uint64) string {
	list := make([]string, len(ids))
	for i, id := range ids {
		list[i] = strconv.FormatUint(id, 10)
	}
	return strings.Join(list, " ")
}

func parseIDs(s string) ([]uint64, error) {
	var out []uint64
	for _, f := range strings.Fields(s) {
		id, err := strconv.ParseUint(f, 10, 64)
		if err != nil {
			return nil, err
		}
		out = append(out, id)
	}
	return out, nil
}

// encodeTable is the Parquet file and its index, both in memory.
func encodeTable(t *table, cols columns, opt Options) ([]byte, *index, error) {
	var buf bytes.Buffer
	if err := writeParquet(&buf, t, cols, opt); err != nil {
		return nil, nil, err
	}
	x := t.index(opt)
	if err := x.describe(buf.Bytes()); err != nil {
		return nil, nil, err
	}
	return buf.Bytes(), x, nil
}

// describe takes from the Parquet file what the index says about it.
func (x *index) describe(file []byte) error {
	rows, err := parquet.OpenFile(bytes.NewReader(file), int64(len(file)), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return fmt.Errorf("check the encoded rows: %w", err)
	}
	if n := rows.NumRows(); n != int64(x.Rows) {
		return fmt.Errorf("check the encoded rows: %d rows, want %d", n, x.Rows)
	}
	x.Size, x.tailOffset = int64(len(file)), int64(len(file))
	for _, g := range rows.Metadata().RowGroups {
		for _, c := range g.Columns {
			for _, off := range [...]int64{c.ColumnIndexOffset, c.OffsetIndexOffset} {
				if off > 0 {
					x.tailOffset = min(x.tailOffset, off)
				}
			}
		}
	}
	x.tailCRC = crc(file[x.tailOffset:])
	return nil
}
