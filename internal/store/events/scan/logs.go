package scan

import (
	"context"
	"iter"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/match"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

// fetchRows is how many rows are fetched before the first of them is yielded.
const fetchRows = 1024

func logQuery(q store.LogQuery) *match.Query { return match.New(part.Logs, q.Tenant, q.Range, q.Expr) }

// Logs is store.LogReader's.
func (s *Scanner) Logs(ctx context.Context, lq store.LogQuery) iter.Seq2[model.LogRecord, error] {
	return func(yield func(model.LogRecord, error) bool) {
		rows(ctx, s.source, logQuery(lq), lq.Limit, lq.Oldest, yield,
			func(u *match.Unit, i int) model.LogRecord { return u.Logs.Record(i) }, fetchLogs)
	}
}

// rows yields whole rows in order of time.
func rows[T any](ctx context.Context, source part.Source, q *match.Query, limit int, oldest bool, yield func(T, error) bool,
	fromHead func(u *match.Unit, i int) T, fromPart func(t *match.Table, rows []fetched, set func(int, T)) error,
) {
	v := source.View(q.Signal, q.Range)
	defer v.Release()
	left := limit
	err := inOrder(ctx, q, v, limit, oldest, func(units []match.Unit, batch []ref) (bool, error) {
		if limit > 0 {
			batch = batch[:min(len(batch), left)]
			left -= len(batch)
		}
		for from := 0; from < len(batch); from += fetchRows {
			list, err := fetch(ctx, v, units, batch[from:min(from+fetchRows, len(batch))], fromHead, fromPart)
			if err != nil {
				return false, err
			}
			for i := range list {
				if err := ctx.Err(); err != nil {
					return false, err
				}
				if !yield(list[i], nil) {
					return false, nil
				}
			}
		}
		return true, nil
	})
	if err != nil {
		var zero T
		yield(zero, err)
	}
}

// LogHistogram is store.LogReader's. Beyond 200 values, the rest is one
// series "other".
func (s *Scanner) LogHistogram(ctx context.Context, q store.LogQuery, step time.Duration, field string) (store.Histogram, error) {
	return s.histogram(ctx, logQuery(q), step, field)
}

// LogValues is store.LogReader's. At most 200,000 distinct values are counted.
func (s *Scanner) LogValues(ctx context.Context, q store.LogQuery, field string, limit int) ([]store.ValueCount, error) {
	return s.values(ctx, logQuery(q), field, limit)
}

// LogFields is store.LogReader's. Where only some rows of a part match, attribute
// keys are those of a sample of them.
func (s *Scanner) LogFields(ctx context.Context, q store.LogQuery, limit int) ([]string, error) {
	return s.fields(ctx, logQuery(q), limit)
}
