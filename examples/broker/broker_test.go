package broker_test

import (
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/featurecontrol"
	"github.com/prometheus/alertmanager/matcher/compat"
	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/signalbox-project/signalbox/examples/broker"
	sbconfig "github.com/signalbox-project/signalbox/internal/config"
	"github.com/signalbox-project/signalbox/internal/gate"
	"github.com/signalbox-project/signalbox/internal/simulate"
	"github.com/signalbox-project/signalbox/internal/slo/openslo"
	"github.com/signalbox-project/signalbox/internal/slo/promexpr"
)

func read(t *testing.T, name string) []byte {
	t.Helper()
	text, err := broker.Files.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func glob(t *testing.T, pattern string, atLeast int) []string {
	t.Helper()
	names, err := fs.Glob(broker.Files, pattern)
	if err != nil || len(names) < atLeast {
		t.Fatalf("%s: %d files, want at least %d (%v)", pattern, len(names), atLeast, err)
	}
	return names
}

func TestRuleFilesLoadAndTellSeverityAndRunbook(t *testing.T) {
	alerts := map[string]bool{}
	for _, name := range glob(t, "rules/*.yml", 3) {
		groups, errs := rulefmt.Parse(read(t, name), false, model.UTF8Validation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
		if len(errs) > 0 {
			t.Fatalf("%s: %v", name, errs)
		}
		for _, g := range groups.Groups {
			for _, r := range g.Rules {
				if r.Alert == "" {
					continue
				}
				alerts[r.Alert] = true
				if s := r.Labels["severity"]; s != "critical" && s != "warning" {
					t.Errorf("%s: %s has severity %q", name, r.Alert, s)
				}
				if r.Annotations["summary"] == "" || r.Annotations["description"] == "" || r.Annotations["runbook_url"] == "" || r.For == 0 {
					t.Errorf("%s: %s lacks a summary, a description, a runbook_url or a for", name, r.Alert)
				}
				if (strings.Contains(name, "resources") || strings.Contains(name, "drift")) && r.Labels["severity"] == "critical" {
					t.Errorf("%s: %s pages on a resource or on a guess", name, r.Alert)
				}
				if strings.Contains(name, "passive") {
					t.Errorf("%s: %s: what is passive raises no alert", name, r.Alert)
				}
			}
		}
	}
	for _, want := range []string{
		"HighLatencyP99", "HighErrorRate", "KafkaConsumerLagHigh", "PodRestartingFrequently", "QueueBacklogOld", "LoadBalancerSuccessLow",
		"ClusterUnavailable", "DiskFillingUp", "NodeCPUHigh", "DynamoDBThrottled", "FrontDoorSuccessLow", "FrontDoorServerErrors",
		"FrontDoorLatencyHigh", "GatewayOwnErrors", "GatewayTargetErrors", "GatewayLatencyHigh", "PodNotReady", "DatabaseDeadlocks",
		"DatabaseAbortedClients", "DatabaseConnectionsHigh", "DatabaseDMLSlow", "PoolNearlyExhausted", "AgentsDown", "ProcessingLagHigh",
		"BrokerDiskFillingUp", "SyntheticQueryFailing", "DiskFullSoon", "SuddenChange",
	} {
		if !alerts[want] {
			t.Errorf("no rule named %s", want)
		}
	}
}

func TestAlertmanagerFilesLoad(t *testing.T) {
	flags, err := featurecontrol.NewFlags(promslog.NewNopLogger(), "")
	if err != nil {
		t.Fatal(err)
	}
	compat.InitFromFlags(slog.New(slog.DiscardHandler), flags)
	for _, name := range glob(t, "alertmanager*.yml", 2) {
		cfg, err := config.Load(string(read(t, name)))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := cfg.Route.Routes[0].Receiver; got != "on-call" {
			t.Errorf("%s: critical alerts go to %q", name, got)
		}
	}
}

func TestConfigurationLoads(t *testing.T) {
	cfg, err := sbconfig.Load("signalbox.yml")
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Metrics.OutOfOrderWindow < model.Duration(28*24*time.Hour) || cfg.Metrics.Retention < model.Duration(30*24*time.Hour) {
		t.Errorf("the SLOs look back 30 days and the demo writes 28: window %s, retention %s", cfg.Metrics.OutOfOrderWindow, cfg.Metrics.Retention)
	}
	for _, globs := range [][]string{cfg.RuleFiles, cfg.SLOFiles, cfg.PolicyFiles, {cfg.AlertmanagerFile}} {
		for _, g := range globs {
			if found, err := filepath.Glob(g); err != nil || len(found) == 0 {
				t.Errorf("%s names no file (%v)", g, err)
			}
		}
	}
}

// The bands are those of the source policy: 50, 75 and 100 % of the budget used,
// with burn gates of 14× over an hour and 6× over six.
func TestThePolicyIsWhatTheReadersWereTold(t *testing.T) {
	set, problems := gate.LoadPolicies([]string{"policies/*.yml"}, gate.DefaultPolicy())
	if len(problems) > 0 || len(set.Named) != 1 {
		t.Fatal(problems, set.Named)
	}
	p := set.Named[0]
	if r := p.Rules; r.CautionAbove != 0.5 || r.HoldAbove != 0.75 || r.FreezeAt != 1 || r.BurnFast.Factor != 14 || r.BurnSlow.Factor != 6 {
		t.Errorf("%+v", r)
	}
	for _, service := range append(simulate.Services(), simulate.EventBus) {
		if !slices.Contains(p.Match.Services, service) {
			t.Errorf("it does not cover %s", service)
		}
	}
	for _, f := range p.Freezes {
		if f.Weekly != nil || f.End >= time.Now().Format(time.DateOnly) {
			t.Errorf("the freeze %s would stop the demo's story", f.Name)
		}
	}
}

func TestFaultFilesLoad(t *testing.T) {
	kinds := map[simulate.FaultKind]bool{}
	for _, name := range glob(t, "faults/*.yaml", 5) {
		faults, err := simulate.ParseFaults(name, read(t, name))
		if err != nil || len(faults) == 0 {
			t.Errorf("%s: %d faults, %v", name, len(faults), err)
		}
		for _, f := range faults {
			kinds[f.Kind] = true
		}
	}
	if len(kinds) != 5 {
		t.Errorf("the examples show %d of the 5 kinds of fault: %v", len(kinds), kinds)
	}
}

func TestSLOsLoadAndCountWhatTheSimulatorSends(t *testing.T) {
	names := map[string]bool{}
	for _, name := range glob(t, "slos/*.yaml", 6) {
		docs, problems := openslo.Parse(name, read(t, name))
		for _, p := range problems {
			t.Errorf("%v", p)
		}
		for _, s := range docs.SLOs {
			if names[s.Name] {
				t.Errorf("%s: %s is promised twice", name, s.Name)
			}
			names[s.Name] = true
			if days := int(s.Window.Hours() / 24); days != 28 && days != 30 {
				t.Errorf("%s: window of %d days", s.Name, days)
			}
			if !slices.Contains(append(simulate.Services(), simulate.EventBus, "signalbox"), s.Service) {
				t.Errorf("%s: service %q is none of the platform's", s.Name, s.Service)
			}
			if s.Indicator == nil {
				t.Errorf("%s: no indicator", s.Name)
				continue
			}
			if r := s.Indicator.Ratio; r != nil {
				for _, m := range []*openslo.Metric{r.Good, r.Bad, r.Total} {
					if m == nil || m.Events() {
						continue
					}
					if _, err := promexpr.ParseCounter(m.Query, true); err != nil {
						t.Errorf("%s: %s: %v", s.Name, m.Query, err)
					}
				}
			}
		}
	}
	if len(names) != 18 {
		t.Errorf("%d SLOs, the README says 18", len(names))
	}
}

// The demo starts from what is embedded: a folder that is added here and not there is missing for it.
func TestEveryFileIsEmbedded(t *testing.T) {
	err := fs.WalkDir(os.DirFS("."), ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || strings.HasSuffix(path, ".go") || strings.HasPrefix(path, "rules/tests/") { // promtool alone reads those
			return err
		}
		if _, err := broker.Files.Open(path); err != nil {
			t.Errorf("%s is not embedded: %v", path, err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
