package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"net/url"
	"os"
	"slices"
	"sync"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/atomicfile"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/state/copies"
	"github.com/signalbox-project/signalbox/internal/store/state/pagesum"
	"github.com/signalbox-project/signalbox/internal/store/state/redo"
)

// walBytes is the size of the write-ahead log at which it is folded into the database.
const walBytes = 4 << 20

func (s *Store) sums() string { return s.path + copies.SumsExt }

func (s *Store) note(severity, message, cure string) {
	s.problems = append(s.problems, model.Problem{Severity: severity, Message: message, Cure: cure})
}

// open opens the database as it should be: as it is, with what it lost from the redo log, or restored from
// its copy.
func (s *Store) open(ctx context.Context) error {
	for _, path := range []string{s.path + "-wal", s.path + "-shm", s.sums()} {
		s.clearWay(path)
	}
	atomicfile.Clean(s.sums())
	changed, err := s.inspect()
	if err == nil {
		err = s.connect(ctx)
		if err != nil && (errors.Is(err, store.ErrReadOnly) || !isCorrupt(err) && len(changed) == 0) {
			return err
		}
	}
	if err == nil && len(changed) > 0 {
		err = quickCheck(ctx, s.write, "integrity_check")
	}
	var intact bool
	if err == nil {
		intact, err = s.catchUp(ctx)
	}
	if err != nil {
		intact, err = false, s.repair(ctx, err)
		changed = nil
	}
	if err != nil {
		return err
	}
	if len(changed) > 0 {
		intact = false
		s.log.Error("the state database was changed by something else than Signalbox", "file", s.path, "pages", changed)
		s.note("warning",
			fmt.Sprintf("%d pages of the state database %s are not as Signalbox wrote them (the first is page %d): somebody edited it, or the disk changed it. It is used as it is.", len(changed), s.path, changed[0]),
			fmt.Sprintf("If nobody edited it: stop, move the file away, take an older one out of %s in its place, and start.", s.copies.Dir))
	}
	s.noteEarlier()
	err = s.keepCopy(ctx, intact)
	s.haveDatabase()
	return err
}

// hadDatabase reports whether an earlier start ended with a database, and haveDatabase says so to the next: the database cannot
// say it itself once it is gone.
func (s *Store) hadDatabase() bool {
	if s.lock == nil {
		return false
	}
	info, err := s.lock.Stat()
	return err == nil && info.Size() > 0
}

func (s *Store) haveDatabase() {
	if s.lock != nil && !s.hadDatabase() {
		_, _ = s.lock.Write([]byte{'1'}) // without it, a deleted database is not missed
	}
}

// clearWay sets aside a folder that stands where SQLite needs a file.
func (s *Store) clearWay(path string) {
	if info, err := os.Lstat(path); err != nil || info.Mode().IsRegular() {
		return
	}
	aside, err := atomicfile.SetAside(path, s.now())
	s.log.Error("a folder stood where a file of the state database belongs", "file", path, "kept_as", aside, "err", err)
	s.note("warning", fmt.Sprintf("%s was no file and is kept as %s.", path, aside), "Check who made it; delete it if nobody needs it.")
}

// inspect looks at the file before SQLite does. changed is the pages that are not as they were
// written; the error says that there is no database to open, and was one.
func (s *Store) inspect() (changed []uint32, err error) {
	known, _ := s.copies.Good(math.MaxInt)
	info, err := os.Stat(s.path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && known == 0:
		if s.hadDatabase() {
			s.log.Error("the state database and its copies are gone; it begins empty", "file", s.path)
			s.note("critical", fmt.Sprintf("The state database %s and its copies were deleted: deployments, gate decisions, pages, corrections and what SLOs counted by day are gone.", s.path),
				"Stop, restore the folder from a backup, and start; otherwise the next start says nothing of it.")
		}
		return nil, nil // the first start
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, &corruptError{finding: "it is not a file"}
	case info.Size() == 0 && known > 0:
		return nil, &corruptError{finding: "it is empty"}
	}
	f, err := os.Open(s.path)
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	changed, err = pagesum.Check(s.path, s.sums(), s.path+"-wal")
	if errors.Is(err, pagesum.ErrNoSums) {
		return nil, nil // of an earlier release, or of a start that was killed before the first
	}
	if err != nil || len(changed) == 0 {
		return nil, err
	}
	if size := int64(pagesum.PageSize(s.path)); size == 0 || info.Size()%size != 0 {
		return nil, &corruptError{finding: "its header or its end is damaged"}
	}
	return s.mend(changed), nil
}

// mend puts pages right of which one byte changed, and answers the others.
func (s *Store) mend(changed []uint32) (left []uint32) {
	const most = 64 // of more than that something else is wrong
	if len(changed) > most {
		return changed
	}
	var mended []uint32
	for _, page := range changed {
		ok, err := pagesum.Mend(s.path, s.sums(), page)
		if err != nil {
			s.log.Warn("a page of the state database cannot be put right", "page", page, "err", err)
		}
		if ok {
			mended = append(mended, page)
		} else {
			left = append(left, page)
		}
	}
	if len(mended) > 0 {
		s.metrics.repaired.Inc()
		s.log.Error("bytes of the state database had changed and were put right", "file", s.path, "pages", mended)
		s.note("warning", fmt.Sprintf("A byte had changed on pages %v of the state database %s; it was put right by their checksums, nothing is lost.", mended, s.path),
			"Check the disk if this happens again.")
	}
	return left
}

// catchUp compares the database with the redo log, which has every transaction too, and runs again what the
// database lost with its write-ahead log. intact says that both have all of the same.
func (s *Store) catchUp(ctx context.Context) (intact bool, err error) {
	have, err := commits(ctx, s.write)
	if err != nil {
		return false, &corruptError{finding: "how much was written is not known: " + err.Error()}
	}
	base, damaged := s.copies.Good(math.MaxInt)
	if base == 0 {
		s.copyDamaged(damaged)
		return false, nil
	}
	records, redoErr := s.copies.Records(base)
	want, err := s.copyCommits(ctx, base)
	if err != nil {
		want, damaged = 0, errors.Join(damaged, err)
	}
	if n := len(records); n > 0 {
		want = max(want, records[n-1].Number)
	}
	if want <= have {
		s.copyDamaged(errors.Join(damaged, redoErr))
		return want == have && damaged == nil && redoErr == nil && !s.copies.Outdated, nil
	}
	missing := after(records, have)
	if len(missing) == 0 || missing[0].Number != have+1 {
		return false, &corruptError{finding: fmt.Sprintf("its last %d transactions are gone", want-have)}
	}
	if err := s.apply(ctx, missing); err != nil {
		return false, &corruptError{finding: fmt.Sprintf("its last %d transactions are gone, and do not run again: %v", want-have, err)}
	}
	s.metrics.repaired.Inc()
	s.log.Error("the state database had lost transactions, which were repaired from its redo log", "file", s.path, "transactions", len(missing))
	s.note("warning",
		fmt.Sprintf("The state database %s had lost its last %d changes, its write-ahead log was damaged or gone; they were repaired from the redo log, nothing is lost.", s.path, len(missing)),
		"Check the disk if this happens again.")
	s.copyDamaged(errors.Join(damaged, redoErr))
	return false, nil
}

// copyDamaged names a copy that is of no use; it is made anew.
func (s *Store) copyDamaged(err error) {
	if err == nil {
		return
	}
	s.log.Error("the copy of the state database was damaged and is made anew", "err", err)
	s.note("info", fmt.Sprintf("The copy of the state database was damaged and was made anew; nothing is lost: %v.", err), "Check the disk if this happens again.")
}

// after is the records above a number.
func after(records []redo.Record, number int64) []redo.Record {
	for i, r := range records {
		if r.Number > number {
			return records[i:]
		}
	}
	return nil
}

// copyCommits is how many transactions a generation's copy holds.
func (s *Store) copyCommits(ctx context.Context, number int) (int64, error) {
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: s.copies.Path(number)}).EscapedPath()}
	db, err := sql.Open("sqlite", u.String()+"?mode=ro&immutable=1")
	if err != nil {
		return 0, err
	}
	n, err := commits(ctx, db)
	return n, errors.Join(err, db.Close())
}

// repair moves the database aside and puts its copy in its place, with what was written since; the newest copy that
// works. Without one it starts empty.
func (s *Store) repair(ctx context.Context, cause error) error {
	if err := s.closeAll(); err != nil {
		s.log.Warn("close the damaged state database", "err", err)
	}
	aside, err := s.quarantine()
	if err != nil {
		return fmt.Errorf("%w; moving it aside: %w", cause, err)
	}
	s.metrics.quarantined.Inc()
	for number, damaged := s.copies.Good(math.MaxInt); number > 0; number, damaged = s.copies.Good(number - 1) {
		s.copyDamaged(damaged)
		redoErr, err := s.restore(ctx, number)
		if err != nil {
			s.log.Error("a copy of the state database cannot be used", "number", number, "err", err)
			if err := errors.Join(s.closeAll(), s.removeAll()); err != nil {
				return err
			}
			continue
		}
		s.repaired(cause, aside, redoErr)
		return nil
	}
	s.log.Error("state database is damaged; moved aside and started empty", "file", aside, "err", cause)
	s.note("critical",
		fmt.Sprintf("The state database was damaged and is kept as %s: %v. There is no copy: deployments, gate decisions, pages and the audit log start empty.", aside, cause),
		fmt.Sprintf("Restore the folder of %s from a backup, or recover the old file with `sqlite3 %s .recover`, while Signalbox is stopped.", s.path, aside))
	return s.connect(ctx)
}

func (s *Store) repaired(cause error, aside string, redoErr error) {
	s.metrics.repaired.Inc()
	kept := ""
	if aside != "" {
		kept = " and is kept as " + aside
	}
	s.log.Error("state database is damaged; repaired from its copy", "file", aside, "err", cause, "missing", redoErr)
	if redoErr != nil {
		s.note("critical",
			fmt.Sprintf("The state database was damaged%s: %v. It was repaired from its copy, but the newest changes may be missing: %v.", kept, cause, redoErr),
			"Compare with what you know of the last minutes before; recover the old file with `sqlite3 FILE .recover` if you need more.")
		return
	}
	s.note("warning",
		fmt.Sprintf("The state database was damaged%s: %v. It was repaired from its copy, nothing is lost.", kept, cause),
		"Check the disk if this happens again; delete what was set aside once nobody needs it.")
}

// restore makes the database from a generation. redoErr says why the newest changes may be missing.
func (s *Store) restore(ctx context.Context, number int) (redoErr, err error) {
	from, err := os.Open(s.copies.Path(number))
	if err != nil {
		return nil, err
	}
	defer from.Close()
	if err := atomicfile.Write(s.path, 0o600, func(w io.Writer) error {
		_, err := io.Copy(w, from)
		return err
	}); err != nil {
		return nil, err
	}
	if err := s.connect(ctx); err != nil {
		return nil, err
	}
	have, err := commits(ctx, s.write)
	if err != nil {
		return nil, err
	}
	records, redoErr := s.copies.Records(number)
	missing := after(records, have)
	if len(missing) > 0 && missing[0].Number != have+1 {
		return errors.Join(redoErr, fmt.Errorf("the redo log begins at transaction %d, the copy ends at %d", missing[0].Number, have)), nil
	}
	if len(missing) > 0 {
		redoErr = errors.Join(redoErr, s.apply(ctx, missing))
	}
	return redoErr, nil
}

// quarantine moves the database and its companions aside and answers the new name; "" if there was none.
func (s *Store) quarantine() (aside string, err error) {
	if err := os.Remove(s.sums()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		to, err := atomicfile.SetAside(s.path+suffix, s.now())
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		if suffix == "" {
			aside = to
		}
	}
	return aside, nil
}

func (s *Store) removeAll() error {
	for _, suffix := range []string{"", "-wal", "-shm", copies.SumsExt} {
		if err := os.Remove(s.path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// noteEarlier names what an earlier start set aside, until somebody removes it.
func (s *Store) noteEarlier() {
	if len(s.problems) > 0 {
		return // told already, of this start
	}
	for _, path := range atomicfile.Aside(s.path) {
		s.note("info", fmt.Sprintf("The state database was damaged at an earlier start; what it was is kept as %s.", path), "Delete it once nobody needs it.")
	}
}

// keepCopy goes on with the newest generation if it is whole, and begins another otherwise.
func (s *Store) keepCopy(ctx context.Context, intact bool) error {
	if all := s.copies.List(); intact && len(all) > 0 && all[len(all)-1].Redos {
		if s.copies.Resume(all[len(all)-1].Number) == nil {
			return nil
		}
	}
	s.newGeneration(ctx)
	return nil
}

// newGeneration copies the database and starts a redo log from there. Where it cannot, the copy is
// behind, which Problems says.
func (s *Store) newGeneration(ctx context.Context) {
	s.copies.Making.Lock() // they would take each other's number, or forget each other
	defer s.copies.Making.Unlock()
	conn, err := s.write.Conn(ctx) // no transaction ends between the old log and the new one
	if err != nil {
		return
	}
	number, err := s.copies.Begin(s.now())
	if closeErr := conn.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = s.copyTo(ctx, number)
	}
	if err != nil && ctx.Err() == nil {
		s.copies.Abandon(number, err)
	}
}

func (s *Store) copyTo(ctx context.Context, number int) error {
	if s.full {
		return s.copies.Finish(ctx, s.write, number)
	}
	db, err := sql.Open("sqlite", s.dsn("rw", "deferred"))
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	return errors.Join(s.copies.Finish(ctx, db, number), db.Close())
}

// maintain verifies the audit log, then folds the write-ahead log in and renews the copy as they grow.
func (s *Store) maintain(ctx context.Context) {
	defer close(s.done)
	if _, err := s.VerifyAudit(ctx); err != nil && ctx.Err() == nil {
		s.log.Error("the audit log cannot be verified", "err", err)
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.copies.Due:
		}
		if info, err := os.Stat(s.path + "-wal"); err == nil && info.Size() > walBytes {
			s.checkpoint(ctx)
		}
		if s.copies.Wanted(s.now()) {
			s.newGeneration(ctx)
		}
	}
}

// checkpoint folds the write-ahead log into the database and sums up its pages, before any writer can use the log
// again: until then every page that differs from the sums of before is in the log.
func (s *Store) checkpoint(ctx context.Context) {
	conn, err := s.write.Conn(ctx)
	if err != nil {
		return
	}
	defer conn.Close()
	var busy, logged, moved int
	if err := conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)").Scan(&busy, &logged, &moved); err != nil || logged != moved {
		return // a reader holds pages back, or the disk is full; the next write tries again
	}
	if err := pagesum.Write(s.path, s.sums()); err != nil {
		_ = os.Remove(s.sums()) // none are better than old ones
		s.log.Warn("the pages of the state database cannot be summed up", "err", err)
	}
}

// damagedRows remembers what could not be read.
type damagedRows struct {
	mu   sync.Mutex
	seen map[string]int // by what was listed, bounded by the kinds of list
}

func (d *damagedRows) add(op string) (first bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.seen[op]++
	return d.seen[op] == 1
}

func (d *damagedRows) problems() (out []model.Problem) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, op := range slices.Sorted(maps.Keys(d.seen)) {
		out = append(out, model.Problem{
			Severity: "warning",
			Message:  fmt.Sprintf("Rows of the state database are damaged and are left out (%s).", op),
			Cure:     "The log names them; restore the database from a backup or from its copy to have them back.",
		})
	}
	return out
}
