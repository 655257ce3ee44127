package suites

import (
	"context"
	"errors"
	"net/url"
	"strconv"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"
	"github.com/prometheus/prometheus/util/stats"
)

// remote is a storage that writes to servers.
type remote struct {
	storage.Storage // nil: only what the script runner calls is there
	bases           []string
}

func (r *remote) AppenderV2(context.Context) storage.AppenderV2 { return &appender{bases: r.bases} }
func (r *remote) Close() error                                  { return nil }

type appender struct {
	storage.AppenderV2
	bases  []string
	series []prompb.TimeSeries
}

func (a *appender) Append(_ storage.SeriesRef, ls labels.Labels, _, at int64, v float64, h *histogram.Histogram, fh *histogram.FloatHistogram, _ storage.AppendV2Options) (storage.SeriesRef, error) {
	s := prompb.TimeSeries{}
	switch {
	case fh != nil:
		s.Histograms = []prompb.Histogram{prompb.FromFloatHistogram(at, fh)}
	case h != nil:
		s.Histograms = []prompb.Histogram{prompb.FromIntHistogram(at, h)}
	default:
		s.Samples = []prompb.Sample{{Value: v, Timestamp: at}}
	}
	ls.Range(func(l labels.Label) { s.Labels = append(s.Labels, prompb.Label{Name: l.Name, Value: l.Value}) })
	a.series = append(a.series, s)
	return storage.SeriesRef(len(a.series)), nil
}

// Commit writes the same to every server; a refusal of one does not keep it from the others.
func (a *appender) Commit() error {
	var errs []error
	for _, base := range a.bases {
		for rest := a.series; len(rest) > 0; {
			n := min(len(rest), 2000)
			if err := write(base, rest[:n]); err != nil {
				errs = append(errs, err)
				break
			}
			rest = rest[n:]
		}
	}
	return errors.Join(errs...)
}

func (a *appender) Rollback() error { return nil }

// engine asks a server.
type engine func(path string, form url.Values) *promql.Result

type query struct {
	ask  engine
	path string
	form url.Values
}

func seconds(t time.Time) string {
	return strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', 3, 64)
}

func (e engine) NewInstantQuery(_ context.Context, _ storage.Queryable, _ promql.QueryOpts, q string, at time.Time) (promql.Query, error) {
	return &query{e, "/api/v1/query", url.Values{"query": {q}, "time": {seconds(at)}}}, nil
}

func (e engine) NewRangeQuery(_ context.Context, _ storage.Queryable, _ promql.QueryOpts, q string, from, to time.Time, step time.Duration) (promql.Query, error) {
	return &query{e, "/api/v1/query_range", url.Values{
		"query": {q}, "start": {seconds(from)}, "end": {seconds(to)}, "step": {strconv.FormatFloat(step.Seconds(), 'f', 3, 64)},
	}}, nil
}

// note is an annotation as the script runner tells them apart.
type note struct {
	text string
	kind error
}

func (n note) Error() string { return n.text }
func (n note) Unwrap() error { return n.kind }

// asking is the engine of one server.
func asking(base string) engine {
	return func(path string, form url.Values) *promql.Result {
		value, r, err := ask(base, path, form)
		if err != nil {
			return &promql.Result{Err: err}
		}
		var notes annotations.Annotations
		for _, w := range r.Warnings {
			notes.Add(note{w, annotations.PromQLWarning})
		}
		for _, w := range r.Infos {
			notes.Add(note{w, annotations.PromQLInfo})
		}
		return &promql.Result{Value: value, Warnings: notes}
	}
}

func (q *query) Exec(context.Context) *promql.Result { return q.ask(q.path, q.form) }
func (q *query) Close()                              {}
func (q *query) Statement() parser.Statement         { return nil }
func (q *query) Stats() *stats.Statistics            { return nil }
func (q *query) Cancel()                             {}
func (q *query) String() string                      { return q.form.Get("query") }
