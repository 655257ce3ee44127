package slo_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"
	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/budget"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/times"
	"github.com/signalbox-project/signalbox/internal/slo"
	"github.com/signalbox-project/signalbox/internal/slo/definition"
	"github.com/signalbox-project/signalbox/internal/slo/promexpr"
	"github.com/signalbox-project/signalbox/internal/store"
)

// The oracle of this file, and of the others named so, knows no slots, tiers,
// ledgers or queries. It has a list of events and counts them again for every
// question. The engine sees the same events as samples of counters, through
// real PromQL over a store in memory.
//
// What a window holds is defined by two sentences: an event belongs to the
// scrape that first shows it; and where a window begins within the finest piece of time still
// kept there (a minute for six hours, five minutes for three days, an hour before), the events
// of that piece count in proportion.

// sample is what a series shows.
type sample struct {
	at, arrived time.Time
	v           float64
}

// stream is a service's life.
type stream struct {
	series map[string][]sample
	good   map[string]bool
}

// life says how a service fares.
type life struct {
	start, end time.Time
	every      time.Duration
	seed       uint64
	misses     float64 // share of scrapes that fail
	resets     float64 // share of scrapes after which the process starts anew
	late       float64 // share of scrapes that arrive late
	lateBy     time.Duration
	silences   int // telemetry stops for a while, and the process starts anew
	rate       int // events per scrape at most
}

func (l life) live() *stream {
	random := rand.New(rand.NewPCG(l.seed, 7))
	s := &stream{series: map[string][]sample{}, good: map[string]bool{"ok-a": true, "ok-b": true}}
	names := []string{"ok-a", "ok-b", "error-a"}
	counter, missed, seen := map[string]float64{}, map[string]int{}, map[string]bool{}
	silent := map[int64]bool{}
	scrapes := int64(l.end.Sub(l.start) / l.every)
	for range l.silences {
		from := random.Int64N(max(scrapes, 1))
		for k := range int64((10*time.Minute + time.Duration(random.Int64N(int64(3*time.Hour)))) / l.every) {
			silent[from+k] = true
		}
	}
	badness := 0
	for k := int64(1); k <= scrapes; k++ {
		at := l.start.Add(time.Duration(k) * l.every)
		if random.IntN(200) == 0 {
			badness = []int{0, 0, 0, 1, 5, 100}[random.IntN(6)]
		}
		if silent[k] {
			for _, name := range names {
				counter[name], missed[name], seen[name] = 0, 0, false
			}
			continue
		}
		for _, name := range names {
			n := float64(random.IntN(l.rate + 1))
			if bad := random.IntN(100) < badness; bad == s.good[name] {
				n = 0
			}
			counter[name] += n
			// A counter that is seen again within five minutes has lost nothing.
			if random.Float64() < l.misses && time.Duration(missed[name]+2)*l.every < 5*time.Minute {
				missed[name]++
				continue
			}
			arrived := at
			if !seen[name] { // the first scrape of a process comes in time, and before its first event
				counter[name], seen[name] = 0, true
				s.see(name, at, arrived, 0)
				continue
			}
			if late := random.Float64() < l.late; late && time.Duration(missed[name]+2)*l.every < 5*time.Minute {
				missed[name]++
				arrived = at.Add(time.Duration(random.Int64N(int64(l.lateBy) + 1)))
			}
			s.see(name, at, arrived, counter[name])
			if arrived.Equal(at) {
				missed[name] = 0
			}
			if random.Float64() < l.resets {
				counter[name] = 0
			}
		}
	}
	return s
}

func (s *stream) see(name string, at, arrived time.Time, v float64) {
	s.series[name] = append(s.series[name], sample{at, arrived, v})
}

// span is a piece of time (from, to].
type span struct{ from, to time.Time }

func (x span) holds(at time.Time) bool { return at.After(x.from) && !at.After(x.to) }

// counted is what the oracle answers.
type counted struct{ bad, total float64 }

// count counts what one scrape after the other shows. A counter that shows less
// than before began anew at zero.
func (s *stream) count(w span, known time.Time, excluded []span) (c counted) {
	for name, samples := range s.series {
		before, any := 0.0, false
		for _, x := range samples {
			if x.at.After(w.to) {
				break
			}
			if x.arrived.After(known) {
				continue
			}
			n := x.v - before
			if n < 0 {
				n = x.v
			}
			before = x.v
			if first := !any; first {
				any = true
				continue // what it counted before the first scrape nobody knows
			}
			if !w.holds(x.at) || slices.ContainsFunc(excluded, func(x2 span) bool { return x2.holds(x.at) }) {
				continue
			}
			c.total += n
			if !s.good[name] {
				c.bad += n
			}
		}
	}
	return c
}

// kept is the finest piece of time that is kept around a moment.
func kept(at, sealed time.Time) time.Duration {
	hour := sealed.Truncate(time.Hour)
	switch {
	case !at.Before(hour.Add(-6 * time.Hour)):
		return time.Minute
	case !at.Before(hour.Add(-72 * time.Hour)):
		return 5 * time.Minute
	}
	return time.Hour
}

func sealedAt(now time.Time) time.Time { return now.Add(-2 * time.Minute).Truncate(time.Minute) }

// window counts (from, now], the piece that from cuts in proportion.
func (s *stream) window(from, now time.Time, excluded []span) counted {
	size := kept(from, sealedAt(now))
	begin := from.Truncate(size)
	if begin.Equal(from) || from.After(sealedAt(now)) {
		return s.count(span{from, now}, now, excluded)
	}
	end := begin.Add(size)
	share := float64(end.Sub(from)) / float64(size)
	cut, rest := s.count(span{begin, end}, now, excluded), s.count(span{end, now}, now, excluded)
	return counted{share*cut.bad + rest.bad, share*cut.total + rest.total}
}

// age is how long ago the first minute with data in a window is. Of the hour in
// which the window begins the pieces of time count that are kept.
func (s *stream) age(start, now time.Time) time.Duration {
	for hour := start.Truncate(time.Hour); hour.Before(now); hour = hour.Add(time.Hour) {
		around := s.scrapes(span{hour.Add(-10 * time.Minute), hour.Add(70 * time.Minute)}, now)
		size := time.Minute
		if !hour.After(start) {
			size = kept(hour, sealedAt(now))
		}
		for piece := hour; piece.Before(hour.Add(time.Hour)); piece = piece.Add(size) {
			if covered(around, span{piece, piece.Add(size)}) {
				return now.Sub(times.Later(piece, start))
			}
		}
	}
	return 0
}

func Later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// scrapes are the times at which something was seen, in order.
func (s *stream) scrapes(w span, known time.Time) (at []time.Time) {
	for _, samples := range s.series {
		for _, x := range samples[sort.Search(len(samples), func(i int) bool { return samples[i].at.After(w.from) }):] {
			if x.at.After(w.to) {
				break
			}
			if !x.arrived.After(known) {
				at = append(at, x.at)
			}
		}
	}
	slices.SortFunc(at, time.Time.Compare)
	return at
}

// covered reports whether something was seen in a piece of time, or in minutes
// before and after it that are at most five apart.
func covered(scrapes []time.Time, piece span) bool {
	if slices.ContainsFunc(scrapes, piece.holds) {
		return true
	}
	var before, after time.Time
	for _, at := range scrapes {
		if !at.After(piece.from) {
			before = at
		} else if after.IsZero() {
			after = at
		}
	}
	minute := func(at time.Time) time.Time { return at.Add(-time.Nanosecond).Truncate(time.Minute) }
	return piece.to.Sub(piece.from) == time.Minute && !before.IsZero() && !after.IsZero() && minute(after).Sub(minute(before)) <= 5*time.Minute
}

// memory answers PromQL from what has arrived.
type memory struct {
	series []*held
	now    func() time.Time
}

type held struct {
	labels  labels.Labels
	all     []sample // by arrival
	visible []sample // by time
	next    int
}

func (s *stream) memory(now func() time.Time) *memory {
	m := &memory{now: now}
	for _, name := range []string{"ok-a", "ok-b", "error-a"} {
		status := "ok"
		if !s.good[name] {
			status = "error"
		}
		m.add(labels.FromStrings("__name__", "requests_total", "service", "edge", "pod", name, "status", status), s.series[name])
	}
	return m
}

func (m *memory) add(ls labels.Labels, samples []sample) {
	all := slices.Clone(samples)
	slices.SortStableFunc(all, func(a, b sample) int { return a.arrived.Compare(b.arrived) })
	m.series = append(m.series, &held{labels: ls, all: all})
}

func (h *held) arrive(now time.Time) {
	disordered := false
	for ; h.next < len(h.all) && !h.all[h.next].arrived.After(now); h.next++ {
		s := h.all[h.next]
		disordered = disordered || len(h.visible) > 0 && s.at.Before(h.visible[len(h.visible)-1].at)
		h.visible = append(h.visible, s)
	}
	if disordered {
		slices.SortStableFunc(h.visible, func(a, b sample) int { return a.at.Compare(b.at) })
	}
}

func (m *memory) Querier(mint, maxt int64) (storage.Querier, error) {
	return &memoryQuerier{m, mint, maxt}, nil
}

type memoryQuerier struct {
	m          *memory
	mint, maxt int64
}

func (q *memoryQuerier) Select(_ context.Context, _ bool, hints *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	set := &memorySet{at: -1}
	mint, maxt := q.mint, q.maxt
	if hints != nil {
		mint, maxt = hints.Start, hints.End
	}
	for _, h := range q.m.series {
		if !slices.ContainsFunc(matchers, func(l *labels.Matcher) bool { return !l.Matches(h.labels.Get(l.Name)) }) {
			h.arrive(q.m.now())
			from := sort.Search(len(h.visible), func(i int) bool { return h.visible[i].at.UnixMilli() >= mint })
			to := sort.Search(len(h.visible), func(i int) bool { return h.visible[i].at.UnixMilli() > maxt })
			if from < to {
				set.series = append(set.series, storage.NewListSeries(h.labels, pointsOf(h.visible[from:to])))
			}
		}
	}
	slices.SortFunc(set.series, func(a, b *storage.SeriesEntry) int { return labels.Compare(a.Lset, b.Lset) })
	return set
}

func pointsOf(samples []sample) []chunks.Sample {
	out := make([]chunks.Sample, len(samples))
	for i, s := range samples {
		out[i] = floatSample{s.at.UnixMilli(), s.v}
	}
	return out
}

func (*memoryQuerier) LabelValues(context.Context, string, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, errors.New("nobody asks for label values")
}

func (*memoryQuerier) LabelNames(context.Context, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, errors.New("nobody asks for label names")
}
func (*memoryQuerier) Close() error { return nil }

type memorySet struct {
	series []*storage.SeriesEntry
	at     int
}

func (s *memorySet) Next() bool                      { s.at++; return s.at < len(s.series) }
func (s *memorySet) At() storage.Series              { return s.series[s.at] }
func (*memorySet) Err() error                        { return nil }
func (*memorySet) Warnings() annotations.Annotations { return nil }

type floatSample struct {
	t int64
	f float64
}

func (s floatSample) T() int64                    { return s.t }
func (floatSample) ST() int64                     { return 0 }
func (s floatSample) F() float64                  { return s.f }
func (floatSample) H() *histogram.Histogram       { return nil }
func (floatSample) FH() *histogram.FloatHistogram { return nil }
func (floatSample) Type() chunkenc.ValueType      { return chunkenc.ValFloat }
func (s floatSample) Copy() chunks.Sample         { return s }

// trial is an engine that sees a stream as time passes.
type trial struct {
	dir     string
	now     time.Time
	memory  *memory
	catalog *slo.Catalog
	engine  *slo.Engine
	ledgers *memoryLedgers
	records *memoryRecords
	fixes   *memoryCorrections
}

type failer interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

func newTrial(t failer, dir, doc string, s *stream, now time.Time) *trial {
	t.Helper()
	w := &trial{
		dir: dir, now: now, ledgers: &memoryLedgers{by: map[string]store.SLOLedger{}}, records: &memoryRecords{by: map[string]store.SLORecord{}},
		fixes: &memoryCorrections{},
	}
	w.memory = s.memory(func() time.Time { return w.now })
	file := filepath.Join(dir, "slo.yaml")
	if err := os.WriteFile(file, []byte(doc), 0o600); err != nil {
		t.Fatal(err)
	}
	var err error
	if w.catalog, err = definition.NewCatalog(nil, nil); err != nil {
		t.Fatal(err)
	}
	if err := w.catalog.Reload([]string{file}); err != nil {
		t.Fatal(err)
	}
	w.restart(t)
	return w
}

// restart makes an engine that knows what was kept.
func (w *trial) restart(t failer) {
	t.Helper()
	w.engineWith(t, slo.DefaultConfig())
}

func (w *trial) engineWith(t failer, cfg slo.Config) {
	t.Helper()
	var err error
	w.engine, err = slo.New(cfg, slo.Deps{
		Catalog: w.catalog, Querier: promexpr.NewEvaluator(w.memory, time.Minute, nil), Records: w.records, Ledgers: w.ledgers, Corrections: w.fixes,
		Now: func() time.Time { return w.now },
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (w *trial) status(t failer, name string) model.SLOStatus {
	t.Helper()
	if err := w.engine.Settle(context.Background(), w.now); err != nil {
		t.Fatal(err)
	}
	s, err := w.engine.SLO(context.Background(), name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func equal(a, b float64) bool {
	return math.Abs(a-b) <= 1e-9*max(1, math.Abs(a), math.Abs(b))
}

// spent is what a budget should be.
type spent struct {
	objective   float64
	start       time.Time
	length, age time.Duration
}

// differs compares a budget with a count, by the definition: used = (bad /
// total) / (1 - objective) × age / length.
func (b spent) differs(got model.Budget, want counted) string {
	if want.total == 0 {
		if got.Total != 0 {
			return fmt.Sprintf("%+v of nothing", got)
		}
		return ""
	}
	used := want.bad / want.total / (1 - b.objective) * float64(b.age) / float64(b.length)
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"bad", got.Bad, want.bad},
		{"total", got.Total, want.total},
		{"used", got.UsedRatio, used},
		{"left", got.LeftRatio, 1 - used},
		{"good share", got.SLI, 1 - want.bad/want.total},
		{"minutes", got.Minutes, (1 - b.objective) * b.length.Minutes()},
	} {
		if !equal(c.got, c.want) {
			return fmt.Sprintf("%s is %.12g, want %.12g (window from %s, age %s, length %s)", c.name, c.got, c.want, b.start, b.age, b.length)
		}
	}
	return ""
}

func burnDiffers(got []model.Burn, objective float64, count func(window time.Duration) counted) string {
	for _, b := range got {
		var w time.Duration
		for _, known := range []time.Duration{time.Minute, 2 * time.Minute, 5 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 6 * time.Hour, 24 * time.Hour, 72 * time.Hour} {
			if budget.Window(known) == b.Window {
				w = known
			}
		}
		want := count(w)
		rate := 0.0
		if want.total > 0 {
			rate = want.bad / want.total / (1 - objective)
		}
		if w == 0 || !equal(b.Events, want.total) || !equal(b.Rate, rate) {
			return fmt.Sprintf("burn over %s is %.12g of %.12g events, want %.12g of %.12g", b.Window, b.Rate, b.Events, rate, want.total)
		}
	}
	return ""
}

// pass is how time passes between two looks.
func pass() *rapid.Generator[time.Duration] {
	return rapid.SampledFrom([]time.Duration{time.Minute, 3 * time.Minute, 5 * time.Minute, 59 * time.Minute, time.Hour, 61 * time.Minute, 2 * time.Hour, 7 * time.Hour, 26 * time.Hour})
}

func drawLife(t *rapid.T, end time.Time) life {
	age := rapid.SampledFrom([]time.Duration{
		20 * time.Minute, 3 * time.Hour, 5*time.Hour + 25*time.Minute, 8 * time.Hour, 30 * time.Hour, 30 * time.Hour, 75*time.Hour + 10*time.Minute, 9 * 24 * time.Hour, 30 * 24 * time.Hour,
	}).Draw(t, "age")
	l := life{
		start: end.Add(-age), end: end, every: time.Minute, seed: rapid.Uint64().Draw(t, "seed"), rate: rapid.SampledFrom([]int{1, 40, 100000}).Draw(t, "rate"),
		misses: rapid.SampledFrom([]float64{0, 0.1, 0.4}).Draw(t, "misses"), resets: rapid.SampledFrom([]float64{0, 0.01}).Draw(t, "resets"),
		late: rapid.SampledFrom([]float64{0, 0.1}).Draw(t, "late"), lateBy: rapid.SampledFrom([]time.Duration{time.Minute, 8 * time.Minute, 20 * time.Hour}).Draw(t, "late by"),
		silences: rapid.IntRange(0, 2).Draw(t, "silences"),
	}
	switch {
	case age > 72*time.Hour:
		l.every = 2 * time.Minute
	case age < 24*time.Hour:
		l.every = rapid.SampledFrom([]time.Duration{10 * time.Second, 15 * time.Second, time.Minute, 90 * time.Second}).Draw(t, "every")
	}
	return l
}

func TestRollingWindowsEqualACountOfEvents(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		objective := rapid.SampledFrom([]string{"90", "99.5", "99.9"}).Draw(t, "objective")
		days := rapid.SampledFrom([]int{1, 7, 28, 30}).Draw(t, "days")
		end := time.Date(2026, 3, 29, rapid.IntRange(0, 23).Draw(t, "hour"), rapid.SampledFrom([]int{0, 0, 5, 17}).Draw(t, "minute"), rapid.SampledFrom([]int{0, 0, 23}).Draw(t, "second"), 0, time.UTC)
		l := drawLife(t, end.Truncate(time.Minute))
		s := l.live()
		steps := rapid.SliceOfN(pass(), 0, 6).Draw(t, "steps")
		now := end
		for _, d := range steps {
			now = now.Add(-d)
		}
		w := newTrial(t, dir, document([]string{objective, fmt.Sprintf("%dd", days)}), s, now)
		target := map[string]float64{"90": 0.9, "99.5": 0.995, "99.9": 0.999}[objective]
		for i := 0; ; i++ {
			w.check(t, s, target, time.Duration(days)*24*time.Hour)
			if i == len(steps) {
				return
			}
			w.now = w.now.Add(steps[i])
			if rapid.IntRange(0, 3).Draw(t, "restart") == 0 {
				w.restart(t)
			}
			if l.lateBy > 10*time.Minute { // what is this late counts when history is read again
				w.engine.Recompute()
			}
		}
	})
}

func (w *trial) check(t *rapid.T, s *stream, objective float64, window time.Duration) {
	t.Helper()
	got := w.status(t, "edge-ok")
	start := w.now.Add(-window)
	b := spent{objective, start, window, s.age(start, w.now)}
	if diff := b.differs(got.Budget, s.window(start, w.now, nil)); diff != "" {
		t.Fatalf("at %s: %s", w.now, diff)
	}
	if diff := burnDiffers(got.Burn, objective, func(d time.Duration) counted { return s.window(w.now.Add(-d), w.now, nil) }); diff != "" {
		t.Fatalf("at %s: %s", w.now, diff)
	}
}
