package state

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/storetest/statetest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func openIn(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(t.Context(), Config{Dir: dir}, Deps{Registerer: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestStateContract(t *testing.T) {
	statetest.State(t, func(t *testing.T) func() store.State {
		dir := t.TempDir()
		return func() store.State { return openIn(t, dir) }
	})
}

// Every kind of damage: the old file is kept under a name that says so, the
// store works, and the problem is reported by log, metric and Problems.
func TestDamagedDatabaseIsMovedAsideAndNamed(t *testing.T) {
	for name, damage := range map[string]func(b []byte) []byte{
		"header overwritten": func(b []byte) []byte { copy(b, "not a database at all"); return b },
		"truncated":          func(b []byte) []byte { return b[:len(b)/2+100] },
		"pages zeroed":       func(b []byte) []byte { clear(b[4096 : len(b)-4096]); return b },
		"garbage":            func([]byte) []byte { return bytes.Repeat([]byte("junk"), 5000) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := openIn(t, dir)
			for range 50 {
				if _, err := s.AddDeploy(t.Context(), model.Deploy{Service: "edge", Version: "1"}); err != nil {
					t.Fatal(err)
				}
			}
			s.Close()
			path := filepath.Join(dir, FileName)
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			b = damage(b)
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
			var log bytes.Buffer
			s, err = Open(t.Context(), Config{Dir: dir}, Deps{Logger: slog.New(slog.NewTextHandler(&log, nil))})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			aside, _ := filepath.Glob(path + ".corrupt-*")
			if len(aside) == 0 {
				t.Fatal("the damaged file was not kept")
			}
			if kept, _ := os.ReadFile(aside[0]); !bytes.Equal(kept, b) {
				t.Error("the damaged file was changed")
			}
			ps := s.Problems()
			if len(ps) != 1 || !strings.Contains(ps[0].Message, aside[0]) || !strings.Contains(log.String(), aside[0]) {
				t.Errorf("problems %+v and log %q do not name %s", ps, log.String(), aside[0])
			}
			if _, err := s.AddDeploy(t.Context(), model.Deploy{Service: "edge", Version: "2"}); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestFolderThatCannotBeWrittenIsNamedWithItsCure(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a-file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(file, "state")
	_, err := Open(t.Context(), Config{Dir: dir}, Deps{})
	if err == nil || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "--storage.path") {
		t.Errorf("got %v, want the path and what to change", err)
	}
}

func TestFullDiskIsReadOnlyAndResumes(t *testing.T) {
	s := openIn(t, t.TempDir())
	var pages int
	if err := s.write.QueryRow("PRAGMA page_count").Scan(&pages); err != nil {
		t.Fatal(err)
	}
	// max_page_count makes SQLite answer SQLITE_FULL as a full disk does.
	if _, err := s.write.Exec("PRAGMA max_page_count = 1"); err != nil {
		t.Fatal(err)
	}
	d := model.Deploy{Service: "edge", Version: "1", Message: strings.Repeat("x", 100_000)}
	_, err := s.AddDeploy(t.Context(), d)
	if !errors.Is(err, store.ErrReadOnly) || !strings.Contains(err.Error(), s.path) {
		t.Fatalf("got %v, want store.ErrReadOnly naming the file", err)
	}
	if len(s.Problems()) != 1 {
		t.Error("a read-only store must report a problem")
	}
	if _, err := s.write.Exec("PRAGMA max_page_count = 1000000"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.AddDeploy(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	if len(s.Problems()) != 0 {
		t.Error("the problem must end with its cause")
	}
}

func TestTamperedAuditIsNamed(t *testing.T) {
	for name, c := range map[string]struct {
		tamper, want string
		first        int64
	}{
		"changed row":          {"UPDATE audit SET actor = 'mallory' WHERE id = 3", "entry 3", 3},
		"changed details":      {"UPDATE audit SET details = '{' WHERE id = 3", "entry 3", 3},
		"unreadable row":       {"UPDATE audit SET time = 'soon' WHERE id = 3", "entry 3", 3},
		"removed first row":    {"DELETE FROM audit WHERE id = 1", "entry 1 is missing", 1},
		"removed row":          {"DELETE FROM audit WHERE id = 2", "entry 2", 2},
		"cut off end":          {"DELETE FROM audit WHERE id = 5", "entries 5 to 5", 5},
		"all removed":          {"DELETE FROM audit", "entries 1 to 5", 1},
		"replaced hashes":      {"UPDATE audit SET hash = 'x' WHERE id = 4", "entry 4", 4},
		"end set back":         {"UPDATE audit_head SET id = 4", "entry 5", 5},
		"another end":          {"UPDATE audit_head SET hash = 'x'", "entry 5", 5},
		"no end":               {"DELETE FROM audit WHERE id > 3; DELETE FROM audit_head", "chain's end is missing", 4},
		"added behind the end": {"INSERT INTO audit SELECT 6, time, actor, action, subject, details, hash FROM audit WHERE id = 5", "entry 6", 6},
	} {
		t.Run(name, func(t *testing.T) {
			s := openIn(t, t.TempDir())
			for range 5 {
				if _, err := s.Audit(t.Context(), model.AuditEntry{Actor: "ada", Action: "page.ack"}); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := s.write.Exec(c.tamper); err != nil {
				t.Fatal(err)
			}
			v, err := s.VerifyAudit(t.Context())
			if err != nil || v.Intact || v.FirstBad != c.first || !strings.Contains(v.Fault, c.want) {
				t.Errorf("got %+v, %v, want %q named", v, err, c.want)
			}
			if ps := s.Problems(); len(ps) != 1 || !strings.Contains(ps[0].Message, v.Fault) {
				t.Errorf("problems %+v", ps)
			}
			_, err = s.Audit(t.Context(), model.AuditEntry{Actor: "ada", Action: "page.ack"})
			if err != nil && name != "end set back" && name != "added behind the end" { // their number is taken
				t.Errorf("tampering stops the log: %v", err)
			}
		})
	}
}

func TestWritesAreFlushedToDisk(t *testing.T) {
	s := openIn(t, t.TempDir())
	for _, db := range []*sql.DB{s.write, s.read} {
		var mode string
		var sync int
		if err := errors.Join(db.QueryRow("PRAGMA journal_mode").Scan(&mode), db.QueryRow("PRAGMA synchronous").Scan(&sync)); err != nil {
			t.Fatal(err)
		}
		if mode != "wal" || sync != 2 {
			t.Errorf("journal_mode %s, synchronous %d; want wal and 2 (FULL)", mode, sync)
		}
	}
	if _, err := s.read.ExecContext(context.Background(), "DELETE FROM deploys"); err == nil {
		t.Error("the reading side must not be able to write")
	}
}
