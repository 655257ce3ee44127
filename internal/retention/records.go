package retention

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // reads the state database

	"github.com/signalbox-project/signalbox/internal/store/auditlog"
	"github.com/signalbox-project/signalbox/internal/store/state"
)

// audit reads which months of the audit log there are.
func audit(k Keep) found {
	f := found{what: "audit log", unit: "months", keep: k.Audit, grace: dayGrace, cure: startCure}
	var months []time.Time
	months, f.err = auditlog.Months(filepath.Join(k.Dir, "audit"))
	for _, m := range months {
		f.spans = append(f.spans, span{m, m.AddDate(0, 1, 0).Add(-time.Nanosecond)})
	}
	return f
}

// deadLetters are records that can never be stored, which nothing deletes by itself.
func deadLetters(k Keep) found {
	path := filepath.Join(k.Dir, "stream", "aside.jsonl")
	f := found{what: "records put aside", unit: "records", keep: max(k.Logs, k.Spans), grace: grace, cure: "Delete " + path + "."}
	file, err := os.Open(path)
	if err != nil {
		f.err = err
		return f
	}
	defer file.Close()
	lines := bufio.NewReader(file)
	for {
		text, err := lines.ReadBytes('\n')
		if err != nil {
			return f // a line without an end is being written
		}
		var line struct{ Time time.Time }
		if err := json.Unmarshal(text, &line); err != nil {
			f.err = unreadable(path, err)
			continue
		}
		f.spans = append(f.spans, span{line.Time, line.Time})
	}
}

// stateRows asks the state database for its times.
func stateRows(ctx context.Context, k Keep) []found {
	days := found{what: "counts of SLOs by day", unit: "days", keep: k.Days, grace: dayGrace, cure: startCure}
	good := []struct{ what, query string }{
		{"deployments", `SELECT time FROM deploys`},
		{"gate decisions", `SELECT time FROM gate_decisions`},
		{"gate overrides", `SELECT time FROM gate_overrides`},
		{"pages", `SELECT time FROM pages`},
		{"remedies", `SELECT time FROM remedies`},
		{"corrections", `SELECT created FROM slo_corrections`},
	}
	db, err := openState(filepath.Join(k.Dir, "state", state.FileName))
	if err != nil {
		days.err = err
		return []found{days}
	}
	defer db.Close()
	days.spans, days.err = times(ctx, db, `SELECT DISTINCT day FROM slo_days`)
	for i := range days.spans {
		days.spans[i].newest = days.spans[i].oldest.AddDate(0, 0, 1)
	}
	out := []found{days}
	for _, g := range good {
		f := found{what: g.what, unit: "rows"}
		f.spans, f.err = times(ctx, db, g.query)
		out = append(out, f)
	}
	return out
}

// openState opens the database for reading. Without a log beside it nobody writes, and SQLite would need to make files.
func openState(path string) (*sql.DB, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	mode := "?mode=ro&_pragma=busy_timeout(5000)"
	if log, err := os.Stat(path + "-wal"); errors.Is(err, fs.ErrNotExist) || err == nil && log.Size() == 0 {
		mode += "&immutable=1"
	}
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath()}
	return sql.Open("sqlite", u.String()+mode)
}

func times(ctx context.Context, db *sql.DB, query string) (out []span, err error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var ns int64
		if err := rows.Scan(&ns); err != nil {
			return out, err
		}
		out = append(out, span{nanos(ns), nanos(ns)})
	}
	return out, rows.Err()
}
