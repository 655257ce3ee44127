// Package signs finds what else was unusual when an incident began: metrics that left what they were all day, watched by a rule or not, and
// lines of logs that were not there before.
//
// A cause often stands in a metric that nobody looks at, while CPU, memory and errors of the usual kind look well. So every series of the
// services concerned is compared with its own last day, and what is furthest out comes first.
//
// In: services and a moment; answers of PromQL and of the log store. Out: Signs, each with the query that shows it. It keeps nothing and
// decides nothing: that something was unusual does not make it the cause.
//
// Invariants: a question asks a bounded number of queries over a bounded number of series, and names what it left out. What is masked for
// anybody and who may see a service is the caller's to mind: the context goes along as it is.
//
// Start reading at Finder.Find, then judge.
package signs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

const (
	// history is what something is compared with, and lead how long before the start it may begin: causes come before what is felt.
	history, lead = 24 * time.Hour, 15 * time.Minute
	// Tail is how long after the start is looked at.
	Tail = 10 * time.Minute
	// maxServices bounds how many services are looked at, and patience how long all of it takes.
	maxServices = 8
	patience    = 30 * time.Second
	// maxMetrics and maxPatterns bound what is told.
	maxMetrics, maxPatterns = 8, 6
)

// Kinds of signs.
const (
	Metric = "metric"
	Log    = "log"
)

// Sign is something that was unusual when an incident began.
type Sign struct {
	Time    time.Time `json:"time"` // since when
	Kind    string    `json:"kind"`
	Service string    `json:"service"`
	Name    string    `json:"name"` // of the metric; the pattern of the lines
	Text    string    `json:"text"`
	Query   string    `json:"query"` // PromQL, or the filter of logs
	Score   float64   `json:"score"` // the furthest out first
}

// Found is what was found, and what was not looked at.
type Found struct {
	Signs   []Sign   `json:"signs"`
	Missing []string `json:"missing,omitempty"`
}

func (f *Found) miss(format string, args ...any) {
	f.Missing = append(f.Missing, fmt.Sprintf(format, args...))
}

// Metrics evaluates PromQL.
type Metrics interface {
	Instant(ctx context.Context, expr string, t time.Time) ([]model.Sample, error)
	Range(ctx context.Context, expr string, start, end time.Time, step time.Duration) ([]model.Series, error)
}

// Logs finds log records.
type Logs interface {
	Logs(ctx context.Context, q store.LogQuery) iter.Seq2[model.LogRecord, error]
	LogHistogram(ctx context.Context, q store.LogQuery, step time.Duration, field string) (store.Histogram, error)
}

// Finder looks.
type Finder struct {
	Metrics Metrics
	Logs    Logs
	// Rules are the expressions of the alerting rules in force.
	Rules func() []string
}

// Find is what was unusual about services around the start of an incident, as far as it is known now.
func (f Finder) Find(ctx context.Context, services []string, environment string, start, now time.Time) (Found, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	out := Found{Signs: []Sign{}}
	if len(services) > maxServices {
		out.miss("%d more services were not looked at", len(services)-maxServices)
		services = services[:maxServices]
	}
	end := start.Add(Tail)
	if now.Before(end) {
		end = now
	}
	var metrics, logs []Sign
	for _, s := range services {
		w := window{service: s, environment: environment, start: start, end: end}
		of, err := f.metrics(ctx, w, &out)
		if err == nil {
			metrics = append(metrics, of...)
			of, err = f.logs(ctx, w, &out)
			logs = append(logs, of...)
		}
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			out.miss("%s and what follows it: the time of %s was up", s, patience)
		case err != nil:
			return out, err
		default:
			continue
		}
		break
	}
	out.Signs = append(best(metrics, maxMetrics), best(logs, maxPatterns)...)
	return out, nil
}

// window is what is looked at of one service.
type window struct {
	service, environment string
	start, end           time.Time
}

// best are those furthest out.
func best(list []Sign, n int) []Sign {
	slices.SortStableFunc(list, func(a, b Sign) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), a.Time.Compare(b.Time), cmp.Compare(a.Name, b.Name))
	})
	return list[:min(n, len(list))]
}
