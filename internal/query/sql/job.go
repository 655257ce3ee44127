package sql

import (
	"context"
	"errors"
	"fmt"
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
	Query     string
	Explain   bool
	AttrKeys  []string
	Tenant    string
	Limit     int
	Config    Config
	Logs      bool // the query names logs
	LogFiles  []string
	LogsOf    access.Scope // whose rows it may see
	Spans     bool
	SpanFiles []string
	SpansOf   access.Scope
	Masks     *mask.Sealed       // what the caller is shown of them; nil for everything
	Dir       string             // where it may write before it is locked
	State     map[string][][]any // rows by table
}

// prepare collects what the plan's tables hold. The files stay until release
// is called.
func (e *Engine) prepare(ctx context.Context, tenant string, p guard.Plan, limit int) (j *job, release func(), err error) {
	scopes, err := permitted(ctx, p.Tables)
	if err != nil {
		return nil, nil, err
	}
	j = &job{
		Query: p.Text, Explain: p.Explain, AttrKeys: p.AttrKeys, Tenant: tenant, Limit: limit, Config: e.cfg,
		Logs: p.Tables["logs"], Spans: p.Tables["spans"], State: map[string][][]any{},
		LogsOf: scopes["logs"], SpansOf: scopes["spans"],
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
	if e.deps.Source == nil || !j.Logs && !j.Spans {
		return j, release, nil
	}
	dir, err := e.tempDir()
	if err != nil {
		return nil, nil, fmt.Errorf("make room for unsealed rows: %w", err)
	}
	j.Dir = dir
	releases = append(releases, func() { _ = os.RemoveAll(dir) })
	if j.Logs {
		view := e.deps.Source.View(part.Logs, store.Range{})
		releases = append(releases, view.Release)
		if j.LogFiles, err = filesOf(view, dir); err != nil {
			return nil, nil, err
		}
	}
	if j.Spans {
		view := e.deps.Source.View(part.Spans, store.Range{})
		releases = append(releases, view.Release)
		if j.SpanFiles, err = filesOf(view, dir); err != nil {
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

// filesOf is a view as Parquet files: its parts, and its heads written to dir.
func filesOf(view *part.View, dir string) ([]string, error) {
	var files []string
	for _, p := range view.Parts {
		path, err := filepath.Abs(p.Path())
		if err != nil {
			return nil, fmt.Errorf("name part: %w", err)
		}
		files = append(files, path)
	}
	for i, h := range view.Logs {
		if h.Rows == 0 {
			continue
		}
		path := filepath.Join(dir, fmt.Sprintf("logs-%d.parquet", i))
		if err := writeHead(path, func(f *os.File) error { return part.EncodeLogs(f, h) }); err != nil {
			return nil, err
		}
		files = append(files, path)
	}
	for i, h := range view.Spans {
		if h.Rows == 0 {
			continue
		}
		path := filepath.Join(dir, fmt.Sprintf("spans-%d.parquet", i))
		if err := writeHead(path, func(f *os.File) error { return part.EncodeSpans(f, h) }); err != nil {
			return nil, err
		}
		files = append(files, path)
	}
	return files, nil
}

func writeHead(path string, encode func(*os.File) error) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("write unsealed rows: %w", err)
	}
	if err := encode(f); err != nil {
		_ = f.Close() // the first error says more
		return fmt.Errorf("write unsealed rows to %s: %w", path, err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("write unsealed rows: %w", err)
	}
	return nil
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
	if j.Logs {
		if err := s.eventView(ctx, "logs", j.Tenant, columns{logColumns(), masks}, j.LogFiles, j.AttrKeys, !j.LogsOf.All); err != nil {
			return answer.SQLResult{}, err
		}
	}
	if j.Spans {
		if err := s.eventView(ctx, "spans", j.Tenant, columns{spanColumns(), masks}, j.SpanFiles, j.AttrKeys, !j.SpansOf.All); err != nil {
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
	if err := s.lock(ctx, append(append([]string{}, j.LogFiles...), j.SpanFiles...)); err != nil {
		return answer.SQLResult{}, err
	}
	return s.answer(ctx, guard.Plan{Text: j.Query, Explain: j.Explain}, j.Limit)
}
