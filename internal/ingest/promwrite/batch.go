package promwrite

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	remoteapi "github.com/prometheus/client_golang/exp/api/remote"
	prommodel "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/metadata"
	"github.com/prometheus/prometheus/prompb"
	writev2 "github.com/prometheus/prometheus/prompb/io/prometheus/write/v2"
	"github.com/prometheus/prometheus/storage"

	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/numbers"
)

// Bounds that hold before a label set is built at all: Prometheus' labels panic
// at 16 MB, and version 2's symbols let a small request name a large label many
// times. The admission's own, finer limits follow.
const (
	maxSeriesBytes  = 2 << 20
	maxSeriesLabels = 4096
	maxTenantBytes  = 150
	maxMessages     = 10 // refusals quoted in an answer
	tenantLabel     = "tenant"
	signal          = "metrics"
	reasonBytes     = "series_too_large"
	reasonSymbols   = "invalid_symbol"
)

// refusal is what an admission's error for a single sample looks like.
type refusal interface {
	error
	RefusalReason() string
}

// batch is one request on its way into the store.
type batch struct {
	ctx       context.Context //nolint:containedctx // a batch lives as long as its request
	deps      Deps
	app       storage.AppenderV2
	exemplars storage.Appender // opened when needed
	known     *knownSeries
	now       time.Time
	protocol  string
	tenant    string // "" for the default tenant
	labels    labels.ScratchBuilder
	written   remoteapi.WriteResponseStats
	refused   int
	crowded   bool // some were refused for being of new series
	alone     []lone
	messages  []string
	skipped   int // refusals not quoted
}

func (h *Handler) newBatch(ctx context.Context, tenant string) *batch {
	return &batch{ctx: ctx, deps: h.deps, known: h.known, now: time.Now(), tenant: tenant, labels: labels.NewScratchBuilder(16)}
}

// append adds a request's series in their order. An error is the store's: nothing
// may be kept.
func (b *batch) append(req *request) error {
	for i := range req.items {
		it := &req.items[i]
		var err error
		switch {
		case it.known != nil:
			err = b.appendKnown(it.known, req.points[it.from:it.to])
		case it.v1 != nil:
			err = b.appendV1(it)
		default:
			err = b.appendV2(it, req.symbols)
		}
		if err != nil {
			return err
		}
	}
	for _, l := range b.alone {
		if err := b.addAlone(l); err != nil {
			return err
		}
	}
	return nil
}

// appendKnown adds samples to a series that was judged before.
func (b *batch) appendKnown(k *known, points []point) error {
	ref := storage.SeriesRef(k.ref.Load())
	s := series{labels: k.labels, ref: ref}
	for _, p := range points {
		if err := b.add(&s, p.st, p.t, p.v, nil); err != nil {
			return err
		}
	}
	if s.ref != ref { // the store had forgotten the series and made it anew
		k.ref.Store(uint64(s.ref))
	}
	return nil
}

// remember has the series known from now on if it was stored.
func (b *batch) remember(it *item, s *series) {
	if it.keyed && s.ref != 0 {
		b.known.put(it.key, s.labels, s.ref, b.now)
	}
}

func (b *batch) appendV1(it *item) error {
	ts := it.v1
	n := len(ts.Samples) + len(ts.Histograms)
	size := 0
	for _, l := range ts.Labels {
		size += len(l.Name) + len(l.Value)
	}
	if b.tooLarge(len(ts.Labels), size, n) {
		return nil
	}
	exemplars := make([]exemplar.Exemplar, 0, len(ts.Exemplars))
	for _, e := range ts.Exemplars {
		if exemplarFits(e) {
			exemplars = append(exemplars, e.ToExemplar(&b.labels, nil))
		}
	}
	s := series{labels: b.withTenant(ts.ToLabels(&b.labels, nil)), opts: storage.AOptions{Exemplars: exemplars}}
	if n == 0 {
		b.alone = append(b.alone, lone{s.labels, exemplars})
		return nil
	}
	for _, p := range ts.Samples {
		if err := b.add(&s, 0, p.Timestamp, p.Value, nil); err != nil {
			return err
		}
	}
	for _, hp := range ts.Histograms {
		if err := b.add(&s, 0, hp.Timestamp, 0, hp); err != nil {
			return err
		}
	}
	b.remember(it, &s)
	return nil
}

func (b *batch) appendV2(it *item, symbols []string) error {
	ts := it.v2
	n := len(ts.Samples) + len(ts.Histograms)
	if b.tooLarge(len(ts.LabelsRefs)/2, symbolBytes(ts.LabelsRefs, symbols), n) {
		return nil
	}
	ls, err := ts.ToLabels(&b.labels, symbols)
	if err != nil {
		b.refuseSeries(reasonSymbols, n, err)
		return nil
	}
	m, err := ts.ToMetadata(symbols)
	if err != nil {
		b.refuseSeries(reasonSymbols, n, err)
		return nil
	}
	s := series{labels: b.withTenant(ls)}
	s.opts.Metadata = m
	s.opts.Exemplars = b.exemplarsV2(ts.Exemplars, symbols)
	if n == 0 && len(ts.Exemplars) > 0 {
		b.alone = append(b.alone, lone{s.labels, s.opts.Exemplars})
		return nil
	}
	if n == 0 {
		b.quote(fmt.Errorf("series %s: neither samples nor histograms; send at least one", clip(s.labels.String())))
		b.refused++
		return nil
	}
	for _, p := range ts.Samples {
		if err := b.add(&s, p.StartTimestamp, p.Timestamp, p.Value, nil); err != nil {
			return err
		}
	}
	for _, hp := range ts.Histograms {
		if err := b.add(&s, hp.StartTimestamp, hp.Timestamp, 0, hp); err != nil {
			return err
		}
	}
	b.remember(it, &s)
	return nil
}

func (b *batch) exemplarsV2(in []writev2.Exemplar, symbols []string) []exemplar.Exemplar {
	out := make([]exemplar.Exemplar, 0, len(in))
	for _, e := range in {
		if symbolBytes(e.LabelsRefs, symbols) > exemplar.ExemplarMaxLabelSetLength*4 {
			b.refuseSeries("", 0, errors.New("an exemplar's labels are too long"))
			continue
		}
		ex, err := e.ToExemplar(&b.labels, symbols)
		if err != nil {
			b.refuseSeries("", 0, fmt.Errorf("exemplar: %w", err))
			continue
		}
		out = append(out, ex)
	}
	return out
}

// exemplarFits keeps labels out that Prometheus' exemplars could not hold.
func exemplarFits(e prompb.Exemplar) bool {
	size := 0
	for _, l := range e.Labels {
		size += len(l.Name) + len(l.Value)
	}
	return size <= exemplar.ExemplarMaxLabelSetLength*4
}

// series is one series being appended; exemplars and metadata go with its
// first sample that the store takes.
type series struct {
	labels labels.Labels
	ref    storage.SeriesRef
	opts   storage.AOptions
}

// add appends one sample. Refused samples are noted; the error is the store's.
func (b *batch) add(s *series, st, t int64, v float64, hp nativeHistogram) error {
	var err error
	switch {
	case hp == nil:
		s.ref, err = b.app.Append(s.ref, s.labels, st, t, v, nil, nil, s.opts)
	case hp.IsFloatHistogram():
		s.ref, err = b.app.Append(s.ref, s.labels, st, t, 0, nil, hp.ToFloatHistogram(), s.opts)
	default:
		s.ref, err = b.app.Append(s.ref, s.labels, st, t, 0, hp.ToIntHistogram(), nil, s.opts)
	}
	if err != nil {
		if stored, err := b.judge(err); !stored {
			return err
		}
	}
	b.written.Exemplars += len(s.opts.Exemplars)
	s.opts = storage.AOptions{}
	if hp == nil {
		b.written.Samples++
	} else {
		b.written.Histograms++
	}
	return nil
}

// judge tells an error about exemplars, whose sample was stored, from a
// refusal of the sample, which is quoted, and from an error of the store.
func (b *batch) judge(err error) (stored bool, fatal error) {
	var partial *storage.AppendPartialError
	var r refusal
	switch {
	case errors.As(err, &partial):
		b.written.Exemplars -= len(partial.ExemplarErrors) // old or doubled exemplars are no reason to complain
		return true, nil
	case errors.As(err, &r):
		b.refused++
		b.crowded = b.crowded || errors.Is(err, store.ErrSeriesLimit)
		b.quote(r)
		return false, nil
	}
	return false, err
}

func (b *batch) tooLarge(n, size, samples int) bool {
	if n <= maxSeriesLabels && size <= maxSeriesBytes {
		return false
	}
	b.refuseSeries(reasonBytes, samples, fmt.Errorf("a series has %d labels of %d bytes together, more than %d or %d; drop labels before sending", n, size, maxSeriesLabels, maxSeriesBytes))
	return true
}

// refuseSeries notes what never reached the admission, so it is counted here.
func (b *batch) refuseSeries(reason string, samples int, err error) {
	b.refused += max(samples, 1)
	b.quote(err)
	if b.deps.Counter != nil && samples > 0 {
		b.deps.Counter.Received(signal, b.protocol, samples)
		b.deps.Counter.Refused(signal, reason, samples)
	}
}

func (b *batch) quote(err error) {
	if len(b.messages) >= maxMessages {
		b.skipped++
		return
	}
	b.messages = append(b.messages, err.Error())
}

func (b *batch) refusals() error {
	again := "do not send them again"
	if b.crowded {
		again = "they may be sent again with the others"
	}
	text := fmt.Sprintf("%d refused, %d stored (%s):\n%s",
		b.refused, b.written.AllSamples(), again, strings.Join(b.messages, "\n"))
	if b.skipped > 0 {
		text += fmt.Sprintf("\n… and %d more", b.skipped)
	}
	return errors.New(text)
}

func (b *batch) withTenant(ls labels.Labels) labels.Labels {
	ls = numbers.Canonical(ls) // also what a known series is made of anew
	if b.tenant == "" {
		return ls
	}
	return labels.NewBuilder(ls).Set(tenantLabel, b.tenant).Labels()
}

func symbolBytes(refs []uint32, symbols []string) int {
	n := 0
	for _, r := range refs {
		if int(r) < len(symbols) {
			n += len(symbols[r])
		}
	}
	return n
}

func clip(s string) string {
	const most = 256
	if len(s) > most {
		s = s[:most] + "…"
	}
	return strings.ToValidUTF8(s, "�")
}

func metadataV1(m prompb.MetricMetadata) metadata.Metadata {
	return metadata.Metadata{Type: prommodel.MetricType(strings.ToLower(m.Type.String())), Help: m.Help, Unit: m.Unit}
}
