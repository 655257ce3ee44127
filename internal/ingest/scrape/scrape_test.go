package scrape_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	promscrape "github.com/prometheus/prometheus/scrape"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"github.com/signalbox-project/signalbox/internal/admit/samples"
	"github.com/signalbox-project/signalbox/internal/ingest/scrape"
	"github.com/signalbox-project/signalbox/internal/store/metrics"
)

type fixture struct {
	*scrape.Scraper
	store    *metrics.Store
	arrivals <-chan struct{}
}

func apply(t *testing.T, sc *scrape.Scraper, text, dir string) {
	t.Helper()
	cfg, err := scrape.Load(text, dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := sc.Apply(cfg); err != nil {
		t.Fatal(err)
	}
}

// start runs a scraper; configurations are applied before Run, as at a start.
func start(t *testing.T, configs ...string) *fixture {
	t.Helper()
	s, err := metrics.Open(metrics.DefaultConfig(), metrics.Deps{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	adm, err := samples.New(samples.DefaultConfig(), samples.Deps{Next: s})
	if err != nil {
		t.Fatal(err)
	}
	sc, err := scrape.New(scrape.Deps{Appendable: adm.For("scrape")})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range configs {
		apply(t, sc, text, ".")
	}
	arrivals, stopArrivals := s.Arrivals()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- sc.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		stopArrivals()
		_ = s.Close()
	})
	return &fixture{Scraper: sc, store: s, arrivals: arrivals}
}

// value waits until the newest sample of a series satisfies ok.
func (f *fixture) value(t *testing.T, ok func(float64) bool, ms ...*labels.Matcher) {
	t.Helper()
	f.await(t, fmt.Sprintf("such a sample of %v", ms), func() bool {
		q, err := f.store.Querier(0, time.Now().Add(time.Minute).UnixMilli())
		if err != nil {
			t.Fatal(err)
		}
		defer q.Close()
		set := q.Select(context.Background(), true, nil, ms...)
		for set.Next() {
			it := set.At().Iterator(nil)
			for it.Next() == chunkenc.ValFloat {
				if _, v := it.At(); ok(v) {
					return true
				}
			}
		}
		return false
	})
}

// await asks again whenever samples arrived.
func (f *fixture) await(t *testing.T, what string, is func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	for !is() {
		select {
		case <-f.arrivals:
		case <-deadline:
			t.Fatalf("no %s within a minute", what)
		}
	}
}

func eq(name, value string) *labels.Matcher {
	return labels.MustNewMatcher(labels.MatchEqual, name, value)
}

func exporter(t *testing.T) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		fmt.Fprintf(w, "# HELP disk_bytes Bytes.\n# TYPE disk_bytes gauge\ndisk_bytes{dev=\"sda\"} 42\nhuge{l=\"%s\"} 1\n", strings.Repeat("x", 10_000))
	}))
	t.Cleanup(srv.Close)
	return strings.TrimPrefix(srv.URL, "http://")
}

const job = `scrape_configs:
  - job_name: disks
    scrape_interval: 1s
    scrape_timeout: 1s
`

func TestTargetsOfAFileAreScrapedAndABadLabelCostsOnlyItsSample(t *testing.T) {
	f, dir := start(t), t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "targets.json"), fmt.Appendf(nil, `[{"targets":[%q],"labels":{"team":"a"}}]`, exporter(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	apply(t, f.Scraper, job+"    file_sd_configs: [{files: [targets.json]}]\n", dir)
	f.value(t, func(v float64) bool { return v == 42 }, eq("__name__", "disk_bytes"), eq("team", "a"), eq("job", "disks"))
	f.value(t, func(v float64) bool { return v == 1 }, eq("__name__", "up"), eq("job", "disks"))
	f.await(t, "healthy target alone", func() bool { // one scrape may be late on a busy machine
		ts := f.TargetsActive()["disks"]
		return len(ts) == 1 && ts[0].Health() == promscrape.HealthGood
	})
	if md, ok := f.TargetsActive()["disks"][0].GetMetadata("disk_bytes"); !ok || md.Help != "Bytes." {
		t.Errorf("metadata %v", md)
	}
}

func TestTargetsConfiguredBeforeTheStartAreScraped(t *testing.T) {
	f := start(t, job+"    static_configs: [{targets: ["+exporter(t)+"]}]\n")
	f.value(t, func(v float64) bool { return v == 42 }, eq("__name__", "disk_bytes"), eq("job", "disks"))
}

func TestATargetThatIsGoneStopsBeingScraped(t *testing.T) {
	f := start(t)
	apply(t, f.Scraper, job+"    static_configs: [{targets: ["+exporter(t)+"]}]\n", ".")
	f.value(t, func(v float64) bool { return v == 42 }, eq("__name__", "disk_bytes"))
	apply(t, f.Scraper, "", ".")
	if ts := f.TargetsActive(); len(ts) != 0 {
		t.Errorf("still active: %v", ts)
	}
}

// A target whose answer becomes much more than it may is down, says why, and costs its bound.
func TestABombIsNotUnpacked(t *testing.T) {
	var bomb bytes.Buffer
	w := gzip.NewWriter(&bomb)
	line := []byte("# " + strings.Repeat("x", 1<<16) + "\n")
	for range 64 {
		_, _ = w.Write(line)
	}
	_ = w.Close()
	hostile := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(bomb.Bytes())
	}))
	t.Cleanup(hostile.Close)
	static := func(target string) string { return "    static_configs: [{targets: ['" + target + "']}]\n" }
	cfg, err := scrape.Load(job+static(strings.TrimPrefix(hostile.URL, "http://"))+
		"  - job_name: others\n    scrape_interval: 200ms\n    scrape_timeout: 200ms\n    body_size_limit: 1GB\n"+static(exporter(t)), ".")
	if err != nil {
		t.Fatal(err)
	}
	scrape.Bound(cfg, 1<<16)
	if own := cfg.ScrapeConfigs[1].BodySizeLimit; own != 1<<30 {
		t.Errorf("a bound of its own becomes %v", own)
	}
	f := start(t)
	if err := f.Apply(cfg); err != nil {
		t.Fatal(err)
	}
	f.value(t, func(v float64) bool { return v == 42 }, eq("__name__", "disk_bytes"), eq("job", "others"))
	f.value(t, func(v float64) bool { return v == 0 }, eq("__name__", "up"), eq("job", "disks"))
	for _, target := range f.TargetsActive()["disks"] {
		if err := target.LastError(); err == nil || !strings.Contains(err.Error(), "body size limit exceeded") {
			t.Errorf("it says %v", err)
		}
	}
}

func TestConfigurationsAreReadByPrometheusRules(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"nothing", "", ""},
		{"an empty list", " []", ""},
		{"a list in one line", ` [{job_name: a, static_configs: [{targets: ["h:1"]}]}]`, ""},
		{"a list that is not indented", "- job_name: a\n- job_name: b\n", ""},
		{"kubernetes, dns and http discovery", "- job_name: a\n  kubernetes_sd_configs: [{role: pod}]\n  dns_sd_configs: [{names: [x]}]\n  http_sd_configs: [{url: 'http://x/'}]\n", ""},
		{"the same job twice", "- job_name: a\n- job_name: a\n", "multiple scrape configs"},
		{"a timeout above the interval", "- job_name: a\n  scrape_interval: 1s\n  scrape_timeout: 2s\n", "scrape timeout greater"},
		{"no job name", "- scheme: http\n", "job_name"},
		{"a discovery that is not built in", "- job_name: a\n  consul_sd_configs: [{server: x}]\n", "line 3"},
		{"broken YAML", "- job_name: [\n", "line 2"},
		{"a password in an address", "- job_name: a\n  static_configs: [{targets: [\"bob:SECRET@h:1\"]}]\n", "job a: target …@h:1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			sep := "\n"
			if strings.HasPrefix(c.text, " ") {
				sep = ""
			}
			_, err := scrape.Load("scrape_configs:"+sep+c.text, ".")
			if (err == nil) != (c.want == "") || (err != nil && !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// A scrape loses the sample that cannot be stored and nothing else.
func TestABadSampleCostsItselfAlone(t *testing.T) {
	for name, bad := range map[string]string{
		"between window and retention": fmt.Sprintf("old_metric 1 %d", time.Now().Add(-3*24*time.Hour).UnixMilli()),
		"before the retention":         fmt.Sprintf("old_metric 1 %d", time.Now().Add(-60*24*time.Hour).UnixMilli()),
		"ahead of the clock":           fmt.Sprintf("old_metric 1 %d", time.Now().Add(20*time.Minute).UnixMilli()),
		"a label that is too long":     `old_metric{a="` + strings.Repeat("x", 5000) + `"} 1`,
	} {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				fmt.Fprintf(w, "first 1\n%s\nlast 2\n", bad)
			}))
			defer srv.Close()
			target := strings.TrimPrefix(srv.URL, "http://")
			f := start(t, fmt.Sprintf("scrape_configs: [{job_name: j, scrape_interval: 1s, scrape_timeout: 1s, static_configs: [{targets: ['%s']}]}]", target))
			is := func(want float64) func(float64) bool { return func(v float64) bool { return v == want } }
			f.value(t, is(2), labels.MustNewMatcher(labels.MatchEqual, "__name__", "last"))
			f.value(t, is(1), labels.MustNewMatcher(labels.MatchEqual, "__name__", "first"))
			f.value(t, is(1), labels.MustNewMatcher(labels.MatchEqual, "__name__", "up"))
		})
	}
}
