package model

import (
	"encoding/hex"
	"fmt"
)

// TraceID is a W3C trace id, 16 bytes; the zero value means "none".
type TraceID [16]byte

// SpanID is a W3C span id, 8 bytes; the zero value means "none".
type SpanID [8]byte

// IsZero reports whether the id is absent.
func (id TraceID) IsZero() bool { return id == TraceID{} }

// IsZero reports whether the id is absent.
func (id SpanID) IsZero() bool { return id == SpanID{} }

// String is 32 lower-case hex digits, or "" for the zero id.
func (id TraceID) String() string {
	if id.IsZero() {
		return ""
	}
	return hex.EncodeToString(id[:])
}

// String is 16 lower-case hex digits, or "" for the zero id.
func (id SpanID) String() string {
	if id.IsZero() {
		return ""
	}
	return hex.EncodeToString(id[:])
}

// MarshalText writes the hex form.
func (id TraceID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// MarshalText writes the hex form.
func (id SpanID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads what ParseTraceID reads.
func (id *TraceID) UnmarshalText(b []byte) (err error) {
	*id, err = ParseTraceID(string(b))
	return err
}

// UnmarshalText reads what ParseSpanID reads.
func (id *SpanID) UnmarshalText(b []byte) (err error) {
	*id, err = ParseSpanID(string(b))
	return err
}

// ParseTraceID reads up to 32 hex digits (shorter ids, as old Zipkin and
// Jaeger clients send them, are padded with zeros on the left) with or without the
// dashes of a UUID. The empty string is the zero id.
func ParseTraceID(s string) (id TraceID, err error) {
	err = parseHexID(id[:], s)
	return id, err
}

// ParseSpanID reads up to 16 hex digits; the empty string is the zero id.
func ParseSpanID(s string) (id SpanID, err error) {
	err = parseHexID(id[:], s)
	return id, err
}

func parseHexID(dst []byte, s string) error {
	n := len(dst) * 2
	for i := len(s) - 1; i >= 0; i-- {
		c := s[i]
		if c == '-' && len(s) == 36 {
			continue
		}
		v, ok := hexDigit(c)
		if !ok {
			return fmt.Errorf("id %q: %q is not a hex digit", s, c)
		}
		if n--; n < 0 {
			return fmt.Errorf("id %q: more than %d hex digits", s, len(dst)*2)
		}
		dst[n/2] |= v << (4 * (1 - n%2))
	}
	return nil
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}
