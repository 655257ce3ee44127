package state

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/atomicfile"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/state/copies"
)

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func do(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// content is everything that was written, as a reader sees it.
type content struct {
	Deploys     []model.Deploy
	Corrections []model.SLOCorrection
	Audit       []model.AuditEntry
	Days        []store.SLODay
	Intact      bool
}

func contentOf(t *testing.T, s *Store) (c content) {
	t.Helper()
	var err [5]error
	c.Deploys, err[0] = s.Deploys(t.Context(), store.DeployQuery{Limit: 1000})
	c.Corrections, err[1] = s.SLOCorrections(t.Context())
	c.Audit, err[2] = s.AuditEntries(t.Context(), store.AuditQuery{Limit: 1000})
	c.Days, err[3] = s.SLODays(t.Context(), "a", "good", epoch, epoch.AddDate(1, 0, 0))
	v, e := s.VerifyAudit(t.Context())
	c.Intact, err[4] = v.Intact, e
	do(t, err[:]...)
	return c
}

func fill(t *testing.T, s *Store, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		_, err := s.AddDeploy(t.Context(), model.Deploy{ID: fmt.Sprintf("d%03d", i), Time: epoch.Add(time.Duration(i) * time.Minute), Service: "edge", Version: "1", Message: strings.Repeat("x", 300)})
		do(t, err)
		_, err = s.Audit(t.Context(), model.AuditEntry{Actor: "ada", Action: "deploy.mark", Details: map[string]string{"n": fmt.Sprint(i)}})
		do(t, err)
		_, err = s.AddSLOCorrection(t.Context(), model.SLOCorrection{SLO: "a", Kind: "maintenance", Author: "ada", Reason: "x", Start: epoch, End: epoch.Add(time.Hour)})
		do(t, err)
		do(t, s.SaveSLODays(t.Context(), []store.SLODay{{SLO: "a", Counts: "good", Day: epoch.AddDate(0, 0, i).Truncate(24 * time.Hour), Read: epoch, Cells: []byte{byte(i)}}}))
	}
}

// left makes the files that a store leaves behind: by kill -9, with pages in the log that the database has and
// others that it has not, and by a clean stop.
func left(t *testing.T, killed bool) (dir string, want content) {
	t.Helper()
	work, dir := t.TempDir(), filepath.Join(t.TempDir(), "state")
	s := openIn(t, work)
	fill(t, s, 0, 20)
	s.checkpoint(t.Context())
	s.newGeneration(t.Context())
	fill(t, s, 20, 40)
	want = contentOf(t, s)
	if killed {
		do(t, os.CopyFS(dir, os.DirFS(work)))
	}
	do(t, s.Close())
	if !killed {
		do(t, os.CopyFS(dir, os.DirFS(work)))
	}
	return dir, want
}

func damages() map[string]func(path string) error {
	edit := func(change func([]byte) []byte) func(string) error {
		return func(path string) error {
			b, err := os.ReadFile(path)
			return errors.Join(err, os.WriteFile(path, change(b), 0o600))
		}
	}
	flip := func(at func(n int) int) func(string) error {
		return edit(func(b []byte) []byte {
			if len(b) > 0 {
				b[max(0, min(at(len(b)), len(b)-1))] ^= 0x55
			}
			return b
		})
	}
	return map[string]func(path string) error{
		"flipped at the start":      flip(func(int) int { return 4 }),
		"flipped at a quarter":      flip(func(n int) int { return n / 4 }),
		"flipped in the middle":     flip(func(n int) int { return n / 2 }),
		"flipped near the end":      flip(func(n int) int { return n - 8 }),
		"cut by a byte":             edit(func(b []byte) []byte { return b[:max(0, len(b)-1)] }),
		"cut in half":               edit(func(b []byte) []byte { return b[:len(b)/2] }),
		"emptied":                   edit(func([]byte) []byte { return nil }),
		"zeroed":                    edit(func(b []byte) []byte { return make([]byte, len(b)) }),
		"garbage":                   edit(func(b []byte) []byte { return []byte(strings.Repeat("junk", len(b)/4)) }),
		"missing":                   os.Remove,
		"a folder":                  func(path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) },
		"a folder with files in it": func(path string) error { return errors.Join(os.Remove(path), os.MkdirAll(path+"/x/y", 0o700)) },
	}
}

// Whatever one file suffers, after a kill or a clean stop: the store opens, everything that was acknowledged is
// there, and it can be written. What was not as it was left is named.
func TestDamageOfAnyOneFileLosesNothing(t *testing.T) {
	for _, killed := range []bool{true, false} {
		base, want := left(t, killed)
		do(t, filepath.WalkDir(base, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			file, _ := filepath.Rel(base, path)
			for what, damage := range damages() {
				t.Run(fmt.Sprintf("killed %t/%s/%s", killed, file, what), func(t *testing.T) {
					t.Parallel()
					dir := filepath.Join(t.TempDir(), "state")
					do(t, os.CopyFS(dir, os.DirFS(base)))
					do(t, damage(filepath.Join(dir, file)))
					s := openIn(t, dir)
					if diff := cmp.Diff(want, contentOf(t, s)); diff != "" {
						t.Errorf("what was acknowledged is not all there (-want +got):\n%.600s", diff)
					}
					if (len(atomicfile.Aside(filepath.Join(dir, file))) > 0 || file == FileName && !killed) && len(s.Problems()) == 0 && matters(file) {
						t.Error("the damage is not named")
					}
					fill(t, s, 40, 42)
					after := contentOf(t, s)
					do(t, s.Close())
					s = openIn(t, dir)
					if diff := cmp.Diff(after, contentOf(t, s)); diff != "" {
						t.Errorf("after the next start (-want +got):\n%.600s", diff)
					}
					for _, p := range s.Problems() {
						if p.Severity != "info" {
							t.Errorf("it is named again although it was repaired: %s", p.Message)
						}
					}
				})
			}
			return nil
		}))
	}
}

// matters leaves out what holds nothing: the lock, and what SQLite makes anew.
func matters(file string) bool { return file != lockFile && file != FileName+"-shm" }

// Letters of a row are to SQLite as good as others. One can be put right, of more it is named where they are.
func TestChangedLettersThatSQLiteTakesForGoodAreNamed(t *testing.T) {
	dir, _ := left(t, false)
	path := filepath.Join(dir, FileName)
	b, err := os.ReadFile(path)
	do(t, err)
	at := strings.Index(string(b), "xxxxxxxxxxxx")
	copy(b[at:], "yz")
	do(t, os.WriteFile(path, b, 0o600))
	s := openIn(t, dir)
	ps := s.Problems()
	if len(ps) != 1 || !strings.Contains(ps[0].Message, fmt.Sprintf("page %d", at/4096+1)) {
		t.Errorf("problems %+v, want page %d named", ps, at/4096+1)
	}
}

// Rows edited with SQLite's own tools are no damage to be undone, and the audit log tells.
func TestAuditRowsEditedWhileStoppedAreFoundAtTheStart(t *testing.T) {
	dir, _ := left(t, false)
	s := openIn(t, dir)
	_, err := s.write.Exec("UPDATE audit SET actor = 'mallory' WHERE id = 7")
	do(t, err, s.Close())
	s, err = Open(t.Context(), Config{Dir: dir}, Deps{})
	do(t, err)
	defer s.Close()
	for s.audit.Load() == nil {
		if t.Context().Err() != nil {
			t.Fatal("not found")
		}
		time.Sleep(time.Millisecond) // polls the verification that runs beside the start
	}
	if v := s.audit.Load(); v.FirstBad != 7 {
		t.Errorf("found %+v, want entry 7", v)
	}
}

// Both the database and its newest copy: the copy before and the redo logs of both make it whole.
func TestTheCopyBeforeStandsInForADamagedOne(t *testing.T) {
	dir, want := left(t, true)
	do(t, os.WriteFile(filepath.Join(dir, FileName), []byte("junk"), 0o600))
	newest := copies.New(filepath.Join(dir, copies.Folder), copies.MinBytes, slog.New(slog.DiscardHandler))
	all := newest.List()
	do(t, os.Truncate(newest.Path(all[len(all)-1].Number), 5000))
	s := openIn(t, dir)
	if diff := cmp.Diff(want, contentOf(t, s)); diff != "" {
		t.Errorf("(-want +got):\n%.600s", diff)
	}
}

func TestTheRedoLogStaysSmall(t *testing.T) {
	s, err := Open(t.Context(), Config{Dir: t.TempDir(), redoBytes: 2000}, Deps{})
	do(t, err)
	t.Cleanup(func() { s.Close() })
	first := s.copies.List()[0].Number
	for written := 0; s.copies.List()[0].Number == first; written++ {
		if written > 3000 {
			t.Fatalf("generations %+v", s.copies.List())
		}
		fill(t, s, 0, 1)
		for s.copies.Wanted(s.now()) {
			s.copies.Written()
			runtime.Gosched()
		}
	}
	if n := len(s.copies.List()); n > 3 {
		t.Errorf("%d generations are kept", n)
	}
}

func TestTwoProcessesCannotUseOneFolder(t *testing.T) {
	dir := t.TempDir()
	openIn(t, dir)
	_, err := Open(t.Context(), Config{Dir: dir}, Deps{})
	if err == nil || !strings.Contains(err.Error(), "another process") || !strings.Contains(err.Error(), dir) {
		t.Errorf("got %v", err)
	}
}

func TestADamagedRowCostsOnlyItself(t *testing.T) {
	s := openIn(t, t.TempDir())
	fill(t, s, 0, 3)
	_, err := s.write.Exec("UPDATE deploys SET labels = '{' WHERE id = 'd001'")
	do(t, err)
	got, err := s.Deploys(t.Context(), store.DeployQuery{})
	do(t, err)
	if len(got) != 2 {
		t.Errorf("%d deployments, want the other two", len(got))
	}
	if ps := s.Problems(); len(ps) != 1 || !strings.Contains(ps[0].Message, "list deploys") {
		t.Errorf("problems %+v", ps)
	}
}

// On a disk that is full at the start one connection reads what is there, and writes as
// soon as there is room.
func TestAFullDiskAtTheStartIsReadAndWrittenLater(t *testing.T) {
	dir, want := left(t, true)
	s := &Store{
		path: filepath.Join(dir, FileName), log: slog.New(slog.DiscardHandler), now: time.Now, full: true, done: make(chan struct{}),
		copies: copies.New(filepath.Join(dir, copies.Folder), copies.MinBytes, slog.New(slog.DiscardHandler)),
	}
	s.rows.seen = map[string]int{}
	var err error
	s.metrics, err = newMetrics(nil)
	do(t, err, s.open(t.Context()))
	t.Cleanup(func() { do(t, s.closeAll(), s.copies.Close()) })
	if diff := cmp.Diff(want, contentOf(t, s)); diff != "" {
		t.Errorf("(-want +got):\n%.600s", diff)
	}
	fill(t, s, 40, 41)
}

// A log that stayed large would be folded in, and every page summed up, at every write.
func TestTheWriteAheadLogShrinksAfterItIsFoldedIn(t *testing.T) {
	s := openIn(t, t.TempDir())
	size := func() int64 {
		info, err := os.Stat(s.path + "-wal")
		do(t, err)
		return info.Size()
	}
	d := model.Deploy{Service: "edge", Version: "1", Message: strings.Repeat("x", 3<<20)}
	_, err := s.AddDeploy(t.Context(), d)
	do(t, err)
	if size() < 2<<20 {
		t.Fatalf("log of %d bytes", size())
	}
	deadline := time.Now().Add(time.Minute)
	for s.checkpoint(t.Context()); size() > 1<<20; s.checkpoint(t.Context()) {
		if time.Now().After(deadline) {
			t.Fatalf("the log stays at %d bytes", size())
		}
		fill(t, s, 0, 1)
	}
}

// A damaged row takes a place of its page, and hides nothing that comes after it.
func TestADamagedDecisionDoesNotEndTheList(t *testing.T) {
	s := openIn(t, t.TempDir())
	for i := range 10 {
		do(t, s.SaveDecision(t.Context(), model.GateDecision{ID: fmt.Sprint("g", i), Time: epoch.Add(time.Duration(i) * time.Second)}))
	}
	_, err := s.write.Exec("UPDATE gate_decisions SET decision = '{' WHERE id IN ('g9', 'g8', 'g7', 'g4')")
	do(t, err)
	var ids []string
	q := store.DecisionQuery{Limit: 2}
	for first := true; first || q.Before != ""; first = false {
		list, next, err := s.Decisions(t.Context(), q)
		do(t, err)
		for _, d := range list {
			ids = append(ids, d.ID)
		}
		q.Before = next
	}
	if got := strings.Join(ids, " "); got != "g6 g5 g3 g2 g1 g0" {
		t.Errorf("listed %s", got)
	}
}

// Everything is kept twice, and what was written since: however long one writes, the folder stays within what
// docs/operations.md states, measured after each write.
func TestTheFolderStaysWithinItsBound(t *testing.T) {
	dir := t.TempDir()
	s := openIn(t, dir)
	folder := func() (total, database int64) {
		do(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil // deleted meanwhile
			}
			if err != nil || e.IsDir() {
				return err
			}
			info, err := e.Info()
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if path == s.path {
				database = info.Size()
			}
			total += info.Size()
			return err
		}))
		return total, database
	}
	const write = 2 << 20
	highest := int64(0)
	for i := range 120 { // 240 MiB into the same three rows
		_, err := s.AddDeploy(t.Context(), model.Deploy{ID: fmt.Sprint("d", i%3), Service: "edge", Version: "1", Message: strings.Repeat("x", write)})
		do(t, err)
		// A copy that is due is made before more is written: how fast a disk is, is not the question.
		for s.copies.Wanted(s.now()) || len(s.copies.List()) > 2 {
			s.copies.Written()
			runtime.Gosched()
		}
		total, database := folder()
		highest = max(highest, total)
		if bound := 4*database + 2*(max(copies.MinBytes, database)+write) + 4*walBytes; total > bound {
			t.Fatalf("after %d writes the folder has %d MiB, the bound is %d", i, total>>20, bound>>20)
		}
	}
	if highest < 2*copies.MinBytes {
		t.Errorf("the folder never had more than %d bytes: two logs were never full", highest)
	}
}

// A database that is deleted with all its copies is missed, once.
func TestADatabaseThatIsGoneWithItsCopiesIsNamed(t *testing.T) {
	dir, _ := left(t, true)
	entries, err := os.ReadDir(dir)
	do(t, err)
	for _, e := range entries {
		if e.Name() != lockFile {
			do(t, os.RemoveAll(filepath.Join(dir, e.Name())))
		}
	}
	for _, want := range []int{1, 0} {
		s := openIn(t, dir)
		if got := s.Problems(); len(got) != want || want > 0 && got[0].Severity != "critical" {
			t.Errorf("%+v, want %d", got, want)
		}
		do(t, s.Close())
	}
}
