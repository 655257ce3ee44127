package sql

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/mask"
	"github.com/signalbox-project/signalbox/internal/model"
)

func masksOf(t *testing.T) func() *mask.Rules {
	t.Helper()
	r, err := mask.New(mask.Config{Rules: []mask.Rule{
		{Name: "mail", Fields: []string{"user.email"}, LiftedBy: access.UnmaskedRead, Replace: mask.ReplaceHash},
		{Name: "cards", Patterns: []string{"card"}, LiftedBy: "unmasked.cards", Replace: mask.ReplaceLast4},
	}}, mask.Key{Prefix: "h1:00000000:", Secret: []byte("s"), Bytes: 16})
	if err != nil {
		t.Fatal(err)
	}
	return func() *mask.Rules { return r }
}

// twoSources hold the same but for what is masked. Of the hash that stands for an address, equal ones are equal in both.
func twoSources(t *testing.T, r *rand.Rand, n int) (out [2]*fakeSource) {
	t.Helper()
	cards := [2]string{"4111111111111111", "4222222220021111"}
	var logs [2][]model.LogRecord
	var spans [2][]model.Span
	for i := range n {
		at, space, shape, word := t0.Add(time.Duration(i)*time.Second).UnixNano(), []string{"pay", "trade"}[r.IntN(2)], r.IntN(4), fmt.Sprint("word", r.IntN(3))
		for which := range out {
			card := cards[which]
			if shape == 0 {
				card = "no card"
			}
			// Where the hash would tell, the addresses are the same.
			mail := model.Attr{Key: "user.email", Value: model.StringValue("same@example.com")}
			doc, _ := json.Marshal(map[string]any{"cards": []string{card, word}, "n": i})
			attrs := model.Attrs{mail, {Key: "note", Value: model.StringValue(word + " " + card)}, {Key: "n", Value: model.IntValue(int64(i % 5))}, {Key: "doc", Value: model.JSONValue(string(doc))}}
			res := &model.Resource{Tenant: "default", Service: "svc", Namespace: space, Env: "prod", Attrs: model.Attrs{{Key: "owner", Value: model.StringValue(card)}}}
			logs[which] = append(logs[which], model.LogRecord{Time: at, Level: model.LevelInfo, Message: word + " " + card + " x", Resource: res, Attrs: attrs})
			spans[which] = append(spans[which], model.Span{
				TraceID: model.TraceID{byte(i), 1}, SpanID: model.SpanID{byte(i), 2}, Start: at, Duration: int64(i), Name: word + " " + card, StatusMessage: card, Resource: res, Attrs: attrs,
				Events: []model.SpanEvent{{Name: card, Attrs: model.Attrs{{Key: "exception.message", Value: model.StringValue("paid with " + card)}}}},
			})
		}
	}
	for which := range out {
		out[which] = eventsOf(t, logs[which], spans[which])
	}
	return out
}

// maskedSQL asks in ways that would tell of a value that is masked.
func maskedSQL(r *rand.Rand) string {
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	table := pick("logs", "spans")
	text := "message"
	if table == "spans" {
		text = pick("name", "status_message", "events::VARCHAR")
	}
	expr := func() string {
		return pick(text, `"attr.note"`, `"attr.doc"`, `"attr.doc.cards"`, `"attr.user.email"`, `"attr.n"`, "attributes->>'note'", "attributes->>'$.doc.cards[0]'", "resource->>'owner'", "attributes", "length("+text+")",
			"CAST(left("+text+", 4) AS INTEGER)", "CASE WHEN "+text+" LIKE '%4111%' THEN CAST('leak' AS INTEGER) ELSE 1 END", "substr("+text+", 1, 9)", "md5("+text+")")
	}
	where := func() string {
		return pick("true", text+" LIKE '%41%'", `"attr.note" = 'word1 4111111111111111'`, "attributes->>'note' LIKE '%4222%'", `"attr.n" > 2`, "resource::VARCHAR LIKE '%4111%'", "namespace = 'pay'", `"attr.user.email" IS NOT NULL`,
			"regexp_matches("+text+", '[0-9]{9}')", text+" > 'word1 42'")
	}
	switch r.IntN(6) {
	case 0:
		return "SELECT " + expr() + " AS x, " + expr() + " AS y FROM " + table + " WHERE " + where() + " ORDER BY ALL"
	case 1:
		return "SELECT " + expr() + " AS x, count(*) FROM " + table + " WHERE " + where() + " GROUP BY ALL ORDER BY ALL"
	case 2:
		return "SELECT count(*), count(DISTINCT " + expr() + "), max(" + expr() + "), min(" + text + ") FROM " + table + " WHERE " + where()
	case 3:
		return "EXPLAIN SELECT " + expr() + " AS x FROM " + table + " WHERE " + where()
	case 4:
		return "SELECT a.message, count(*) FROM logs a JOIN spans b ON a.message = b.name || ' x' WHERE a." + `"attr.n" > 1` + " GROUP BY ALL ORDER BY ALL"
	}
	return "SELECT * EXCLUDE (avg, std) FROM (SUMMARIZE SELECT " + expr() + " AS x FROM " + table + ")"
}

// Nothing that SQL answers a caller, errors and plans included, depends on what is masked for them.
func TestNoAnswerDependsOnWhatIsMasked(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 9))
	var engines [2]*Engine
	sources := twoSources(t, r, 40)
	for i := range engines {
		engines[i] = newEngine(t, DefaultConfig(), Deps{Source: sources[i], Dir: t.TempDir(), Masks: masksOf(t)})
	}
	failed, shown := 0, 0
	for range 24 {
		q := maskedSQL(r)
		var said [2]string
		for i, e := range engines {
			ctx := access.With(t.Context(), &access.Access{Identity: access.Identity{Subject: "user:ann"}, Scope: access.Scope{All: true}})
			if r.IntN(4) == 0 {
				ctx = boundTo(t.Context(), "pay", "trade")
			}
			res, err := e.Query(ctx, "default", q, 1000)
			text, _ := json.Marshal(res)
			said[i] = string(text) + fmt.Sprint(err)
			if strings.HasPrefix(q, "EXPLAIN") {
				said[i] = strings.ReplaceAll(said[i], e.deps.Dir, "DIR")
			}
			if i == 0 && err != nil {
				failed++
			}
		}
		if said[0] != said[1] {
			t.Fatalf("%s:\n%s\nwith other secrets:\n%s", q, said[0], said[1])
		}
		if strings.Contains(strings.ReplaceAll(said[0], q, ""), "4111111111111111") && !strings.HasPrefix(q, "EXPLAIN") || strings.Contains(said[0], "same@example.com") {
			t.Fatalf("%s: %s", q, said[0])
		}
		if strings.Contains(said[0], "[masked: ") {
			shown++
		}
	}
	if failed > 15 || shown < 4 {
		t.Errorf("%d failed, %d showed something: too few to tell", failed, shown)
	}
}

// What lifts a rule lifts it in SQL, in its namespaces; the worker masks as the process does.
func TestSQLShowsWhoMaySeeIt(t *testing.T) {
	source := twoSources(t, rand.New(rand.NewPCG(2, 9)), 20)[0]
	e := newEngine(t, DefaultConfig(), Deps{Source: source, Dir: t.TempDir(), Worker: worker(), Masks: masksOf(t)})
	of := func(mail, cards access.Scope) context.Context {
		return access.With(t.Context(), &access.Access{Scope: access.Scope{All: true}, Of: func(p access.Permission) access.Scope {
			switch p {
			case access.UnmaskedRead:
				return mail
			case "unmasked.cards":
				return cards
			}
			return access.Scope{All: true}
		}})
	}
	all, pay, none := access.Scope{All: true}, access.Scope{Names: []string{"pay"}}, access.Scope{}
	const q = `SELECT namespace, bool_or(message LIKE '%4111111111111111%') AS card, bool_or("attr.user.email" = 'same@example.com') AS mail, min("attr.user.email")[:9] AS one FROM logs GROUP BY 1 ORDER BY 1`
	for name, c := range map[string]struct {
		ctx  context.Context
		want string
	}{
		"everything":  {of(all, all), "[[pay true true same@exam] [trade true true same@exam]]"},
		"nothing":     {of(none, none), "[[pay false false [masked: ] [trade false false [masked: ]]"},
		"cards":       {of(none, all), "[[pay true false [masked: ] [trade true false [masked: ]]"},
		"mail in pay": {of(pay, none), "[[pay false true same@exam] [trade false false [masked: ]]"},
		"ourselves":   {t.Context(), "[[pay true true same@exam] [trade true true same@exam]]"},
	} {
		res, err := e.Query(c.ctx, "default", q, 10)
		got := fmt.Sprintf("%s", res.Rows)
		if got = strings.ReplaceAll(got, `"`, ""); err != nil || got != c.want {
			t.Errorf("%s: %s, want %s (%v)", name, got, c.want, err)
		}
	}
	if _, err := e.Query(of(none, none), "default", "SELECT sb_mask('pay', 'message', message) FROM logs", 1); err == nil || !strings.Contains(err.Error(), "sb_mask") {
		t.Errorf("%v", err)
	}
}
