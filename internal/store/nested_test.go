package store_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/filter"
)

func expr(t *testing.T, text string) store.Expr {
	t.Helper()
	e, err := filter.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestFieldsLieWithinObjectsAndArrays(t *testing.T) {
	r := &model.LogRecord{
		Resource: &model.Resource{Attrs: model.Attrs{{Key: "k8s", Value: model.JSONValue(`{"pod":{"name":"p-1"},"n":1}`)}}},
		Attrs: model.Attrs{
			{Key: "http", Value: model.JSONValue(`{"response":{"status_code":503},"request.method":"GET"}`)},
			{Key: "tags", Value: model.JSONValue(`["a","b",["c"]]`)},
			{Key: "items", Value: model.JSONValue(`[{"name":"x","qty":2},{"name":"y","qty":7}]`)},
			{Key: "big", Value: model.JSONValue(`{"id":9007199254740993,"more":18446744073709551616,"price":0.10}`)},
			{Key: "flag", Value: model.JSONValue(`{"on":true,"none":null,"empty":"","quoted":"a\"b\u00e9"}`)},
			{Key: "k8s.n", Value: model.IntValue(9007199254740993)},
			{Key: "a.b", Value: model.StringValue("own")},
			{Key: "a", Value: model.JSONValue(`{"b":"inner","c":"c"}`)},
			{Key: "text", Value: model.StringValue(`{"x":1}`)},
		},
	}
	for filter, want := range map[string]bool{
		"http.response.status_code:503":      true,
		"http.response.status_code:>=500":    true,
		"http.response.status_code:>503":     false,
		"http.response.status_code:*":        true,
		"http.request.method:GET":            true, // a key with a dot within an object
		"http.response:*":                    true,
		"http.response.missing:*":            false,
		"tags:a":                             true,
		"tags:c":                             true,
		"tags:d":                             false,
		"tags:!=a":                           false, // one of the elements is a
		"tags:!=d":                           true,
		"-tags:d":                            true,
		"tags:/^b$/":                         true,
		`tags:"[\"a\",\"b\",[\"c\"]]"`:       true, // the array itself, as before
		"items.name:y":                       true, // a path through an array
		"items.qty:>5":                       true,
		"items.qty:>7":                       false,
		"tags:>c":                            false, // the text of an array is neither more nor less
		"tags:<a":                            false,
		"tags:<b":                            true,
		"http:>500":                          false,
		"items:<=zzz":                        false,
		"big.id:9007199254740993":            true,
		"big.id:9007199254740992":            false, // the same as a float
		"big.id:>9007199254740992":           true,
		"big.more:18446744073709551616":      true,
		"big.more:18446744073709551617":      false,
		"big.more:>18446744073709551615":     true,
		"big.more:<=18446744073709551616":    true,
		"big.price:0.1":                      true,
		"k8s.n:9007199254740993":             true, // its own key comes first
		"k8s.n:9007199254740993.5":           false,
		"k8s.n:<9007199254740993.5":          true,
		"k8s.pod.name:p-1":                   true, // of the resource
		"flag.on:true":                       true,
		"flag.none:*":                        false,
		"flag.empty:*":                       false,
		`flag.quoted:"a\"bé"`:                true,
		"a.b:own":                            true,
		"a.b:inner":                          false, // hidden by the key of its own
		"a.c:c":                              true,
		"text.x:1":                           false, // a text is a text
		"http.response.status_code.deeper:1": false,
		"http.:1":                            false,
	} {
		if got := store.NewMatcher(expr(t, filter)).Log(r); got != want {
			t.Errorf("%s: %t", filter, got)
		}
	}
	if got := store.LogField(r, "items.name"); got != "x" {
		t.Errorf("items.name is shown as %q", got)
	}
	if got := store.LogField(r, "big.more"); got != "18446744073709551616" {
		t.Errorf("big.more is shown as %q", got)
	}
}

func TestSpansAreFoundByTheirEventsAndLinks(t *testing.T) {
	s := &model.Span{
		Name: "POST /pay", Resource: &model.Resource{Attrs: model.Attrs{{Key: "exception.type", Value: model.StringValue("hidden")}}},
		Attrs: model.Attrs{{Key: "attempt", Value: model.IntValue(1)}},
		Events: []model.SpanEvent{
			{Name: "retry", Attrs: model.Attrs{{Key: "attempt", Value: model.IntValue(2)}}},
			{Name: "exception", Attrs: model.Attrs{
				{Key: "exception.type", Value: model.StringValue("DiskFull")},
				{Key: "exception.message", Value: model.StringValue("\x1b[31mno space\x1b[0m left")},
				{Key: "ctx", Value: model.JSONValue(`{"disk":["sda","sdb"]}`)},
			}},
		},
		Links: []model.SpanLink{{TraceID: model.TraceID{0xab}, SpanID: model.SpanID{0xcd}, Attrs: model.Attrs{{Key: "reason", Value: model.StringValue("fan out")}}}},
	}
	for filter, want := range map[string]bool{
		"exception.type:DiskFull":       true,
		"event.exception.type:DiskFull": true,
		"link.exception.type:DiskFull":  false,
		"exception.type:hidden":         false, // the span's own hides the resource's
		"exception.type:DiskEmpty":      false,
		"exception.type:Disk*":          true,
		"event.name:exception":          true,
		"event.name:retry":              true,
		"event.name:other":              false,
		"event.name:!=retry":            false,
		"event.name:!=other":            true,
		`"no space left"`:               true,
		"space -timeout":                true,
		"spac":                          false,
		"retry":                         true,
		"/no sp.ce/":                    true,
		"attempt:1":                     true,
		"attempt:2":                     true, // the span's or an event's
		"attempt:>2":                    false,
		"ctx.disk:sdb":                  true,
		"event.ctx.disk:sdb":            true,
		"link.trace_id:ab000000000000000000000000000000": true,
		"link.span_id:cd00000000000000":                  true,
		"link.reason:\"fan out\"":                        true,
		"reason:/out/":                                   true,
		"fan":                                            true,
		"cd00000000000000":                               false, // ids are no words
	} {
		if got := store.NewMatcher(expr(t, filter)).Span(s); got != want {
			t.Errorf("%s: %t", filter, got)
		}
	}
	if got := store.SpanField(s, "exception.type"); got != "DiskFull" {
		t.Errorf("exception.type is shown as %q", got)
	}
}

// Filters hold what EachValueWithin yields; a search must not find more.
func TestWhatAPathFindsIsWhatFiltersHold(t *testing.T) {
	var value func(depth int) *rapid.Generator[string]
	value = func(depth int) *rapid.Generator[string] {
		scalars := rapid.SampledFrom([]string{`1`, `"x"`, `true`, `null`, `""`, `1.50`, `18446744073709551616`, `"\u0061.b"`})
		if depth == 0 {
			return scalars
		}
		return rapid.OneOf(scalars, rapid.Custom(func(t *rapid.T) string {
			return "[" + strings.Join(rapid.SliceOfN(value(depth-1), 0, 3).Draw(t, "elements"), ",") + "]"
		}), rapid.Custom(func(t *rapid.T) string {
			var list []string
			for _, v := range rapid.SliceOfN(value(depth-1), 0, 3).Draw(t, "members") {
				list = append(list, rapid.SampledFrom([]string{`"a"`, `"b"`, `"a.b"`, `"b."`, `""`, `"\u0062"`}).Draw(t, "key")+":"+v)
			}
			return "{" + strings.Join(list, ",") + "}"
		}))
	}
	rapid.Check(t, func(t *rapid.T) {
		var v model.Value
		if err := v.UnmarshalJSON([]byte(value(4).Draw(t, "json"))); err != nil {
			t.Fatal(err)
		}
		path := rapid.StringMatching(`[ab](\.[ab]?){0,3}`).Draw(t, "path")
		held := map[string]bool{}
		store.EachValueWithin("k", v, func(p string, v model.Value) { held[p+"="+v.String()] = true })
		for _, found := range store.AppendOwn(nil, model.Attrs{{Key: "k", Value: v}}, "k."+path) {
			if !held["k."+path+"="+found.String()] {
				t.Fatalf("%q is found at k.%s of %s, but no filter holds it", found.String(), path, v.String())
			}
		}
	})
}

func TestDeepValuesEndSomewhere(t *testing.T) {
	deep := model.JSONValue(strings.Repeat(`{"a":[`, 5000) + strings.Repeat(`]}`, 5000))
	n := 0
	store.EachValueWithin("k", deep, func(string, model.Value) { n++ })
	if n < 30 || n > 40 {
		t.Errorf("%d values", n)
	}
	if got := store.AppendValuesAt(nil, deep, strings.Repeat("a.", 100)+"a"); len(got) != 0 {
		t.Errorf("found %d", len(got))
	}
}
