package mask

import (
	"strings"
	"sync"

	"github.com/signalbox-project/signalbox/internal/mask/pattern"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// set is the rules that apply to one record. It is safe for concurrent use.
type set struct {
	rules []*rule
	own   map[string]verdict // of ownFields

	mu    sync.Mutex
	known map[string]verdict // of attributes
}

// verdict is what rules do to one field.
type verdict struct {
	whole  *rule   // masks it as a whole
	within []*rule // mask what their patterns find in it
	// below says that rules may mask fields that lie within its value.
	below bool
}

// maxKnown bounds the remembered verdicts; over it all are forgotten: names come from whoever sends.
const maxKnown = 4096

func newSet(rules []*rule) *set {
	s := &set{rules: rules, own: map[string]verdict{}, known: map[string]verdict{}}
	for _, field := range ownFields() {
		s.own[field] = s.judge(func(r *rule) bool { return r.coversOwn(field) })
	}
	return s
}

func (s *set) judge(covers func(*rule) bool) (v verdict) {
	for _, r := range s.rules {
		switch {
		case !covers(r):
			v.below = true // a name that is longer may end with a field's
		case r.whole():
			v.whole = r
			return v
		default:
			v.within = append(v.within, r)
		}
	}
	return v
}

// attr is what rules do to an attribute.
func (s *set) attr(key string) verdict {
	s.mu.Lock()
	v, ok := s.known[key]
	s.mu.Unlock()
	if ok {
		return v
	}
	name := plain(key)
	v = s.judge(func(r *rule) bool { return r.covers(name) })
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.known) >= maxKnown {
		clear(s.known)
	}
	s.known[strings.Clone(key)] = v
	return v
}

// text masks a text that stands at path; "" is a log's message, whose fields, where it is JSON, are attributes of their own.
func (s *set) text(path, text string, v verdict) string {
	switch {
	case text == "":
		return ""
	case v.whole != nil:
		return v.whole.instead(text)
	case pattern.LooksJSON(text) && (v.below || len(v.within) > 0):
		text, _ = s.json(text, attrsIn(path), v)
	}
	seen := store.Visible(text)
	if found := hits(v.within, seen); len(found) > 0 {
		return replaced(seen, found)
	}
	return text
}

// value masks an attribute's value.
func (s *set) value(key string, v model.Value, about verdict) model.Value {
	switch kind := v.Kind(); {
	case kind == model.KindEmpty || v.String() == "":
	case about.whole != nil:
		return model.StringValue(about.whole.instead(v.String()))
	case kind == model.KindString:
		return changed(v, s.text(key, v.Str(), about), model.StringValue)
	case kind == model.KindJSON:
		out, ok := s.json(v.Str(), attrsIn(key), about)
		if !ok {
			return model.StringValue(s.unread().instead(v.Str()))
		}
		return changed(v, out, model.JSONValue)
	case kind != model.KindBool:
		return changed(v, s.text(key, v.String(), about), model.StringValue)
	}
	return v
}

func changed(v model.Value, text string, of func(string) model.Value) model.Value {
	if text == v.String() {
		return v
	}
	return of(text)
}

// unread is the rule that stands for a value that cannot be read: what is in it nobody knows.
func (s *set) unread() *rule { return s.rules[0] }

// attrs masks a list of attributes; it is the list itself where nothing is masked.
func (s *set) attrs(list model.Attrs) model.Attrs {
	out := list
	for i, a := range list {
		v := s.attr(a.Key)
		if v.whole == nil && len(v.within) == 0 && a.Value.Kind() != model.KindJSON && a.Value.Kind() != model.KindString {
			continue
		}
		masked := s.value(a.Key, a.Value, v)
		if masked == a.Value {
			continue
		}
		if &out[0] == &list[0] {
			out = append(model.Attrs{}, list...)
		}
		out[i].Value = masked
	}
	return out
}

// field masks a field of a record that is no attribute.
func (s *set) field(name, text string) string {
	return s.text("", text, s.own[name])
}
