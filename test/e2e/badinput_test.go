package e2e

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/golang/snappy"
	"github.com/prometheus/prometheus/prompb"
)

// TestBadInputIsRefusedWithAReason sends what no client should and looks at
// what a client's author would see.
func TestBadInputIsRefusedWithAReason(t *testing.T) {
	s := start(t, options{})
	now := time.Now()
	good := series{labels: []string{"__name__", "kept_total", "service", "edge"}, samples: []prompb.Sample{sample(now, 1)}}
	long := strings.Repeat("x", 1<<20)
	for _, tc := range []struct {
		name, path, contentType string
		body                    []byte
		status                  int
		says                    string
	}{
		{"malformed protobuf on OTLP", "/v1/traces", protobuf, []byte("\xff\xff\xff not protobuf"), 400, ""},
		{"malformed JSON on OTLP", "/v1/logs", jsonMedia, []byte(`{"resourceLogs": [`), 400, ""},
		{"wrong content type on OTLP", "/v1/metrics", "text/csv", []byte("a,b"), 415, "application/x-protobuf"},
		{"malformed snappy on remote write", "/api/v1/write", protobuf, []byte("not snappy"), 400, "snappy"},
		{"malformed protobuf on remote write", "/api/v1/write", protobuf, snappy.Encode(nil, []byte("\xff\xff\xff")), 400, ""},
		{"wrong content type on remote write", "/api/v1/write", "text/csv", []byte("a,b"), 415, ""},
		{"a huge label value", "/api/v1/write", protobuf, remoteWrite(t, series{labels: []string{"__name__", "huge", "v", long}, samples: []prompb.Sample{sample(now, 1)}}), 400, "huge"},
		{"a timestamp in the future", "/api/v1/write", protobuf, remoteWrite(t, series{labels: []string{"__name__", "future"}, samples: []prompb.Sample{sample(now.Add(48*time.Hour), 1)}}), 400, "future"},
		{"an ancient timestamp", "/api/v1/write", protobuf, remoteWrite(t, good, series{labels: []string{"__name__", "ancient"}, samples: []prompb.Sample{sample(now.AddDate(-9, 0, 0), 1)}}), 400, "ancient"},
		{"invalid UTF-8 in a label", "/api/v1/write", protobuf, remoteWrite(t, series{labels: []string{"__name__", "utf", "v", "\xff\xfe"}, samples: []prompb.Sample{sample(now, 1)}}), 400, "UTF-8"},
		{"an empty body on remote write", "/api/v1/write", protobuf, nil, 400, ""},
		{"a filter that does not parse", "/sb/v1/logs?q=service%3A%28", "", nil, 400, "bad_filter"},
		{"an unknown path of our API", "/sb/v1/nothing", "", nil, 404, "not_found"},
		{"PromQL that does not parse", "/api/v1/query?query=sum(", "", nil, 400, "parse error"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := s.in(t)
			method := http.MethodPost
			if tc.contentType == "" {
				method = http.MethodGet
			}
			if strings.HasPrefix(tc.path, "/api/v1/write") {
				s = s.in(t)
			}
			status, text, _ := s.request(method, tc.path, tc.contentType, tc.body)
			if status != tc.status || !strings.Contains(text, tc.says) || text == "" {
				t.Errorf("got %d %q, want %d saying %q", status, text, tc.status, tc.says)
			}
		})
	}
	if v, ok := s.value("kept_total"); !ok || v != 1 {
		t.Errorf("the good series of a partly bad request was lost (%v, %v)", v, ok)
	}
	if _, ok := s.value("ancient"); ok {
		t.Error("the ancient sample was stored")
	}
	checkLedger(t, s)
}

// checkLedger holds the conservation promise: received = stored + refused.
func checkLedger(t *testing.T, s *server) {
	t.Helper()
	eventually(t, func() error {
		var ledger struct {
			Signals []struct {
				Signal   string `json:"signal"`
				Balanced bool   `json:"balanced"`
				Refused  []struct {
					Reason string `json:"reason"`
					Count  uint64 `json:"count"`
				} `json:"refused"`
			} `json:"signals"`
		}
		s.get("/sb/v1/ledger", nil, &ledger)
		refused := 0
		for _, sig := range ledger.Signals {
			if !sig.Balanced {
				return fmt.Errorf("%s is not balanced: %+v", sig.Signal, sig)
			}
			refused += len(sig.Refused)
		}
		if refused == 0 {
			return fmt.Errorf("nothing was counted as refused: %+v", ledger)
		}
		return nil
	})
}

func TestStartUpErrorsNameThePlaceAndTheCure(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	writeFile(t, file, "not a folder")
	writeFile(t, filepath.Join(dir, "bad.yaml"), "apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: x}\nspec: {servce: edge}\n")
	for _, tc := range []struct {
		name string
		o    options
		says []string
	}{
		{"an unknown key", options{config: "scrape_config: []\n"}, []string{"signalbox.yml:1", "scrape_config", "scrape_configs"}},
		{"two problems at once", options{config: "metrics: {retention: -1d}\nslo_fils: []\n"}, []string{"retention", "slo_files"}},
		{"a policy file with an unknown key", options{config: fmt.Sprintf("policy_files: [%q]\n", filepath.Join(dir, "bad.yaml"))}, []string{"bad.yaml:1", "apiVersion"}},
		{"a port in use", options{args: []string{"--web.listen-address", taken.Addr().String()}}, []string{taken.Addr().String(), "--web.listen-address", "in use"}},
		{"a data folder that is a file", options{dir: file}, []string{file}},
		{"a wrong log level", options{args: []string{"--log.level", "loud"}}, []string{"loud", "debug, info, warn, error"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := launch(t, tc.o)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			select {
			case err := <-s.done:
				s.done <- err
				if err == nil {
					t.Error("exit status 0")
				}
			case <-ctx.Done():
				t.Fatalf("did not stop:\n%s", s.log)
			}
			for _, want := range tc.says {
				if !strings.Contains(s.log.String(), want) {
					t.Errorf("the error does not say %q:\n%s", want, s.log)
				}
			}
		})
	}
}

// TestAStartTakesWhatIsGood starts beside bad files, as after a crash while one lies there: what is good
// is in force, and the log, the status page and a metric name what is not, until it is mended.
func TestAStartTakesWhatIsGood(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	writeFile(t, in("slo-good.yaml"), fmt.Sprintf(checkoutSLO, "checkout"))
	bad := map[string]string{"slo-bad.yaml": "kind: SLOs\n", "rules.yml": "groups: [{nam: x}]\n", "probes.yml": "probe: []\n", "detectors.yml": "detector: []\n"}
	for name, text := range bad {
		writeFile(t, in(name), text)
	}
	s := start(t, options{config: fmt.Sprintf("slo_files: [%q, nowhere.yaml]\nrule_files: [%q]\nprobe_files: [%q]\ndetector_files: [%q]\n",
		in("slo-*.yaml"), in("rules.yml"), in("probes.yml"), in("detectors.yml"))})
	eventually(t, func() error {
		if status, text, _ := s.request(http.MethodGet, "/sb/v1/slos/checkout-availability", "", nil); status != http.StatusOK {
			return fmt.Errorf("the SLO of a good file is not in force: %d %s", status, text)
		}
		return nil
	})
	_, page, _ := s.request(http.MethodGet, "/sb/v1/status", "", nil)
	for name := range bad {
		if !strings.Contains(page, name) || !strings.Contains(s.log.String(), name) {
			t.Errorf("%s is not named by both the status page and the log:\n%s\n%s", name, page, s.log)
		}
	}
	if !strings.Contains(page, "nowhere.yaml") {
		t.Errorf("the missing file is not named:\n%s", page)
	}
	if _, metrics, _ := s.request(http.MethodGet, "/metrics", "", nil); !strings.Contains(metrics, "signalbox_config_last_reload_successful 0") {
		t.Error("the metric says that all was well")
	}
}

// TestABadReloadKeepsTheLastGoodConfiguration puts one bad file after the other
// beside a good one: what was promised stays in force, the answer, the status page, the log
// and a metric say so, and all of it ends when the file is mended.
func TestABadReloadKeepsTheLastGoodConfiguration(t *testing.T) {
	dir := t.TempDir()
	slo, other, policy := filepath.Join(dir, "slo-a.yaml"), filepath.Join(dir, "slo-b.yaml"), filepath.Join(dir, "policy.yml")
	good := fmt.Sprintf(checkoutSLO, "checkout")
	const goodPolicy = "policies: [{name: calm, rules: {hold_above: 0.6}}]\n"
	writeFile(t, slo, good)
	writeFile(t, policy, goodPolicy)
	s := start(t, options{config: fmt.Sprintf("slo_files: [%q]\npolicy_files: [%q]\n", filepath.Join(dir, "slo-*.yaml"), policy)})
	if status, text, _ := s.request(http.MethodPost, "/-/reload", "", nil); status != 200 {
		t.Fatalf("reload of a good configuration: %d %s", status, text)
	}
	for _, tc := range []struct {
		name        string
		write       map[string]string // beside the good ones
		says        []string
		slos, gates string // signalbox_slo_load_failed, signalbox_gate_policy_load_failed
	}{
		{"an SLO of nothing", map[string]string{slo: "kind: SLO\n"}, []string{"slo-a.yaml:1: apiVersion is missing"}, "1", "0"},
		{"an objective of 100 % in a second file", map[string]string{other: strings.Replace(fmt.Sprintf(checkoutSLO, "cart"), "0.995", "1", 1)}, []string{"slo-b.yaml:", "leaves no error budget"}, "1", "0"},
		{"the name of another", map[string]string{other: good}, []string{"slo-b.yaml:", "was defined before, in ", "slo-a.yaml:"}, "1", "0"},
		{"a composite of itself", map[string]string{other: "apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: ring}\nspec:\n  service: x\n  timeWindow: [{duration: 28d, isRolling: true}]\n  objectives: [{indicatorRef: ring, target: 0.9}]\n"}, []string{"slo-b.yaml:3: the composite refers to itself: ring → ring"}, "1", "0"},
		{"no YAML", map[string]string{other: "spec: {\n"}, []string{"slo-b.yaml:1: not valid YAML"}, "1", "0"},
		{"a policy with a slip of the pen", map[string]string{policy: "policies:\n  - name: calm\n    rules: {hold_abov: 0.6}\n"}, []string{`policy.yml:3: policies[0].rules: unknown key "hold_abov"`, `did you mean "hold_above"?`}, "0", "1"},
		{"several files at once", map[string]string{slo: strings.Replace(good, "kind: SLO", "kind: SLOs", 1), other: "kind: [\n", policy: "policies: 1\n"}, []string{"slo-a.yaml:", `kind "SLOs" is unknown`, "slo-b.yaml:1: not valid YAML", "policy.yml:1: policies must be a list"}, "1", "1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := s.in(t)
			for file, text := range tc.write {
				writeFile(t, file, text)
			}
			status, answer, _ := s.request(http.MethodPost, "/-/reload", "", nil)
			if status != http.StatusInternalServerError {
				t.Errorf("answered %d", status)
			}
			for where, text := range map[string]string{"the answer": answer, "the status page": statusProblems(s), "the log": strings.ReplaceAll(s.log.String(), `\"`, `"`)} {
				for _, want := range tc.says {
					if !strings.Contains(text, want) {
						t.Errorf("%s does not say %q:\n%s", where, want, text)
					}
				}
			}
			if text := statusProblems(s); !strings.Contains(text, "of the last good load stay in force") || !strings.Contains(text, "what is good is in force") {
				t.Errorf("the status page does not say what is in force: %s", text)
			}
			inForce(t, s, "0", tc.slos, tc.gates)
			for file := range tc.write {
				writeFile(t, file, map[string]string{slo: good, policy: goodPolicy, other: ""}[file])
			}
			if status, text, _ := s.request(http.MethodPost, "/-/reload", "", nil); status != 200 {
				t.Fatalf("reload of mended files: %d %s", status, text)
			}
			inForce(t, s, "1", "0", "0")
			if text := statusProblems(s); strings.Contains(text, "reload") || strings.Contains(text, "critical") {
				t.Errorf("the status page still says %s", text)
			}
		})
	}
}

// statusProblems is what the status page shows.
func statusProblems(s *server) string {
	var state struct {
		Problems []struct{ Severity, Message, Cure string } `json:"problems"`
	}
	s.get("/sb/v1/status", nil, &state)
	lines := make([]string, len(state.Problems))
	for i, p := range state.Problems {
		lines[i] = p.Severity + ": " + p.Message + "; " + p.Cure
	}
	return strings.Join(lines, "\n")
}

// inForce looks for the good set, and for what the metrics say of the reload.
func inForce(t *testing.T, s *server, reload, slos, gates string) {
	t.Helper()
	eventually(t, func() error {
		var have struct {
			SLOs []struct{ Name string } `json:"slos"`
		}
		s.get("/sb/v1/slos", nil, &have)
		if len(have.SLOs) != 1 || have.SLOs[0].Name != "checkout-availability" {
			return fmt.Errorf("the SLOs in force are %+v", have)
		}
		return nil
	})
	var policies struct{ Policies []struct{ Name string } }
	s.get("/sb/v1/gate/policies", nil, &policies)
	if len(policies.Policies) != 1 || policies.Policies[0].Name != "calm" {
		t.Errorf("the policies in force are %+v", policies)
	}
	for name, want := range map[string]string{"signalbox_config_last_reload_successful": reload, "signalbox_slo_load_failed": slos, "signalbox_gate_policy_load_failed": gates, "signalbox_slo_definitions": "1"} {
		if v, ok := metric(t, s, name); !ok || v != want {
			t.Errorf("%s = %q, want %s", name, v, want)
		}
	}
}

// metric is the value of an unlabelled metric of our own.
func metric(t *testing.T, s *server, name string) (string, bool) {
	t.Helper()
	_, text, _ := s.request(http.MethodGet, "/metrics", "", nil)
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.TrimSpace(rest), true
		}
	}
	return "", false
}

func TestAFullDiskAnswers503KeepsWhatWasAcceptedAndResumes(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("mounts a small file system: needs root, as CI has")
	}
	mount := quotaFolder(t)
	s := start(t, options{dir: mount.dir})
	if status, text, _ := s.request(http.MethodPost, "/v1/logs", protobuf, otlpLogs(t, "edge", time.Now(), "before the disk filled up")); status != 200 {
		t.Fatalf("%d %s", status, text)
	}
	mount.fill(t)
	eventually(t, func() error {
		status, text, header := s.request(http.MethodPost, "/v1/logs", protobuf, otlpLogs(t, "edge", time.Now(), strings.Repeat("filler ", 20000)))
		if status != 503 && status != 429 || header.Get("Retry-After") == "" {
			return fmt.Errorf("%d %s %v, want 503 with Retry-After", status, text, header)
		}
		return nil
	})
	eventually(t, func() error { return findMessage(s, "before the disk filled up") })
	mount.free(t)
	eventually(t, func() error {
		if status, text, _ := s.request(http.MethodPost, "/v1/logs", protobuf, otlpLogs(t, "edge", time.Now(), "after")); status != 200 {
			return fmt.Errorf("%d %s", status, text)
		}
		return nil
	})
}

func findMessage(s *server, message string) error {
	status, text, _ := s.request(http.MethodGet, "/sb/v1/logs?q="+url.QueryEscape(strconv.Quote(message)), "", nil)
	if status != 200 || !strings.Contains(text, message) {
		return fmt.Errorf("%d %s", status, text)
	}
	return nil
}
