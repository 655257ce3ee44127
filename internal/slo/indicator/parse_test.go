package indicator

import (
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/slo/openslo"
)

func metric(source, query string, line int) *openslo.Metric {
	return &openslo.Metric{Type: source, Query: query, Line: line}
}

func TestARatioOfEventsIsRead(t *testing.T) {
	quiet := metric(openslo.SourceLogs, "service:a", 1)
	quiet.Quiet = 2 * time.Hour
	for _, c := range []struct {
		in            openslo.Ratio
		signal        Signal
		quiet         time.Duration
		words, errors string
	}{
		{
			openslo.Ratio{Total: metric(openslo.SourceSpans, "service:a", 1), Good: metric(openslo.SourceSpans, "duration:<300ms", 2)},
			Spans, 5 * time.Minute, "share of good spans", "1 - count(spans{duration:<300ms}) / count(spans{service:a})",
		},
		{
			openslo.Ratio{Total: quiet, Bad: metric(openslo.SourceLogs, "level:error", 2)},
			Logs, 2 * time.Hour, "share of good log records", "count(logs{level:error}) / count(logs{service:a})",
		},
		{
			openslo.Ratio{Total: metric(openslo.SourceDeploys, "service:a", 1), Bad: metric(openslo.SourceDeploys, "status:failed", 2)},
			Deploys, 7 * 24 * time.Hour, "share of good deployments", "count(deploys{status:failed}) / count(deploys{service:a})",
		},
	} {
		s, problem := ParseEvents(&c.in)
		if problem != nil {
			t.Fatal(problem)
		}
		q := s.Queries()
		if s.Signal() != c.signal || s.part().Signal != c.signal || s.Quiet != c.quiet || s.Words() != c.words || q.Error != c.errors {
			t.Errorf("%s, quiet %s, %q, %q; want %s, %s, %q, %q", s.Signal(), s.Quiet, s.Words(), q.Error, c.signal, c.quiet, c.words, c.errors)
		}
		if q.Total != "service:a" || (q.Good == "") == (q.Bad == "") || (s.Good == nil) != (q.Good == "") {
			t.Errorf("%+v", q)
		}
	}
}

func TestARatioOfEventsThatCannotBeReadNamesItsLineAndACure(t *testing.T) {
	for _, c := range []struct {
		name          string
		in            openslo.Ratio
		line          int
		message, cure string
	}{
		{
			"two sources",
			openslo.Ratio{Total: metric(openslo.SourceSpans, "service:a", 3), Good: metric(openslo.SourceLogs, "status:ok", 5)},
			5, "good, bad and total are of different sources", "same type",
		},
		{
			"a counter beside events",
			openslo.Ratio{Total: metric("Prometheus", "x_total", 3), Bad: metric(openslo.SourceSpans, "status:error", 5)},
			3, "of different sources", "same type",
		},
		{
			"total's filter",
			openslo.Ratio{Total: metric(openslo.SourceSpans, "service:(", 3), Good: metric(openslo.SourceSpans, "status:ok", 5)},
			3, "total query:", "",
		},
		{
			"the filter of good",
			openslo.Ratio{Total: metric(openslo.SourceSpans, "service:a", 3), Good: metric(openslo.SourceSpans, `name:"x`, 5)},
			5, "good query:", "",
		},
		{
			"the filter of bad",
			openslo.Ratio{Total: metric(openslo.SourceSpans, "service:a", 3), Bad: metric(openslo.SourceSpans, "AND", 5)},
			5, "bad query:", "",
		},
		{
			"everything is good",
			openslo.Ratio{Total: metric(openslo.SourceSpans, "service:a", 3), Good: metric(openslo.SourceSpans, "service:a", 5)},
			3, "the same filter as total", "duration:<300ms",
		},
	} {
		_, p := ParseEvents(&c.in)
		if p == nil || p.Line != c.line || !strings.Contains(p.Message, c.message) || p.Cure == "" || !strings.Contains(p.Cure, c.cure) {
			t.Errorf("%s: %+v, want line %d, %q, cure %q", c.name, p, c.line, c.message, c.cure)
		}
	}
}
