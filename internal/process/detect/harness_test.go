package detect

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	common "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"

	"github.com/signalbox-project/signalbox/internal/model"
)

// world is a metrics store with one watched series whose values are a function
// of time, and with what the detector wrote.
type world struct {
	at     func(t time.Time) float64 // NaN: no sample
	events func(t time.Time) float64
	born   time.Time // nothing before

	written map[string][]model.Point // by name
	pending map[string]model.Point
}

func (w *world) value(expr string, t time.Time) float64 {
	switch {
	case t.Before(w.born):
		return math.NaN()
	case expr == "events":
		return w.events(t)
	}
	return w.at(t)
}

func (w *world) Instant(_ context.Context, expr string, t time.Time) ([]model.Sample, error) {
	v := w.value(expr, t)
	if math.IsNaN(v) {
		return nil, nil
	}
	return []model.Sample{{Labels: model.Labels{"service": "edge"}, Time: t, Value: v}}, nil
}

func (w *world) Range(_ context.Context, expr string, start, end time.Time, step time.Duration) ([]model.Series, error) {
	out := model.Series{Labels: model.Labels{"service": "edge"}}
	scores, next := w.written[scoreName], 0
	if expr != "requests" && expr != "events" {
		out.Labels = model.Labels{"service": "edge", "detector": "d", "severity": "critical"}
		next = max(0, len(scores)-int(end.Sub(start)/step)-20)
	}
	for t := start; !t.After(end); t = t.Add(step) {
		if expr == "requests" || expr == "events" {
			if v := w.value(expr, t); !math.IsNaN(v) {
				out.Points = append(out.Points, model.Point{Time: t, Value: v})
			}
			continue
		}
		for next < len(scores) && !scores[next].Time.After(t) {
			next++
		}
		if next > 0 && t.Sub(scores[next-1].Time) < 5*time.Minute && !value.IsStaleNaN(scores[next-1].Value) {
			out.Points = append(out.Points, model.Point{Time: t, Value: scores[next-1].Value})
		}
	}
	if len(out.Points) == 0 {
		return nil, nil
	}
	return []model.Series{out}, nil
}

func (w *world) AppenderV2(context.Context) storage.AppenderV2 {
	w.pending = map[string]model.Point{}
	return w
}

func (w *world) Append(_ storage.SeriesRef, ls labels.Labels, _, t int64, v float64, _ *histogram.Histogram, _ *histogram.FloatHistogram, _ storage.AOptions) (storage.SeriesRef, error) {
	w.pending[ls.Get("__name__")] = model.Point{Time: time.UnixMilli(t), Value: v}
	return 0, nil
}

func (w *world) AppendExemplar(storage.SeriesRef, labels.Labels, exemplar.Exemplar) (storage.SeriesRef, error) {
	return 0, nil
}

func (w *world) Commit() error {
	for name, p := range w.pending {
		w.written[name] = append(w.written[name], p)
	}
	return nil
}

func (w *world) Rollback() error { return nil }

// newest is the last value of a series; NaN when it ended or never was.
func (w *world) newest(name string) float64 {
	l := w.written[name]
	if len(l) == 0 {
		return math.NaN()
	}
	return l[len(l)-1].Value
}

// watcher runs one detector on a world.
type watcher struct {
	*Detectors
	*world
	now   time.Time
	step  time.Duration
	since time.Time // of the score's being outside
	// firings are when a rule "score outside for 2m" would have fired.
	firings []time.Time
	firing  bool
}

// monday is the beginning of a week far from any change of clocks.
var monday = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

func watch(t *testing.T, w *world, step time.Duration, from time.Time, change func(*Definition)) *watcher {
	t.Helper()
	def := withDefaults()
	def.Name, def.Expr, def.Labels = "d", "requests", map[string]string{"severity": "critical"}
	if change != nil {
		change(&def)
	}
	if errs := def.validate(); len(errs) > 0 {
		t.Fatal(errs)
	}
	if w.written == nil {
		w.written = map[string][]model.Point{}
	}
	d, err := New(Config{Interval: common.Duration(step), MaxSeries: 10}, Deps{Querier: w, Appendable: w})
	if err != nil {
		t.Fatal(err)
	}
	d.list = []*detector{{def: def, watched: map[string]*watched{}}}
	return &watcher{Detectors: d, world: w, now: from, step: step}
}

// until evaluates up to t and says what fired on the way: the rule's condition
// held for two minutes.
func (w *watcher) until(t time.Time) []time.Time {
	before := len(w.firings)
	for ; w.now.Before(t); w.now = w.now.Add(w.step) {
		w.Evaluate(context.Background(), w.now)
		if s := w.newest(scoreName); !(math.Abs(s) > 1) {
			w.since, w.firing = time.Time{}, false
			continue
		}
		if w.since.IsZero() {
			w.since = w.now
		}
		if !w.firing && w.now.Sub(w.since) >= 2*time.Minute {
			w.firing = true
			w.firings = append(w.firings, w.now)
		}
	}
	return w.firings[before:]
}

// day is a day's traffic with a quiet night and a peak at 14:30; quieter on
// weekends, which come and go over six hours.
func day(t time.Time) float64 {
	h := float64(t.Hour()) + float64(t.Minute())/60 + float64(t.Second())/3600
	v := 0.25 + math.Exp(-(h-14.5)*(h-14.5)/18)
	weekend := func(t time.Time) float64 {
		if wd := t.Weekday(); wd == time.Saturday || wd == time.Sunday {
			return 0.3
		}
		return 1
	}
	before, after := weekend(t.Add(-3*time.Hour)), weekend(t.Add(3*time.Hour))
	x := math.Mod(h+3, 24) / 6 // of the six hours around midnight
	if before == after || x > 1 {
		return v * after
	}
	return v * (before + (after-before)*x)
}

// counted is what rate(x[window]) would answer of events that happen at
// perSecond(t), by chance: every 30 s draw their own number, so that windows that overlap
// share what they share. extra is scatter of the level itself. It covers the
// six weeks from monday.
func counted(perSecond func(time.Time) float64, window time.Duration, extra float64, seed uint64) func(time.Time) float64 {
	const slot = 30
	rng := rand.New(rand.NewPCG(seed, 7))
	sums := make([]float64, 42*24*3600/slot)
	for i := 1; i < len(sums); i++ {
		at := monday.Add(time.Duration(i*slot) * time.Second)
		sums[i] = sums[i-1] + poisson(rng, perSecond(at)*slot*math.Exp(extra*rng.NormFloat64()))
	}
	return func(t time.Time) float64 {
		last := int(t.Sub(monday) / (slot * time.Second))
		first := last - int(window/(slot*time.Second))
		if first < 0 || last >= len(sums) {
			return math.NaN()
		}
		return (sums[last] - sums[first]) / window.Seconds()
	}
}

func poisson(rng *rand.Rand, mean float64) float64 {
	if mean > 50 {
		return max(0, math.Round(mean+math.Sqrt(mean)*rng.NormFloat64()))
	}
	n, p, limit := 0.0, rng.Float64(), math.Exp(-mean)
	for p > limit {
		n++
		p *= rng.Float64()
	}
	return n
}
