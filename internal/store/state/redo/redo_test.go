package redo

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func records() []Record {
	return []Record{
		{Number: 7, Statements: []Statement{{SQL: "INSERT", Args: []any{int64(math.MinInt64), 0.5, true, false, "ü\x00\xff", []byte{0, 1}, nil}}, {SQL: "UPDATE"}}},
		{Number: 8, Statements: []Statement{{SQL: "DELETE", Args: []any{int64(1)}}}},
		{Number: 9},
	}
}

func file(t testing.TB, rs []Record) (b []byte, ends []int) {
	t.Helper()
	b = []byte(Magic)
	ends = append(ends, len(b))
	for _, r := range rs {
		var err error
		if b, err = Append(b, r); err != nil {
			t.Fatal(err)
		}
		ends = append(ends, len(b))
	}
	return b, ends
}

func TestRecordsComeBackAsTheyWere(t *testing.T) {
	b, _ := file(t, records())
	got, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(records(), got); diff != "" {
		t.Error(diff)
	}
}

func TestWhatCannotBeKeptIsAnErrorAndAddsNothing(t *testing.T) {
	b, err := Append([]byte(Magic), Record{Statements: []Statement{{SQL: "x", Args: []any{struct{}{}}}}})
	if err == nil || string(b) != Magic {
		t.Errorf("%q, %v", b, err)
	}
}

// Whatever byte is changed and wherever the file is cut: what comes back was appended, in order
// from the first, and what is missing is said.
func TestDamageNeverMakesARecord(t *testing.T) {
	whole, ends := file(t, records())
	want := records()
	rapid.Check(t, func(t *rapid.T) {
		b := append([]byte(nil), whole...)
		cut := rapid.Bool().Draw(t, "cut")
		at := rapid.IntRange(0, len(b)-1).Draw(t, "at")
		if cut {
			b = b[:at]
		} else {
			b[at] ^= byte(rapid.IntRange(1, 255).Draw(t, "by"))
		}
		got, err := Parse(b)
		atEnd := false
		for _, e := range ends {
			atEnd = atEnd || cut && at == e
		}
		if (err == nil) != atEnd {
			t.Fatalf("error %v", err)
		}
		if len(got) > len(want) || len(got) > 0 && cmp.Diff(want[:len(got)], got) != "" {
			t.Fatalf("%d records that were not appended so", len(got))
		}
	})
}

func FuzzParse(f *testing.F) {
	b, _ := file(f, records())
	f.Add(b)
	f.Add([]byte(Magic + "\x01\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		rs, _ := Parse(b)
		again := []byte(Magic)
		for _, r := range rs {
			var err error
			if again, err = Append(again, r); err != nil {
				t.Fatal(err)
			}
		}
		if back, err := Parse(again); err != nil || len(back) != len(rs) {
			t.Errorf("%d records, then %d, %v", len(rs), len(back), err)
		}
	})
}
