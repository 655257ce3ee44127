package suites

import (
	"context"
	"errors"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"
	"github.com/prometheus/prometheus/util/stats"
)

// Every feature is on, and samples of 1970 are taken.
const promqlConfig = `
query: {enable_features: [promql-experimental-functions, promql-extended-range-selectors, promql-binop-fill-modifiers, promql-delayed-name-removal]}
metrics: {retention: 80y, out_of_order_window: 80y}
self_query: {interval: 1h}
`

// Prometheus' own scripts over HTTP: each load is written by remote write, each
// eval asked of the query API, and the script runner compares. Native histograms are left out,
// because the API's JSON does not say their schema. -short runs three files.
func TestPrometheusOwnQueryScripts(t *testing.T) {
	b, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/prometheus/prometheus").Output()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(b)), "promql", "promqltest", "testdata", "*.test"))
	if err != nil || len(files) < 20 {
		t.Fatalf("%d script files, %v", len(files), err)
	}
	passed := 0
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".test")
		if differences()[name] != "" || testing.Short() && name != "operators" && name != "selectors" && name != "staleness" {
			continue
		}
		t.Run(name, func(t *testing.T) { passed += script(t, name, file) })
	}
	t.Logf("%d evals passed", passed)
}

// script runs one file and answers how many evals passed.
func script(t *testing.T, name, file string) (passed int) {
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var s *server
	native, broken := map[string]bool{}, false
	fresh := func() {
		if s != nil {
			s.stop()
		}
		s, native, broken = nil, map[string]bool{}, false
	}
	defer fresh()
	for _, b := range blocks(string(raw)) {
		if b.kind == "clear" {
			fresh()
			continue
		}
		if s == nil {
			s = start(t, promqlConfig)
		}
		open := func(testing.TB) storage.Storage { return &remote{base: s.web} }
		where := strconv.Itoa(b.line)
		if b.kind == "load" {
			text := floats(b.text, native)
			broken = !t.Run("load "+where, func(t *testing.T) { promqltest.RunTestWithStorage(t, text, engine{s.web}, open) }) || broken
			continue
		}
		if strings.Contains(b.text, "{{") || mentions(b.text, native) || broken {
			continue
		}
		ok := t.Run(where, func(t *testing.T) {
			if reason := differences()[name+"/"+where]; reason != "" {
				t.Skip(reason)
			}
			promqltest.RunTestWithStorage(t, b.text, engine{s.web}, open)
			passed++
		})
		if !ok {
			t.Logf("%s:%s is %s", file, where, b.text)
		}
	}
	return passed
}

type block struct {
	line       int
	kind, text string
}

var head = regexp.MustCompile(`^(load|eval|clear|ignore|resume)`)

func blocks(script string) (out []block) {
	for i, line := range strings.Split(script, "\n") {
		if text := strings.TrimSpace(line); text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		if kind := head.FindString(line); kind != "" {
			out = append(out, block{i + 1, kind, line + "\n"})
		} else if len(out) > 0 {
			out[len(out)-1].text += line + "\n"
		}
	}
	return out
}

var seriesName = regexp.MustCompile(`^\s*\{?"?([a-zA-Z_:][a-zA-Z0-9_:.]*)`)

// floats leaves the native histograms of a load out and notes their names.
func floats(load string, native map[string]bool) string {
	custom := strings.HasPrefix(load, "load_with_nhcb")
	lines := strings.Split(strings.Replace(load, "load_with_nhcb", "load", 1), "\n")
	keep := lines[:1]
	for _, line := range lines[1:] {
		name := ""
		if m := seriesName.FindStringSubmatch(line); m != nil {
			name = m[1]
		}
		if custom && name != "" {
			native[strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(name, "_bucket"), "_sum"), "_count")] = true
		}
		if strings.Contains(line, "{{") {
			native[name] = true
			continue
		}
		keep = append(keep, line)
	}
	return strings.Join(keep, "\n")
}

func mentions(eval string, native map[string]bool) bool {
	for name := range native {
		if name != "" && regexp.MustCompile(`(^|[^a-zA-Z0-9_:])`+regexp.QuoteMeta(name)+`($|[^a-zA-Z0-9_:])`).MatchString(eval) {
			return true
		}
	}
	return len(native) > 0 && strings.Contains(eval, "__name__")
}

// remote is a storage that writes to the server.
type remote struct {
	storage.Storage // nil: only what the script runner calls is there
	base            string
}

func (r *remote) AppenderV2(context.Context) storage.AppenderV2 { return &appender{base: r.base} }
func (r *remote) Close() error                                  { return nil }

type appender struct {
	storage.AppenderV2
	base   string
	series []prompb.TimeSeries
	native bool
}

func (a *appender) Append(_ storage.SeriesRef, ls labels.Labels, _, at int64, v float64, h *histogram.Histogram, fh *histogram.FloatHistogram, _ storage.AppendV2Options) (storage.SeriesRef, error) {
	if h != nil || fh != nil {
		a.native = true
		return 1, nil
	}
	s := prompb.TimeSeries{Samples: []prompb.Sample{{Value: v, Timestamp: at}}}
	ls.Range(func(l labels.Label) { s.Labels = append(s.Labels, prompb.Label{Name: l.Name, Value: l.Value}) })
	a.series = append(a.series, s)
	return storage.SeriesRef(len(a.series)), nil
}

func (a *appender) Commit() error {
	if a.native {
		return errors.New("a native histogram that was not left out")
	}
	for len(a.series) > 0 {
		n := min(len(a.series), 2000)
		if err := write(a.base, a.series[:n]); err != nil {
			return err
		}
		a.series = a.series[n:]
	}
	return nil
}

func (a *appender) Rollback() error { return nil }

// engine asks the server.
type engine struct{ base string }

type query struct {
	base, path string
	form       url.Values
}

func seconds(t time.Time) string {
	return strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', 3, 64)
}

func (e engine) NewInstantQuery(_ context.Context, _ storage.Queryable, _ promql.QueryOpts, q string, at time.Time) (promql.Query, error) {
	return &query{e.base, "/api/v1/query", url.Values{"query": {q}, "time": {seconds(at)}}}, nil
}

func (e engine) NewRangeQuery(_ context.Context, _ storage.Queryable, _ promql.QueryOpts, q string, from, to time.Time, step time.Duration) (promql.Query, error) {
	return &query{e.base, "/api/v1/query_range", url.Values{
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

func (q *query) Exec(context.Context) *promql.Result {
	value, r, err := ask(q.base, q.path, q.form)
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

func (q *query) Close()                      {}
func (q *query) Statement() parser.Statement { return nil }
func (q *query) Stats() *stats.Statistics    { return nil }
func (q *query) Cancel()                     {}
func (q *query) String() string              { return q.form.Get("query") }
