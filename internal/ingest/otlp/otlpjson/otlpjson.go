// Package otlpjson brings bodies of OTLP/JSON into the form that the decoder of
// pdata reads: one document at a time, without members that are null.
//
// Protobuf's own JSON parser takes null for "the default" in every field, and
// JavaScript writes null for NaN and infinities, so that one odd attribute would otherwise
// cost a whole batch. It knows nothing of the messages.
//
// In: a body. Out: its documents. Bodies without null are not copied.
package otlpjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Documents splits a body into its JSON documents: one, or several that follow
// each other, as the Collector's file exporter writes them line by line. Anything else
// after a document is an error, so that nothing is taken of which a part would be lost.
func Documents(body []byte) ([][]byte, error) {
	dec := json.NewDecoder(bytes.NewReader(body))
	var out [][]byte
	for {
		var doc json.RawMessage
		err := dec.Decode(&doc)
		if errors.Is(err, io.EOF) && len(out) > 0 {
			return out, nil
		}
		if err != nil {
			return nil, position(err, len(out), dec.InputOffset())
		}
		if first := bytes.TrimLeft(doc, " \t\r\n"); len(first) == 0 || first[0] != '{' {
			return nil, fmt.Errorf("document %d, which ends at byte %d, is not a JSON object", len(out)+1, dec.InputOffset())
		}
		out = append(out, WithoutNulls(doc))
	}
}

func position(err error, before int, at int64) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("the JSON text ends too early")
	}
	if before == 0 {
		return err
	}
	return fmt.Errorf("after document %d, at byte %d: %w", before, at, err)
}

// WithoutNulls is the JSON text without the members of objects that are null.
// The text must be valid.
func WithoutNulls(text []byte) []byte {
	if !bytes.Contains(text, []byte("null")) {
		return text
	}
	s := stripper{in: text, out: make([]byte, 0, len(text))}
	s.value()
	return s.out
}

// stripper copies a valid text value by value.
type stripper struct {
	in  []byte
	out []byte
	at  int
}

func (s *stripper) space() {
	for s.at < len(s.in) && (s.in[s.at] == ' ' || s.in[s.at] == '\t' || s.in[s.at] == '\n' || s.in[s.at] == '\r') {
		s.at++
	}
}

func (s *stripper) value() {
	s.space()
	if s.at >= len(s.in) {
		return
	}
	switch s.in[s.at] {
	case '{':
		s.list('}', s.member)
	case '[':
		s.list(']', func() bool { s.value(); return true })
	case '"':
		s.text()
	default:
		s.word()
	}
}

// list copies an object or an array; item says whether it kept what it read.
func (s *stripper) list(end byte, item func() bool) {
	s.out = append(s.out, s.in[s.at])
	s.at++
	kept := false
	for s.at < len(s.in) {
		s.space()
		if s.at >= len(s.in) {
			return
		}
		if s.in[s.at] == end {
			s.out = append(s.out, end)
			s.at++
			return
		}
		if s.in[s.at] == ',' {
			s.at++
			continue
		}
		mark := len(s.out)
		if kept {
			s.out = append(s.out, ',')
		}
		if item() {
			kept = true
		} else {
			s.out = s.out[:mark]
		}
	}
}

func (s *stripper) member() bool {
	s.text()
	s.space()
	if s.at < len(s.in) && s.in[s.at] == ':' {
		s.at++
	}
	s.out = append(s.out, ':')
	s.space()
	if bytes.HasPrefix(s.in[s.at:], []byte("null")) {
		s.at += len("null")
		return false
	}
	s.value()
	return true
}

func (s *stripper) text() {
	from := s.at
	for s.at++; s.at < len(s.in) && s.in[s.at] != '"'; s.at++ {
		if s.in[s.at] == '\\' {
			s.at++
		}
	}
	s.at = min(s.at+1, len(s.in))
	s.out = append(s.out, s.in[from:s.at]...)
}

func (s *stripper) word() {
	from := s.at
	for s.at++; s.at < len(s.in); s.at++ {
		if c := s.in[s.at]; c == ',' || c == '}' || c == ']' || c == ' ' || c == '\n' || c == '\t' || c == '\r' {
			break
		}
	}
	s.out = append(s.out, s.in[from:s.at]...)
}
