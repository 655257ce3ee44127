// Package sql answers read-only SQL over events and state with DuckDB.
//
// A worker does all of it that takes time: a process of its own with an in-memory DuckDB,
// which checks the query with DuckDB's own parser (package guard), is handed what the query
// may see, shows it views of the tenant's logs and spans (sealed Parquet files, and
// unsealed rows as one more) and tables of state, and is locked. It keeps no data,
// changes none, and does not know who may ask.
//
// Data in: SQL text, part.Source (files and head snapshots), State (lists). Data
// out: answer.SQLResult. The engine knows nothing between two queries.
//
// Why one DuckDB per query: opening takes 7 ms; in exchange no setting,
// temporary object or cached row can pass from one query or tenant to another, and the
// memory limit holds per query. Why a process per query: DuckDB's memory_limit does not
// count what a scalar function makes (range(0, 100000000) as a list took
// 9 GB under a limit of 64 MB, and did not notice an interrupt for 30 s), so only
// the kernel can bound memory, and only kill -9 time. It also contains a crash.
//
// Walls, outermost last: (1) the text is bounded, and only one SELECT over listed tables, functions,
// types and kinds of expression passes the guard; (2) the instance is locked, loads no extension and may open
// only the very files of the query; (3) DuckDB's own memory limit; (4) the worker's
// data limit and its killing when time is up.
//
// It has no locks. Start reading at
// Engine.Query, then process.go, worker.go, job.go, tables.go and result.go.
package sql

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	promodel "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/mask"
	"github.com/signalbox-project/signalbox/internal/query/sql/answer"
	"github.com/signalbox-project/signalbox/internal/query/sql/guard"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

// Config bounds what queries may use.
type Config struct {
	// MemoryBytes bounds DuckDB's memory per query.
	MemoryBytes int64 `yaml:"memory_bytes"`
	// Threads per query.
	Threads int `yaml:"threads"`
	// Timeout bounds a query from its start, waiting for a slot included.
	Timeout promodel.Duration `yaml:"timeout"`
	// MaxConcurrent bounds the queries running at once; more wait. Nobody who is known takes the last place of several.
	MaxConcurrent int `yaml:"max_concurrent"`
	// MaxRows bounds the rows of an answer, whatever limit is asked for.
	MaxRows int `yaml:"max_rows"`
	// EncryptedBytes bounds what of an encrypted event store one query holds open in memory, beside MemoryBytes.
	EncryptedBytes int64 `yaml:"encrypted_bytes"`
}

// DefaultConfig keeps SQL within half a gigabyte on a small machine.
func DefaultConfig() Config {
	return Config{
		MemoryBytes:   256 << 20,
		Threads:       2,
		Timeout:       promodel.Duration(30 * time.Second),
		MaxConcurrent: 2,
		MaxRows:       100_000,

		EncryptedBytes: 256 << 20,
	}
}

// Validate names every problem.
func (c Config) Validate() []error {
	var errs []error
	atLeast := func(name string, v, least int64) {
		if v < least {
			errs = append(errs, fmt.Errorf("%s: must be >= %d, got %d", name, least, v))
		}
	}
	atLeast("memory_bytes", c.MemoryBytes, 16<<20)
	atLeast("threads", int64(c.Threads), 1)
	atLeast("max_concurrent", int64(c.MaxConcurrent), 1)
	atLeast("max_rows", int64(c.MaxRows), 1)
	atLeast("encrypted_bytes", c.EncryptedBytes, 1<<20)
	if c.Timeout <= 0 {
		errs = append(errs, fmt.Errorf("timeout: must be > 0, got %s", c.Timeout))
	}
	return errs
}

// Deps are what an Engine needs.
type Deps struct {
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Source     part.Source // nil: logs and spans are empty
	State      State       // lists that are nil are empty
	// Worker is the command, with arguments, of a process that calls ServeWorker. Without
	// one queries run in this process, where nothing but DuckDB's own limits
	// bounds their memory: for tests and tools.
	Worker []string
	// Dir, made when needed and the engine's alone, holds unsealed rows while a query
	// runs; "" means the system's folder for temporary files.
	Dir string
	// Masks are the rules in force of what is masked for whom; nil for none.
	Masks func() *mask.Rules
}

// Engine answers queries; it is safe for concurrent use.
type Engine struct {
	cfg   Config
	deps  Deps
	log   *slog.Logger
	slots chan struct{}
	fair  *shares
	count *prometheus.CounterVec
	took  prometheus.Histogram

	cleanOnce sync.Once
}

// New makes an engine; it opens nothing.
func New(cfg Config, deps Deps) (*Engine, error) {
	if errs := cfg.Validate(); len(errs) > 0 {
		return nil, fmt.Errorf("sql config: %w", errors.Join(errs...))
	}
	e := &Engine{
		cfg: cfg, deps: deps, log: deps.Logger, slots: make(chan struct{}, cfg.MaxConcurrent), fair: newShares(cfg.MaxConcurrent),
		count: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "signalbox_sql_queries_total", Help: "SQL queries by outcome: ok, refused, bad, timeout, memory, crash, error.",
		}, []string{"outcome"}),
		took: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "signalbox_sql_query_duration_seconds", Help: "Time of a SQL query, waiting included.",
			Buckets: []float64{0.01, 0.05, 0.25, 1, 5, 30},
		}),
	}
	e.log = instrument.Logger(e.log)
	if err := instrument.Register(deps.Registerer, "SQL", e.count, e.took); err != nil {
		return nil, err
	}
	return e, nil
}

// Query answers one query of a tenant with at most limit rows (0 means the
// configured maximum). Errors of the query are *Error; a context's error means
// that time is up. What was asked and how many rows it gave is noted for the audit log.
func (e *Engine) Query(ctx context.Context, tenant, query string, limit int) (answer.SQLResult, error) {
	began := time.Now()
	if limit <= 0 || limit > e.cfg.MaxRows {
		limit = e.cfg.MaxRows
	}
	access.Note(ctx, access.NoteAction, "sql.query")
	access.Note(ctx, access.NoteQuery, query)
	ctx, cancel := context.WithTimeout(ctx, time.Duration(e.cfg.Timeout))
	defer cancel()
	res, err := e.run(ctx, tenant, query, limit)
	if err != nil {
		err = explain(ctx, err)
	}
	access.Note(ctx, access.NoteRows, strconv.Itoa(len(res.Rows)))
	e.count.WithLabelValues(outcome(err)).Inc()
	e.took.Observe(time.Since(began).Seconds())
	return res, err
}

func (e *Engine) run(ctx context.Context, tenant, query string, limit int) (answer.SQLResult, error) {
	if err := guard.Bound(query); err != nil {
		return answer.SQLResult{}, err
	}
	leave, err := e.fair.take(ctx)
	if err != nil {
		return answer.SQLResult{}, fmt.Errorf("wait for another query of yours to end: %w", err)
	}
	defer leave()
	select {
	case e.slots <- struct{}{}:
		defer func() { <-e.slots }()
	case <-ctx.Done():
		return answer.SQLResult{}, fmt.Errorf("wait for another query to end: %w", ctx.Err())
	}
	if len(e.deps.Worker) == 0 {
		return e.runHere(ctx, tenant, query, limit)
	}
	return e.runWorker(ctx, tenant, query, limit)
}

// runHere answers a query in this process.
func (e *Engine) runHere(ctx context.Context, tenant, query string, limit int) (answer.SQLResult, error) {
	s, err := openSession(ctx, e.cfg)
	if err != nil {
		return answer.SQLResult{}, err
	}
	defer s.close()
	p, ranges, err := s.plan(ctx, e.cfg, query)
	if err != nil {
		return answer.SQLResult{}, err
	}
	j, release, err := e.prepare(ctx, tenant, p, ranges, limit)
	if err != nil {
		return answer.SQLResult{}, err
	}
	defer release()
	return j.run(ctx, s)
}
