package admit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// maskText replaces what is masked; its length says nothing about the original.
const maskText = "***"

// masker finds personal data and credentials.
type masker struct {
	fields   []string // lower-case
	patterns []pattern
}

func newMasker(cfg PIIConfig) (*masker, error) {
	m := &masker{}
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

// text masks every pattern in s; ok says whether there was one.
func (m *masker) text(s string) (masked string, ok bool) {
	for _, p := range m.patterns {
		if out, found := p.mask(s); found {
			s, ok = out, true
		}
	}
	return s, ok
}

// json masks fields and patterns inside a JSON text. Text in which no field
// name and no pattern occurs is not taken apart.
func (m *masker) json(text string) (masked string, ok bool) {
	if !m.mayContain(text) {
		return text, false
	}
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return m.text(text)
	}
	v, ok = m.walk(v)
	if !ok {
		return text, false
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return m.text(text)
	}
	return strings.TrimSuffix(out.String(), "\n"), true
}

func (m *masker) mayContain(text string) bool {
	if len(m.patterns) > 0 {
		if _, found := m.text(text); found {
			return true
		}
	}
	// An escaped key could spell a field's name in \u sequences.
	if strings.Contains(text, `\u`) {
		return len(m.fields) > 0
	}
	lower := strings.ToLower(text)
	for _, f := range m.fields {
		if strings.Contains(lower, f+`"`) {
			return true
		}
	}
	return false
}

func (m *masker) walk(v any) (out any, changed bool) {
	switch v := v.(type) {
	case string:
		return m.text(v)
	case []any:
		for i := range v {
			e, ok := m.walk(v[i])
			v[i], changed = e, changed || ok
		}
		return v, changed
	case map[string]any:
		for key := range v {
			if m.field(key) {
				if s, is := v[key].(string); !is || s != maskText {
					v[key], changed = maskText, true
				}
				continue
			}
			e, ok := m.walk(v[key])
			v[key], changed = e, changed || ok
		}
		return v, changed
	}
	return v, false
}
