package match

import (
	"context"
	"fmt"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

// Table is one part while it is read by one goroutine.
type Table struct {
	*part.Part
	cols map[string]*Column
	zero []int32
}

// NewTable reads a part; Close ends it.
func NewTable(p *part.Part) *Table { return &Table{Part: p, cols: map[string]*Column{}} }

// column opens a column once; nil when the part has none of that name.
func (t *Table) column(name string) (*Column, error) {
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
func (t *Table) zeros() []int32 {
	if t.zero == nil {
		t.zero = make([]int32, t.Rows)
	}
	return t.zero
}

// Need is column for one that every part has.
func (t *Table) Need(name string) (*Column, error) {
	c, err := t.column(name)
	if err == nil && c == nil {
		err = fmt.Errorf("column %s: %w", name, errShape)
	}
	return c, err
}

// Load is need with the page that holds row the current one.
func (t *Table) Load(name string, row int) (*Column, error) {
	c, err := t.Need(name)
	if err != nil {
		return nil, err
	}
	return c, c.Load(row)
}

// Close releases the pages that were read.
func (t *Table) Close() {
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

// Block is a run of rows and which of them are (still) selected.
type Block struct {
	from, n int
	sel     blockBits
}

// WholeBlock selects all of n rows from one on.
func WholeBlock(from, n int) Block { return Block{from: from, n: n, sel: firstRows(n)} }

// Each calls f with the number in the block of every selected row, in order.
func (b *Block) Each(f func(i int)) { b.sel.each(f) }

// Count is how many rows are selected.
func (b *Block) Count() int { return b.sel.count() }

// RowAt is the part's row that is number i of the block.
func (b *Block) RowAt(i int) int { return b.from + i }

// scan calls visit for each block with rows that match q.
func (t *Table) scan(ctx context.Context, q *Query, visit func(b *Block) error) error {
	root, err := t.bind(q)
	if err != nil || root == none {
		return err
	}
	candidates := root.candidates()
	var b Block
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
func (t *Table) bind(q *Query) (node, error) {
	if !t.HasTenant(q.Tenant) || !t.Overlaps(q.Range) {
		return none, nil
	}
	var list []node
	if q.Tenant != "" && len(t.Tenants) > 1 {
		n, err := t.bindText(part.ColTenant, func(s string) bool { return s == q.Tenant })
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
func (t *Table) bindTimes(q *Query) ([]node, error) {
	within := t.within(q.Range)
	if within && q.wants == nil {
		return nil, nil
	}
	c, err := t.Need(part.ColTimestamp)
	if err != nil {
		return nil, err
	}
	var list []node
	if !within {
		list = append(list, &intNode{col: c, pass: q.Range.Contains})
	}
	if q.wants != nil {
		list = append(list, &intNode{col: c, pass: q.wants})
	}
	return list, nil
}

// within reports whether all rows lie in r.
func (t *Table) within(r store.Range) bool {
	return r == store.Range{} || r.Contains(t.MinTime) && r.Contains(t.MaxTime)
}

// LevelOf reads a level as parts store it.
func LevelOf(text string) model.Level {
	l, _ := model.ParseLevel(text)
	return l
}
