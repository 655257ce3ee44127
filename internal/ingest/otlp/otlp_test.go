package otlp

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/signalbox-project/signalbox/internal/ingest/otlp/common"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/stream"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// backend is everything behind the intake: a sink and an admitter that keep
// what they saw, a real TSDB, and a ledger.
type backend struct {
	mu      sync.Mutex
	logs    []model.LogRecord
	spans   []model.Span
	err     error
	refuse  string // refuse records and spans with this message or name
	hold    chan struct{}
	db      *tsdb.DB
	balance map[string]int
}

func (b *backend) Logs(_ context.Context, r []model.LogRecord) error {
	if b.hold != nil {
		<-b.hold
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil {
		b.logs = append(b.logs, r...)
	}
	return b.err
}

func (b *backend) Spans(_ context.Context, s []model.Span) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil {
		b.spans = append(b.spans, s...)
	}
	return b.err
}

func (b *backend) AdmitLogs(r []model.LogRecord) ([]model.LogRecord, []stream.Refusal) {
	n := len(r)
	r = slices.DeleteFunc(r, func(r model.LogRecord) bool { return b.refuse != "" && r.Message == b.refuse })
	return r, b.refusals(n - len(r))
}

func (b *backend) AdmitSpans(s []model.Span) ([]model.Span, []stream.Refusal) {
	n := len(s)
	s = slices.DeleteFunc(s, func(s model.Span) bool { return b.refuse != "" && s.Name == b.refuse })
	return s, b.refusals(n - len(s))
}

func (b *backend) refusals(n int) []stream.Refusal {
	return common.Refuse(nil, "tested", "the test says so", n)
}

func (b *backend) Received(signal, protocol string, n int) {
	b.count(signal+" received "+protocol, n)
}
func (b *backend) Stored(signal string, n int)          { b.count(signal+" stored", n) }
func (b *backend) Refused(signal, reason string, n int) { b.count(signal+" refused "+reason, n) }

func (b *backend) count(what string, n int) {
	if n == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.balance == nil {
		b.balance = map[string]int{}
	}
	b.balance[what] += n
}

func (b *backend) AppenderV2(ctx context.Context) storage.AppenderV2 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return failingAppender{b.db.AppenderV2(ctx), b.err}
}

// failingAppender fails at commit when the backend does.
type failingAppender struct {
	storage.AppenderV2
	err error
}

func (a failingAppender) Commit() error {
	if a.err != nil {
		_ = a.Rollback()
		return a.err
	}
	return a.AppenderV2.Commit()
}

func (b *backend) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.err = err
}

// testbed is a running server.
type testbed struct {
	*backend
	*Server
	reg  *prometheus.Registry
	web  *httptest.Server // the handler as the web port mounts it
	stop func()
}

func start(t testing.TB, change func(*Config)) *testbed {
	t.Helper()
	return startBehind(t, change, nil)
}

// startBehind has a front that is asked who sends.
func startBehind(t testing.TB, change func(*Config), enter Enter) *testbed {
	t.Helper()
	opts := tsdb.DefaultOptions()
	opts.EnableExemplarStorage, opts.MaxExemplars = true, 100
	db, err := tsdb.Open(t.TempDir(), nil, nil, opts, nil)
	if err != nil {
		t.Fatal(err)
	}
	cfg := DefaultConfig()
	cfg.GRPCAddress, cfg.HTTPAddress = "127.0.0.1:0", "127.0.0.1:0"
	if change != nil {
		change(&cfg)
	}
	b := &backend{db: db}
	reg := prometheus.NewPedanticRegistry()
	s, err := New(cfg, Deps{Registerer: reg, Sink: b, Admitter: b, Appendable: b, Ledger: b, Way: Way{Enter: enter}})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	web := httptest.NewServer(s)
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	t.Cleanup(func() {
		stop()
		web.Close()
		http.DefaultClient.CloseIdleConnections()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return &testbed{backend: b, Server: s, reg: reg, web: web, stop: stop}
}

func (tb *testbed) dial(t testing.TB) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(tb.GRPCAddr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDisableRetry())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// point is a sample or a histogram's count and sum.
type point struct {
	t int64
	v float64
}

// series reads everything that is in the TSDB.
func (tb *testbed) series(t testing.TB) map[string][]point {
	t.Helper()
	q, err := tb.db.Querier(0, time.Now().Add(time.Hour).UnixMilli())
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	out := map[string][]point{}
	set := q.Select(t.Context(), true, nil, labels.MustNewMatcher(labels.MatchRegexp, "__name__", ".+"))
	for set.Next() {
		name := set.At().Labels().String()
		it := set.At().Iterator(nil)
		for kind := it.Next(); kind != chunkenc.ValNone; kind = it.Next() {
			switch kind {
			case chunkenc.ValFloat:
				ts, v := it.At()
				out[name] = append(out[name], point{ts, v})
			case chunkenc.ValHistogram:
				ts, h := it.AtHistogram(nil)
				out[name] = append(out[name], point{ts, float64(h.Count)})
			}
		}
	}
	if err := set.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func anySeries() []*labels.Matcher {
	return []*labels.Matcher{labels.MustNewMatcher(labels.MatchRegexp, "__name__", ".+")}
}
