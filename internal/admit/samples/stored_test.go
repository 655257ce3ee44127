package samples

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/tsdbutil"
	"pgregory.net/rapid"
)

// real is the admission before a database that takes samples up to 10 h late.
func real(t testing.TB, c Counter) (*tsdb.DB, *Admission) {
	t.Helper()
	o := tsdb.DefaultOptions()
	o.OutOfOrderTimeWindow = (10 * time.Hour).Milliseconds()
	o.OutOfOrderCapMax = 4 // so that chunks of late samples are soon full
	db, err := tsdb.Open(t.TempDir(), promslog.NewNopLogger(), nil, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	db.DisableCompactions()
	t.Cleanup(func() { _ = db.Close() })
	a, err := New(DefaultConfig(), Deps{
		Next: db, Stored: db, Counter: c, OutOfOrderWindow: 10 * time.Hour, Now: func() time.Time { return start },
	})
	if err != nil {
		t.Fatal(err)
	}
	return db, a
}

// kinds are samples of each kind by a number; two numbers are two values.
var kinds = map[string]func(i int64) (float64, *histogram.Histogram, *histogram.FloatHistogram){
	"number": func(i int64) (float64, *histogram.Histogram, *histogram.FloatHistogram) { return float64(i), nil, nil },
	"histogram": func(i int64) (float64, *histogram.Histogram, *histogram.FloatHistogram) {
		return 0, tsdbutil.GenerateTestHistogram(i), nil
	},
	"float histogram": func(i int64) (float64, *histogram.Histogram, *histogram.FloatHistogram) {
		return 0, nil, tsdbutil.GenerateTestFloatHistogram(i)
	},
	"histogram of other buckets": func(i int64) (float64, *histogram.Histogram, *histogram.FloatHistogram) {
		h := tsdbutil.GenerateTestHistogram(i % 2)
		h.PositiveSpans[1].Offset += int32(i) //nolint:gosec // small
		return 0, h, nil
	},
	"end": func(i int64) (float64, *histogram.Histogram, *histogram.FloatHistogram) {
		if i%2 == 0 {
			return math.Float64frombits(value.StaleNaN), nil, nil
		}
		return math.NaN(), nil, nil
	},
}

// send sends one sample as a batch of its own, and says for which reason it was refused.
func send(t testing.TB, a *Admission, ls labels.Labels, at time.Time, v float64, h *histogram.Histogram, fh *histogram.FloatHistogram) string {
	t.Helper()
	app := a.For("p").AppenderV2(context.Background())
	_, err := app.Append(0, ls, 0, at.UnixMilli(), v, h, fh, storage.AOptions{})
	if cerr := app.Commit(); cerr != nil {
		t.Fatal(cerr)
	}
	var r *RefusalError
	switch {
	case errors.As(err, &r):
		return r.Reason
	case err != nil:
		t.Fatal(err)
	}
	return ""
}

// Wherever the first value is, and of whatever kind: the same one again is no news, and another is refused.
func TestALateSampleOfAnotherValueIsRefused(t *testing.T) {
	places := map[string]func(t *testing.T, db *tsdb.DB){
		"head": func(*testing.T, *tsdb.DB) {},
		"block of late samples": func(t *testing.T, db *tsdb.DB) {
			if err := db.CompactOOOHead(t.Context()); err != nil {
				t.Fatal(err)
			}
		},
		"block": func(t *testing.T, db *tsdb.DB) {
			if err := errors.Join(db.Compact(t.Context()), db.CompactOOOHead(t.Context())); err != nil || len(db.Blocks()) == 0 {
				t.Fatal(err, len(db.Blocks()))
			}
		},
	}
	for place, move := range places {
		for kind, make := range kinds {
			t.Run(kind+" in "+place, func(t *testing.T) {
				count := tally{}
				db, a := real(t, count)
				ls, sent := named("kind", kind), 0
				sending := func(after time.Duration, i int64, want string) {
					t.Helper()
					v, h, fh := make(i)
					if got := send(t, a, ls, start.Add(after), v, h, fh); got != want {
						t.Errorf("%s, value %d: refused for %q, want %q", after, i, got, want)
					}
					sent++
				}
				for i := range 12 { // in order, then late ones between them
					sending(time.Duration(i-12)*30*time.Minute, int64(i), "")
				}
				for i := range 11 {
					sending(time.Duration(i-12)*30*time.Minute+time.Minute, int64(i), "")
				}
				move(t, db)
				for i := range 11 {
					at := time.Duration(i-12) * 30 * time.Minute
					sending(at, int64(i), "")
					sending(at, int64(i+1), ReasonSameTime)
					sending(at+time.Minute, int64(i), "")
					sending(at+time.Minute, int64(i+1), ReasonSameTime)
					sending(at+2*time.Minute, int64(i), "")
				}
				if n := count["stored metrics"] + count["refused metrics "+ReasonSameTime]; n != sent || count["received metrics p"] != sent || count["refused metrics "+ReasonSameTime] != 22 {
					t.Errorf("%d sent: %v", sent, count)
				}
				if n := len(readAll(t, db)); n != 34 {
					t.Errorf("%d samples can be read, want 34", n)
				}
			})
		}
	}
}

func readAll(t testing.TB, db *tsdb.DB) map[string]float64 {
	t.Helper()
	q, err := db.Querier(0, math.MaxInt64)
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	out := map[string]float64{}
	set := q.Select(context.Background(), false, nil, labels.MustNewMatcher(labels.MatchRegexp, "__name__", ".+"))
	for set.Next() {
		it := set.At().Iterator(nil)
		for kind := it.Next(); kind != chunkenc.ValNone; kind = it.Next() {
			v := 0.0
			if kind == chunkenc.ValFloat {
				_, v = it.At()
			}
			out[fmt.Sprint(set.At().Labels(), it.AtT())] = v
		}
	}
	if err := set.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// Whatever batches bring, late or not: the first value of a time is the one that is read, and each other one was refused.
func TestTheFirstValueOfATimeStays(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		count := tally{}
		db, a := real(t, count)
		first, conflicts, sent := map[string]float64{}, 0, 0
		for range rapid.IntRange(1, 6).Draw(rt, "batches") {
			app := a.For("p").AppenderV2(context.Background())
			for range rapid.IntRange(1, 12).Draw(rt, "samples") {
				ls := named("l", strconv.Itoa(rapid.IntRange(0, 1).Draw(rt, "series")))
				at := start.Add(-time.Duration(rapid.IntRange(0, 9).Draw(rt, "time")) * 7 * time.Minute).UnixMilli()
				v := float64(rapid.IntRange(0, 2).Draw(rt, "value"))
				_, err := app.Append(0, ls, 0, at, v, nil, nil, storage.AOptions{})
				sent++
				key := fmt.Sprint(ls, at)
				was, known := first[key]
				if !known {
					first[key] = v
				}
				if refused := known && was != v; refused != (err != nil) {
					rt.Fatalf("%s: %g after %g (%t): %v", key, v, was, known, err)
				} else if refused {
					conflicts++
				}
			}
			if err := app.Commit(); err != nil {
				rt.Fatal(err)
			}
			if rapid.IntRange(0, 9).Draw(rt, "to a block") == 0 {
				if err := db.CompactOOOHead(t.Context()); err != nil {
					rt.Fatal(err)
				}
			}
		}
		if got := readAll(t, db); fmt.Sprint(got) != fmt.Sprint(first) {
			rt.Fatalf("read %v, want %v", got, first)
		}
		if count["received metrics p"] != sent || count["stored metrics"] != sent-conflicts || count["refused metrics "+ReasonSameTime] != conflicts {
			rt.Fatalf("%d sent, %d conflicts: %v", sent, conflicts, count)
		}
	})
}

// A late sample costs a look at what is stored; one look serves a run of late samples of a series.
func BenchmarkLateSamples(b *testing.B) {
	for _, c := range []struct {
		name           string
		series, length int
	}{{"one of each of 1000 series", 1000, 1}, {"runs of 100 of 10 series", 10, 100}} {
		b.Run(c.name, func(b *testing.B) {
			_, a := real(b, discard{})
			app := a.For("p").AppenderV2(context.Background())
			for i := range 50_000 {
				for _, at := range []time.Duration{-2 * time.Hour, 0} {
					if _, err := app.Append(0, named("instance", strconv.Itoa(i), "job", strconv.Itoa(i%10)), 0, start.Add(at).UnixMilli(), 1, nil, nil, storage.AOptions{}); err != nil {
						b.Fatal(err)
					}
				}
			}
			if err := app.Commit(); err != nil {
				b.Fatal(err)
			}
			for n := 0; b.Loop(); n++ {
				app := a.For("p").AppenderV2(context.Background())
				for i := range c.series {
					ls := named("instance", strconv.Itoa(i), "job", strconv.Itoa(i%10))
					for j := range c.length {
						at := start.Add(-9*time.Hour + time.Duration((n*c.length+j)%1800)*15*time.Second)
						if _, err := app.Append(0, ls, 0, at.UnixMilli(), 1, nil, nil, storage.AOptions{}); err != nil {
							b.Fatal(err)
						}
					}
				}
				if err := app.Commit(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*c.series*c.length), "ns/sample")
		})
	}
}
