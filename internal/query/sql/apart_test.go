package sql

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store/events/head"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

func boundTo(ctx context.Context, names ...string) context.Context {
	return access.With(ctx, &access.Access{Identity: access.Identity{Subject: "user:ann", Kind: access.User}, Scope: access.Scope{Names: names}})
}

// someRecords are records of several namespaces. What only those of others hold makes an expression over it fail.
func someRecords(r *rand.Rand, n int) (logs []model.LogRecord, spans []model.Span) {
	for i := range n {
		space := []string{"pay", "trade", "", "Pay", "pay'", "shop"}[r.IntN(6)]
		res := &model.Resource{Tenant: "default", Service: "svc-" + fmt.Sprint(r.IntN(3)), Namespace: space, Env: "prod"}
		if space != "pay" && space != "shop" {
			res.Attrs = model.Attrs{{Key: "foreign", Value: model.StringValue("foreign")}}
		}
		message := fmt.Sprint(r.IntN(50))
		attrs := model.Attrs{{Key: "n", Value: model.IntValue(int64(r.IntN(9)))}}
		if space != "pay" && space != "shop" {
			message = "foreign secret " + message
			attrs = append(attrs, model.Attr{Key: "zero", Value: model.IntValue(0)}, model.Attr{Key: "foreign", Value: model.StringValue("foreign")})
		}
		at := t0.Add(time.Duration(i) * time.Second).UnixNano()
		logs = append(logs, model.LogRecord{Time: at, Level: model.LevelInfo, Message: message, Resource: res, Attrs: attrs})
		spans = append(spans, model.Span{
			TraceID: model.TraceID{byte(i), 1}, SpanID: model.SpanID{byte(i), 2}, Start: at, Duration: int64(r.IntN(1000)), Name: message, Resource: res, Attrs: attrs,
		})
	}
	return logs, spans
}

// eventsOf is a source of records, some of them sealed.
func eventsOf(t *testing.T, logs []model.LogRecord, spans []model.Span) *fakeSource {
	src := &fakeSource{logs: []*head.Logs{logHead(logs[len(logs)/2:]...)}, spans: []*head.Spans{spanHead(spans[len(spans)/2:]...)}}
	if half := len(logs) / 2; half > 0 {
		src.logParts, src.spanParts = []*part.Part{writeLogs(t, logHead(logs[:half]...))}, []*part.Part{writeSpans(t, spanHead(spans[:half]...))}
	}
	return src
}

// randomSQL asks in ways that would tell of rows that it is not shown: by a value, an error, a count, an order, a plan.
func randomSQL(r *rand.Rand) string {
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	text := "message"
	table := pick("logs", "spans")
	if table == "spans" {
		text = "name"
	}
	expr := func() string {
		return pick(
			text, "service", "namespace", "upper("+text+")", "CAST("+text+" AS INTEGER)", "1 // length(replace("+text+", 'foreign secret', ''))",
			`"attr.n"`, `"attr.foreign"`, "attributes->>'foreign'", "resource->>'foreign'", "CAST("+text+" AS INTEGER) % 7", `typeof("attr.foreign")`,
			"length("+text+")", "CASE WHEN "+text+" LIKE 'foreign%' THEN CAST('leak' AS INTEGER) ELSE 1 END", "error_if_foreign",
		)
	}
	with := strings.NewReplacer("error_if_foreign", "CASE WHEN namespace NOT IN ('pay', 'shop') THEN CAST('leak' AS INTEGER) ELSE 0 END")
	where := func() string {
		return pick("true", "namespace <> 'pay'", "namespace = 'trade' OR true", "CAST("+text+" AS INTEGER) > "+fmt.Sprint(r.IntN(50)), text+" LIKE '%secret%'",
			"namespace IN (SELECT namespace FROM "+pick("logs", "spans")+")", "NOT ("+text+" LIKE 'foreign%')", "timestamp > '2026-11-21 10:00:05'", "error_if_foreign = 0")
	}
	var q string
	switch r.IntN(8) {
	case 0:
		q = "SELECT " + expr() + " AS x, " + expr() + " AS y FROM " + table + " WHERE " + where() + " ORDER BY ALL"
	case 1:
		q = "SELECT " + expr() + " AS x, count(*), min(timestamp) FROM " + table + " WHERE " + where() + " GROUP BY ALL ORDER BY ALL"
	case 2:
		q = "SELECT count(*), count(DISTINCT " + expr() + "), max(" + expr() + ") FROM " + table + " WHERE " + where()
	case 3:
		q = "WITH a AS (SELECT " + expr() + " AS x FROM " + table + ") SELECT x, count(*) FROM a GROUP BY x HAVING count(*) > 0 ORDER BY ALL"
	case 4:
		q = "SELECT a.service, count(*) FROM logs a JOIN spans b ON a.timestamp = b.timestamp AND a.namespace <> 'shop' GROUP BY ALL ORDER BY ALL"
	case 5:
		// Without the deviation and the mean: how their sums are ordered changes the last digit.
		q = "SELECT * EXCLUDE (avg, std) FROM (SUMMARIZE SELECT " + expr() + " AS x FROM " + table + ")"
	case 6:
		q = "SELECT row_number() OVER (ORDER BY timestamp) AS n, " + expr() + " AS x FROM " + table + " ORDER BY timestamp LIMIT 5"
	default:
		q = "DESCRIBE SELECT " + expr() + " AS x, * FROM " + table
	}
	return with.Replace(q)
}

// Whoever is bound to namespaces is answered, errors included, as by a store that never held anything else.
func TestWhoIsBoundIsAnsweredAsIfNothingElseWereThere(t *testing.T) {
	mine := func(res *model.Resource) bool { return res.Namespace == "pay" || res.Namespace == "shop" }
	for seed := range uint64(2) {
		r := rand.New(rand.NewPCG(seed, 8))
		logs, spans := someRecords(r, 40)
		var ownLogs []model.LogRecord
		var ownSpans []model.Span
		for i := range logs {
			if mine(logs[i].Resource) {
				ownLogs, ownSpans = append(ownLogs, logs[i]), append(ownSpans, spans[i])
			}
		}
		all := newEngine(t, DefaultConfig(), Deps{Source: eventsOf(t, logs, spans), Dir: t.TempDir()})
		own := newEngine(t, DefaultConfig(), Deps{Source: eventsOf(t, ownLogs, ownSpans), Dir: t.TempDir()})
		failed := 0
		for range 16 {
			q := randomSQL(r)
			got, gotErr := all.Query(boundTo(t.Context(), "pay", "shop"), "default", q, 1000)
			want, wantErr := own.Query(t.Context(), "default", q, 1000)
			if fmt.Sprint(gotErr) != fmt.Sprint(wantErr) {
				t.Fatalf("seed %d, %s:\n%v\nof own rows alone:\n%v", seed, q, gotErr, wantErr)
			}
			if gotErr != nil {
				failed++
			}
			a, _ := json.Marshal(got)
			b, _ := json.Marshal(want)
			if string(a) != string(b) {
				t.Fatalf("seed %d, %s:\n%s\nof own rows alone:\n%s", seed, q, a, b)
			}
		}
		if failed > 12 {
			t.Errorf("seed %d: %d of 16 queries failed, which shows little", seed, failed)
		}
	}
}

// A plan tells how many rows are expected: of own rows alone. A worker keeps them apart as the process itself does.
func TestAPlanTellsNothingOfOthers(t *testing.T) {
	logs, spans := someRecords(rand.New(rand.NewPCG(1, 1)), 500)
	var mine []model.LogRecord
	for _, l := range logs {
		if l.Resource.Namespace == "pay" {
			mine = append(mine, l)
		}
	}
	all := newEngine(t, DefaultConfig(), Deps{Source: eventsOf(t, logs, spans), Dir: t.TempDir(), Worker: worker()})
	own := newEngine(t, DefaultConfig(), Deps{Source: eventsOf(t, mine, spans), Dir: t.TempDir()})
	for _, q := range []string{"SELECT count(*) FROM logs", "EXPLAIN SELECT message FROM logs"} {
		got, err := all.Query(boundTo(t.Context(), "pay"), "default", q, 10)
		if err != nil {
			t.Fatal(err)
		}
		want, err := own.Query(boundTo(t.Context(), "pay"), "default", q, 10)
		if err != nil {
			t.Fatal(err)
		}
		a, _ := json.Marshal(got)
		b, _ := json.Marshal(want)
		if string(a) != string(b) {
			t.Errorf("%s:\n%s\nof own rows alone:\n%s", q, a, b)
		}
	}
}

func TestATableNeedsThePermissionOfWhatItHolds(t *testing.T) {
	e := newEngine(t, DefaultConfig(), Deps{State: filled()})
	logsOnly := boundTo(t.Context(), "pay")
	access.From(logsOnly).Of = func(p access.Permission) access.Scope {
		if p == access.LogsRead {
			return access.Scope{All: true}
		}
		return access.Scope{}
	}
	for _, c := range []struct {
		ctx   context.Context
		table string
		says  string
	}{
		{boundTo(t.Context(), "pay"), "audit", "those who see all namespaces"},
		{boundTo(t.Context()), "logs", "needs the permission logs.read"},
		{logsOnly, "spans", "needs the permission traces.read"},
		{logsOnly, "logs", ""},
		{boundTo(t.Context(), "pay"), "slo_budget", ""},
	} {
		res, err := e.Query(c.ctx, "default", "SELECT count(*) FROM "+c.table, 10)
		var bad *Error
		if (err == nil) != (c.says == "") || err != nil && (!errors.As(err, &bad) || !strings.Contains(bad.Message, c.says)) {
			t.Errorf("%s: %v %v", c.table, res.Rows, err)
		}
	}
}
