package scan

import (
	"context"
	"fmt"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

// table is one part while it is read by one goroutine.
type table struct {
	*part.Part
	cols map[string]*column
	zero []int32
}

func newTable(p *part.Part) *table { return &table{Part: p, cols: map[string]*column{}} }

// column opens a column once; nil when the part has none of that name.
func (t *table) column(name string) (*column, error) {
	if c, ok := t.cols[name]; ok {
		return c, nil
	}
	c, err := openColumn(t.Part, name, t.zeros)
	if err != nil {
		return nil, err
	}
	t.cols[name] = c
	return c, nil
}

// zeros are as many as there are rows.
func (t *table) zeros() []int32 {
	if t.zero == nil {
		t.zero = make([]int32, t.Rows)
	}
	return t.zero
}

// need is column for one that every part has.
func (t *table) need(name string) (*column, error) {
	c, err := t.column(name)
	if err == nil && c == nil {
		err = fmt.Errorf("column %s: %w", name, errShape)
	}
	return c, err
}

// load is need with the page that holds row the current one.
func (t *table) load(name string, row int) (*column, error) {
	c, err := t.need(name)
	if err != nil {
		return nil, err
	}
	return c, c.load(row)
}

func (t *table) close() {
	for _, c := range t.cols {
		c.close()
	}
}

// columnOf is the column of a field that is no attribute.
func columnOf(signal part.Signal, field string) string {
	if signal == part.Logs {
		return field
	}
	switch field {
	case "message":
		return part.ColName
	case "parent_id":
		return part.ColParentSpanID
	case "duration":
		return part.ColDuration
	}
	return field
}

func fieldKind(signal part.Signal, field string) store.FieldKind {
	if signal == part.Logs {
		return store.LogFieldKind(field)
	}
	return store.SpanFieldKind(field)
}

// block is a run of rows and which of them are (still) selected.
type block struct {
	from, n int
	sel     blockBits
}

// scan calls visit for each block with rows that match q.
func (t *table) scan(ctx context.Context, q *query, visit func(b *block) error) error {
	root, err := t.bind(q)
	if err != nil || root == none {
		return err
	}
	candidates := root.candidates()
	var b block
	for i := range t.Blocks() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if candidates != nil && !candidates[i] {
			continue
		}
		b.from = i * part.BlockRows
		b.n = min(part.BlockRows, t.Rows-b.from)
		b.sel = firstRows(b.n)
		if err := root.eval(&b); err != nil {
			return err
		}
		if b.sel.empty() {
			continue
		}
		if err := visit(&b); err != nil {
			return err
		}
	}
	return nil
}

// bind prepares the whole query, range and tenant included, for this part.
func (t *table) bind(q *query) (node, error) {
	if !t.HasTenant(q.tenant) || !t.Overlaps(q.rng) {
		return none, nil
	}
	var list []node
	if q.tenant != "" && len(t.Tenants) > 1 {
		n, err := t.bindText(part.ColTenant, func(s string) bool { return s == q.tenant })
		if err != nil {
			return nil, err
		}
		list = append(list, n)
	}
	times, err := t.bindTimes(q)
	if err != nil {
		return nil, err
	}
	list = append(list, times...)
	root, err := q.plan.bind(t)
	if err != nil {
		return nil, err
	}
	return all(append(list, root)), nil
}

// bindTimes tests the range, and what the collector still wants.
func (t *table) bindTimes(q *query) ([]node, error) {
	within := t.within(q.rng)
	if within && q.wants == nil {
		return nil, nil
	}
	c, err := t.need(part.ColTimestamp)
	if err != nil {
		return nil, err
	}
	var list []node
	if !within {
		list = append(list, &intNode{col: c, pass: q.rng.Contains})
	}
	if q.wants != nil {
		list = append(list, &intNode{col: c, pass: q.wants})
	}
	return list, nil
}

// within reports whether all rows lie in r.
func (t *table) within(r store.Range) bool {
	return r == store.Range{} || r.Contains(t.MinTime) && r.Contains(t.MaxTime)
}

func levelOf(text string) model.Level {
	l, _ := model.ParseLevel(text)
	return l
}
