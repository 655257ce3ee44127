package app

import (
	"fmt"
	"strings"
	"testing"
)

// Secrets at every place where a configuration can have one. None of them may
// be seen anywhere.
func TestNoSecretIsSeenAnywhere(t *testing.T) {
	const dead = "127.0.0.1:9" // nobody answers there
	r := start(t, map[string]string{
		"signalbox.yml": `
scrape_configs:
- job_name: app
  scrape_interval: 100ms
  scrape_timeout: 100ms
  params: {token: [SECRET-param]}
  http_headers: {X-Api-Key: {values: [SECRET-header]}}
  basic_auth: {username: bob, password: SECRET-basic}
  static_configs: [{targets: ["` + dead + `"]}]
- job_name: sd
  http_sd_configs: [{url: "http://bob:SECRET-sd@` + dead + `/targets?sig=SECRET-sig"}]
rule_files: [rules.yml]
probe_files: [probes.yml]
alertmanager_file: alertmanager.yml
`,
		"rules.yml": "groups: [{name: g, interval: 100ms, rules: [{alert: Always, expr: vector(1), labels: {severity: critical}}]}]\n",
		"probes.yml": `
modules:
  login: {prober: http, http: {headers: {Authorization: Bearer SECRET-bearer}, basic_auth: {username: bob, password: SECRET-probe}}}
probes: [{name: shop, module: login, target: "http://bob:SECRET-target@` + dead + `/x?api_key=SECRET-key", interval: 1s, timeout: 500ms}]
`,
		"alertmanager.yml": `
route: {receiver: hook, group_wait: 0s}
receivers:
- name: hook
  webhook_configs:
  - url: http://bob:SECRET-webhook@` + dead + `/hook?token=SECRET-webhook-token
    http_config: {proxy_url: "http://bob:SECRET-proxy@` + dead + `"}
`,
	}, func(o *Options) { o.Log.Level = "debug" })
	until(t, "the probe failed", func() bool { return r.contains(t, "/sb/v1/probes", `"state":"down"`) })
	until(t, "the scrape failed", func() bool { return r.contains(t, "/api/v1/targets", `"health":"down"`) })
	until(t, "the discovery failed", func() bool { return strings.Contains(r.log.String(), "Unable to refresh target groups") })
	until(t, "the delivery failed", func() bool { return r.contains(t, "/sb/v1/pages", `"status":"failed"`) })
	until(t, "the probe's series is stored", func() bool { return len(r.query(t, "probe_success", "target")) == 1 })
	for target := range r.query(t, "probe_success", "target") {
		if want := "http://bob:xxxxx@" + dead + "/x?api_key=xxxxx"; target != want {
			t.Errorf("target %s, want %s", target, want)
		}
	}
	places := []string{
		"/api/v1/status/config", "/api/v1/status/flags", "/api/v1/targets", "/api/v1/scrape_pools", "/api/v1/rules", "/api/v1/alerts", "/api/v1/alertmanagers",
		"/api/v1/series?match[]=" + "%7B__name__=~%22.%2B%22%7D", "/api/v1/targets/metadata", "/federate?match[]=%7B__name__=~%22.%2B%22%7D",
		"/api/v2/status", "/api/v2/alerts", "/api/v2/receivers", "/metrics", "/sb/v1/status", "/sb/v1/probes", "/sb/v1/pages", "/sb/v1/audit", "/sb/v1/remedies",
		"/sb/v1/logs?limit=1000&start=now-1h", "/sb/v1/backtest/documents", "/sb/v1/explain/Always", "/debug/pprof/cmdline",
	}
	for _, path := range places {
		status, text := r.get(t, path)
		if status != 200 {
			t.Errorf("%s: %d %s", path, status, text)
		}
		if i := strings.Index(text, "SECRET"); i >= 0 {
			t.Errorf("%s shows a secret: …%s…", path, text[max(0, i-100):min(len(text), i+60)])
		}
	}
	for _, line := range strings.Split(r.log.String(), "\n") {
		if strings.Contains(line, "SECRET") {
			t.Errorf("the log shows a secret: %s", line)
		}
	}
}

func TestPasswordsWhereTheyWouldBePartOfAnIdentityAreRefused(t *testing.T) {
	dir := t.TempDir()
	files(t, dir, map[string]string{"signalbox.yml": "scrape_configs: [{job_name: a, static_configs: [{targets: ['bob:SECRET@h:1']}]}]\n"})
	o := options(t, dir)
	o.ConfigFile = dir + "/signalbox.yml"
	if _, err := Build(t.Context(), o); err == nil || strings.Contains(err.Error(), "SECRET") || !strings.Contains(err.Error(), "basic_auth") {
		t.Errorf("%v", err)
	}
	o = options(t, t.TempDir())
	for _, address := range []string{"https://bob:SECRET@box.example", "bob:SECRET@box.example", "https://SECRET@"} {
		o.ExternalURL = address
		if _, err := Build(t.Context(), o); err == nil || !strings.Contains(err.Error(), "--web.external-url") || strings.Contains(fmt.Sprint(err), ":SECRET") {
			t.Errorf("%s: %v", address, err)
		}
	}
}
