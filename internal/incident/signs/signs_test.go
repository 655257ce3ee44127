package signs

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

var t0 = time.Date(2026, 11, 21, 14, 0, 0, 0, time.UTC)

// shape is a series by the minutes from the start of the incident.
type shape func(minute float64) float64

type fakeMetrics map[string]shape

func labelsOf(id string) model.Labels {
	name, rest, _ := strings.Cut(id, " ")
	out := model.Labels{"__name__": name, "service": "edge"}
	for _, pair := range strings.Fields(rest) {
		k, v, _ := strings.Cut(pair, "=")
		out[k] = v
	}
	return out
}

func (f fakeMetrics) Instant(context.Context, string, time.Time) ([]model.Sample, error) {
	return []model.Sample{{Value: float64(len(f))}}, nil
}

func (f fakeMetrics) Range(_ context.Context, _ string, start, end time.Time, step time.Duration) ([]model.Series, error) {
	var out []model.Series
	for id, of := range f {
		s := model.Series{Labels: labelsOf(id)}
		for at := start; !at.After(end); at = at.Add(step) {
			if v := of(at.Sub(t0).Minutes()); !math.IsNaN(v) {
				s.Points = append(s.Points, model.Point{Time: at, Value: v})
			}
		}
		if len(s.Points) > 0 {
			out = append(out, s)
		}
	}
	return out, nil
}

// wave is a metric that goes up and down, as those of work do.
func wave(seed uint64, mid, width float64) shape {
	r := rand.New(rand.NewPCG(seed, 1))
	phase := r.Float64() * 6
	return func(m float64) float64 {
		noise := rand.New(rand.NewPCG(seed, math.Float64bits(m))).NormFloat64()
		return mid + width*math.Sin(m/40+phase) + width/5*noise
	}
}

// The incident of the SNAT ports: everything that is usually watched goes on as it was, and one pool fills before the errors come.
func TestThePoolThatNobodyWatchesComesFirst(t *testing.T) {
	ports := wave(9, 300, 40)
	m := fakeMetrics{
		"process_cpu_utilization instance=a": wave(1, 0.4, 0.1), "process_memory_utilization instance=a": wave(2, 0.5, 0.02), "db_client_connection_count": wave(3, 12, 4),
		"jvm_threads": func(float64) float64 { return 40 }, "uptime_seconds": func(m float64) float64 { return 1e6 + 60*m },
		"requests_total code=200": func(m float64) float64 { return 600*m + 1e6 + 30*math.Sin(m) },
		"snat_ports_used node=n1": func(m float64) float64 {
			if m > -9 {
				return min(1024, 300+(m+9)*150)
			}
			return ports(m)
		},
		"snat_ports_limit node=n1": func(float64) float64 { return 1024 },
		"calls_total peer=cache": func(m float64) float64 {
			if m < -10 {
				return 60*m + 1e6
			}
			return 60*-10 + 1e6 + (m+10)*600
		},
	}
	f := Finder{Metrics: m, Rules: func() []string { return []string{"rate(calls_total[5m]) > 100", "snat_ports_used_by_others > 1"} }}
	got, err := f.Find(t.Context(), []string{"edge"}, "prod", t0, t0.Add(20*time.Minute))
	if err != nil || len(got.Signs) != 2 {
		t.Fatalf("%+v %v", got, err)
	}
	first, second := got.Signs[0], got.Signs[1]
	if first.Name != "snat_ports_used" || !strings.Contains(first.Text, "100 % of snat_ports_limit") || !strings.Contains(first.Text, "rose to 1024") || !strings.HasSuffix(first.Text, "No rule watches it.") {
		t.Errorf("%+v", first)
	}
	if d := first.Time.Sub(t0); d < -9*time.Minute || d > -5*time.Minute {
		t.Errorf("since %s", d)
	}
	if first.Query != `snat_ports_used{service="edge"}` {
		t.Error(first.Query)
	}
	if second.Name != "calls_total" || strings.Contains(second.Text, "No rule") || second.Query != `rate(calls_total{service="edge"}[5m])` {
		t.Errorf("%+v", second)
	}
}

// What goes on as it was is never unusual, whatever its noise: 200 waves, whose windows follow their days.
func TestWhatGoesOnAsItWasIsNoNews(t *testing.T) {
	m := fakeMetrics{}
	for i := range 200 {
		m[fmt.Sprintf("m%d", i)] = wave(uint64(i), float64(i%7)*10, 1+float64(i%5))
	}
	got, err := Finder{Metrics: m}.Find(t.Context(), []string{"edge"}, "", t0, t0.Add(20*time.Minute))
	if err != nil || len(got.Signs) != 0 {
		t.Errorf("%+v %v", got, err)
	}
}

func TestJudge(t *testing.T) {
	day := func(v float64) []float64 { return slices.Repeat([]float64{v}, 100) }
	for name, c := range map[string]struct {
		before []float64
		window []float64
		is     bool
	}{
		"flat, and twice as much":         {day(10), []float64{10, 20, 20}, true},
		"one point alone":                 {day(10), []float64{10, 20, 10, 20}, false},
		"flat, and a little more":         {day(10), []float64{11, 11, 11}, false},
		"nothing, and something":          {day(0), []float64{0, 3, 4}, true},
		"it was as high in the day":       {append(day(10), 50), []float64{49, 49}, false},
		"it falls to nothing":             {day(10), []float64{0, 0}, true},
		"it does not end":                 {day(10), []float64{20, 30, 40}, true},
		"nothing there":                   {day(10), nil, false},
		"it was up and down all the time": {append(day(10), day(20)...), []float64{25, 25}, false},
	} {
		curve := &curve{at: map[int64]float64{}}
		for i, v := range c.window {
			curve.at[int64(i*60)] = v
		}
		if _, ok := judge(c.before, curve); ok != c.is {
			t.Errorf("%s: %v", name, ok)
		}
	}
}

func TestWhatIsNotLookedAtIsNamed(t *testing.T) {
	young := fakeMetrics{"m": func(m float64) float64 {
		if m < -40 {
			return math.NaN()
		}
		return 1
	}}
	many := fakeMetrics{}
	for i := range maxSeries + 1 {
		many[fmt.Sprint("m", i)] = func(float64) float64 { return 1 }
	}
	for says, f := range map[string]Finder{"1 metrics of edge with less than an hour of history": {Metrics: young}, "it has 3001 series": {Metrics: many}, "none of the day before": {Logs: fakeLogs{{t0, "no ports left"}}}} {
		got, err := f.Find(t.Context(), []string{"edge"}, "", t0, t0.Add(time.Hour))
		if err != nil || len(got.Signs) != 0 || !strings.Contains(strings.Join(got.Missing, "\n"), says) {
			t.Errorf("%s: %+v %v", says, got, err)
		}
	}
	got, _ := Finder{}.Find(t.Context(), make([]string, maxServices+2), "", t0, t0)
	if !slices.Equal(got.Missing, []string{"2 more services were not looked at"}) {
		t.Errorf("%+v", got)
	}
}

type line struct {
	at   time.Time
	text string
}

type fakeLogs []line

func (f fakeLogs) take(q store.LogQuery) (out []model.LogRecord) {
	match := store.NewMatcher(q.Expr).Log
	for _, l := range f {
		level := model.LevelInfo
		if strings.Contains(l.text, "no ") {
			level = model.LevelError
		}
		r := model.LogRecord{Time: l.at.UnixNano(), Message: l.text, Level: level, Resource: &model.Resource{Service: "edge"}}
		if q.Range.Contains(r.Time) && match(&r) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b model.LogRecord) int { return cmp.Compare(b.Time, a.Time) })
	return out
}

func (f fakeLogs) Logs(_ context.Context, q store.LogQuery) iter.Seq2[model.LogRecord, error] {
	return func(yield func(model.LogRecord, error) bool) {
		for i, r := range f.take(q) {
			if i == q.Limit || !yield(r, nil) {
				return
			}
		}
	}
}

func (f fakeLogs) LogHistogram(_ context.Context, q store.LogQuery, step time.Duration, _ string) (store.Histogram, error) {
	h := store.Histogram{Start: time.Unix(0, q.Range.Start).Truncate(step).UnixNano(), Step: int64(step)}
	counts := make([]uint64, (q.Range.End-h.Start)/int64(step)+1)
	for _, r := range f.take(q) {
		counts[(r.Time-h.Start)/int64(step)]++
	}
	h.Series = []store.HistogramSeries{{Counts: counts}}
	return h, nil
}

func TestLinesThatAreNewOrManyTimesAsMany(t *testing.T) {
	var logs fakeLogs
	people := []string{"ann", "bob", "cyd", "dan", "eve", "fay"}
	for m := -600; m < 10; m++ {
		at := t0.Add(time.Duration(m) * time.Minute)
		logs = append(logs, line{at, fmt.Sprintf("user %s logged in from 10.0.0.%d", people[(m+600)%len(people)], m)}, line{at, fmt.Sprintf("GET /a/%d took %dms", m, m*3)})
		if m%60 == 0 {
			logs = append(logs, line{at, "retry: the peer is slow"})
		}
		if m >= -2 {
			for i := range 5 {
				logs = append(logs, line{at, fmt.Sprintf("connect %d: no port left (cache.public:6379)", i)}, line{at, "retry: the peer is slow"})
			}
			logs = append(logs, line{at, "user zoe logged in from 10.0.0.9"})
		}
	}
	got, err := Finder{Logs: logs}.Find(t.Context(), []string{"edge"}, "", t0, t0.Add(20*time.Minute))
	if err != nil || len(got.Signs) != 2 {
		t.Fatalf("%+v %v", got, err)
	}
	first, second := got.Signs[0], got.Signs[1]
	if !strings.Contains(first.Text, "for the first time in a day: connect * no port left *") || !first.Time.Equal(t0.Add(-2*time.Minute)) || first.Query != `service:"edge" "connect" "no port left"` {
		t.Errorf("%+v", first)
	}
	if !strings.Contains(second.Text, "times as often as in the day before: retry: the peer is slow (61 lines)") {
		t.Errorf("%+v", second)
	}
}
