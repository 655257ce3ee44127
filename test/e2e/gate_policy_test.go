package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/prompb"

	"github.com/signalbox-project/signalbox/internal/gate"
	"github.com/signalbox-project/signalbox/internal/gate/bands"
	"github.com/signalbox-project/signalbox/internal/model"
)

const budgetPolicies = `# budget policies
policies:
  - name: careful
    match: {services: [warm]}
    rules: {hold_above: 0.55}
  - name: moving house
    match: {services: [frozen]}
    freezes:
      - {name: move, reason: the data centre moves, start: %s, end: %s, effect: block}
`

// history writes 28 quiet days but for one in which a share of the budget of
// 99.5 % went, two weeks ago.
func history(t *testing.T, s *server, service string, now time.Time, share float64) {
	t.Helper()
	const day = 24 * time.Hour
	g, b := traffic(t, s, service, now.Add(-28*day), now.Add(-14*day), 10*time.Minute, 10, 0, 0, 0)
	g, b = traffic(t, s, service, now.Add(-14*day+10*time.Minute), now.Add(-13*day), 10*time.Minute, 10, 28*0.005*share, g, b)
	g, b = traffic(t, s, service, now.Add(-13*day+10*time.Minute), now.Add(-time.Hour), 10*time.Minute, 10, 0, g, b)
	traffic(t, s, service, now.Add(-59*time.Minute), now, 15*time.Second, 10, 0, g, b)
}

// TestABudgetPolicyOnTheRunningProgram: bands, freezes, override, replay, verify
// and a bad reload, through the command line and the API.
func TestABudgetPolicyOnTheRunningProgram(t *testing.T) {
	dir, slos := t.TempDir(), t.TempDir()
	now := time.Now().Truncate(time.Second)
	date := func(days int) string { return now.UTC().AddDate(0, 0, days).Format("2006-01-02") }
	policy := filepath.Join(dir, "policy.yml")
	writeFile(t, policy, fmt.Sprintf(budgetPolicies, date(-1), date(2)))
	s := start(t, options{config: fmt.Sprintf("metrics: {out_of_order_window: 30d}\ngate: {bands_every: 1s}\nslo_files: [%q]\npolicy_files: [%q]\n", filepath.Join(slos, "*.yaml"), policy)})
	history(t, s, "warm", now, 0.6)
	history(t, s, "frozen", now, 0)
	history(t, s, "spent", now, 1.3)
	s.judge(slos, checkoutSLO, "warm", "frozen", "spent")

	for _, tc := range []struct {
		name   string
		args   []string
		status int
		want   model.Verdict
	}{
		{"a policy holds where the gate section would only be cautious", []string{"--service", "warm", "--version", "1"}, 2, model.VerdictHold},
		{"a freeze blocks, even a critical fix", []string{"--service", "frozen", "--critical"}, 1, model.VerdictBlock},
		{"a spent budget blocks", []string{"--service", "spent", "--version", "1"}, 1, model.VerdictBlock},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := s.in(t)
			eventually(t, func() error { return checkGate(s, tc.args, tc.status, tc.want) })
		})
	}
	t.Run("passing half of the budget raises an alert", func(t *testing.T) {
		s := s.in(t)
		eventually(t, func() error {
			return bandAlerts(s, "warm-availability critical-fixes-only", "spent-availability freeze")
		})
	})
	t.Run("the policies are shown with what they mean now", func(t *testing.T) {
		s := s.in(t)
		var v bands.PolicyView
		s.get("/sb/v1/gate/policies", nil, &v)
		if len(v.Policies) != 2 || len(v.Frozen) != 1 || v.Frozen[0].Reason != "the data centre moves" || len(v.SLOs) != 3 {
			t.Errorf("%+v", v)
		}
		if status, out, _ := s.cli("gate", "policies", "--server", s.URL); status != 0 || !strings.Contains(out, "careful") {
			t.Errorf("exit %d: %s", status, out)
		}
	})
	t.Run("a decision is verified, replayed and overridden", func(t *testing.T) { auditDecision(t, s.in(t), dir) })
	t.Run("a reload with a bad policy keeps the last good one", func(t *testing.T) {
		s := s.in(t)
		writeFile(t, policy, "policies:\n  - name: careful\n    rules: {hold_abov: 0.5}\n")
		status, text, _ := s.request(http.MethodPost, "/-/reload", "", nil)
		if status != http.StatusInternalServerError || !strings.Contains(text, `policy.yml:3: policies[0].rules: unknown key "hold_abov"`) || !strings.Contains(text, `did you mean "hold_above"?`) {
			t.Errorf("%d: %s", status, text)
		}
		if err := checkGate(s, []string{"--service", "warm", "--version", "1"}, 2, model.VerdictHold); err != nil {
			t.Error(err)
		}
		writeFile(t, policy, "policies:\n  - name: careless\n    match: {services: [warm]}\n")
		if status, text, _ := s.request(http.MethodPost, "/-/reload", "", nil); status != http.StatusOK {
			t.Errorf("%d: %s", status, text)
		}
		if err := checkGate(s, []string{"--service", "warm", "--version", "1"}, 0, model.VerdictAllow); err != nil {
			t.Error(err)
		}
	})
}

func bandAlerts(s *server, want ...string) error {
	var alerts []struct {
		Labels map[string]string `json:"labels"`
	}
	s.get("/api/v2/alerts", url.Values{"filter": {`alertname="SLOBudgetBand"`}}, &alerts)
	got := map[string]bool{}
	for _, a := range alerts {
		got[a.Labels["slo"]+" "+a.Labels["band"]] = true
	}
	for _, w := range want {
		if !got[w] {
			return fmt.Errorf("no %q in %v", w, got)
		}
	}
	if len(got) != len(want) {
		return fmt.Errorf("more than %v: %v", want, got)
	}
	return nil
}

// auditDecision does with a block what an auditor and somebody in need would.
func auditDecision(t *testing.T, s *server, dir string) {
	server := []string{"--server", s.URL}
	run := func(want int, args ...string) string {
		t.Helper()
		status, out, errOut := s.cli(append(args, server...)...)
		if status != want {
			t.Fatalf("%v: exit %d, want %d: %s%s", args, status, want, out, errOut)
		}
		return out
	}
	check := []string{"gate", "check", "--service", "spent", "--environment", "prod", "--version", "7", "--json"}
	var d model.GateDecision
	if err := json.Unmarshal([]byte(run(1, check...)), &d); err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(dir, "gate.pem")
	var public gate.PublicKey
	s.get("/sb/v1/gate/key", nil, &public)
	writeFile(t, key, public.PEM)
	if st, err := os.Stat(filepath.Join(s.Dir, "gate", "ed25519.key")); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("the private key: %v, %v", st, err)
	}
	run(0, "gate", "verify", d.ID, "--key", key)
	if out := run(0, "gate", "replay", d.ID); !strings.Contains(out, "the same: stored block, replayed block; signature valid") {
		t.Error(out)
	}
	if out := run(3, "gate", "override", d.ID, "--reason", "please"); out != "" {
		t.Error(out)
	}
	run(0, "gate", "override", d.ID, "--actor", "alice", "--reason", "the release mends the outage")
	var passed model.GateDecision
	if err := json.Unmarshal([]byte(run(0, check...)), &passed); err != nil || passed.Reasons[0].Rule != gate.RuleOverride {
		t.Errorf("%+v, %v", passed.Reasons, err)
	}
	run(0, "gate", "replay", passed.ID)
	run(0, "gate", "verify", d.ID) // the override is beside what was signed
	run(1, "gate", "check", "--service", "spent", "--environment", "prod", "--version", "8")
	var list struct {
		Decisions []model.GateDecision `json:"decisions"`
	}
	s.get("/sb/v1/gate/decisions?service=spent&limit=100", nil, &list)
	shown := false
	for _, l := range list.Decisions {
		shown = shown || l.ID == d.ID && l.Override != nil && l.Override.Actor == "alice"
	}
	var audit struct {
		Entries []model.AuditEntry `json:"entries"`
	}
	s.get("/sb/v1/audit", url.Values{"action": {"gate.override"}}, &audit)
	if !shown || len(audit.Entries) != 1 || audit.Entries[0].Details["reason"] != "the release mends the outage" {
		t.Errorf("the override is not where people look: in the list %v, in the audit log %+v", shown, audit)
	}
}

// TestACanaryIsComparedOnTheRunningProgram writes two versions' histograms.
func TestACanaryIsComparedOnTheRunningProgram(t *testing.T) {
	s := start(t, options{config: "metrics: {out_of_order_window: 1d}\n"})
	now := time.Now().Truncate(time.Second)
	// Requests a second up to 0.1 s, 0.25 s and beyond; the last figure fail.
	for version, rate := range map[string][4]float64{"1": {8, 1.9, 0.1, 0.01}, "2": {8, 1.9, 0.1, 0.01}, "3": {2, 6, 2, 0.01}, "4": {8, 1.9, 0.1, 1}} {
		durations(t, s, version, now, rate)
	}
	for _, tc := range []struct {
		canary string
		status int
		says   string
	}{
		{"2", 0, "No worse"},
		{"3", 1, "Worse: an answer of 3 is slower than one of 1"},
		{"4", 1, "requests fail"},
		{"5", 2, "no requests of the canary 5 were seen"},
	} {
		t.Run(tc.says, func(t *testing.T) {
			s := s.in(t)
			eventually(t, func() error {
				status, out, errOut := s.cli("gate", "canary", "--service", "shop", "--baseline", "1", "--canary", tc.canary, "--environment", "prod", "--window", "20m", "--server", s.URL)
				if status != tc.status || !strings.Contains(out, tc.says) {
					return fmt.Errorf("exit %d, want %d and %q: %s%s", status, tc.status, tc.says, out, errOut)
				}
				return nil
			})
		})
	}
	if status, _, errOut := s.cli("gate", "canary", "--service", "shop", "--baseline", "1", "--canary", "1", "--server", s.URL); status != 3 {
		t.Errorf("a version against itself: exit %d %s", status, errOut)
	}
}

func durations(t *testing.T, s *server, version string, now time.Time, rate [4]float64) {
	t.Helper()
	name := model.MetricSpanDuration
	var all []series
	counter := func(perSecond float64, labels ...string) {
		var samples []prompb.Sample
		for at := now.Add(-25 * time.Minute); !at.After(now); at = at.Add(15 * time.Second) {
			samples = append(samples, sample(at, perSecond*(25*60-now.Sub(at).Seconds())))
		}
		all = append(all, series{labels: append([]string{"__name__", labels[0], "env", "prod", "kind", "server"}, labels[1:]...), samples: samples})
	}
	cumulative := 0.0
	for i, le := range []string{"0.1", "0.25", "+Inf"} {
		cumulative += rate[i]
		counter(cumulative, name+"_bucket", "le", le, "service", "shop", "status", "ok", "version", version)
	}
	counter(cumulative-rate[3], name+"_count", "service", "shop", "status", "ok", "version", version)
	counter(rate[3], name+"_count", "service", "shop", "status", "error", "version", version)
	status, text, _ := s.request(http.MethodPost, "/api/v1/write", protobuf, remoteWrite(t, all...))
	if status/100 != 2 {
		t.Fatalf("write %s: %s %s", version, strconv.Itoa(status), text)
	}
}
