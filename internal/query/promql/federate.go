package promql

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	prommodel "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/util/httputil"
	"google.golang.org/protobuf/proto"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/instrument"
)

// FederationPath is where another Prometheus scrapes us.
const FederationPath = "/federate"

// FederationDeps is what the federation endpoint is given.
type FederationDeps struct {
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Storage    storage.Queryable
	// ExternalLabels are added to series that do not have them.
	ExternalLabels func() map[string]string
	// Now is the clock; time.Now by default.
	Now func() time.Time
}

// federation answers the last sample of every series that one of match[]
// selects, in a form that Prometheus scrapes, as Prometheus' own endpoint does: not older than the
// look-back, no series that ended, untyped, native histograms where the form has them.
type federation struct {
	e      *Engine
	deps   FederationDeps
	errors prometheus.Counter
	// leftOut are samples that the form which was asked for has no place for.
	leftOut *prometheus.CounterVec
}

// The reasons for which a selected sample is not in an answer.
const (
	leftNative   = "native_histogram_as_text"
	leftNameless = "no_metric_name"
	leftTwice    = "label_names_collide"
)

// NewFederation makes the handler of FederationPath.
func NewFederation(e *Engine, d FederationDeps) (http.Handler, error) {
	d.Logger = instrument.Logger(d.Logger)
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.ExternalLabels == nil {
		d.ExternalLabels = func() map[string]string { return nil }
	}
	f := &federation{e: e, deps: d, errors: prometheus.NewCounter(prometheus.CounterOpts{
		Name: "prometheus_web_federation_errors_total", Help: "Errors that occurred while sending federation responses.",
	}), leftOut: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "signalbox_federation_left_out_total", Help: "Selected samples that the form which was asked for has no place for, by reason.",
	}, []string{"reason"})}
	if err := instrument.Register(d.Registerer, "federation", f.errors, f.leftOut); err != nil {
		return nil, err
	}
	return httputil.CompressionHandler{Handler: f}, nil
}

// ServeHTTP answers one scrape.
func (f *federation) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "federation is asked with GET", http.StatusMethodNotAllowed)
		return
	}
	if err := r.ParseForm(); err != nil {
		http.Error(w, "error parsing form values: "+err.Error(), http.StatusBadRequest)
		return
	}
	selectors, err := f.e.parser.ParseMetricSelectors(r.Form["match[]"])
	if err != nil {
		http.Error(w, "match[]: "+err.Error(), http.StatusBadRequest)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), time.Duration(f.e.cfg.Timeout))
	defer cancel()
	samples, err := f.last(ctx, selectors)
	if err != nil {
		f.errors.Inc()
		status := http.StatusInternalServerError
		if errors.Is(err, errTooMany) {
			status = http.StatusUnprocessableEntity
		}
		http.Error(w, err.Error(), status)
		return
	}
	access.Note(ctx, access.NoteAction, "query.federate")
	access.Note(ctx, access.NoteRows, strconv.Itoa(len(samples)))
	format := expfmt.NegotiateAccept(r.Header, expfmt.NewFormat(expfmt.TypeProtoDelim), expfmt.NewFormat(expfmt.TypeProtoText),
		expfmt.NewFormat(expfmt.TypeProtoCompact), expfmt.NewFormat(expfmt.TypeTextPlain))
	w.Header().Set("Content-Type", string(format))
	if err := f.write(expfmt.NewEncoder(w, format), samples, format); err != nil {
		f.errors.Inc()
		f.deps.Logger.Warn("federation answer cut off", "err", err)
	}
}

var errTooMany = errors.New("more series than query.max_samples: select fewer with match[]")

// last is the last sample of every selected series, by name.
func (f *federation) last(ctx context.Context, selectors [][]*labels.Matcher) (promql.Vector, error) {
	maxt := f.deps.Now().UnixMilli()
	lookback := time.Duration(f.e.cfg.Lookback)
	mint := maxt - lookback.Milliseconds()
	q, err := querierApart(f.deps.Storage, mint, maxt)
	if err != nil {
		return nil, fmt.Errorf("read samples: %w", err)
	}
	defer func() { _ = q.Close() }() // a reader holds nothing that could be lost
	hints := &storage.SelectHints{Start: mint, End: maxt}
	sets := make([]storage.SeriesSet, len(selectors))
	for i, s := range selectors {
		sets[i] = q.Select(ctx, true, hints, s...)
	}
	set := storage.NewMergeSeriesSet(sets, 0, storage.ChainedSeriesMerge)
	var out promql.Vector
	var chunks chunkenc.Iterator
	it := storage.NewMemoizedEmptyIterator(lookback.Milliseconds())
	for set.Next() {
		chunks = set.At().Iterator(chunks)
		it.Reset(chunks)
		s, ok := lastOf(it, maxt)
		if err := it.Err(); err != nil {
			return nil, fmt.Errorf("read samples: %w", err)
		}
		if !ok {
			continue
		}
		if len(out) == f.e.cfg.MaxSamples {
			return nil, errTooMany
		}
		s.Metric = set.At().Labels()
		out = append(out, s)
	}
	if err := set.Err(); err != nil {
		return nil, fmt.Errorf("read samples: %w", err)
	}
	slices.SortStableFunc(out, func(a, b promql.Sample) int {
		return cmp.Compare(a.Metric.Get(labels.MetricName), b.Metric.Get(labels.MetricName))
	})
	return out, nil
}

// lastOf is the sample at maxt or the last before it. The forms have no mark
// for a series that ended, so one that did is left out.
func lastOf(it *storage.MemoizedSeriesIterator, maxt int64) (s promql.Sample, ok bool) {
	switch it.Seek(maxt) {
	case chunkenc.ValFloat:
		s.T, s.F = it.At()
	case chunkenc.ValHistogram, chunkenc.ValFloatHistogram:
		s.T, s.H = it.AtFloatHistogram()
	default:
		if _, s.T, s.F, s.H, ok = it.PeekPrev(); !ok {
			return s, false
		}
	}
	if s.H != nil {
		s.H = s.H.Copy() // the iterator uses it again
		return s, !value.IsStaleNaN(s.H.Sum)
	}
	return s, !value.IsStaleNaN(s.F)
}

// write encodes the samples. A name whose series are of more than one type
// gives more than one family: not what the formats ask for, but what Prometheus reads.
func (f *federation) write(enc expfmt.Encoder, samples promql.Vector, format expfmt.Format) error {
	native := format.FormatType() != expfmt.TypeTextPlain
	added := maps.Clone(f.deps.ExternalLabels())
	if added == nil {
		added = map[string]string{}
	}
	// Without an instance of its own a series would get that of the scrape.
	if _, ok := added[prommodel.InstanceLabel]; !ok {
		added[prommodel.InstanceLabel] = ""
	}
	names := slices.Sorted(maps.Keys(added))
	var family *dto.MetricFamily
	for _, s := range samples {
		name := s.Metric.Get(labels.MetricName)
		labels := pairs(s.Metric, names, added)
		why := cannotSay(name, s.H, native)
		if why == "" && collide(labels, format.ToEscapingScheme()) {
			why = leftTwice
		}
		if why != "" {
			f.leftOut.WithLabelValues(why).Inc()
			continue
		}
		if kind := typeOf(s.H); family == nil || family.GetName() != name || family.GetType() != kind {
			if family != nil {
				if err := enc.Encode(family); err != nil {
					return err
				}
			}
			family = &dto.MetricFamily{Name: proto.String(name), Type: kind.Enum()}
		}
		m := &dto.Metric{TimestampMs: proto.Int64(s.T), Label: labels}
		if s.H == nil {
			m.Untyped = &dto.Untyped{Value: proto.Float64(s.F)}
		} else {
			m.Histogram = histogramOf(s.H)
		}
		family.Metric = append(family.Metric, m)
	}
	if family == nil {
		return nil
	}
	return enc.Encode(family)
}

// cannotSay is why a sample has no place in an answer, or "".
func cannotSay(name string, h *histogram.FloatHistogram, native bool) string {
	switch {
	case name == "":
		return leftNameless
	case h != nil && !h.UsesCustomBuckets() && !native:
		return leftNative
	}
	return ""
}

// collide reports whether two labels have one name for a reader that knows letters, digits and _ only: it
// would refuse not the series but the whole answer.
func collide(pairs []*dto.LabelPair, scheme prommodel.EscapingScheme) bool {
	if scheme == prommodel.NoEscaping {
		return false
	}
	seen := map[string]bool{}
	for _, p := range pairs {
		name := prommodel.EscapeName(p.GetName(), scheme)
		if seen[name] {
			return true
		}
		seen[name] = true
	}
	return false
}

func typeOf(h *histogram.FloatHistogram) dto.MetricType {
	switch {
	case h == nil:
		return dto.MetricType_UNTYPED
	case h.CounterResetHint == histogram.GaugeType:
		return dto.MetricType_GAUGE_HISTOGRAM
	}
	return dto.MetricType_HISTOGRAM
}

func pairs(ls labels.Labels, names []string, added map[string]string) []*dto.LabelPair {
	var out []*dto.LabelPair
	put := func(name, value string) {
		out = append(out, &dto.LabelPair{Name: proto.String(name), Value: proto.String(value)})
	}
	ls.Range(func(l labels.Label) {
		if l.Name != labels.MetricName && l.Value != "" {
			put(l.Name, l.Value)
		}
	})
	for _, name := range names {
		if ls.Get(name) == "" {
			put(name, added[name])
		}
	}
	return out
}

// histogramOf is a native histogram, or for custom buckets the classic one that it came from.
func histogramOf(h *histogram.FloatHistogram) *dto.Histogram {
	out := &dto.Histogram{SampleCountFloat: proto.Float64(h.Count), SampleSum: proto.Float64(h.Sum)}
	if h.UsesCustomBuckets() {
		at := map[int32]float64{}
		for it := h.PositiveBucketIterator(); it.Next(); {
			at[it.At().Index] = it.At().Count
		}
		below := 0.0
		for i, bound := range h.CustomValues {
			below += at[int32(i)]
			out.Bucket = append(out.Bucket, &dto.Bucket{UpperBound: proto.Float64(bound), CumulativeCountFloat: proto.Float64(below)})
		}
		return out // the bucket +Inf is the count
	}
	out.Schema = proto.Int32(h.Schema)
	out.ZeroThreshold, out.ZeroCountFloat = proto.Float64(h.ZeroThreshold), proto.Float64(h.ZeroCount)
	out.PositiveSpan, out.PositiveCount = spans(h.PositiveSpans), h.PositiveBuckets
	out.NegativeSpan, out.NegativeCount = spans(h.NegativeSpans), h.NegativeBuckets
	if len(out.PositiveSpan)+len(out.NegativeSpan) == 0 {
		// Readers know a native histogram by its spans.
		out.PositiveSpan = []*dto.BucketSpan{{Offset: proto.Int32(0), Length: proto.Uint32(0)}}
	}
	return out
}

func spans(in []histogram.Span) []*dto.BucketSpan {
	var out []*dto.BucketSpan
	for _, s := range in {
		out = append(out, &dto.BucketSpan{Offset: proto.Int32(s.Offset), Length: proto.Uint32(s.Length)})
	}
	return out
}
