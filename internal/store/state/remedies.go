package state

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// SaveRemedy inserts or replaces a remedy by its ID. A second open one of the
// same service and environment is refused.
func (s *Store) SaveRemedy(ctx context.Context, r model.Remedy) error {
	text, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode remedy %s: %w", r.ID, err)
	}
	open := 0
	if r.State.Open() {
		open = 1
	}
	return s.inTx(ctx, "remedies", func(tx *tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO remedies (id, time, service, environment, state, is_open, remedy)
			VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (id) DO UPDATE SET time = excluded.time, service = excluded.service, environment = excluded.environment,
				state = excluded.state, is_open = excluded.is_open, remedy = excluded.remedy`,
			r.ID, nanos(r.Breach), r.Service, r.Environment, string(r.State), open, string(text))
		return err
	})
}

// Remedies lists remedies, the newest breach first.
func (s *Store) Remedies(ctx context.Context, q store.RemedyQuery) ([]model.Remedy, error) {
	open := 0
	if q.Open {
		open = 1
	}
	rows, err := s.read.QueryContext(ctx, `SELECT remedy FROM remedies
		WHERE ($1 = '' OR service = $1) AND ($2 = '' OR state = $2) AND is_open >= $3
		ORDER BY time DESC, id DESC LIMIT $4`, q.Service, string(q.State), open, limitOf(q.Limit))
	if err != nil {
		return nil, s.explain("list remedies", err)
	}
	return collect(s, "list remedies", rows, func(rows *sql.Rows) (model.Remedy, error) {
		var text string
		if err := rows.Scan(&text); err != nil {
			return model.Remedy{}, err
		}
		return decode[model.Remedy]("remedy", text)
	})
}
