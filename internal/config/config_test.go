package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signalbox-project/signalbox/internal/config"
)

func load(t *testing.T, text string) (config.Config, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "signalbox.yml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return config.Load(file)
}

func TestWithoutAFileTheDefaultsApply(t *testing.T) {
	c, err := config.Load("")
	if err != nil {
		t.Fatal(err)
	}
	if c.Metrics.Retention == 0 || c.Prometheus == nil {
		t.Errorf("got %+v", c)
	}
}

func TestEveryProblemIsSaidAtOnceWithItsPlace(t *testing.T) {
	_, err := load(t, `
external_labels: {region: eu-1}
scrape_config: []
metrics:
  retention: -1d
  max_byte: 5
query:
  timeout: soon
nonsense_that_is_close_to_nothing: 1
`)
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{
		`signalbox.yml:3: unknown key "scrape_config"; did you mean "scrape_configs"?`,
		`signalbox.yml:6: metrics: unknown key "max_byte"; did you mean "max_bytes"?`,
		`signalbox.yml:8: query.timeout: `,
		`signalbox.yml:9: unknown key "nonsense_that_is_close_to_nothing"`,
		`retention: `,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q:\n%v", want, err)
		}
	}
}

func TestPathsAreRelativeToTheFile(t *testing.T) {
	c, err := load(t, "rule_files: [rules/*.yml, /etc/rules.yml]\nslo_files: [slos/*.yaml]\nalertmanager_file: am.yml\n")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(c.File)
	want := []string{filepath.Join(dir, "rules/*.yml"), "/etc/rules.yml", filepath.Join(dir, "slos/*.yaml"), filepath.Join(dir, "am.yml")}
	got := append(append(append([]string{}, c.RuleFiles...), c.SLOFiles...), c.AlertmanagerFile)
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestScrapeConfigsAreReadByPrometheus(t *testing.T) {
	c, err := load(t, `
global:
  scrape_interval: 7s
metrics: {retention: 3d}
scrape_configs:
  - job_name: node
    static_configs:
      - targets: ["localhost:9100"]
`)
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Prometheus.GetScrapeConfigs()
	if err != nil || len(got) != 1 || got[0].JobName != "node" || time.Duration(got[0].ScrapeInterval) != 7*time.Second {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestAnErrorInScrapeConfigsNamesTheLineOfTheWholeFile(t *testing.T) {
	_, err := load(t, "external_labels: {a: b}\n\nscrape_configs:\n  - job_name: x\n    statik_configs: []\n")
	if err == nil || !strings.Contains(err.Error(), "line 5") || !strings.Contains(err.Error(), "statik_configs") {
		t.Errorf("got %v, want line 5 and the key", err)
	}
}

func TestABrokenFileIsNamed(t *testing.T) {
	for _, text := range []string{"a: [", "just text", "- a\n- b\n", "metrics: 5\n", "rule_files: a: b\n", "a: 1\n---\nb: 2\n"} {
		if _, err := load(t, text); err == nil || !strings.Contains(err.Error(), "signalbox.yml") {
			t.Errorf("%q: got %v", text, err)
		}
	}
	if _, err := config.Load("nowhere.yml"); err == nil || !strings.Contains(err.Error(), "nowhere.yml") {
		t.Errorf("got %v", err)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add("metrics: {retention: 15d}\nscrape_configs: []\n")
	f.Add("a: &x [1]\nb: *x\n")
	f.Add("global: {scrape_interval: 1s}")
	f.Fuzz(func(t *testing.T, text string) {
		file := filepath.Join(t.TempDir(), "f.yml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Skip()
		}
		_, _ = config.Load(file) // must not panic
	})
}
