package state

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

const auditColumns = "id, time, actor, action, subject, details"

// Audit appends an entry and answers it with its ID; a zero Time means now.
func (s *Store) Audit(ctx context.Context, e model.AuditEntry) (model.AuditEntry, error) {
	if e.Time.IsZero() {
		e.Time = s.now()
	}
	e.Time = e.Time.UTC()
	details, err := json.Marshal(e.Details) // map keys are sorted
	if err != nil {
		return model.AuditEntry{}, fmt.Errorf("encode audit details: %w", err)
	}
	err = s.inTx(ctx, "audit", func(tx *sql.Tx) error {
		var prev string
		// The update locks the chain's end until commit, in both databases.
		err := tx.QueryRowContext(ctx, `UPDATE audit_head SET id = id + 1 WHERE one = 1 RETURNING id, hash`).Scan(&e.ID, &prev)
		if err != nil {
			return err
		}
		hash := auditHash(prev, e, string(details))
		if _, err := tx.ExecContext(ctx, `INSERT INTO audit (`+auditColumns+`, hash) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			e.ID, e.Time.UnixNano(), e.Actor, e.Action, e.Subject, string(details), hash); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE audit_head SET hash = $1 WHERE one = 1`, hash)
		return err
	})
	if err != nil {
		return model.AuditEntry{}, err
	}
	return e, nil
}

// AuditEntries lists audit entries, newest first.
func (s *Store) AuditEntries(ctx context.Context, q store.AuditQuery) ([]model.AuditEntry, error) {
	from, to := startEnd(q.Start, q.End)
	rows, err := s.read.QueryContext(ctx, `SELECT `+auditColumns+` FROM audit
		WHERE ($1 = '' OR actor = $1) AND ($2 = '' OR action = $2) AND time >= $3 AND time < $4
		ORDER BY id DESC LIMIT $5`, q.Actor, q.Action, from, to, limitOf(q.Limit))
	if err != nil {
		return nil, s.explain("list audit", err)
	}
	return collect(s, "list audit", rows, func(rows *sql.Rows) (model.AuditEntry, error) {
		e, _, err := scanAudit(rows)
		return e, err
	})
}

// VerifyAudit walks the chain and names the first entry that does not fit it:
// changed, removed or added behind the store's back.
func (s *Store) VerifyAudit(ctx context.Context) error {
	var headID int64
	var headHash string
	// One statement snapshot for both would need a transaction; the head is
	// read first, so rows appended meanwhile are simply beyond it.
	if err := s.read.QueryRowContext(ctx, `SELECT id, hash FROM audit_head WHERE one = 1`).Scan(&headID, &headHash); err != nil {
		return s.explain("verify audit", err)
	}
	rows, err := s.read.QueryContext(ctx, `SELECT `+auditColumns+`, hash FROM audit WHERE id <= $1 ORDER BY id`, headID)
	if err != nil {
		return s.explain("verify audit", err)
	}
	defer rows.Close()
	var prev, stored string
	var want int64
	for rows.Next() {
		e, details, err := scanAudit(rows, &stored)
		if err != nil {
			return s.explain("verify audit", err)
		}
		if want++; e.ID != want {
			return fmt.Errorf("audit entry %d is missing", want)
		}
		if prev = auditHash(prev, e, details); prev != stored {
			return fmt.Errorf("audit entry %d (%s by %s) was changed after it was written", e.ID, e.Action, e.Actor)
		}
	}
	if err := rows.Err(); err != nil {
		return s.explain("verify audit", err)
	}
	if want != headID || prev != headHash {
		return fmt.Errorf("audit entries %d to %d are missing", want+1, headID)
	}
	return nil
}

func scanAudit(rows *sql.Rows, more ...any) (e model.AuditEntry, details string, err error) {
	var at int64
	dest := append([]any{&e.ID, &at, &e.Actor, &e.Action, &e.Subject, &details}, more...)
	if err := rows.Scan(dest...); err != nil {
		return e, "", err
	}
	e.Time = unixUTC(at)
	return e, details, json.Unmarshal([]byte(details), &e.Details)
}

// auditHash is SHA-256 over the previous row's hash and this row's fields,
// each with its length before it so that no two rows read alike.
func auditHash(prev string, e model.AuditEntry, details string) string {
	h := sha256.New()
	var n [8]byte
	num := func(v int64) {
		binary.BigEndian.PutUint64(n[:], uint64(v))
		h.Write(n[:])
	}
	text := func(s string) {
		num(int64(len(s)))
		h.Write([]byte(s))
	}
	text(prev)
	num(e.ID)
	num(e.Time.UnixNano())
	text(e.Actor)
	text(e.Action)
	text(e.Subject)
	text(details)
	return hex.EncodeToString(h.Sum(nil))
}
