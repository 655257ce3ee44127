package scrape_test

import (
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

// start runs a scraper; sections are applied before Run, as at a start.
func start(t *testing.T, sections ...scrape.Section) *fixture {
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
	for _, section := range sections {
		if err := sc.Reload(section); err != nil {
			t.Fatal(err)
		}
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
	deadline := time.After(10 * time.Second)
	for {
		q, err := f.store.Querier(0, time.Now().Add(time.Minute).UnixMilli())
		if err != nil {
			t.Fatal(err)
		}
		set := q.Select(context.Background(), true, nil, ms...)
		for set.Next() {
			it := set.At().Iterator(nil)
			for it.Next() == chunkenc.ValFloat {
				if _, v := it.At(); ok(v) {
					q.Close()
					return
				}
			}
		}
		q.Close()
		select {
		case <-f.arrivals:
		case <-deadline:
			t.Fatalf("no such sample of %v within 10 s", ms)
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

const job = `  - job_name: disks
    scrape_interval: 200ms
    scrape_timeout: 200ms
`

func TestTargetsOfAFileAreScrapedAndABadLabelCostsOnlyItsSample(t *testing.T) {
	f, dir := start(t), t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "targets.json"), fmt.Appendf(nil, `[{"targets":[%q],"labels":{"team":"a"}}]`, exporter(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	err := f.Reload(scrape.Section{Text: job + "    file_sd_configs: [{files: [targets.json]}]\n", Line: 1, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	f.value(t, func(v float64) bool { return v == 42 }, eq("__name__", "disk_bytes"), eq("team", "a"), eq("job", "disks"))
	f.value(t, func(v float64) bool { return v == 1 }, eq("__name__", "up"), eq("job", "disks"))
	if ts := f.TargetsActive()["disks"]; len(ts) != 1 || ts[0].Health() != promscrape.HealthGood {
		t.Errorf("targets %v", ts)
	}
	if md, ok := f.TargetsActive()["disks"][0].GetMetadata("disk_bytes"); !ok || md.Help != "Bytes." {
		t.Errorf("metadata %v", md)
	}
}

func TestTargetsConfiguredBeforeTheStartAreScraped(t *testing.T) {
	f := start(t, scrape.Section{Text: job + "    static_configs: [{targets: [" + exporter(t) + "]}]\n", Line: 1})
	f.value(t, func(v float64) bool { return v == 42 }, eq("__name__", "disk_bytes"), eq("job", "disks"))
}

func TestAFailedReloadKeepsTheTargetsAndSaysWhere(t *testing.T) {
	f := start(t)
	good := job + "    static_configs: [{targets: [" + exporter(t) + "]}]\n"
	if err := f.Reload(scrape.Section{Text: good, Line: 1}); err != nil {
		t.Fatal(err)
	}
	err := f.Reload(scrape.Section{File: "signalbox.yml", Line: 40, Text: job + "    static_konfigs: []\n"})
	if err == nil || !strings.Contains(err.Error(), "signalbox.yml: scrape_configs") || !strings.Contains(err.Error(), "line 43") || !strings.Contains(err.Error(), "static_konfigs") {
		t.Errorf("got %v, want file, line 43 and the key", err)
	}
	f.value(t, func(v float64) bool { return v == 42 }, eq("__name__", "disk_bytes"))
	cfg := f.Config()
	if len(cfg.ScrapeConfigs) != 1 {
		t.Errorf("%d jobs, want the one before", len(cfg.ScrapeConfigs))
	}
}

func TestATargetThatIsGoneStopsBeingScraped(t *testing.T) {
	f := start(t)
	if err := f.Reload(scrape.Section{Text: job + "    static_configs: [{targets: [" + exporter(t) + "]}]\n", Line: 1}); err != nil {
		t.Fatal(err)
	}
	f.value(t, func(v float64) bool { return v == 42 }, eq("__name__", "disk_bytes"))
	if err := f.Reload(scrape.Section{}); err != nil {
		t.Fatal(err)
	}
	if ts := f.TargetsActive(); len(ts) != 0 {
		t.Errorf("still active: %v", ts)
	}
}

func TestSectionsAreReadByPrometheusRules(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"nothing", "", ""},
		{"an empty list", " []", ""},
		{"a list in one line", `[{job_name: a, static_configs: [{targets: ["h:1"]}]}]`, ""},
		{"a list that is not indented", "- job_name: a\n- job_name: b\n", ""},
		{"kubernetes, dns and http discovery", "- job_name: a\n  kubernetes_sd_configs: [{role: pod}]\n  dns_sd_configs: [{names: [x]}]\n  http_sd_configs: [{url: 'http://x/'}]\n", ""},
		{"the same job twice", "- job_name: a\n- job_name: a\n", "multiple scrape configs"},
		{"a timeout above the interval", "- job_name: a\n  scrape_interval: 1s\n  scrape_timeout: 2s\n", "scrape timeout greater"},
		{"no job name", "- scheme: http\n", "job_name"},
		{"a discovery that is not built in", "- job_name: a\n  consul_sd_configs: [{server: x}]\n", "line 12"},
		{"broken YAML", "- job_name: [\n", "line 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := scrape.Parse(scrape.Section{File: "f.yml", Line: 11, Text: c.text})
			if (err == nil) != (c.want == "") || (err != nil && !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}
