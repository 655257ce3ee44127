package probe

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	bbconfig "github.com/prometheus/blackbox_exporter/config"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memory keeps what is written, as text: "series value" with the time in front.
type memory struct {
	mu      sync.Mutex
	written []written
	fail    error
}

type written struct {
	at     int64
	labels labels.Labels
	v      float64
}

type memoryAppender struct {
	m       *memory
	pending []written
}

func (m *memory) AppenderV2(context.Context) storage.AppenderV2 { return &memoryAppender{m: m} }

func (a *memoryAppender) Append(_ storage.SeriesRef, ls labels.Labels, _, at int64, v float64, _ *histogram.Histogram, _ *histogram.FloatHistogram, _ storage.AOptions) (storage.SeriesRef, error) {
	a.pending = append(a.pending, written{at, ls, v})
	return 0, nil
}

func (a *memoryAppender) Commit() error {
	a.m.mu.Lock()
	defer a.m.mu.Unlock()
	if a.m.fail != nil {
		return a.m.fail
	}
	a.m.written = append(a.m.written, a.pending...)
	return nil
}

func (a *memoryAppender) Rollback() error { return nil }

// success is what was written as probe_success of a probe: 1, 0 or gap.
func (m *memory) success(probe string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []string
	for _, w := range m.written {
		if w.labels.Get("__name__") != "probe_success" || w.labels.Get("probe") != probe {
			continue
		}
		if value.IsStaleNaN(w.v) {
			out = append(out, "gap")
		} else {
			out = append(out, fmt.Sprint(w.v))
		}
	}
	return strings.Join(out, " ")
}

func writeFile(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// probing is a Prober over one file with a made-up prober.
type probing struct {
	*Prober
	store *memory
	file  string
}

func newProbing(t *testing.T, cfg Config, text string, run runFunc) *probing {
	t.Helper()
	b := &probing{store: &memory{}, file: filepath.Join(t.TempDir(), "probes.yml")}
	var err error
	if b.Prober, err = New(cfg, Deps{Appendable: b.store, Registerer: prometheus.NewPedanticRegistry(), Self: "http://127.0.0.1:9090", UserAgent: "Signalbox/test", run: run}); err != nil {
		t.Fatal(err)
	}
	b.load(t, text)
	return b
}

func (b *probing) load(t *testing.T, text string) {
	t.Helper()
	writeFile(t, b.file, text)
	if err := b.Reload([]string{b.file}); err != nil {
		t.Fatal(err)
	}
}

// during runs the prober for as long as do takes.
func (b *probing) during(t *testing.T, do func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	do()
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Run: %v", err)
	}
}

func (b *probing) only(t *testing.T) Probe {
	t.Helper()
	list := b.Probes(t.Context())
	if len(list) != 1 {
		t.Fatalf("%d probes, want 1: %+v", len(list), list)
	}
	return list[0]
}

func good(context.Context, string, bbconfig.Module) outcome {
	out := outcome{success: true, duration: time.Millisecond}
	out.take(nil)
	return out
}

const oneProbe = "probes: [{name: a, module: http_2xx, target: 'http://a.example', interval: 10s}]\n"

func TestEachProbeRunsOnceAnIntervalAtItsOwnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var text strings.Builder
		text.WriteString("probes:\n")
		for i := range 100 {
			fmt.Fprintf(&text, "  - {name: p%d, module: http_2xx, target: 'http://a.example', interval: 60s}\n", i)
		}
		starts := map[int64]int{}
		b := newProbing(t, DefaultConfig(), text.String(), good)
		b.during(t, func() {
			time.Sleep(10 * time.Minute) // the fake clock's
			synctest.Wait()
		})
		byProbe := map[string][]int64{}
		for _, w := range b.store.written {
			if w.labels.Get("__name__") == "probe_success" {
				byProbe[w.labels.Get("probe")] = append(byProbe[w.labels.Get("probe")], w.at)
				starts[w.at/1000%60/6]++
			}
		}
		for name, at := range byProbe {
			if len(at) != 10 {
				t.Errorf("%s ran %d times in 10 minutes, want 10", name, len(at))
			}
			for i := 1; i < len(at); i++ {
				if at[i]-at[i-1] != 60_000 {
					t.Errorf("%s: %d ms between two starts", name, at[i]-at[i-1])
				}
			}
		}
		for tenth := range int64(10) {
			if n := starts[tenth]; n < 20 || n > 220 {
				t.Errorf("%d of 1000 starts in tenth %d of the interval: not spread", n, tenth)
			}
		}
		d := Definition{Name: "p7", Interval: time.Minute}
		if got := d.nextAfter(time.Now()).UnixMilli() % 60_000; got != byProbe["p7"][0]%60_000 {
			t.Errorf("another start at another time would probe at %d, before %d", got, byProbe["p7"][0]%60_000)
		}
	})
}

func TestWhatWeCouldNotRunIsAGapAndAFailureAZero(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		outcomes := []outcome{{success: true}, {reason: "connection refused"}, {ownFault: "too many open files"}, {success: true}}
		n := 0
		b := newProbing(t, DefaultConfig(), oneProbe, func(context.Context, string, bbconfig.Module) outcome {
			out := outcomes[n%len(outcomes)]
			n++
			out.take(nil)
			return out
		})
		b.during(t, func() {
			time.Sleep(30 * time.Second)
			synctest.Wait()
			if s := b.only(t); s.State != stateNotRun || s.Reason != "too many open files" || !s.NextRun.After(time.Now()) {
				t.Errorf("after an own fault: %+v", s)
			}
			time.Sleep(10 * time.Second)
			synctest.Wait()
			if s := b.only(t); s.State != stateUp || s.Reason != "" {
				t.Errorf("after it works again: %+v", s)
			}
		})
		if got := b.store.success("a"); got != "1 0 gap 1" {
			t.Errorf("probe_success: %s, want 1 0 gap 1", got)
		}
		if got := testutil.ToFloat64(b.m.skipped.WithLabelValues(reasonOwnFault)); got != 1 {
			t.Errorf("%v gaps counted, want 1", got)
		}
	})
}

func TestNoMoreProbesRunAtOnceThanAllowedAndWaitingLongIsAGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		now, most := 0, 0
		text := "probes:\n"
		for i := range 8 {
			text += fmt.Sprintf("  - {name: p%d, module: http_2xx, target: 'http://a.example', interval: 10s}\n", i)
		}
		b := newProbing(t, Config{Concurrency: 2}, text, func(ctx context.Context, _ string, _ bbconfig.Module) outcome {
			mu.Lock()
			now++
			most = max(most, now)
			mu.Unlock()
			<-ctx.Done() // until its timeout, the whole interval
			mu.Lock()
			now--
			mu.Unlock()
			out := outcome{reason: "timeout"}
			out.take(nil)
			return out
		})
		b.during(t, func() { time.Sleep(2 * time.Minute); synctest.Wait() })
		if most != 2 {
			t.Errorf("%d at once, want 2", most)
		}
		if got := testutil.ToFloat64(b.m.skipped.WithLabelValues(reasonNoSlot)); got == 0 {
			t.Error("8 probes of 10 s each in 2 slots and none was skipped")
		}
	})
}

func TestAReloadKeepsWhatDidNotChangeAndABadFileKeepsAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		two := oneProbe[:len(oneProbe)-2] + ", {name: b, module: http_2xx, target: 'http://b.example', interval: 10s}]\n"
		b := newProbing(t, DefaultConfig(), two, good)
		b.during(t, func() {
			time.Sleep(15 * time.Second)
			synctest.Wait()
			before := b.Probes(t.Context())
			writeFile(t, b.file, "probes: [{name: a, modul: http_2xx}]")
			if err := b.Reload([]string{b.file}); err == nil || !strings.Contains(err.Error(), `did you mean "module"?`) {
				t.Errorf("a bad file: %v", err)
			}
			if got := b.Problems(); len(got) == 0 || !strings.Contains(got[0].Message, "last good load") {
				t.Errorf("problems: %+v", got)
			}
			if len(b.Probes(t.Context())) != 2 || testutil.ToFloat64(b.m.loadFailed) != 1 {
				t.Error("a bad file changed what is in force, or nothing says so")
			}
			b.load(t, oneProbe) // b goes, a stays
			synctest.Wait()
			if a := b.only(t); a.LastRun == nil || !a.LastRun.Equal(*before[0].LastRun) || testutil.ToFloat64(b.m.loadFailed) != 0 || len(b.Problems()) != 0 {
				t.Errorf("a reload forgot the last result: %+v", a)
			}
			time.Sleep(20 * time.Second)
			synctest.Wait()
		})
		if got := b.store.success("b"); !strings.HasSuffix(got, "1 gap") {
			t.Errorf("a probe that was taken away: %s, want an end", got)
		}
		if got := b.store.success("a"); strings.Contains(got, "gap") {
			t.Errorf("a probe that stayed: %s, want no gap", got)
		}
	})
}

func TestAStopSaysNothingAboutTheTarget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newProbing(t, DefaultConfig(), oneProbe, func(ctx context.Context, _ string, _ bbconfig.Module) outcome {
			<-ctx.Done()
			return outcome{reason: "cancelled"}
		})
		b.during(t, func() {
			for testutil.ToFloat64(b.m.inFlight) == 0 {
				time.Sleep(time.Second)
				synctest.Wait()
			}
		})
		if len(b.store.written) != 0 {
			t.Errorf("written: %+v, want nothing", b.store.written)
		}
	})
}

func TestAResultThatCannotBeWrittenIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newProbing(t, DefaultConfig(), oneProbe, good)
		b.store.fail = errors.New("disk full")
		b.during(t, func() { time.Sleep(11 * time.Second); synctest.Wait() })
		if got := testutil.ToFloat64(b.m.writeErrors); got < 1 {
			t.Errorf("%v write errors, want 1", got)
		}
	})
}

func TestSeriesThatARunNoLongerHasEnd(t *testing.T) {
	b := newProbing(t, DefaultConfig(), oneProbe, good)
	task := b.tasks["a"]
	at := time.Unix(1000, 0)
	task.write(at, []sample{{name: "probe_success", value: 1}, {name: "probe_ssl_earliest_cert_expiry", value: 5}})
	task.write(at.Add(time.Second), []sample{{name: "probe_success", value: 0}})
	last := b.store.written[len(b.store.written)-1]
	if last.labels.Get("__name__") != "probe_ssl_earliest_cert_expiry" || math.Float64bits(last.v) != value.StaleNaN {
		t.Errorf("last written: %v %v, want the end of the certificate's series", last.labels, last.v)
	}
}

func TestSecretsOfATargetAreInNoLabelAndNoAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const target = "https://u:SECRET@a.example/x?token=SECRET"
		asked := make(chan string, 1)
		b := newProbing(t, DefaultConfig(), "probes: [{name: a, module: http_2xx, target: '"+target+"', interval: 10s}]\n",
			func(_ context.Context, target string, _ bbconfig.Module) outcome {
				asked <- target
				out := outcome{reason: `Get "` + target + `": refused`}
				out.take(nil)
				return out
			})
		b.during(t, func() {
			if got := <-asked; got != target {
				t.Errorf("the prober asks %s", got)
			}
			synctest.Wait()
		})
		if text := fmt.Sprintf("%+v", b.only(t)); strings.Contains(text, "SECRET") || !strings.Contains(text, "https://u:xxxxx@a.example/x?token=xxxxx") {
			t.Errorf("the API answers %s", text)
		}
		if text := fmt.Sprintf("%+v", b.store.written); strings.Contains(text, "SECRET") || !strings.Contains(text, "https://u:xxxxx@a.example/x?token=xxxxx") {
			t.Errorf("stored: %s", text)
		}
	})
}
