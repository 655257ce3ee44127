package state

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

const pageColumns = "page, acked_by, acked_at"

// SavePage inserts or updates a page by its ID. An acknowledgement, once made,
// is kept whatever the saved page says, so that a delivery that was under way cannot undo
// it. A second firing page with the same dedup key is an error.
func (s *Store) SavePage(ctx context.Context, p model.Page) error {
	if p.ID == "" || p.DedupKey == "" {
		return fmt.Errorf("save page %q: it needs an id and a dedup key", p.ID)
	}
	text, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("encode page %s: %w", p.ID, err)
	}
	var ackedAt int64
	if p.AckedAt != nil {
		ackedAt = nanos(*p.AckedAt)
	}
	return s.inTx(ctx, "pages", func(tx *tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO pages (id, dedup_key, time, status, page, acked_by, acked_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (id) DO UPDATE SET dedup_key = excluded.dedup_key, time = excluded.time, status = excluded.status, page = excluded.page,
				acked_by = CASE WHEN pages.acked_by = '' THEN excluded.acked_by ELSE pages.acked_by END,
				acked_at = CASE WHEN pages.acked_by = '' THEN excluded.acked_at ELSE pages.acked_at END`,
			p.ID, p.DedupKey, nanos(p.Time), p.Status, string(text), p.AckedBy, ackedAt)
		return err
	})
}

// Page is one page; store.ErrNotFound when there is none.
func (s *Store) Page(ctx context.Context, id string) (model.Page, error) {
	return s.page(ctx, "page "+id, `SELECT `+pageColumns+` FROM pages WHERE id = $1`, id)
}

// PageByDedup is the firing page of a dedup key; store.ErrNotFound when none is open.
func (s *Store) PageByDedup(ctx context.Context, key string) (model.Page, error) {
	return s.page(ctx, "open page of "+key, `SELECT `+pageColumns+` FROM pages WHERE dedup_key = $1 AND status = 'firing'`, key)
}

func (s *Store) page(ctx context.Context, what, query, arg string) (model.Page, error) {
	rows, err := s.read.QueryContext(ctx, query, arg)
	if err != nil {
		return model.Page{}, s.explain("read "+what, err)
	}
	pages, err := collect(s, "read "+what, rows, scanPage)
	if err != nil {
		return model.Page{}, err
	}
	if len(pages) == 0 {
		return model.Page{}, fmt.Errorf("%s: %w", what, store.ErrNotFound)
	}
	return pages[0], nil
}

// Pages lists pages, newest first.
func (s *Store) Pages(ctx context.Context, q store.PageQuery) ([]model.Page, error) {
	from, to := startEnd(q.Start, q.End)
	rows, err := s.read.QueryContext(ctx, `SELECT `+pageColumns+` FROM pages WHERE ($1 = '' OR status = $1) AND time >= $2 AND time < $3
		ORDER BY time DESC, id DESC LIMIT $4`, q.Status, from, to, limitOf(q.Limit))
	if err != nil {
		return nil, s.explain("list pages", err)
	}
	return collect(s, "list pages", rows, scanPage)
}

// AckPage records that somebody took a page. The first acknowledgement stands: a
// later one answers the page with the first one's name.
func (s *Store) AckPage(ctx context.Context, id, by string, at time.Time) (model.Page, error) {
	if by == "" {
		return model.Page{}, errors.New("acknowledge page: who does it must be named")
	}
	err := s.inTx(ctx, "pages", func(tx *tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE pages SET
				acked_at = CASE WHEN acked_by = '' THEN $2 ELSE acked_at END,
				acked_by = CASE WHEN acked_by = '' THEN $3 ELSE acked_by END WHERE id = $1`, id, nanos(at), by)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, fmt.Errorf("page %s: %w", id, store.ErrNotFound))
		}
		return nil
	})
	if err != nil {
		return model.Page{}, err
	}
	return s.Page(ctx, id)
}

func scanPage(rows *sql.Rows) (model.Page, error) {
	var text, by string
	var at int64
	if err := rows.Scan(&text, &by, &at); err != nil {
		return model.Page{}, err
	}
	p, err := decode[model.Page]("page", text)
	if err != nil {
		return p, err
	}
	p.AckedBy, p.AckedAt = by, nil
	if by != "" {
		t := timeOf(at)
		p.AckedAt = &t
	}
	return p, nil
}
