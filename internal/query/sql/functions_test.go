package sql

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Every function of the DuckDB that is linked is either on the guard's list or
// on the list of refused ones. A new version's functions are on none and refused; this test
// says which are to be judged.
func TestEveryFunctionOfDuckDBIsJudged(t *testing.T) {
	s, err := openSession(t.Context(), DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	list := func(name string) []string {
		b, err := os.ReadFile(filepath.Join("guard", name))
		if err != nil {
			t.Fatal(err)
		}
		return strings.Fields(string(b))
	}
	allowed, refused := list("functions.txt"), list(filepath.Join("testdata", "refused_functions.txt"))
	rows, err := s.conn.QueryContext(t.Context(), `SELECT DISTINCT lower(function_name) FROM duckdb_functions()
		WHERE function_type IN ('scalar', 'aggregate', 'macro') AND function_name NOT LIKE 'icu\_collate\_%' ESCAPE '\' ORDER BY ALL`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var seen []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		seen = append(seen, name)
		isAllowed, isRefused := slices.Contains(allowed, name), slices.Contains(refused, name)
		if isAllowed == isRefused {
			t.Errorf("%s: allowed %t, refused %t", name, isAllowed, isRefused)
		}
		if !regexp.MustCompile(`^[a-z_]\w*$`).MatchString(name) {
			continue
		}
		_, err := s.check(t.Context(), `SELECT "`+name+`"(1)`)
		if wrong := err == nil == isRefused; wrong {
			t.Errorf("%s, refused %t: %v", name, isRefused, err)
		}
	}
	if err := rows.Err(); err != nil || len(seen) < 500 {
		t.Fatalf("%d functions, %v", len(seen), err)
	}
	for _, name := range refused {
		if !slices.Contains(seen, name) {
			t.Errorf("%s is refused by name, but DuckDB does not have it", name)
		}
	}
}

func TestWhatPeopleAskForPasses(t *testing.T) {
	s, err := openSession(t.Context(), DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	for _, query := range []string{
		"SELECT service, count(*), avg(duration_ns)/1e6, quantile_cont(duration_ns, [0.5, 0.99]), count(*) FILTER (WHERE status = 'error') FROM spans GROUP BY ALL HAVING count(*) > 1 ORDER BY 2 DESC LIMIT 10",
		"SELECT time_bucket(INTERVAL '5 minutes', timestamp) AS t, level, count(*) FROM logs WHERE timestamp > ago('1h') AND message ILIKE '%error%' GROUP BY t, level",
		"SELECT date_trunc('hour', timestamp), extract(dow FROM timestamp), timestamp AT TIME ZONE 'Europe/Zurich' FROM logs",
		"SELECT regexp_extract(message, 'id=(\\d+)', 1)::BIGINT, split_part(message, ' ', 2), trim(both ' ' from message), position('x' in message) FROM logs",
		`SELECT attributes->>'$.http.route', json_extract_string(attributes, '$.a'), attributes::JSON->'a', "attr.http.route" FROM logs`,
		"SELECT rank() OVER (PARTITION BY service ORDER BY duration_ns DESC), lag(name) OVER w, sum(duration_ns) OVER (ORDER BY timestamp ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM spans WINDOW w AS (ORDER BY timestamp) QUALIFY row_number() OVER w < 3",
		"SELECT a.service, b.service FROM spans a JOIN spans b ON b.parent_span_id = a.span_id AND b.trace_id = a.trace_id LEFT JOIN deploys USING (service)",
		"WITH RECURSIVE t AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM t WHERE x < 5) SELECT list(x), max(x), string_agg(x::VARCHAR, ',') FROM t",
		"SELECT e->>'name' FROM (SELECT unnest(from_json(events, '[\"JSON\"]')) AS e FROM spans)",
		"SELECT x.value FROM logs, json_each(attributes) AS x", "SELECT * FROM range(10) t(i), LATERAL (SELECT i + 1)", "VALUES (1, 'a'), (2, 'b')", "FROM logs SELECT count(*)",
		"SELECT list_transform([1, 2], x -> x + 1), [x * 2 FOR x IN [1, 2] IF x > 1], {'a': 1}.a, MAP {'k': 1}['k'], (1, 2), [1, 2][1:1], struct_pack(a := 1)",
		"SELECT CASE WHEN 1 > 0 THEN coalesce(NULL, 1) ELSE nullif(1, 2) END, if(true, 1, 2), greatest(1, 2), 5 BETWEEN 1 AND 9, 1 IN (1, 2), NOT true, -1, 2 ** 3, 7 // 2, 5!, ~1, 'a' || 'b', 'a' LIKE 'b' ESCAPE 'x', 'a' SIMILAR TO 'b', 'a' COLLATE nocase, try_cast('x' AS INT)",
		"SELECT service, level, count(*), grouping(service) FROM logs GROUP BY CUBE (service, level)", "SELECT * EXCLUDE (message) REPLACE (upper(service) AS service) FROM logs", "SELECT COLUMNS('dur.*') FROM spans",
		"SELECT DISTINCT ON (service) * FROM logs ORDER BY service, timestamp DESC", "SELECT 1 UNION ALL SELECT 2 EXCEPT SELECT 3 INTERSECT SELECT 4", "SELECT * FROM logs LIMIT 10%", "SELECT * FROM logs USING SAMPLE 10 ROWS",
		"SELECT * FROM spans ASOF JOIN deploys ON spans.service = deploys.service AND spans.timestamp >= deploys.time", "UNPIVOT (SELECT 1 AS a, 2 AS b) ON a, b INTO NAME n VALUE v", "DESCRIBE logs", "SUMMARIZE spans", "EXPLAIN SELECT 1", "EXPLAIN ANALYZE SELECT count(*) FROM logs",
		"SELECT now(), current_date, current_timestamp, today(), epoch_ms(timestamp), strftime(timestamp, '%H:%M'), hash(message), md5(message), uuid(), random() FROM logs",
		"SELECT '/* no comment', \"x/*y\", $$ /* $$, e'it\\'s /*' FROM (SELECT 1 AS \"x/*y\") -- /* nor this", "SELECT 1 /* a /* nested */ comment */", "SELECT approx_quantile(duration_ns, 0.9), approx_count_distinct(trace_id), histogram(status), mode(name), arg_max(name, duration_ns), corr(1, 2), bool_or(true) FROM spans",
	} {
		if _, err := s.check(t.Context(), query); err != nil {
			t.Errorf("%s\n%v", query, err)
		}
	}
}
