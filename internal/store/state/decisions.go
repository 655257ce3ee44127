package state

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// SaveDecision stores a gate decision. Decisions are never changed: the same
// ID a second time is an error.
func (s *Store) SaveDecision(ctx context.Context, d model.GateDecision) error {
	if d.ID == "" {
		return errors.New("save gate decision: it has no id")
	}
	text, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("encode gate decision %s: %w", d.ID, err)
	}
	return s.inTx(ctx, "gate_decisions", func(tx *tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO gate_decisions (id, time, service, environment, version, verdict, decision)
			VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			d.ID, nanos(d.Time), d.Request.Service, d.Request.Environment, d.Request.Version, string(d.Verdict), string(text))
		return err
	})
}

// Decision is one gate decision; store.ErrNotFound when there is none.
func (s *Store) Decision(ctx context.Context, id string) (model.GateDecision, error) {
	var text string
	var override sql.NullString
	err := s.read.QueryRowContext(ctx, `SELECT decision, `+newestOverride+` FROM gate_decisions WHERE id = $1`, id).Scan(&text, &override)
	if errors.Is(err, sql.ErrNoRows) {
		return model.GateDecision{}, fmt.Errorf("gate decision %s: %w", id, store.ErrNotFound)
	}
	if err != nil {
		return model.GateDecision{}, s.explain("read gate decision", err)
	}
	return decisionOf(id, text, override)
}

// Decisions lists gate decisions, newest first, without their envelopes. next is the cursor of the
// following page, "" at the end.
func (s *Store) Decisions(ctx context.Context, q store.DecisionQuery) (_ []model.GateDecision, next string, err error) {
	at, id, err := parseCursor(q.Before)
	if err != nil {
		return nil, "", err
	}
	limit := limitOf(q.Limit)
	from, to := startEnd(q.Start, q.End)
	rows, err := s.read.QueryContext(ctx, `SELECT id, time, decision, `+newestOverride+` FROM gate_decisions
		WHERE ($1 = '' OR service = $1) AND ($2 = '' OR verdict = $2) AND (time < $3 OR (time = $3 AND id < $4))
			AND time >= $5 AND time < $6
		ORDER BY time DESC, id DESC LIMIT $7`, q.Service, string(q.Verdict), at, id, from, to, limit+1)
	if err != nil {
		return nil, "", s.explain("list gate decisions", err)
	}
	read := 0 // rows, and the last of the page: also a damaged one has others behind it
	out, err := collect(s, "list gate decisions", rows, func(rows *sql.Rows) (model.GateDecision, error) {
		var id, text string
		var at int64
		var override sql.NullString
		if err := rows.Scan(&id, &at, &text, &override); err != nil {
			return model.GateDecision{}, err
		}
		switch read++; {
		case read == limit:
			next = strconv.FormatInt(at, 10) + "." + id
		case read > limit:
			return model.GateDecision{}, nil // says only that there is another page
		}
		d, err := decisionOf(id, text, override)
		d.Envelope = nil // large: one asks for it by id
		return d, err
	})
	if err != nil || read <= limit {
		return out, "", err
	}
	return out[:len(out)-1], next, nil
}

// parseCursor reads "<Unix ns>.<id>"; "" is the newest end.
func parseCursor(c string) (at int64, id string, err error) {
	if c == "" {
		return 1<<63 - 1, "", nil
	}
	ns, id, ok := strings.Cut(c, ".")
	if ok {
		at, err = strconv.ParseInt(ns, 10, 64)
	}
	if !ok || err != nil {
		return 0, "", fmt.Errorf("cursor %q is not one that an earlier answer gave as next: %w", c, store.ErrNotFound)
	}
	return at, id, nil
}

func decode[T any](what, text string) (v T, err error) {
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return v, fmt.Errorf("decode %s: %w: %w", what, errRow, err)
	}
	return v, nil
}
