package state

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
)

// SaveOverride stores a break-glass override; Decision and Decisions show the
// newest of each decision. Overrides are never changed: the same ID a second
// time is an error.
func (s *Store) SaveOverride(ctx context.Context, o model.GateOverride) error {
	if o.ID == "" || o.DecisionID == "" {
		return errors.New("save gate override: it has no id or names no decision")
	}
	text, err := json.Marshal(o)
	if err != nil {
		return fmt.Errorf("encode gate override %s: %w", o.ID, err)
	}
	return s.inTx(ctx, "gate_overrides", func(tx *tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO gate_overrides (id, decision_id, time, expires, service, environment, version, override)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			o.ID, o.DecisionID, nanos(o.Time), nanos(o.Expires), o.Service, o.Environment, o.Version, string(text))
		return err
	})
}

// Overrides are those of exactly this service, environment and version that
// have not expired at a time, newest first.
func (s *Store) Overrides(ctx context.Context, service, environment, version string, at time.Time) ([]model.GateOverride, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT override FROM gate_overrides
		WHERE service = $1 AND environment = $2 AND version = $3 AND expires > $4 ORDER BY time DESC, id DESC`,
		service, environment, version, nanos(at))
	if err != nil {
		return nil, s.explain("list gate overrides", err)
	}
	return collect(s, "list gate overrides", rows, func(rows *sql.Rows) (model.GateOverride, error) {
		var text string
		if err := rows.Scan(&text); err != nil {
			return model.GateOverride{}, err
		}
		return decode[model.GateOverride]("gate override", text)
	})
}

// newestOverride is a column for queries on gate_decisions.
const newestOverride = `(SELECT o.override FROM gate_overrides o WHERE o.decision_id = gate_decisions.id ORDER BY o.time DESC, o.id DESC LIMIT 1)`

// decisionOf puts a decision and its newest override together.
func decisionOf(id, text string, override sql.NullString) (model.GateDecision, error) {
	d, err := decode[model.GateDecision]("gate decision "+id, text)
	if err != nil || !override.Valid {
		return d, err
	}
	o, err := decode[model.GateOverride]("gate override of decision "+id, override.String)
	d.Override = &o
	return d, err
}
