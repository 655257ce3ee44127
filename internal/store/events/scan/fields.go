package scan

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/head"
	"github.com/signalbox-project/signalbox/internal/store/events/match"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

// maxSampled is how many matching rows of a part are looked at for attribute keys:
// their order is by frequency in the sample.
const maxSampled = part.BlockRows

// listedFields are the fields that are no attributes and worth listing: those
// that every record has say nothing.
func listedFields(signal part.Signal) []string {
	names := store.LogFieldNames()
	if signal == part.Spans {
		names = store.SpanFieldNames()
	}
	return slices.DeleteFunc(names, func(n string) bool { return n == "timestamp" || n == "message" })
}

// fieldSet collects the fields of matching rows; it belongs to one goroutine.
type fieldSet struct {
	names   []string
	seen    map[string]bool
	keys    map[string]int
	sampled int
	head    *match.HeadAttrs
	readers map[string]*match.FieldReader
}

func newFieldSet(signal part.Signal) *fieldSet {
	return &fieldSet{
		names: listedFields(signal), seen: map[string]bool{}, keys: map[string]int{},
		readers: map[string]*match.FieldReader{},
	}
}

func (s *fieldSet) Block(t *match.Table, b *match.Block) error {
	for _, name := range s.names {
		if s.seen[name] {
			continue
		}
		r := s.readers[name]
		if r == nil {
			var err error
			if r, err = match.NewFieldReader(t, name, match.NewSlots(maxDistinct)); err != nil {
				return err
			}
			s.readers[name] = r
		}
		err := r.Each(b, func(_ int, slot int32) {
			s.seen[name] = s.seen[name] || slot < 0 || r.Value(slot) != ""
		})
		if err != nil {
			return err
		}
	}
	if s.sampled >= maxSampled {
		return nil
	}
	s.sampled += b.Count()
	return s.attrs(t, b)
}

// attrs counts the attribute keys of a block's rows.
func (s *fieldSet) attrs(t *match.Table, b *match.Block) error {
	var rows []fetched
	b.Each(func(i int) { rows = append(rows, fetched{row: b.RowAt(i)}) })
	attrs, err := attributes(t, rows)
	if err != nil {
		return err
	}
	for _, list := range attrs {
		s.addKeys(list)
	}
	if t.Signal == part.Spans && t.MayHaveInner("") {
		inner, err := t.OpenInner()
		if err != nil {
			return err
		}
		if err := inner.Load(b.RowAt(0)); err != nil {
			return err
		}
		for _, r := range rows {
			s.addInner(inner.At(r.row))
		}
	}
	known := map[string]model.Attrs{}
	return texts(t, part.ColResource, rows, func(_ int, text string) {
		list, ok := known[text]
		if !ok {
			list, _ = head.DecodeAttrsJSON(text) // fetching a row would report it
			known[text] = list
		}
		s.addKeys(list)
	})
}

func (s *fieldSet) addKeys(list model.Attrs) {
	for _, a := range list {
		s.keys[a.Key]++
	}
}

// addInner counts the fields of a span's events and links.
func (s *fieldSet) addInner(events, links string) {
	store.EachInnerJSON(events, links, func(_ bool, key string, _ model.Value) { s.keys[strings.Clone(key)]++ })
}

func (s *fieldSet) Row(u *match.Unit, i int) {
	for _, name := range s.names {
		if !s.seen[name] && match.HeadText(u, &s.head, i, name) != "" {
			s.seen[name] = true
		}
	}
	var attrs *head.Attrs
	var res *model.Resource
	if u.Logs != nil {
		attrs, res = &u.Logs.Attributes, u.Logs.Resources.At(i)
	} else {
		attrs, res = &u.Spans.Attributes, u.Spans.Resources.At(i)
		s.addInner(u.Spans.Events.At(i), u.Spans.Links.At(i))
	}
	from, to := attrs.Cells(i)
	for c := from; c < to; c++ {
		s.keys[attrs.Keys[attrs.KeyAt(c)]]++
	}
	s.addKeys(res.Attrs)
}

// listed takes a whole part's fields from its metadata and dictionaries.
func (s *fieldSet) listed(t *match.Table) error {
	for _, f := range t.Fields {
		s.keys[f.Key] += f.Count
	}
	for _, name := range s.names {
		if s.seen[name] {
			continue
		}
		found, err := anyValue(t, name)
		if err != nil {
			return err
		}
		s.seen[name] = found
	}
	return nil
}

// anyValue reports whether a column has a value that is not empty.
func anyValue(t *match.Table, field string) (bool, error) {
	r, err := match.NewFieldReader(t, field, match.NewSlots(2))
	if err != nil {
		return false, err
	}
	found := false
	for from := 0; from < t.Rows && !found; from += part.BlockRows {
		b := match.WholeBlock(from, min(part.BlockRows, t.Rows-from))
		err := r.Each(&b, func(_ int, slot int32) { found = found || slot < 0 || r.Value(slot) != "" })
		if err != nil {
			return false, err
		}
	}
	return found, nil
}

// fields lists the fields of matching rows.
func (s *Scanner) fields(ctx context.Context, q *match.Query, limit int) ([]string, error) {
	v := s.source.View(q.Signal, q.Range)
	defer v.Release()
	total := newFieldSet(q.Signal)
	var mu sync.Mutex
	err := run(ctx, v, unitsOf(v, q.Range, false), func(ctx context.Context, _ int, u *match.Unit) error {
		one := newFieldSet(q.Signal)
		mu.Lock()
		maps.Copy(one.seen, total.seen) // no need to look again for what was seen
		mu.Unlock()
		whole := u.Part != nil && q.Expr == nil && (q.Tenant == "" || len(u.Part.Tenants) == 1 && u.Part.Tenants[0] == q.Tenant) &&
			(q.Range == store.Range{} || q.Range.Contains(u.Min) && q.Range.Contains(u.Max))
		var err error
		if whole {
			t := match.NewTable(u.Part)
			defer t.Close()
			err = one.listed(t)
		} else {
			err = q.Scan(ctx, u, one)
		}
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		for name, seen := range one.seen {
			total.seen[name] = total.seen[name] || seen
		}
		for key, n := range one.keys {
			if total.keys[key] > 0 || len(total.keys) < maxDistinct {
				total.keys[key] += n
			}
		}
		return nil
	})
	return total.list(limit), err
}

func (s *fieldSet) list(limit int) []string {
	out := []string{}
	for _, name := range s.names {
		if s.seen[name] {
			out = append(out, name)
		}
	}
	own := len(out)
	for key := range s.keys {
		if key != "" {
			out = append(out, key)
		}
	}
	slices.SortFunc(out[own:], func(a, b string) int {
		return cmp.Or(cmp.Compare(s.keys[b], s.keys[a]), cmp.Compare(a, b))
	})
	for i := range out[own:] {
		out[own+i] = store.AttrField(out[own+i])
	}
	if limit > 0 && len(out) > limit {
		out = out[:limit]
	}
	return out
}
