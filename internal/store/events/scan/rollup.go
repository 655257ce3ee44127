package scan

import (
	"sync"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/match"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

const minute = int64(60e9)

// rolledUp reports whether a field stands in roll-ups.
func rolledUp(signal part.Signal, field string) bool {
	switch field {
	case "", "service", "tenant":
		return true
	case "level":
		return signal == part.Logs
	case "status":
		return signal == part.Spans
	}
	return false
}

// fromRollups reports whether roll-ups answer an expression.
func fromRollups(signal part.Signal, e store.Expr) bool {
	field := ""
	switch e := e.(type) {
	case nil:
		return true
	case store.And:
		return allFromRollups(signal, e.Exprs)
	case store.Or:
		return allFromRollups(signal, e.Exprs)
	case store.Not:
		return fromRollups(signal, e.Expr)
	case store.Compare:
		field = e.Field
	case store.Exists:
		field = e.Field
	case store.Regexp:
		field = e.Field
	}
	return field != "" && rolledUp(signal, field)
}

func allFromRollups(signal part.Signal, list []store.Expr) bool {
	for _, e := range list {
		if !fromRollups(signal, e) {
			return false
		}
	}
	return true
}

// rollupRow is one roll-up as a store.Subject.
type rollupRow struct {
	signal          part.Signal
	tenant, service string
	value           uint8
}

func (r *rollupRow) AnyText(func(string) bool) bool { return false }

func (r *rollupRow) Test(t *store.FieldTest) bool {
	if t.Field == "level" {
		return t.Level(model.Level(r.value))
	}
	return t.Text(r.text(t.Field))
}

func (r *rollupRow) text(field string) string {
	switch field {
	case "tenant":
		return r.tenant
	case "service":
		return r.service
	case "level":
		return model.Level(r.value).String()
	case "status":
		return model.SpanStatus(r.value).String()
	}
	return ""
}

// useRollups reports whether u's roll-ups answer q grouped by field: all its
// rows must lie in range, because roll-ups know minutes only.
func useRollups(q *match.Query, u *match.Unit, field string) bool {
	return u.Part != nil && rolledUp(q.Signal, field) && fromRollups(q.Signal, q.Expr) &&
		(q.Range == store.Range{} || q.Range.Contains(u.Min) && q.Range.Contains(u.Max))
}

// eachRollup calls f for the matching roll-ups of a part.
func (s *Scanner) eachRollup(q *match.Query, p *part.Part, f func(row *rollupRow, r part.Rollup)) error {
	list, err := s.rollups.of(p)
	if err != nil {
		return err
	}
	row := rollupRow{signal: q.Signal}
	var last part.Rollup
	matches, known := false, false
	for _, r := range list {
		row.tenant, row.service, row.value = p.Tenants[r.Tenant], p.Services[r.Service], r.Value
		if q.Tenant != "" && row.tenant != q.Tenant {
			continue
		}
		if !known || r.Tenant != last.Tenant || r.Service != last.Service || r.Value != last.Value {
			matches = q.Matcher.Match(&row)
		}
		last, known = r, true
		if matches {
			f(&row, r)
		}
	}
	return nil
}

// rollupCache keeps the roll-ups of the parts asked last. Parts never change.
type rollupCache struct {
	mu   sync.Mutex
	list map[*part.Part][]part.Rollup
	size int // roll-ups held
}

// maxCachedRollups bounds the cache: 24 bytes each.
const maxCachedRollups = 400_000

func newRollupCache() *rollupCache { return &rollupCache{list: map[*part.Part][]part.Rollup{}} }

func (c *rollupCache) of(p *part.Part) ([]part.Rollup, error) {
	c.mu.Lock()
	list, ok := c.list[p]
	c.mu.Unlock()
	if ok {
		return list, nil
	}
	list, err := p.Rollups()
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.size+len(list) > maxCachedRollups {
		clear(c.list) // simple, and rare: a range of that many minutes is read in a few ms
		c.size = 0
	}
	if _, ok := c.list[p]; !ok && len(list) <= maxCachedRollups {
		c.list[p] = list
		c.size += len(list)
	}
	return list, nil
}
