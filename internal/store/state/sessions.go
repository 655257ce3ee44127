package state

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/signalbox-project/signalbox/internal/store"
)

// AddSession adds a session.
func (s *Store) AddSession(ctx context.Context, v store.Session) error {
	if v.ID == "" || v.Hash == "" {
		return errors.New("add session: it needs an id and a hash")
	}
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode session %s: %w", v.ID, err)
	}
	return s.inTx(ctx, "sessions", func(tx *tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO sessions (id, hash, created, seen, remote, session) VALUES ($1, $2, $3, $4, $5, $6)`,
			v.ID, v.Hash, nanos(v.Created), nanos(v.Seen), v.Remote, string(text))
		return err
	})
}

// SaveSession replaces a session by its ID, but for its hash and its last use.
func (s *Store) SaveSession(ctx context.Context, v store.Session) error {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode session %s: %w", v.ID, err)
	}
	return s.one(ctx, "sessions", "session "+v.ID, `UPDATE sessions SET session = $2 WHERE id = $1`, v.ID, string(text))
}

// SessionsSeen notes the last use of sessions that are there.
func (s *Store) SessionsSeen(ctx context.Context, seen []store.Seen) error {
	return s.seen(ctx, "sessions", `UPDATE sessions SET seen = $2, remote = $3 WHERE id = $1`, seen)
}

// Sessions are all, the oldest first.
func (s *Store) Sessions(ctx context.Context) ([]store.Session, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT session, hash, seen, remote FROM sessions ORDER BY created, id`)
	if err != nil {
		return nil, s.explain("list sessions", err)
	}
	return collect(s, "list sessions", rows, func(rows *sql.Rows) (store.Session, error) {
		var text, hash, remote string
		var seen int64
		if err := rows.Scan(&text, &hash, &seen, &remote); err != nil {
			return store.Session{}, err
		}
		v, err := decode[store.Session]("session", text)
		v.Hash, v.Seen, v.Remote = hash, timeOf(seen), remote
		return v, err
	})
}

// DeleteSessions forgets sessions.
func (s *Store) DeleteSessions(ctx context.Context, ids ...string) error {
	return s.forget(ctx, "sessions", `DELETE FROM sessions WHERE id = $1`, ids)
}

// AddToken adds a token.
func (s *Store) AddToken(ctx context.Context, v store.Token) error {
	text, err := tokenText(v)
	if err != nil {
		return err
	}
	return s.inTx(ctx, "tokens", func(tx *tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO tokens (id, created, seen, remote, token) VALUES ($1, $2, $3, $4, $5)`,
			v.ID, nanos(v.Created), nanos(v.Seen), v.Remote, text)
		return err
	})
}

// SaveToken replaces a token by its ID, but for its last use.
func (s *Store) SaveToken(ctx context.Context, v store.Token) error {
	text, err := tokenText(v)
	if err != nil {
		return err
	}
	return s.one(ctx, "tokens", "token "+v.ID, `UPDATE tokens SET token = $2 WHERE id = $1`, v.ID, text)
}

func tokenText(v store.Token) (string, error) {
	if v.ID == "" || v.Hash == "" {
		return "", errors.New("save token: it needs an id and a hash")
	}
	text, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("encode token %s: %w", v.ID, err)
	}
	return string(text), nil
}

// TokensSeen notes the last use of tokens that are there.
func (s *Store) TokensSeen(ctx context.Context, seen []store.Seen) error {
	return s.seen(ctx, "tokens", `UPDATE tokens SET seen = $2, remote = $3 WHERE id = $1`, seen)
}

// Tokens are all, the oldest first.
func (s *Store) Tokens(ctx context.Context) ([]store.Token, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT token, seen, remote FROM tokens ORDER BY created, id`)
	if err != nil {
		return nil, s.explain("list tokens", err)
	}
	return collect(s, "list tokens", rows, func(rows *sql.Rows) (store.Token, error) {
		var text, remote string
		var seen int64
		if err := rows.Scan(&text, &seen, &remote); err != nil {
			return store.Token{}, err
		}
		v, err := decode[store.Token]("token", text)
		v.Seen, v.Remote = timeOf(seen), remote
		return v, err
	})
}

// DeleteTokens forgets tokens.
func (s *Store) DeleteTokens(ctx context.Context, ids ...string) error {
	return s.forget(ctx, "tokens", `DELETE FROM tokens WHERE id = $1`, ids)
}

func (s *Store) seen(ctx context.Context, table, query string, seen []store.Seen) error {
	if len(seen) == 0 {
		return nil
	}
	return s.inTx(ctx, table, func(tx *tx) error {
		for _, v := range seen {
			if _, err := tx.ExecContext(ctx, query, v.ID, nanos(v.Time), v.Remote); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Store) forget(ctx context.Context, table, query string, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	return s.inTx(ctx, table, func(tx *tx) error {
		for _, id := range ids {
			if _, err := tx.ExecContext(ctx, query, id); err != nil {
				return err
			}
		}
		return nil
	})
}
