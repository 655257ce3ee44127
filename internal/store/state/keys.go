package state

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/signalbox-project/signalbox/internal/model"
)

// SaveGateKey keeps a public key; one that is known stays as it is.
func (s *Store) SaveGateKey(ctx context.Context, k model.GateKey) error {
	if k.ID == "" || k.PEM == "" {
		return fmt.Errorf("save gate key %q: it needs an id and the key", k.ID)
	}
	return s.inTx(ctx, "gate_keys", func(tx *tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO gate_keys (id, pem, since) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING`,
			k.ID, k.PEM, nanos(k.Since))
		return err
	})
}

// GateKeys are all public keys, oldest first.
func (s *Store) GateKeys(ctx context.Context) ([]model.GateKey, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT id, pem, since FROM gate_keys ORDER BY since, id`)
	if err != nil {
		return nil, s.explain("list gate keys", err)
	}
	return collect(s, "list gate keys", rows, func(rows *sql.Rows) (k model.GateKey, err error) {
		var since int64
		err = rows.Scan(&k.ID, &k.PEM, &since)
		k.Since = timeOf(since)
		return k, err
	})
}
