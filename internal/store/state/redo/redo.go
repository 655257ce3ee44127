// Package redo is the second record of what was written to the state database: every transaction's statements, in
// order.
//
// It knows no database and decides nothing. In: statements with their arguments. Out: the same, from a file
// that may have been cut off or damaged.
//
// The file is Magic, then records: length and CRC-32C of the payload (both 4 bytes, little-endian), and the payload:
// the transaction's number, the number of statements, and each statement's text and arguments, all
// lengths and integers as varints. Records are appended with one write each.
//
// Invariants: Parse never answers a record that was not appended whole, nor one after a damaged one;
// numbers are the caller's to compare.
//
// Start reading at Record.
package redo

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
)

// Magic begins a file.
const Magic = "SBREDO1\n"

const headerSize = 8

// Record is one transaction.
type Record struct {
	Number     int64
	Statements []Statement
}

// Statement is one statement. Arguments are nil, int64, float64, bool, string or []byte.
type Statement struct {
	SQL  string
	Args []any
}

// The kinds of argument.
const (
	kindNil byte = iota
	kindInt
	kindFloat
	kindTrue
	kindFalse
	kindText
	kindBytes
)

func table() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// Append adds a record to b; an argument of another type is an error.
func Append(b []byte, r Record) ([]byte, error) {
	start := len(b)
	b = append(b, make([]byte, headerSize)...)
	b = binary.AppendVarint(b, r.Number)
	b = binary.AppendUvarint(b, uint64(len(r.Statements)))
	for _, s := range r.Statements {
		b = appendText(b, s.SQL)
		b = binary.AppendUvarint(b, uint64(len(s.Args)))
		for _, a := range s.Args {
			switch a := a.(type) {
			case nil:
				b = append(b, kindNil)
			case int64:
				b = binary.AppendVarint(append(b, kindInt), a)
			case float64:
				b = binary.LittleEndian.AppendUint64(append(b, kindFloat), math.Float64bits(a))
			case bool:
				kind := kindFalse
				if a {
					kind = kindTrue
				}
				b = append(b, kind)
			case string:
				b = appendText(append(b, kindText), a)
			case []byte:
				b = appendText(append(b, kindBytes), string(a))
			default:
				return b[:start], fmt.Errorf("argument of type %T", a)
			}
		}
	}
	payload := b[start+headerSize:]
	binary.LittleEndian.PutUint32(b[start:], uint32(len(payload)))
	binary.LittleEndian.PutUint32(b[start+4:], crc32.Checksum(payload, table()))
	return b, nil
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// Parse reads a file. err says where it is damaged or cut off; the records before are answered all the
// same.
func Parse(text []byte) (records []Record, err error) {
	rest, ok := bytes.CutPrefix(text, []byte(Magic))
	if !ok {
		return nil, errors.New("it does not begin as a redo log")
	}
	for len(rest) > 0 {
		at := len(text) - len(rest)
		if len(rest) < headerSize {
			return records, fmt.Errorf("it is cut off at byte %d", at)
		}
		size, sum := binary.LittleEndian.Uint32(rest), binary.LittleEndian.Uint32(rest[4:])
		if uint64(size) > uint64(len(rest)-headerSize) {
			return records, fmt.Errorf("it is cut off or damaged at byte %d", at)
		}
		payload := rest[headerSize : headerSize+int(size)]
		if crc32.Checksum(payload, table()) != sum {
			return records, fmt.Errorf("it is damaged at byte %d", at)
		}
		r, err := parseRecord(payload)
		if err != nil {
			return records, fmt.Errorf("record at byte %d: %w", at, err)
		}
		records = append(records, r)
		rest = rest[headerSize+int(size):]
	}
	return records, nil
}

// reader takes a payload apart; the first mistake stays in err.
type reader struct {
	b   []byte
	err error
}

func (r *reader) fail() { r.b, r.err = nil, errors.New("it is not what was appended") }

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) take(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.fail()
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) text() string { return string(r.take(r.uvarint())) }

func (r *reader) arg() any {
	kind := r.take(1)
	if len(kind) == 0 {
		return nil
	}
	switch kind[0] {
	case kindNil:
		return nil
	case kindInt:
		return r.varint()
	case kindFloat:
		if b := r.take(8); b != nil {
			return math.Float64frombits(binary.LittleEndian.Uint64(b))
		}
		return nil
	case kindTrue, kindFalse:
		return kind[0] == kindTrue
	case kindText:
		return r.text()
	case kindBytes:
		return []byte(r.text())
	}
	r.fail()
	return nil
}

func parseRecord(payload []byte) (Record, error) {
	r := &reader{b: payload}
	out := Record{Number: r.varint()}
	for n := r.uvarint(); n > 0 && r.err == nil; n-- {
		s := Statement{SQL: r.text()}
		for args := r.uvarint(); args > 0 && r.err == nil; args-- {
			s.Args = append(s.Args, r.arg())
		}
		out.Statements = append(out.Statements, s)
	}
	if r.err == nil && len(r.b) > 0 {
		r.fail()
	}
	return out, r.err
}
