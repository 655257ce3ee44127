package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// peers builds the programs of test/peers once.
var peers = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "signalbox-peers-")
	if err != nil {
		return "", err
	}
	build := exec.Command("go", "build", "-tags", "remove_all_sd", "-o", dir+"/",
		"github.com/prometheus/prometheus/cmd/prometheus",
		"github.com/prometheus/prometheus/cmd/promtool",
		"github.com/prometheus/alertmanager/cmd/amtool")
	build.Dir = filepath.Join("..", "peers")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build peers: %w\n%s", err, out)
	}
	return dir, nil
})

func peer(t *testing.T, name string) string {
	t.Helper()
	dir, err := peers()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, name)
}

func runPeer(t *testing.T, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, peer(t, name), args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// exporter serves one counter, one classic histogram and one gauge.
func exporter(t *testing.T) *httptest.Server {
	t.Helper()
	const text = `# TYPE peer_requests_total counter
peer_requests_total{code="200"} 7
# TYPE peer_temperature gauge
peer_temperature 21.5
# TYPE peer_latency_seconds histogram
peer_latency_seconds_bucket{le="0.1"} 3
peer_latency_seconds_bucket{le="+Inf"} 4
peer_latency_seconds_sum 0.7
peer_latency_seconds_count 4
`
	e := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		fmt.Fprint(w, text)
	}))
	t.Cleanup(e.Close)
	return e
}

// TestARealPrometheusWritesIntoUs runs Prometheus with remote write v1 and v2.
func TestARealPrometheusWritesIntoUs(t *testing.T) {
	s := start(t, options{})
	target := strings.TrimPrefix(exporter(t).URL, "http://")
	for version, message := range map[string]string{"v1": "prometheus.WriteRequest", "v2": "io.prometheus.write.v2.Request"} {
		t.Run("remote write "+version, func(t *testing.T) {
			s := s.in(t)
			runPrometheus(t, fmt.Sprintf(`
global: {scrape_interval: 1s, external_labels: {sender: %s}}
scrape_configs: [{job_name: peer, static_configs: [{targets: [%q]}]}]
remote_write: [{url: "%s/api/v1/write", protobuf_message: %s, queue_config: {batch_send_deadline: 500ms}}]
`, version, target, s.URL, message))
			eventually(t, func() error {
				for expr, want := range map[string]float64{
					`peer_requests_total{code="200",sender="%s"}`:       7,
					`peer_temperature{sender="%s"}`:                     21.5,
					`peer_latency_seconds_bucket{le="0.1",sender="%s"}`: 3,
					`up{job="peer",sender="%s"}`:                        1,
				} {
					if got, ok := s.value(fmt.Sprintf(expr, version)); !ok || got != want {
						return fmt.Errorf("%s = %v (%v), want %v", expr, got, ok, want)
					}
				}
				return nil
			})
		})
	}
}

func runPrometheus(t *testing.T, config string) {
	t.Helper()
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "prometheus.yml"), config)
	cmd := exec.Command(peer(t, "prometheus"), "--config.file", filepath.Join(dir, "prometheus.yml"),
		"--storage.tsdb.path", filepath.Join(dir, "data"), "--web.listen-address", "127.0.0.1:0")
	log := &logBuffer{grown: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(tail(log.String(), 30))
		}
	})
}

func TestScrapedExporterIsQueriedByPromtool(t *testing.T) {
	target := strings.TrimPrefix(exporter(t).URL, "http://")
	s := start(t, options{config: fmt.Sprintf(`
scrape_configs:
  - job_name: peer
    scrape_interval: 1s
    static_configs: [{targets: [%q]}]
`, target)})
	eventually(t, func() error {
		if v, ok := s.value(`up{job="peer"}`); !ok || v != 1 {
			return errors.New("not scraped yet")
		}
		return nil
	})
	if out := runPeer(t, "promtool", "query", "instant", s.URL, `peer_requests_total{code="200"}`); !strings.Contains(out, "=> 7 @") {
		t.Errorf("promtool query instant: %s", out)
	}
	if out := runPeer(t, "promtool", "query", "range", s.URL, `peer_temperature`); !strings.Contains(out, "21.5") {
		t.Errorf("promtool query range: %s", out)
	}
	if out := runPeer(t, "promtool", "query", "labels", s.URL, "job"); !strings.Contains(out, "peer") {
		t.Errorf("promtool query labels: %s", out)
	}
	if out := runPeer(t, "promtool", "query", "series", "--match", "peer_requests_total", s.URL); !strings.Contains(out, `code="200"`) {
		t.Errorf("promtool query series: %s", out)
	}
	if out := runPeer(t, "promtool", "check", "healthy", "--url", s.URL); !strings.Contains(out, "SUCCESS") {
		t.Errorf("promtool check healthy: %s", out)
	}
}

func TestAmtoolWorks(t *testing.T) {
	s := start(t, options{})
	amtool := func(args ...string) string {
		return runPeer(t, "amtool", append([]string{"--alertmanager.url", s.URL}, args...)...)
	}
	amtool("alert", "add", "alertname=DiskFull", "severity=warning", "service=file-server")
	eventually(t, func() error {
		if out := amtool("alert", "query", "-o", "simple", "service=file-server"); !strings.Contains(out, "DiskFull") {
			return fmt.Errorf("alert query: %s", out)
		}
		return nil
	})
	id := strings.TrimSpace(amtool("silence", "add", "--author", "test", "--comment", "maintenance", "--duration", "1h", "alertname=DiskFull"))
	if out := amtool("silence", "query"); !strings.Contains(out, id) || !strings.Contains(out, "maintenance") {
		t.Errorf("silence query: %s does not have %s", out, id)
	}
	if out := amtool("alert", "query", "--silenced", "service=file-server"); !strings.Contains(out, "DiskFull") {
		t.Errorf("silenced alerts: %s", out)
	}
	amtool("silence", "expire", id)
	if out := amtool("silence", "query"); strings.Contains(out, id) {
		t.Errorf("the silence is still there: %s", out)
	}
	if out := amtool("config", "show"); !strings.Contains(out, "receivers:") {
		t.Errorf("config show: %s", out)
	}
	if out := amtool("cluster", "show"); out == "" {
		t.Error("cluster show printed nothing")
	}
}
