package search

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/mask"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/filter"
	"github.com/signalbox-project/signalbox/internal/store/storetest"
)

// maskedRules mask whole fields and what stands in texts.
func maskedRules(t testing.TB) *mask.Rules {
	t.Helper()
	r, err := mask.New(mask.Config{Rules: []mask.Rule{
		{Name: "mail", Fields: []string{"user.email"}, LiftedBy: access.UnmaskedRead, Replace: mask.ReplaceFixed},
		{Name: "cards", Patterns: []string{"card", `/sekret\w*/`}, LiftedBy: "unmasked.cards", Replace: mask.ReplaceFixed},
	}}, mask.Key{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func masking(r *mask.Rules) func() *mask.Rules { return func() *mask.Rules { return r } }

// lacking is a caller without the permissions that lift rules.
func lacking(ctx context.Context, namespaces ...string) context.Context {
	return access.With(ctx, &access.Access{Identity: access.Identity{Subject: "user:ann", Kind: access.User}, Scope: access.Scope{All: len(namespaces) == 0, Names: namespaces}})
}

// secrets are pairs that a rule masks alike.
func secrets() [][2]string {
	return [][2]string{
		{"4111111111111111", "5500005555555559"}, {"4111 1111 1111 1111", "340000000000009"}, {"sekretalpha", "sekret7"}, {"sekret", "sekret_word_4711"},
	}
}

// twoStores hold the same but for the secrets.
func twoStores(t *testing.T, r *rand.Rand, n int) [2]*storetest.Memory {
	t.Helper()
	out := [2]*storetest.Memory{{}, {}}
	for i := range n {
		text := func() (both [2]string) {
			for range r.IntN(4) {
				piece := [2]string{}
				piece[0] = []string{"alpha", "word", "status", "500", "7", "\n", "\x1b[1m", "é", "masked", "cards"}[r.IntN(10)]
				piece[1] = piece[0]
				if r.IntN(3) == 0 {
					piece = secrets()[r.IntN(len(secrets()))]
				}
				gap := []string{" ", ", ", "(", " = "}[r.IntN(4)]
				both[0], both[1] = both[0]+piece[0]+gap, both[1]+piece[1]+gap
			}
			return both
		}
		message, name, status, attr, inner := text(), text(), text(), text(), text()
		doc := func(which int) string {
			out, _ := json.Marshal(map[string]any{"email": fmt.Sprint("person", which, i), "note": inner[which], "n": []any{i % 3, attr[which]}})
			return string(out)
		}
		space, id, level := []string{"pay", "trade", ""}[r.IntN(3)], model.TraceID{byte(i / 4), 1}, []model.Level{model.LevelInfo, model.LevelError}[r.IntN(2)]
		shape := r.IntN(8)
		for which, m := range out {
			res := &model.Resource{Tenant: "default", Service: fmt.Sprint("svc", i%3), Namespace: space, Attrs: model.Attrs{{Key: "owner", Value: model.StringValue(attr[which])}}}
			attrs := model.Attrs{
				{Key: "user.email", Value: model.StringValue(fmt.Sprint("person", which, i%5, "@example.com"))},
				{Key: "note", Value: model.StringValue(attr[which])},
				{Key: "code", Value: model.IntValue(int64(i % 4 * 100))},
				{Key: "user", Value: model.JSONValue(doc(which))},
			}[:1+shape%4]
			rec := model.LogRecord{Time: int64(i) * int64(time.Second), Level: level, Message: message[which], Resource: res, Attrs: attrs}
			if shape == 7 {
				rec.Message = `{"user":` + doc(which) + `}`
			}
			span := model.Span{
				TraceID: id, SpanID: model.SpanID{byte(i), 1}, Start: rec.Time, Duration: int64(i%7+1) * 1e8, Name: name[which], StatusMessage: status[which], Resource: res, Attrs: attrs,
			}
			if shape > 3 {
				span.Events = []model.SpanEvent{{Name: attr[which], Attrs: model.Attrs{{Key: "exception.message", Value: model.StringValue(inner[which])}, {Key: "user", Value: model.JSONValue(doc(which))}}}}
				span.Links = []model.SpanLink{{Attrs: model.Attrs{{Key: "reason", Value: model.StringValue(status[which])}}}}
			}
			if err := errors.Join(m.AppendLogs(t.Context(), []model.LogRecord{rec}), m.AppendSpans(t.Context(), []model.Span{span})); err != nil {
				t.Fatal(err)
			}
		}
	}
	return out
}

// someFilter asks in ways that would tell of a secret.
func someFilter(r *rand.Rand) string {
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	secret := secrets()[r.IntN(len(secrets()))][r.IntN(2)]
	word := func() string {
		return pick(`"`+secret+`"`, "alpha", "sekret*", "word", "411*", "masked", "cards", "1111", "7", `"masked: cards"`, `/sek.*/`, `/4[0-9]{5}/`, "500", `"status 500"`)
	}
	one := func() string {
		field := pick("note", "message", "user.email", "user", "user.note", "code", "name", "status_message", "owner", "event.name", "exception.message", "link.reason", "level", "namespace", "service")
		return pick(word(), word(), field+":"+word(), field+":*", field+">="+pick("100", "s", "4111111111111111"), field+"!="+pick(`"`+secret+`"`, "alpha", "500"), field+":"+pick("pay", "error", "svc1", "200", "person*"))
	}
	q := one()
	for range r.IntN(3) {
		q = pick(q+" AND "+one(), "("+q+" OR "+one()+")", "NOT ("+q+")")
	}
	return q
}

// everything is all that a service answers about a filter, errors included.
func everything(ctx context.Context, s *Service, e store.Expr, field string, limit int) string {
	rng := store.Range{Start: 0, End: int64(time.Hour)}
	var out []any
	say := func(v any, err error) {
		if err != nil {
			v = err.Error()
		}
		out = append(out, v)
	}
	q, tq := store.LogQuery{Tenant: "default", Range: rng, Expr: e, Limit: limit}, store.TraceQuery{Tenant: "default", Range: rng, Expr: e, Limit: limit}
	for rec, err := range s.Logs(ctx, q) {
		say(rec, err)
	}
	for span, err := range s.Spans(ctx, tq) {
		say(span, err)
	}
	h, err := s.LogHistogram(ctx, q, time.Minute, field)
	say(sortedSeries(h), err)
	h, err = s.SpanHistogram(ctx, tq, time.Minute, field)
	say(sortedSeries(h), err)
	values, err := s.LogValues(ctx, q, field, limit)
	say(values, err)
	values, err = s.SpanValues(ctx, tq, field, limit)
	say(values, err)
	names, err := s.LogFields(ctx, q, 0)
	say(names, err)
	names, err = s.SpanFields(ctx, tq, 0)
	say(names, err)
	for _, tq.Slowest = range []bool{false, true} {
		found, err := s.Traces(ctx, tq)
		say(found, err)
		for _, f := range found {
			spans, err := s.Trace(ctx, "default", f.TraceID, store.Range{})
			say(spans, err)
			say(s.ExplainTrace(spans), nil)
		}
	}
	text, err := json.Marshal(out)
	return string(text) + fmt.Sprint(err)
}

func sortedSeries(h store.Histogram) any {
	n := map[string][]uint64{}
	for _, s := range h.Series {
		n[s.Value] = s.Counts
	}
	return n
}

// Nothing that a caller is answered from whom values are masked depends on them: two stores that differ in nothing else answer alike.
func TestNoAnswerDependsOnWhatIsMasked(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	rules := maskedRules(t)
	asked, refused, found := 0, 0, 0
	for range 2 {
		var services [2]*Service
		for i, m := range twoStores(t, r, 40) {
			s, err := New(DefaultConfig(), Deps{Registerer: prometheus.NewRegistry(), Logs: m, Spans: m, Masks: masking(rules)})
			if err != nil {
				t.Fatal(err)
			}
			services[i] = s
		}
		for range 45 {
			text := someFilter(r)
			e, err := filter.Parse(text)
			if err != nil {
				continue
			}
			ctx := lacking(t.Context())
			if r.IntN(4) == 0 {
				ctx = lacking(t.Context(), "pay")
			}
			field, limit := []string{"", "level", "note", "message", "user.email", "user", "code", "name", "owner"}[r.IntN(9)], []int{1, 5, 1000}[r.IntN(3)]
			a, b := everything(ctx, services[0], e, field, limit), everything(ctx, services[1], e, field, limit)
			if a != b {
				t.Fatalf("%s, by %q, %d:\n%s\nwith other secrets:\n%s", text, field, limit, a, b)
			}
			for _, secret := range append(secrets(), [2]string{"person0", "person1"}) {
				if strings.Contains(a, secret[0]) || strings.Contains(a, secret[1]) {
					t.Fatalf("%s: %s is in %s", text, secret, a)
				}
			}
			asked++
			if strings.Contains(a, "is masked for you") {
				refused++
			}
			if strings.Contains(a, "[masked: cards]") {
				found++
			}
		}
	}
	if asked < 60 || refused < 8 || found < 15 {
		t.Errorf("asked %d, refused %d, found %d: too few to tell", asked, refused, found)
	}
}

// What is answered is what the filter means over the records as they are shown.
func TestAnswersAreThoseOfAStoreThatHoldsWhatIsShown(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	rules := maskedRules(t)
	ctx := lacking(t.Context())
	there := twoStores(t, r, 40)[0]
	shown, m := &storetest.Memory{}, rules.For(ctx).Masker()
	for rec := range there.Logs(ctx, store.LogQuery{Oldest: true}) {
		if err := shown.AppendLogs(ctx, []model.LogRecord{m.Log(rec)}); err != nil {
			t.Fatal(err)
		}
	}
	for span := range there.Spans(ctx, store.TraceQuery{Limit: 1 << 20}) {
		if err := shown.AppendSpans(ctx, []model.Span{m.Span(span)}); err != nil {
			t.Fatal(err)
		}
	}
	of := func(m *storetest.Memory, rules *mask.Rules) *Service {
		s, err := New(DefaultConfig(), Deps{Registerer: prometheus.NewRegistry(), Logs: m, Spans: m, Masks: masking(rules)})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	masked, plain, compared := of(there, rules), of(shown, nil), 0
	for range 60 {
		e, err := filter.Parse(someFilter(r))
		if err != nil {
			continue
		}
		rng := store.Range{End: int64(time.Hour)}
		refused := false
		for _, field := range []string{"note", "level", ""} {
			got, err := masked.LogHistogram(ctx, store.LogQuery{Tenant: "default", Range: rng, Expr: e}, time.Minute, field)
			if refused = err != nil; refused {
				break
			}
			want, err := plain.LogHistogram(ctx, store.LogQuery{Tenant: "default", Range: rng, Expr: e}, time.Minute, field)
			if a, b := fmt.Sprint(sortedSeries(got)), fmt.Sprint(sortedSeries(want)); err != nil || a != b {
				t.Fatalf("%#v by %q: %s, want %s (%v)", e, field, a, b, err)
			}
		}
		if refused {
			continue
		}
		for _, slowest := range []bool{false, true} {
			q := store.TraceQuery{Tenant: "default", Range: rng, Expr: e, Limit: 1 + r.IntN(8), Slowest: slowest}
			got, err := masked.Traces(ctx, q)
			if err != nil {
				t.Fatal(err)
			}
			want, err := plain.Traces(ctx, q)
			ids := func(list []store.TraceSummary) (out string) {
				for _, s := range list {
					out += fmt.Sprint(s.TraceID, s.RootService, s.RootName, s.Start, s.Duration, s.Spans, s.Errors, len(s.Services), len(s.Matched) > 0) + "\n"
				}
				return out
			}
			if a, b := ids(got), ids(want); err != nil || a != b {
				t.Fatalf("%#v: %s, want %s (%v)", e, a, b, err)
			}
		}
		compared++
	}
	if compared < 20 {
		t.Errorf("%d compared: too few to tell", compared)
	}
}

func TestATailShowsWhatASearchDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rules := maskedRules(t)
		var mu sync.Mutex
		now := rules
		tail, err := newTail(DefaultConfig(), prometheus.NewRegistry(), func() *mask.Rules { mu.Lock(); defer mu.Unlock(); return now })
		if err != nil {
			t.Fatal(err)
		}
		if err := tail.Tail(lacking(t.Context()), "", store.Exists{Field: "user.email"}, nil); err == nil || !strings.Contains(err.Error(), "rule mail") {
			t.Errorf("%v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		all, words := &follower{}, &follower{}
		var done sync.WaitGroup
		done.Go(func() { _ = tail.Tail(lacking(ctx), "", nil, all.event) })
		done.Go(func() { _ = tail.Tail(lacking(ctx), "", store.Text{Phrase: "sekretx"}, words.event) })
		synctest.Wait()
		tail.TapLogs([]model.LogRecord{logOf("blue", "a sekretx b")})
		synctest.Wait()
		mu.Lock()
		now = nil
		mu.Unlock()
		tail.TapLogs([]model.LogRecord{logOf("blue", "c sekretx")})
		synctest.Wait()
		cancel()
		done.Wait()
		if fmt.Sprint(all.got, words.got) != "[a [masked: cards] b c sekretx] [c sekretx]" {
			t.Errorf("%q %q", all.got, words.got)
		}
	})
}
