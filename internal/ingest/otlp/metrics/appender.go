package metrics

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"

	"github.com/signalbox-project/signalbox/internal/ingest/otlp/common"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/stream"
)

// countingAppender stands between the converter, which gives up at the first
// error of a metric, and the store, which refuses samples one by one: a refused sample is
// counted and the rest goes on. It does not outlive one request.
type countingAppender struct {
	storage.AppenderV2
	taken     int              // samples that the store took
	points    map[uint64]int   // refused data points, by what their samples share
	again     map[uint64]int   // refused samples, by their series and time
	refused   []stream.Refusal // in data points
	samples   []stream.Refusal // in samples
	exemplars int              // exemplars that it refused
	fatal     error            // an error that ends the request
	times     map[int64]int64  // of samples taken: the newest of each targetInfoEvery
	collides  bool             // another sender writes one of the series
	tenant    string           // of the resource being appended; "" is the default
	senders   *senders         // who wrote which series; nil watches nobody
	crowded   error            // a sample was refused for being of a new series
	scratch   []byte
	seed      maphash.Seed
}

func newCountingAppender(app storage.AppenderV2) *countingAppender {
	return &countingAppender{AppenderV2: app, seed: maphash.MakeSeed(), times: map[int64]int64{}}
}

// Append implements storage.AppenderV2.
func (a *countingAppender) Append(ref storage.SeriesRef, ls labels.Labels, st, t int64, v float64, h *histogram.Histogram, fh *histogram.FloatHistogram, opts storage.AOptions) (storage.SeriesRef, error) {
	if a.fatal != nil {
		return 0, a.fatal
	}
	ls, opts.MetricFamilyName = a.ownTenant(keptLabels(withZero(ls, h))), kept(opts.MetricFamilyName)
	ref, err := a.AppenderV2.Append(ref, ls, st, t, v, h, fh, opts)
	var partial *storage.AppendPartialError
	switch {
	case err == nil:
		a.take(ls, st, t)
	case errors.As(err, &partial):
		a.take(ls, st, t)
		a.exemplars += len(partial.ExemplarErrors)
	case ends(err):
		a.fatal = err
		return 0, err
	default:
		a.refuse(ls, t, opts.MetricFamilyName, err)
	}
	return ref, nil
}

// ownTenant keeps an attribute of a data point from naming another tenant than the
// request does; it stays as Prometheus keeps what a scraped label hides.
func (a *countingAppender) ownTenant(ls labels.Labels) labels.Labels {
	if a.tenant == "" {
		return ls
	}
	said := ls.Get(common.TenantAttribute)
	if said == a.tenant {
		return ls
	}
	b := labels.NewBuilder(ls).Set(common.TenantAttribute, a.tenant)
	if said != "" {
		b.Set("exported_"+common.TenantAttribute, said)
	}
	return b.Labels()
}

func (a *countingAppender) take(ls labels.Labels, st, t int64) {
	a.taken++
	slot := t / targetInfoEvery
	if newest, ok := a.times[slot]; !ok || t > newest {
		a.times[slot] = t
	}
	a.collides = a.senders.see(ls, st) || a.collides
}

func (a *countingAppender) refuse(ls labels.Labels, t int64, family string, err error) {
	if errors.Is(err, store.ErrSeriesLimit) {
		a.crowded = err
	}
	reason, message := appendReason(err), ""
	if len(a.samples) < 4 {
		message = fmt.Sprintf("%s: %s", ls.Get(model.MetricNameLabel), err)
	}
	a.samples = common.Refuse(a.samples, reason, message, 1)
	var hash uint64
	hash, a.scratch = ls.HashWithoutLabels(a.scratch, labels.BucketLabel, "quantile")
	point := maphash.Comparable(a.seed, refusedAt{hash, t, family})
	sample := maphash.Comparable(a.seed, refusedAt{ls.Hash(), t, ""})
	if a.points == nil {
		a.points, a.again = map[uint64]int{}, map[uint64]int{}
	}
	// The samples of a histogram are one point; a second sample of the same series and time is of another.
	if a.again[sample]++; a.again[sample] > a.points[point] {
		a.points[point]++
		a.refused = common.Refuse(a.refused, reason, message, 1)
	}
}

// refusedAt is a sample, or all samples of a data point.
type refusedAt struct {
	hash   uint64
	t      int64
	family string
}

// ends reports errors that concern the whole request, not one sample.
func ends(err error) bool {
	return errors.Is(err, store.ErrOverloaded) || errors.Is(err, store.ErrReadOnly) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// reasoned is what the admission of samples may put into its errors.
type reasoned interface{ RefusalReason() string }

// appendReason is the counter's word for a refused sample.
func appendReason(err error) string {
	var r reasoned
	switch {
	case errors.As(err, &r):
		return r.RefusalReason()
	case errors.Is(err, storage.ErrTooOldSample), errors.Is(err, storage.ErrOutOfBounds):
		return "too_old"
	case errors.Is(err, storage.ErrOutOfOrderSample):
		return "out_of_order"
	case errors.Is(err, storage.ErrDuplicateSampleForTimestamp):
		return "duplicate"
	}
	return "invalid"
}
