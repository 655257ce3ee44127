package match

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"
	"strings"

	"github.com/parquet-go/parquet-go"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store/events/bin"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

// errShape is the error of a column that is not what its part's metadata says.
var errShape = errors.New("column is not as its part says")

// Column reads one column of a part page by page. Only the page last asked
// for is in memory.
type Column struct {
	name   string
	kind   parquet.Kind
	pages  parquet.Pages
	starts []int64 // first row of each page
	rows   int
	dict   *dictionary // nil when values stand in the pages

	// zeros gives the codes of a column with one value in all rows: its pages
	// need not be read.
	zeros func() []int32

	page     parquet.Page
	from, to int // rows of page
	pageValues
}

// pageValues are the values of a column's current page, as its kind has them.
type pageValues struct {
	codes []int32 // where page has a dictionary
	text  string
	offs  []uint32 // text[offs[i]:offs[i+1]] is value i
	ints  []int64
	nums  []float64
	bools []byte // bits
	fixed []byte
	size  int     // of one value in fixed
	rank  []int32 // optional columns: row of the page → value, -1 for none
}

// dictionary is the distinct values of a column.
type dictionary struct {
	n     int
	text  string
	offs  []uint32
	ints  []int64
	fixed []byte
	size  int
}

// openColumn opens the named column; nil when the part has none of that name.
// zeros gives as many zeros as the part has rows.
func openColumn(p *part.Part, name string, zeros func() []int32) (*Column, error) {
	chunk, err := p.Column(name)
	if err != nil || chunk == nil {
		return nil, err
	}
	c := &Column{name: name, kind: chunk.Type().Kind(), rows: p.Rows}
	index, err := chunk.OffsetIndex()
	if err != nil {
		return nil, fmt.Errorf("column %s: %w", name, err)
	}
	for i := range index.NumPages() {
		c.starts = append(c.starts, index.FirstRowIndex(i))
	}
	if len(c.starts) == 0 || c.starts[0] != 0 || int64(p.Rows) != chunk.NumValues() || !slices.IsSorted(c.starts) {
		return nil, fmt.Errorf("column %s: %w", name, errShape)
	}
	c.pages = chunk.Pages()
	if err := c.readDictionary(); err != nil {
		c.close()
		return nil, fmt.Errorf("column %s: dictionary: %w", name, err)
	}
	if c.dict != nil && c.dict.n == 1 && !isOptional(name) {
		c.zeros = zeros
	}
	return c, nil
}

// isOptional reports whether a column may have no value in a row.
func isOptional(name string) bool { return strings.HasPrefix(name, part.PromotedPrefix) }

func (c *Column) readDictionary() error {
	r, ok := c.pages.(interface {
		ReadDictionary() (parquet.Dictionary, error)
	})
	if !ok {
		return errShape
	}
	d, err := r.ReadDictionary()
	if err != nil || d == nil {
		return err
	}
	c.dict = &dictionary{n: d.Len()}
	data := d.Page().Data()
	switch c.kind {
	case parquet.ByteArray:
		var text []byte
		text, c.dict.offs = data.ByteArray()
		c.dict.text = bin.Alias(text)
		return checkOffsets(c.dict.offs, len(text), c.dict.n)
	case parquet.Int64:
		c.dict.ints = data.Int64()
	case parquet.FixedLenByteArray:
		c.dict.fixed, c.dict.size = data.FixedLenByteArray()
	default:
		return errShape
	}
	return nil
}

func checkOffsets(offs []uint32, size, n int) error {
	if len(offs) != n+1 && (n > 0 || len(offs) > 0) || !slices.IsSorted(offs) || len(offs) > 0 && int(offs[len(offs)-1]) > size {
		return errShape
	}
	return nil
}

func (d *dictionary) textAt(i int) string { return d.text[d.offs[i]:d.offs[i+1]] }

func (d *dictionary) fixedAt(i int) []byte { return d.fixed[i*d.size : (i+1)*d.size] }

func (c *Column) close() {
	if c == nil {
		return
	}
	if c.page != nil {
		parquet.Release(c.page)
		c.page = nil
	}
	if c.pages != nil {
		_ = c.pages.Close() // reading only
	}
}

// Load makes the page that holds row the current one.
func (c *Column) Load(row int) error {
	if c.page != nil && c.from <= row && row < c.to {
		return nil
	}
	if c.zeros != nil {
		c.codes, c.from, c.to = c.zeros(), 0, c.rows
		return nil
	}
	if c.page != nil {
		parquet.Release(c.page)
		c.page = nil
	}
	i := sort.Search(len(c.starts), func(i int) bool { return c.starts[i] > int64(row) }) - 1
	c.from, c.to = int(c.starts[i]), c.rows
	if i+1 < len(c.starts) {
		c.to = int(c.starts[i+1])
	}
	if err := c.pages.SeekToRow(c.starts[i]); err != nil {
		return fmt.Errorf("column %s, row %d: %w", c.name, row, err)
	}
	page, err := c.pages.ReadPage()
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return fmt.Errorf("column %s, row %d: %w", c.name, row, err)
	}
	c.page = page
	if err := c.decode(); err != nil {
		return fmt.Errorf("column %s, row %d: %w", c.name, row, err)
	}
	return nil
}

// decode takes the page's values, without copying where the library allows.
func (c *Column) decode() error {
	n := c.to - c.from
	if int(c.page.NumRows()) != n {
		return errShape
	}
	values := n
	c.rank = c.rank[:0]
	levels := c.page.DefinitionLevels()
	if len(levels) > 0 && len(levels) != n {
		return errShape
	}
	if bytes.IndexByte(levels, 0) >= 0 {
		values = 0
		for _, l := range levels {
			if l == 0 {
				c.rank = append(c.rank, -1)
				continue
			}
			c.rank = append(c.rank, int32(values))
			values++
		}
	}
	c.codes = nil
	if c.page.Dictionary() != nil && c.dict != nil {
		return c.decodeCodes(values)
	}
	return c.decodeValues(values)
}

func (c *Column) decodeCodes(n int) error {
	data := c.page.Data()
	c.codes = data.Int32()
	if len(c.codes) != n {
		return errShape
	}
	return nil // a code beyond the dictionary, in damaged data, panics where it is used; see guarded
}

func (c *Column) decodeValues(n int) error {
	data := c.page.Data()
	got := n
	switch c.kind {
	case parquet.ByteArray:
		text, offs := data.ByteArray()
		c.text, c.offs = bin.Alias(text), offs
		return checkOffsets(offs, len(text), n)
	case parquet.Int64:
		c.ints = data.Int64()
		got = len(c.ints)
	case parquet.Double:
		c.nums = data.Double()
		got = len(c.nums)
	case parquet.Boolean:
		c.bools = data.Boolean()
		if len(c.bools) < (n+7)/8 {
			return errShape
		}
	case parquet.FixedLenByteArray:
		c.fixed, c.size = data.FixedLenByteArray()
		if c.size <= 0 {
			return errShape
		}
		got = len(c.fixed) / c.size
	default:
		return errShape
	}
	if got != n {
		return errShape
	}
	return nil
}

// At is the place of row's value in the current page, -1 when it has none.
func (c *Column) At(row int) int {
	i := row - c.from
	if len(c.rank) > 0 {
		return int(c.rank[i])
	}
	return i
}

// TextAt is the text of value i of the current page; it is gone with the page.
func (c *Column) TextAt(i int) string {
	if c.codes != nil {
		return c.dict.textAt(int(c.codes[i]))
	}
	return c.text[c.offs[i]:c.offs[i+1]]
}

// IntAt is the integer of value i of the current page.
func (c *Column) IntAt(i int) int64 {
	if c.codes != nil {
		return c.dict.ints[c.codes[i]]
	}
	return c.ints[i]
}

// FixedAt is the id of value i of the current page; it is gone with the page.
func (c *Column) FixedAt(i int) []byte {
	if c.codes != nil {
		return c.dict.fixedAt(int(c.codes[i]))
	}
	return c.fixed[i*c.size : (i+1)*c.size]
}

func (c *Column) boolAt(i int) bool { return c.bools[i/8]>>(i%8)&1 != 0 }

// ValueAt is value i of a promoted attribute of a kind; texts are gone with the page.
func (c *Column) ValueAt(kind model.ValueKind, i int) model.Value {
	switch kind {
	case model.KindInt:
		return model.IntValue(c.IntAt(i))
	case model.KindFloat:
		return model.FloatValue(c.nums[i])
	case model.KindBool:
		return model.BoolValue(c.boolAt(i))
	default:
		return model.StringValue(c.TextAt(i))
	}
}
