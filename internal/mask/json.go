package mask

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/signalbox-project/signalbox/internal/mask/pattern"
	"github.com/signalbox-project/signalbox/internal/store"
)

// A JSON text is not written again, it is copied with some values replaced: what is not masked stays byte for byte, so that its words do.

// place names what stands in a JSON text: the field at a path of members, or that it is none that is masked.
type place func(path []string) (field string, masked bool)

// attrsIn is a value of an attribute; of "" a text whose members are attributes.
func attrsIn(key string) place {
	return func(path []string) (string, bool) {
		field := strings.Join(path, ".")
		if key != "" && field != "" {
			return key + "." + field, true
		}
		return key + field, true
	}
}

// inner is a list of a span's events or links, as files keep it.
func inner(path []string) (string, bool) {
	switch {
	case len(path) > 1 && path[0] == "attributes":
		return strings.Join(path[1:], "."), true
	case len(path) == 1 && path[0] == "name":
		return store.EventName, true
	}
	return "", false
}

// rewriting is a JSON text on its way.
type rewriting struct {
	set  *set
	at   place
	root verdict // about the text itself
	free bool    // words need not stay: texts in it are written anew
	text string
	dec  *json.Decoder
	out  strings.Builder
	done int // what of text is in out
	path []string
}

// json masks a JSON text; false says that it is none.
func (s *set) json(text string, at place, root verdict) (string, bool) {
	return s.rewrite(text, at, root, false)
}

func (s *set) rewrite(text string, at place, root verdict, free bool) (string, bool) {
	if !json.Valid([]byte(text)) {
		return text, false
	}
	w := &rewriting{set: s, at: at, root: root, free: free, text: text, dec: json.NewDecoder(strings.NewReader(text))}
	w.dec.UseNumber()
	if !w.value() {
		return text, false
	}
	w.out.WriteString(text[w.done:])
	return w.out.String(), true
}

// value copies one value. It calls itself no deeper than the decoder allows.
func (w *rewriting) value() bool {
	from := int(w.dec.InputOffset())
	tok, err := w.dec.Token()
	if err != nil {
		return false
	}
	start := from + len(w.text[from:]) - len(strings.TrimLeft(w.text[from:], " \t\r\n,:"))
	var about verdict
	field, masked := w.at(w.path)
	if masked {
		about = w.about(field)
	}
	if about.whole != nil && tok != nil && tok != "" {
		if !w.pass(tok) {
			return false
		}
		end := int(w.dec.InputOffset())
		w.replace(start, end, quoted(about.whole.instead(contentOf(tok, w.text[start:end]))))
		return true
	}
	switch tok := tok.(type) {
	case json.Delim:
		return w.members(tok == '{')
	case string:
		if masked {
			w.string(start, int(w.dec.InputOffset()), field, about)
		}
	case json.Number:
		if found := hits(about.within, tok.String()); len(found) > 0 {
			w.replace(start, int(w.dec.InputOffset()), quoted(replaced(tok.String(), found)))
		}
	}
	return true
}

// about is what rules do to a field of the text; "" is one of no name, of which what holds for the text does.
func (w *rewriting) about(field string) verdict {
	if field == "" {
		return w.root
	}
	v := w.set.attr(field)
	if v.whole == nil && len(w.root.within) > 0 {
		v.within = append(slices.Clip(v.within), w.root.within...)
	}
	return v
}

func (w *rewriting) members(object bool) bool {
	for w.dec.More() {
		if object {
			key, err := w.dec.Token()
			if err != nil {
				return false
			}
			w.path = append(w.path, key.(string))
		}
		if !w.value() {
			return false
		}
		if object {
			w.path = w.path[:len(w.path)-1]
		}
	}
	_, err := w.dec.Token() // the end
	return err == nil
}

// pass reads over the rest of a value that began with tok.
func (w *rewriting) pass(tok json.Token) bool {
	depth := 0
	for {
		if d, ok := tok.(json.Delim); ok {
			if d == '{' || d == '[' {
				depth++
			} else {
				depth--
			}
		}
		if depth == 0 {
			return true
		}
		var err error
		if tok, err = w.dec.Token(); err != nil {
			return false
		}
	}
}

func (w *rewriting) replace(start, end int, text string) {
	w.out.WriteString(w.text[w.done:start])
	w.out.WriteString(text)
	w.done = end
}

// contentOf is what a hash is of: a text without its quotes.
func contentOf(tok json.Token, raw string) string {
	if s, ok := tok.(string); ok {
		return s
	}
	return raw
}

// quoted is a replacement as JSON: it holds nothing that needs more than quotes.
func quoted(s string) string { return `"` + escaped(s) + `"` }

func escaped(s string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s)
}

// string masks within a text that stands at text[start:end], quotes included.
func (w *rewriting) string(start, end int, field string, about verdict) {
	u := unescape(w.text[start+1 : end-1])
	if w.free {
		if out := w.set.text(field, u.text, about); out != u.text {
			text, _ := json.Marshal(out) // of a text it does not fail
			w.replace(start, end, string(text))
		}
		return
	}
	if pattern.LooksJSON(u.text) {
		if out := w.set.text(field, u.text, about); out != u.text { // a text in a text is not taken apart
			w.replace(start, end, quoted(w.set.unread().instead(u.text)))
		}
		return
	}
	if seen := store.Visible(u.text); seen != u.text {
		if found := hits(about.within, seen); len(found) > 0 {
			w.replace(start, end, quoted(found[0].rule.instead(u.text)))
			return
		}
	}
	for _, h := range hits(about.within, u.text) {
		at := u.raw(h.Span)
		w.replace(max(start+1+at.Start, w.done), start+1+at.End, escaped(h.rule.instead(u.text[h.Start:h.End])))
	}
}

// unescaped is what stands between the quotes of a JSON text: as it reads, and where each of its characters came from.
type unescaped struct {
	text   string
	source string
	// starts[i] is where in source the character stands that has byte i of text; one more for the end.
	starts []int
}

func unescape(source string) unescaped {
	u := unescaped{source: source}
	if strings.IndexByte(source, '\\') < 0 && utf8.ValidString(source) {
		u.text = source
		return u
	}
	var b strings.Builder
	u.starts = make([]int, 0, len(source)+1)
	for i := 0; i < len(source); {
		r, n := runeAt(source[i:])
		before := b.Len()
		b.WriteRune(r)
		for range b.Len() - before {
			u.starts = append(u.starts, i)
		}
		i += n
	}
	u.starts = append(u.starts, len(source))
	u.text = b.String()
	return u
}

// runeAt reads the character that a valid source begins with, and how long it is there.
func runeAt(s string) (rune, int) {
	if s[0] != '\\' || len(s) < 2 {
		return utf8.DecodeRuneInString(s)
	}
	switch c := s[1]; c {
	case 'u':
		r := hex4(s[2:])
		if utf16.IsSurrogate(r) && strings.HasPrefix(s[min(6, len(s)):], `\u`) {
			if both := utf16.DecodeRune(r, hex4(s[8:])); both != utf8.RuneError {
				return both, 12
			}
		}
		if utf16.IsSurrogate(r) {
			r = utf8.RuneError
		}
		return r, min(6, len(s))
	case 'n':
		return '\n', 2
	case 't':
		return '\t', 2
	case 'r':
		return '\r', 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	default:
		return rune(c), 2
	}
}

func hex4(s string) rune {
	n, err := strconv.ParseUint(s[:min(4, len(s))], 16, 32)
	if err != nil {
		return utf8.RuneError
	}
	return rune(n)
}

// raw is where in the source a span of the text stands, widened to the bounds of words as they read there: of \nname the source has the word nname.
func (u unescaped) raw(at pattern.Span) pattern.Span {
	if u.starts == nil {
		return at
	}
	out := pattern.Span{Start: u.starts[at.Start], End: u.starts[at.End]}
	for i := at.Start; i > 0; {
		_, n := utf8.DecodeLastRuneInString(u.text[:i])
		i -= n
		before := u.source[u.starts[i]:out.Start]
		first, _ := utf8.DecodeRuneInString(u.source[out.Start:])
		if last, _ := utf8.DecodeLastRuneInString(before); !joined(last, first) {
			break
		}
		out.Start = u.starts[i]
	}
	for i := at.End; i < len(u.text); {
		_, n := utf8.DecodeRuneInString(u.text[i:])
		after, _ := utf8.DecodeRuneInString(u.source[out.End:])
		if last, _ := utf8.DecodeLastRuneInString(u.source[:out.End]); !joined(last, after) {
			break
		}
		i += n
		out.End = u.starts[i]
	}
	return out
}
