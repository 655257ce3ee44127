package otlpjson

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

func TestABodyIsTakenWholeOrNotAtAll(t *testing.T) {
	for _, c := range []struct {
		body string
		want int
		says string
	}{
		{`{"a":1}`, 1, ""},
		{"{\"a\":1}\n{\"a\":2}\n", 2, ""},
		{`{"a":1}{"a":2} {"a":3}`, 3, ""},
		{``, 0, "ends too early"},
		{`{"a":1`, 0, "ends too early"},
		{`{"a":1} rubbish`, 0, "after document 1"},
		{`{"a":1}]`, 0, "after document 1"},
		{"{\"a\":1}\n{\"a\":", 0, "after document 1"},
		{`[{"a":1}]`, 0, "not a JSON object"},
		{`null`, 0, "not a JSON object"},
		{`{"a":1} 7`, 0, "document 2"},
	} {
		docs, err := Documents([]byte(c.body))
		if len(docs) != c.want || (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q: %d documents, %v", c.body, len(docs), err)
		}
	}
}

func TestNullMembersAreLeftOut(t *testing.T) {
	for in, want := range map[string]string{
		`{"a":null}`:                          `{}`,
		`{"a" : null , "b":1}`:                `{"b":1}`,
		`{"b":1,"a":null}`:                    `{"b":1}`,
		`{"a":{"b":null,"c":[1,{"d":null}]}}`: `{"a":{"c":[1,{}]}}`,
		`{"a":"null","n\"ull":"x"}`:           `{"a":"null","n\"ull":"x"}`,
		`{"a":[null,1]}`:                      `{"a":[null,1]}`,
	} {
		if got := string(WithoutNulls([]byte(in))); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func withoutNulls(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			if e == nil {
				delete(v, k)
			} else {
				v[k] = withoutNulls(e)
			}
		}
	case []any:
		for i := range v {
			v[i] = withoutNulls(v[i])
		}
	}
	return v
}

func FuzzWithoutNulls(f *testing.F) {
	f.Add([]byte(`{"a":null,"b":[{"c":null},2e5,"\\\""],"d":{}}`))
	f.Add([]byte(`{ "a" : [ ] , "b" : true }`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var want any
		if !json.Valid(text) || json.Unmarshal(text, &want) != nil {
			return
		}
		var got any
		out := WithoutNulls(text)
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatalf("%q became %q: %v", text, out, err)
		}
		if !reflect.DeepEqual(got, withoutNulls(want)) {
			t.Fatalf("%q became %q", text, out)
		}
	})
}
