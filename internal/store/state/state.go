package state

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/state/copies"
	"modernc.org/sqlite"
	sqlitelib "modernc.org/sqlite/lib"
)

//go:embed migrations/*.sql
var migrations embed.FS

// FileName is the database's name in its folder; SQLite adds -wal and -shm.
const FileName = "state.db"

// Config says where the state lives.
type Config struct {
	// Dir is the folder of the database; it is made when it is missing. It
	// comes from --storage.path, not from the configuration file.
	Dir string `yaml:"-"`

	redoBytes int64 // the least size of the redo log at which a new copy is made; 0 means copies.MinBytes
}

// Deps is what the store uses.
type Deps struct {
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	// Now is the clock for times that the caller left out; time.Now by default.
	Now func() time.Time
}

// Store is the state store. Close it once, after its users stopped.
type Store struct {
	path     string
	lock     *os.File // no other process uses the folder
	write    *sql.DB  // one connection
	read     *sql.DB  // the same where the disk is full at the start
	full     bool     // so it is
	log      *slog.Logger
	now      func() time.Time
	problems []model.Problem
	readOnly atomic.Bool
	audit    atomic.Pointer[model.AuditVerification] // the last that found something
	rows     damagedRows
	copies   *copies.Copies
	stop     context.CancelFunc
	done     chan struct{}
	metrics  *metrics
}

type metrics struct {
	writes      *prometheus.CounterVec
	quarantined prometheus.Counter
	repaired    prometheus.Counter
	damagedRows prometheus.Counter
	auditIntact prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		writes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "signalbox_state_writes_total", Help: "Writes to the state store by table and outcome (ok, failed).",
		}, []string{"table", "outcome"}),
		quarantined: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "signalbox_state_quarantined_total", Help: "Damaged state databases that were moved aside.",
		}),
		repaired: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "signalbox_state_repaired_total", Help: "Damages of the state database that were repaired from its copy.",
		}),
		damagedRows: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "signalbox_state_damaged_rows_total", Help: "Rows of the state database that cannot be read and are left out.",
		}),
		auditIntact: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "signalbox_state_audit_intact", Help: "1 if the audit log was as it was written when it was last verified, 0 if not.",
		}),
	}
	m.auditIntact.Set(1)
	if err := instrument.Register(reg, "state", m.writes, m.quarantined, m.repaired, m.damagedRows, m.auditIntact); err != nil {
		return nil, err
	}
	return m, nil
}

// Lost says what the database lost when it was opened, "" where nothing: it was put back to an older state, or begins empty.
func (s *Store) Lost() string {
	for _, p := range s.problems {
		if p.Severity == "critical" {
			return p.Message
		}
	}
	return ""
}

// Problems is what went wrong at Open and since.
func (s *Store) Problems() []model.Problem {
	ps := append([]model.Problem(nil), s.problems...)
	if s.readOnly.Load() {
		ps = append(ps, model.Problem{
			Severity: "critical",
			Message:  fmt.Sprintf("The state database %s cannot be written; gate decisions, pages and deployments are refused.", s.path),
			Cure:     "Free disk space or restore write permission on its folder; it resumes by itself.",
		})
	}
	if v := s.audit.Load(); v != nil {
		ps = append(ps, model.Problem{
			Severity: "critical",
			Message:  fmt.Sprintf("The audit log was changed behind the store's back: %s.", v.Fault),
			Cure:     "Find out who had access to the files; `signalbox audit verify` names the first entry that does not fit, and a backup has what was there.",
		})
	}
	return append(append(ps, s.rows.problems()...), s.copies.Problems()...)
}

// Close closes the database; its write-ahead log is folded in.
func (s *Store) Close() error {
	if s.stop == nil {
		return nil
	}
	s.stop()
	<-s.done
	s.stop = nil
	var errs []error
	if s.read != s.write {
		errs = append(errs, s.read.Close()) // or it would hold pages back in the log
	}
	s.checkpoint(context.Background())
	return errors.Join(append(errs, s.closeAll(), s.copies.Close(), s.unlock())...)
}

func (s *Store) closeAll() error {
	var errs []error
	for _, db := range []*sql.DB{s.read, s.write} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...) // who still asks is told that the database is closed
}

type corruptError struct{ finding string }

func (e *corruptError) Error() string { return "database is damaged: " + e.finding }

func isCorrupt(err error) bool {
	var own *corruptError
	if errors.As(err, &own) {
		return true
	}
	switch sqliteCode(err) {
	case sqlitelib.SQLITE_CORRUPT, sqlitelib.SQLITE_NOTADB:
		return true
	}
	return false
}

// sqliteCode is the primary result code, 0 when err is not SQLite's.
func sqliteCode(err error) int {
	var se *sqlite.Error
	if errors.As(err, &se) {
		return se.Code() & 0xff
	}
	return 0
}

// explain wraps an error with the path, and with the cure where there is one.
func (s *Store) explain(op string, err error) error {
	switch sqliteCode(err) {
	case sqlitelib.SQLITE_FULL:
		return fmt.Errorf("%s: state database %s: %w: disk is full; free space on it: %w", op, s.path, store.ErrReadOnly, err)
	case sqlitelib.SQLITE_READONLY, sqlitelib.SQLITE_CANTOPEN, sqlitelib.SQLITE_PERM:
		return fmt.Errorf("%s: state database %s: %w: give this user write permission on the file and its folder: %w", op, s.path, store.ErrReadOnly, err)
	case sqlitelib.SQLITE_IOERR:
		return fmt.Errorf("%s: state database %s: %w: check the disk: %w", op, s.path, store.ErrReadOnly, err)
	}
	return fmt.Errorf("%s: state database %s: %w", op, s.path, err)
}

func limitOf(n int) int {
	if n <= 0 {
		return store.DefaultStateLimit
	}
	return n
}

// nanos is a time as it is stored: Unix nanoseconds, 0 where there is none. Times beyond what those can say are the
// first and the last that they can.
func nanos(t time.Time) int64 {
	switch {
	case t.IsZero():
		return 0
	case t.Before(time.Unix(0, math.MinInt64)):
		return math.MinInt64
	case !t.Before(time.Unix(0, math.MaxInt64)):
		return math.MaxInt64 - 1 // MaxInt64 is the end of a range without one
	}
	return t.UnixNano()
}

// timeOf is a time as it was stored.
func timeOf(ns int64) time.Time {
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns).UTC()
}

// startEnd turns a half-open range into bounds that SQL compares with.
func startEnd(start, end time.Time) (from, to int64) {
	from, to = math.MinInt64, math.MaxInt64
	if !start.IsZero() {
		from = nanos(start)
	}
	if !end.IsZero() {
		to = nanos(end)
	}
	return from, to
}
