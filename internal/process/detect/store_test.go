package detect_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	common "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"

	"github.com/signalbox-project/signalbox/internal/process/detect"
	"github.com/signalbox-project/signalbox/internal/query/promql"
	"github.com/signalbox-project/signalbox/internal/store/metrics"
)

// The whole way on the real store and engine: samples of a counter, a detector
// file, and the expression of the rule that ships.
func TestADropOfACounterBecomesASampleOfTheShippedRule(t *testing.T) {
	cfg := metrics.DefaultConfig()
	cfg.OutOfOrderWindow = common.Duration(10 * 24 * time.Hour)
	s, err := metrics.Open(cfg, metrics.Deps{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	e, err := promql.New(promql.DefaultConfig(), promql.Deps{Queryable: s})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().Truncate(time.Minute)
	drop := now.Add(-20 * time.Minute)
	app := s.AppenderV2(t.Context())
	total := 0.0
	for at, step := now.Add(-4*24*time.Hour), 5*time.Minute; !at.After(now); at = at.Add(step) {
		if at.After(now.Add(-4 * time.Hour)) {
			step = 30 * time.Second
		}
		if perSecond := 20.0; at.After(drop) {
			total += 0.2 * perSecond * step.Seconds()
		} else {
			total += perSecond * step.Seconds()
		}
		ls := labels.FromStrings("__name__", "requests_total", "service", "edge")
		if _, err := app.Append(0, ls, 0, at.UnixMilli(), total, nil, nil, storage.AOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := app.Commit(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "d.yml")
	text := "detectors: [{name: requests, expr: 'sum by (service) (rate(requests_total[10m]))', kind: rate, window: 10m, labels: {severity: critical}}]"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	watching := func() *detect.Detectors {
		d, err := detect.New(detect.DefaultConfig(), detect.Deps{Querier: e, Appendable: s})
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Reload([]string{file}); err != nil {
			t.Fatal(err)
		}
		return d
	}
	rule := shippedRule(t)
	d := watching()
	d.Evaluate(t.Context(), drop)
	if got, err := e.Instant(t.Context(), rule, drop); err != nil || len(got) != 0 {
		t.Errorf("before the drop: %v, %v", got, err)
	}
	for at := drop.Add(30 * time.Second); !at.After(now.Add(-time.Minute)); at = at.Add(30 * time.Second) {
		d.Evaluate(t.Context(), at)
	}
	watching().Evaluate(t.Context(), now) // after a restart
	got, err := e.Instant(t.Context(), rule, now)
	if err != nil || len(got) != 1 || got[0].Labels["detector"] != "requests" || got[0].Value > 0.25 || got[0].Value < 0.15 {
		t.Errorf("20 minutes after the drop to a fifth: %v, %v", got, err)
	}
	if b, err := e.Instant(context.Background(), "signalbox_detector_breaches", now); err != nil || len(b) != 1 || b[0].Value < 20 {
		t.Errorf("breaches in a row: %v, %v", b, err)
	}
}

// shippedRule is the expression of SuddenChange for detectors that page.
func shippedRule(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../../examples/broker/rules/sudden-change.yml")
	if err != nil {
		t.Fatal(err)
	}
	groups, errs := rulefmt.Parse(text, false, common.UTF8Validation, parser.NewParser(parser.Options{}), nil)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	return groups.Groups[0].Rules[0].Expr
}
