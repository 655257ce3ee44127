package metrics

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/wlog"

	"github.com/signalbox-project/signalbox/internal/store"
)

// platter is what a disk holds for certain: each file as it was when it was
// synced last.
type platter struct {
	mu    sync.Mutex
	files map[string][]byte
	fail  error
}

func (p *platter) fsync(f *os.File) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fail != nil {
		return p.fail
	}
	st, err := f.Stat()
	if err != nil || st.IsDir() {
		return err
	}
	body := make([]byte, st.Size())
	if _, err := f.ReadAt(body, 0); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if p.files == nil {
		p.files = map[string][]byte{}
	}
	p.files[filepath.Join(filepath.Base(filepath.Dir(f.Name())), filepath.Base(f.Name()))] = body
	return nil
}

// names are the files synced since the last call.
func (p *platter) names() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []string
	for name := range p.files {
		out = append(out, name)
	}
	p.files = nil
	slices.Sort(out)
	return out
}

func openOn(t *testing.T, dir string, p *platter) *Store {
	t.Helper()
	s, err := Open(DefaultConfig(), Deps{Dir: dir, Registerer: prometheus.NewRegistry(), Fsync: p.fsync})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func putAcknowledged(s *Store, at time.Time, series int) error {
	app := s.Acknowledged().AppenderV2(context.Background())
	if _, err := app.Append(0, labels.FromStrings("__name__", "up", "i", fmt.Sprint(series)), 0, at.UnixMilli(), 1, nil, nil, storage.AOptions{}); err != nil {
		_ = app.Rollback()
		return err
	}
	return app.Commit()
}

// What was acknowledged is there after a power cut: a restart from nothing but
// what had been synced finds it, in order or out of order, of old and new series.
func TestWhatWasAcknowledgedSurvivesAPowerCut(t *testing.T) {
	disk, now := &platter{}, time.Now()
	s := openOn(t, t.TempDir(), disk)
	for i := range 60 {
		at := now.Add(time.Duration(i) * time.Second)
		if i%10 == 9 {
			at = now.Add(-time.Duration(i) * time.Minute)
		}
		if err := putAcknowledged(s, at, i%7); err != nil {
			t.Fatal(err)
		}
	}
	after := t.TempDir()
	for name, body := range disk.files {
		if err := os.MkdirAll(filepath.Join(after, filepath.Dir(name)), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(after, name), body, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if n, _ := count(t, open(t, after, nil), "up"); n != 60 {
		t.Errorf("%d samples after the power cut, want 60", n)
	}
}

func TestOnlyAcknowledgedWaysInAreSynced(t *testing.T) {
	disk, now := &platter{}, time.Now()
	s := openOn(t, t.TempDir(), disk)
	if err := put(t, s, now, 1, storage.AOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := disk.names(); got != nil {
		t.Errorf("an ordinary commit synced %v", got)
	}
	if err := putAcknowledged(s, now, 1); err != nil {
		t.Fatal(err)
	}
	if got := disk.names(); len(got) == 0 {
		t.Error("an acknowledged commit synced nothing")
	}
	s.cfg.SyncBeforeAck = false
	if err := putAcknowledged(s, now.Add(time.Second), 1); err != nil {
		t.Fatal(err)
	}
	if got := disk.names(); got != nil {
		t.Errorf("without sync_before_ack it synced %v", got)
	}
}

// A page that an fsync could not write is lost though the next fsync succeeds.
func TestAFailedSyncStopsWritesUntilARestart(t *testing.T) {
	disk, now := &platter{fail: syscall.EIO}, time.Now()
	dir := t.TempDir()
	s := openOn(t, dir, disk)
	if err := putAcknowledged(s, now, 1); !errors.Is(err, store.ErrReadOnly) || !errors.Is(err, syscall.EIO) {
		t.Fatalf("got %v, want ErrReadOnly for EIO", err)
	}
	disk.fail = nil
	s.checkDisk()
	err := put(t, s, now.Add(time.Second), 2, storage.AOptions{})
	if !errors.Is(err, store.ErrReadOnly) || !strings.Contains(err.Error(), "restart") {
		t.Errorf("after a failed sync: %v, want ErrReadOnly that asks for a restart", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := putAcknowledged(openOn(t, dir, disk), now.Add(time.Second), 1); err != nil {
		t.Errorf("after the restart: %v", err)
	}
}

func TestEveryFileThatMayHaveGrownIsSynced(t *testing.T) {
	dir, disk := t.TempDir(), &platter{}
	wal := filepath.Join(dir, "wal")
	if err := os.Mkdir(wal, 0o750); err != nil {
		t.Fatal(err)
	}
	write := func(n int) {
		t.Helper()
		if err := os.WriteFile(wlog.SegmentName(wal, n), []byte{1}, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	remove := func(n int) {
		t.Helper()
		if err := os.Remove(wlog.SegmentName(wal, n)); err != nil {
			t.Fatal(err)
		}
	}
	l := newLogSync(dir, disk.fsync, slog.New(slog.DiscardHandler))
	t.Cleanup(func() { _ = l.close() })
	for _, step := range []struct {
		name string
		do   func()
		want []string
	}{
		{"an empty folder", func() {}, nil},
		{"the first two files", func() { write(3); write(4) }, []string{"wal/00000003", "wal/00000004"}},
		{"the newest again", func() {}, []string{"wal/00000004"}},
		{"two newer ones", func() { write(5); write(6) }, []string{"wal/00000004", "wal/00000005", "wal/00000006"}},
		{"old ones truncated", func() { remove(3); remove(4) }, []string{"wal/00000006"}},
		{"all truncated that were known, and the next", func() {
			write(7)
			write(8)
			write(9)
			remove(5)
			remove(6)
			remove(7)
		}, []string{"wal/00000008", "wal/00000009"}},
	} {
		step.do()
		if err := l.wait(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		got := slices.DeleteFunc(disk.names(), func(name string) bool {
			_, err := os.Stat(filepath.Join(dir, name))
			return err != nil // a deleted file that was still open
		})
		if diff := cmp.Diff(step.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.name, diff)
		}
	}
}

// Who comes while a sync runs is not served by it, but by the next one, together.
func TestOneSyncServesAllThatWait(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "wal"), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(wlog.SegmentName(filepath.Join(dir, "wal"), 0), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	begun, goOn := make(chan struct{}), make(chan struct{})
	syncs := 0
	l := newLogSync(dir, func(f *os.File) error {
		if filepath.Base(f.Name()) == "wal" {
			return nil
		}
		syncs++
		begun <- struct{}{}
		<-goOn
		return nil
	}, slog.New(slog.DiscardHandler))
	answered := make(chan error, 11)
	wait := func() { answered <- l.wait() }
	go wait()
	<-begun
	first := l.waiting()
	for range 10 {
		go wait()
	}
	for l.waiting() != first+10 { // until all have come, while the first sync runs
		runtime.Gosched()
	}
	goOn <- struct{}{}
	<-begun
	if n := len(answered); n > 1 {
		t.Errorf("%d were answered by a sync that began before they came", n-1)
	}
	goOn <- struct{}{}
	for range 11 {
		if err := <-answered; err != nil {
			t.Error(err)
		}
	}
	if syncs != 2 {
		t.Errorf("%d syncs for one commit and ten more, want 2", syncs)
	}
	if err := l.close(); err != nil {
		t.Error(err)
	}
}

// waiting is how many wait for a sync that has not begun.
func (l *logSync) waiting() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.next.size
}
