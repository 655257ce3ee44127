package scrape_test

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/admit/samples"
	"github.com/signalbox-project/signalbox/internal/ingest/scrape"
	"github.com/signalbox-project/signalbox/internal/store/metrics"
)

// item is one sample of an exposition.
type item struct {
	name, label string
	after       time.Duration // of the sample's own time, if it has one
	timed       bool
	value       int
	native      bool // a native histogram with value+1 observations
	broken      bool // whose count is wrong
}

// page is what a target answers to one scrape.
type page struct {
	items []item
	cut   int // of the text that is an error after so many items; -1 for none
}

// world is a target, and how it is scraped.
type world struct {
	format                          string
	sampleLimit, buckets, maxSeries int
	honorTimestamps                 bool
	pages                           []page
}

func drawWorld(t *rapid.T) world {
	w := world{
		format:          rapid.SampledFrom([]string{"text", "openmetrics", "protobuf"}).Draw(t, "format"),
		sampleLimit:     rapid.SampledFrom([]int{0, 0, 0, 5}).Draw(t, "sample_limit"),
		buckets:         rapid.SampledFrom([]int{0, 2}).Draw(t, "buckets"),
		maxSeries:       rapid.SampledFrom([]int{0, 0, 9}).Draw(t, "max_series"),
		honorTimestamps: rapid.IntRange(0, 3).Draw(t, "honor") > 0,
	}
	times := rapid.SampledFrom([]time.Duration{0, 0, time.Second, -time.Hour, -time.Hour, -30 * time.Hour, 9 * time.Minute, 11 * time.Minute, -400 * 24 * time.Hour})
	for range rapid.IntRange(1, 3).Draw(t, "pages") {
		p := page{cut: -1}
		for range rapid.IntRange(0, 14).Draw(t, "items") {
			p.items = append(p.items, item{
				name:  rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "name"),
				label: rapid.SampledFrom([]string{"x", "x", "y", "drop", strings.Repeat("z", 5000)}).Draw(t, "label"),
				timed: rapid.Bool().Draw(t, "timed"), after: times.Draw(t, "time"), value: rapid.IntRange(0, 1).Draw(t, "value"),
				native: w.format == "protobuf" && rapid.Bool().Draw(t, "native"), broken: rapid.IntRange(0, 5).Draw(t, "broken") == 0,
			})
		}
		if w.format != "protobuf" && rapid.IntRange(0, 5).Draw(t, "cut") == 0 {
			p.cut = rapid.IntRange(0, len(p.items)).Draw(t, "at")
		}
		w.pages = append(w.pages, p)
	}
	return w
}

// write is the exposition, and how many samples of it can be read.
func (w world) write(p page, base time.Time) (contentType string, body []byte, n int) {
	var b bytes.Buffer
	enc := expfmt.NewEncoder(&b, expfmt.NewFormat(expfmt.TypeProtoDelim))
	for i, it := range p.items {
		if i == p.cut {
			break
		}
		n++
		at := base.Add(it.after)
		switch w.format {
		case "protobuf":
			_ = enc.Encode(it.family(at))
			continue
		case "openmetrics":
			fmt.Fprintf(&b, "%s{l=%q} %d", it.name, it.label, it.value)
			if it.timed {
				fmt.Fprintf(&b, " %d.%03d", at.UnixMilli()/1000, at.UnixMilli()%1000)
			}
		default:
			fmt.Fprintf(&b, "%s{l=%q} %d", it.name, it.label, it.value)
			if it.timed {
				fmt.Fprintf(&b, " %d", at.UnixMilli())
			}
		}
		b.WriteString("\n")
	}
	if p.cut >= 0 {
		b.WriteString("a{ 1\n")
	}
	switch w.format {
	case "protobuf":
		return string(expfmt.NewFormat(expfmt.TypeProtoDelim)), b.Bytes(), n
	case "openmetrics":
		b.WriteString("# EOF\n")
		return "application/openmetrics-text; version=1.0.0", b.Bytes(), n
	}
	return "text/plain; version=0.0.4", b.Bytes(), n
}

func (it item) family(at time.Time) *dto.MetricFamily {
	m := &dto.Metric{Label: []*dto.LabelPair{{Name: proto.String("l"), Value: proto.String(it.label)}}}
	if it.timed {
		m.TimestampMs = proto.Int64(at.UnixMilli())
	}
	f := &dto.MetricFamily{Name: proto.String(it.name), Type: dto.MetricType_UNTYPED.Enum(), Metric: []*dto.Metric{m}}
	if !it.native {
		m.Untyped = &dto.Untyped{Value: proto.Float64(float64(it.value))}
		return f
	}
	f.Type = dto.MetricType_HISTOGRAM.Enum()
	n := int64(it.value + 1)
	m.Histogram = &dto.Histogram{
		SampleCount: proto.Uint64(uint64(3 * n)), SampleSum: proto.Float64(7), Schema: proto.Int32(1), ZeroThreshold: proto.Float64(0.001), ZeroCount: proto.Uint64(0),
		PositiveSpan: []*dto.BucketSpan{{Offset: proto.Int32(0), Length: proto.Uint32(3)}}, PositiveDelta: []int64{n, 0, 0},
	}
	if it.broken {
		m.Histogram.SampleCount = proto.Uint64(1)
	}
	return f
}

// outcome is what became of the samples of a world.
type outcome struct {
	items            int // that were served
	own, ownRefused  int // samples that the scrape loop makes: reports, and marks that a series ended
	received, stored int
	refused          map[string]int
	readable         map[string]float64 // by series and time: what the target sent
}

// spy sees what comes to the admission.
type spy struct {
	storage.AppendableV2
	mu           sync.Mutex
	own, refused int
}

func (s *spy) AppenderV2(ctx context.Context) storage.AppenderV2 {
	return &spyAppender{AppenderV2: s.AppendableV2.AppenderV2(ctx), s: s}
}

type spyAppender struct {
	storage.AppenderV2
	s        *spy
	accepted int
}

func (a *spyAppender) Append(ref storage.SeriesRef, ls labels.Labels, st, t int64, v float64, h *histogram.Histogram, fh *histogram.FloatHistogram, opts storage.AOptions) (storage.SeriesRef, error) {
	got, err := a.AppenderV2.Append(ref, ls, st, t, v, h, fh, opts)
	if sent(ls) && !opts.RejectOutOfOrder {
		return got, err
	}
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	a.s.own++
	if err != nil {
		a.s.refused++
	} else {
		a.accepted++
	}
	return got, err
}

func (a *spyAppender) Rollback() error {
	a.s.mu.Lock()
	a.s.refused += a.accepted
	a.s.mu.Unlock()
	return a.AppenderV2.Rollback()
}

// sent says whether a series is of the target's exposition.
func sent(ls labels.Labels) bool { return len(ls.Get("__name__")) == 1 }

type ledger struct {
	mu               sync.Mutex
	received, stored int
	refused          map[string]int
}

func (l *ledger) Received(_, _ string, n int) { l.mu.Lock(); l.received += n; l.mu.Unlock() }
func (l *ledger) Stored(_ string, n int)      { l.mu.Lock(); l.stored += n; l.mu.Unlock() }
func (l *ledger) Refused(_, reason string, n int) {
	l.mu.Lock()
	l.refused[reason] += n
	l.mu.Unlock()
}

// pipes is a network of one listener.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}
func (p *pipes) Close() error   { p.once.Do(func() { close(p.done) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }
func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// run lets the target be scraped once for each page, and then fails.
func (w world) run(t *testing.T, out *outcome) {
	base := time.Now()
	cfg := metrics.DefaultConfig()
	cfg.MaxSeries = w.maxSeries
	store, err := metrics.Open(cfg, metrics.Deps{Dir: t.TempDir(), FreeBytes: func(string) (uint64, error) { return 1 << 40, nil }})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	books := &ledger{refused: map[string]int{}}
	adm, err := samples.New(samples.DefaultConfig(), samples.Deps{Next: store, Stored: store, Counter: books, Retention: store.Retention(), OutOfOrderWindow: store.OutOfOrderWindow()})
	if err != nil {
		t.Fatal(err)
	}
	seen := &spy{AppendableV2: adm.For("scrape")}
	network := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
	sc, err := scrape.New(scrape.Deps{Appendable: seen, Counter: books, Dial: network.dial})
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	served := 0
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if served == len(w.pages) {
			rw.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		contentType, body, n := w.write(w.pages[served], base)
		served++
		out.items += n
		rw.Header().Set("Content-Type", contentType)
		_, _ = rw.Write(body)
	})}
	go func() { _ = server.Serve(network) }()
	apply(t, sc, fmt.Sprintf(`scrape_configs:
  - job_name: j
    scrape_interval: 10s
    sample_limit: %d
    native_histogram_bucket_limit: %d
    honor_timestamps: %t
    scrape_native_histograms: true
    static_configs: [{targets: ["t:1"]}]
    metric_relabel_configs: [{source_labels: [l], regex: drop, action: drop}]
`, w.sampleLimit, w.buckets, w.honorTimestamps), ".")
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- sc.Run(ctx) }()
	time.Sleep(time.Minute)
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	_ = server.Close()
	if served != len(w.pages) {
		t.Errorf("%d of %d pages were asked for", served, len(w.pages))
	}
	for family := range adm.Metadata() {
		if strings.Contains(family, "\xff") {
			t.Errorf("metadata of %q", family)
		}
	}
	out.received, out.stored, out.refused = books.received, books.stored, books.refused
	out.own, out.ownRefused = seen.own, seen.refused
	out.readable = readable(t, store, base)
}

// readable is every sample of the target that a query gives.
func readable(t *testing.T, store *metrics.Store, base time.Time) map[string]float64 {
	q, err := store.Querier(0, math.MaxInt64)
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	out := map[string]float64{}
	set := q.Select(context.Background(), false, nil, labels.MustNewMatcher(labels.MatchRegexp, "__name__", "."))
	for set.Next() {
		ls := set.At().Labels()
		it := set.At().Iterator(nil)
		for kind := it.Next(); kind != chunkenc.ValNone; kind = it.Next() {
			key := fmt.Sprintf("%s%s %s", ls.Get("__name__"), ls.Get("l"), time.UnixMilli(it.AtT()).Sub(base))
			if kind == chunkenc.ValFloat {
				if _, v := it.At(); !value.IsStaleNaN(v) {
					out[key] = v
				}
				continue
			}
			if _, h := it.AtFloatHistogram(nil); !value.IsStaleNaN(h.Sum) {
				out[key] = -h.Count / 3 // less than 0: a histogram
			}
		}
	}
	if err := set.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// withoutDNS has lookups of our own host's name, which scraping begins with, fail at once; they also share a lock with what
// is outside a bubble, so that one comes before.
func withoutDNS(t *testing.T) {
	before := net.DefaultResolver
	t.Cleanup(func() { net.DefaultResolver = before })
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) { return nil, net.ErrClosed }}
	_, _ = net.DefaultResolver.LookupIP(t.Context(), "ip", "signalbox.invalid")
}

// repeats counts the samples for whose series and time there was one of the same value before: that is nothing new and counts as
// stored. One of another value is refused.
func (w world) repeats() (n int) {
	if !w.honorTimestamps {
		return 0
	}
	seen := map[string]bool{}
	for _, p := range w.pages {
		for _, it := range p.items {
			key := fmt.Sprint(it.name, it.label, it.after, it.value, it.native)
			if it.timed && seen[key] {
				n++
			}
			seen[key] = seen[key] || it.timed
		}
	}
	return n
}

// expect fails unless what can be read is what was sent.
func (w world) expect(rt *rapid.T, out outcome) {
	values := map[string]bool{}
	for _, p := range w.pages {
		for _, it := range p.items {
			v := float64(it.value)
			if it.native {
				v = -float64(it.value + 1)
			}
			values[fmt.Sprint(it.name, it.label, v)] = true
		}
	}
	for key, v := range out.readable {
		series := key[:strings.IndexByte(key, ' ')]
		if !values[fmt.Sprint(series, v)] {
			rt.Fatalf("%s has the value %g, which nobody sent: %+v", key, v, out)
		}
	}
}

// Whatever a target answers: each of its samples can be read by a query, or it is counted as refused.
func TestEveryScrapedSampleIsStoredOrRefused(t *testing.T) {
	withoutDNS(t)
	rapid.Check(t, func(rt *rapid.T) {
		w := drawWorld(rt)
		var out outcome
		synctest.Test(t, func(t *testing.T) { w.run(t, &out) })
		refused := 0
		for _, n := range out.refused {
			refused += n
		}
		w.expect(rt, out)
		if out.received != out.stored+refused {
			rt.Fatalf("the books do not balance: %+v", out)
		}
		if out.received != out.items+out.own {
			rt.Fatalf("%d samples were served and %d are the loop's own, %d are in the books: %+v", out.items, out.own, out.received, out)
		}
		lost := out.items - len(out.readable)
		if refused -= out.ownRefused; refused > lost || lost > refused+w.repeats() {
			rt.Fatalf("%d of %d served samples cannot be read (%d repeat others), %d are counted as refused: %+v", lost, out.items, w.repeats(), refused, out)
		}
	})
}
