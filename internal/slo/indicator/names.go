package indicator

import (
	"context"
	"strings"

	"github.com/signalbox-project/signalbox/internal/slo/promexpr"
)

// Names is a Querier that knows which metrics are stored; promexpr.Evaluator does.
type Names interface {
	// Stored reports whether anything is stored under a metric's name, however old, and whether
	// that is native histograms.
	Stored(ctx context.Context, metric string) (found, histograms bool, err error)
}

// Metrics are the names of all metrics that a source reads, none where it
// counts events.
func Metrics(src Source) []string {
	if v := ValuesOf(src); v != nil {
		return v.Query.Metrics()
	}
	var out []string
	for _, c := range countersOf(src) {
		out = append(out, c.Metrics()...)
	}
	return out
}

// needed are the metrics without which a source has no data.
func needed(src Source) []string {
	if v := ValuesOf(src); v != nil {
		return v.Query.Metrics()
	}
	if counters := countersOf(src); len(counters) > 0 {
		return counters[0].Metrics() // of total
	}
	return nil
}

// Unstored says of a source without data which of its metrics never came, nil
// when all have come or it cannot be known.
func Unstored(ctx context.Context, src Source, q Querier) (*Fault, error) {
	names, ok := namesOf(q)
	if !ok {
		return nil, nil
	}
	for _, metric := range needed(src) {
		found, histograms, err := names.Stored(ctx, metric)
		switch {
		case err != nil:
			return nil, err
		case found && histograms:
			return &Fault{Kind: NativeHistogram, Metric: metric}, nil
		case found:
			continue
		}
		for _, suffix := range []string{"_bucket", "_count", "_sum"} {
			base, has := strings.CutSuffix(metric, suffix)
			if !has {
				continue
			}
			if _, histograms, err = names.Stored(ctx, base); err == nil && histograms {
				return &Fault{Kind: NativeHistogram, Metric: base}, nil
			}
		}
		return &Fault{Kind: UnknownMetric, Metric: metric}, nil
	}
	return nil, nil
}

func namesOf(q Querier) (Names, bool) {
	switch one := q.(type) {
	case *Batch:
		return namesOf(one.Querier)
	case both:
		return namesOf(one.Querier)
	}
	names, ok := q.(Names)
	return names, ok
}

var _ Names = (*promexpr.Evaluator)(nil)
