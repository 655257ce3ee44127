package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/signalbox-project/signalbox/internal/ingest/otlp/common"
)

// encodeJSON turns a body of OTLP/JSON into protobuf's form, as protobuf's own JSON
// parser reads it: null is the default, integers may be texts and have exponents, names may be
// in camelCase or as in the .proto file, and what is unknown is passed over. OTLP's difference is
// that ids are hex. A body is one document or several that follow each other, as the
// Collector's file exporter writes them; several merge into one request.
//
// On purpose it is milder in texts: what is no UTF-8, or half of a surrogate pair, as JavaScript leaves
// when it shortens a text, becomes U+FFFD, as it does in the binary form, and a mark of byte order
// before the text is passed over.
//
// unknown is the first field that was passed over.
func encodeJSON(m *message, body []byte) (out []byte, unknown string, err error) {
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	e := encoder{
		dec: jsontext.NewDecoder(bytes.NewBuffer(body), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)),
		out: make([]byte, 0, len(body)/2),
	}
	for n := 1; ; n++ {
		kind := e.dec.PeekKind()
		if kind == jsontext.KindInvalid {
			_, err := e.dec.ReadToken()
			if errors.Is(err, io.EOF) && n > 1 {
				return e.out, e.unknown, nil
			}
			return nil, "", e.place(err, n)
		}
		if err := e.message(m, 0); err != nil {
			return nil, "", e.place(err, n)
		}
	}
}

// encoder writes the values that it reads.
type encoder struct {
	dec     *jsontext.Decoder
	out     []byte
	scratch []byte
	unknown string
}

// PlaceError is what is wrong with a JSON text, and where.
type PlaceError struct {
	Place string // a JSON pointer; "" is the whole
	At    int64  // byte
	Err   error
}

func (e *PlaceError) Error() string {
	place := e.Place
	if place != "" {
		place = ", " + place
	}
	return fmt.Sprintf("byte %d%s: %s", e.At, place, e.Err)
}

func (e *PlaceError) Unwrap() error { return e.Err }

// place says where in the body an error is.
func (e *encoder) place(err error, document int) error {
	var syntax *jsontext.SyntacticError
	out := &PlaceError{Place: shortened(e.dec.StackPointer()), At: e.dec.InputOffset(), Err: err}
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		out.Err = errors.New("the JSON text ends too early")
	case errors.As(err, &syntax):
		out.Place, out.At, out.Err = shortened(syntax.JSONPointer), syntax.ByteOffset, syntax.Err
	}
	if document == 1 {
		return out
	}
	return fmt.Errorf("document %d: %w", document, out)
}

func shortened(p jsontext.Pointer) string {
	const most = 200
	if len(p) > most {
		p = "…" + p[len(p)-most:]
	}
	return strings.ToValidUTF8(string(p), "\uFFFD")
}

// message reads an object and writes its fields, without a length. depth is how many values it is in.
func (e *encoder) message(m *message, depth int) error {
	if m.name == anyValue {
		if depth++; depth > common.MaxNesting {
			return errTooDeep
		}
	}
	if err := e.begin(jsontext.KindBeginObject, "an object"); err != nil {
		return err
	}
	var seen, oneofs uint64
	for e.dec.PeekKind() != jsontext.KindEndObject {
		raw, err := e.dec.ReadValue()
		if err != nil {
			return err
		}
		f := m.byName[string(e.unquote(raw))]
		if f == nil && e.unknown == "" {
			e.unknown = shortened(jsontext.Pointer(e.unquote(raw)))
		}
		if f == nil {
			if err := e.dec.SkipValue(); err != nil {
				return err
			}
			continue
		}
		if seen&(1<<f.number) != 0 {
			return fmt.Errorf("%s stands twice in one object", f.name)
		}
		seen |= 1 << f.number
		if e.dec.PeekKind() == jsontext.KindNull {
			if err := e.dec.SkipValue(); err != nil {
				return err
			}
			continue
		}
		if f.oneof != 0 {
			if oneofs&(1<<f.oneof) != 0 {
				return fmt.Errorf("%s: only one value may be set here", f.name)
			}
			oneofs |= 1 << f.oneof
		}
		if err := e.field(f, depth); err != nil {
			return err
		}
	}
	_, err := e.dec.ReadToken()
	return err
}

var errTooDeep = fmt.Errorf("attribute values are nested deeper than %d", common.MaxNesting)

func (e *encoder) begin(kind jsontext.Kind, what string) error {
	if got := e.dec.PeekKind(); got != kind && got != jsontext.KindInvalid {
		return e.wrong(what)
	}
	_, err := e.dec.ReadToken()
	return err
}

// wrong says that something else was expected than what comes next.
func (e *encoder) wrong(what string) error {
	raw, err := e.dec.ReadValue()
	if err != nil {
		return err
	}
	return unexpected(raw, what)
}

func unexpected(raw []byte, what string) error {
	text := string(raw)
	if len(text) > 40 {
		text = text[:40] + "…"
	}
	return fmt.Errorf("%s is not %s", strings.ToValidUTF8(text, "\uFFFD"), what)
}

func (e *encoder) field(f *field, depth int) error {
	if !f.list {
		return e.element(f, depth, true)
	}
	if err := e.begin(jsontext.KindBeginArray, "an array"); err != nil {
		return err
	}
	packed := f.msg == nil && f.kind != protoreflect.StringKind && f.kind != protoreflect.BytesKind
	from := len(e.out)
	for e.dec.PeekKind() != jsontext.KindEndArray {
		if err := e.element(f, depth, !packed); err != nil {
			return err
		}
	}
	if packed && len(e.out) > from {
		e.wrap(f, from)
	}
	_, err := e.dec.ReadToken()
	return err
}

// wrap makes what was written since from the bytes of a field.
func (e *encoder) wrap(f *field, from int) {
	e.scratch = protowire.AppendTag(e.scratch[:0], f.number, protowire.BytesType)
	e.scratch = protowire.AppendVarint(e.scratch, uint64(len(e.out)-from))
	n := len(e.out)
	e.out = append(e.out, e.scratch...)
	copy(e.out[from+len(e.scratch):], e.out[from:n])
	copy(e.out[from:], e.scratch)
}

// element reads one value; tagged writes its tag before it.
func (e *encoder) element(f *field, depth int, tagged bool) error {
	if f.msg != nil {
		from := len(e.out)
		if err := e.message(f.msg, depth); err != nil {
			return err
		}
		e.wrap(f, from)
		return nil
	}
	raw, err := e.dec.ReadValue()
	if err != nil {
		return err
	}
	switch f.kind {
	case protoreflect.StringKind, protoreflect.BytesKind:
		return e.text(f, raw)
	}
	return e.number(f, raw, tagged)
}

// unquote is the text of a string; what is no UTF-8 in it becomes U+FFFD.
func (e *encoder) unquote(raw []byte) []byte {
	if len(raw) >= 2 && bytes.IndexByte(raw, '\\') < 0 && ascii(raw) {
		return raw[1 : len(raw)-1]
	}
	e.scratch, _ = jsontext.AppendUnquote(e.scratch[:0], raw) // the decoder has judged the text
	return e.scratch
}

func ascii(b []byte) bool {
	for _, c := range b {
		if c >= 0x80 {
			return false
		}
	}
	return true
}

func (e *encoder) text(f *field, raw []byte) error {
	if raw[0] != '"' {
		return unexpected(raw, "a string")
	}
	text := e.unquote(raw)
	switch {
	case f.id != 0:
		text = unhex(text)
	case f.kind == protoreflect.BytesKind:
		data, err := unbase64(string(text))
		if err != nil {
			return unexpected(raw, "base 64")
		}
		text = data
	}
	e.out = protowire.AppendTag(e.out, f.number, protowire.BytesType)
	e.out = protowire.AppendBytes(e.out, text)
	return nil
}

// unhex is the bytes of an id; one that is not hex becomes one of an impossible
// length, so that it costs its record and not the batch.
func unhex(text []byte) []byte {
	out := make([]byte, hex.DecodedLen(len(text)))
	if _, err := hex.Decode(out, text); err != nil {
		return []byte{0xff}
	}
	return out
}

// unbase64 takes both alphabets, padded or not, as protobuf does.
func unbase64(text string) ([]byte, error) {
	enc := base64.StdEncoding
	if strings.ContainsAny(text, "-_") {
		enc = base64.URLEncoding
	}
	if len(text)%4 != 0 {
		enc = enc.WithPadding(base64.NoPadding)
	}
	return enc.DecodeString(text)
}

func (e *encoder) number(f *field, raw []byte, tagged bool) error {
	wire, bits, ok, err := e.scalar(f, raw)
	if err != nil || !ok {
		return err
	}
	if tagged {
		e.out = protowire.AppendTag(e.out, f.number, wire)
	}
	switch wire {
	case protowire.Fixed32Type:
		e.out = protowire.AppendFixed32(e.out, uint32(bits)) //nolint:gosec // read as 32 bits
	case protowire.Fixed64Type:
		e.out = protowire.AppendFixed64(e.out, bits)
	default:
		e.out = protowire.AppendVarint(e.out, bits)
	}
	return nil
}

// scalar is a value as the wire has it; ok is false for an unknown name of an enum,
// which is as good as none.
func (e *encoder) scalar(f *field, raw []byte) (wire protowire.Type, bits uint64, ok bool, err error) {
	switch f.kind {
	case protoreflect.BoolKind:
		if raw[0] != 't' && raw[0] != 'f' {
			return 0, 0, false, unexpected(raw, "true or false")
		}
		return protowire.VarintType, protowire.EncodeBool(raw[0] == 't'), true, nil
	case protoreflect.EnumKind:
		return e.enum(f, raw)
	case protoreflect.DoubleKind:
		v, err := e.double(raw)
		return protowire.Fixed64Type, math.Float64bits(v), true, err
	case protoreflect.Int32Kind, protoreflect.Int64Kind, protoreflect.Sint32Kind, protoreflect.Sfixed64Kind:
		return e.signed(f, raw)
	}
	size := 64
	if f.kind == protoreflect.Uint32Kind || f.kind == protoreflect.Fixed32Kind {
		size = 32
	}
	text, err := e.integer(raw)
	if err != nil {
		return 0, 0, false, err
	}
	v, err := strconv.ParseUint(text, 10, size)
	if err != nil {
		return 0, 0, false, unexpected(raw, fmt.Sprintf("an unsigned integer of %d bits", size))
	}
	switch f.kind {
	case protoreflect.Fixed32Kind:
		return protowire.Fixed32Type, v, true, nil
	case protoreflect.Fixed64Kind:
		return protowire.Fixed64Type, v, true, nil
	}
	return protowire.VarintType, v, true, nil
}

func (e *encoder) signed(f *field, raw []byte) (wire protowire.Type, bits uint64, ok bool, err error) {
	size := 64
	if f.kind == protoreflect.Int32Kind || f.kind == protoreflect.Sint32Kind {
		size = 32
	}
	text, err := e.integer(raw)
	if err != nil {
		return 0, 0, false, err
	}
	v, err := strconv.ParseInt(text, 10, size)
	if err != nil {
		return 0, 0, false, unexpected(raw, fmt.Sprintf("an integer of %d bits", size))
	}
	switch f.kind {
	case protoreflect.Sint32Kind:
		return protowire.VarintType, protowire.EncodeZigZag(v), true, nil
	case protoreflect.Sfixed64Kind:
		return protowire.Fixed64Type, uint64(v), true, nil //nolint:gosec // two's complement, as the wire has it
	}
	return protowire.VarintType, uint64(v), true, nil //nolint:gosec // two's complement, as the wire has it
}

// enum takes numbers, which OTLP wants, and names, which protobuf writes.
func (e *encoder) enum(f *field, raw []byte) (wire protowire.Type, bits uint64, ok bool, err error) {
	if raw[0] == '"' {
		if v := f.enum.ByName(protoreflect.Name(e.unquote(raw))); v != nil {
			return protowire.VarintType, uint64(v.Number()), true, nil //nolint:gosec // OTLP's enums have no negative numbers
		}
		return 0, 0, false, nil
	}
	return e.signed(&field{kind: protoreflect.Int32Kind}, raw)
}
