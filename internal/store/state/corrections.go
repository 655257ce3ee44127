package state

import (
	"context"
	"database/sql"
	"encoding/base64"
	"fmt"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

const correctionColumns = "id, slo, kind, author, reason, start_time, end_time, created"

// AddSLOCorrection stores a correction under an ID of its own.
func (s *Store) AddSLOCorrection(ctx context.Context, c model.SLOCorrection) (model.SLOCorrection, error) {
	c.ID = newID()
	if c.Created.IsZero() {
		c.Created = s.now()
	}
	c.Start, c.End, c.Created = c.Start.UTC(), c.End.UTC(), c.Created.UTC()
	return c, s.inTx(ctx, "slo_corrections", func(tx *tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO slo_corrections (`+correctionColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			c.ID, c.SLO, c.Kind, c.Author, c.Reason, nanos(c.Start), nanos(c.End), nanos(c.Created))
		return err
	})
}

// SLOCorrections are all corrections, by SLO and time.
func (s *Store) SLOCorrections(ctx context.Context) ([]model.SLOCorrection, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+correctionColumns+` FROM slo_corrections ORDER BY slo, start_time, id`)
	if err != nil {
		return nil, s.explain("list SLO corrections", err)
	}
	return collect(s, "list SLO corrections", rows, func(rows *sql.Rows) (c model.SLOCorrection, err error) {
		var start, end, created int64
		if err = rows.Scan(&c.ID, &c.SLO, &c.Kind, &c.Author, &c.Reason, &start, &end, &created); err != nil {
			return c, err
		}
		c.Start, c.End, c.Created = timeOf(start), timeOf(end), timeOf(created)
		return c, nil
	})
}

// DeleteSLOCorrection removes an SLO's correction; store.ErrNotFound when it
// has none of that ID.
func (s *Store) DeleteSLOCorrection(ctx context.Context, slo, id string) error {
	return s.inTx(ctx, "slo_corrections", func(tx *tx) error {
		res, err := tx.ExecContext(ctx, `DELETE FROM slo_corrections WHERE slo = $1 AND id = $2`, slo, id)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n > 0 {
			return err
		}
		return fmt.Errorf("correction %s of SLO %s: %w", id, slo, store.ErrNotFound)
	})
}

// SaveSLOLedgers stores ledgers by name, all or none.
func (s *Store) SaveSLOLedgers(ctx context.Context, ledgers []store.SLOLedger) error {
	if len(ledgers) == 0 {
		return nil
	}
	return s.inTx(ctx, "slo_ledgers", func(tx *tx) error {
		for _, l := range ledgers {
			_, err := tx.ExecContext(ctx, `INSERT INTO slo_ledgers (name, measures, sealed, heard, slots) VALUES ($1, $2, $3, $4, $5)
				ON CONFLICT (name) DO UPDATE SET measures = excluded.measures, sealed = excluded.sealed, heard = excluded.heard, slots = excluded.slots`,
				l.Name, l.Measures, nanos(l.Sealed), int64(l.Heard), base64.StdEncoding.EncodeToString(l.Slots))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// SLOLedgers calls fn with each stored ledger, by name. One that cannot be
// decoded is left out: its history is read again.
func (s *Store) SLOLedgers(ctx context.Context, fn func(store.SLOLedger)) error {
	rows, err := s.read.QueryContext(ctx, `SELECT name, measures, sealed, heard, slots FROM slo_ledgers ORDER BY name`)
	if err != nil {
		return s.explain("list SLO ledgers", err)
	}
	defer rows.Close()
	for rows.Next() {
		var l store.SLOLedger
		var sealed, heard int64
		var text string
		if err := rows.Scan(&l.Name, &l.Measures, &sealed, &heard, &text); err != nil {
			return s.explain("list SLO ledgers", err)
		}
		l.Sealed, l.Heard = timeOf(sealed), uint64(heard)
		if l.Slots, err = base64.StdEncoding.DecodeString(text); err == nil {
			fn(l)
		}
	}
	if err := rows.Err(); err != nil {
		return s.explain("list SLO ledgers", err)
	}
	return nil
}
