package ask

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/signalbox-project/signalbox/internal/platform/human"
)

// table prints aligned columns.
type table struct{ rows [][]string }

func newTable(header ...string) *table { return &table{rows: [][]string{header}} }

func (t *table) row(cells ...string) { t.rows = append(t.rows, cells) }

func (t *table) write(w io.Writer) {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, r := range t.rows {
		fmt.Fprintln(tw, strings.TrimRight(strings.Join(r, "\t"), "\t"))
	}
	tw.Flush()
}

// optional prints a figure that may be absent.
func optional(v *float64) string {
	if v == nil {
		return "-"
	}
	return human.Number(*v)
}
