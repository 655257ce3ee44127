package part

import (
	"slices"
	"strings"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// innerFields collects the fields of spans' events and links.
type innerFields struct{ counts map[string]int }

// add hashes the words and fields of a span's events and links, given as JSON.
func (f *innerFields) add(s *hashSet, events, links string) {
	if events == "" && links == "" {
		return
	}
	store.EachInnerJSON(events, links, func(_ bool, key string, v model.Value) {
		if n, ok := f.counts[key]; ok || len(f.counts) < maxFields {
			if !ok {
				key = strings.Clone(key)
			}
			f.counts[key] = n + 1
		}
		s.addValue(key, v)
		if text, ok := store.InnerText(key, v); ok {
			s.escapes = s.escapes || store.HasEscapes(text)
			store.Words(text, func(h uint64, _, _ int) bool {
				s.add(InnerWordHash(h))
				return true
			})
		}
	})
}

// names are the fields, sorted.
func (f *innerFields) names() []string {
	var out []string
	for k := range f.counts {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
