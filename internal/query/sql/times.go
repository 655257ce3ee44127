package sql

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/query/sql/guard"
	"github.com/signalbox-project/signalbox/internal/store"
)

// plan checks a query and says what times of which table it needs.
func (s *session) plan(ctx context.Context, cfg Config, query string) (p guard.Plan, ranges map[string]store.Range, err error) {
	if p, err = s.check(ctx, query); err != nil {
		return p, nil, err
	}
	ranges, err = s.ranges(ctx, p, time.Duration(cfg.Timeout)+time.Second)
	return p, ranges, err
}

// ranges are the times outside which no row of a table can change the answer; a table is absent of which all rows may be needed.
// slack covers what the clock does until the query runs.
func (s *session) ranges(ctx context.Context, p guard.Plan, slack time.Duration) (map[string]store.Range, error) {
	out := map[string]store.Range{}
	for table, refs := range p.Times {
		all := store.Range{Start: math.MaxInt64, End: math.MinInt64}
		for _, ref := range refs {
			after, err := s.constants(ctx, ref.After)
			if err != nil {
				return nil, err
			}
			before, err := s.constants(ctx, ref.Before)
			if err != nil {
				return nil, err
			}
			start, end := int64(math.MinInt64), int64(math.MaxInt64)
			for _, ns := range after {
				start = max(start, ns-int64(slack))
			}
			for _, ns := range before {
				end = min(end, ns+int64(slack))
			}
			all.Start, all.End = min(all.Start, start), max(all.End, end)
		}
		if all.Start != math.MinInt64 || all.End != math.MaxInt64 {
			out[table] = all
		}
	}
	return out, nil
}

// constants have DuckDB say what constants are as times, in Unix ns; those that are none, or too far away, are left out.
func (s *session) constants(ctx context.Context, exprs []any) (out []int64, err error) {
	for _, expr := range exprs {
		tree, err := json.Marshal(map[string]any{"error": false, "statements": []any{map[string]any{
			"node": map[string]any{
				"type": "SELECT_NODE", "cte_map": map[string]any{}, "select_list": []any{expr},
				"from_table": map[string]any{"type": "EMPTY"}, "aggregate_handling": "STANDARD_HANDLING",
			},
		}}})
		if err != nil {
			return nil, fmt.Errorf("read a time of the query: %w", err)
		}
		var text string
		var us sql.NullInt64
		if err = s.conn.QueryRowContext(ctx, "SELECT json_deserialize_sql(CAST($1 AS JSON))", string(tree)).Scan(&text); err == nil {
			query := "SELECT epoch_us(t) FROM (SELECT TRY_CAST(v AS TIMESTAMP) AS t FROM (" + strings.TrimSuffix(text, ";") + ") AS c(v)) WHERE isfinite(t)"
			err = s.conn.QueryRowContext(ctx, query).Scan(&us)
		}
		const most = math.MaxInt64 / 2000 // with room for the slack
		if err == nil && us.Valid && us.Int64 < most && us.Int64 > -most {
			out = append(out, us.Int64*1000)
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		// Any other error is one of the query's own, which it gets when it runs.
	}
	return out, nil
}
