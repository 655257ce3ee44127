package cumulative

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	common "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// written is one sample as the store saw it; a stale one has value -1.
type written struct {
	Series string
	T      int64
	V      float64
	Trace  string
}

// recorder keeps what was committed.
type recorder struct {
	committed []written
	fail      error // of Commit
	refuse    error // of Append, for single samples
}

type tx struct {
	r       *recorder
	pending []written
}

func (r *recorder) AppenderV2(context.Context) storage.AppenderV2 { return &tx{r: r} }

func (a *tx) Append(_ storage.SeriesRef, ls labels.Labels, _, t int64, v float64, _ *histogram.Histogram, _ *histogram.FloatHistogram, o storage.AOptions) (storage.SeriesRef, error) {
	if a.r.refuse != nil {
		return 0, a.r.refuse
	}
	w := written{Series: ls.Get("__name__"), T: t, V: v}
	if value.IsStaleNaN(v) {
		w.V = -1
	}
	for _, e := range o.Exemplars {
		w.Trace = e.Labels.Get("trace_id")
	}
	a.pending = append(a.pending, w)
	return 1, nil
}

func (a *tx) Commit() error {
	if a.r.fail != nil {
		return a.r.fail
	}
	a.r.committed = append(a.r.committed, a.pending...)
	return nil
}

func (a *tx) Rollback() error { return nil }

func (r *recorder) take() []written {
	w := r.committed
	r.committed = nil
	return w
}

func newSet(t *testing.T, r *recorder) *Set[string] {
	t.Helper()
	s, err := New[string](DefaultConfig(), Deps{Name: "test", Appendable: r})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func series(name string) []Series {
	return []Series{{Labels: labels.FromStrings("__name__", name), Family: name}}
}

func flush(t *testing.T, s *Set[string], seconds float64) {
	t.Helper()
	if err := s.Flush(t.Context(), time.UnixMilli(int64(seconds*1000))); err != nil {
		t.Fatal(err)
	}
}

func TestTheLifeOfASeries(t *testing.T) {
	r := &recorder{}
	s := newSet(t, r)
	g := s.Put("a", series("a"))
	expect := func(when string, want ...written) {
		t.Helper()
		if diff := cmp.Diff(want, r.take()); diff != "" {
			t.Errorf("%s: %s", when, diff)
		}
	}
	flush(t, s, 99)
	expect("before its first event it is not written")
	g.Add(0, 3)
	g.Exemplify(0, Exemplar{TraceID: model.TraceID{1}, Value: 3})
	g.Exemplify(0, Exemplar{TraceID: model.TraceID{2}, Value: 3})
	flush(t, s, 100)
	expect("it begins with zero", written{"a", 99_000, 0, ""}, written{"a", 100_000, 3, model.TraceID{1}.String()})
	flush(t, s, 101)
	expect("unchanged it rests")
	g.Add(0, 2)
	flush(t, s, 102)
	expect("a change is written at once", written{"a", 102_000, 5, ""})
	flush(t, s, 116)
	expect("it rests until its heartbeat")
	flush(t, s, 117)
	expect("and is repeated then", written{"a", 117_000, 5, ""})
	flush(t, s, 102+3600)
	expect("idle for an hour it ends", written{"a", 3_702_000, -1, ""})
	if s.Len() != 0 {
		t.Error("an ended series is still kept")
	}
	s.Put("a", series("a")).Add(0, 1)
	flush(t, s, 4000)
	expect("and may begin anew", written{"a", 3_999_000, 0, ""}, written{"a", 4_000_000, 1, ""})
}

func TestAFailedFlushLosesNothing(t *testing.T) {
	r := &recorder{fail: store.ErrReadOnly}
	s := newSet(t, r)
	g := s.Put("a", series("a"))
	g.Add(0, 3)
	g.Exemplify(0, Exemplar{TraceID: model.TraceID{1}})
	if err := s.Flush(t.Context(), time.Unix(100, 0)); !errors.Is(err, store.ErrReadOnly) {
		t.Fatal(err)
	}
	r.fail, r.refuse = nil, store.ErrOverloaded
	if err := s.Flush(t.Context(), time.Unix(101, 0)); !errors.Is(err, store.ErrOverloaded) {
		t.Fatal(err)
	}
	r.refuse = nil
	g.Add(0, 1)
	flush(t, s, 102)
	want := []written{{"a", 101_000, 0, ""}, {"a", 102_000, 4, model.TraceID{1}.String()}}
	if diff := cmp.Diff(want, r.take()); diff != "" {
		t.Error(diff)
	}
}

func TestASampleThatIsRefusedAloneDoesNotStopTheOthers(t *testing.T) {
	r := &recorder{refuse: storage.ErrOutOfOrderSample}
	s := newSet(t, r)
	s.Put("a", series("a")).Add(0, 1)
	flush(t, s, 100)
	r.refuse = nil
	s.Put("b", series("b")).Add(0, 1)
	flush(t, s, 101)
	if got := r.take(); len(got) != 2 || got[0].Series != "b" {
		t.Errorf("got %v", got)
	}
}

func TestRunFlushesEveryIntervalAndAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{}
		s := newSet(t, r)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- s.Run(ctx, nil) }()
		s.Lock()
		g := s.Put("a", series("a"))
		g.Add(0, 1)
		s.Unlock()
		<-time.After(1500 * time.Millisecond)
		synctest.Wait()
		if got := r.take(); len(got) != 2 || got[1].V != 1 {
			t.Errorf("after one interval: %v", got)
		}
		s.Lock()
		g.Add(0, 1)
		s.Unlock()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if got := r.take(); len(got) != 1 || got[0].V != 2 {
			t.Errorf("at the end: %v", got)
		}
	})
}

func TestConfigProblemsAreNamed(t *testing.T) {
	if errs := (Config{Interval: 1, Heartbeat: common.Duration(time.Hour), IdleTimeout: 0}).Validate(); len(errs) != 3 {
		t.Errorf("errs = %v", errs)
	}
	if errs := DefaultConfig().Validate(); len(errs) != 0 {
		t.Error(errs)
	}
}
