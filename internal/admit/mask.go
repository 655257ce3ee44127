package admit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/signalbox-project/signalbox/internal/admit/identifiers"
	"github.com/signalbox-project/signalbox/internal/mask/pattern"
)

// maskText replaces what is masked; its length says nothing about the original.
const maskText = "***"

// masker finds personal data and credentials.
type masker struct {
	fields   []string // lower-case
	patterns []*pattern.Pattern
	ids      *identifiers.Hasher
}

func newMasker(cfg PIIConfig, ids *identifiers.Hasher) (*masker, error) {
	m := &masker{ids: ids}
	for _, f := range cfg.MaskFields {
		m.fields = append(m.fields, strings.ToLower(f))
	}
	for i, p := range cfg.MaskPatterns {
		pat, err := newPattern(p)
		if err != nil {
			return nil, fmt.Errorf("pii.mask_patterns[%d]: %w", i, err)
		}
		m.patterns = append(m.patterns, pat)
	}
	return m, nil
}

// field reports whether key names a masked field: it is the name, or ends with
// the name as a word of its own (user.password, access_token, apiSecret).
func (m *masker) field(key string) bool {
	for _, f := range m.fields {
		at := len(key) - len(f)
		if at < 0 || !strings.EqualFold(key[at:], f) {
			continue
		}
		if at == 0 || wordStart(key, at) {
			return true
		}
	}
	return false
}

// wordStart reports whether a word begins at key[i]: after a separator, or at a
// capital after a small letter.
func wordStart(key string, i int) bool {
	switch prev := key[i-1]; {
	case 'a' <= prev && prev <= 'z', '0' <= prev && prev <= '9':
		return 'A' <= key[i] && key[i] <= 'Z'
	case 'A' <= prev && prev <= 'Z':
		return false
	}
	return true
}

// did is what was altered in a text.
type did struct {
	masked bool
	hashed int
}

func (d did) any() bool { return d.masked || d.hashed > 0 }

func (d *did) add(more did) {
	d.masked = d.masked || more.masked
	d.hashed += more.hashed
}

// text masks every pattern in s. One that is JSON, as a structured log line is, is treated field by field.
func (m *masker) text(s string) (string, did) {
	if pattern.LooksJSON(s) {
		return m.json(s)
	}
	return m.plain(s)
}

func (m *masker) plain(s string) (string, did) {
	var d did
	for _, p := range m.patterns {
		if out, found := maskAll(p, s); found {
			s, d.masked = out, true
		}
	}
	return s, d
}

// json masks fields and patterns and hashes identifiers inside a JSON text. Text in which no field
// name and no pattern occurs is not taken apart.
func (m *masker) json(text string) (string, did) {
	if !m.mayContain(text) {
		return text, did{}
	}
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return m.plain(text)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) { // more than one value
		return m.plain(text)
	}
	v, d := m.walk(v)
	if !d.any() {
		return text, d
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return m.plain(text)
	}
	return strings.TrimSuffix(out.String(), "\n"), d
}

func (m *masker) mayContain(text string) bool {
	if _, d := m.plain(text); d.masked {
		return true
	}
	// An escaped key could spell a field's name in \u sequences.
	if strings.Contains(text, `\u`) {
		return len(m.fields) > 0 || !m.ids.None()
	}
	lower := strings.ToLower(text)
	for _, f := range m.fields {
		if strings.Contains(lower, f+`"`) || strings.Contains(lower, f+`\"`) {
			return true
		}
	}
	return m.ids.MayName(text)
}

func (m *masker) walk(v any) (any, did) {
	var all did
	switch v := v.(type) {
	case string:
		s, d := m.text(v)
		return s, d
	case []any:
		for i := range v {
			e, d := m.walk(v[i])
			v[i] = e
			all.add(d)
		}
		return v, all
	case map[string]any:
		for key := range v {
			e, d := m.entry(key, v[key])
			v[key] = e
			all.add(d)
		}
		return v, all
	}
	return v, all
}

// entry is one field of an object.
func (m *masker) entry(key string, v any) (any, did) {
	switch {
	case m.field(key):
		s, is := v.(string)
		return maskText, did{masked: !is || s != maskText}
	case m.ids.Names(key):
		return m.hashAll(v)
	}
	return m.walk(v)
}

// hashAll hashes every value in what an identifier's field holds: there may be a list of them.
func (m *masker) hashAll(v any) (any, did) {
	var all did
	switch v := v.(type) {
	case nil:
		return v, all
	case []any:
		for i := range v {
			e, d := m.hashAll(v[i])
			v[i] = e
			all.add(d)
		}
		return v, all
	case map[string]any:
		for key := range v {
			e, d := m.hashAll(v[key])
			if m.field(key) {
				e, d = maskText, did{masked: true}
			}
			v[key] = e
			all.add(d)
		}
		return v, all
	}
	if hash, ok := m.ids.Hash(fmt.Sprint(v)); ok {
		return hash, did{hashed: 1}
	}
	return v, all
}

// hashJSON is hashAll of a JSON text; one that cannot be read is hashed as a whole.
func (m *masker) hashJSON(text string) (string, did) {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil {
		v = text
	}
	v, d := m.hashAll(v)
	if !d.any() {
		return text, d
	}
	out, err := json.Marshal(v)
	if err != nil {
		return `"` + maskText + `"`, did{masked: true}
	}
	return string(out), d
}
