package show

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode"
)

// Table prints aligned columns.
type Table struct{ rows [][]string }

// NewTable makes one with a header.
func NewTable(header ...string) *Table { return &Table{rows: [][]string{header}} }

// Row takes a cell as it is read on a terminal: a line break or a tab inside one would tear
// the columns, and an escape sequence would act.
func (t *Table) Row(cells ...string) {
	for i, c := range cells {
		cells[i] = Printable(c)
	}
	t.rows = append(t.rows, cells)
}

// Printable is text as a terminal may show it.
func Printable(text string) string {
	var b strings.Builder
	for _, r := range text {
		if unicode.IsControl(r) {
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// Write prints it.
func (t *Table) Write(w io.Writer) {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, r := range t.rows {
		fmt.Fprintln(tw, strings.TrimRight(strings.Join(r, "\t"), "\t"))
	}
	tw.Flush()
}

// Plural is a word of which there are n.
func Plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}
