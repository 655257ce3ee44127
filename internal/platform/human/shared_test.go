package human

import (
	"encoding/json"
	"os"
	"testing"
)

// The pages write shares as sentences, the command line and the gate do: one table is read by the tests of both.
func TestSharesReadAsOnThePages(t *testing.T) {
	raw, err := os.ReadFile("../../../web/src/format/testdata/percent.json")
	if err != nil {
		t.Fatal(err)
	}
	var rows [][2]any
	if err := json.Unmarshal(raw, &rows); err != nil || len(rows) < 30 {
		t.Fatal(len(rows), err)
	}
	for _, row := range rows {
		if got := Percent(row[0].(float64)); got != row[1] {
			t.Errorf("%v reads %q, on the pages %q", row[0], got, row[1])
		}
	}
}
