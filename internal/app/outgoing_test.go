package app

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/signalbox-project/signalbox/internal/probe"
)

// Every way out at once: scraping, discovery, receivers, Alertmanagers outside and probes, redirects included.
func TestNothingReachesWhatIsRefused(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.2:0") // stands for a metadata service
	if err != nil {
		t.Skip("127.0.0.2 is no address of this machine: ", err)
	}
	var asked atomic.Int32
	secret := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	secret.Listener.Close()
	secret.Listener = ln
	secret.Start()
	defer secret.Close()
	redirects := httptest.NewServer(http.RedirectHandler(secret.URL+"/latest/meta-data", http.StatusFound))
	defer redirects.Close()
	address := strings.TrimPrefix(secret.URL, "http://")
	r := start(t, map[string]string{
		"signalbox.yml": `
outgoing: {deny: [127.0.0.2/32]}
global: {scrape_interval: 1s, evaluation_interval: 1s}
scrape_configs:
  - {job_name: direct, static_configs: [{targets: ["` + address + `"]}]}
  - {job_name: redirected, static_configs: [{targets: ["` + strings.TrimPrefix(redirects.URL, "http://") + `"]}]}
  - {job_name: discovered, http_sd_configs: [{url: "` + secret.URL + `", refresh_interval: 1s}]}
alerting: {alertmanagers: [{static_configs: [{targets: ["` + address + `"]}]}]}
rule_files: [rules.yml]
alertmanager_file: am.yml
probe_files: [probes.yml]
`,
		"rules.yml": "groups: [{name: g, interval: 1s, rules: [{alert: Always, expr: vector(1)}]}]\n",
		"am.yml":    "route: {receiver: hook, group_wait: 0s, group_interval: 1s}\nreceivers: [{name: hook, webhook_configs: [{url: '" + redirects.URL + "'}, {url: '" + secret.URL + "'}]}]\n",
		"probes.yml": `
modules:
  web: {prober: http, timeout: 2s}
  port: {prober: tcp, timeout: 2s}
probes:
  - {name: direct, module: web, target: "` + secret.URL + `", interval: 1s}
  - {name: redirected, module: web, target: "` + redirects.URL + `", interval: 1s}
  - {name: port, module: port, target: "` + address + `", interval: 1s}
`,
	})
	until(t, "probes say so", func() bool {
		status, text := r.get(t, "/sb/v1/probes")
		said := 0
		for _, p := range into[struct{ Probes []probe.Probe }](t, status, text).Probes {
			if p.State == "not_run" && strings.Contains(p.Reason, "outgoing.allow") {
				said++
			}
		}
		return said == 3
	})
	until(t, "targets say so", func() bool {
		_, text := r.get(t, "/api/v1/targets")
		return strings.Count(text, "outgoing.allow") >= 2
	})
	until(t, "receivers and Alertmanagers outside were tried", func() bool {
		_, text := r.get(t, "/metrics")
		failed := `prometheus_notifications_errors_total{alertmanager="` + secret.URL + `/api/v2/alerts"} `
		return strings.Contains(r.log.String(), "outgoing.allow") && strings.Contains(text, failed) && !strings.Contains(text, failed+"0")
	})
	if n := asked.Load(); n != 0 {
		t.Errorf("it was asked %d times", n)
	}
}
