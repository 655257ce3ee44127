package e2e

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"
)

var killCycles = flag.Int("kill-cycles", 5, "how often TestAcknowledgedSurvivesKill9 kills the server")

// startLimit is how long a start may take after a kill. It is for a machine that has other work: the test logs how
// long starts took and what they had to read.
const startLimit = 5 * time.Minute

// producer sends numbered units until the server goes away and notes which
// numbers were acknowledged. A number is sent at most once.
type producer struct {
	signal  string
	senders int
	send    func(ctx context.Context, client *http.Client, base string, n int) (bool, error)
	stored  func(t *testing.T, s *server, epoch time.Time) map[int]int // number → how often it is there

	mu    sync.Mutex
	next  int
	acked map[int]bool
}

func (p *producer) run(ctx context.Context, base string) {
	client := &http.Client{Timeout: patience} // a kill ends its requests at once
	defer client.CloseIdleConnections()
	for ctx.Err() == nil {
		p.mu.Lock()
		n := p.next
		p.next++
		p.mu.Unlock()
		ok, err := p.send(ctx, client, base, n)
		if err != nil {
			return // the server is gone
		}
		if ok {
			p.mu.Lock()
			p.acked[n] = true
			p.mu.Unlock()
		}
	}
}

func post(ctx context.Context, client *http.Client, url, contentType string, header http.Header, body []byte) (bool, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	for k, v := range header {
		req.Header[k] = v
	}
	req.Header.Set("Content-Type", contentType)
	resp, err := client.Do(req)
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return false, err
	}
	return resp.StatusCode/100 == 2, nil
}

// crashTime gives every number a time of its own, so that samples of one series never
// collide and every record can be told apart.
func crashTime(epoch time.Time, n int) time.Time {
	return epoch.Add(time.Duration(n) * time.Millisecond)
}

// crashServer makes compactions, sealing and merging happen every few seconds instead of hours.
func crashServer(t *testing.T) options {
	files := t.TempDir()
	writeFile(t, filepath.Join(files, "am.yml"), `
route: {receiver: inbox, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 4h}
receivers: [{name: inbox}]
`)
	writeFile(t, filepath.Join(files, "slo.yaml"), `
apiVersion: openslo/v1
kind: SLO
metadata: {name: crash}
spec:
  service: crash
  timeWindow: [{duration: 28d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.99}]
  indicator: {spec: {ratioMetric: {good: {metricSource: {spec: {query: 'sum(crash_good)'}}}, total: {metricSource: {spec: {query: 'sum(crash_total)'}}}}}}
`)
	return options{dir: t.TempDir(), ready: startLimit, config: fmt.Sprintf(`
slo_files: [%[1]q]
alertmanager_file: %[2]q
metrics: {block_range: 5s, compact_every: 1s, out_of_order_window: 30d, late_log_bytes: 65536}
events: {head_rows: 1000, head_bytes: 1048576, seal_after: 1s, seal_idle: 1s}
sql: {timeout: 5m}
`, filepath.Join(files, "slo.yaml"), filepath.Join(files, "am.yml"))}
}

// TestAcknowledgedSurvivesKill9 kills the server at random moments, under load, soon after, while
// it compacts in peace and while it starts, and finds everything that was acknowledged exactly once.
func TestAcknowledgedSurvivesKill9(t *testing.T) {
	o := crashServer(t)
	epoch := time.Now().Add(-30 * time.Minute).Truncate(time.Second)
	all := append(producers(t, epoch), stateProducers(epoch)...)
	for _, p := range all {
		p.acked = map[int]bool{}
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d, %d cycles", seed, *killCycles)
	random := rand.New(rand.NewPCG(seed, 1))
	within := func(from, to int) {
		<-time.NewTimer(time.Duration(from+random.IntN(to-from)) * time.Millisecond).C
	}
	var slowest time.Duration
	for cycle := range *killCycles {
		for range random.IntN(4) / 3 * 2 { // every fourth time, twice
			s := launch(t, o)
			within(20, 1500)
			s.kill()
		}
		begin := time.Now()
		s := start(t, o)
		took := time.Since(begin).Round(time.Millisecond)
		slowest = max(slowest, took)
		t.Logf("cycle %d: ready after %s; metrics:%s", cycle, took, sizes(o.dir))
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for _, p := range all {
			for range p.senders {
				wg.Go(func() { p.run(ctx, s.URL) })
			}
		}
		if cycle == 0 { // the other lives may be too short on a busy machine for anything to be acknowledged in them
			eventually(t, func() error { return allAcknowledged(all) })
		}
		switch {
		case cycle == *killCycles-1: // long enough for exemplars, too short for them to be in a block
			within(800, 1200)
		case cycle%10 == 9:
			waitForCheckpoint(o.dir, random.IntN(2) == 0, cancel)
		case random.IntN(4) == 0:
			within(30, 500)
		case random.IntN(3) == 0: // in peace
			within(500, 2500)
			cancel()
			wg.Wait()
			within(100, 6000)
		default:
			within(500, 4000)
		}
		s.kill()
		cancel()
		wg.Wait()
		if t.Failed() {
			t.Fatalf("cycle %d failed", cycle)
		}
	}
	if named, err := os.ReadFile(filepath.Join(o.dir, "metrics", "quarantine", "damages.json")); err == nil {
		t.Errorf("a kill is no damage, but was named so: %s", named)
	}
	blocks, _ := filepath.Glob(filepath.Join(o.dir, "metrics", "0*"))
	t.Logf("the slowest of %d starts took %s; the metrics store has %d blocks", *killCycles, slowest, len(blocks))
	checkpoints, _ := filepath.Glob(filepath.Join(o.dir, "metrics", "wal", "checkpoint.*"))
	if (len(blocks) == 0 || len(checkpoints) == 0) && *killCycles >= 20 {
		t.Error("nothing was compacted; the test proves less than it should")
	}
	compacted := compactedUntil(t, o.dir)
	s := start(t, o)
	verify(t, s, epoch, all)
	verifyExemplars(t, s, all[0], compacted)
}

func allAcknowledged(all []*producer) error {
	for _, p := range all {
		p.mu.Lock()
		n := len(p.acked)
		p.mu.Unlock()
		if n == 0 {
			return fmt.Errorf("%s: nothing was acknowledged", p.signal)
		}
	}
	return nil
}

func verify(t *testing.T, s *server, epoch time.Time, all []*producer) {
	t.Helper()
	for _, p := range all {
		if len(p.acked) == 0 {
			t.Errorf("%s: nothing was acknowledged; the test proves nothing", p.signal)
		}
		stored := p.stored(t, s, epoch)
		var lost, twice []int
		for n := range p.acked {
			if stored[n] == 0 {
				lost = append(lost, n)
			}
		}
		for n, count := range stored {
			if count > 1 {
				twice = append(twice, n)
			}
		}
		t.Logf("%s: %d sent, %d acknowledged, %d stored", p.signal, p.next, len(p.acked), len(stored))
		if len(lost) > 0 || len(twice) > 0 {
			slices.Sort(lost)
			slices.Sort(twice)
			t.Errorf("%s: %d acknowledged ones lost %v, %d stored more than once %v", p.signal, len(lost), lost[:min(9, len(lost))], len(twice), twice[:min(9, len(twice))])
		}
	}
}

// waitForCheckpoint lives on until the log of metrics has a new checkpoint, at most three minutes, in peace or not: lives that
// are shorter on a busy machine end before compactions do, of which the first goes through half an hour in steps of 5 s.
func waitForCheckpoint(dir string, peace bool, cancel func()) {
	if peace {
		cancel()
	}
	before, _ := filepath.Glob(filepath.Join(dir, "metrics", "wal", "checkpoint.*[0-9]"))
	for range 3600 {
		<-time.NewTimer(50 * time.Millisecond).C
		if now, _ := filepath.Glob(filepath.Join(dir, "metrics", "wal", "checkpoint.*[0-9]")); !slices.Equal(before, now) {
			return
		}
	}
}

// sizes says how much of what a start reads there is.
func sizes(dir string) string {
	out := ""
	for _, what := range []string{"wal/0*", "wal/checkpoint*/*", "wbl/*", "chunks_head/*", "0*/index"} {
		found, _ := filepath.Glob(filepath.Join(dir, "metrics", what))
		size := int64(0)
		for _, path := range found {
			if info, err := os.Stat(path); err == nil {
				size += info.Size()
			}
		}
		out += fmt.Sprintf(" %s %d of %d KiB", what, len(found), size>>10)
	}
	return out
}
