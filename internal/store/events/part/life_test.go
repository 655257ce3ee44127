package part

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// The last of many readers deletes a doomed part, none before it, and nobody gets it afterwards.
func TestADoomedPartGoesWithItsLastReader(t *testing.T) {
	p := writeSomeLogs(t, someLogs(10))
	const readers = 8
	for range readers {
		if !p.Acquire() {
			t.Fatal("a part of the store cannot be acquired")
		}
	}
	p.Doom()
	p.Release() // the store's own
	var wg sync.WaitGroup
	for range readers - 1 {
		wg.Go(func() {
			if _, err := p.File(); err != nil {
				t.Error(err)
			}
			p.Release()
		})
	}
	wg.Wait()
	if !exists(p.Path()) || !exists(p.IndexPath()) {
		t.Fatal("deleted under a reader")
	}
	if !p.Acquire() {
		t.Fatal("a doomed part that is still read cannot be acquired")
	}
	p.Release()
	p.Release()
	if exists(p.Path()) || exists(p.IndexPath()) {
		t.Error("the last reader left, and the files stay")
	}
	if p.Acquire() {
		t.Error("a deleted part can be acquired")
	}
}

func TestAPartThatIsNotDoomedStaysOnTheDisk(t *testing.T) {
	p := writeSomeLogs(t, someLogs(10))
	if !p.Acquire() {
		t.Fatal("cannot acquire")
	}
	p.Release()
	p.Release() // as a store that closes does
	if !exists(p.Path()) || p.Acquire() {
		t.Error("a closed part is deleted, or can be acquired")
	}
	q, err := Open(nil, p.path)
	if err != nil || q.Rows != 10 {
		t.Fatalf("it does not open again: %v", err)
	}
	q.Release()
}

func TestIdleFilesAreClosedUnlessSomebodyReads(t *testing.T) {
	p := writeSomeLogs(t, someLogs(10))
	open := func() bool { return p.file != nil }
	used := func() {
		t.Helper()
		if _, err := p.File(); err != nil || !p.MayHaveTrace(someLogs(1)[0].TraceID) {
			t.Fatalf("cannot be read: %v", err)
		}
	}
	used()
	p.CloseIdle(p.used) // not before it was last used
	if !open() {
		t.Error("closed although it was just used")
	}
	p.Acquire()
	p.CloseIdle(p.used.Add(time.Nanosecond))
	if !open() {
		t.Error("closed under a reader")
	}
	p.Release()
	p.CloseIdle(p.used.Add(time.Nanosecond))
	if open() || p.filters.f != nil {
		t.Error("idle files stay open")
	}
	used()
	if !open() {
		t.Error("does not open again")
	}
}

func TestAPartWhoseRowsChangedDoesNotOpen(t *testing.T) {
	for name, c := range map[string]struct {
		change func(p *Part) error
		index  bool // the index is at fault, and Rebuild the cure
		kind   error
	}{
		"rows gone":     {func(p *Part) error { return os.Remove(p.Path()) }, false, os.ErrNotExist},
		"rows cut":      {func(p *Part) error { return os.Truncate(p.Path(), p.Size-1) }, false, ErrDamaged},
		"rows longer":   {func(p *Part) error { return os.Truncate(p.Path(), p.Size+1) }, false, ErrDamaged},
		"rows empty":    {func(p *Part) error { return os.Truncate(p.Path(), 0) }, false, ErrDamaged},
		"index gone":    {func(p *Part) error { return os.Remove(p.IndexPath()) }, true, os.ErrNotExist},
		"index empty":   {func(p *Part) error { return os.Truncate(p.IndexPath(), 0) }, true, ErrDamaged},
		"another's one": {func(p *Part) error { return os.Rename(writeSomeLogs(t, someLogs(30)).IndexPath(), p.IndexPath()) }, false, ErrDamaged},
	} {
		p := writeSomeLogs(t, someLogs(20))
		if err := c.change(p); err != nil {
			t.Fatal(err)
		}
		q, err := Open(nil, p.path)
		var index *IndexError
		if err == nil || !errors.Is(err, c.kind) || errors.As(err, &index) != c.index || !strings.Contains(err.Error(), filepath.Base(p.path)) {
			t.Errorf("%s: %v, %v", name, q, err)
		}
		if _, err := p.File(); !c.index && name != "another's one" && name != "rows longer" && err == nil {
			t.Errorf("%s: the open part reads on", name)
		}
	}
}

func TestRemovingAPairTwiceIsFine(t *testing.T) {
	p := writeSomeLogs(t, someLogs(10))
	for range 2 {
		if err := Remove(p.path); err != nil || exists(p.Path()) || exists(p.IndexPath()) {
			t.Errorf("%v, rows %v, index %v", err, exists(p.Path()), exists(p.IndexPath()))
		}
	}
	path := filepath.Join(t.TempDir(), "x")
	if err := os.MkdirAll(filepath.Join(path+RowsExt, "inner"), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := Remove(path); err == nil || !strings.Contains(err.Error(), path+RowsExt) {
		t.Errorf("a folder in place of the rows: %v", err)
	}
}

func TestAViewHoldsItsPartsUntilItIsReleased(t *testing.T) {
	p, q := writeSomeLogs(t, someLogs(10)), writeSomeLogs(t, someLogs(10))
	for _, one := range []*Part{p, q} {
		one.Acquire()
		one.Doom()
		one.Release() // the store's own: the view has the last one
	}
	var told []*Part
	v := NewView(Logs, []*Part{p, q}, nil, nil, func(p *Part, err error) {
		if !errors.Is(err, ErrDamaged) {
			t.Errorf("told %v", err)
		}
		told = append(told, p)
	})
	v.Damaged(q, ErrDamaged)
	if len(told) != 1 || told[0] != q || !exists(q.Path()) {
		t.Errorf("told of %v; a damaged part stays until the view goes: %v", told, exists(q.Path()))
	}
	v.Release()
	v.Release()
	if exists(p.Path()) || exists(q.Path()) {
		t.Error("the view is gone, and the files stay")
	}
	NewView(Spans, nil, nil, nil, nil).Damaged(p, ErrDamaged) // nobody wants to know
}

func TestAPartIsReadByManyAtOnce(t *testing.T) {
	p := writeSomeLogs(t, someLogs(1500))
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			for range 20 {
				if !p.Acquire() {
					t.Error("cannot acquire")
					return
				}
				if c, err := p.Column(ColMessage); err != nil || c == nil || c.NumValues() != 1500 {
					t.Errorf("column %v, %v", c, err)
				}
				if got := p.Candidates(wordsOf("orders")...); len(got) != 2 {
					t.Errorf("candidates %v", got)
				}
				p.Release()
				p.CloseIdle(time.Now())
			}
		})
	}
	wg.Wait()
}
