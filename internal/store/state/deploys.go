package state

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/weblink"
	"github.com/signalbox-project/signalbox/internal/store"
)

const deployColumns = "id, time, service, environment, region, version, kind, status, actor, link, message, labels, started, finished"

// AddDeploy stores a deployment marker. An empty ID, Time, Kind or Status gets
// its default; the stored marker is returned. An ID that exists is updated, so that a
// pipeline can report started and then succeeded; the marker then knows how long it took.
func (s *Store) AddDeploy(ctx context.Context, d model.Deploy) (model.Deploy, error) {
	if d.ID == "" {
		d.ID = newID()
	}
	if d.Time.IsZero() {
		d.Time = s.now()
	}
	d.Time = d.Time.UTC()
	if d.Kind == "" {
		d.Kind = "deploy"
	}
	if d.Status == "" {
		d.Status = "succeeded"
	}
	labels, err := json.Marshal(d.Labels)
	if err != nil {
		return model.Deploy{}, fmt.Errorf("encode labels of deployment %s: %w", d.ID, err)
	}
	err = s.inTx(ctx, "deploys", func(tx *tx) error {
		before, err := deployTimes(ctx, tx, d.ID)
		if err != nil {
			return err
		}
		d.Follow(before, s.now())
		_, err = tx.ExecContext(ctx, `INSERT INTO deploys (`+deployColumns+`)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
			ON CONFLICT (id) DO UPDATE SET time = excluded.time, service = excluded.service, environment = excluded.environment,
				region = excluded.region, version = excluded.version, kind = excluded.kind, status = excluded.status,
				actor = excluded.actor, link = excluded.link, message = excluded.message, labels = excluded.labels,
				started = excluded.started, finished = excluded.finished`,
			d.ID, nanos(d.Time), d.Service, d.Environment, d.Region, d.Version, d.Kind, d.Status, d.Actor, d.Link, d.Message, string(labels),
			nanos(d.Started), nanos(d.Finished))
		return err
	})
	if err != nil {
		return model.Deploy{}, err
	}
	return d, nil
}

// deployTimes is what is known of a deployment's course; the zero one is nothing.
func deployTimes(ctx context.Context, tx *tx, id string) (d model.Deploy, err error) {
	var started, finished int64
	err = tx.QueryRowContext(ctx, `SELECT status, started, finished FROM deploys WHERE id = $1`, id).Scan(&d.Status, &started, &finished)
	if errors.Is(err, sql.ErrNoRows) {
		return d, nil
	}
	d.Started, d.Finished = timeOf(started), timeOf(finished)
	return d, err
}

// Deploys lists deployment markers, newest first.
func (s *Store) Deploys(ctx context.Context, q store.DeployQuery) ([]model.Deploy, error) {
	from, to := startEnd(q.Start, q.End)
	rows, err := s.read.QueryContext(ctx, `SELECT `+deployColumns+` FROM deploys
		WHERE ($1 = '' OR service = $1) AND ($2 = '' OR environment = $2) AND time >= $3 AND time < $4
		ORDER BY time DESC, id DESC LIMIT $5`, q.Service, q.Environment, from, to, limitOf(q.Limit))
	if err != nil {
		return nil, s.explain("list deploys", err)
	}
	return collect(s, "list deploys", rows, func(rows *sql.Rows) (d model.Deploy, err error) {
		var at, started, finished int64
		var labels string
		err = rows.Scan(&d.ID, &at, &d.Service, &d.Environment, &d.Region, &d.Version, &d.Kind, &d.Status, &d.Actor, &d.Link, &d.Message, &labels, &started, &finished)
		d.Link = weblink.OrNone(d.Link) // of a version that took any, or put there
		if err != nil {
			return d, err
		}
		d.Time, d.Started, d.Finished = timeOf(at), timeOf(started), timeOf(finished)
		d.Labels, err = decode[map[string]string]("labels of deployment "+d.ID, labels)
		return d, err
	})
}

// errRow says that what is stored in a row is not what was written.
var errRow = errors.New("damaged row")

// collect reads all rows and closes them. A row that is damaged costs itself only: it is left out, logged and
// counted, and Problems names what it was part of.
func collect[T any](s *Store, op string, rows *sql.Rows, scan func(*sql.Rows) (T, error)) (out []T, err error) {
	defer rows.Close()
	for rows.Next() {
		v, err := scan(rows)
		if errors.Is(err, errRow) {
			s.metrics.damagedRows.Inc()
			if s.rows.add(op) {
				s.log.Error("a row of the state database is damaged and left out", "op", op, "err", err)
			}
			continue
		}
		if err != nil {
			return nil, s.explain(op, err)
		}
		out = append(out, v)
	}
	if err := rows.Err(); err != nil {
		return nil, s.explain(op, err)
	}
	return out, nil
}

// newID is a UUID whose text order is the order of creation.
func newID() string {
	id, err := uuid.NewV7()
	if err != nil { // no randomness: the random version panics then, rightly
		return uuid.NewString()
	}
	return id.String()
}
