package promql

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/config"
	_ "github.com/prometheus/prometheus/discovery/http" // http_sd_configs
	"go.yaml.in/yaml/v3"
)

func TestNothingThatShowsConfigurationShowsASecret(t *testing.T) {
	cfg, err := config.Load(`
scrape_configs:
- job_name: app
  params: {api_key: [SECRET], module: [http_2xx]}
  metrics_path: /metrics
  proxy_url: http://u:SECRET@proxy.example
  http_headers: {X-Token: {values: [SECRET]}}
  basic_auth: {username: bob, password: SECRET}
  http_sd_configs: [{url: "https://u:SECRET@sd.example/x?sig=SECRET"}]
`, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := openStore(t)
	api, err := NewAPI(engine(t, DefaultConfig(), s), APIDeps{
		Storage: s, PrometheusConfig: func() config.Config { return *cfg },
		Flags:       map[string]string{"remote": "https://u:SECRET@x.example"},
		ExternalURL: &url.URL{Scheme: "http", Host: "box.example:4300"},
	})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(api)
	defer srv.Close()
	for path, want := range map[string]string{
		"/status/config": "api_key", "/status/flags": "u:xxxxx@x.example", "/targets": "activeTargets", "/alertmanagers": "activeAlertmanagers",
	} {
		resp, err := http.Get(srv.URL + Prefix + path)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != 200 || strings.Contains(string(text), "SECRET") || !strings.Contains(string(text), want) {
			t.Errorf("%s: %s %s", path, resp.Status, text)
		}
	}
	var shown struct{ Data struct{ YAML string } }
	get(t, "GET", srv.URL+Prefix+"/status/config", &shown)
	var again map[string]any
	if err := yaml.Unmarshal([]byte(shown.Data.YAML), &again); err != nil {
		t.Errorf("what is shown is no YAML any more: %v", err)
	}
}

func TestATargetsAddressParametersAndErrorAreMasked(t *testing.T) {
	got := mask("", map[string]any{
		"scrapeUrl":        "http://h/probe?target=x&token=SECRET",
		"lastError":        `Get "http://u:SECRET@h/": refused`,
		"discoveredLabels": map[string]any{"__param_token": "SECRET", "__address__": "h:80"},
		"list":             []any{"http://u:SECRET@h", 1.5, nil, true},
	})
	if text := strings.Join(texts(got), " "); strings.Contains(text, "SECRET") || !strings.Contains(text, "h:80") || !strings.Contains(text, "target=x") {
		t.Error(text)
	}
}

func texts(v any) (out []string) {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		for _, e := range v {
			out = append(out, texts(e)...)
		}
	case map[string]any:
		for _, e := range v {
			out = append(out, texts(e)...)
		}
	}
	return out
}
