package wal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store/events/bin"
)

// ErrBatch is the error of a payload that is no batch.
var ErrBatch = errors.New("malformed batch")

// The first byte of a batch: what it holds, and its version.
const (
	batchLogs  = 'L'
	batchSpans = 'S'
)

// EncodeLogs appends a batch of records. Resources stand once, in order of
// first use; strings are length-prefixed.
func EncodeLogs(dst []byte, records []model.LogRecord) []byte {
	dst = append(dst, batchLogs)
	res := newResourceTable(len(records), func(i int) *model.Resource { return records[i].Resource })
	dst = res.append(dst)
	dst = binary.AppendUvarint(dst, uint64(len(records)))
	last := int64(0)
	for i := range records {
		r := &records[i]
		dst = binary.AppendUvarint(dst, uint64(res.codes[i]))
		dst = binary.AppendVarint(dst, r.Time-last)
		last = r.Time
		dst = append(dst, byte(r.Level))
		dst = appendID(dst, r.TraceID[:])
		dst = appendID(dst, r.SpanID[:])
		dst = bin.AppendText(dst, r.RequestID)
		dst = bin.AppendText(dst, r.Message)
		dst = appendAttrs(dst, r.Attrs)
	}
	return dst
}

// DecodeLogs reads what EncodeLogs wrote. Strings alias b.
func DecodeLogs(b []byte) ([]model.LogRecord, error) {
	r := bin.NewReader(b)
	if r.Byte() != batchLogs {
		return nil, fmt.Errorf("%w: not logs", ErrBatch)
	}
	res := readResources(r)
	n := r.Count(8)
	out := make([]model.LogRecord, 0, min(n, 4096))
	last := int64(0)
	for range n {
		var rec model.LogRecord
		rec.Resource = resourceAt(res, r)
		last += r.Int()
		rec.Time = last
		rec.Level = model.Level(r.Byte())
		readID(r, rec.TraceID[:])
		readID(r, rec.SpanID[:])
		rec.RequestID, rec.Message = r.Text(), r.Text()
		rec.Attrs = readAttrs(r)
		if !r.OK() || rec.Resource == nil {
			break
		}
		out = append(out, rec)
	}
	return finish(r, out, n)
}

// EncodeSpans is EncodeLogs for spans.
func EncodeSpans(dst []byte, spans []model.Span) []byte {
	dst = append(dst, batchSpans)
	res := newResourceTable(len(spans), func(i int) *model.Resource { return spans[i].Resource })
	dst = res.append(dst)
	dst = binary.AppendUvarint(dst, uint64(len(spans)))
	last := int64(0)
	for i := range spans {
		s := &spans[i]
		dst = binary.AppendUvarint(dst, uint64(res.codes[i]))
		dst = binary.AppendVarint(dst, s.Start-last)
		last = s.Start
		dst = binary.AppendVarint(dst, s.Duration)
		dst = append(dst, byte(s.Kind), byte(s.Status))
		dst = appendID(dst, s.TraceID[:])
		dst = appendID(dst, s.SpanID[:])
		dst = appendID(dst, s.ParentID[:])
		for _, text := range [...]string{s.Name, s.StatusMessage, s.TraceState, s.Scope} {
			dst = bin.AppendText(dst, text)
		}
		dst = appendAttrs(dst, s.Attrs)
		dst = binary.AppendUvarint(dst, uint64(len(s.Events)))
		for j := range s.Events {
			dst = binary.AppendVarint(dst, s.Events[j].Time)
			dst = appendAttrs(bin.AppendText(dst, s.Events[j].Name), s.Events[j].Attrs)
		}
		dst = binary.AppendUvarint(dst, uint64(len(s.Links)))
		for j := range s.Links {
			dst = appendID(dst, s.Links[j].TraceID[:])
			dst = appendID(dst, s.Links[j].SpanID[:])
			dst = appendAttrs(dst, s.Links[j].Attrs)
		}
	}
	return dst
}

// DecodeSpans reads what EncodeSpans wrote. Strings alias b.
func DecodeSpans(b []byte) ([]model.Span, error) {
	r := bin.NewReader(b)
	if r.Byte() != batchSpans {
		return nil, fmt.Errorf("%w: not spans", ErrBatch)
	}
	res := readResources(r)
	n := r.Count(15)
	out := make([]model.Span, 0, min(n, 4096))
	last := int64(0)
	for range n {
		var s model.Span
		s.Resource = resourceAt(res, r)
		last += r.Int()
		s.Start, s.Duration = last, r.Int()
		s.Kind, s.Status = model.SpanKind(r.Byte()), model.SpanStatus(r.Byte())
		readID(r, s.TraceID[:])
		readID(r, s.SpanID[:])
		readID(r, s.ParentID[:])
		s.Name, s.StatusMessage, s.TraceState, s.Scope = r.Text(), r.Text(), r.Text(), r.Text()
		s.Attrs = readAttrs(r)
		for range r.Count(3) {
			s.Events = append(s.Events, model.SpanEvent{Time: r.Int(), Name: r.Text(), Attrs: readAttrs(r)})
		}
		for range r.Count(3) {
			var l model.SpanLink
			readID(r, l.TraceID[:])
			readID(r, l.SpanID[:])
			l.Attrs = readAttrs(r)
			s.Links = append(s.Links, l)
		}
		if !r.OK() || s.Resource == nil {
			break
		}
		out = append(out, s)
	}
	return finish(r, out, n)
}

func finish[T any](r *bin.Reader, out []T, n int) ([]T, error) {
	if err := r.Err(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBatch, err)
	}
	if len(out) != n {
		return nil, fmt.Errorf("%w: unknown resource", ErrBatch)
	}
	return out, nil
}

// resourceTable numbers the distinct resource pointers of a batch.
type resourceTable struct {
	list  []*model.Resource
	codes []uint32
}

func newResourceTable(n int, at func(int) *model.Resource) resourceTable {
	t := resourceTable{codes: make([]uint32, n)}
	seen := map[*model.Resource]uint32{}
	for i := range n {
		res := at(i)
		if i > 0 && res == at(i-1) {
			t.codes[i] = t.codes[i-1]
			continue
		}
		code, ok := seen[res]
		if !ok {
			code = uint32(len(t.list))
			seen[res] = code
			t.list = append(t.list, res)
		}
		t.codes[i] = code
	}
	return t
}

func (t *resourceTable) append(dst []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(t.list)))
	for _, r := range t.list {
		if r == nil {
			r = &model.Resource{}
		}
		for _, s := range [...]string{r.Tenant, r.Service, r.Namespace, r.Env, r.Region, r.Version, r.Instance} {
			dst = bin.AppendText(dst, s)
		}
		dst = appendAttrs(dst, r.Attrs)
	}
	return dst
}

func readResources(r *bin.Reader) []*model.Resource {
	var out []*model.Resource
	for range r.Count(8) {
		out = append(out, &model.Resource{
			Tenant: r.Text(), Service: r.Text(), Namespace: r.Text(), Env: r.Text(),
			Region: r.Text(), Version: r.Text(), Instance: r.Text(), Attrs: readAttrs(r),
		})
		if !r.OK() {
			return nil
		}
	}
	return out
}

func resourceAt(list []*model.Resource, r *bin.Reader) *model.Resource {
	if i := r.Uint(); i < uint64(len(list)) {
		return list[i]
	}
	return nil
}

// appendID writes 0 for a zero id, else 1 and the bytes.
func appendID(dst, id []byte) []byte {
	for _, b := range id {
		if b != 0 {
			return append(append(dst, 1), id...)
		}
	}
	return append(dst, 0)
}

func readID(r *bin.Reader, dst []byte) {
	if r.Byte() != 0 {
		r.Fixed(dst)
	}
}

func appendAttrs(dst []byte, attrs model.Attrs) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(attrs)))
	for _, a := range attrs {
		dst = append(bin.AppendText(dst, a.Key), byte(a.Value.Kind()))
		switch a.Value.Kind() {
		case model.KindString, model.KindJSON:
			dst = bin.AppendText(dst, a.Value.Str())
		case model.KindInt:
			dst = binary.AppendVarint(dst, a.Value.Int())
		case model.KindFloat:
			dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(a.Value.Float()))
		case model.KindBool:
			dst = append(dst, 0)
			if a.Value.Bool() {
				dst[len(dst)-1] = 1
			}
		}
	}
	return dst
}

func readAttrs(r *bin.Reader) model.Attrs {
	n := r.Count(2)
	if n == 0 {
		return nil
	}
	out := make(model.Attrs, 0, n)
	for range n {
		a := model.Attr{Key: r.Text()}
		switch kind := model.ValueKind(r.Byte()); kind {
		case model.KindString:
			a.Value = model.StringValue(r.Text())
		case model.KindJSON:
			a.Value = model.JSONValue(r.Text())
		case model.KindInt:
			a.Value = model.IntValue(r.Int())
		case model.KindFloat:
			var b [8]byte
			r.Fixed(b[:])
			a.Value = model.FloatValue(math.Float64frombits(binary.LittleEndian.Uint64(b[:])))
		case model.KindBool:
			a.Value = model.BoolValue(r.Byte() != 0)
		}
		out = append(out, a)
	}
	return out
}
