package slo_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/signalbox-project/signalbox/internal/slo"
	"github.com/signalbox-project/signalbox/internal/slo/definition"
	"github.com/signalbox-project/signalbox/internal/slo/promexpr"
)

func TestTheExportIsARuleFileThatPrometheusAccepts(t *testing.T) {
	threshold := strings.NewReplacer("edge-ok", "queue").Replace(document([]string{"99", "28d", "threshold", "60"}))
	slices := strings.NewReplacer("edge-ok", "sliced").Replace(document([]string{"99", "28d", "timeslices", "0.95"}))
	defs, problems := load(t, strings.Join([]string{withPolicy(), composite, threshold, slices}, "---\n"))
	if problems != "" {
		t.Fatal(problems)
	}
	text, err := definition.PrometheusRules(slo.DefaultConfig().BurnAlerts, defs)
	if err != nil {
		t.Fatal(err)
	}
	groups, errs := rulefmt.Parse(text, false, model.UTF8Validation, parser.NewParser(parser.Options{}), nil)
	if len(errs) > 0 {
		t.Fatalf("%v in\n%s", errs, text)
	}
	if len(groups.Groups) != len(defs) {
		t.Errorf("%d groups for %d SLOs", len(groups.Groups), len(defs))
	}
	// What the rules record is what the engine measures.
	w := newWorld(t, availability("99.5"))
	w.traffic(3*time.Hour, 15*time.Second, 97, 3)
	w.settle()
	for _, g := range groups.Groups {
		for _, r := range g.Rules {
			if g.Name != "slo-edge-ok" || r.Record != "slo:error_ratio:1h" {
				continue
			}
			got, err := promexpr.NewEvaluator(w.db, time.Minute, nil).Instant(t.Context(), r.Expr, w.now)
			if err != nil || len(got) != 1 || math.Abs(got[0].Value-0.03) > 1e-9 {
				t.Errorf("%s is %v (%v), want 0.03", r.Expr, got, err)
			}
			return
		}
	}
	t.Errorf("no recording rule in\n%s", text)
}
