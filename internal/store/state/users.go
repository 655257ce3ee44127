package state

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/signalbox-project/signalbox/internal/store"
)

// AddUser adds a user; store.ErrSpent if the name is taken.
func (s *Store) AddUser(ctx context.Context, u store.User) error {
	text, err := userText(u)
	if err != nil {
		return err
	}
	return s.once(ctx, "users", "user "+u.Name, `INSERT INTO users (name, user_record) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`, u.Name, text)
}

// SaveUser replaces a user by name.
func (s *Store) SaveUser(ctx context.Context, u store.User) error {
	text, err := userText(u)
	if err != nil {
		return err
	}
	return s.one(ctx, "users", "user "+u.Name, `UPDATE users SET user_record = $2 WHERE name = $1`, u.Name, text)
}

func userText(u store.User) (string, error) {
	if u.Name == "" {
		return "", errors.New("save user: it needs a name")
	}
	text, err := json.Marshal(u)
	if err != nil {
		return "", fmt.Errorf("encode user %s: %w", u.Name, err)
	}
	return string(text), nil
}

// Users are all, by name.
func (s *Store) Users(ctx context.Context) ([]store.User, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT user_record FROM users ORDER BY name`)
	if err != nil {
		return nil, s.explain("list users", err)
	}
	return collect(s, "list users", rows, func(rows *sql.Rows) (store.User, error) {
		var text string
		if err := rows.Scan(&text); err != nil {
			return store.User{}, err
		}
		return decode[store.User]("user", text)
	})
}

// DeleteUser forgets a user.
func (s *Store) DeleteUser(ctx context.Context, name string) error {
	return s.one(ctx, "users", "user "+name, `DELETE FROM users WHERE name = $1`, name)
}

// Spend remembers an ID; store.ErrSpent if it is known.
func (s *Store) Spend(ctx context.Context, id string, until time.Time) error {
	return s.once(ctx, "spent", "link", `INSERT INTO spent (id, until_at) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING`, id, nanos(until))
}

// DropSpent forgets what was remembered until before a time.
func (s *Store) DropSpent(ctx context.Context, before time.Time) error {
	return s.inTx(ctx, "spent", func(tx *tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM spent WHERE until_at < $1`, nanos(before))
		return err
	})
}

// one runs a statement that must change the one row there is.
func (s *Store) one(ctx context.Context, table, what, query string, args ...any) error {
	return s.changing(ctx, table, what, store.ErrNotFound, query, args...)
}

// once runs a statement that changes a row the first time alone.
func (s *Store) once(ctx context.Context, table, what, query string, args ...any) error {
	return s.changing(ctx, table, what, store.ErrSpent, query, args...)
}

func (s *Store) changing(ctx context.Context, table, what string, otherwise error, query string, args ...any) error {
	return s.inTx(ctx, table, func(tx *tx) error {
		res, err := tx.ExecContext(ctx, query, args...)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n > 0 {
			return err
		}
		return fmt.Errorf("%s: %w", what, otherwise)
	})
}
