package part

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store/events/head"
)

// headOf is a head of records that have only attributes.
func headOf(rows ...model.Attrs) *head.Logs {
	b := head.NewLogs(1)
	for _, as := range rows {
		b.Append([]model.LogRecord{{Time: day, Attrs: as}})
	}
	return b.Snapshot()
}

func attr(key string, v model.Value) model.Attr { return model.Attr{Key: key, Value: v} }

func times(n int, as ...model.Attr) (out []model.Attrs) {
	for range n {
		out = append(out, as)
	}
	return out
}

func TestAKeyGetsAColumnFromOneRowInFiftyOn(t *testing.T) {
	one, text := model.IntValue(1), model.StringValue("x")
	for name, c := range map[string]struct {
		rows []model.Attrs
		want []Promoted
	}{
		"no rows":                        {nil, nil},
		"three rows are too few":         {times(3, attr("k", one)), nil},
		"four rows are enough":           {times(4, attr("k", one)), []Promoted{{"k", model.KindInt}}},
		"4 of 249":                       {append(times(4, attr("k", one)), make([]model.Attrs, 245)...), []Promoted{{"k", model.KindInt}}},
		"4 of 250":                       {append(times(4, attr("k", one)), make([]model.Attrs, 246)...), nil},
		"5 of 250":                       {append(times(5, attr("k", one)), make([]model.Attrs, 245)...), []Promoted{{"k", model.KindInt}}},
		"the most frequent kind":         {append(times(4, attr("k", one)), times(5, attr("k", text))...), []Promoted{{"k", model.KindString}}},
		"kinds do not add up":            {append(times(3, attr("k", one)), times(3, attr("k", text))...), nil},
		"JSON and empty stay in JSON":    {times(9, attr("j", model.JSONValue("[]")), attr("e", model.Value{})), nil},
		"the empty key stays in JSON":    {times(9, attr("", one)), nil},
		"columns are in order of keys":   {times(4, attr("b", one), attr("a", model.BoolValue(true)), attr("ab", model.FloatValue(1))), []Promoted{{"a", model.KindBool}, {"ab", model.KindFloat}, {"b", model.KindInt}}},
		"of two spellings the frequent":  {append(times(4, attr("Key", one)), times(5, attr("kEY", text))...), []Promoted{{"kEY", model.KindString}}},
		"of two as frequent, the first":  {times(4, attr("Ärger", one), attr("ärger", one)), []Promoted{{"Ärger", model.KindInt}}},
		"a doubled key counts per value": {times(2, attr("k", one), attr("k", one)), []Promoted{{"k", model.KindInt}}},
	} {
		h := headOf(c.rows...)
		if got := planAttrs(&h.Attributes, h.Rows).promoted; !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestTheMostFrequentKeysGetTheColumnsThereAre(t *testing.T) {
	var rows []model.Attrs
	var want []string
	for i := range MaxPromoted + 10 {
		key := fmt.Sprintf("k%03d", i)
		n := 5
		if i < 10 {
			n = 4 // the ten that must do without
		} else {
			want = append(want, key)
		}
		rows = append(rows, times(n, attr(key, model.IntValue(int64(i))))...)
	}
	// Enough of each for the share of rows: the rows are laid over each other.
	merged := make([]model.Attrs, 5)
	for i, r := range rows {
		merged[i%5] = append(merged[i%5], r...)
	}
	h := headOf(merged...)
	var got []string
	for _, p := range planAttrs(&h.Attributes, h.Rows).promoted {
		got = append(got, p.Key)
	}
	if d := gocmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

func TestTheLastOfADoubledKeyIsTheColumns(t *testing.T) {
	one, two, text := model.IntValue(1), model.IntValue(2), model.StringValue("x")
	rows := times(10, attr("k", one)) // k is a column of integers
	for _, c := range []struct {
		row  model.Attrs
		cell string // the column's value
		rest string // the JSON column's
	}{
		{model.Attrs{}, "", `{}`},
		{model.Attrs{attr("k", two)}, "2", `{}`},
		{model.Attrs{attr("k", one), attr("k", two)}, "2", `{"k":1}`},
		{model.Attrs{attr("k", text), attr("k", two)}, "2", `{"k":"x"}`},
		{model.Attrs{attr("k", two), attr("k", text)}, "", `{"k":2,"k":"x"}`}, // the last would be hidden behind the column's
		{model.Attrs{attr("o", text), attr("k", two), attr("p", text)}, "2", `{"o":"x","p":"x"}`},
		{model.Attrs{attr("K", two), attr("k", one)}, "1", `{"K":2}`},
	} {
		h := headOf(append(slices.Clone(rows), c.row)...)
		p := planAttrs(&h.Attributes, h.Rows)
		cell := ""
		if at := p.cells[0][10]; at != 0 {
			cell = p.attrs.ValueAt(int(at - 1)).String()
		}
		if rest := string(p.restJSON(nil, 10)); cell != c.cell || rest != c.rest {
			t.Errorf("%v: column %q and JSON %s, want %q and %s", c.row, cell, rest, c.cell, c.rest)
		}
	}
}

// Whatever the rows: each value has one place, and the last value of a key, the one that a filter
// asks for, is the last one also of JSON column and columns together.
func TestEveryAttributeHasOnePlace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		few := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) (out model.Attrs) {
			for range rapid.IntRange(0, 6).Draw(t, "n") {
				out = append(out, attr(rapid.SampledFrom([]string{"", "a", "A", "b", `"`}).Draw(t, "key"), drawValue(t)))
			}
			return out
		}), 1, 4).Draw(t, "rows")
		var rows []model.Attrs
		for i := range rapid.SampledFrom([]int{1, 4, 40, 300}).Draw(t, "times") {
			rows = append(rows, few[i*i%len(few)])
		}
		h := headOf(rows...)
		p := planAttrs(&h.Attributes, h.Rows)
		folded := map[string]bool{}
		for i, pr := range p.promoted {
			if f := strings.ToLower(pr.Key); folded[f] || i > 0 && p.promoted[i-1].Key >= pr.Key {
				t.Fatalf("columns %v: doubled for SQL, or out of order", p.promoted)
			}
			folded[strings.ToLower(pr.Key)] = true
		}
		for row := range h.Rows {
			back, err := head.DecodeAttrsJSON(string(p.restJSON(nil, row)))
			if err != nil {
				t.Fatalf("row %d: %v", row, err)
			}
			for i, pr := range p.promoted {
				if at := p.cells[i][row]; at != 0 {
					v := p.attrs.ValueAt(int(at - 1))
					if v.Kind() != pr.Kind {
						t.Fatalf("row %d: %v in a column of kind %d", row, v, pr.Kind)
					}
					back = append(back, attr(pr.Key, v))
				}
			}
			want := h.Attributes.Row(row)
			if attrText(want) != attrText(back) {
				t.Fatalf("row %d: %s, want %s", row, attrText(back), attrText(want))
			}
			for _, a := range want {
				last, _ := want.Get(a.Key)
				if got, _ := back.Get(a.Key); got != last {
					t.Fatalf("row %d: the last %q is %v, want %v", row, a.Key, got, last)
				}
			}
		}
	})
}

func TestTheJSONColumnIsJSON(t *testing.T) {
	h := headOf(model.Attrs{attr("a\"b\x01", model.StringValue("l\n\"")), attr("f", model.FloatValue(2)), attr("j", model.JSONValue(`{"x":[1]}`)), attr("e", model.Value{})})
	text := planAttrs(&h.Attributes, h.Rows).restJSON([]byte("x"), 0)
	if want := `x{"a\"b\u0001":"l\n\"","f":2.0,"j":{"x":[1]},"e":null}`; string(text) != want || !json.Valid(text[1:]) {
		t.Errorf("%s\nwant %s", text, want)
	}
}

func TestADictionaryPaysUpToHalfOfTheRows(t *testing.T) {
	for _, c := range []struct {
		rows, values int
		want         bool
	}{
		{0, 0, true}, {1, 1, true}, {16, 16, true}, {17, 17, false}, {32, 16, true}, {32, 17, false}, {100, 50, true}, {100, 51, false},
	} {
		if got := fewDistinct(c.rows, func(i int) int { return i % max(c.values, 1) }); got != c.want {
			t.Errorf("%d values in %d rows: %v, want %v", c.values, c.rows, got, c.want)
		}
	}
	rows := make([]model.Attrs, 100)
	for i := range rows {
		n := model.IntValue(int64(i))
		rows[i] = model.Attrs{
			attr("few", model.IntValue(int64(i%50))), attr("many", n), attr("route", model.StringValue("/")), attr("text", model.StringValue(n.String())),
			attr("bool", model.BoolValue(true)), attr("float", model.FloatValue(1)),
		}
	}
	h := headOf(rows...)
	p := planAttrs(&h.Attributes, h.Rows)
	want := map[string]bool{"few": true, "many": false, "route": true, "text": false, "bool": false, "float": false}
	for i, pr := range p.promoted {
		if p.dict[i] != want[pr.Key] {
			t.Errorf("%s: dictionary %v, want %v", pr.Key, p.dict[i], want[pr.Key])
		}
	}
	if len(p.promoted) != len(want) {
		t.Errorf("columns %v, want %d of them", p.promoted, len(want))
	}
}
