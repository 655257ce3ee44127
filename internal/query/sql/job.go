package sql

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/mask"
	"github.com/signalbox-project/signalbox/internal/query/sql/answer"
	"github.com/signalbox-project/signalbox/internal/query/sql/guard"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

// job is a checked query with everything it may see. It travels to the worker
// as gob, so cells are of predeclared types, time.Time or nil.
type job struct {
	Query    string
	Explain  bool
	AttrKeys []string
	Tenant   string
	Limit    int
	Config   Config
	Logs     eventRows
	Spans    eventRows
	Masks    *mask.Sealed // what the caller is shown of them; nil for everything
	OwnLogs  string       // where rows are set apart before the session is locked; "" for who sees all
	OwnSpans string
	State    map[string][][]any // rows by table
}

// eventRows are the rows of logs or spans.
type eventRows struct {
	Wanted bool // the query names them
	Files  []string
	Of     access.Scope // whose rows it may see
	Own    string       // where those are set apart before the session is locked; "" for who sees all
}

// prepare collects what the plan's tables hold; of what is encrypted, that which may lie in the table's range. The files stay until release
// is called.
func (e *Engine) prepare(ctx context.Context, tenant string, p guard.Plan, ranges map[string]store.Range, limit int) (j *job, release func(), err error) {
	scopes, err := permitted(ctx, p.Tables)
	if err != nil {
		return nil, nil, err
	}
	j = &job{
		Query: p.Text, Explain: p.Explain, AttrKeys: p.AttrKeys, Tenant: tenant, Limit: limit, Config: e.cfg,
		Logs: eventRows{Wanted: p.Tables["logs"], Of: scopes["logs"]}, Spans: eventRows{Wanted: p.Tables["spans"], Of: scopes["spans"]},
		State: map[string][][]any{},
	}
	if e.deps.Masks != nil {
		j.Masks = e.deps.Masks().For(ctx).Seal()
	}
	var releases []func()
	all := func() {
		for _, r := range releases {
			r()
		}
	}
	release = all
	defer func() {
		if err != nil {
			all() // an error return has set release to nil
		}
	}()
	for _, t := range stateTables() {
		if !p.Tables[t.name] {
			continue
		}
		if j.State[t.name], err = t.rows(ctx, e.deps.State, scopes[t.name]); err != nil {
			return nil, nil, fmt.Errorf("list %s: %w", t.name, err)
		}
	}
	if e.deps.Source == nil || !j.Logs.Wanted && !j.Spans.Wanted {
		return j, release, nil
	}
	dir, err := e.tempDir()
	if err != nil {
		return nil, nil, fmt.Errorf("make room for unsealed rows: %w", err)
	}
	r := &room{dir: dir, limit: e.cfg.EncryptedBytes}
	releases = append(releases, r.leave)
	for signal, rows := range map[part.Signal]*eventRows{part.Logs: &j.Logs, part.Spans: &j.Spans} {
		if !rows.Wanted {
			continue
		}
		leave, err := e.events(r, signal, ranges[signal.String()], rows)
		releases = append(releases, leave)
		if err != nil {
			return nil, nil, err
		}
	}
	return j, release, nil
}

// tempDir makes a folder for one query. The first call removes what queries
// left behind that a kill interrupted.
func (e *Engine) tempDir() (string, error) {
	if e.deps.Dir == "" {
		return os.MkdirTemp("", "signalbox-sql-")
	}
	e.cleanOnce.Do(func() {
		old, err := filepath.Glob(filepath.Join(e.deps.Dir, "query-*"))
		for _, dir := range old {
			err = errors.Join(err, os.RemoveAll(dir))
		}
		if err != nil {
			e.log.Warn("left-over sql files not removed", "dir", e.deps.Dir, "err", err)
		}
	})
	if err := os.MkdirAll(e.deps.Dir, 0o750); err != nil {
		return "", err
	}
	return os.MkdirTemp(e.deps.Dir, "query-")
}

// filesOf is a view as Parquet files: those of its parts that may hold rows in the range, and its heads.
func (r *room) filesOf(view *part.View, within store.Range) (files []string, secret bool, err error) {
	add := func(path string, err error) error {
		if err == nil {
			files = append(files, path)
		}
		return err
	}
	for _, p := range view.Parts {
		if p.Kept.Encrypted && !p.Overlaps(within) {
			continue
		}
		secret = secret || p.Kept.Encrypted
		if err := add(r.part(view, p)); err != nil {
			return nil, false, err
		}
	}
	for i, h := range view.Logs {
		if h.Rows == 0 {
			continue
		}
		if err := add(r.head(fmt.Sprintf("logs-%d.parquet", i), view.Encrypts, func(w io.Writer) error { return part.EncodeLogs(w, h) })); err != nil {
			return nil, false, err
		}
	}
	for i, h := range view.Spans {
		if h.Rows == 0 {
			continue
		}
		if err := add(r.head(fmt.Sprintf("spans-%d.parquet", i), view.Encrypts, func(w io.Writer) error { return part.EncodeSpans(w, h) })); err != nil {
			return nil, false, err
		}
	}
	return files, secret || view.Encrypts, nil
}

// events hands out the rows of one table, and a place for those that are set apart for who sees only some.
func (e *Engine) events(r *room, signal part.Signal, within store.Range, rows *eventRows) (release func(), err error) {
	view := e.deps.Source.View(signal, store.Range{})
	var secret bool
	if rows.Files, secret, err = r.filesOf(view, within); err != nil || rows.Of.All {
		return view.Release, err
	}
	rows.Own = filepath.Join(r.dir, "own-"+signal.String()+".parquet")
	if secret {
		_, rows.Own, err = r.place("own", true)
	}
	return view.Release, err
}

// run answers the job in this process with the session that checked its query.
func (j *job) run(ctx context.Context, s *session) (answer.SQLResult, error) {
	if err := j.keepApart(ctx, s); err != nil {
		return answer.SQLResult{}, err
	}
	masks, err := s.masks(j.Masks)
	if err != nil {
		return answer.SQLResult{}, err
	}
	if j.Logs.Wanted {
		if err := s.eventView(ctx, "logs", j.Tenant, columns{logColumns(), masks}, j.Logs.Files, j.AttrKeys, !j.Logs.Of.All); err != nil {
			return answer.SQLResult{}, err
		}
	}
	if j.Spans.Wanted {
		if err := s.eventView(ctx, "spans", j.Tenant, columns{spanColumns(), masks}, j.Spans.Files, j.AttrKeys, !j.Spans.Of.All); err != nil {
			return answer.SQLResult{}, err
		}
	}
	for _, t := range stateTables() {
		if rows, ok := j.State[t.name]; ok {
			if err := s.stateTable(ctx, t, rows); err != nil {
				return answer.SQLResult{}, err
			}
		}
	}
	if err := s.lock(ctx, append(append([]string{}, j.Logs.Files...), j.Spans.Files...)); err != nil {
		return answer.SQLResult{}, err
	}
	return s.answer(ctx, guard.Plan{Text: j.Query, Explain: j.Explain}, j.Limit)
}
