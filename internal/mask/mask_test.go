package mask

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

var testKey = Key{Prefix: "h1:0a1b2c3d:", Secret: []byte("secret"), Bytes: 16}

func rules(t testing.TB, list ...Rule) *Rules {
	t.Helper()
	for i := range list {
		def := Rule{}
		def.SetDefaults()
		if list[i].LiftedBy == "" {
			list[i].LiftedBy = def.LiftedBy
		}
		if list[i].Replace == "" {
			list[i].Replace = def.Replace
		}
		if list[i].Name == "" {
			list[i].Name = fmt.Sprintf("r%d", i)
		}
	}
	cfg := Config{Rules: list}
	if errs := cfg.Validate(); len(errs) > 0 {
		t.Fatal(errs)
	}
	r, err := New(cfg, testKey)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// viewOf is what somebody sees for whom nothing is lifted.
func viewOf(t testing.TB, list ...Rule) *View {
	t.Helper()
	r := rules(t, list...)
	return r.For(access.With(t.Context(), &access.Access{Scope: access.Scope{All: true}}))
}

func TestNamesOfFields(t *testing.T) {
	for _, c := range []struct {
		field, key string
		want       bool
	}{
		{"user.email", "user.email", true},
		{"user.email", "user_email", true},
		{"user.email", "userEmail", true},
		{"user.email", "User-Email", true},
		{"user.email", "client.user.email", true},
		{"user.email", "user.email.domain", true},
		{"user.email", "user.emails", false},
		{"user.email", "superuser.email", false},
		{"enduser.*", "enduser.id", true},
		{"enduser.*", "enduser", false},
		{"*", "anything", true},
		{"*token", "apitoken", true},
		{"*token", "api.token.x", true},
		{"http.request.header.*", "http.request.header.x-api-key", true},
		{"email", "user.email", true},
		{"email", "emailed", false},
		{"a*c", "abbc", true},
		{"a*c", "abbcd", false},
	} {
		if got := glob(plain(c.field)).covers(plain(c.key)); got != c.want {
			t.Errorf("%s covers %s: %v", c.field, c.key, got)
		}
	}
}

func TestWhatIsShownOfARecord(t *testing.T) {
	v := viewOf(t, Rule{Name: "mail", Fields: []string{"user.email"}}, Rule{Name: "cards", Patterns: []string{"card"}, Replace: ReplaceLast4},
		Rule{Name: "ids", Fields: []string{"user.id"}, Replace: ReplaceHash})
	res := &model.Resource{Service: "s", Attrs: model.Attrs{{Key: "owner.user.email", Value: model.StringValue("x@y.de")}}}
	in := model.LogRecord{
		Message: `paid with 4111 1111 1111 1111 at {"n":1}`, Resource: res, RequestID: "r1",
		Attrs: model.Attrs{
			{Key: "userEmail", Value: model.StringValue("a@b.de")},
			{Key: "n", Value: model.IntValue(4111111111111111)},
			{Key: "user.id", Value: model.IntValue(7)},
			{Key: "user", Value: model.JSONValue(`{ "email":"a@b.de", "id":7, "f":1.50, "cards":["\u0034111111111111111","x"] }`)},
			{Key: "empty", Value: model.StringValue("")},
			{Key: "ok", Value: model.BoolValue(true)},
		},
	}
	before := fmt.Sprint(in)
	out := v.Masker().Log(in)
	if fmt.Sprint(in) != before {
		t.Error("what was given has changed")
	}
	hash := testKey.hash("7")
	want := map[string]string{
		"userEmail": "[masked: mail]", "n": "[masked: cards …1111]", "user.id": "[masked: ids " + hash + "]", "empty": "", "ok": "true",
		"user": `{ "email":"[masked: mail]", "id":"[masked: ids ` + hash + `]", "f":1.50, "cards":["[masked: cards …1111]","x"] }`,
	}
	for k, w := range want {
		if got, _ := out.Attrs.Get(k); got.String() != w {
			t.Errorf("%s: %s, want %s", k, got, w)
		}
	}
	if out.Message != `paid with [masked: cards …1111] at {"n":1}` || out.RequestID != "r1" {
		t.Errorf("%q", out.Message)
	}
	if got, _ := out.Resource.Attrs.Get("owner.user.email"); got.String() != "[masked: mail]" || out.Resource.Service != "s" {
		t.Errorf("%v", out.Resource)
	}
	if got := v.Labels("pay", labels.FromStrings("user_email", "a", "trace_id", "t")); got.String() != `{trace_id="t", user_email="[masked: mail]"}` {
		t.Error(got)
	}
}

func TestAStructuredMessageIsMaskedByItsFields(t *testing.T) {
	v := viewOf(t, Rule{Name: "mail", Fields: []string{"user.email"}}, Rule{Name: "net", Patterns: []string{"ipv4"}})
	for in, want := range map[string]string{
		`{"user":{"email":"a@b.de"},"m":"from 10.0.0.1:8"}`: `{"user":{"email":"[masked: mail]"},"m":"from [masked: net]:8"}`,
		`{"user.email":["a",{"b":1}],"n":null}`:             `{"user.email":"[masked: mail]","n":null}`,
		`{"inner":"{\"user\":{\"email\":\"a\"}}"}`:          `{"inner":"[masked: mail]"}`,
		"\x1b[31m10.0\x1b[0m.0.1\x1b[0m up":                 "[masked: net] up",
		`{"m":"a\n10.0.0.1\u0041"}`:                         `{"m":"a\n10.0.0.1\u0041"}`,
		`{"m":"at\n10.0.0.1 b"}`:                            `{"m":"at[masked: net] b"}`,
		`{"user":{"email":"a@b.de"}`:                        `{"user":{"email":"a@b.de"}`, // is no JSON: only patterns are looked for
	} {
		if got := v.Masker().Log(model.LogRecord{Message: in, Resource: &model.Resource{}}).Message; got != want {
			t.Errorf("%s\n%s, want\n%s", in, got, want)
		}
	}
}

func TestWhoSeesWhat(t *testing.T) {
	r := rules(t, Rule{Name: "mail", Fields: []string{"email"}}, Rule{Name: "cards", Fields: []string{"pan"}, LiftedBy: "unmasked.cards"})
	rec := func(namespace string) model.LogRecord {
		return model.LogRecord{Resource: &model.Resource{Namespace: namespace}, Attrs: model.Attrs{{Key: "email", Value: model.StringValue("e")}, {Key: "pan", Value: model.StringValue("p")}}}
	}
	all := access.Scope{All: true}
	of := func(mail, cards access.Scope) func(access.Permission) access.Scope {
		return func(p access.Permission) access.Scope {
			return map[access.Permission]access.Scope{access.UnmaskedRead: mail, "unmasked.cards": cards}[p]
		}
	}
	for _, c := range []struct {
		name      string
		access    *access.Access
		namespace string
		want      string
	}{
		{"work of Signalbox", nil, "pay", "e p"},
		{"nobody is known", &access.Access{Identity: access.Identity{Kind: access.Nobody}, Scope: all, Unmasked: true}, "pay", "e p"},
		{"nothing lifted", &access.Access{Scope: all, Of: of(access.Scope{}, access.Scope{})}, "pay", "[masked: mail] [masked: cards]"},
		{"a link", &access.Access{Scope: all}, "pay", "[masked: mail] [masked: cards]"},
		{"one rule", &access.Access{Scope: all, Of: of(all, access.Scope{})}, "pay", "e [masked: cards]"},
		{"both", &access.Access{Scope: all, Of: of(all, all)}, "pay", "e p"},
		{"in its namespace", &access.Access{Scope: all, Of: of(access.Scope{Names: []string{"pay"}}, access.Scope{})}, "pay", "e [masked: cards]"},
		{"not in another", &access.Access{Scope: all, Of: of(access.Scope{Names: []string{"pay"}}, access.Scope{})}, "trade", "[masked: mail] [masked: cards]"},
		{"not where none is named", &access.Access{Scope: all, Of: of(access.Scope{Names: []string{"pay"}}, all)}, "", "[masked: mail] p"},
	} {
		ctx := t.Context()
		if c.access != nil {
			ctx = access.With(ctx, c.access)
		}
		for _, v := range []*View{r.For(ctx), opened(t, r.For(ctx))} {
			out := v.Masker().Log(rec(c.namespace))
			if got := out.Attrs[0].Value.Str() + " " + out.Attrs[1].Value.Str(); got != c.want {
				t.Errorf("%s: %s, want %s", c.name, got, c.want)
			}
		}
	}
	bound := &access.Access{Scope: access.Scope{Names: []string{"pay"}}, Of: of(access.Scope{Names: []string{"pay"}}, all)}
	if v := r.For(access.With(t.Context(), bound)); v != nil {
		t.Error("what is lifted in all that is visible is lifted")
	}
}

func opened(t *testing.T, v *View) *View {
	t.Helper()
	out, err := v.Seal().Open()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestAFieldThatIsMaskedAsAWholeCannotBeAskedFor(t *testing.T) {
	v := viewOf(t, Rule{Name: "mail", Fields: []string{"user.email", "status_message"}, LiftedBy: "unmasked.mail"}, Rule{Name: "cards", Patterns: []string{"card"}})
	for _, e := range []store.Expr{
		store.Compare{Field: "user.email", Value: "x"},
		store.Exists{Field: "user_email"},
		store.Not{Expr: store.Regexp{Field: "attr.user.email", Re: regexp.MustCompile("x")}},
		store.And{Exprs: []store.Expr{store.Or{Exprs: []store.Expr{store.Compare{Field: "event.user.email.domain"}}}}},
		store.Compare{Field: "status_message"},
	} {
		_, err := v.Filter(Spans, e)
		if err == nil || !strings.Contains(err.Error(), "by the rule mail") || !strings.Contains(err.Error(), "unmasked.mail") {
			t.Errorf("%+v: %v", e, err)
		}
	}
	for _, e := range []store.Expr{store.Compare{Field: "user.name"}, store.Compare{Field: "user", Value: "x"}, store.Text{Phrase: "a"}, nil} {
		if _, err := v.Filter(Spans, e); err != nil {
			t.Errorf("%+v: %v", e, err)
		}
	}
}

func TestRulesThatCannotWorkAreRefused(t *testing.T) {
	ok := Rule{Name: "mail", Fields: []string{"email"}, LiftedBy: access.UnmaskedRead, Replace: ReplaceFixed}
	for says, change := range map[string]func(*Rule){
		"rules[0].name": func(r *Rule) { r.Name = "Mail" }, "nothing is masked": func(r *Rule) { r.Fields = nil }, "service.name cannot be masked": func(r *Rule) { r.Fields = []string{"service.name"} },
		"is no name": func(r *Rule) { r.Fields = []string{" "} }, "patterns[0]": func(r *Rule) { r.Patterns = []string{"phone"} }, "lifted_by": func(r *Rule) { r.LiftedBy = "logs.read" },
		"replace": func(r *Rule) { r.Replace = "stars" }, "lifted_by: \"unmasked.A\"": func(r *Rule) { r.LiftedBy = "unmasked.A" },
	} {
		r := ok
		change(&r)
		if errs := (Config{Rules: []Rule{r}}).Validate(); len(errs) != 1 || !strings.Contains(errs[0].Error(), says) {
			t.Errorf("%s: %v", says, errs)
		}
	}
	if errs := (Config{Rules: []Rule{ok, ok}}).Validate(); len(errs) != 1 || !strings.Contains(errs[0].Error(), "there twice") {
		t.Error(errs)
	}
	if _, err := New(Config{Rules: []Rule{{Name: "x", Fields: []string{"a"}, Replace: ReplaceHash}}}, Key{}); err == nil || !strings.Contains(err.Error(), "privacy.keys") {
		t.Error(err)
	}
}

// somePieces are texts with and without secrets, in ways that are hard to take apart.
func somePieces() []string {
	return []string{
		"word", "a@b.de", "4111111111111111", " ", "\n", `\n`, `"`, "é", "漢字", "\x1b[31m", "[masked: r0]", "10.0.0.1", "_", "x", "7", "1111", `\u0041`, "{", "}", "h1", ":", "[", "]",
		`{"user":{"email":"a@b.de"}}`, "9", "ff", ",", "\xff", "masked", "Word", "-",
	}
}

func someText(r *rand.Rand) string {
	var b strings.Builder
	for range r.IntN(6) {
		b.WriteString(somePieces()[r.IntN(len(somePieces()))])
	}
	return b.String()
}

func someJSON(r *rand.Rand, depth int) string {
	switch r.IntN(6) {
	case 0:
		return fmt.Sprint(r.IntN(3) * 2055555555555555)
	case 1, 2:
		if depth > 0 {
			var list []string
			for range r.IntN(4) {
				list = append(list, someString(r)+":"+someJSON(r, depth-1))
			}
			return "{" + strings.Join(list, ", ") + "}"
		}
	case 3:
		if depth > 0 {
			return "[" + someJSON(r, depth-1) + " ," + someJSON(r, depth-1) + "]"
		}
	}
	return someString(r)
}

func someString(r *rand.Rand) string {
	if r.IntN(2) == 0 {
		return []string{`"user"`, `"email"`, `"user.email"`, `"n"`, `"a\n10.0.0.1"`, `"\u0061@b.de\u0041 word"`, `"\ud83d\ude00a@b.de"`, `"\ud83d a@b.de"`}[r.IntN(8)]
	}
	text, _ := json.Marshal(strings.ToValidUTF8(someText(r), "?"))
	return string(text)
}

func someValue(r *rand.Rand) model.Value {
	switch r.IntN(6) {
	case 0:
		return model.IntValue(int64(r.IntN(3)) * 2055555555555555)
	case 1:
		return model.FloatValue(float64(r.IntN(20)))
	case 2:
		return model.JSONValue(someJSON(r, 3))
	}
	return model.StringValue(someText(r))
}

func someKeys() []string {
	return []string{"user", "user.email", "n", "tags", "exception.message", "email", "a.b"}
}

func someAttrs(r *rand.Rand) (out model.Attrs) {
	for _, k := range someKeys() {
		if r.IntN(2) == 0 {
			out = append(out, model.Attr{Key: k, Value: someValue(r)})
		}
	}
	return out
}

func someSpan(r *rand.Rand) model.Span {
	s := model.Span{Name: someText(r), StatusMessage: someText(r), Attrs: someAttrs(r), Resource: &model.Resource{Namespace: []string{"", "pay"}[r.IntN(2)], Attrs: someAttrs(r)}}
	if r.IntN(2) == 0 {
		s.Events = []model.SpanEvent{{Name: someText(r), Attrs: someAttrs(r)}}
		s.Links = []model.SpanLink{{Attrs: someAttrs(r)}}
	}
	return s
}

func someExpr(r *rand.Rand, depth int) store.Expr {
	if depth > 0 && r.IntN(3) == 0 {
		list := []store.Expr{someExpr(r, depth-1), someExpr(r, depth-1)}
		return []store.Expr{store.And{Exprs: list}, store.Or{Exprs: list}, store.Not{Expr: list[0]}}[r.IntN(3)]
	}
	pieces := somePieces()
	value := someText(r)
	if r.IntN(2) == 0 {
		value = pieces[r.IntN(len(pieces))]
	}
	fields := append(someKeys(), "name", "status_message", "message", "event.name", "event.user", "link.n", "user.n", "namespace", "event.exception.message")
	field := fields[r.IntN(len(fields))]
	switch r.IntN(5) {
	case 0, 1:
		return store.Text{Phrase: value, Prefix: r.IntN(4) == 0 && len(wordsOf(value)) == 1}
	case 2:
		if r.IntN(3) == 0 {
			field = ""
		}
		return store.Regexp{Field: field, Re: regexp.MustCompile(regexp.QuoteMeta(strings.ToValidUTF8(value, "?")))}
	case 3:
		return store.Exists{Field: field}
	}
	c := store.Compare{Field: field, Op: store.Op(r.IntN(6)), Value: value, Prefix: r.IntN(5) == 0}
	if n, ok := model.StringValue(value).Number(); ok {
		c.Num, c.IsNum = n, true
	}
	if c.Prefix {
		c.Op = store.OpEq
	}
	return c
}

// What an engine is asked finds all that a filter finds of what is shown; no more where it says so.
func TestAnEngineIsAskedForAllThatAFilterFindsOfWhatIsShown(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	exact, found, certain := 0, 0, 0
	var views []*View
	for range 24 {
		list := []Rule{{Fields: []string{"user.email"}}, {Patterns: []string{"email", "ipv4"}}, {Patterns: []string{"card"}, Replace: ReplaceLast4}, {Fields: []string{"n", "name"}, Patterns: []string{`/1+/`}, Replace: ReplaceHash}}
		r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		views = append(views, viewOf(t, list[:1+r.IntN(4)]...))
	}
	for i := range 1_500 {
		v, e := views[r.IntN(len(views))], someExpr(r, 2)
		f, err := v.Filter(Spans, e)
		if err != nil {
			continue
		}
		logs, err := v.Filter(Logs, e)
		want, ask, sure, blind := store.NewMatcher(e), store.NewMatcher(f.Expr), store.NewMatcher(f.Sure), store.NewMatcher(f.Blind)
		askLogs, sureLogs := store.NewMatcher(logs.Expr), store.NewMatcher(logs.Sure)
		for range 4 {
			s := someSpan(r)
			shown := v.Masker().Span(s)
			w, a, k, b := want.Span(&shown), ask.Span(&s), sure.Span(&s), blind.Span(&s)
			if !f.Exact && k {
				certain++
			}
			record := model.LogRecord{Message: s.Name, Attrs: s.Attrs, Resource: s.Resource}
			seen := v.Masker().Log(record)
			if l := want.Log(&seen); err == nil && (l && !askLogs.Log(&record) || !l && sureLogs.Log(&record)) {
				t.Fatalf("%d: %#v\nof %+v\nshown as %+v\nholds %v, asked %#v, sure of %#v", i, e, record, seen, l, logs.Expr, logs.Sure)
			}
			if w && (!a || !b) || k && !w || f.Exact && w != a {
				t.Fatalf("%d: %#v\nof %+v\nshown as %+v\nholds %v, asked %#v %v, exact %v", i, e, s, shown, w, f.Expr, a, f.Exact)
			}
			if w {
				found++
			}
		}
		if f.Exact {
			exact++
		}
	}
	if exact < 150 || found < 150 || certain < 50 {
		t.Errorf("exact %d, found %d, certain %d: too few to tell", exact, found, certain)
	}
}

// No secret of a masked field is in what is shown, and a JSON text stays one.
func FuzzWhatIsShown(f *testing.F) {
	for i := range 50 {
		f.Add(someText(rand.New(rand.NewPCG(uint64(i), 1))), someJSON(rand.New(rand.NewPCG(uint64(i), 2)), 3))
	}
	v := viewOf(f, Rule{Name: "mail", Fields: []string{"email"}}, Rule{Name: "texts", Patterns: []string{"email", "card", `/sekret/`}, Replace: ReplaceLast4})
	f.Fuzz(func(t *testing.T, text, doc string) {
		shown := v.Text("message", text)
		if strings.Contains(store.Visible(shown), "sekret") {
			t.Errorf("%q is shown as %q", text, shown)
		}
		known := wordsOf(store.Visible(text))
		for _, w := range wordsOf(store.Visible(shown)) {
			if !slices.Contains(known, w) && !slices.ContainsFunc(v.all.rules, func(r *rule) bool { return r.says(w, false) }) {
				t.Errorf("%q is shown as %q, which has the word %q", text, shown, w)
			}
		}
		out, ok := v.all.json(doc, attrsIn("k"), v.all.attr("k"))
		if ok != json.Valid([]byte(doc)) || ok && !json.Valid([]byte(out)) {
			t.Errorf("%q is shown as %q", doc, out)
		}
	})
}

func BenchmarkLog(b *testing.B) {
	rec := model.LogRecord{
		Message: "request from 10.0.0.1 for ann@example.com took 12 ms and answered with status 200 after one retry", Resource: &model.Resource{Service: "s"},
		Attrs: model.Attrs{{Key: "user.email", Value: model.StringValue("ann@example.com")}, {Key: "http.route", Value: model.StringValue("/cart/{id}")}, {Key: "http.response.status_code", Value: model.IntValue(200)}},
	}
	for name, v := range map[string]*View{"none": nil, "fields": viewOf(b, Rule{Fields: []string{"user.email"}}), "patterns": viewOf(b, Rule{Patterns: []string{"email", "card", "iban", "ipv4", "ipv6", "bearer", "jwt"}})} {
		b.Run(name, func(b *testing.B) {
			m := v.Masker()
			for b.Loop() {
				m.Log(rec)
			}
		})
	}
}
