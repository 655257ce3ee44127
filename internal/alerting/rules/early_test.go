package rules

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	promrules "github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/storage"

	"github.com/signalbox-project/signalbox/internal/notify"
)

// busyStore has no samples, says that some arrived, always or while it was asked
// for the first time, and remembers for which times it was asked.
type busyStore struct {
	Store
	asked    []time.Time
	once     bool
	arrivals chan struct{}
}

func (b *busyStore) Arrivals() (<-chan struct{}, func()) {
	b.arrivals = make(chan struct{}, 1)
	if !b.once {
		close(b.arrivals)
	}
	return b.arrivals, func() {}
}

func (b *busyStore) Querier(_, maxt int64) (storage.Querier, error) {
	b.asked = append(b.asked, time.UnixMilli(maxt))
	if b.once && len(b.asked) == 1 && b.arrivals != nil {
		b.arrivals <- struct{}{}
	}
	return storage.NoopQuerier(), nil
}

func (b *busyStore) Appender(context.Context) storage.Appender { return noAppender{} }

type noAppender struct{ storage.Appender }

func (noAppender) Commit() error                           { return nil }
func (noAppender) SetOptions(*storage.AppendOptions)       {}
func (noAppender) Rollback() error                         { return nil }
func (nobody) Send(context.Context, ...notify.Alert) error { return nil }

type nobody struct{}

func TestNoEarlyEvaluationIsNewerThanTheRegularOneThatFollows(t *testing.T) {
	for _, c := range []struct {
		name string
		late time.Duration // how late the goroutine runs after it was woken
		want int
	}{
		{"in time: once regularly, and early every half second until the next", 0, 4},
		{"starved: woken before the next regular evaluation, running after it", 2 * time.Second, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := &busyStore{}
			turn(t, b, func(r *Rules) { r.now = func() time.Time { return time.Now().Add(c.late) } })
			if len(b.asked) != c.want {
				t.Errorf("evaluated %d times, want %d: %v", len(b.asked), c.want, b.asked)
			}
		})
	}
}

// No other sample may come before the group's next turn.
func TestASampleThatComesDuringAnEvaluationIsSeenEarly(t *testing.T) {
	b := &busyStore{once: true}
	turn(t, b, nil)
	if len(b.asked) != 2 || b.asked[1].Sub(b.asked[0]) != earliest {
		t.Errorf("evaluated at %v, want once more after %s", b.asked, earliest)
	}
	// Nor is it forgotten because there was no time for it then.
	b = &busyStore{once: true}
	turn(t, b, func(r *Rules) { r.budget.next = time.Now().Add(1300 * time.Millisecond) })
	if len(b.asked) != 2 || b.asked[1].Sub(b.asked[0]) != 1300*time.Millisecond {
		t.Errorf("evaluated at %v, want once more after 1.3 s", b.asked)
	}
}

// turn is one iteration of a group with an interval of two seconds.
func turn(t *testing.T, b *busyStore, change func(*Rules)) {
	t.Helper()
	engine := promql.NewEngine(promql.EngineOpts{MaxSamples: 10, Timeout: time.Minute})
	defer engine.Close()
	r, err := New(DefaultConfig(), Deps{Engine: engine, Store: b, Sender: nobody{}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { // what New began ends with a run
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		if err := r.Run(ended); err != nil {
			t.Error(err)
		}
	}()
	file := filepath.Join(t.TempDir(), "r.yml")
	if err := os.WriteFile(file, []byte("groups: [{name: g, rules: [{alert: A, expr: errors > 1}]}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	groups, errs := r.LoadGroups(2*time.Second, labels.EmptyLabels(), "", r.evaluate, false, file)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	synctest.Test(t, func(t *testing.T) {
		r.interrupt = newInterrupt() // a channel of this bubble
		if change != nil {
			change(r)
		}
		at := time.Now()
		r.evaluate(t.Context(), groups[promrules.GroupKey(file, "g")], at)
		next := at.Add(2 * time.Second)
		for _, asked := range b.asked {
			if !asked.Before(next) {
				t.Errorf("evaluated for %s, the next regular one is for %s", asked, next)
			}
		}
	})
}
