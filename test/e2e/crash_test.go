package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/prometheus/prompb"

	"github.com/signalbox-project/signalbox/internal/model"
)

var killCycles = flag.Int("kill-cycles", 5, "how often TestAcknowledgedSurvivesKill9 kills the server")

// producer sends numbered units until the server goes away and notes which
// numbers were acknowledged. A number is sent at most once.
type producer struct {
	signal string
	send   func(ctx context.Context, client *http.Client, base string, n int) (bool, error)

	mu    sync.Mutex
	next  int
	acked map[int]bool
}

func (p *producer) run(ctx context.Context, base string) {
	client := &http.Client{Timeout: 10 * time.Second}
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

func producers(t *testing.T, epoch time.Time) []*producer {
	snappyHeader := http.Header{"Content-Encoding": {"snappy"}, "X-Prometheus-Remote-Write-Version": {"0.1.0"}}
	all := []*producer{
		{signal: "samples", send: func(ctx context.Context, c *http.Client, base string, n int) (bool, error) {
			body := remoteWrite(t, series{
				labels:  []string{"__name__", "crash_number", "slot", strconv.Itoa(n % 16)},
				samples: []prompb.Sample{sample(crashTime(epoch, n), float64(n))},
			})
			return post(ctx, c, base+"/api/v1/write", protobuf, snappyHeader, body)
		}},
		{signal: "logs", send: func(ctx context.Context, c *http.Client, base string, n int) (bool, error) {
			body := otlpLogs(t, "crash", crashTime(epoch, n), fmt.Sprintf("number %d of logs", n))
			return post(ctx, c, base+"/v1/logs", protobuf, nil, body)
		}},
		{signal: "spans", send: func(ctx context.Context, c *http.Client, base string, n int) (bool, error) {
			body := otlpSpans(t, "crash", spanSpec{trace: traceID(n), id: spanID(n), name: fmt.Sprintf("number %d", n), start: crashTime(epoch, n), duration: time.Millisecond})
			return post(ctx, c, base+"/v1/traces", protobuf, nil, body)
		}},
	}
	for _, p := range all {
		p.acked = map[int]bool{}
	}
	return all
}

// TestAcknowledgedSurvivesKill9 kills the server at random moments under load
// and finds every acknowledged sample, log and span exactly once.
func TestAcknowledgedSurvivesKill9(t *testing.T) {
	dir := t.TempDir()
	epoch := time.Now().Add(-30 * time.Minute).Truncate(time.Second)
	all := producers(t, epoch)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d, %d cycles", seed, *killCycles)
	random := rand.New(rand.NewPCG(seed, 1))
	for cycle := range *killCycles {
		s := start(t, options{dir: dir})
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for _, p := range all {
			for range 2 {
				wg.Go(func() { p.run(ctx, s.URL) })
			}
		}
		timer := time.NewTimer(time.Duration(50+random.IntN(700)) * time.Millisecond)
		<-timer.C
		s.kill()
		cancel()
		wg.Wait()
		if t.Failed() {
			t.Fatalf("cycle %d failed", cycle)
		}
	}
	s := start(t, options{dir: dir})
	verify(t, s, epoch, all)
}

func verify(t *testing.T, s *server, epoch time.Time, all []*producer) {
	t.Helper()
	stored := map[string]map[int]int{
		"samples": storedSamples(t, s, epoch),
		"logs":    storedLogs(t, s, epoch),
		"spans":   storedSpans(t, s, epoch),
	}
	for _, p := range all {
		if len(p.acked) == 0 {
			t.Errorf("%s: nothing was acknowledged; the test proves nothing", p.signal)
		}
		lost, twice := 0, 0
		for n := range p.acked {
			if stored[p.signal][n] == 0 {
				lost++
			}
		}
		for _, count := range stored[p.signal] {
			if count > 1 {
				twice++
			}
		}
		t.Logf("%s: %d sent, %d acknowledged, %d stored", p.signal, p.next, len(p.acked), len(stored[p.signal]))
		if lost > 0 || twice > 0 {
			t.Errorf("%s: %d acknowledged ones lost, %d stored more than once", p.signal, lost, twice)
		}
	}
}

// storedSamples counts the numbers found in the metric store.
func storedSamples(t *testing.T, s *server, epoch time.Time) map[int]int {
	t.Helper()
	var answer struct {
		Data struct {
			Result []struct {
				Values [][2]any `json:"values"`
			} `json:"result"`
		} `json:"data"`
	}
	s.get("/api/v1/query", url.Values{"query": {"crash_number[1h]"}}, &answer)
	found := map[int]int{}
	for _, r := range answer.Data.Result {
		for _, v := range r.Values {
			n, err := strconv.Atoi(v[1].(string))
			if err != nil {
				t.Fatal(err)
			}
			if at := time.UnixMilli(int64(v[0].(float64)*1e3 + 0.5)); !at.Equal(crashTime(epoch, n)) {
				t.Errorf("sample %d stands at %s, want %s", n, at, crashTime(epoch, n))
			}
			found[n]++
		}
	}
	return found
}

// storedLogs reads all records in slices of time shorter than the limit.
func storedLogs(t *testing.T, s *server, epoch time.Time) map[int]int {
	t.Helper()
	found := map[int]int{}
	for from := epoch; from.Before(time.Now().Add(time.Minute)); from = from.Add(5 * time.Second) {
		var answer struct {
			Logs      []model.LogRecord `json:"logs"`
			Truncated bool              `json:"truncated"`
		}
		s.get("/sb/v1/logs", url.Values{
			"q": {"service:crash"}, "limit": {"10000"},
			"start": {from.Format(time.RFC3339Nano)}, "end": {from.Add(5 * time.Second).Format(time.RFC3339Nano)},
		}, &answer)
		if answer.Truncated {
			t.Fatalf("more than 10,000 records in 5 s of numbered time")
		}
		for _, r := range answer.Logs {
			var n int
			if _, err := fmt.Sscanf(r.Message, "number %d of logs", &n); err != nil {
				t.Fatalf("unexpected record %q", r.Message)
			}
			found[n]++
		}
		if len(answer.Logs) == 0 && len(found) > 0 {
			break
		}
	}
	return found
}

// storedSpans asks SQL, so that search and SQL are both held to the promise.
func storedSpans(t *testing.T, s *server, _ time.Time) map[int]int {
	t.Helper()
	var answer struct {
		Rows      [][]json.RawMessage `json:"rows"`
		Truncated bool                `json:"truncated"`
	}
	found := map[int]int{}
	const slice = 5000
	for from := 0; ; from += slice {
		s.post("/sb/v1/sql", map[string]any{"limit": slice, "query": fmt.Sprintf(
			"SELECT CAST(split_part(name, ' ', 2) AS INTEGER) AS n, count(*) AS c FROM spans WHERE service = 'crash' GROUP BY 1 HAVING n >= %d AND n < %d", from, from+slice)}, &answer)
		if len(answer.Rows) == 0 && from > 200_000 || len(answer.Rows) == 0 && len(found) > 0 {
			return found
		}
		for _, r := range answer.Rows {
			var n, c int
			if json.Unmarshal(r[0], &n) != nil || json.Unmarshal(r[1], &c) != nil {
				t.Fatalf("row %s", r)
			}
			found[n] = c
		}
	}
}
