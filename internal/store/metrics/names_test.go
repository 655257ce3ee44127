package metrics

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
)

// killedNow opens what a kill now would leave.
func killedNow(t *testing.T, dir string) *Store {
	t.Helper()
	killed := filepath.Join(t.TempDir(), "db")
	if err := os.CopyFS(killed, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	_ = os.Remove(filepath.Join(killed, "lock"))
	return open(t, killed, nil)
}

// putMany commits a sample of each of many series.
func putMany(s *Store, name string, series int, at time.Time) error {
	app := s.AppenderV2(context.Background())
	for i := range series {
		ls := labels.FromStrings("__name__", name, "i", fmt.Sprint(i), "pad", fmt.Sprintf("%032d", i*7919))
		if _, err := app.Append(0, ls, 0, at.UnixMilli(), 1, nil, nil, storage.AOptions{}); err != nil {
			_ = app.Rollback()
			return err
		}
	}
	return app.Commit()
}

func appendOne(t *testing.T, a storage.AppenderV2, name string, at time.Time) {
	t.Helper()
	if _, err := a.Append(0, labels.FromStrings("__name__", name), 0, at.UnixMilli(), 1, nil, nil, storage.AOptions{}); err != nil {
		t.Fatal(err)
	}
}

func end(t *testing.T, f func() error) {
	t.Helper()
	if err := f(); err != nil {
		t.Fatal(err)
	}
}

// Two senders have the same new series. Whoever ends first, its samples are there after a kill, whatever becomes of the
// other and of what each made for the other.
func TestSamplesOfASeriesThatAnotherBatchMadeSurviveAKill(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	s := open(t, dir, nil)
	lives := func(what string, first, second int) {
		t.Helper()
		again := killedNow(t, dir)
		for name, want := range map[string]int{"first": first, "second": second} {
			if n, _ := count(t, again, name); n != want {
				t.Errorf("%s: %s has %d samples, want %d", what, name, n, want)
			}
		}
	}
	a, b := s.Acknowledged().AppenderV2(context.Background()), s.Acknowledged().AppenderV2(context.Background())
	appendOne(t, a, "first", now)
	appendOne(t, b, "second", now)
	appendOne(t, b, "first", now.Add(time.Second))
	appendOne(t, a, "second", now.Add(time.Second))
	end(t, b.Commit)
	lives("the other is open", 1, 1)
	end(t, a.Commit)
	lives("both have ended", 2, 2) // late ones, too

	a, b = s.Quiet().AppenderV2(context.Background()), s.AppenderV2(context.Background())
	appendOne(t, a, "third", now)
	appendOne(t, b, "third", now.Add(time.Second))
	appendOne(t, b, "fourth", now.Add(time.Second))
	end(t, b.Commit)
	appendOne(t, a, "fifth", now)
	end(t, a.Rollback)
	for _, name := range []string{"third", "fourth"} {
		if n, _ := count(t, killedNow(t, dir), name); n != 1 {
			t.Errorf("%s has %d samples, want 1", name, n)
		}
	}
	if n := len(s.names.open); n > 0 {
		t.Errorf("%d batches still have labels to write", n)
	}
	if err := putMany(s, "fifth", 1, now); err != nil {
		t.Fatal(err)
	}
}

// Senders that make the same series all the time, some of whom give up, do not wait for each other for ever.
func TestManySendersOfTheSameNewSeries(t *testing.T) {
	const senders, rounds = 8, 40
	dir, now := t.TempDir(), time.Now()
	s := open(t, dir, nil)
	var all sync.WaitGroup
	for sender := range senders {
		all.Go(func() {
			for round := range rounds {
				a := s.Acknowledged().AppenderV2(context.Background())
				for _, series := range []int{round, round + 1} {
					ls := labels.FromStrings("__name__", "up", "i", fmt.Sprint(series))
					at := now.Add(time.Duration(2*round+series-round)*time.Second + time.Duration(sender)*time.Millisecond)
					if _, err := a.Append(0, ls, 0, at.UnixMilli(), 1, nil, nil, storage.AOptions{}); err != nil {
						t.Error(err)
					}
				}
				finish := a.Commit
				if sender == 0 {
					finish = a.Rollback
				}
				if err := finish(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if n, _ := count(t, killedNow(t, dir), "up"); n != (senders-1)*rounds*2 {
		t.Errorf("%d samples after a kill, want %d", n, (senders-1)*rounds*2)
	}
}

// alone is a batch whose commit sees whether another may be committed meanwhile.
type alone struct {
	s    *Store
	seen bool
}

func (a *alone) Commit() error {
	if a.s.names.turn.TryLock() {
		a.s.names.turn.Unlock()
		return errors.New("others may be committed meanwhile")
	}
	a.seen = true
	return nil
}

func (a *alone) Rollback() error { return nil }

func TestOneBatchIsCommittedAfterTheOther(t *testing.T) {
	s := open(t, t.TempDir(), nil)
	tx := &alone{s: s}
	if err := s.commit(tx, false, 0, &behind{n: &s.news}); err != nil || !tx.seen {
		t.Errorf("%v, %t", err, tx.seen)
	}
}

// Series that several batches make at once are listed in the order of their numbers: a list that a query reads is only added to. The
// race detector sees where it is not.
func TestAQueryReadsWhatOthersAddSeriesTo(t *testing.T) {
	s := open(t, t.TempDir(), nil)
	const writers, each = 4, 300
	now := time.Now().UnixMilli()
	var writing sync.WaitGroup
	for w := range writers {
		writing.Go(func() {
			old, v2 := s.Appender(t.Context()), s.AppenderV2(t.Context())
			for i := range each {
				ls := labels.FromStrings("__name__", "many", "n", fmt.Sprint(w, " ", i))
				var err error
				if w == 0 {
					_, err = old.Append(0, ls, now, 1)
				} else {
					_, err = v2.Append(0, ls, 0, now, 1, nil, nil, storage.AOptions{})
				}
				if err != nil {
					t.Error(err)
				}
			}
			if err := errors.Join(old.Commit(), v2.Commit()); err != nil {
				t.Error(err)
			}
		})
	}
	done := make(chan struct{})
	go func() {
		writing.Wait()
		close(done)
	}()
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		count(t, s, "many")
	}
	if floats, _ := count(t, s, "many"); floats != writers*each {
		t.Errorf("%d samples", floats)
	}
}
