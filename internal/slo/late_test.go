package slo_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/slo"
	"github.com/signalbox-project/signalbox/internal/slo/definition"
	"github.com/signalbox-project/signalbox/internal/slo/indicator"
	"github.com/signalbox-project/signalbox/internal/slo/promexpr"
	"github.com/signalbox-project/signalbox/internal/store/metrics"
	"github.com/signalbox-project/signalbox/internal/store/state"
)

// behind is an engine over the real stores whose history is whole, and to which samples come late.
type behind struct {
	t       testing.TB
	dir     string
	now     time.Time
	store   *metrics.Store
	state   *state.Store
	engine  *slo.Engine
	catalog *slo.Catalog
	sent    []notify.Alert
	ranges  int // questions over a time
}

// twoDays is an SLO of two days over two queries.
func twoDays(name, bad, total string) string {
	return fmt.Sprintf(`apiVersion: openslo/v1
kind: SLO
metadata: {name: %s}
spec:
  service: edge
  budgetingMethod: Occurrences
  timeWindow: [{duration: 2d, isRolling: true}]
  objectives: [{target: 0.995}]
  indicator:
    spec:
      ratioMetric:
        bad: {metricSource: {spec: {query: '%s'}}}
        total: {metricSource: {spec: {query: '%s'}}}
---
`, name, bad, total)
}

var (
	requests = twoDays("requests", `requests_total{status="error"}`, `requests_total`)
	loads    = twoDays("loads", `histogram_count(sum(increase(load_seconds{status="error"}[$window])))`, `histogram_count(sum(increase(load_seconds[$window])))`)
)

func newBehind(t testing.TB, docs ...string) *behind {
	dir, err := os.MkdirTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	b := &behind{t: t, dir: dir, now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
	file := filepath.Join(dir, "slo.yaml")
	if err := os.WriteFile(file, []byte(strings.Join(docs, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	if b.catalog, err = definition.NewCatalog(nil, nil); err != nil {
		t.Fatal(err)
	}
	if err := b.catalog.Reload([]string{file}); err != nil {
		t.Fatal(err)
	}
	b.open()
	t.Cleanup(func() { b.close() })
	return b
}

func (b *behind) clock() time.Time { return b.now }

func (b *behind) Send(_ context.Context, alerts ...notify.Alert) error {
	b.sent = append(b.sent, alerts...)
	return nil
}

// Range counts the questions by which history is read.
func (b *behind) Range(ctx context.Context, expr string, start, end time.Time, step time.Duration) ([]model.Series, error) {
	b.ranges++
	return promexpr.NewEvaluator(b.store, time.Minute, nil).Range(ctx, expr, start, end, step)
}

func (b *behind) Instant(ctx context.Context, expr string, t time.Time) ([]model.Sample, error) {
	return promexpr.NewEvaluator(b.store, time.Minute, nil).Instant(ctx, expr, t)
}

func (b *behind) open() {
	b.t.Helper()
	var err error
	cfg := metrics.DefaultConfig()
	cfg.BlockRange = cfg.Retention / 2 // files are copied while they are written, and must not be moved meanwhile
	if b.store, err = metrics.Open(cfg, metrics.Deps{Dir: filepath.Join(b.dir, "metrics"), Now: b.clock, Settled: 2*time.Minute + indicator.Rereads}); err != nil {
		b.t.Fatal(err)
	}
	if b.state, err = state.Open(context.Background(), state.Config{Dir: filepath.Join(b.dir, "state")}, state.Deps{}); err != nil {
		b.t.Fatal(err)
	}
	b.engine = b.anew(slo.Changes{Samples: b.store.Changes()})
}

func (b *behind) anew(changes slo.Changes) *slo.Engine {
	deps := slo.Deps{Catalog: b.catalog, Querier: b, Alerts: b, Now: b.clock, Changes: changes}
	if changes.Samples != nil {
		deps.Records, deps.Ledgers = b.state, b.state
	}
	e, err := slo.New(slo.DefaultConfig(), deps)
	if err != nil {
		b.t.Fatal(err)
	}
	return e
}

func (b *behind) close() {
	if err := errors.Join(b.store.Close(), b.state.Close()); err != nil {
		b.t.Error(err)
	}
}

// kill goes on with what the disk has this moment, without the end of the process before.
func (b *behind) kill() {
	b.t.Helper()
	after := filepath.Join(b.dir, "after")
	for _, name := range []string{"metrics", "state"} {
		if err := os.CopyFS(filepath.Join(after, name), os.DirFS(filepath.Join(b.dir, name))); err != nil {
			b.t.Fatal(err)
		}
	}
	b.close()
	b.dir = after
	b.open()
}

func (b *behind) settle() {
	b.t.Helper()
	b.now = b.now.Add(3 * time.Second)
	if err := b.engine.Settle(context.Background(), b.now); err != nil {
		b.t.Fatal(err)
	}
}

// burst is a counter or a histogram that counts n a minute from a time on.
type burst struct {
	metric, status, sender string
	from                   time.Time
	minutes                int
	every                  time.Duration
	n                      float64
	histogram, float       bool
}

func (b burst) labels() labels.Labels {
	return labels.FromStrings("__name__", b.metric, "status", b.status, "sender", b.sender)
}

func (b burst) each(do func(at time.Time, v float64, h *histogram.Histogram, fh *histogram.FloatHistogram)) {
	for at := b.from; !at.After(b.from.Add(time.Duration(b.minutes) * time.Minute)); at = at.Add(b.every) {
		v := at.Sub(b.from).Minutes() * b.n
		var h *histogram.Histogram
		var fh *histogram.FloatHistogram
		if b.histogram {
			h = &histogram.Histogram{
				Count: uint64(v), Sum: v, PositiveSpans: []histogram.Span{{Offset: 0, Length: 1}}, PositiveBuckets: []int64{int64(v)},
			}
		}
		if b.float {
			h, fh = nil, h.ToFloat(nil)
		}
		do(at, v, h, fh)
	}
}

func (b *behind) put(way storage.AppendableV2, bursts ...burst) {
	b.t.Helper()
	app := way.AppenderV2(context.Background())
	for _, one := range bursts {
		one.each(func(at time.Time, v float64, h *histogram.Histogram, fh *histogram.FloatHistogram) {
			if _, err := app.Append(0, one.labels(), 0, at.UnixMilli(), v, h, fh, storage.AOptions{}); err != nil {
				b.t.Fatal(err)
			}
		})
	}
	if err := app.Commit(); err != nil {
		b.t.Fatal(err)
	}
}

// fill has a hundred good events of both SLOs in every minute of the window, read and whole, and of the hour that comes.
func (b *behind) fill() {
	b.t.Helper()
	start := b.now
	b.now = b.now.Add(49 * time.Hour)
	b.put(b.store.Quiet(),
		burst{metric: "requests_total", status: "ok", sender: "all", from: start, minutes: 50 * 60, every: time.Minute, n: 100},
		burst{metric: "load_seconds", status: "ok", sender: "all", from: start, minutes: 50 * 60, every: time.Minute, n: 100, histogram: true})
	b.settle()
	b.settle()
}

func (b *behind) status(name string) model.SLOStatus {
	b.t.Helper()
	s, err := b.engine.SLO(context.Background(), name)
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

const filled = 48 * 60 * 100 // in the window

// counted compares exactly what failed, and to a minute what came: a minute's samples come at once.
func (b *behind) counted(name string, bad, total float64) {
	b.t.Helper()
	if s := b.status(name); math.Abs(s.Budget.Bad-bad) > 1e-6 || math.Abs(s.Budget.Total-total) > 100 {
		b.t.Errorf("%s: bad %v of %v, want %v of %v (%s)", name, s.Budget.Bad, s.Budget.Total, bad, total, s.Reason)
	}
}

// rules is the way in of recording rules, which speak the older interface.
type rules struct{ s *metrics.Store }

func (r rules) AppenderV2(ctx context.Context) storage.AppenderV2 {
	return older{Appender: r.s.Appender(ctx)}
}

type older struct{ storage.Appender }

func (o older) Append(ref storage.SeriesRef, ls labels.Labels, _, t int64, v float64, h *histogram.Histogram, fh *histogram.FloatHistogram, _ storage.AOptions) (storage.SeriesRef, error) {
	if h != nil || fh != nil {
		return o.AppendHistogram(ref, ls, t, h, fh)
	}
	return o.Appender.Append(ref, ls, t, v)
}

// Ten failures a minute, ten minutes long, by each way in and in each hour, the hours of minutes, of five minutes and of
// hours: whatever comes late is in the budget three seconds later, though all of the window was known.
func TestLateSamplesCountWithinSecondsByEveryWayIn(t *testing.T) {
	b := newBehind(t, requests, loads)
	b.fill()
	b.counted("requests", 0, filled)
	b.counted("loads", 0, filled)
	bad := 0.0
	for i, way := range []struct {
		name string
		in   storage.AppendableV2
	}{
		{"scrape and federation", b.store}, {"remote write and OTLP", b.store.Acknowledged()}, {"span metrics and results", b.store.Quiet()}, {"recording rules", rules{b.store}},
	} {
		for k, kind := range []string{"number", "histogram", "float histogram"} {
			one := burst{
				metric: "requests_total", status: "error", sender: way.name, minutes: 10, every: time.Minute, n: 10,
				from: b.now.Add(-time.Duration(1+5*i+k)*time.Hour - 10*time.Minute), histogram: k > 0, float: k > 1,
			}
			if k > 0 {
				one.metric, one.sender = "load_seconds", way.name+kind
			}
			b.put(way.in, one)
			b.settle()
			if t.Failed() {
				t.Fatal(way.name, kind)
			}
		}
		bad += 100
		b.counted("requests", bad, filled+bad)
		b.counted("loads", 2*bad, filled+2*bad)
	}
}

// An agent was cut off for twenty minutes while everything it saw failed. A hundred failures a minute in 17 of 30 minutes are 36 %
// of 4,700, and 4.5 % of 37,700 in six hours: 72 and 9 times what an objective of 99.5 % allows, and 6 pages. In two days 1,440 may fail.
func TestAnAgentThatWasCutOffPagesWhenItIsBack(t *testing.T) {
	b := newBehind(t, requests, loads)
	b.fill()
	if s := b.status("requests"); s.State != model.SLOOK || len(b.sent) > 0 {
		t.Fatalf("%s %s, %d alerts", s.State, s.Reason, len(b.sent))
	}
	b.put(b.store.Acknowledged(), burst{metric: "requests_total", status: "error", sender: "cut off", from: b.now.Add(-29 * time.Minute), minutes: 17, every: time.Minute, n: 100})
	b.settle()
	paged := slices.ContainsFunc(b.sent, func(a notify.Alert) bool { return a.Labels["alertname"] == "SLOBurnRateSlow" })
	if s := b.status("requests"); s.State != model.SLOExhausted || !paged {
		t.Errorf("%s: %s; alerts %+v", s.State, s.Reason, b.sent)
	}
	b.counted("requests", 1700, filled+1700)
}

// What came late shortly before an end, of the process or by a kill, is read again after the start, also where the ledger that is
// taken up is older than that; and where nobody can know what came, all is.
func TestWhatCameLateBeforeAnEndIsReadAgainAfterTheStart(t *testing.T) {
	late := func(b *behind, hours int) {
		b.put(b.store.Acknowledged(), burst{
			metric: "requests_total", status: "error", sender: fmt.Sprint(hours), from: b.now.Add(-time.Duration(hours)*time.Hour - 30*time.Minute), minutes: 10, every: time.Minute, n: 10,
		})
	}
	for name, end := range map[string]func(*behind){
		"killed before it was heard": func(b *behind) { b.engine.Keep(context.Background()); late(b, 3); late(b, 9); b.kill() },
		"killed when it was read and the ledger not stored": func(b *behind) {
			b.engine.Keep(context.Background())
			late(b, 3)
			b.settle()
			late(b, 9)
			b.settle()
			b.kill()
		},
		"killed while it was read": func(b *behind) {
			b.engine.Keep(context.Background())
			late(b, 3)
			late(b, 9)
			b.now = b.now.Add(3 * time.Second)
			b.engine.Judge(context.Background(), b.now)
			b.engine.Keep(context.Background())
			b.kill()
		},
		"heard and killed between two": func(b *behind) {
			late(b, 3)
			b.settle()
			b.engine.Keep(context.Background())
			late(b, 9)
			b.kill()
		},
		"stopped": func(b *behind) {
			late(b, 3)
			b.engine.Keep(context.Background())
			late(b, 9)
			b.close()
			b.open()
		},
		"the file is lost": func(b *behind) {
			b.engine.Keep(context.Background())
			late(b, 3)
			late(b, 9)
			_ = os.Remove(filepath.Join(b.dir, "metrics", "CHANGED"))
			b.kill()
		},
		"the file is cut off": func(b *behind) {
			b.engine.Keep(context.Background())
			late(b, 3)
			late(b, 9)
			file := filepath.Join(b.dir, "metrics", "CHANGED")
			info, err := os.Stat(file)
			if err = errors.Join(err, os.Truncate(file, info.Size()-1)); err != nil {
				b.t.Fatal(err)
			}
			b.kill()
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBehind(t, requests)
			b.fill()
			end(b)
			b.settle()
			b.counted("requests", 200, filled+200)
			if n, err := fs.Glob(os.DirFS(b.dir), "metrics/CHANGED"); err != nil || len(n) != 1 {
				t.Errorf("%v %v", n, err)
			}
		})
	}
}

// A start reads nothing again where nothing came late since the ledger was stored.
func TestAStartReadsOnlyWhatChanged(t *testing.T) {
	b := newBehind(t, requests)
	b.fill()
	b.put(b.store, burst{metric: "requests_total", status: "error", sender: "a", from: b.now.Add(-5 * time.Hour), minutes: 10, every: time.Minute, n: 10})
	b.settle()
	b.engine.Keep(t.Context())
	before := b.ranges
	b.kill()
	b.settle()
	b.counted("requests", 100, filled+100)
	if n := b.ranges - before; n > 4 {
		t.Errorf("%d questions after the start", n)
	}
}

// A sender that is always late costs one reading of its hour for all that comes until then, and none of SLOs that read other metrics.
func TestASenderThatIsAlwaysLateIsReadOnceForAllThatCame(t *testing.T) {
	b := newBehind(t, requests, loads)
	b.fill()
	send := func(i int) {
		b.put(b.store.Acknowledged(), burst{metric: "requests_total", status: "error", sender: fmt.Sprint(i), from: b.now.Add(-25 * time.Minute), minutes: 2, every: time.Minute, n: 10})
	}
	before := b.ranges
	for i := range 100 {
		send(i)
		b.now = b.now.Add(100 * time.Millisecond)
		b.engine.Judge(t.Context(), b.now) // which has no time to read history
	}
	b.settle()
	b.settle()
	b.counted("requests", 2000, filled+2000)
	b.counted("loads", 0, filled)
	// What was heard first, and what came until it was read: an hour, or two where it reaches over its end, of bad and of total; and
	// the newest minutes of both SLOs, once.
	if n := b.ranges - before; n > 16 {
		t.Errorf("%d questions for a hundred deliveries", n)
	}
	before = b.ranges
	b.put(b.store, burst{metric: "other_total", status: "error", sender: "x", from: b.now.Add(-3 * time.Hour), minutes: 60, every: time.Minute, n: 1})
	b.settle()
	if n := b.ranges - before; n > 0 {
		t.Errorf("%d questions for a metric of no SLO", n)
	}
}

// What an administrator deletes counts no more, and of two values for one time counts which a query gives.
func TestDeletedAndContradictedSamplesCountAsTheyAreStored(t *testing.T) {
	b := newBehind(t, requests, loads)
	b.fill()
	one := burst{metric: "requests_total", status: "error", sender: "a", from: b.now.Add(-5 * time.Hour), minutes: 10, every: time.Minute, n: 10}
	b.put(b.store, one)
	b.settle()
	b.counted("requests", 100, filled+100)
	one.n, one.minutes = 30, 9 // at the newest time of a series another value is refused
	b.put(b.store, one)        // the same times
	b.settle()
	stored, err := b.Instant(t.Context(), fmt.Sprintf(`sum(increase(requests_total{status="error"}[%dm] anchored))`, 48*60), b.now)
	if err != nil || len(stored) != 1 {
		t.Fatal(stored, err)
	}
	b.counted("requests", stored[0].Value, filled+stored[0].Value)
	if err := b.store.Delete(t.Context(), math.MinInt64, math.MaxInt64, labels.MustNewMatcher(labels.MatchEqual, "sender", "a")); err != nil {
		t.Fatal(err)
	}
	b.settle()
	b.counted("requests", 0, filled)
	if err := b.store.Delete(t.Context(), b.now.Add(-20*time.Hour).UnixMilli(), b.now.Add(-10*time.Hour).UnixMilli(), labels.MustNewMatcher(labels.MatchEqual, "__name__", "load_seconds")); err != nil {
		t.Fatal(err)
	}
	b.settle()
	if s := b.status("loads"); s.Budget.Total > filled-590*100 {
		t.Errorf("%v are left of %d though ten hours were deleted", s.Budget.Total, filled)
	}
}

// A group of which nothing is known but late samples gets its budget.
func TestAGroupThatIsOnlySeenLate(t *testing.T) {
	b := newBehind(t, twoDays("routes", `sum by (sender) (requests_total{status="error"})`, `sum by (sender) (requests_total)`))
	b.fill()
	at := b.now.Add(-7 * time.Hour)
	b.put(b.store, burst{metric: "requests_total", status: "ok", sender: "new", from: at, minutes: 30, every: time.Minute, n: 90},
		burst{metric: "requests_total", status: "error", sender: "new", from: at, minutes: 30, every: time.Minute, n: 10})
	for range 4 {
		b.settle()
	}
	s := b.status("routes")
	if s.Groups == nil || s.Groups.Count != 2 {
		t.Fatalf("%+v", s.Groups)
	}
	for _, g := range s.Groups.List {
		if g.Labels["sender"] == "new" && (math.Abs(g.Budget.Bad-300) > 1e-6 || math.Abs(g.Budget.Total-3000) > 1e-6) {
			t.Errorf("%+v", g.Budget)
		}
	}
}

// Whatever comes when, in whatever order: the numbers are those of an engine that reads all of history anew, for counts, native
// histograms, slices of them, and values whose queries look an hour back and half an hour aside.
func TestAfterLateSamplesTheNumbersAreThoseOfAFullReading(t *testing.T) {
	sliced := strings.Replace(twoDays("slices", `requests_total{status="error"}`, `requests_total`), "budgetingMethod: Occurrences", "budgetingMethod: Timeslices", 1)
	sliced = strings.Replace(sliced, "{target: 0.995}", "{target: 0.995, timeSliceTarget: 0.95, timeSliceWindow: 20m}", 1)
	values := `apiVersion: openslo/v1
kind: SLO
metadata: {name: values}
spec:
  service: edge
  budgetingMethod: Timeslices
  timeWindow: [{duration: 2d, isRolling: true}]
  objectives: [{target: 0.995, op: lte, value: 20, timeSliceWindow: 1m, timeSliceTarget: 0.995}]
  indicator:
    spec:
      thresholdMetric:
        metricSource: {spec: {query: 'max(rate(requests_total{status="error"}[1h] offset 30m)) * 60'}}
---
`
	b := newBehind(t, requests, loads, sliced, values)
	b.fill()
	random := rand.New(rand.NewPCG(7, 11))
	for round := range 12 {
		for i := range 1 + random.IntN(4) {
			ago := 13 + random.IntN(22*60)
			one := burst{
				metric: "requests_total", status: []string{"ok", "error"}[random.IntN(2)], sender: fmt.Sprint(round, i), from: b.now.Add(-time.Duration(ago) * time.Minute),
				minutes: 1 + random.IntN(min(90, ago-12)), every: time.Minute, n: float64(random.IntN(100)),
			}
			if random.IntN(3) == 0 {
				one.metric, one.histogram = "load_seconds", true
			}
			b.put(b.store, one)
			if random.IntN(2) == 0 {
				b.settle()
			}
			b.now = b.now.Add(time.Duration(random.IntN(90)) * time.Second)
		}
		b.now = b.now.Add(6 * time.Second) // after which all are judged anew
		b.settle()
		b.compare(fmt.Sprint("round ", round), "requests", "loads", "slices", "values")
	}
}

// compare compares with an engine that knows nothing yet.
func (b *behind) compare(when string, names ...string) {
	b.t.Helper()
	fresh := b.anew(slo.Changes{})
	for range 2 {
		if err := fresh.Settle(context.Background(), b.now); err != nil {
			b.t.Fatal(err)
		}
	}
	for _, name := range names {
		want, err := fresh.SLO(context.Background(), name)
		if err != nil {
			b.t.Fatal(err)
		}
		got := b.status(name)
		if math.Abs(got.Budget.Bad-want.Budget.Bad) > 1e-6 || math.Abs(got.Budget.Total-want.Budget.Total) > 1e-6 || got.State != want.State {
			b.t.Errorf("%s, %s: %s, bad %v of %v; read anew %s, bad %v of %v", when, name, got.State, got.Budget.Bad, got.Budget.Total, want.State, want.Budget.Bad, want.Budget.Total)
		}
		for k := range want.Burn {
			if math.Abs(got.Burn[k].Rate-want.Burn[k].Rate) > 1e-6 {
				b.t.Errorf("%s, %s over %s: %v, read anew %v", when, name, want.Burn[k].Window, got.Burn[k].Rate, want.Burn[k].Rate)
			}
		}
	}
}
