package filter

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/store"
)

func text(s string) store.Expr           { return store.Text{Phrase: s} }
func eq(field, value string) store.Expr  { return store.Compare{Field: field, Value: value} }
func all(list ...store.Expr) store.Expr  { return store.And{Exprs: list} }
func some(list ...store.Expr) store.Expr { return store.Or{Exprs: list} }
func no(e store.Expr) store.Expr         { return store.Not{Expr: e} }

func number(field string, op store.Op, value string, n float64) store.Expr {
	return store.Compare{Field: field, Op: op, Value: value, Num: n, IsNum: true}
}

// sameExpr compares expressions, regular expressions by their source.
func sameExpr(t testing.TB, want, got store.Expr) string {
	t.Helper()
	return cmp.Diff(want, got, cmp.Comparer(func(a, b *regexp.Regexp) bool { return a.String() == b.String() }))
}

func TestAFilterMeansWhatItSays(t *testing.T) {
	re := func(field, source string) store.Expr {
		return store.Regexp{Field: field, Re: regexp.MustCompile(source)}
	}
	for _, c := range []struct {
		name, filter string
		want         store.Expr
	}{
		{"nothing is everything", " ", nil},
		{"a star is everything", "*", store.And{}},
		{"stars around letters that are words", "*日志* x", all(store.Text{Phrase: "日志", Prefix: true}, text("x"))},
		{"the example of the design", `service:edge status:error duration:>300ms "connection reset"`, all(
			eq("service", "edge"), eq("status", "error"), number("duration", store.OpGt, "300ms", 3e8), text("connection reset"))},
		{"AND is implicit and binds more than OR", "a b OR c AND d", some(all(text("a"), text("b")), all(text("c"), text("d")))},
		{"NOT binds most", "NOT a b", all(no(text("a")), text("b"))},
		{"a minus negates", "-a -(b OR c)", all(no(text("a")), no(some(text("b"), text("c"))))},
		{"brackets that change nothing leave no trace", "(a (b c))", all(text("a"), text("b"), text("c"))},
		{"two negations stay", "NOT -a", no(no(text("a")))},
		{"small operators are words", "and or not", all(text("and"), text("or"), text("not"))},
		{"a word may begin like an operator", "ORDER ANDROID NOTE", all(text("ORDER"), text("ANDROID"), text("NOTE"))},
		{"operators before a bracket need no space", "a AND(b)OR(c)", nil},
		{"a prefix", "conn*", store.Text{Phrase: "conn", Prefix: true}},
		{"a phrase as a prefix", `"connection re"*`, store.Text{Phrase: "connection re", Prefix: true}},
		{"escapes in a phrase", `"say \"hi\" to C:\temp \\"`, text(`say "hi" to C:\temp \`)},
		{"escapes in a word", `a\:b \(c\) \-1 d\*`, all(text("a:b"), text("(c)"), text("-1"), text("d*"))},
		{"a regular expression", `/took \d+ ms\/s/`, re("", `took \d+ ms/s`)},
		{"a path among words is text", "/var/log /login", all(text("/var/log"), text("/login"))},
		{"an address and a time are text", "https://example.com/a?b=1 10:15:02", all(text("https://example.com/a?b=1"), text("10:15:02"))},
		{"key=value is text", "user=7", text("user=7")},
		{"attribute keys with dots, slashes and dashes", "http.route:/login k8s.io/app-name:x", all(eq("http.route", "/login"), eq("k8s.io/app-name", "x"))},
		{"a path beside other paths", "http.route:/a OR http.route:/", some(eq("http.route", "/a"), eq("http.route", "/"))},
		{"a path with a template", "http.route:/a/{id}", eq("http.route", "/a/{id}")},
		{"a path in slashes, quoted", `http.route:"/api/"`, eq("http.route", "/api/")},
		{"a regular expression in a field", "message:/connection (reset|refused)/ a", all(re("message", "connection (reset|refused)"), text("a"))},
		{"comparisons", "a:>1 a:>=1 a:<1 a:<=1 a:=1 a:!=1", all(
			number("a", store.OpGt, "1", 1), number("a", store.OpGe, "1", 1), number("a", store.OpLt, "1", 1),
			number("a", store.OpLe, "1", 1), number("a", store.OpEq, "1", 1), number("a", store.OpNe, "1", 1))},
		{"quoted numbers are text", `a:"500"`, eq("a", "500")},
		{"negative numbers in a list", "a:(-1 OR 2)", some(number("a", store.OpEq, "-1", -1), number("a", store.OpEq, "2", 2))},
		{"negated values in a list", "a:(x* -xy)", all(store.Compare{Field: "a", Value: "x", Prefix: true}, no(eq("a", "xy")))},
		{"a list of values", "level:(warn OR error) a", all(some(eq("level", "warn"), eq("level", "error")), text("a"))},
		{"a range", "a:(>=400 <500)", all(number("a", store.OpGe, "400", 400), number("a", store.OpLt, "500", 500))},
		{"existence", "a.b:* -c:*", all(store.Exists{Field: "a.b"}, no(store.Exists{Field: "c"}))},
		{"a prefix of a value", `version:2.4* a:"x y"*`, all(
			store.Compare{Field: "version", Value: "2.4", Prefix: true}, store.Compare{Field: "a", Value: "x y", Prefix: true})},
		{"a quoted key", `"a key":x`, eq("a key", "x")},
		{"semantic conventions", "service.name:a deployment.environment:b cloud.region:c", all(eq("service", "a"), eq("env", "b"), eq("region", "c"))},
		{"levels in any spelling", "level:>=WARNING severity:err", all(store.Compare{Field: "level", Op: store.OpGe, Value: "warn"}, eq("level", "error"))},
		{"ids in any spelling", "trace:4BF92F35-77b3-4da6-a3ce-929d0e0e4736 span:AB", all(
			eq("trace_id", "4bf92f3577b34da6a3ce929d0e0e4736"), eq("span_id", "00000000000000ab"))},
		{"times with colons", "timestamp:>=2026-11-21T10:00:00Z", store.Compare{Field: "timestamp", Op: store.OpGe, Value: "2026-11-21T10:00:00Z"}},
		{"letters beyond ASCII", "größe:日本 été", all(eq("größe", "日本"), text("été"))},
		{"space of any kind", "a\u00a0b\n\tc", all(text("a"), text("b"), text("c"))},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Parse(c.filter)
			if c.name == "operators before a bracket need no space" {
				var bad *SyntaxError
				if !errors.As(err, &bad) {
					t.Fatalf("got %v, %v", got, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := sameExpr(t, c.want, got); diff != "" {
				t.Fatalf("%s (-want +got):\n%s", c.filter, diff)
			}
		})
	}
}

func TestNumbersHaveUnits(t *testing.T) {
	for text, want := range map[string]float64{
		"0": 0, "-1.5": -1.5, "+2": 2, "1e3": 1000, "2.5E-1": 0.25, ".5": 0.5,
		"1ns": 1, "1us": 1e3, "1µs": 1e3, "1μs": 1e3, "300ms": 3e8, "1.5s": 1.5e9, "2m": 120e9, "1h": 3600e9, "1d": 86400e9, "1w": 7 * 86400e9,
		"1h30m": 5400e9, "1m0.5s": 60.5e9,
		"7B": 7, "1kB": 1e3, "1KB": 1e3, "2MB": 2e6, "1GB": 1e9, "1TB": 1e12, "1PB": 1e15, "1KiB": 1024, "1.5MiB": 1.5 * (1 << 20), "1GiB": 1 << 30,
	} {
		if got, ok := store.ParseNumber(text); !ok || got != want {
			t.Errorf("%s: %v, %t, want %v", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "-", "x", "1x", "1.2.3", "NaN", "inf", "Infinity", "0x10", "1_000", "1e", "1e999s", "ms", "1kb", "1iB", "1 s", "2026-11-21"} {
		if got, ok := store.ParseNumber(text); ok {
			t.Errorf("%q is taken for the number %v", text, got)
		}
	}
}

func TestEveryErrorSaysWhereAndWhatToDo(t *testing.T) {
	for _, c := range []struct {
		filter string
		pos    int
		msg    string
		hint   string
	}{
		{"service:", 8, "expected a value", "service:*"},
		{"service: edge", 8, "expected a value", "without a space"},
		{"a:> 5", 3, "expected a value", "a:*"},
		{"a AND", 5, "the filter ends here", ""},
		{"a OR OR b", 5, "before OR", `"OR"`},
		{"AND a", 0, "before AND", `"AND"`},
		{"()", 1, "before )", ""},
		{"a )", 2, "unexpected )", `\)`},
		{"(a", 2, "position 0", "add a )"},
		{"a:(b OR c", 9, "position 2", "add a )"},
		{`x "abc`, 2, "no end", `\"`},
		{"f(x)", 1, "unexpected (", `"f(x)"`},
		{`key="v"`, 4, `unexpected "`, "quote the whole text"},
		{`"a"b`, 3, "a space", "quote the whole text"},
		{"a*b", 1, "at the end of a word only", "/a.*b/"},
		{"*a", 0, "at the end of a word only", "use /a/,"},
		{"x *größe* y", 2, "at the end of a word only", "use /größe/,"},
		{"message:*日志*", 8, "at the end of a word only", "use /日志/,"},
		{"level:eror", 6, `"eror" is no level`, "warn"},
		{"trace:xyz", 6, "hex", "32 hex digits"},
		{"span:xyz", 5, "hex", "16 hex digits"},
		{"timestamp:>yesterday", 10, "no time", "time range"},
		{"a:[1 TO 5]", 2, "ranges", "a:>="},
		{"a:(b c)", 5, "two values", "OR"},
		{"a:>b*", 2, "ordered", "leave out"},
		{`a:""`, 2, "the same as none", "-a:*"},
		{`""`, 0, "empty text", "*"},
		{"a && b", 2, "no operator", "AND"},
		{"a || b", 2, "no operator", "OR"},
		{"!a", 0, "no operator", "-term"},
		{"/a(/", 0, "missing closing )", "RE2"},
		{"a:/[/", 2, "missing closing ]", "RE2"},
		{strings.Repeat("(", 200), 101, "nesting", "brackets"},
		{strings.Repeat("-", 200) + "a", 101, "negations", "cancel"},
		{strings.Repeat("a ", MaxFilterBytes), MaxFilterBytes, "16384", "shorten"},
	} {
		name := c.filter[:min(len(c.filter), 20)]
		got, err := Parse(c.filter)
		var bad *SyntaxError
		if !errors.As(err, &bad) {
			t.Errorf("%s: %v, %v, want a syntax error", name, got, err)
			continue
		}
		if bad.Position() != c.pos || !strings.Contains(bad.Error(), c.msg) || !strings.Contains(bad.Hint(), c.hint) {
			t.Errorf("%s: position %d: %s; hint %q; want position %d, %q, %q", name, bad.Position(), bad, bad.Hint(), c.pos, c.msg, c.hint)
		}
	}
}

func TestAFilterOfTheDocumentedSizeIsRead(t *testing.T) {
	words := strings.Repeat("w7 OR ", MaxFilterBytes/6) + "xyzw"
	for _, text := range []string{
		strings.Repeat("(", 100) + "a" + strings.Repeat(")", 100),
		strings.Repeat("(", 99) + "a:(b OR c)" + strings.Repeat(")", 99),
		words[:MaxFilterBytes],
	} {
		if _, err := Parse(text); err != nil {
			t.Errorf("%.20s…, %d bytes: %v", text, len(text), err)
		}
	}
	if _, err := Parse(strings.Repeat("(", 101) + "a" + strings.Repeat(")", 101)); err == nil {
		t.Error("101 levels are read")
	}
}

// genExpr draws expressions in the form that Parse gives.
func genExpr(depth int) *rapid.Generator[store.Expr] {
	return rapid.Custom(func(t *rapid.T) store.Expr {
		kind := rapid.IntRange(0, 6).Draw(t, "kind")
		if depth == 0 {
			kind %= 4
		}
		anyText := rapid.OneOf(rapid.StringN(1, 6, -1), rapid.SampledFrom([]string{"edge", "AND", "a b", "-1", "500", "1h", `q"u\`, "/a/", "x:y", "a*", "(z)", "GRÖẞE"}))
		field := rapid.SampledFrom([]string{"service", "http.route", "k8s.io/x-y", "a b", "größe", "9", "x:y", `q"\`})
		switch kind {
		case 0:
			return store.Text{Phrase: anyText.Draw(t, "phrase"), Prefix: rapid.Bool().Draw(t, "prefix")}
		case 1:
			c := store.Compare{Field: field.Draw(t, "field"), Op: store.Op(rapid.IntRange(0, 5).Draw(t, "op"))}
			if rapid.Bool().Draw(t, "number") {
				c.Value = rapid.SampledFrom([]string{"1", "-2.5", "300ms", "1h30m", "1.5MiB"}).Draw(t, "value")
				c.Num, c.IsNum = store.ParseNumber(c.Value)
				return c
			}
			c.Value = anyText.Draw(t, "value")
			c.Prefix = c.Op <= store.OpNe && rapid.Bool().Draw(t, "prefix")
			return c
		case 2:
			return store.Exists{Field: field.Draw(t, "field")}
		case 3:
			source := rapid.SampledFrom([]string{"a", "a b", "a/b", `\d+ ms`, "(x|y) z", "[/]", `\\`, "a b:c"}).Draw(t, "regexp")
			return store.Regexp{Field: rapid.SampledFrom([]string{"", "message", "a b"}).Draw(t, "field"), Re: regexp.MustCompile(source)}
		case 4:
			return store.Not{Expr: genExpr(depth-1).Draw(t, "not")}
		}
		list := rapid.SliceOfN(genExpr(depth-1), 2, 4).Draw(t, "list")
		var flat []store.Expr
		for _, e := range list {
			and, isAnd := e.(store.And)
			or, isOr := e.(store.Or)
			switch {
			case kind == 5 && isAnd:
				flat = append(flat, and.Exprs...)
			case kind == 6 && isOr:
				flat = append(flat, or.Exprs...)
			default:
				flat = append(flat, e)
			}
		}
		if kind == 5 {
			return store.And{Exprs: flat}
		}
		return store.Or{Exprs: flat}
	})
}

func TestWhatIsPrintedIsReadBackTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := genExpr(3).Draw(t, "expr")
		printed := String(e)
		back, err := Parse(printed)
		if err != nil {
			t.Fatalf("%q: %v", printed, err)
		}
		if diff := cmp.Diff(e, back, cmp.Comparer(func(a, b *regexp.Regexp) bool { return a.String() == b.String() })); diff != "" {
			t.Fatalf("%q (-want +got):\n%s", printed, diff)
		}
	})
}

func TestARegexpThatEndsLikeAValueIsPrintedUnambiguously(t *testing.T) {
	for _, source := range []string{"a b:", "a (b|c) ", "a b\\(", "x y-"} {
		re := regexp.MustCompile(source)
		back, err := Parse(String(store.Regexp{Re: re}))
		got, ok := back.(store.Regexp)
		if err != nil || !ok || !got.Re.MatchString("-- a b: a b  a b( x y- --") {
			t.Errorf("%q: %v, %v", source, back, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`service:edge status:error duration:>300ms "connection reset"`, "a OR -(b c*)", `a:(1 OR "x")`, "/a b/ x:/y/", `"k":v*`, "a:>=1h30m \\(", "trace:ab* -x:*",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, err := Parse(s)
		if err != nil {
			var bad *SyntaxError
			if !errors.As(err, &bad) || bad.Position() < 0 || bad.Position() > len(s) {
				t.Fatalf("%q: %v", s, err)
			}
			return
		}
		printed := String(e)
		again, err := Parse(printed)
		if err != nil {
			t.Fatalf("%q is printed as %q, which is no filter: %v", s, printed, err)
		}
		if twice := String(again); twice != printed {
			t.Fatalf("%q is printed as %q, and that as %q", s, printed, twice)
		}
	})
}

// The documentation's examples are filters, its errors are the ones given.
func TestTheDocumentationIsTrue(t *testing.T) {
	doc, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "query-language.md"))
	if err != nil {
		t.Fatal(err)
	}
	examples, bad := docExamples(string(doc))
	if len(examples) < 36 || len(bad) < 6 {
		t.Fatalf("found %d examples and %d errors: is the documentation's form what it was?", len(examples), len(bad))
	}
	for _, filter := range examples {
		if _, err := Parse(filter); err != nil {
			t.Errorf("%s: %v", filter, err)
		}
	}
	for filter, want := range bad {
		if _, err := Parse(filter); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, documented is %q", filter, err, want)
		}
	}
	for _, row := range tableRows(section(string(doc), "These other spellings", "Some fields")) {
		fields, aliases := codes(row[0]), codes(row[1])
		for i, alias := range aliases {
			want := fields[min(i, len(fields)-1)]
			if got := store.CanonicalField(alias); got != want {
				t.Errorf("%s is %s, documented is %s", alias, got, want)
			}
		}
	}
}

var codePattern = regexp.MustCompile("`([^`]+)`")

// codes are the code spans of s; \| is a | in tables.
func codes(s string) (out []string) {
	for _, m := range codePattern.FindAllStringSubmatch(s, -1) {
		out = append(out, strings.ReplaceAll(m[1], `\|`, "|"))
	}
	return out
}

func section(doc, from, to string) string {
	_, doc, _ = strings.Cut(doc, from)
	doc, _, _ = strings.Cut(doc, to)
	return doc
}

// tableRows are the rows of tables that begin with code, cut into cells.
func tableRows(doc string) (rows [][]string) {
	for line := range strings.Lines(doc) {
		if strings.HasPrefix(line, "| `") {
			cells := strings.SplitN(strings.ReplaceAll(strings.Trim(strings.TrimSpace(line), "|"), `\|`, "\x00"), "|", 2)
			rows = append(rows, []string{strings.ReplaceAll(cells[0], "\x00", "|"), strings.TrimSpace(strings.ReplaceAll(cells[1], "\x00", "|"))})
		}
	}
	return rows
}

func docExamples(doc string) (good []string, bad map[string]string) {
	bad = map[string]string{}
	for _, row := range tableRows(section(doc, "## Errors", "A filter has at most")) {
		bad[codes(row[0])[0]] = row[1]
	}
	for _, part := range []string{
		section(doc, "## Words", "They look at"), section(doc, "## Fields", "A field that is absent"), section(doc, "## Combining", "The operators are"),
	} {
		for _, row := range tableRows(part) {
			good = append(good, codes(row[0])...)
		}
	}
	good = append(good, strings.TrimSpace(section(doc, "```filter", "```")))
	for _, part := range []string{
		section(doc, "Some fields know", "## Numbers"), section(doc, "So `dur", "a\nnumber"), section(doc, "A field that is absent", "Log records"),
		section(doc, "takes\naway", "Inside quotation"), section(doc, "any other is a path:", "## Errors"),
	} {
		for _, code := range codes(part) {
			if strings.ContainsAny(code, `:/`) {
				good = append(good, code)
			}
		}
	}
	return good, bad
}
