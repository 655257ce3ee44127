package definition_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	prom "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/slo/definition"
)

// sloText is an SLO document of a name; more are further keys of its spec, each with its two spaces.
func sloText(name, metadata, indicator, objectives string, more ...string) string {
	return fmt.Sprintf("---\napiVersion: openslo/v1\nkind: SLO\nmetadata: {name: %s%s}\nspec:\n  service: shop\n  timeWindow: [{duration: 28d, isRolling: true}]\n%s  objectives: [%s]\n%s",
		name, metadata, indicator, objectives, strings.Join(more, ""))
}

// indicators, as lines of an SLO's spec.
const (
	counted   = "  indicator: {spec: {ratioMetric: {good: {metricSource: {spec: {query: 'sum(ok_total)'}}}, total: {metricSource: {spec: {query: 'sum(all_total)'}}}}}}\n"
	failures  = "  indicator: {spec: {ratioMetric: {bad: {metricSource: {spec: {query: 'sum(bad_total)'}}}, total: {metricSource: {spec: {query: 'sum(all_total)'}}}}}}\n"
	byRoute   = "  indicator: {spec: {ratioMetric: {good: {metricSource: {spec: {query: 'sum by (route) (ok_total)'}}}, total: {metricSource: {spec: {query: 'sum by (route) (all_total)'}}}}}}\n"
	threshold = "  indicator: {spec: {thresholdMetric: {metricSource: {spec: {query: 'max(age_seconds)'}}}}}\n"
	measured  = "  indicator: {spec: {ratioMetric: {raw: {metricSource: {spec: {query: 'avg(share)'}}}, rawType: success}}}\n"
	spans     = "  indicator: {spec: {ratioMetric: {bad: {metricSource: {type: signalbox-spans, spec: {query: 'status:error'}}}, total: {metricSource: {type: signalbox-spans, spec: {query: 'name:x'}}}}}}\n"
	target    = "{target: 0.99}"
)

// defined are the definitions of a text without problems, by name.
func defined(t testing.TB, text string) map[string]*definition.Definition {
	t.Helper()
	defs, problems := definition.Parse("a.yaml", []byte(text))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	out := map[string]*definition.Definition{}
	for _, d := range defs {
		out[d.Name] = d
	}
	return out
}

// said are a text's problems, one a line, and the names of what it defines.
func said(text string) (problems, names string) {
	defs, ps := definition.Parse("a.yaml", []byte(text))
	var all, of []string
	for _, p := range ps {
		all = append(all, p.Error())
	}
	for _, d := range defs {
		of = append(of, d.Name)
	}
	return strings.Join(all, "\n"), strings.Join(of, " ")
}

func day(n int) prom.Duration { return prom.Duration(time.Duration(n) * 24 * time.Hour) }
