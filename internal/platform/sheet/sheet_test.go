package sheet

import (
	"encoding/csv"
	"strings"
	"testing"
)

func TestNoCellIsAFormula(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "edge": "edge", "-12.5": "-12.5", "-": "'-", "7": "7", "-1+cmd|' /C calc'!A0": "'-1+cmd|' /C calc'!A0",
		"=1+1": "'=1+1", "+1": "'+1", "@SUM(A1)": "'@SUM(A1)", "\t=1": "'\t=1", "\r=1": "'\r=1", "\n=1": "'\n=1", "  =1": "'  =1", "\uff1d1": "'\uff1d1", "a=1": "a=1",
	} {
		if got := Cell(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	var b strings.Builder
	w := New(&b)
	if err := w.Write("=1", "a,\"b", "=2\n=3"); err != nil || w.End() != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(b.String())).ReadAll()
	if err != nil || len(rows) != 1 || rows[0][0] != "'=1" || rows[0][1] != "a,\"b" || rows[0][2] != "'=2\n=3" {
		t.Errorf("%q %v", rows, err)
	}
}
