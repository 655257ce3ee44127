package store_test

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

func TestWordsAndPhrases(t *testing.T) {
	for _, c := range []struct {
		name, phrase, text string
		prefix, want       bool
	}{
		{"a whole word", "reset", "connection reset by", false, true},
		{"in any case", "RESET", "Connection Reset", false, true},
		{"no part of a word", "set", "reset", false, false},
		{"no beginning of a word", "res", "reset", false, false},
		{"a beginning of a word as a prefix", "res", "a reset", true, true},
		{"a prefix begins a word", "set", "reset", true, false},
		{"a later place than the first", "set", "reset set", false, true},
		{"_ and digits belong to words", "user", "user_7", false, false},
		{"words in a row", "connection reset", "the Connection reset.", false, true},
		{"with the same between them", "connection reset", "connection  reset", false, false},
		{"in their order", "reset connection", "connection reset", false, false},
		{"punctuation at the edge", "[error]", "x[error]y", false, true},
		{"punctuation alone", "->", "a->b", false, true},
		{"letters beyond ASCII", "größe", "die GRÖSSE und GRÖßE", false, true},
		{"words beyond ASCII have bounds", "größ", "größe", false, false},
		{"a part of a run of Han letters", "日本", "日本語", false, true},
		{"a part within Kana", "バー", "サーバーに", false, true},
		{"Latin letters next to Han keep their bounds", "log", "查看log文件", false, true},
		{"but not within them", "lo", "查看log文件", false, false},
		{"a phrase over both", "看log文", "查看log文件", false, true},
		{"Korean with a particle", "로그", "로그를 저장", false, true},
		{"Thai", "ผิดพลาด", "เกิดข้อผิดพลาดในระบบ", false, true},
		{"Lao", "ຜິດພາດ", "ເກີດຄວາມຜິດພາດ", false, true},
		{"Khmer", "កំហុស", "មានកំហុសក្នុង", false, true},
		{"Han letters in another order", "本日", "日本語", false, false},
		{"a word in colour", "ERROR", "\x1b[31mERROR\x1b[0m", false, true},
		{"not its colour", "31mERROR", "\x1b[31mERROR\x1b[0m", false, false},
		{"a phrase over colours", "error connection refused", "\x1b[31mERROR\x1b[0m connection \x1b[1;4mrefused\x1b[0m", false, true},
		{"a word with a colour in it", "refused", "re\x1b[7mfu\x1b[27msed", false, true},
		{"no part of a word at a colour", "fu", "re\x1b[7mfu\x1b[27msed", false, false},
		{"a colour in its 8-bit form", "error", "\u009b31merror\u009b0m", false, true},
		{"a link by its text", "click here", "\x1b]8;;https://example.com/a\x1b\\click\x1b]8;;\a here", false, true},
		{"not by its address", "example", "\x1b]8;;https://example.com/a\x1b\\click\x1b]8;;\a here", false, false},
		{"a phrase that was copied with its colours", "\x1b[1mconnection\x1b[0m refused", "connection refused", false, true},
		{"a lone escape character is no sequence", "bc", "a\x1b\nbc", false, true},
		{"a word next to a letter beyond ASCII", "gr", "größe", false, false},
		{"the Kelvin sign is no k", "kelvin", "\u212Aelvin", false, false},
		{"the dotless i is no i", "in", "ın", false, false},
		{"at the end", "ab", "xx ab", false, true},
		{"not beyond the end", "abc", "xx ab", false, false},
		{"many false starts", "aab", strings.Repeat("a", 50) + " AAB", false, true},
		{"invalid UTF-8 is no word", "a", "\xffa\xfe", false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := store.NewTextMatcher(store.Text{Phrase: c.phrase, Prefix: c.prefix})
			if got := m.Match(c.text); got != c.want {
				t.Errorf("%q in %q: %t", c.phrase, c.text, got)
			}
		})
	}
}

// The fast search agrees with the plainest one on random texts.
func TestTheFastSearchFindsWhatThePlainOneFinds(t *testing.T) {
	fold := func(s string) string { return string(store.AppendFolded(nil, s)) }
	plain := func(phrase, text string, prefix bool) bool {
		p, s := []rune(fold(phrase)), []rune(fold(text))
		for i := 0; i+len(p) <= len(s); i++ {
			if !slices.Equal(s[i:i+len(p)], p) {
				continue
			}
			joined := func(a, b rune) bool {
				return store.IsWordRune(a) && store.IsWordRune(b) && !store.IsLoneRune(a) && !store.IsLoneRune(b)
			}
			before := i > 0 && joined(s[i-1], p[0])
			after := i+len(p) < len(s) && joined(s[i+len(p)], p[len(p)-1])
			if !before && (prefix || !after) {
				return true
			}
		}
		return false
	}
	rnd := rand.New(rand.NewPCG(7, 7))
	letters := []rune("aAbBzZ ._é\u00c9k\u212a日本")
	word := func(n int) string {
		out := make([]rune, n)
		for i := range out {
			out[i] = letters[rnd.IntN(len(letters))]
		}
		return string(out)
	}
	for range 20_000 {
		phrase, text, prefix := word(1+rnd.IntN(4)), word(rnd.IntN(14)), rnd.IntN(2) == 0
		got := store.NewTextMatcher(store.Text{Phrase: phrase, Prefix: prefix}).Match(text)
		if want := plain(phrase, text, prefix); got != want {
			t.Fatalf("%q in %q, prefix %t: %t, want %t", phrase, text, prefix, got, want)
		}
	}
}

func TestWordsAreRunsOfLettersDigitsAndUnderscores(t *testing.T) {
	text := " a_1,b--größe 日本x。\xffx \x1b[1mre\x1b[0md"
	var got []string
	store.Words(text, func(_ uint64, start, end int) bool {
		got = append(got, text[start:end])
		return true
	})
	if want := []string{"a_1", "b", "größe", "日", "本", "x", "x", "re\x1b[0md"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	same := [][2]string{{"ERROR", "error"}, {"Straße", "STRAßE"}, {"ÄPFEL", "äpfel"}, {"\u212Aelvin", "kelvin"}, {"a_1", "A_1"}, {"re\x1b[0md", "red"}}
	for _, c := range same {
		if a, b := hashesOf(c[0]), hashesOf(c[1]); len(a) != 1 || !slices.Equal(a, b) {
			t.Errorf("words of %q and %q differ", c[0], c[1])
		}
	}
	for r := rune(0x80); r < unicode.MaxRune; r++ {
		if store.FoldRune(r) < 0x80 {
			t.Fatalf("%U folds into ASCII", r)
		}
	}
}

func hashesOf(text string) (out []uint64) {
	store.Words(text, func(h uint64, _, _ int) bool { out = append(out, h); return true })
	return out
}

// Filters hold what Words cuts out of a text, and searches ask them for the
// words of what they look for: both must take the same for a word.
func FuzzWordsOfTheIndexAreWordsOfTheSearch(f *testing.F) {
	f.Add("GET /orders/17 für Kunde", "Straße K")
	f.Add("\x1b[31mERROR\x1b[0m 连接被拒绝, ログを見る", "로그를\u009b1m x\x1b(B")
	f.Add("\x1b]8;;http://a\x1b", "\\x\x1b]0;t\a")
	f.Fuzz(func(t *testing.T, a, b string) {
		if want, got := append(hashesOf(a), hashesOf(b)...), hashesOf(a+" \n"+b); !store.HasEscapes(a) && !slices.Equal(want, got) {
			t.Fatalf("words of %q and %q depend on their neighbours", a, b)
		}
		if !slices.Equal(hashesOf(a), hashesOf(store.Visible(a))) {
			t.Fatalf("the words of %q are not those that are seen: %q", a, store.Visible(a))
		}
		store.Words(a, func(h uint64, start, end int) bool {
			word := a[start:end]
			if w := hashesOf(word); len(w) != 1 || w[0] != h {
				t.Fatalf("%q of %q is not one word", word, a)
			}
			if !store.NewTextMatcher(store.Text{Phrase: word}).Match(a) {
				t.Fatalf("the word %q of %q is in the index, but a search does not find it", word, a)
			}
			return true
		})
	})
}

func TestEscapeSequencesAreNotSeen(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"none", "plain é text", "plain é text"},
		{"colours", "\x1b[1;31mred\x1b[0m", "red"},
		{"colours of a palette, with colons", "\x1b[38:2::255:0:0mred\x1b[m", "red"},
		{"private modes and cursor moves", "\x1b[?25la\x1b[2K\x1b[1Gb\x1b[?25h", "ab"},
		{"with an intermediate byte", "\x1b[2 qa", "a"},
		{"a character set, as tput sgr0 writes it", "x\x1b(B\x1b[my", "xy"},
		{"keypad modes", "\x1b=a\x1b>b\x1b7", "ab"},
		{"a title, ended by BEL", "\x1b]0;my title\aok", "ok"},
		{"a title, ended by ST", "\x1b]0;my ünïtitle\x1b\\ok", "ok"},
		{"8-bit forms", "\u009b31mred\u009b0m \u009d0;t\u009cok", "red ok"},
		{"device control and private strings", "\x1bP1$r0m\x1b\\a\x1b_x\x1b\\b\x1b^y\ac\x1bXz\x1b\\d", "abcd"},
		{"cut off at the end", "a\x1b[31", "a\x1b[31"},
		{"a string without an end hides nothing", "a\x1b]0;title b", "a\x1b]0;title b"},
		{"a string that a line break cuts off hides nothing", "\x1b]0;a\nb\a", "\x1b]0;a\nb\a"},
		{"escape at the very end", "a\x1b", "a\x1b"},
		{"other text that begins with the same byte", "\u00a0«x»", "\u00a0«x»"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := store.Visible(c.text); got != c.want {
				t.Errorf("%q is seen as %q, want %q", c.text, got, c.want)
			}
		})
	}
}

// A text of nothing but beginnings of sequences takes time linear in its length: the quadratic
// way would take minutes here.
func TestUnfinishedEscapeSequencesTakeLinearTime(t *testing.T) {
	for _, unit := range []string{"\x1b]", "\x1b[", "\u009d", "\x1bP\u009b1;"} {
		text := strings.Repeat(unit, 2<<20/len(unit))
		if n := len(hashesOf(text)); n > len(text) {
			t.Errorf("%d words", n)
		}
		_ = store.Visible(text)
	}
}

func cmp(field string, op store.Op, value string) store.Expr {
	return store.Compare{Field: field, Op: op, Value: value}
}

func num(field string, op store.Op, value string, n float64) store.Expr {
	return store.Compare{Field: field, Op: op, Value: value, Num: n, IsNum: true}
}

func TestFieldsOfALogRecord(t *testing.T) {
	r := &model.LogRecord{
		Time: 1_795_256_243_000_000_001, Level: model.LevelWarn, TraceID: model.TraceID{0xab}, Message: "took 7 ms",
		Attrs: model.Attrs{
			{Key: "n", Value: model.IntValue(500)},
			{Key: "f", Value: model.FloatValue(0.5)},
			{Key: "s", Value: model.StringValue("500.0")},
			{Key: "b", Value: model.BoolValue(true)},
			{Key: "big", Value: model.IntValue(9007199254740993)},
			{Key: "empty", Value: model.StringValue("")},
			{Key: "twice", Value: model.IntValue(1)},
			{Key: "twice", Value: model.IntValue(2)},
			{Key: "hidden", Value: model.StringValue("own")},
			{Key: "status", Value: model.IntValue(404)},
		},
		Resource: &model.Resource{Service: "edge", Version: "1.1", Attrs: model.Attrs{
			{Key: "host", Value: model.StringValue("h1")}, {Key: "hidden", Value: model.StringValue("resource")}, {Key: "empty", Value: model.StringValue("below")},
		}},
	}
	re := func(field, s string) store.Expr { return store.Regexp{Field: field, Re: regexp.MustCompile(s)} }
	for _, c := range []struct {
		name string
		e    store.Expr
		want bool
	}{
		{"text is equal as it is", cmp("service", store.OpEq, "edge"), true},
		{"case counts", cmp("service", store.OpEq, "Edge"), false},
		{"text that reads as the same number is another text", num("version", store.OpEq, "1.10", 1.1), false},
		{"but is ordered as a number", num("version", store.OpGt, "1.09", 1.09), true},
		{"an absent field is not equal", cmp("region", store.OpEq, ""), false},
		{"an absent field is not unequal either", cmp("region", store.OpNe, "eu"), false},
		{"the negation holds for an absent field", store.Not{Expr: cmp("region", store.OpEq, "eu")}, true},
		{"levels are ordered by severity", cmp("level", store.OpGe, "info"), true},
		{"levels below", cmp("level", store.OpGt, "warn"), false},
		{"a number equals by value", num("n", store.OpEq, "5e2", 500), true},
		{"a number as text", cmp("n", store.OpEq, "500"), true},
		{"a number as another text", cmp("n", store.OpEq, "500.0"), false},
		{"a text is no number to be equal to", num("s", store.OpEq, "500", 500), false},
		{"a text is ordered as a number", num("s", store.OpGe, "60", 60), true},
		{"what is no number is not more than one", num("b", store.OpGt, "499", 499), false},
		{"nor less", store.Or{Exprs: []store.Expr{num("b", store.OpLe, "499", 499), num("service", store.OpLt, "499", 499)}}, false},
		{"in quotes it is a text, and ordered as one", cmp("service", store.OpGt, "499"), true},
		{"fractions", num("f", store.OpLt, "0.51", 0.51), true},
		{"truth as text", cmp("b", store.OpEq, "true"), true},
		{"large integers are exact", num("big", store.OpEq, "9007199254740992", 9007199254740992), false},
		{"large integers are found", num("big", store.OpEq, "9007199254740993", 9007199254740993), true},
		{"the last of a doubled key", num("twice", store.OpEq, "2", 2), true},
		{"the first of a doubled key", num("twice", store.OpEq, "1", 1), false},
		{"the resource's attribute", cmp("host", store.OpEq, "h1"), true},
		{"the record's own attribute hides it", cmp("hidden", store.OpEq, "resource"), false},
		{"an empty one does not hide it", cmp("empty", store.OpEq, "below"), true},
		{"existence", store.Exists{Field: "b"}, true},
		{"no existence", store.Exists{Field: "request_id"}, false},
		{"status is an attribute of a log record", num("status", store.OpGe, "400", 400), true},
		{"an id in its hex form", cmp("trace_id", store.OpEq, model.TraceID{0xab}.String()), true},
		{"an id's beginning, in any case", store.Compare{Field: "trace_id", Value: "AB0", Prefix: true}, true},
		{"an absent id", store.Exists{Field: "span_id"}, false},
		{"times are exact", cmp("timestamp", store.OpGt, "2026-11-21T10:17:23Z"), true},
		{"times are exact, in ns", num("timestamp", store.OpEq, "1795256243000000001", 1795256243000000001), true},
		{"a prefix", store.Compare{Field: "service", Value: "ed", Prefix: true}, true},
		{"not a prefix", store.Compare{Field: "service", Op: store.OpNe, Value: "ed", Prefix: true}, false},
		{"a regular expression over the message", re("", `took \d+ ms`), true},
		{"a regular expression over a field", re("service", "^dg"), false},
		{"a regular expression over a number", re("n", "^50"), true},
		{"the empty conjunction", store.And{}, true},
		{"the empty disjunction", store.Or{}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := store.NewMatcher(c.e).Log(r); got != c.want {
				t.Errorf("got %t", got)
			}
		})
	}
}

func TestFieldsOfASpan(t *testing.T) {
	s := &model.Span{
		TraceID: model.TraceID{1}, SpanID: model.SpanID{2}, Name: "GET /login", Kind: model.SpanKindServer, Start: 5, Duration: 400e6,
		Status: model.StatusError, StatusMessage: "connection reset", Resource: &model.Resource{},
	}
	for _, c := range []struct {
		name string
		e    store.Expr
		want bool
	}{
		{"durations", num("duration", store.OpGt, "300ms", 300e6), true},
		{"durations, exactly", num("duration", store.OpEq, "400ms", 400e6), true},
		{"status", cmp("status", store.OpEq, "error"), true},
		{"kind", cmp("kind", store.OpEq, "server"), true},
		{"words of the name", store.Text{Phrase: "login"}, true},
		{"words of the status message", store.Text{Phrase: "reset"}, true},
		{"a phrase does not span both", store.Text{Phrase: "login connection"}, false},
		{"message is the name", cmp("message", store.OpEq, "GET /login"), true},
		{"a root has no parent", store.Exists{Field: "parent_id"}, false},
		{"the start is the timestamp", num("timestamp", store.OpEq, "5", 5), true},
		{"level is no field of spans", cmp("level", store.OpEq, "error"), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := store.NewMatcher(c.e).Span(s); got != c.want {
				t.Errorf("got %t", got)
			}
		})
	}
	if got := store.SpanField(s, "status"); got != "error" {
		t.Errorf("status as text: %q", got)
	}
	if got := store.SpanField(&model.Span{Resource: &model.Resource{}}, "status"); got != "unset" {
		t.Errorf("no status as text: %q", got)
	}
}

func TestTextsThatReadAsNumbersAreOrderedAsNumbers(t *testing.T) {
	for _, c := range []struct {
		op    store.Op
		value string
		pass  []string
		fail  []string
	}{
		{store.OpGt, "10ms", []string{"12.5ms", "1s", "1h30m", "10000001"}, []string{"9ms", "10ms", "9999ns", "0.5ms", "-1s"}},
		{store.OpLt, "2KiB", []string{"2KB", "2047", "1.5KiB", "7B"}, []string{"2KiB", "3KiB", "1MB", "2048"}},
		{store.OpGe, "404", []string{"404", "0404", "4040", "1e3"}, []string{"403.9", "50"}},
		{store.OpGt, "abc", []string{"abd", "b"}, []string{"abb", "12.5ms"}},
		{store.OpEq, "10ms", []string{"10ms"}, []string{"10.0ms", "10000000", "0.01s"}}, // texts are equal by their letters
	} {
		n, isNum := store.ParseNumber(c.value)
		m := store.NewMatcher(store.Compare{Field: "latency", Op: c.op, Value: c.value, Num: n, IsNum: isNum})
		for want, texts := range map[bool][]string{true: c.pass, false: c.fail} {
			for _, text := range texts {
				r := model.LogRecord{Resource: &model.Resource{}, Attrs: model.Attrs{{Key: "latency", Value: model.StringValue(text)}}}
				if m.Log(&r) != want {
					t.Errorf("%q against %d %q: %v", text, c.op, c.value, !want)
				}
			}
		}
	}
}

func TestAnAttributeWithTheNameOfAFieldIsAskedForByItsPrefix(t *testing.T) {
	for field, key := range map[string]string{
		"attr.tenant": "tenant", "attr.level": "level", "attr.service.name": "service.name", "attr.time": "time", "attr.attr.tenant": "attr.attr.tenant",
		"attr.http.route": "attr.http.route", "tenant.id": "tenant.id", "attr.": "attr.", "http": "http",
	} {
		if got := store.AttrKey(field); got != key {
			t.Errorf("%s is the attribute %s, want %s", field, got, key)
		}
		if back := store.AttrField(key); store.AttrKey(back) != key {
			t.Errorf("the attribute %s is listed as %s, which is another", key, back)
		}
	}
	r := model.LogRecord{Level: model.LevelError, Resource: &model.Resource{Tenant: "default"}, Attrs: model.Attrs{
		{Key: "tenant", Value: model.StringValue("acme")}, {Key: "level", Value: model.JSONValue(`{"deep":"gold"}`)},
	}}
	for field, want := range map[string]string{"tenant": "default", "attr.tenant": "acme", "level": "error", "level.deep": "gold", "attr.service": ""} {
		if got := store.LogField(&r, field); got != want {
			t.Errorf("%s is %q, want %q", field, got, want)
		}
	}
}
