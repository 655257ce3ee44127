package mask

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/signalbox-project/signalbox/internal/mask/pattern"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Key hashes what rules with `replace: hash` mask: one value has one hash, which is that of the identifiers with the same key.
type Key struct {
	Prefix string // of its hashes
	Secret []byte
	Bytes  int // of a hash, at most 32
}

func (k Key) hash(value string) string {
	mac := hmac.New(sha256.New, k.Secret)
	_, _ = mac.Write([]byte(value))
	return k.Prefix + hex.EncodeToString(mac.Sum(nil)[:min(k.Bytes, sha256.Size)])
}

// rule is a Rule, prepared. It is immutable.
type rule struct {
	Rule
	key      Key
	globs    []glob
	own      []string // of ownFields
	patterns []*pattern.Pattern
}

// mark begins what stands instead of a value.
const mark = "[masked: "

func newRule(r Rule, key Key) (*rule, error) {
	out := &rule{Rule: r, key: key}
	for _, f := range r.Fields {
		if name := store.CanonicalField(f); slices.Contains(ownFields(), name) {
			if out.own = append(out.own, name); name != "request_id" { // which spans have as an attribute
				continue
			}
		}
		out.globs = append(out.globs, glob(plain(strings.TrimPrefix(f, store.AttrPrefix))))
	}
	for _, p := range r.Patterns {
		made, err := pattern.New(p)
		if err != nil {
			return nil, err
		}
		out.patterns = append(out.patterns, made)
	}
	if r.Replace == ReplaceHash && len(key.Secret) == 0 {
		return nil, fmt.Errorf("replace: hash needs a key: list one in privacy.keys")
	}
	return out, nil
}

// whole reports whether the rule masks its fields as a whole.
func (r *rule) whole() bool { return len(r.patterns) == 0 }

// everywhere reports whether the rule looks into every text.
func (r *rule) everywhere() bool { return len(r.Fields) == 0 }

// covers reports whether the rule is about an attribute.
func (r *rule) covers(name string) bool {
	return r.everywhere() || slices.ContainsFunc(r.globs, func(g glob) bool { return g.covers(name) })
}

// coversOwn reports whether the rule is about a field that is no attribute.
func (r *rule) coversOwn(field string) bool { return r.everywhere() || slices.Contains(r.own, field) }

// instead is what stands instead of a value.
func (r *rule) instead(value string) string {
	switch r.Replace {
	case ReplaceLast4:
		if last := last4(value); last != "" {
			return mark + r.Name + " …" + last + "]"
		}
	case ReplaceHash:
		return mark + r.Name + " " + r.key.hash(value) + "]"
	}
	return mark + r.Name + "]"
}

// last4 is how a value ends, where that are letters and digits and less than half of it.
func last4(value string) string {
	const kept = 4
	if utf8.RuneCountInString(value) < 2*kept+1 {
		return ""
	}
	last := value[len(value)-kept:]
	for i := range len(last) {
		if c := last[i]; c >= utf8.RuneSelf || c == '_' || !store.IsWordRune(rune(c)) {
			return ""
		}
	}
	return last
}

// wordsOf are the words of a text in small letters, each letter of a script without spaces alone.
func wordsOf(s string) []string {
	return strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !store.IsWordRune(r) })
}

// says reports whether a word, or one that begins with it, may stand in what the rule writes; it errs on the side of yes.
func (r *rule) says(word string, prefix bool) bool {
	for _, w := range wordsOf(mark + r.Name) {
		if w == word || prefix && strings.HasPrefix(w, word) {
			return true
		}
	}
	switch r.Replace {
	case ReplaceLast4:
		return utf8.RuneCountInString(word) <= 4
	case ReplaceHash:
		return strings.Trim(word, "0123456789abcdef") == "" || word == "h" || word == "h1"
	}
	return false
}

// hit is what a rule masks of a text.
type hit struct {
	pattern.Span
	rule *rule
}

// hits are what rules mask of a text, in order and apart; each reaches to the bounds of its words.
func hits(rules []*rule, s string) []hit {
	var out []hit
	for _, r := range rules {
		for _, p := range r.patterns {
			for _, at := range p.Find(s) {
				out = append(out, hit{reach(s, at), r})
			}
		}
	}
	if len(out) < 2 {
		return out
	}
	slices.SortStableFunc(out, func(a, b hit) int { return cmp.Compare(a.Start, b.Start) })
	apart := out[:1]
	for _, h := range out[1:] {
		if last := &apart[len(apart)-1]; h.Start < last.End {
			last.End = max(last.End, h.End)
			continue
		}
		apart = append(apart, h)
	}
	return apart
}

// reach widens a span to the bounds of its words.
func reach(s string, at pattern.Span) pattern.Span {
	for at.Start > 0 {
		before, n := utf8.DecodeLastRuneInString(s[:at.Start])
		if first, _ := utf8.DecodeRuneInString(s[at.Start:]); !joined(before, first) {
			break
		}
		at.Start -= n
	}
	for at.End < len(s) {
		after, n := utf8.DecodeRuneInString(s[at.End:])
		if last, _ := utf8.DecodeLastRuneInString(s[:at.End]); !joined(last, after) {
			break
		}
		at.End += n
	}
	return at
}

// joined reports whether two runes beside each other lie in one word.
func joined(a, b rune) bool {
	return store.IsWordRune(a) && store.IsWordRune(b) && !store.IsLoneRune(a) && !store.IsLoneRune(b)
}

// replaced is s with what stands instead of the hits.
func replaced(s string, found []hit) string {
	var b strings.Builder
	done := 0
	for _, h := range found {
		b.WriteString(s[done:h.Start])
		b.WriteString(h.rule.instead(s[h.Start:h.End]))
		done = h.End
	}
	b.WriteString(s[done:])
	return b.String()
}
