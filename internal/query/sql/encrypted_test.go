package sql

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/seal/sealtest"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

// kept is a real event store with the records, some sealed, the rest not.
func kept(t testing.TB, dir string, encrypt bool, logs []model.LogRecord, spans []model.Span) *events.DB {
	t.Helper()
	cfg := events.DefaultConfig()
	cfg.Encrypt = encrypt
	db, err := events.Open(cfg, events.Deps{Dir: dir, Sealer: sealtest.Keys{"a"}, Now: func() time.Time { return t0.Add(time.Hour) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	const sealed = 3
	for i := range sealed + 1 {
		share := func(n int) (from, to int) { return i * n / (sealed + 1), (i + 1) * n / (sealed + 1) }
		fromLogs, toLogs := share(len(logs))
		fromSpans, toSpans := share(len(spans))
		err := errors.Join(db.AppendLogs(t.Context(), logs[fromLogs:toLogs]), db.AppendSpans(t.Context(), spans[fromSpans:toSpans]))
		if i < sealed {
			err = errors.Join(err, db.Seal(t.Context()))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return db
}

// watched looks for a text in the files of some folders whenever a view is asked for and given back.
type watched struct {
	part.Source
	look func()
}

func (w watched) View(signal part.Signal, r store.Range) *part.View {
	w.look()
	return w.Source.View(signal, r)
}

func answerOf(ctx context.Context, e *Engine, query string) string {
	res, err := e.Query(ctx, "default", query, 1000)
	text, _ := json.Marshal(res)
	return fmt.Sprint(string(text), err != nil) // which row an error names is chance
}

// What is asked of an encrypted store, whoever asks and whatever times are named, is answered as by a plain one, and stands on no
// disk meanwhile.
func TestAnEncryptedStoreIsAnsweredAsAPlainOne(t *testing.T) {
	logs, spans := someRecords(rand.New(rand.NewPCG(3, 3)), 80)
	folder := t.TempDir()
	engines := map[bool]*Engine{}
	look := func() {
		err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return nil //nolint:nilerr // it went meanwhile
			}
			if b, err := os.ReadFile(path); err == nil && bytes.Contains(b, []byte("foreign")) {
				t.Errorf("%s holds what is encrypted", path)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	for _, encrypt := range []bool{false, true} {
		deps := Deps{Dir: t.TempDir()}
		if encrypt {
			deps.Dir = filepath.Join(folder, "sql")
			deps.Source = watched{kept(t, filepath.Join(folder, "events"), true, logs, spans), look}
		} else {
			deps.Source = kept(t, t.TempDir(), false, logs, spans)
		}
		engines[encrypt] = newEngine(t, DefaultConfig(), deps)
	}
	r := rand.New(rand.NewPCG(4, 4))
	for i := range 24 {
		q, ctx := randomSQL(r), t.Context()
		if i%2 == 0 {
			q = "SELECT count(*), min(timestamp), max(timestamp) FROM logs a WHERE " + randomTimes(r)
		}
		if i%3 == 0 {
			ctx = boundTo(ctx, "pay", "shop")
		}
		if got, want := answerOf(ctx, engines[true], q), answerOf(ctx, engines[false], q); got != want {
			t.Fatalf("%s:\n%s\nof a plain store:\n%s", q, got, want)
		}
	}
	look()
}

// randomTimes are conditions on the timestamp, some of which bound it and some of which only look like it.
func randomTimes(r *rand.Rand) string {
	at := func() string {
		when := t0.Add(time.Duration(r.IntN(100)-10) * time.Second).Format("2006-01-02 15:04:05")
		switch r.IntN(5) {
		case 0:
			return "TIMESTAMP '" + when + "'"
		case 1:
			return "'" + when + "'::TIMESTAMP_NS - INTERVAL " + fmt.Sprint(r.IntN(30)) + " SECOND"
		case 2:
			return "date_trunc('minute', TIMESTAMP '" + when + "')"
		case 3:
			return "now() + INTERVAL 100 YEAR"
		}
		return "'" + when + "'"
	}
	one := func() string {
		switch r.IntN(7) {
		case 0:
			return at() + " " + []string{"<", ">", "<=", ">="}[r.IntN(4)] + " a.timestamp"
		case 1:
			return "timestamp BETWEEN " + at() + " AND " + at()
		case 2:
			return "timestamp = " + at()
		case 3:
			return "NOT (timestamp > " + at() + ")"
		case 4:
			return "(timestamp < " + at() + " OR level = 'info')"
		}
		return "timestamp " + []string{"<", ">", "<=", ">="}[r.IntN(4)] + " " + at()
	}
	return one() + " AND (" + one() + " AND level <> 'none')"
}

// A worker reads what its parent holds in memory, within a bound; a query that names its times needs little of it.
func TestOfAnEncryptedStoreAQueryHoldsWhatItsTimesNeedWithinABound(t *testing.T) {
	logs, spans := someRecords(rand.New(rand.NewPCG(5, 5)), 80)
	db := kept(t, t.TempDir(), true, logs, spans)
	cfg := DefaultConfig()
	e := newEngine(t, cfg, Deps{Source: db, Dir: t.TempDir(), Worker: worker()})
	if got := ask(t, e, "SELECT count(*) FROM logs"); got != "[[80]]" {
		t.Errorf("a worker: %s", got)
	}
	if err := db.Seal(t.Context()); err != nil { // what is not sealed is held in any case
		t.Fatal(err)
	}
	e.cfg.EncryptedBytes = 1 // not even one part
	for _, c := range []struct{ query, want string }{
		{"SELECT count(*) FROM logs", "sql.encrypted_bytes"},
		{"SELECT count(*) FROM logs WHERE timestamp > '2026-11-21' OR true", "sql.encrypted_bytes"},
		{"SELECT count(*) FROM logs a, logs b WHERE a.timestamp > '2027-01-01'", "sql.encrypted_bytes"},
		{"WITH logs AS (FROM logs) SELECT count(*) FROM logs WHERE timestamp > '2027-01-01'", "sql.encrypted_bytes"},
		{"SELECT count(*) FROM logs t(timestamp) WHERE timestamp > '2027-01-01'", "sql.encrypted_bytes"},
		{"SELECT TIMESTAMP '2030-01-01' AS timestamp FROM logs WHERE timestamp > '2027-01-01'", "sql.encrypted_bytes"},
		{"SELECT (SELECT count(*) FROM logs WHERE timestamp > '2027-01-01') FROM spans WHERE timestamp > '2027-01-01'", ""},
		{"SELECT (SELECT count(*) FROM logs) FROM logs WHERE timestamp > '2027-01-01'", "sql.encrypted_bytes"},
		{"SELECT count(*) FROM logs WHERE timestamp > '2027-01-01'", ""},
		{"SELECT count(*) FROM logs l WHERE l.timestamp BETWEEN '2020-01-01' AND now() - INTERVAL 9 YEAR", ""},
		{"SELECT count(*) FROM logs WHERE timestamp > '2027-01-01' UNION ALL SELECT count(*) FROM logs WHERE timestamp < DATE '2020-01-01'", "sql.encrypted_bytes"},
	} {
		_, err := e.Query(t.Context(), "default", c.query, 10)
		var bad *Error
		if c.want == "" && err != nil {
			t.Errorf("%s: %v", c.query, err)
		}
		if c.want != "" && (!errors.As(err, &bad) || !strings.Contains(bad.Message, c.want) || bad.Advice == "") {
			t.Errorf("%s: %v", c.query, err)
		}
	}
}
