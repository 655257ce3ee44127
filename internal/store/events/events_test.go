package events

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/disk"
	"github.com/signalbox-project/signalbox/internal/store/events/head"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// clock is set by hand.
type clock struct{ ns atomic.Int64 }

func (c *clock) now() time.Time          { return time.Unix(0, c.ns.Load()).UTC() }
func (c *clock) advance(d time.Duration) { c.ns.Add(int64(d)) }

func newClock() *clock {
	c := &clock{}
	c.ns.Store(noon.UnixNano())
	return c
}

func smallHeads(rows int) Config {
	cfg := DefaultConfig()
	cfg.HeadRows = rows
	return cfg
}

func open(t testing.TB, cfg Config, deps Deps) *DB {
	t.Helper()
	if deps.Now == nil {
		deps.Now = newClock().now
	}
	db, err := Open(cfg, deps)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// run starts the background work and stops it at the end of the test.
func run(t testing.TB, db *DB) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- db.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func line(id string, at time.Time) model.LogRecord {
	return model.LogRecord{
		Time: at.UnixNano(), Level: model.LevelInfo, RequestID: id, Message: "order " + id + " accepted",
		Resource: &model.Resource{Tenant: "default", Service: "edge"}, Attrs: model.Attrs{{Key: "id", Value: model.StringValue(id)}},
	}
}

func lines(prefix string, n int, at time.Time) []model.LogRecord {
	out := make([]model.LogRecord, n)
	for i := range out {
		out[i] = line(fmt.Sprintf("%s-%d", prefix, i), at.Add(time.Duration(i)*time.Millisecond))
	}
	return out
}

func span(id byte, at time.Time) model.Span {
	return model.Span{
		TraceID: model.TraceID{1, id}, SpanID: model.SpanID{2, id}, Name: "GET", Start: at.UnixNano(), Duration: 1000,
		Resource: &model.Resource{Tenant: "default", Service: "edge"},
	}
}

// ids counts every request id that a view shows, heads and parts.
func ids(t testing.TB, db *DB, r store.Range) map[string]int {
	t.Helper()
	v := db.View(part.Logs, r)
	defer v.Release()
	out := map[string]int{}
	count := func(l *head.Logs) {
		for i := range l.Rows {
			out[l.RequestIDs.At(i)]++
		}
	}
	for _, h := range v.Logs {
		count(h)
	}
	for _, p := range v.Parts {
		b := head.NewLogs(0)
		if err := part.ReadLogs(nil, p.Path(), b); err != nil {
			v.Damaged(p, err)
			continue
		}
		count(b.Snapshot())
	}
	return out
}

func wantIDs(t testing.TB, db *DB, prefix string, n int) {
	t.Helper()
	got := ids(t, db, store.Range{})
	for i := range n {
		id := fmt.Sprintf("%s-%d", prefix, i)
		if got[id] != 1 {
			t.Errorf("%s is there %d times, want once", id, got[id])
		}
	}
}

func appendLogs(t testing.TB, db *DB, records []model.LogRecord) {
	t.Helper()
	if err := db.AppendLogs(t.Context(), records); err != nil {
		t.Fatal(err)
	}
}

func countParts(db *DB, signal part.Signal) int {
	v := db.View(signal, store.Range{})
	defer v.Release()
	return len(v.Parts)
}

func TestRowsAreVisibleAtOnceAndOnceThroughSealAndRestart(t *testing.T) {
	dir := t.TempDir()
	db := open(t, DefaultConfig(), Deps{Dir: dir})
	appendLogs(t, db, lines("a", 100, noon))
	if err := db.AppendSpans(t.Context(), []model.Span{span(1, noon), span(2, noon)}); err != nil {
		t.Fatal(err)
	}
	wantIDs(t, db, "a", 100)
	if err := db.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	appendLogs(t, db, lines("b", 50, noon))
	if countParts(db, part.Logs) != 1 || countParts(db, part.Spans) != 1 {
		t.Fatal("nothing was sealed")
	}
	for range 3 {
		wantIDs(t, db, "a", 100)
		wantIDs(t, db, "b", 50)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		db = open(t, DefaultConfig(), Deps{Dir: dir})
	}
	if got := ids(t, db, store.RangeOf(noon.Add(time.Hour), noon.Add(2*time.Hour))); len(got) != 0 {
		t.Errorf("%d rows outside their time", len(got))
	}
	if d := db.Damages(); len(d) != 0 {
		t.Errorf("damages: %+v", d)
	}
}

func TestASecondProcessIsRefused(t *testing.T) {
	dir := t.TempDir()
	open(t, DefaultConfig(), Deps{Dir: dir})
	if _, err := Open(DefaultConfig(), Deps{Dir: dir}); err == nil {
		t.Fatal("opened twice")
	}
}

// mortal is a file system that dies at a given operation: that one and all
// later ones do nothing (a write does half) and fail, as for a killed process.
type mortal struct {
	disk.OS
	mu   sync.Mutex
	left int // operations until death; negative: lives
	ops  int
	err  error
}

var errDead = errors.New("dead")

func (m *mortal) dies() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ops++
	if m.left == 0 {
		return m.err
	}
	if m.left > 0 {
		m.left--
	}
	return nil
}

type mortalFile struct {
	disk.File
	m *mortal
}

func (m *mortal) Create(name string) (disk.File, error) {
	if err := m.dies(); err != nil {
		return nil, err
	}
	f, err := m.OS.Create(name)
	return mortalFile{f, m}, err
}

func (m *mortal) Append(name string) (disk.File, error) {
	if err := m.dies(); err != nil {
		return nil, err
	}
	f, err := m.OS.Append(name)
	return mortalFile{f, m}, err
}

func (m *mortal) Rename(from, to string) error {
	if err := m.dies(); err != nil {
		return err
	}
	return m.OS.Rename(from, to)
}

func (m *mortal) Remove(name string) error {
	if err := m.dies(); err != nil {
		return err
	}
	return m.OS.Remove(name)
}

func (m *mortal) SyncDir(dir string) error {
	if err := m.dies(); err != nil {
		return err
	}
	return m.OS.SyncDir(dir)
}

func (f mortalFile) Write(b []byte) (int, error) {
	if err := f.m.dies(); err != nil {
		n, _ := f.File.Write(b[:len(b)/2])
		return n, err
	}
	return f.File.Write(b)
}

func (f mortalFile) Sync() error {
	if err := f.m.dies(); err != nil {
		return err
	}
	return f.File.Sync()
}

func (f mortalFile) Truncate(n int64) error {
	if err := f.m.dies(); err != nil {
		return err
	}
	return f.File.Truncate(n)
}

// story is a life with everything in it: appends over two days, seals, a merge, retention.
func story(db *DB, acked map[string]bool) {
	ctx := context.Background()
	write := func(id string, at time.Time) {
		if db.AppendLogs(ctx, []model.LogRecord{line(id, at), line(id+"'", at.AddDate(0, 0, -1))}) == nil {
			acked[id], acked[id+"'"] = true, true
		}
	}
	for i := range mergeAt + 1 {
		write(fmt.Sprintf("s%d", i), noon)
		_ = db.Seal(ctx)
	}
	write("unsealed", noon)
	_ = db.logs.merge()
	_ = db.logs.merge()
	write("after", noon)
}

func TestAcknowledgedRowsSurviveDeathAtEveryFileOperation(t *testing.T) {
	t.Parallel()
	whole := &mortal{left: -1}
	db := open(t, DefaultConfig(), Deps{Dir: t.TempDir(), FS: whole})
	before := whole.ops
	story(db, map[string]bool{})
	if n := countParts(db, part.Logs); n > 4 {
		t.Fatalf("%d parts: the story does not merge", n)
	}
	for n := 0; n < whole.ops-before; n += 1 + n/12 {
		dir := t.TempDir()
		fs := &mortal{left: before + n, err: errDead}
		db := open(t, DefaultConfig(), Deps{Dir: dir, FS: fs})
		acked := map[string]bool{}
		story(db, acked)
		_ = db.Close()
		db = open(t, DefaultConfig(), Deps{Dir: dir})
		got := ids(t, db, store.Range{})
		for id := range acked {
			if got[id] != 1 {
				t.Errorf("death at operation %d: acknowledged row %s is there %d times", n, id, got[id])
			}
		}
		for id, k := range got {
			if k > 1 {
				t.Errorf("death at operation %d: row %s is there %d times", n, id, k)
			}
		}
		if d := db.Damages(); len(d) > 0 {
			t.Errorf("death at operation %d: %+v", n, d)
		}
		_ = db.Close()
		if t.Failed() {
			return
		}
	}
}

func TestADiskThatIsFullMakesItReadOnlyUntilThereIsRoom(t *testing.T) {
	fs := &mortal{left: -1, err: syscall.ENOSPC}
	db := open(t, DefaultConfig(), Deps{Dir: t.TempDir(), FS: fs})
	appendLogs(t, db, lines("a", 10, noon))
	fs.mu.Lock()
	fs.left = 0
	fs.mu.Unlock()
	for range 2 {
		if err := db.AppendLogs(t.Context(), lines("b", 10, noon)); !errors.Is(err, store.ErrReadOnly) {
			t.Fatalf("err = %v, want ErrReadOnly", err)
		}
	}
	wantIDs(t, db, "a", 10)
	db.maintain(true)
	if db.space.check() == nil {
		t.Fatal("resumed on a full disk")
	}
	fs.mu.Lock()
	fs.left = -1
	fs.mu.Unlock()
	db.maintain(true)
	appendLogs(t, db, lines("c", 10, noon))
	wantIDs(t, db, "a", 10)
	wantIDs(t, db, "c", 10)
	if got := ids(t, db, store.Range{}); len(got) != 20 {
		t.Errorf("%d rows, want 20: refused rows are visible", len(got))
	}
}

// lowDisk reports how much is free.
type lowDisk struct {
	disk.OS
	free atomic.Uint64
}

func (l *lowDisk) Free(string) (uint64, uint64, error) { return l.free.Load(), 100 << 30, nil }

func TestItStopsBeforeTheDiskIsFull(t *testing.T) {
	fs := &lowDisk{}
	fs.free.Store(1 << 30)
	db := open(t, DefaultConfig(), Deps{Dir: t.TempDir(), FS: fs})
	appendLogs(t, db, lines("a", 1, noon))
	fs.free.Store(100 << 20)
	db.maintain(false)
	if err := db.AppendLogs(t.Context(), lines("b", 1, noon)); !errors.Is(err, store.ErrReadOnly) {
		t.Fatalf("err = %v, want ErrReadOnly", err)
	}
	if err := db.Seal(t.Context()); err != nil {
		t.Fatalf("sealing must go on, it frees the log: %v", err)
	}
	fs.free.Store(257 << 20)
	db.maintain(false)
	if db.space.check() == nil {
		t.Fatal("resumed within 10 % of the limit: it would flap")
	}
	fs.free.Store(1 << 30)
	db.maintain(false)
	appendLogs(t, db, lines("c", 1, noon))
}

func TestOverloadIsRefusedWithBoundedMemory(t *testing.T) {
	cfg := DefaultConfig()
	cfg.HeadBytes, cfg.MaxBytes, cfg.MaxWait = 64<<10, 256<<10, 0
	db := open(t, cfg, Deps{Dir: t.TempDir()}) // nobody seals
	var err error
	for i := 0; err == nil && i < 1000; i++ {
		err = db.AppendLogs(t.Context(), lines(strconv.Itoa(i), 50, noon))
	}
	if !errors.Is(err, store.ErrOverloaded) {
		t.Fatalf("err = %v, want ErrOverloaded", err)
	}
	if _, bytes := db.logs.memory(); bytes > 512<<10 {
		t.Errorf("%d bytes in heads, bound is %d", bytes, cfg.MaxBytes)
	}
	if err := db.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	appendLogs(t, db, lines("again", 1, noon))
}

func TestABackfillOfManyDaysMakesPartsOfOneDayEach(t *testing.T) {
	t.Parallel()
	clk := newClock()
	db := open(t, smallHeads(500), Deps{Dir: t.TempDir(), Now: clk.now})
	for i := range 60 { // days in turn, two of them in each batch
		at := noon.AddDate(0, 0, -(i*11)%28)
		appendLogs(t, db, append(lines(fmt.Sprintf("x%d", i), 20, at), lines(fmt.Sprintf("y%d", i), 20, at.AddDate(0, 0, -1))...))
	}
	clk.advance(time.Minute)
	db.maintain(false)
	if err := db.sealFrozen(); err != nil {
		t.Fatal(err)
	}
	if rows, _ := db.logs.memory(); rows > 500 {
		t.Errorf("%d rows of idle days are still in memory", rows)
	}
	v := db.View(part.Logs, store.Range{})
	defer v.Release()
	if len(v.Parts) < 28 || len(v.Parts) > 40 {
		t.Errorf("%d parts, want about one a day", len(v.Parts))
	}
	for _, p := range v.Parts {
		if part.DayOf(p.MinTime) != part.DayOf(p.MaxTime) {
			t.Errorf("part %s spans days", p.Name())
		}
	}
	for i := range 60 {
		wantIDs(t, db, fmt.Sprintf("x%d", i), 20)
	}
}

func TestSmallPartsAreMergedAndTheirFilesStayForReaders(t *testing.T) {
	t.Parallel()
	db := open(t, DefaultConfig(), Deps{Dir: t.TempDir()})
	for i := range mergeAt * 3 {
		appendLogs(t, db, lines(fmt.Sprintf("m%d", i), 5, noon))
		if err := db.Seal(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	old := db.View(part.Logs, store.Range{})
	for range 4 {
		db.maintain(true)
	}
	if n := countParts(db, part.Logs); n > mergeAt {
		t.Errorf("%d parts after merging %d", n, mergeAt*3)
	}
	for i := range mergeAt * 3 {
		wantIDs(t, db, fmt.Sprintf("m%d", i), 5)
	}
	for _, p := range old.Parts {
		if _, err := os.Stat(p.Path()); err != nil {
			t.Errorf("deleted under a reader: %v", err)
		}
	}
	old.Release()
	left, _ := filepath.Glob(filepath.Join(db.dir, "logs", "*", "*"+part.RowsExt))
	if len(left) != countParts(db, part.Logs) {
		t.Errorf("%d files for %d parts", len(left), countParts(db, part.Logs))
	}
}

func TestRetentionDropsWholePartsBySignal(t *testing.T) {
	clk := newClock()
	cfg := DefaultConfig()
	cfg.Retention.Spans *= 2
	db := open(t, cfg, Deps{Dir: t.TempDir(), Now: clk.now})
	appendLogs(t, db, lines("old", 3, noon))
	if err := db.AppendSpans(t.Context(), []model.Span{span(1, noon)}); err != nil {
		t.Fatal(err)
	}
	if err := db.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	clk.advance(31 * 24 * time.Hour)
	appendLogs(t, db, lines("new", 3, clk.now()))
	db.maintain(true)
	if n, m := countParts(db, part.Logs), countParts(db, part.Spans); n != 0 || m != 1 {
		t.Errorf("%d parts of logs and %d of spans, want 0 and 1", n, m)
	}
	wantIDs(t, db, "new", 3)
	if _, err := os.Stat(filepath.Join(db.dir, "logs", "2026-11-21")); !os.IsNotExist(err) {
		t.Errorf("the empty day folder is still there: %v", err)
	}
}

func TestReadersSeeEveryAcknowledgedRowOnceWhileHeadsAreSealed(t *testing.T) {
	t.Parallel()
	cfg := smallHeads(64)
	db := open(t, cfg, Deps{Dir: t.TempDir(), Now: time.Now})
	run(t, db)
	const writers, batches = 4, 40
	var acked sync.Map
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for w := range writers {
		wg.Go(func() {
			for b := range batches {
				id := fmt.Sprintf("w%d.%d", w, b)
				if err := db.AppendLogs(t.Context(), lines(id, 8, noon)); err != nil {
					t.Error(err)
					return
				}
				acked.Store(id, true)
			}
		})
	}
	go func() { wg.Wait(); close(stop) }()
	for done := false; !done; {
		select {
		case <-stop:
			done = true
		default:
		}
		var want []string
		acked.Range(func(k, _ any) bool { want = append(want, k.(string)); return true })
		got := ids(t, db, store.Range{})
		for _, id := range want {
			for i := range 8 {
				if k := fmt.Sprintf("%s-%d", id, i); got[k] != 1 {
					t.Fatalf("acknowledged row %s is seen %d times", k, got[k])
				}
			}
		}
		for id, n := range got {
			if n != 1 {
				t.Fatalf("row %s is seen %d times", id, n)
			}
		}
	}
	if got := ids(t, db, store.Range{}); len(got) != writers*batches*8 {
		t.Errorf("%d rows, want %d", len(got), writers*batches*8)
	}
}
