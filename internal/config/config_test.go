package config_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signalbox-project/signalbox/internal/config"
	"github.com/signalbox-project/signalbox/internal/document"
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
	if want := `signalbox.yml:5: unknown key "statik_configs"; did you mean "static_configs"?`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
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

// parse reads a configuration as if from c.yml and answers its problems, a line each.
func parse(text string) (config.Config, []string) {
	c, problems := config.Parse(document.File{Path: "c.yml", Text: []byte(text)})
	var out []string
	for _, p := range problems {
		out = append(out, p.Error())
	}
	return c, out
}

func TestProblemsOfPrometheusSectionsHaveTheFormOfAllOthers(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"a misspelt key deep inside": {
			"metrics: {retention: 1d}\nscrape_configs:\n- job_name: a\n  tls_config:\n    insecure_skip_verfy: true\n",
			[]string{`c.yml:5: unknown key "insecure_skip_verfy"; did you mean "insecure_skip_verify"?`},
		},
		"several at once": {
			"global: {scrape_intervall: 1s}\nscrape_configs:\n- job_nam: a\n",
			[]string{`c.yml:1: unknown key "scrape_intervall"; did you mean "scrape_interval"?`, `c.yml:3: unknown key "job_nam"; did you mean "job_name"?`},
		},
		"a job twice": {
			"scrape_configs:\n- job_name: a\n- job_name: b\n- job_name: a\n",
			[]string{`c.yml:4: found multiple scrape configs with job name "a"`},
		},
		"a secret of the wrong type": {
			"scrape_configs:\n- job_name: a\n  basic_auth: SECRET\n",
			[]string{"c.yml:3: must be a mapping of keys to values, is a text"},
		},
		"beside a problem of ours": {
			"web: {body_timout: 1s}\nglobal: {x: 1}\n",
			[]string{`c.yml:1: web: unknown key "body_timout"; did you mean "body_timeout"?`, `c.yml:2: unknown key "x"; mend its name or its place`},
		},
	} {
		if _, got := parse(c.text); cmp.Diff(c.want, got) != "" {
			t.Errorf("%s:\n%s", name, cmp.Diff(c.want, got))
		}
	}
}

// However the sections of Prometheus are written, Prometheus is handed the same.
func TestSectionsOfPrometheusMayBeWrittenInEveryForm(t *testing.T) {
	for name, text := range map[string]string{
		"blocks":                "global:\n  scrape_interval: 7s\nscrape_configs:\n- job_name: a\n  static_configs: [{targets: [h:1]}]\nmetrics: {retention: 3d}\n",
		"a byte order mark":     "\uFEFFglobal:\n  scrape_interval: 7s\nscrape_configs:\n- job_name: a\n  static_configs: [{targets: [h:1]}]\nmetrics: {retention: 3d}\n",
		"CRLF":                  "global:\r\n  scrape_interval: 7s\r\nscrape_configs:\r\n- job_name: a\r\n  static_configs: [{targets: [h:1]}]\r\nmetrics: {retention: 3d}\r\n",
		"JSON":                  `{"global": {"scrape_interval": "7s"}, "metrics": {"retention": "3d"}, "scrape_configs": [{"job_name": "a", "static_configs": [{"targets": ["h:1"]}]}]}`,
		"JSON over lines":       "{\n  \"global\": {\"scrape_interval\": \"7s\"},\n  \"scrape_configs\": [{\"job_name\": \"a\", \"static_configs\": [{\"targets\": [\"h:1\"]}]}],\n  \"metrics\": {\"retention\": \"3d\"}\n}\n",
		"one alias":             "external_labels: {every: &t 7s}\nmetrics: {retention: 3d}\nglobal:\n  scrape_interval: *t\nscrape_configs:\n- job_name: a\n  static_configs: [{targets: [h:1]}]\n",
		"an alias inside":       "global: {scrape_interval: 7s}\nmetrics: {retention: 3d}\nscrape_configs:\n- job_name: &n a\n  static_configs: [{targets: [h:1]}]\n  relabel_configs: [{target_label: x, replacement: *n}]\n",
		"a section as an alias": "events: &jobs []\nmetrics: {retention: 3d}\nglobal: {scrape_interval: 7s}\nscrape_configs: *jobs\n",
		"merged at the root":    "<<: {global: {scrape_interval: 7s}, scrape_configs: [{job_name: a, static_configs: [{targets: [h:1]}]}]}\nmetrics: {retention: 3d}\n",
	} {
		c, problems := parse(text)
		if name == "a section as an alias" {
			problems = slices.DeleteFunc(problems, func(p string) bool { return strings.Contains(p, "events") })
		}
		if len(problems) > 0 || c.Prometheus == nil {
			t.Errorf("%s: %v", name, problems)
			continue
		}
		if got := time.Duration(c.Prometheus.GlobalConfig.ScrapeInterval); got != 7*time.Second || time.Duration(c.Metrics.Retention) != 3*24*time.Hour {
			t.Errorf("%s: every %s, retention %s", name, got, c.Metrics.Retention)
		}
		if jobs, err := c.Prometheus.GetScrapeConfigs(); err != nil || name != "a section as an alias" && (len(jobs) != 1 || jobs[0].JobName != "a") {
			t.Errorf("%s: jobs %v %v", name, jobs, err)
		}
	}
}

// What people find in their editors, and worse: each is said with its place and its cure, or is taken.
func TestOddFilesAreTakenOrNamed(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"empty":                   {"", ""},
		"comments alone":          {"# nothing yet\n\n# still\n", ""},
		"a document mark alone":   {"---\n", ""},
		"a byte order mark alone": {"\uFEFF", ""},
		"an end mark":             {"metrics: {retention: 3d}\n...\n", ""},
		"merge keys":              {"limits:\n  events: &e {}\n  samples:\n    <<: *e\n", ""},
		"an empty section":        {"metrics:\nquery:\n", ""},
		"a tab":                   {"metrics:\n\tretention: 3d\n", "c.yml:2: not valid YAML: "},
		"a section twice":         {"metrics: {retention: 3d}\nquery: {}\nmetrics: {retention: 4d}\n", "c.yml:3: metrics stands here twice; keep one"},
		"a key twice":             {"metrics:\n  retention: 3d\n  retention: 4d\n", "c.yml:3: metrics.retention stands here twice; keep one"},
		"two documents":           {"metrics: {}\n---\nquery: {}\n", "c.yml:3: a second YAML document: one file holds one configuration; join the two"},
		"UTF-16":                  {"\xff\xfem\x00e\x00", "c.yml:1: not valid UTF-8; save the file as UTF-8"},
		"Latin-1":                 {"external_labels:\n  team: Z\xfcrich\n", "c.yml:2: not valid UTF-8; save the file as UTF-8"},
		"a zero byte":             {"metrics: {}\n\x00", "c.yml:2: not valid UTF-8; save the file as UTF-8"},
		"an unclosed bracket":     {"rule_files: [a.yml\nmetrics: {}\n", `c.yml:1: not valid YAML: the "[" of this line is not closed; add the "]"`},
		"no mapping":              {"- metrics\n", "c.yml:1: must be a mapping of keys to values; write `key: value` lines"},
		"an alias of nothing":     {"metrics: *m\n", "c.yml:1: *m stands for nothing; set the anchor &m above it"},
		"an alias of itself":      {"metrics: &m\n  retention: 3d\n  <<: *m\n", "merges what is no mapping"},
		"text for a list":         {"rule_files: a.yml\n", "c.yml:1: rule_files"},
	} {
		_, problems := parse(c.text)
		got := strings.Join(problems, "\n")
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
		if c.want != "" && !strings.Contains(got, "; ") {
			t.Errorf("%s: %q names no cure", name, got)
		}
	}
}

// Hooks are open to who has no identity: with authentication on each must prove its caller itself.
func TestWithAuthenticationNoHookServesWhoeverComes(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"hooks: {argo: {enabled: true}, flagger: {enabled: true}, kubernetes: {enabled: true}}\n", ""},
		{"auth: {enabled: true}\nhooks: {argo: {enabled: true}}\n", "hooks.argo.token_file: must be given"},
		{"auth: {enabled: true}\nhooks: {flagger: {enabled: true}}\n", "hooks.flagger.token_file: must be given"},
		{"auth: {enabled: true}\nhooks: {kubernetes: {enabled: true}}\n", "hooks.kubernetes.token_file: must be given"},
		{"auth: {enabled: true}\nhooks: {argo: {enabled: true, token_file: t}}\n", ""},
	} {
		_, problems := parse(c.text)
		if got := strings.Join(problems, "\n"); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.text, got, c.want)
		}
	}
}

func TestNoProblemShowsASecret(t *testing.T) {
	for _, text := range []string{
		"hooks: {gitlab: {token: {a: SECRET}}}\n",
		"hooks: SECRET\n",
		"hooks: {gitlab: SECRET}\n",
		"remedy: [SECRET]\n",
		"scrape_configs: [{job_name: a, authorization: SECRET}]\n",
		"scrape_configs: [{job_name: a, basic_auth: {username: a, password: [SECRET]}}]\n",
		"scrape_configs: [{job_name: a, proxy_url: 'http://bob:SECRET@h:port'}]\n",
		"scrape_configs: [{job_name: a, static_configs: [{targets: ['bob:SECRET@h:1']}]}]\n",
		"scrape_configs: [{job_name: a, params: {token: SECRET}}]\n",
		"scrape_configs: [{job_name: a, http_sd_configs: [{url: 'http://bob:SECRET@h/%zz'}]}]\n",
		"alerting: {alertmanagers: [{basic_auth: SECRET}]}\n",
		"scrape_configs:\n- job_name: a\n  basic_auth: {password: SECRET\n",
		"scrape_configs:\n- job_name: a\n  basic_auth:\n    password: SECRET\n   username: b\n",
		"global:\n\tpassword: SECRET\n",
	} {
		_, problems := parse(text)
		if got := strings.Join(problems, "\n"); got == "" || strings.Contains(got, "SECRET") {
			t.Errorf("%q: %q", text, got)
		}
	}
}

func TestTheHashIsThatOfTheFileAsItWasRead(t *testing.T) {
	c, _ := parse("metrics: {}\n")
	if want := fmt.Sprintf("%x", sha256.Sum256([]byte("metrics: {}\n"))); c.Hash != want {
		t.Errorf("hash %s, want %s", c.Hash, want)
	}
}

func TestEnvironmentIsExpandedWherePrometheusPromisesIt(t *testing.T) {
	t.Setenv("SIGNALBOX_TEST_REGION", "eu-7")
	c, problems := parse("global: {external_labels: {region: '${SIGNALBOX_TEST_REGION}'}}\nexternal_labels: {price: '${SIGNALBOX_TEST_REGION}'}\n")
	if len(problems) > 0 || c.Prometheus.GlobalConfig.ExternalLabels.Get("region") != "eu-7" || c.ExternalLabels["price"] != "${SIGNALBOX_TEST_REGION}" {
		t.Errorf("%v: %v and %v", problems, c.Prometheus.GlobalConfig.ExternalLabels, c.ExternalLabels)
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

func TestWhatIsWrongWithATenantIsSaid(t *testing.T) {
	for text, want := range map[string]string{
		"tenants: [{name: default}]":                                                  "is the tenant of the rest of the file",
		"tenants: [{name: ../x}]":                                                     "letters, digits",
		"tenants: [{name: a}, {name: A}]":                                             "is there twice",
		"tenants: [{name: a, retention: {logs: -1d}}]":                                "retention",
		"tenants: [{name: a, limits: {max_disk_bytes: 1000}}]":                        "at least 134217728",
		"tenants: [{name: a, limits: {max_series: -1}}]":                              "must be >= 0",
		"tenants: [{name: a, limits: {max_serie: 1}}]":                                "max_series",
		"tenants: [{name: a, hooks: {gitlab: {enabled: true}}}]":                      "hooks.gitlab",
		"tenants: [{name: a, remedy: {targets: [{environment: prod}]}}]":              "remedy.",
		"auth: {enabled: true}\ntenants: [{name: a, hooks: {argo: {enabled: true}}}]": "hooks.argo",
		"slo_files: [s.yml]\ntenants: [{name: a, slo_files: [s.yml]}]":                "belongs to the tenant default already",
		"tenants: [{name: a, scrape_configs: [{job_name: x}, {job_name: x}]}]":        "job",
	} {
		if _, err := load(t, text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	cfg, err := load(t, "hooks: {argo: {enabled: true}}\nremedy: {min_requests: 7}\ntenants: [{name: a, remedy: {min_requests: 9}}, {name: b}]\n")
	if err != nil {
		t.Fatal(err)
	}
	a, b := cfg.Of(cfg.Tenants[0]), cfg.Of(cfg.Tenants[1])
	if a.Hooks.Argo.Enabled || a.Remedy.MinRequests != 9 || !a.Remedy.DryRun || b.Remedy.MinRequests != 50 {
		t.Errorf("a tenant has hooks or remedies of the file, or no defaults: %+v %+v", a.Remedy, b.Remedy)
	}
}
