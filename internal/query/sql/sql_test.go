package sql

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	promodel "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/query/sql/answer"
	"github.com/signalbox-project/signalbox/internal/query/sql/guard"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/head"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

// t0 is the time of the first record.
var t0 = time.Date(2026, 11, 21, 10, 0, 0, 123456789, time.UTC)

// TestMain lets the test binary be its own worker.
func TestMain(m *testing.M) {
	if os.Getenv(workerEnv) != "" {
		if err := ServeWorker(context.Background(), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// worker is the command of a worker process.
func worker() []string { return []string{os.Args[0]} }

// fakeSource gives views of fixed parts and heads and counts those not released.
type fakeSource struct {
	logParts, spanParts []*part.Part
	logs                []*head.Logs
	spans               []*head.Spans
}

func (f *fakeSource) View(signal part.Signal, _ store.Range) *part.View {
	if signal == part.Spans {
		return part.NewView(signal, acquire(f.spanParts), nil, f.spans, nil)
	}
	return part.NewView(signal, acquire(f.logParts), f.logs, nil, nil)
}

func acquire(parts []*part.Part) []*part.Part {
	for _, p := range parts {
		p.Acquire()
	}
	return parts
}

func resource(tenant, service string) *model.Resource {
	return &model.Resource{Tenant: tenant, Service: service, Env: "prod", Region: "eu-1", Version: "2.4.1", Attrs: model.Attrs{{Key: "host.name", Value: model.StringValue("n1")}}}
}

func logHead(records ...model.LogRecord) *head.Logs {
	b := head.NewLogs(1)
	b.Append(records)
	return b.Snapshot()
}

func spanHead(spans ...model.Span) *head.Spans {
	b := head.NewSpans(1)
	b.Append(spans)
	return b.Snapshot()
}

func traceID(s string) model.TraceID {
	id, err := model.ParseTraceID(s)
	if err != nil {
		panic(err)
	}
	return id
}

func newEngine(t *testing.T, cfg Config, deps Deps) *Engine {
	t.Helper()
	e, err := New(cfg, deps)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func ask(t *testing.T, e *Engine, query string) string {
	t.Helper()
	res, err := e.Query(t.Context(), "default", query, 100)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	text, err := json.Marshal(res.Rows)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func twoRecords() *head.Logs {
	return logHead(
		model.LogRecord{
			Time: t0.UnixNano(), Level: model.LevelError, TraceID: traceID("4bf92f3577b34da6a3ce929d0e0e4736"), SpanID: model.SpanID{0, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 2, 0xb7},
			RequestID: "r-1", Message: `it's "broken"`, Resource: resource("default", "edge"),
			Attrs: model.Attrs{{Key: "http.route", Value: model.StringValue("/x")}, {Key: "bytes", Value: model.IntValue(9007199254740993)}},
		},
		model.LogRecord{Time: t0.Add(time.Second).UnixNano(), Level: model.LevelInfo, Message: "fine", Resource: resource("default", "layout")},
		model.LogRecord{Time: t0.UnixNano(), Message: "secret of another tenant", Resource: resource("acme", "edge")},
	)
}

func TestUnsealedRowsAreVisible(t *testing.T) {
	src := &fakeSource{logs: []*head.Logs{twoRecords()}, spans: []*head.Spans{spanHead(model.Span{
		Start: t0.UnixNano(), TraceID: model.TraceID{1}, SpanID: model.SpanID{1}, Resource: resource("default", "edge"), Attrs: model.Attrs{
			{Key: "a", Value: model.JSONValue(`{"b":{"c":7},"x.y":9}`)}, {Key: "a.b", Value: model.JSONValue(`{"d":8}`)}, {Key: "tenant", Value: model.StringValue("acme")},
		},
	})}}
	e := newEngine(t, DefaultConfig(), Deps{Source: src})
	cases := []struct{ name, query, want string }{
		{
			"a whole row in JSON's terms", "SELECT * FROM logs WHERE level = 'error'",
			`[["2026-11-21T10:00:00.123456789Z","error","edge","prod","eu-1","2.4.1","","","default","4bf92f3577b34da6a3ce929d0e0e4736","00f067aa0ba902b7","r-1","it's \"broken\"",{"http.route":"/x","bytes":9007199254740993},{"host.name":"n1"}]]`,
		},
		{"absent ids are empty", "SELECT trace_id, span_id, request_id FROM logs WHERE level = 'info'", `[["","",""]]`},
		{"a trace id without dashes finds its rows", "SELECT message FROM logs WHERE trace_id = '4bf92f3577b34da6a3ce929d0e0e4736'", `[["it's \"broken\""]]`},
		{"attributes by arrow", "SELECT attributes->>'http.route' AS r, (attributes->>'bytes')::BIGINT AS b FROM logs ORDER BY timestamp", `[["/x",9007199254740993],[null,null]]`},
		{"attributes as columns", `SELECT "attr.http.route" FROM logs ORDER BY timestamp`, `[["/x"],[null]]`},
		{"a member of an object, and keys with dots on the way", `SELECT "attr.a.b.c", "attr.a.b.d", "attr.a.x.y", "attr.a.b", "attr.a.none", "attr.tenant" FROM spans`, `[["7","8","9","{\"d\":8}",null,"acme"]]`},
		{"another tenant's rows are out of sight", "SELECT count(*) FROM logs", `[[2]]`},
		{"times compare with literals and now()", "SELECT count(*) FROM logs WHERE timestamp >= '2026-11-21 10:00:01' AND timestamp < now() + INTERVAL 200 YEAR", `[[1]]`},
		{"time buckets", "SELECT time_bucket(INTERVAL '1 minute', timestamp) AS m, count(*) FROM logs GROUP BY m", `[["2026-11-21T10:00:00Z",2]]`},
		{"one table twice", "SELECT count(*) FROM logs a JOIN logs b ON a.message = b.message", `[[2]]`},
		{"a CTE", "WITH e AS (SELECT * FROM logs WHERE level = 'error') SELECT service FROM e", `[["edge"]]`},
		{"a CTE named like a table", "WITH logs AS (SELECT 1 AS x) SELECT x FROM logs", `[[1]]`},
		{"a comment and a semicolon at the end", "SELECT 1 AS x; -- done ; ' ", `[[1]]`},
		{"ordered and cut", "SELECT message FROM logs ORDER BY timestamp DESC LIMIT 1", `[["fine"]]`},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, ask(t, e, tc.query)); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
}

func TestValues(t *testing.T) {
	e := newEngine(t, DefaultConfig(), Deps{})
	cases := []struct{ name, expr, wantType, want string }{
		{"null", "NULL", "INTEGER", `null`},
		{"boolean", "true", "BOOLEAN", `true`},
		{"64-bit integer, exact", "9223372036854775807", "BIGINT", `9223372036854775807`},
		{"unsigned, exact", "18446744073709551615::UBIGINT", "UBIGINT", `18446744073709551615`},
		{"sum of integers", "sum(x) FROM (SELECT unnest([9223372036854775807, 1]) AS x)", "HUGEINT", `9223372036854775808`},
		{"double", "0.1::DOUBLE", "DOUBLE", `0.1`},
		{"not a number", "'NaN'::DOUBLE", "DOUBLE", `"NaN"`},
		{"infinity", "'-Infinity'::DOUBLE", "DOUBLE", `"-Inf"`},
		{"decimal, exact", "1.10", "DECIMAL(3,2)", `1.10`},
		{"text", "'ä\"'", "VARCHAR", `"ä\""`},
		{"timestamp", "TIMESTAMP '2026-11-21 10:00:00.5'", "TIMESTAMP", `"2026-11-21T10:00:00.5Z"`},
		{"timestamp in ns", "TIMESTAMP_NS '2026-11-21 10:00:00.123456789'", "TIMESTAMP_NS", `"2026-11-21T10:00:00.123456789Z"`},
		{"timestamp with zone", "TIMESTAMPTZ '2026-11-21 12:00:00+02'", "TIMESTAMP WITH TIME ZONE", `"2026-11-21T10:00:00Z"`},
		{"date", "DATE '2026-11-21'", "DATE", `"2026-11-21"`},
		{"interval", "INTERVAL 90 MINUTE", "INTERVAL", `"01:30:00"`},
		{"blob", `'\xAB\x01'::BLOB`, "BLOB", `"ab01"`},
		{"list", "[1, NULL, 3]", "INTEGER[]", `[1,null,3]`},
		{"struct", "{'a': 1, 'b': [{'c': 'x'}]}", "STRUCT(a INTEGER, b STRUCT(c VARCHAR)[])", `{"a":1,"b":[{"c":"x"}]}`},
		{"map", "MAP {'k': 1}", "MAP(VARCHAR, INTEGER)", `{"k":1}`},
		{"json", `'{"n": 9007199254740993}'::JSON`, "JSON", `{"n":9007199254740993}`},
		{"uuid", "'4bf92f35-77b3-4da6-a3ce-929d0e0e4736'::UUID", "UUID", `"4bf92f35-77b3-4da6-a3ce-929d0e0e4736"`},
		{"enum", "'a'::ENUM('a', 'b')", "ENUM('a', 'b')", `"a"`},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			expr, from, _ := strings.Cut(tc.expr, " FROM ")
			query := "SELECT " + expr + ` AS "v v"`
			if from != "" {
				query += " FROM " + from
			}
			res, err := e.Query(t.Context(), "default", query, 10)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]answer.SQLColumn{{Name: "v v", Type: tc.wantType}}, res.Columns); diff != "" {
				t.Errorf("columns (-want +got):\n%s", diff)
			}
			text, err := json.Marshal(res.Rows)
			if err != nil {
				t.Fatal(err)
			}
			if want := "[[" + tc.want + "]]"; string(text) != want {
				t.Errorf("got %s, want %s", text, want)
			}
		})
	}
}

func TestNamesThatStandTwiceStay(t *testing.T) {
	res, err := newEngine(t, DefaultConfig(), Deps{}).Query(t.Context(), "default", "SELECT 1 AS a, 2 AS a, 3 AS \"A\"", 10)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]answer.SQLColumn{{Name: "a", Type: "INTEGER"}, {Name: "a", Type: "INTEGER"}, {Name: "A", Type: "INTEGER"}}, res.Columns); diff != "" {
		t.Error(diff)
	}
}

func TestRowsAreLimited(t *testing.T) {
	e := newEngine(t, DefaultConfig(), Deps{})
	res, err := e.Query(t.Context(), "default", "SELECT * FROM range(1000000000)", 3)
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Rows) != 3 || !res.Truncated {
		t.Errorf("%d rows, truncated %v", len(res.Rows), res.Truncated)
	}
	res, err = e.Query(t.Context(), "default", "SELECT * FROM range(3)", 3)
	if err != nil || len(res.Rows) != 3 || res.Truncated {
		t.Errorf("%d rows, truncated %v, %v", len(res.Rows), res.Truncated, err)
	}
	res, err = e.Query(t.Context(), "default", "SELECT 1 WHERE false", 3)
	if err != nil || res.Rows == nil || len(res.Rows) != 0 {
		t.Errorf("an empty answer is %#v, %v", res.Rows, err)
	}
}

// attacks must all be refused, whichever wall stops them.
func TestAttacks(t *testing.T) {
	src := &fakeSource{logs: []*head.Logs{twoRecords()}, logParts: []*part.Part{writePart(t, "acme", "default")}}
	e := newEngine(t, DefaultConfig(), Deps{Source: src})
	file := src.logParts[0].Path()
	out := filepath.Join(t.TempDir(), "out.csv")
	for _, query := range []string{
		"SELECT * FROM read_csv('/etc/passwd')",
		"SELECT * FROM read_text('/etc/passwd')",
		"SELECT * FROM read_blob('/etc/*')",
		"SELECT * FROM read_json_auto('/etc/passwd')",
		"SELECT * FROM read_parquet('" + file + "')",
		"SELECT * FROM parquet_scan('" + file + "')",
		"SELECT * FROM parquet_metadata('" + file + "')",
		"SELECT * FROM '/etc/passwd'",
		`SELECT * FROM "/etc/passwd"`,
		"SELECT * FROM '" + file + "'",
		"FROM '" + file + "'",
		`WITH "` + file + `" AS (SELECT 1) SELECT * FROM "` + file + `"`,
		`SELECT * FROM (WITH "` + file + `" AS (SELECT 1) SELECT 1), "` + file + `"`,
		`SELECT * FROM (WITH duckdb_settings AS (SELECT 1) SELECT 1), duckdb_settings`,
		`SELECT * FROM (WITH sb_head_logs AS (SELECT 1) SELECT 1), sb_head_logs`,
		"SELECT * FROM sb_head_logs()",
		"SELECT * FROM glob('/*')",
		"SELECT * FROM sniff_csv('/etc/passwd')",
		"COPY (SELECT 1) TO '" + out + "'",
		"COPY logs TO '" + out + "'",
		"EXPORT DATABASE '/tmp/x'",
		"ATTACH '/tmp/x.db'",
		"ATTACH ':memory:' AS y",
		"DETACH memory",
		"USE memory",
		"INSTALL httpfs",
		"LOAD httpfs",
		"LOAD '/tmp/evil.duckdb_extension'",
		"SET memory_limit = '100GB'",
		"RESET memory_limit",
		"PRAGMA version",
		"PRAGMA database_list",
		"CALL duckdb_settings()",
		"SELECT * FROM duckdb_settings()",
		"SELECT * FROM duckdb_secrets()",
		"SELECT * FROM duckdb_views()",
		"SELECT * FROM duckdb_logs",
		"SELECT * FROM information_schema.tables",
		"SELECT * FROM pg_catalog.pg_tables",
		"SELECT * FROM sqlite_master",
		"SELECT * FROM memory.main.logs",
		"SELECT * FROM other.logs",
		"SHOW TABLES",
		"SHOW ALL TABLES",
		"SELECT getenv('HOME')",
		"SELECT current_setting('memory_limit')",
		"SELECT current_setting('secret_directory')",
		"SELECT getvariable('x')",
		"SELECT * FROM query('SELECT 1')",
		"SELECT * FROM query_table('logs')",
		"SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))",
		"SELECT write_log('x')",
		"SELECT json_serialize_plan('SELECT current_setting(''memory_limit'')', optimize := true)",
		"SELECT json_serialize_plan('SELECT version()', optimize := true)",
		"SELECT json_serialize_sql('SELECT 1')",
		"SELECT version()",
		"SELECT pg_catalog.version()",
		"SELECT system.main.upper('x')",
		"SELECT pg_typeof(1)",
		"SELECT current_user",
		"SELECT sleep_ms(100)",
		"SELECT pg_sleep(1)",
		"SELECT list_transform(['memory_limit'], x -> current_setting(x))",
		"SELECT 'memory_limit'.current_setting()",
		"SELECT count(*) FILTER (WHERE current_setting('threads') > 0) FROM range(1)",
		"SELECT 'logs'::regclass",
		"SELECT CAST('x' AS no_such_type)",
		"SELECT * FROM range(1) ORDER BY getenv('HOME')",
		"SELECT rank() OVER (ORDER BY version())",
		"WITH x AS (SELECT version() AS v) SELECT v FROM x",
		"SELECT * FROM test_all_types()",
		"SELECT " + strings.Repeat("/* ", 9) + "1",
		"SELECT 1 /* no end",
		strings.Repeat("/*", 30_000),
		"SELECT '" + strings.Repeat("a", guard.MaxQueryBytes) + "'",
		"SELECT nextval('s')",
		"CREATE TABLE x (a INT)",
		"CREATE OR REPLACE VIEW logs AS SELECT 1",
		"CREATE SECRET (TYPE s3)",
		"CREATE MACRO f() AS 1",
		"INSERT INTO audit VALUES (1)",
		"DELETE FROM audit",
		"UPDATE audit SET actor = 'x'",
		"DROP VIEW logs",
		"SELECT 1; SELECT 2",
		"SELECT 1; COPY (SELECT 1) TO '" + out + "'",
		"EXPLAIN SELECT 1; DROP VIEW logs",
		"EXPLAIN ANALYZE COPY (SELECT 1) TO '" + out + "'",
		"EXPLAIN EXPLAIN SELECT 1",
		"EXPLAIN CREATE TABLE x (a INT)",
		"DESCRIBE '/etc/passwd'",
		"SUMMARIZE '/etc/passwd'",
		"DESCRIBE SELECT * FROM read_csv('/etc/passwd')",
		"SELECT (SELECT count(*) FROM read_csv('/etc/passwd'))",
		"SELECT 1 WHERE EXISTS (FROM read_csv('/etc/passwd'))",
		"SELECT 1) UNION ALL (SELECT 2",
		"SELECT 1) AS t(c0), (SELECT * FROM sb_head_logs()",
		"SELECT 1 /* ) */ ) -- ",
		"PIVOT logs ON level USING count(*)",
		"BEGIN TRANSACTION",
		"CHECKPOINT",
		"VACUUM",
		"PREPARE x AS SELECT 1",
		"EXECUTE x",
		"SELECT $1",
		"SELECT * FROM spans_of_nobody",
		"FORCE CHECKPOINT",
		"",
		"   -- nothing",
	} {
		t.Run(query[:min(len(query), 100)], func(t *testing.T) {
			res, err := e.Query(t.Context(), "default", query, 10)
			var bad *Error
			if !errors.As(err, &bad) {
				t.Fatalf("not refused: %v, rows %v", err, res.Rows)
			}
			if strings.Contains(bad.Message, filepath.Dir(file)) && !strings.Contains(query, file) {
				t.Errorf("the message shows a path: %s", bad.Message)
			}
		})
	}
}

func TestBombsAreStopped(t *testing.T) {
	cases := []struct{ name, query, outcome string }{
		{"endless recursion", "WITH RECURSIVE r AS (SELECT 1 AS x UNION ALL SELECT (x + 1) % 7 FROM r) SELECT count(*) FROM r", "timeout"},
		{"huge product", "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range + b.range = 7", "timeout"},
		{"aggregate of too much", "SELECT length(list(md5(range::VARCHAR))::VARCHAR) FROM range(20000000)", "memory"},
		{"wide grouping", "SELECT count(*) FROM (SELECT md5(range::VARCHAR) k, count(*) FROM range(5000000) GROUP BY k)", "memory"},
		{"long text, which DuckDB does not count", "SELECT length(repeat('0123456789', 100000000))", "memory"},
		{"long list, which DuckDB does not count", "SELECT len(range(0, 100000000))", "memory"},
		{"text doubled thirty times", doubling(30), "memory"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			cfg := DefaultConfig()
			cfg.MemoryBytes = 64 << 20
			if tc.outcome == "timeout" {
				cfg.Timeout = promodel.Duration(500 * time.Millisecond)
			}
			e := newEngine(t, cfg, Deps{Worker: worker()})
			began := time.Now()
			_, err := e.Query(t.Context(), "default", tc.query, 10)
			// DuckDB crashes where an allocation that fails is not checked.
			if got := outcome(err); got != tc.outcome && (tc.outcome != "memory" || got != "crash") {
				t.Errorf("stopped by %q, want %q: %v", got, tc.outcome, err)
			}
			if took := time.Since(began); tc.outcome == "timeout" && took > time.Minute { // none of them ends by itself
				t.Errorf("stopped only after %s", took)
			}
		})
	}
}

func doubling(n int) string {
	parts := []string{"'0123456789' AS a0"}
	for i := range n {
		parts = append(parts, fmt.Sprintf("a%d || a%d AS a%d", i, i, i+1))
	}
	return fmt.Sprintf("SELECT length(a%d) FROM (SELECT %s)", n, strings.Join(parts, ", "))
}

func TestAWorkerAnswersAsTheProcessItself(t *testing.T) {
	src := &fakeSource{logs: []*head.Logs{twoRecords()}, logParts: []*part.Part{writeLogs(t, many(100, false))}}
	state := State{Deploys: func(context.Context, store.DeployQuery) ([]model.Deploy, error) {
		return []model.Deploy{{ID: "d1", Time: t0, Service: "edge", Version: "2.4.1"}, {ID: "d2"}}, nil
	}}
	inside := newEngine(t, DefaultConfig(), Deps{Source: src, State: state})
	outside := newEngine(t, DefaultConfig(), Deps{Source: src, State: state, Worker: worker()})
	for _, query := range []string{
		"SELECT * FROM logs ORDER BY ALL LIMIT 20",
		"SELECT sum(x), 1.50, 'NaN'::DOUBLE, [1], NULL FROM (SELECT unnest([9223372036854775807, 1]) AS x)",
		"SELECT * FROM deploys ORDER BY id",
	} {
		if diff := cmp.Diff(ask(t, inside, query), ask(t, outside, query)); diff != "" {
			t.Errorf("%s (-inside +outside):\n%s", query, diff)
		}
	}
	_, err := outside.Query(t.Context(), "default", "SELECT nope FROM logs", 10)
	var bad *Error
	if !errors.As(err, &bad) || bad.At != 7 {
		t.Errorf("the error of a worker is %#v", err)
	}
}

func TestAWorkerEndsWithItsParent(t *testing.T) {
	in, parent := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- ServeWorker(t.Context(), in, io.Discard) }()
	_ = parent.Close()
	if err := <-ended; err == nil {
		t.Error("a worker without a job ended well")
	}
}

func TestErrorsSayWhereAndWhat(t *testing.T) {
	e := newEngine(t, DefaultConfig(), Deps{})
	cases := []struct {
		name, query, message string
		at                   int
	}{
		{"syntax", "SELECT 1 FROM logs WHERE", "syntax error at end of input", 24},
		{"unknown column", "SELECT servize FROM logs", `Referenced column "servize" not found in FROM clause!`, 7},
		{"unknown function", "SELECT nofun(1)", "the function nofun is not allowed", 7},
		{"unknown table", "SELECT * FROM lags", `there is no table "lags"; the tables are logs, spans, deploys, slo_budget, alerts, audit, gate_decisions, pages, incidents`, 14},
		{"a function that is not allowed", "SELECT 1, getenv('HOME')", "the function getenv is not allowed", 10},
		{"a conversion while running", "SELECT service::INT FROM (SELECT 'x' AS service)", "Could not convert string 'x' to INT32 when casting from source column service", 31},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			_, err := e.Query(t.Context(), "default", tc.query, 10)
			var bad *Error
			if !errors.As(err, &bad) {
				t.Fatalf("%v", err)
			}
			if bad.Message != tc.message || bad.At != tc.at {
				t.Errorf("got %q at %d", bad.Message, bad.At)
			}
		})
	}
}

func TestCancellingEndsAQuery(t *testing.T) {
	e := newEngine(t, DefaultConfig(), Deps{Worker: worker()})
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := e.Query(ctx, "default", "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range + b.range = 7", 10)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestNothingStaysInTheFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "sql")
	if err := os.MkdirAll(filepath.Join(dir, "query-left-by-a-kill"), 0o750); err != nil {
		t.Fatal(err)
	}
	e := newEngine(t, DefaultConfig(), Deps{Source: &fakeSource{logs: []*head.Logs{twoRecords()}}, Dir: dir})
	ask(t, e, "SELECT count(*) FROM logs")
	_, _ = e.Query(t.Context(), "default", "SELECT nope FROM logs", 10)
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}
