package state

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/state/redo"
)

// ledgersTable is written often and can be read again from the samples: the redo log leaves it out.
const ledgersTable = "slo_ledgers"

// tx is a write transaction. It remembers what it changed, for the redo log.
type tx struct {
	sql    *sql.Tx
	record []redo.Statement
}

// ExecContext runs a statement.
func (t *tx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	args, err := t.remember(query, args)
	if err != nil {
		return nil, err
	}
	return t.sql.ExecContext(ctx, query, args...)
}

// QueryRowContext runs a statement that answers a row, also one that changes it.
func (t *tx) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if !strings.HasPrefix(strings.TrimSpace(query), "SELECT") {
		if kept, err := t.remember(query, args); err == nil {
			args = kept
		} // the database refuses the same argument
	}
	return t.sql.QueryRowContext(ctx, query, args...)
}

// remember adds a statement to the record, with arguments as the database gets them.
func (t *tx) remember(query string, args []any) ([]any, error) {
	out := make([]any, len(args))
	for i, a := range args {
		v, err := driver.DefaultParameterConverter.ConvertValue(a)
		if err != nil {
			return nil, fmt.Errorf("argument %d: %w", i+1, err)
		}
		out[i] = v
	}
	t.record = append(t.record, redo.Statement{SQL: query, Args: out})
	return out, nil
}

// inTx runs one write transaction and counts it under table.
func (s *Store) inTx(ctx context.Context, table string, fn func(*tx) error) error {
	err := s.tx(ctx, table != ledgersTable, fn)
	if err == nil {
		s.readOnly.Store(false)
		s.metrics.writes.WithLabelValues(table, "ok").Inc()
		s.copies.Written()
		return nil
	}
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrSpent) || errors.Is(err, store.ErrChanged) {
		return err
	}
	s.metrics.writes.WithLabelValues(table, "failed").Inc()
	err = s.explain("write "+table, err)
	if errors.Is(err, store.ErrReadOnly) && !s.readOnly.Swap(true) {
		s.log.Error("state database became read-only", "err", err)
	}
	return err
}

// tx holds the one writing connection until the redo log has the transaction, so that the log's order is
// the database's.
func (s *Store) tx(ctx context.Context, recorded bool, fn func(*tx) error) error {
	conn, err := s.write.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	raw, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	t := &tx{sql: raw}
	var number int64
	err = fn(t)
	if err == nil && recorded {
		err = raw.QueryRowContext(ctx, `UPDATE commits SET number = number + 1 WHERE one = 1 RETURNING number`).Scan(&number)
	}
	if err != nil {
		return errors.Join(err, raw.Rollback())
	}
	if err := raw.Commit(); err != nil {
		return err
	}
	if recorded {
		s.copies.Append(redo.Record{Number: number, Statements: t.record})
	}
	return nil
}

// apply runs records again, all or none.
func (s *Store) apply(ctx context.Context, records []redo.Record) error {
	raw, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	for _, r := range records {
		for _, st := range r.Statements {
			if _, err := raw.ExecContext(ctx, st.SQL, st.Args...); err != nil {
				return errors.Join(fmt.Errorf("transaction %d: %w", r.Number, err), raw.Rollback())
			}
		}
	}
	if _, err := raw.ExecContext(ctx, `UPDATE commits SET number = $1 WHERE one = 1`, records[len(records)-1].Number); err != nil {
		return errors.Join(err, raw.Rollback())
	}
	return raw.Commit()
}

// commits is how many recorded transactions the database holds.
func commits(ctx context.Context, db *sql.DB) (n int64, err error) {
	err = db.QueryRowContext(ctx, `SELECT number FROM commits WHERE one = 1`).Scan(&n)
	return n, err
}
