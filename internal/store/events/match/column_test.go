package match

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store/events/head"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

// Columns are read in any order of rows, also back and forth over their pages.
func TestColumnsGiveEachRowItsOwnValues(t *testing.T) {
	var rows []model.Span
	for i := range 2*part.BlockRows + 5 {
		s := fillSpan(i)
		s.Kind, s.Status, s.ParentID = model.SpanKind(i%6), model.SpanStatus(i%3), model.SpanID{7: byte(i % 3)}
		if i%5 == 0 {
			s.Attrs = nil
		}
		rows = append(rows, s)
	}
	p, _ := newWriter(t).spans(t, rows)
	defer p.Release()
	back := head.NewSpans(1)
	if err := part.ReadSpans(nil, p.Path(), back); err != nil {
		t.Fatal(err)
	}
	stored, table := back.Snapshot(), NewTable(p)
	defer table.Close()
	load := func(t *rapid.T, name string, row int) (*Column, int) {
		c, err := table.Load(name, row)
		if err != nil {
			t.Fatal(err)
		}
		return c, c.At(row)
	}
	rapid.Check(t, func(t *rapid.T) {
		for range 20 {
			row := rapid.IntRange(0, stored.Rows-1).Draw(t, "row")
			want := stored.Span(row)
			got := model.Span{Resource: want.Resource}
			c, at := load(t, part.ColTimestamp, row)
			got.Start = c.IntAt(at)
			c, at = load(t, part.ColDuration, row)
			got.Duration = c.IntAt(at)
			c, at = load(t, part.ColTraceID, row)
			copy(got.TraceID[:], c.FixedAt(at))
			c, at = load(t, part.ColSpanID, row)
			copy(got.SpanID[:], c.FixedAt(at))
			c, at = load(t, part.ColParentSpanID, row)
			copy(got.ParentID[:], c.FixedAt(at))
			c, at = load(t, part.ColName, row)
			got.Name = c.TextAt(at)
			if got.Start != want.Start || got.Duration != want.Duration || got.TraceID != want.TraceID || got.SpanID != want.SpanID || got.ParentID != want.ParentID || got.Name != want.Name {
				t.Fatalf("row %d is %+v, want %+v", row, got, want)
			}
			c, at = load(t, part.ColStatus, row)
			if c.TextAt(at) != want.Status.String() {
				t.Fatalf("row %d has the status %s, want %s", row, c.TextAt(at), want.Status)
			}
			for _, promoted := range table.Promoted {
				c, at = load(t, promoted.Column(), row)
				v, ok := want.Attrs.Get(promoted.Key)
				switch {
				case ok != (at >= 0):
					t.Fatalf("row %d: %s is at %d, want it there: %v", row, promoted.Key, at, ok)
				case ok && c.ValueAt(promoted.Kind, at) != v:
					t.Fatalf("row %d: %s is %v, want %v", row, promoted.Key, c.ValueAt(promoted.Kind, at), v)
				}
			}
		}
	})
	kinds := map[model.ValueKind]bool{}
	for _, promoted := range table.Promoted {
		kinds[promoted.Kind] = true
	}
	if len(kinds) != 4 {
		t.Errorf("columns of %d kinds of attribute were read, want texts, integers, floats and booleans", len(kinds))
	}
}

func TestAColumnOfOneValueIsNotReadPageByPage(t *testing.T) {
	p, _ := newWriter(t).logs(t, between(nil, fillLog))
	defer p.Release()
	table := NewTable(p)
	defer table.Close()
	for _, row := range []int{0, fillers - 1} {
		c, err := table.Load(part.ColService, row)
		if err != nil {
			t.Fatal(err)
		}
		if c.TextAt(c.At(row)) != "filler" || c.page != nil {
			t.Errorf("row %d: %q, a page was read: %v", row, c.TextAt(c.At(row)), c.page != nil)
		}
	}
}

func TestAColumnThatAPartMustHaveIsNamedWhenItIsMissing(t *testing.T) {
	p, _ := newWriter(t).logs(t, []model.LogRecord{fillLog(1)})
	defer p.Release()
	table := NewTable(p)
	defer table.Close()
	if c, err := table.column("attr.absent"); c != nil || err != nil {
		t.Errorf("a column that may be absent: %v, %v", c, err)
	}
	for _, ask := range []func() error{
		func() error { _, err := table.Need("duration_ns"); return err },
		func() error { _, err := table.Load("duration_ns", 0); return err },
	} {
		if err := ask(); !errors.Is(err, errShape) || !strings.Contains(err.Error(), "duration_ns") {
			t.Errorf("%v", err)
		}
	}
}

func TestOffsetsThatLeadOutOfTheirTextAreRefused(t *testing.T) {
	for _, c := range []struct {
		name string
		offs []uint32
		size int
		n    int
		ok   bool
	}{
		{"no value", nil, 0, 0, true},
		{"no value, one offset", []uint32{0}, 0, 0, true},
		{"two values", []uint32{0, 2, 5}, 5, 2, true},
		{"empty values", []uint32{3, 3, 3}, 5, 2, true},
		{"too few", []uint32{0, 2}, 5, 2, false},
		{"none, where there are values", nil, 5, 2, false},
		{"too many", []uint32{0, 1, 2, 3}, 5, 2, false},
		{"backwards", []uint32{0, 3, 2}, 5, 2, false},
		{"behind the text", []uint32{0, 2, 6}, 5, 2, false},
	} {
		if err := checkOffsets(c.offs, c.size, c.n); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// A page that cannot be read costs the question an error that says where; nothing is made up.
func TestDamageIsAnErrorThatNamesColumnAndRow(t *testing.T) {
	w := newWriter(t)
	p, _ := w.logs(t, between(nil, fillLog))
	defer p.Release()
	whole, err := os.ReadFile(p.Path())
	if err != nil {
		t.Fatal(err)
	}
	cols := []string{part.ColTimestamp, part.ColMessage, part.ColTraceID, part.ColRequestID}
	read := func(name string) (err error) {
		defer func() {
			if r := recover(); r != nil {
				err = fmt.Errorf("panic: %v", r) // of a foreign decoder; package scan makes it an error, too
			}
		}()
		table := NewTable(p)
		defer table.Close()
		for row := 0; row < table.Rows; row += part.BlockRows {
			if _, err := table.Load(name, row); err != nil {
				return err
			}
		}
		return nil
	}
	for _, name := range cols {
		if err := read(name); err != nil {
			t.Fatalf("sound %s: %v", name, err)
		}
	}
	damaged := append([]byte{}, whole...)
	for i := 4; i < len(damaged)*8/10; i++ {
		damaged[i] ^= 0x5a
	}
	if err := os.WriteFile(p.Path(), damaged, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, name := range cols {
		switch err := read(name); {
		case err == nil:
			t.Errorf("%s is read from damaged pages", name)
		case strings.HasPrefix(err.Error(), "panic"):
		case !strings.Contains(err.Error(), "column "+name):
			t.Errorf("%s: the column is not named: %v", name, err)
		}
	}
}

// A dictionary's codes may only be used where pages have them; a page without them is damage.
func TestACodeTestOfAPageWithoutCodesIsAnError(t *testing.T) {
	p, _ := newWriter(t).logs(t, between(nil, fillLog))
	defer p.Release()
	table := NewTable(p)
	defer table.Close()
	c, err := table.Need(part.ColMessage)
	if err != nil || c.dict != nil {
		t.Fatalf("messages have a dictionary: %v", err)
	}
	b := WholeBlock(0, part.BlockRows)
	if err := (&codeNode{col: c, pass: []bool{true}}).eval(&b); !errors.Is(err, errShape) {
		t.Errorf("%v", err)
	}
}
