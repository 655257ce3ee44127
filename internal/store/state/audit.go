package state

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

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
	err = s.inTx(ctx, "audit", func(tx *tx) error {
		id, prev, err := chainEnd(ctx, tx)
		if err != nil {
			return err
		}
		e.ID = id
		hash := auditHash(prev, e, string(details))
		if _, err := tx.ExecContext(ctx, `INSERT INTO audit (`+auditColumns+`, hash) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			e.ID, nanos(e.Time), e.Actor, e.Action, e.Subject, string(details), hash); err != nil {
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
	before := q.Before
	if before <= 0 {
		before = math.MaxInt64
	}
	rows, err := s.read.QueryContext(ctx, `SELECT `+auditColumns+` FROM audit
		WHERE ($1 = '' OR actor = $1) AND ($2 = '' OR action = $2) AND time >= $3 AND time < $4
		AND ($5 = '' OR subject = $5) AND id < $6 ORDER BY id DESC`,
		q.Actor, q.Action, from, to, q.Subject, before)
	if err != nil {
		return nil, s.explain("list audit", err)
	}
	defer rows.Close()
	rest := q
	rest.Start, rest.End = time.Time{}, time.Time{} // SQL compared them with times as they are stored
	out := []model.AuditEntry{}
	for len(out) < limitOf(q.Limit) && rows.Next() {
		e, _, err := scanAudit(rows)
		if err != nil {
			return nil, s.explain("list audit", err)
		}
		if rest.Takes(e) {
			out = append(out, e)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, s.explain("list audit", err)
	}
	return out, nil
}

// VerifyAudit walks the chain and names the first entry that does not fit it: changed, removed or added behind
// the store's back. The error says that it could not be walked; Problems names what was found until it is right again.
func (s *Store) VerifyAudit(ctx context.Context) (model.AuditVerification, error) {
	v, err := s.verifyAudit(ctx)
	if err != nil {
		return v, s.explain("verify audit", err)
	}
	if v.Intact = v.Fault == ""; v.Intact {
		s.audit.Store(nil)
		s.metrics.auditIntact.Set(1)
		return v, nil
	}
	if s.audit.Swap(&v) == nil {
		s.log.Error("the audit log was changed behind the store's back", "first", v.FirstBad, "fault", v.Fault)
	}
	s.metrics.auditIntact.Set(0)
	return v, nil
}

func (s *Store) verifyAudit(ctx context.Context) (v model.AuditVerification, err error) {
	// Both come from one snapshot of the database.
	tx, err := s.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return v, err
	}
	defer func() { err = errors.Join(err, tx.Rollback()) }()
	fault := func(entry int64, format string, args ...any) (model.AuditVerification, error) {
		v.FirstBad, v.Fault = entry, fmt.Sprintf(format, args...)
		return v, nil
	}
	var headID int64
	var headHash string
	err = tx.QueryRowContext(ctx, `SELECT id, hash FROM audit_head WHERE one = 1`).Scan(&headID, &headHash)
	headless := errors.Is(err, sql.ErrNoRows)
	if err != nil && !headless {
		return v, err
	}
	rows, err := tx.QueryContext(ctx, `SELECT `+auditColumns+`, hash FROM audit ORDER BY id`)
	if err != nil {
		return v, err
	}
	defer rows.Close()
	v.Last, v.Hash = headID, headHash
	var prev, stored string
	for rows.Next() {
		e, details, err := scanAudit(rows, &stored)
		if err != nil {
			return fault(v.Entries+1, "audit entry %d cannot be read: %v", v.Entries+1, err)
		}
		switch {
		case e.ID != v.Entries+1:
			return fault(v.Entries+1, "audit entry %d is missing", v.Entries+1)
		case !headless && e.ID > headID:
			return fault(e.ID, "audit entry %d (%s by %s) was added behind the chain's end", e.ID, e.Action, e.Actor)
		}
		if prev = auditHash(prev, e, details); prev != stored {
			return fault(e.ID, "audit entry %d (%s by %s) was changed after it was written", e.ID, e.Action, e.Actor)
		}
		v.Entries++
	}
	if err := rows.Err(); err != nil {
		return v, err
	}
	switch {
	case headless:
		return fault(v.Entries+1, "the record of the chain's end is missing, so entries after %d may be", v.Entries)
	case v.Entries < headID:
		return fault(v.Entries+1, "audit entries %d to %d are missing", v.Entries+1, headID)
	case prev != headHash:
		return fault(v.Entries, "audit entry %d is not the one that ended the chain", v.Entries)
	}
	return v, nil
}

// scanAudit reads a row; details that are no JSON any more are shown as damaged, and do not hide the row.
func scanAudit(rows *sql.Rows, more ...any) (e model.AuditEntry, details string, err error) {
	var at int64
	dest := append([]any{&e.ID, &at, &e.Actor, &e.Action, &e.Subject, &details}, more...)
	if err := rows.Scan(dest...); err != nil {
		return e, "", err
	}
	e.Time = timeOf(at)
	if json.Unmarshal([]byte(details), &e.Details) != nil {
		e.Details = map[string]string{"damaged": details}
	}
	return e, details, nil
}

// chainEnd moves the chain's end on and answers the new entry's number and the hash before it. The update locks
// the end until commit, in both databases. Where its row was removed, which VerifyAudit names, the chain goes on after
// the last entry there is: that something was tampered with must not stop the log.
func chainEnd(ctx context.Context, tx *tx) (id int64, prev string, err error) {
	const next = `UPDATE audit_head SET id = id + 1 WHERE one = 1 RETURNING id, hash`
	err = tx.QueryRowContext(ctx, next).Scan(&id, &prev)
	if !errors.Is(err, sql.ErrNoRows) {
		return id, prev, err
	}
	if _, err = tx.ExecContext(ctx, `INSERT INTO audit_head (one, id, hash)
		SELECT 1, COALESCE(MAX(id), 0), COALESCE((SELECT hash FROM audit ORDER BY id DESC LIMIT 1), '') FROM audit`); err != nil {
		return 0, "", err
	}
	err = tx.QueryRowContext(ctx, next).Scan(&id, &prev)
	return id, prev, err
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
	num(nanos(e.Time))
	text(e.Actor)
	text(e.Action)
	text(e.Subject)
	text(details)
	return hex.EncodeToString(h.Sum(nil))
}
