package scan_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

// Whoever turns pages by the time of the last row sees every row once, though many share an instant.
func TestPagesByTimeShowEveryRow(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s, all := someStore(t, rt)
		most := map[int64]int{} // rows of an instant
		for _, r := range all {
			most[r.Time]++
		}
		size := rapid.IntRange(1, 60).Draw(rt, "page")
		for _, n := range most {
			size = max(size, n+1) // a page of one instant only would not lead on
		}
		oldest, seen := rapid.Bool().Draw(rt, "oldest"), map[string]bool{}
		q := store.LogQuery{Limit: size, Oldest: oldest, Range: store.Range{Start: 0, End: int64(2 * time.Hour)}}
		for pages := 0; ; pages++ {
			if pages > len(all)+1 {
				rt.Fatal("the pages do not end")
			}
			rows, last := 0, int64(0)
			for r, err := range s.Logs(t.Context(), q) {
				if err != nil {
					rt.Fatal(err)
				}
				if !q.Range.Contains(r.Time) {
					rt.Fatalf("%d is not in %+v", r.Time, q.Range)
				}
				rows, last, seen[r.RequestID] = rows+1, r.Time, true
			}
			if rows < size {
				break
			}
			if oldest {
				q.Range.Start = last
			} else {
				q.Range.End = last + 1
			}
		}
		if len(seen) != len(all) {
			rt.Fatalf("%d of %d rows were shown by pages of %d", len(seen), len(all), size)
		}
	})
}

// A query without limit collects some thousand rows at a time; an instant may have more.
func TestMoreRowsAtOneInstantThanAreCollectedAtATime(t *testing.T) {
	const many = 16384 + 300
	s, res := newPlainStore(t), &model.Resource{Tenant: "default", Service: "edge"}
	var batch []model.LogRecord
	add := func(at int64, n int) {
		for range n {
			batch = append(batch, model.LogRecord{Time: at, RequestID: fmt.Sprint("r", len(batch)), Message: "m", Resource: res})
		}
	}
	hour := int64(time.Hour)
	add(hour, 40)
	add(hour+1, many)
	add(hour+2, 40)
	half := len(batch) / 2
	if err := errors.Join(s.AppendLogs(t.Context(), batch[:half]), s.Seal(t.Context()), s.AppendLogs(t.Context(), batch[half:])); err != nil {
		t.Fatal(err)
	}
	for _, oldest := range []bool{false, true} {
		for _, limit := range []int{0, many + 60} {
			seen, last := map[string]bool{}, int64(0)
			for r, err := range s.Logs(t.Context(), store.LogQuery{Oldest: oldest, Limit: limit}) {
				if err != nil {
					t.Fatal(err)
				}
				if last != 0 && r.Time != last && (r.Time > last) != oldest {
					t.Fatalf("%d comes after %d", r.Time, last)
				}
				last, seen[r.RequestID] = r.Time, true
			}
			want := len(batch)
			if limit > 0 {
				want = limit
			}
			if len(seen) != want {
				t.Errorf("oldest first %v, limit %d: %d different rows, want %d", oldest, limit, len(seen), want)
			}
		}
	}
}

// A part that was merged away meanwhile is deleted when its last reader is done, also one that breaks off.
func TestWhoeverStopsReadingLetsGoOfTheParts(t *testing.T) {
	all := store.Range{Start: 1, End: int64(3 * time.Hour)}
	for name, read := range map[string]func(ctx context.Context, s *plainStore) error{
		"the first row": func(ctx context.Context, s *plainStore) error {
			for range s.Logs(ctx, store.LogQuery{}) {
				break
			}
			return nil
		},
		"all rows": func(ctx context.Context, s *plainStore) error {
			for _, err := range s.Logs(ctx, store.LogQuery{}) {
				if err != nil {
					return err
				}
			}
			return nil
		},
		"no row at all": func(ctx context.Context, s *plainStore) error {
			for _, err := range s.Logs(ctx, store.LogQuery{Expr: store.Text{Phrase: "absent"}}) {
				return err
			}
			return nil
		},
		"counts": func(ctx context.Context, s *plainStore) error {
			_, err := s.LogHistogram(ctx, store.LogQuery{Range: all}, time.Minute, "level")
			_, err2 := s.LogValues(ctx, store.LogQuery{}, "request_id", 3)
			_, err3 := s.LogFields(ctx, store.LogQuery{}, 3)
			return errors.Join(err, err2, err3)
		},
		"a refusal": func(ctx context.Context, s *plainStore) error {
			if _, err := s.LogHistogram(ctx, store.LogQuery{Range: all}, 0, "level"); err == nil {
				return errors.New("a step of nothing is taken")
			}
			return nil
		},
	} {
		for _, cancelled := range []bool{false, true} {
			s := twoParts(t)
			ctx, cancel := context.WithCancel(t.Context())
			if cancelled {
				cancel()
			}
			err := read(ctx, s)
			cancel()
			if cancelled && name != "the first row" && name != "a refusal" && !errors.Is(err, context.Canceled) || !cancelled && err != nil {
				t.Errorf("%s, cancelled %v: %v", name, cancelled, err)
			}
			for _, p := range s.parts[part.Logs] {
				p.Doom()
				p.Release()
				if _, err := os.Stat(p.Path()); !os.IsNotExist(err) {
					t.Errorf("%s, cancelled %v: the part is still held, %v", name, cancelled, err)
				}
			}
			s.parts[part.Logs] = nil
		}
	}
}

// Between two rows, a reader that is gone is noticed.
func TestRowsEndWithTheirContext(t *testing.T) {
	s := twoParts(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	rows := 0
	var last error
	for _, err := range s.Logs(ctx, store.LogQuery{}) {
		if last = err; err == nil {
			if rows++; rows == 3 {
				cancel()
			}
		}
	}
	if rows != 3 || !errors.Is(last, context.Canceled) {
		t.Errorf("%d rows, then %v", rows, last)
	}
}
