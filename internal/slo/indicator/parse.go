package indicator

import (
	"errors"
	"fmt"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/slo/openslo"
	"github.com/signalbox-project/signalbox/internal/slo/promexpr"
	"github.com/signalbox-project/signalbox/internal/store/filter"
)

// quietOf is how long nothing need come of a signal: deployments are rare.
func quietOf(signal Signal) time.Duration {
	if signal == Deploys {
		return 7 * 24 * time.Hour
	}
	return promexpr.Lookback
}

// ParseEvents reads a ratio of events, or says what is wrong with it.
func ParseEvents(q *openslo.Ratio) (*EventRatio, *openslo.Problem) {
	signal, known := map[string]Signal{openslo.SourceSpans: Spans, openslo.SourceLogs: Logs, openslo.SourceDeploys: Deploys}[q.Total.Type]
	s := &EventRatio{Quiet: q.Total.Quiet}
	for _, part := range []struct {
		name string
		m    *openslo.Metric
		dst  **EventQuery
	}{{"total", q.Total, &s.Total}, {"good", q.Good, &s.Good}, {"bad", q.Bad, &s.Bad}} {
		switch {
		case part.m == nil:
			continue
		case !known || part.m.Type != q.Total.Type:
			return nil, &openslo.Problem{
				Line: part.m.Line, Message: "good, bad and total are of different sources", Cure: "give all of them the same type",
			}
		}
		e, err := filter.Parse(part.m.Query)
		if err != nil {
			p := &openslo.Problem{Line: part.m.Line, Message: fmt.Sprintf("%s query: %v", part.name, err), Cure: "try it in the search"}
			var syntax *filter.SyntaxError
			if errors.As(err, &syntax) && syntax.Hint() != "" {
				p.Cure = syntax.Hint()
			}
			return nil, p
		}
		*part.dst = &EventQuery{Signal: signal, Text: part.m.Query, Expr: e}
	}
	if s.part().Text == s.Total.Text {
		return nil, &openslo.Problem{
			Line: q.Total.Line, Message: "it is the same filter as total", Cure: "say what makes an event good or bad, such as duration:<300ms",
		}
	}
	if s.Quiet == 0 {
		s.Quiet = quietOf(signal)
	}
	return s, nil
}

// Words says what is measured.
func (s *EventRatio) Words() string {
	return "share of good " + map[Signal]string{Spans: "spans", Logs: "log records", Deploys: "deployments"}[s.Signal()]
}

// Queries are the filters, with the error ratio in words.
func (s *EventRatio) Queries() (q model.SLOQueries) {
	of := func(e *EventQuery) string { return fmt.Sprintf("count(%s{%s})", e.Signal, e.Text) }
	q.Total = s.Total.Text
	if s.Good != nil {
		q.Good, q.Error = s.Good.Text, "1 - "+of(s.Good)+" / "+of(s.Total)
	} else {
		q.Bad, q.Error = s.Bad.Text, of(s.Bad)+" / "+of(s.Total)
	}
	return q
}
