package head

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/model"
)

// anyText has what JSON must escape, what it need not, and what is no UTF-8.
var anyText = rapid.Custom(func(t *rapid.T) string {
	return strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{
		"a", "ü", "日", "\U0001F600", "\"", "\\", "\n", "\t", "\r", "\x00", "\x1f", "\x7f", "\u2028", "\uFFFD", "\xff", "\xc3", "\xe6\x97", "</", "{", "]",
	}), 0, 8).Draw(t, "pieces"), "")
})

var anyValue = rapid.Custom(func(t *rapid.T) model.Value {
	switch rapid.IntRange(0, 5).Draw(t, "kind") {
	case 0:
		return model.StringValue(anyText.Draw(t, "text"))
	case 1:
		return model.IntValue(rapid.Int64().Draw(t, "int"))
	case 2:
		return model.FloatValue(rapid.SampledFrom([]float64{0, math.Copysign(0, -1), 1, -2.5, 1e20, 1e21, 123456789012345680, math.MaxFloat64, math.SmallestNonzeroFloat64, 1.0 / 3, 1e-7}).Draw(t, "float"))
	case 3:
		return model.BoolValue(rapid.Bool().Draw(t, "bool"))
	case 4:
		return model.JSONValue(rapid.SampledFrom([]string{
			`{}`, `[]`, `{"a":{"b":[1,"x"]}}`, ` [1]`, `[1] `, `"aGVsbG8="`, `"q\"\u00fc"`, `5`, `-0.5`, `1e400`, `18446744073709551616`, `true`, `null`, `{broken`, ``, `  `, "[\"\xff\"]",
		}).Draw(t, "json"))
	}
	return model.Value{}
})

// The standard library is the other reader: what it makes of a text must be the text.
func TestATextIsWrittenAsJSONThatOthersRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := anyText.Draw(t, "text")
		b := appendStringJSON([]byte("x"), text)
		var got string
		if err := json.Unmarshal(b[1:], &got); err != nil || b[0] != 'x' {
			t.Fatalf("%q is written as %s: %v", text, b, err)
		}
		want, _ := json.Marshal(text)
		var other string
		if err := json.Unmarshal(want, &other); err != nil || got != other {
			t.Fatalf("%q is read as %q, the library's own as %q", text, got, other)
		}
	})
}

func TestValuesInJSON(t *testing.T) {
	for _, c := range []struct {
		v    model.Value
		want string
	}{
		{model.Value{}, `null`},
		{model.StringValue(""), `""`},
		{model.StringValue("a\"\\\n\t\x01/"), `"a\"\\\n\t\u0001/"`},
		{model.StringValue("\xffü"), "\"\uFFFDü\""},
		{model.IntValue(math.MinInt64), `-9223372036854775808`},
		{model.FloatValue(3), `3.0`},
		{model.FloatValue(math.Copysign(0, -1)), `-0.0`},
		{model.FloatValue(1e21), `1e+21`},
		{model.FloatValue(math.Inf(-1)), `"-Inf"`},
		{model.BoolValue(false), `false`},
		{model.JSONValue(`[1, 2]`), `[1, 2]`},
		{model.JSONValue(`[1,`), `"[1,"`},
	} {
		if got := string(AppendValueJSON([]byte("k="), c.v)); got != "k="+c.want {
			t.Errorf("%#v is written as %s, want k=%s", c.v, got, c.want)
		}
	}
	if got := string(AppendKeyJSON(nil, `a"b`)); got != `"a\"b":` {
		t.Errorf("key = %s", got)
	}
	if got := string(AppendAttrsJSON(nil, nil)); got != `{}` {
		t.Errorf("no attributes = %s", got)
	}
}

func TestDamagedAttributesAreAnErrorNotAPanic(t *testing.T) {
	whole := `{"a":1,"b":{"c":[2]},"a":"x"}`
	if got, err := DecodeAttrsJSON(whole); err != nil || len(got) != 3 || got[2].Value != model.StringValue("x") {
		t.Fatalf("%v, %v", got, err)
	}
	for n := 1; n < len(whole); n++ {
		if got, err := DecodeAttrsJSON(whole[:n]); err == nil {
			t.Errorf("%s is read as %v", whole[:n], got)
		}
	}
	for _, text := range []string{`[1]`, `["a",1]`, `5`, `"x"`, `{"a":1}{"b":2}`, `{"a":1} x`, `{1:2}`, `{"a":01}`} {
		if got, err := DecodeAttrsJSON(text); err == nil {
			t.Errorf("%s is read as %v", text, got)
		}
	}
	for _, text := range []string{"", "{}", " { } ", "null"} {
		if got, err := DecodeAttrsJSON(text); err != nil || len(got) != 0 {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

func TestEventsAndLinksComeBack(t *testing.T) {
	attrs := model.Attrs{{Key: `k"`, Value: model.IntValue(7)}, {Key: "f", Value: model.FloatValue(2)}, {Key: "e", Value: model.Value{}}}
	events := []model.SpanEvent{{Time: math.MaxInt64, Name: "exc\nep\"tion", Attrs: attrs}, {Time: -1}, {Name: "bare"}}
	links := []model.SpanLink{{TraceID: model.TraceID{1, 15: 255}, SpanID: model.SpanID{7: 9}, Attrs: attrs}, {}}
	gotEvents, err := DecodeEventsJSON(string(appendEventsJSON(nil, events)))
	if d := cmp.Diff(events, gotEvents, values); err != nil || d != "" {
		t.Errorf("events: %v\n%s", err, d)
	}
	gotLinks, err := DecodeLinksJSON(string(appendLinksJSON(nil, links)))
	if d := cmp.Diff(links, gotLinks, values); err != nil || d != "" {
		t.Errorf("links: %v\n%s", err, d)
	}
	for _, text := range []string{"", "[]"} {
		e, err1 := DecodeEventsJSON(text)
		l, err2 := DecodeLinksJSON(text)
		if e != nil || l != nil || err1 != nil || err2 != nil {
			t.Errorf("%q is %v, %v and %v, %v", text, e, err1, l, err2)
		}
	}
	for _, text := range []string{"[", "{}", `[{"time_unix_nano":"x"}]`, `[{"trace_id":"zz"}]`, `[{"attributes":[1]}]`} {
		_, err1 := DecodeEventsJSON(text)
		_, err2 := DecodeLinksJSON(text)
		if err1 == nil && err2 == nil {
			t.Errorf("%s is neither events nor links, and taken for both", text)
		}
	}
	if got := appendEventsJSON([]byte("x"), nil); string(got) != "x" {
		t.Errorf("no events are written as %s", got)
	}
}

// What a head says of an attribute is what the sealed form says of it: the same kind, the same text.
func TestAnAttributeIsTheSameBeforeAndAfterSealing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var in model.Attrs
		for i := range rapid.IntRange(1, 5).Draw(t, "n") {
			in = append(in, model.Attr{Key: fmt.Sprint("k", i, anyText.Draw(t, "key")), Value: anyValue.Draw(t, "value")})
		}
		b := NewLogs(1)
		b.Append([]model.LogRecord{{Attrs: in, Resource: &model.Resource{Attrs: in}}})
		rec := b.Snapshot().Record(0)
		for name, own := range map[string]model.Attrs{"record": rec.Attrs, "resource": rec.Resource.Attrs} {
			text := string(AppendAttrsJSON(nil, own))
			if !json.Valid([]byte(text)) {
				t.Fatalf("%s: not JSON: %s", name, text)
			}
			sealed, err := DecodeAttrsJSON(text)
			if d := cmp.Diff(own, sealed, values); err != nil || d != "" {
				t.Fatalf("%s (-head +sealed): %v\n%s", name, err, d)
			}
		}
		if d := cmp.Diff(rec.Attrs, rec.Resource.Attrs, values); d != "" {
			t.Fatalf("the same attributes differ by where they stand (-record +resource):\n%s", d)
		}
	})
}

func TestJSONThatIsOneScalarIsThatScalar(t *testing.T) {
	for in, want := range map[string]model.Value{
		`"aGVsbG8="`:           model.StringValue("aGVsbG8="), // how OTLP's bytes arrive
		`"q\"\u00fc"`:          model.StringValue(`q"ü`),
		`5`:                    model.IntValue(5),
		` 2.50 `:               model.FloatValue(2.5),
		`true`:                 model.BoolValue(true),
		`null`:                 {},
		`18446744073709551616`: model.JSONValue(`18446744073709551616`), // more than a float keeps
		` {"a": 1} `:           model.JSONValue(`{"a": 1}`),
		`{broken`:              model.StringValue(`{broken`),
		``:                     model.StringValue(``),
	} {
		if got := stored(model.JSONValue(in)); got != want {
			t.Errorf("%s is kept as %#v, want %#v", in, got, want)
		}
		if again := stored(want); again != want {
			t.Errorf("%#v changes to %#v when it is stored again", want, again)
		}
	}
}
