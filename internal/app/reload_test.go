package app

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/signalbox-project/signalbox/internal/config"
)

func configOf(t *testing.T, dir, text string) config.Config {
	t.Helper()
	files(t, dir, map[string]string{"signalbox.yml": text})
	c, err := config.Load(filepath.Join(dir, "signalbox.yml"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const oneRule = "groups: [{name: g, interval: 100ms, rules: [{record: one, expr: vector(1)}]}]\n"

func TestAReloadTakesEveryFileAndABadOneHoldsUpNoOther(t *testing.T) {
	r := start(t, map[string]string{
		"signalbox.yml": "rule_files: ['r/*.yml']\nprobe_files: ['p/*.yml']\n", "r/a.yml": oneRule,
	})
	until(t, "the first rule", func() bool { return len(r.query(t, "one", "__name__")) == 1 })

	files(t, r.dir, map[string]string{
		"r/b.yml": strings.ReplaceAll(oneRule, "one", "two"),
		"p/a.yml": "probes: [{name: self, module: http_2xx, target: /-/healthy, interval: 1s}]\n",
	})
	if status, text := r.do(t, "POST", "/-/reload", "", ""); status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
	until(t, "the second rule", func() bool { return len(r.query(t, "two", "__name__")) == 1 })
	until(t, "the probe of ourselves is up", func() bool { return r.contains(t, "/sb/v1/probes", `"state":"up"`, `"self"`) })

	// One bad file among good changes names itself, and its last good version stays; the others take effect.
	files(t, r.dir, map[string]string{
		"r/c.yml": strings.ReplaceAll(oneRule, "one", "three"),
		"p/a.yml": "probes: [{name: self, module: no_such_module, target: /-/healthy}]\n",
	})
	status, text := r.do(t, "PUT", "/-/reload", "", "")
	if status != http.StatusInternalServerError || !strings.Contains(text, "no_such_module") {
		t.Errorf("%d %s", status, text)
	}
	if names := strings.Join(ruleFiles(r), " "); !strings.Contains(names, "c.yml") {
		t.Errorf("rules in force: %s", names)
	}
	if !r.contains(t, "/sb/v1/probes", `"self"`) {
		t.Error("the last good probe is gone")
	}
	if !r.contains(t, "/sb/v1/status", "the last load of the configuration found errors", "no_such_module") || !r.contains(t, "/metrics", "signalbox_config_last_reload_successful 0") {
		t.Error("status and metrics do not say that the reload failed")
	}
	if !r.contains(t, "/api/v1/status/runtimeinfo", `"reloadConfigSuccess":false`) {
		t.Error("the Prometheus API says that the reload succeeded")
	}

	if err := os.Remove(filepath.Join(r.dir, "p/a.yml")); err != nil {
		t.Fatal(err)
	}
	if status, text := r.do(t, "POST", "/-/reload", "", ""); status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
	if r.contains(t, "/sb/v1/status", "the last load of the configuration found errors") || !r.contains(t, "/metrics", "signalbox_config_last_reload_successful 1") {
		t.Error("status and metrics still say that the reload failed")
	}
	until(t, "the third rule", func() bool { return len(r.query(t, "three", "__name__")) == 1 })
	if r.contains(t, "/sb/v1/probes", `"self"`) {
		t.Error("the probe that is gone is still there")
	}
}

func ruleFiles(r *running) []string { return r.rules.Value().Paths() }

func TestAHangUpReloadsAndAFailedOneIsLogged(t *testing.T) {
	hangup := make(chan os.Signal)
	r := start(t, map[string]string{"signalbox.yml": "rule_files: [r.yml]\n", "r.yml": oneRule}, func(o *Options) { o.Hangup = hangup })
	files(t, r.dir, map[string]string{"r.yml": strings.ReplaceAll(oneRule, "one", "two")})
	hangup <- syscall.SIGHUP
	until(t, "the rule of the new file", func() bool { return len(r.query(t, "two", "__name__")) == 1 })
	files(t, r.dir, map[string]string{"signalbox.yml": "no_such_section: {}\n"})
	hangup <- syscall.SIGHUP
	until(t, "the log says so", func() bool {
		return strings.Contains(r.log.String(), "reload failed, the last good configuration is in force")
	})
	if !r.contains(t, "/sb/v1/status", "no_such_section") {
		t.Error("the status does not name the key")
	}
}

func TestAReloadSaysWhatNeedsARestart(t *testing.T) {
	r := start(t, map[string]string{"signalbox.yml": "rule_files: [r.yml]\n", "r.yml": oneRule})
	files(t, r.dir, map[string]string{"signalbox.yml": "web: {body_timeout: 5s}\n"})
	if status, text := r.do(t, "POST", "/-/reload", "", ""); status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
	if log := r.log.String(); !strings.Contains(log, "takes effect after a restart") || !strings.Contains(log, "section=web") || strings.Contains(log, "section=rule_files") {
		t.Error(log)
	}
	if got := ruleFiles(r); len(got) != 0 {
		t.Errorf("rules that are no longer named are in force: %v", got)
	}
}

func TestOurOwnScrapeJobGivesWayToOneOfTheSameName(t *testing.T) {
	r := start(t, map[string]string{"signalbox.yml": "scrape_configs: [{job_name: signalbox, static_configs: [{targets: ['127.0.0.1:9']}]}]\n"})
	if jobs := r.scraper.Config().ScrapeConfigs; len(jobs) != 1 || jobs[0].JobName != "signalbox" {
		t.Errorf("%d jobs", len(jobs))
	}
	files(t, r.dir, map[string]string{"signalbox.yml": "scrape_configs: [{job_name: other}]\n"})
	if err := r.reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if jobs := r.scraper.Config().ScrapeConfigs; len(jobs) != 2 {
		t.Errorf("%d jobs, want the configured one and our own", len(jobs))
	}
}
