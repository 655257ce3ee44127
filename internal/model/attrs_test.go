package model

import (
	"encoding/json"
	"testing"
)

// Attributes are read from files and from senders: what is no whole object is an error, never a
// panic and never a part of the truth.
func TestAttributesAreOneWholeObject(t *testing.T) {
	var as Attrs
	if err := as.UnmarshalJSON([]byte(` {"b":1,"a":{"x":[1]},"b":"two"} `)); err != nil || len(as) != 3 || as[0].Key != "b" || as[2].Value != StringValue("two") {
		t.Errorf("%v, %v: want the three in their order", as, err)
	}
	for _, text := range []string{`[1]`, `["a",1]`, `5`, `"x"`, `true`, `{`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,`, `{"a":1}{}`, `{"a":1} x`, ``} {
		if err := as.UnmarshalJSON([]byte(text)); err == nil {
			t.Errorf("%q is read as %v", text, as)
		}
	}
	var r LogRecord
	if err := json.Unmarshal([]byte(`{"timestamp":"2026-11-21T00:00:00Z","attributes":[1]}`), &r); err == nil {
		t.Error("a list is taken for a record's attributes")
	}
	if err := json.Unmarshal([]byte(`{"timestamp":"2026-11-21T00:00:00Z","attributes":null}`), &r); err != nil || r.Attrs != nil {
		t.Errorf("null attributes: %v, %v", r.Attrs, err)
	}
}
