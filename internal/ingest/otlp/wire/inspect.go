package wire

import (
	"encoding/binary"
	"fmt"
	"hash/maphash"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/signalbox-project/signalbox/internal/ingest/otlp/common"
)

// inspection is what a walk over a protobuf message finds.
type inspection struct {
	badIDs int // fields that are to hold an id and have neither its length nor none
}

// walk looks for values that are nested too deep, for wire groups, which OTLP
// does not have, and for ids of a wrong length. Anything else that is wrong with a message is the
// decoder's to find.
func (in *inspection) walk(m *message, buf []byte, depth int) error {
	if m.name == anyValue {
		if depth++; depth > common.MaxNesting {
			return errTooDeep
		}
	}
	for len(buf) > 0 {
		f, value, n, err := next(m, buf)
		if err != nil || n == 0 {
			return err
		}
		buf = buf[n:]
		switch {
		case f == nil:
		case f.bad(value):
			in.badIDs++
		case f.msg != nil && f.msg.checked:
			if err := in.walk(f.msg, value, depth); err != nil {
				return err
			}
		}
	}
	return nil
}

// bad says of a field's bytes that they are to be an id and cannot be one.
func (f *field) bad(value []byte) bool {
	return f.id != 0 && len(value) != 0 && len(value) != f.id
}

// next takes one field off a message; n is 0 where the message is broken. f is nil for a
// field that is not known or has no bytes.
func next(m *message, buf []byte) (f *field, value []byte, n int, err error) {
	tag, k := binary.Uvarint(buf)
	if k <= 0 {
		return nil, nil, 0, nil
	}
	rest := buf[k:]
	switch tag & 7 {
	case 0:
		_, n = binary.Uvarint(rest)
	case 1:
		n = 8
	case 5:
		n = 4
	case 2:
		size, j := binary.Uvarint(rest)
		if j <= 0 || size > uint64(len(rest)-j) {
			return nil, nil, 0, nil
		}
		n = j + int(size) //nolint:gosec // not beyond the buffer
		value = rest[j:n]
		if number := tag >> 3; number < uint64(len(m.byNumber)) {
			if f = m.byNumber[number]; f != nil && f.msg == nil && f.kind != protoreflect.BytesKind {
				f = nil
			}
		}
	default:
		return nil, nil, 0, fmt.Errorf("wire type %d is not part of OTLP", tag&7)
	}
	if n <= 0 || n > len(rest) {
		return nil, nil, 0, nil
	}
	return f, value, k + n, nil
}

// repairer writes a message anew without what has bad ids: without a span, and
// without the id of anything else, which is then as good as not sent.
type repairer struct {
	spans int // left out
	ids   int // left out of log records, links and exemplars
}

const spanMessage = "Span"

// repair appends the message m; ok is false where it is a span that cannot be kept.
func (r *repairer) repair(dst []byte, m *message, buf []byte) (out []byte, ok bool) {
	for len(buf) > 0 {
		f, value, n, err := next(m, buf)
		if err != nil || n == 0 {
			return append(dst, buf...), true // the decoder says what is wrong
		}
		field := buf[:n]
		buf = buf[n:]
		switch {
		case f != nil && f.bad(value):
			if m.name == spanMessage {
				return dst, false
			}
			r.ids++
		case f != nil && f.msg != nil && f.msg.checked && f.msg.name != anyValue:
			from := len(dst)
			inner, ok := r.repair(nil, f.msg, value)
			if !ok {
				r.spans++
				dst = dst[:from]
				continue
			}
			dst = protowire.AppendTag(dst, f.number, protowire.BytesType)
			dst = protowire.AppendBytes(dst, inner)
		default:
			dst = append(dst, field...)
		}
	}
	return dst, true
}

// hashSpans is a keyed hash of each span with its resource and scope, in the
// order in which they are decoded.
func hashSpans(seed maphash.Seed, request *message, body []byte) []uint64 {
	var out []uint64
	each(request, body, 1, func(resource *message, rs []byte) {
		outer := hashRest(seed, resource, rs, 2, 0)
		each(resource, rs, 2, func(scope *message, ss []byte) {
			inner := hashRest(seed, scope, ss, 2, outer)
			each(scope, ss, 2, func(_ *message, span []byte) {
				out = append(out, hashWith(seed, inner, span))
			})
		})
	})
	return out
}

// each calls do with every message in a field.
func each(m *message, buf []byte, number protoreflect.FieldNumber, do func(m *message, value []byte)) {
	for len(buf) > 0 {
		f, value, n, err := next(m, buf)
		if err != nil || n == 0 {
			return
		}
		if buf = buf[n:]; f != nil && f.number == number {
			do(f.msg, value)
		}
	}
}

// hashRest hashes a message without one of its fields.
func hashRest(seed maphash.Seed, m *message, buf []byte, without protoreflect.FieldNumber, with uint64) uint64 {
	for len(buf) > 0 {
		f, _, n, err := next(m, buf)
		if err != nil || n == 0 {
			break
		}
		if f == nil || f.number != without {
			with = hashWith(seed, with, buf[:n])
		}
		buf = buf[n:]
	}
	return with
}

func hashWith(seed maphash.Seed, with uint64, b []byte) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	var prefix [8]byte
	binary.LittleEndian.PutUint64(prefix[:], with)
	_, _ = h.Write(prefix[:])
	_, _ = h.Write(b)
	return h.Sum64()
}
