package state

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/signalbox-project/signalbox/internal/store"
)

// SaveSLORecords stores records by name, all or none.
func (s *Store) SaveSLORecords(ctx context.Context, records []store.SLORecord) error {
	if len(records) == 0 {
		return nil
	}
	return s.inTx(ctx, "slo_states", func(tx *tx) error {
		for _, r := range records {
			text, err := json.Marshal(r)
			if err != nil {
				return fmt.Errorf("encode state of SLO %s: %w", r.Name, err)
			}
			_, err = tx.ExecContext(ctx, `INSERT INTO slo_states (name, record) VALUES ($1, $2)
				ON CONFLICT (name) DO UPDATE SET record = excluded.record`, r.Name, string(text))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// SLORecords are all stored records, by name.
func (s *Store) SLORecords(ctx context.Context) ([]store.SLORecord, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT record FROM slo_states ORDER BY name`)
	if err != nil {
		return nil, s.explain("list SLO states", err)
	}
	return collect(s, "list SLO states", rows, func(rows *sql.Rows) (store.SLORecord, error) {
		var text string
		if err := rows.Scan(&text); err != nil {
			return store.SLORecord{}, err
		}
		return decode[store.SLORecord]("SLO state", text)
	})
}
