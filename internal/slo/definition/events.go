package definition

import (
	"fmt"

	"github.com/signalbox-project/signalbox/internal/slo/indicator"
	"github.com/signalbox-project/signalbox/internal/slo/openslo"
)

// Source is what the queries are over: promql, spans, logs or deploys; composite
// where its parts say.
func (d *Definition) Source() string {
	if len(d.Parts) > 0 {
		return "composite"
	}
	if s := indicator.EventsOf(d.Measure); s != nil {
		return string(s.Signal())
	}
	return "promql"
}

// eventRatio resolves a ratio of events.
func (r *resolver) eventRatio(d *Definition, s *openslo.SLO, sli *openslo.SLI, ob *openslo.Objective) {
	counts, problem := indicator.ParseEvents(sli.Ratio)
	if problem != nil {
		r.report(sli.Meta, problem.Line, false, fmt.Sprintf("SLO %s: %s", d.Name, problem.Message), problem.Cure)
		return
	}
	d.Indicator, d.Queries = counts.Words(), counts.Queries()
	d.Measure = counts
	r.eventGrouping(d, s, sli, ob, counts.Total)
	r.sliceCounts(d, counts, s.Method, ob)
}
