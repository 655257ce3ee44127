package model

import "testing"

func TestTheErrorRatioHasAQueryWhateverIsCounted(t *testing.T) {
	s := SLOStatus{Name: "a-b", Source: "promql", Queries: SLOQueries{Error: "sum(rate(x[$window])) / sum(rate(y[$window]))"}}
	if got := s.ErrorRatioQuery("1h"); got != "sum(rate(x[1h])) / sum(rate(y[1h]))" {
		t.Error(got)
	}
	s.Source, s.Queries.Error = "spans", "1 - good / total"
	if got := s.ErrorRatioQuery("1h"); got != `signalbox_slo_error_ratio{slo="a-b",window="1h"}` {
		t.Error(got)
	}
}
