// Package sheet writes CSV that spreadsheets take for nothing but text and numbers.
//
// A cell that begins like a formula is run by the spreadsheet of whoever opens the file; labels, names and reasons come from
// anybody. In: rows of texts. Out: RFC 4180. Every CSV of Signalbox is written by this Writer. Pure but for what it writes to.
package sheet

import (
	"encoding/csv"
	"io"
	"strings"
)

// Writer writes rows.
type Writer struct{ to *csv.Writer }

// New makes a Writer.
func New(w io.Writer) Writer { return Writer{csv.NewWriter(w)} }

// Write writes a row, each cell safe.
func (w Writer) Write(row ...string) error {
	safe := make([]string, len(row))
	for i, c := range row {
		safe[i] = Cell(c)
	}
	return w.to.Write(safe)
}

// End writes what is left, and says what went wrong.
func (w Writer) End() error {
	w.to.Flush()
	return w.to.Error()
}

// Cell is a text that no spreadsheet takes for a formula: what begins like one gets an apostrophe, as OWASP advises. A negative
// number is none.
func Cell(s string) string {
	trimmed := strings.TrimLeft(s, " \u00a0")
	if trimmed == "" || number(s) {
		return s
	}
	if strings.ContainsAny(trimmed[:1], "=+-@\t\r\n") || strings.HasPrefix(trimmed, "\uff1d") || strings.HasPrefix(trimmed, "\uff0b") || strings.HasPrefix(trimmed, "\uff0d") || strings.HasPrefix(trimmed, "\uff20") {
		return "'" + s
	}
	return s
}

// number says whether s is digits with at most one point, and perhaps a minus before them.
func number(s string) bool {
	digits := strings.TrimPrefix(s, "-")
	return digits != "" && strings.Trim(digits, "0123456789.") == "" && strings.Count(digits, ".") < 2
}
