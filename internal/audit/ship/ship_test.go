package ship

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/outcall"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/auditlog"
)

// logWith is a real audit log with entries of all sorts.
func logWith(t *testing.T, dir string, n int) *auditlog.Log {
	t.Helper()
	cfg := auditlog.DefaultConfig()
	cfg.Dir = dir
	l, err := auditlog.Open(context.Background(), cfg, auditlog.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	write(t, l, n)
	return l
}

func write(t *testing.T, l *auditlog.Log, n int) {
	t.Helper()
	for i := range n {
		if _, err := l.Audit(context.Background(), entryOf(i)); err != nil {
			t.Fatal(err)
		}
	}
}

func entryOf(i int) model.AuditEntry {
	return model.AuditEntry{
		Actor: "user:ann", Action: "query.metrics", Tenant: "pay", Subject: "/api/v1/query",
		Details: map[string]string{"query": fmt.Sprintf("sum(\"a]\\b\")\n%d ä", i), "method": "GET", "status": "200", "remote": "192.0.2.7"},
	}
}

// many writes n entries with a few syncs.
func many(t *testing.T, l *auditlog.Log, n int) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- l.Run(ctx) }()
	to := l.Kept() + int64(n)
	for i := range n {
		l.Note(entryOf(i))
	}
	for l.Kept() < to {
		time.Sleep(time.Second) // of synctest
	}
	cancel()
	<-done
}

// receiver is a target that can be down.
type receiver struct {
	mu     sync.Mutex
	got    []int64
	down   error
	sure   bool
	refuse int64
	after  func() // called when a batch has arrived
}

func (r *receiver) confirms() bool { return r.sure }
func (r *receiver) close() error   { return nil }
func (r *receiver) send(_ context.Context, batch []entry) (int64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.down != nil {
		return 0, r.down
	}
	for _, e := range batch {
		r.got = append(r.got, e.ID)
	}
	if r.after != nil {
		r.after()
	}
	return r.refuse, nil
}

func (r *receiver) set(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.down = err
}

func (r *receiver) ids() []int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

func upTo(n int64) (out []int64) {
	for i := int64(1); i <= n; i++ {
		out = append(out, i)
	}
	return out
}

// shipper ships l to r.
func shipper(t *testing.T, l Log, dir string, r sender, reg prometheus.Registerer) *Shipper {
	t.Helper()
	s, err := New([]Target{{Name: "siem", Syslog: &Syslog{Address: "udp://127.0.0.1:9"}}}, Deps{Log: l, Dir: dir, Registerer: reg})
	if err != nil {
		t.Fatal(err)
	}
	s.targets[0].to = r
	return s
}

func start(s *Shipper) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()
	return func() {
		cancel()
		<-done
	}
}

func TestAReceiverThatIsDownLosesNothingAndHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		l := logWith(t, filepath.Join(dir, "log"), 1)
		many(t, l, 700)
		reg := prometheus.NewPedanticRegistry()
		r := &receiver{sure: true, down: errors.New("post https://ann:hunter2@siem: connection refused")}
		s := shipper(t, l, filepath.Join(dir, "shipped"), r, reg)
		stop := start(s)
		time.Sleep(3 * time.Hour)
		many(t, l, 300)
		got := s.Targets()[0]
		if got.Waiting != l.Kept() || got.LagSeconds < 3*3600 || got.LastError == "" || strings.Contains(got.LastError, "hunter2") || got.RetryAt == nil || got.Failures < 80 || got.Failures > 200 {
			t.Errorf("while it is down: %+v", got)
		}
		if p := s.Problems(); len(p) != 1 || !strings.Contains(p[0].Message, "does not reach siem") {
			t.Errorf("problems: %+v", p)
		}
		r.set(nil)
		time.Sleep(3 * time.Minute)
		if want := upTo(l.Kept()); !slices.Equal(r.ids(), want) {
			t.Errorf("got %d entries in this order, want each of %d once", len(r.ids()), len(want))
		}
		if got = s.Targets()[0]; got.Waiting != 0 || got.LagSeconds != 0 || got.LastError != "" || got.Sent != l.Kept() || len(s.Problems()) != 0 {
			t.Errorf("afterwards: %+v %v", got, s.Problems())
		}
		if n, err := testutil.GatherAndCount(reg); err != nil || n != 6 {
			t.Errorf("%d metrics, %v", n, err)
		}
		stop()
	})
}

func TestAReceiverSaysWhenToComeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		l := logWith(t, filepath.Join(dir, "log"), 1)
		r := &receiver{sure: true, down: fmt.Errorf("post: %w", &outcall.StatusError{Status: 429, After: 5 * time.Minute})}
		s := shipper(t, l, filepath.Join(dir, "shipped"), r, nil)
		stop := start(s)
		time.Sleep(4 * time.Minute)
		if got := s.Targets()[0]; got.Failures != 1 {
			t.Errorf("%+v", got)
		}
		stop()
	})
}

// A kill between sending and keeping the position: the receiver has the entries, and the next process does not know.
func TestAKillAfterSendingSendsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		l := logWith(t, filepath.Join(dir, "log"), 1)
		many(t, l, 1200)
		shipped := filepath.Join(dir, "shipped")
		r := &receiver{sure: true}
		s := shipper(t, l, shipped, r, nil)
		var atKill []byte
		killed := false
		r.after = func() { // what the disk has when the third batch has arrived is all that the next process has
			if !killed && len(r.got) > 1000 {
				atKill, _ = os.ReadFile(filepath.Join(shipped, "siem.json"))
				killed = true
			}
		}
		stop := start(s)
		time.Sleep(time.Minute)
		stop()
		if !killed || len(atKill) == 0 {
			t.Fatal("it was not killed")
		}
		if err := os.WriteFile(filepath.Join(shipped, "siem.json"), atKill, 0o600); err != nil {
			t.Fatal(err)
		}
		again := &receiver{sure: true}
		s = shipper(t, l, shipped, again, nil)
		stop = start(s)
		time.Sleep(time.Minute)
		stop()
		if got, want := again.ids(), upTo(l.Kept())[1000:]; !slices.Equal(got, want) {
			t.Errorf("sent %d again, want the %d whose arrival was not kept: %v", len(got), len(want), got[:min(3, len(got))])
		}
	})
}

func TestAReceiverThatConfirmsNothingGetsItsLastBatchAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		l := logWith(t, filepath.Join(dir, "log"), 3)
		r := &receiver{}
		s := shipper(t, l, filepath.Join(dir, "shipped"), r, nil)
		stop := start(s)
		time.Sleep(10 * time.Second)
		first := l.Kept()
		r.set(errors.New("broken pipe"))
		write(t, l, 2)
		time.Sleep(10 * time.Second)
		r.set(nil)
		time.Sleep(5 * time.Minute)
		if want := append(upTo(first), upTo(first+2)...); !slices.Equal(r.ids(), want) {
			t.Errorf("got %v, want %v", r.ids(), want)
		}
		stop()
	})
}

func TestAPositionThatDoesNotFitTheLogBeginsAgain(t *testing.T) {
	for name, kept := range map[string]position{
		"a longer log": {ID: 4711, Hash: "ab"}, "another entry": {ID: 2, Hash: strings.Repeat("0", 64)}, "no position": {ID: -1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dir := t.TempDir()
				l := logWith(t, filepath.Join(dir, "log"), 3)
				r := &receiver{sure: true}
				s := shipper(t, l, dir, r, nil)
				text, _ := json.Marshal(kept)
				if err := os.WriteFile(filepath.Join(dir, "siem.json"), text, 0o600); err != nil {
					t.Fatal(err)
				}
				stop := start(s)
				time.Sleep(10 * time.Second)
				stop()
				if got := s.Targets()[0]; got.Restarted == "" || !slices.Equal(r.ids(), upTo(l.Kept())) {
					t.Errorf("%+v, got %v", got, r.ids())
				}
				if p := s.Problems(); len(p) != 1 || p[0].Severity != "critical" {
					t.Errorf("%+v", p)
				}
			})
		})
	}
}

// gaps is a log whose first entries retention let go of.
type gaps struct{ *auditlog.Log }

func (g gaps) ExportAudit(ctx context.Context, q store.AuditQuery, yield func([]byte, model.AuditEntry) error) error {
	q.After = max(q.After, 2)
	return g.Log.ExportAudit(ctx, q, yield)
}

func TestWhatIsGoneOrRefusedIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		l := logWith(t, filepath.Join(dir, "log"), 5)
		s := shipper(t, gaps{l}, dir, &receiver{sure: true, refuse: 1}, nil)
		stop := start(s)
		time.Sleep(10 * time.Second)
		stop()
		if got := s.Targets()[0]; got.Missed != 2 || got.Refused != 1 || got.Waiting != 0 || len(s.Problems()) != 1 {
			t.Errorf("%+v %v", got, s.Problems())
		}
	})
}

func TestWhatIsWrongWithATargetIsSaidWithItsPlace(t *testing.T) {
	facility := 24
	for want, targets := range map[string][]Target{
		"ship[0].name":              {{Name: "../x", OTLP: &OTLP{Endpoint: "https://a/v1/logs"}}},
		"ship[1].name":              {{Name: "a", OTLP: &OTLP{Endpoint: "https://a/v1/logs"}}, {Name: "a", OTLP: &OTLP{Endpoint: "https://a/v1/logs"}}},
		"ship[0]: must have either": {{Name: "a"}},
		"ship[0].otlp.endpoint":     {{Name: "a", OTLP: &OTLP{Endpoint: "a:4317"}}},
		"must not hold credentials": {{Name: "a", OTLP: &OTLP{Endpoint: "https://u:p@a/v1/logs"}}},
		"ship[0].otlp.protocol":     {{Name: "a", OTLP: &OTLP{Endpoint: "https://a/v1/logs", Protocol: "json"}}},
		"port and no path":          {{Name: "a", OTLP: &OTLP{Endpoint: "https://a:1/v1/logs", Protocol: "grpc"}}},
		"ship[0].syslog.address":    {{Name: "a", Syslog: &Syslog{Address: "siem:514"}}},
		"ship[0].syslog.address: ":  {{Name: "a", Syslog: &Syslog{Address: "tcp://siem"}}},
		"ship[0].syslog.facility":   {{Name: "a", Syslog: &Syslog{Address: "tcp://siem:1", Facility: &facility}}},
		"ship[0].syslog.hostname":   {{Name: "a", Syslog: &Syslog{Address: "tcp://siem:1", Hostname: "a b"}}},
	} {
		if err := errors.Join(Validate(targets)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
