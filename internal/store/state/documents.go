package state

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/signalbox-project/signalbox/internal/store"
)

const documentColumns = "kind, id, version, status, time, body"

// SaveDocuments stores documents, all or none; store.ErrChanged if one is not what the caller read.
func (s *Store) SaveDocuments(ctx context.Context, docs ...store.Document) ([]store.Document, error) {
	for _, d := range docs {
		if d.Kind == "" || d.ID == "" {
			return nil, fmt.Errorf("save document %q of kind %q: it needs both", d.ID, d.Kind)
		}
		if !d.Gone && !json.Valid(d.Body) {
			return nil, fmt.Errorf("save %s %s: its body is no JSON", d.Kind, d.ID)
		}
	}
	if len(docs) == 0 {
		return nil, nil
	}
	out := make([]store.Document, 0, len(docs))
	err := s.inTx(ctx, "documents", func(tx *tx) error {
		for _, d := range docs {
			if err := saveDocument(ctx, tx, d); err != nil {
				return err
			}
			d.Version++
			out = append(out, d)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func saveDocument(ctx context.Context, tx *tx, d store.Document) error {
	var res sql.Result
	var err error
	switch {
	case d.Gone:
		res, err = tx.ExecContext(ctx, `DELETE FROM documents WHERE kind = $1 AND id = $2 AND version = $3`, d.Kind, d.ID, d.Version)
	case d.Version == 0:
		res, err = tx.ExecContext(ctx, `INSERT INTO documents (`+documentColumns+`) VALUES ($1, $2, 1, $3, $4, $5)
			ON CONFLICT (kind, id) DO NOTHING`, d.Kind, d.ID, d.Status, nanos(d.Time), string(d.Body))
	default:
		res, err = tx.ExecContext(ctx, `UPDATE documents SET version = version + 1, status = $4, time = $5, body = $6
			WHERE kind = $1 AND id = $2 AND version = $3`, d.Kind, d.ID, d.Version, d.Status, nanos(d.Time), string(d.Body))
	}
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if err == nil && n == 0 {
		return fmt.Errorf("%s %s: %w", d.Kind, d.ID, store.ErrChanged)
	}
	return err
}

// Document is one document; store.ErrNotFound when there is none.
func (s *Store) Document(ctx context.Context, kind, id string) (store.Document, error) {
	row := s.read.QueryRowContext(ctx, `SELECT `+documentColumns+` FROM documents WHERE kind = $1 AND id = $2`, kind, id)
	d, err := scanDocument(row)
	if errors.Is(err, sql.ErrNoRows) {
		return d, fmt.Errorf("%s %s: %w", kind, id, store.ErrNotFound)
	}
	if err != nil {
		return d, s.explain("read "+kind, err)
	}
	return d, nil
}

// Documents lists documents of a kind. next is the cursor of the following page, "" at the end.
func (s *Store) Documents(ctx context.Context, q store.DocumentQuery) (_ []store.Document, next string, err error) {
	at, id, err := parseCursor(q.Before)
	if err != nil {
		return nil, "", err
	}
	order, beyond := "DESC", "(time < $6 OR (time = $6 AND id < $7))"
	if q.Oldest {
		order, beyond = "ASC", "(time > $6 OR (time = $6 AND id > $7))"
		if q.Before == "" {
			at = math.MinInt64
		}
	}
	limit := limitOf(q.Limit)
	from, to := startEnd(q.Start, q.End)
	rows, err := s.read.QueryContext(ctx, `SELECT `+documentColumns+` FROM documents
		WHERE kind = $1 AND ($2 = '' OR status = $2) AND substr(id, 1, length($3)) = $3 AND time >= $4 AND time < $5 AND `+beyond+`
		ORDER BY time `+order+`, id `+order+` LIMIT $8`, q.Kind, q.Status, q.Prefix, from, to, at, id, limit+1)
	if err != nil {
		return nil, "", s.explain("list "+q.Kind, err)
	}
	out, err := collect(s, "list "+q.Kind, rows, func(rows *sql.Rows) (store.Document, error) { return scanDocument(rows) })
	if err != nil || len(out) <= limit {
		return out, "", err
	}
	last := out[limit-1]
	return out[:limit], strconv.FormatInt(nanos(last.Time), 10) + "." + last.ID, nil
}

func scanDocument(row interface{ Scan(dest ...any) error }) (d store.Document, err error) {
	var at int64
	var body string
	err = row.Scan(&d.Kind, &d.ID, &d.Version, &d.Status, &at, &body)
	d.Time, d.Body = timeOf(at), json.RawMessage(body)
	return d, err
}
