package state

import (
	"context"
	"database/sql"
	"encoding/base64"
	"time"

	"github.com/signalbox-project/signalbox/internal/store"
)

// SaveSLODays inserts or replaces days, all or none.
func (s *Store) SaveSLODays(ctx context.Context, days []store.SLODay) error {
	if len(days) == 0 {
		return nil
	}
	return s.inTx(ctx, "slo_days", func(tx *tx) error {
		const insert = `INSERT INTO slo_days (slo, counts, day, read_at, settled, cells) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (slo, counts, day) DO UPDATE SET read_at = excluded.read_at, settled = excluded.settled, cells = excluded.cells`
		for _, d := range days {
			settled := 0
			if d.Settled {
				settled = 1
			}
			if _, err := tx.ExecContext(ctx, insert, d.SLO, d.Counts, nanos(d.Day), nanos(d.Read), settled, base64.StdEncoding.EncodeToString(d.Cells)); err != nil {
				return err
			}
		}
		return nil
	})
}

// SLODays are the days in [from, to) of what one SLO counted, oldest first. One
// that is damaged has no Cells.
func (s *Store) SLODays(ctx context.Context, slo, counts string, from, to time.Time) ([]store.SLODay, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT day, read_at, settled, cells FROM slo_days
		WHERE slo = $1 AND counts = $2 AND day >= $3 AND day < $4 ORDER BY day`, slo, counts, nanos(from), nanos(to))
	if err != nil {
		return nil, s.explain("list SLO days", err)
	}
	return collect(s, "list SLO days", rows, func(rows *sql.Rows) (store.SLODay, error) {
		d := store.SLODay{SLO: slo, Counts: counts}
		var day, read, settled int64
		var text string
		if err := rows.Scan(&day, &read, &settled, &text); err != nil {
			return d, err
		}
		d.Day, d.Read, d.Settled = timeOf(day), timeOf(read), settled != 0
		if d.Cells, err = base64.StdEncoding.DecodeString(text); err != nil {
			d.Cells = nil // damaged: it is read again
		}
		return d, nil
	})
}

// DropSLODays forgets the days before a time.
func (s *Store) DropSLODays(ctx context.Context, before time.Time) error {
	return s.inTx(ctx, "slo_days", func(tx *tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM slo_days WHERE day < $1`, nanos(before))
		return err
	})
}
