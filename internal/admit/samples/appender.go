package samples

import (
	"errors"
	"fmt"
	"slices"
	"time"

	prommodel "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/numbers"
)

// Reasons for which whole batches are lost; those of single samples are in
// refusal.go.
const (
	ReasonReadOnly   = "read_only"
	ReasonStorage    = "storage_error"
	ReasonRolledBack = "rolled_back"
)

type appender struct {
	a          *Admission
	scope      access.Scope // of whoever sends
	next       storage.AppenderV2
	protocol   string
	now        time.Time
	minT, maxT int64 // Unix ms

	received, accepted int
	refused            map[string]int
	seen               *batchTimes
	past               *storedTimes // nil: no sample was late
}

// Append admits one sample. A *RefusalError means that this sample alone was
// refused; any other error is the store's and the batch should be rolled back.
func (ap *appender) Append(ref storage.SeriesRef, ls labels.Labels, st, t int64, v float64, h *histogram.Histogram, fh *histogram.FloatHistogram, opts storage.AOptions) (storage.SeriesRef, error) {
	ap.received++
	// Of a known series too: a store that has forgotten it makes it anew of its labels.
	ls = ap.a.deps.Identifiers.Labels(numbers.Canonical(ls))
	ap.hashExemplars(&opts)
	if !ap.scope.All { // also of a known series: it may be known to another sender
		var r *RefusalError
		if ls, r = ap.place(ls); r != nil {
			return ref, ap.refuse(r)
		}
	}
	if r := ap.check(ref, ls, t); r != nil {
		return ref, ap.refuse(r)
	}
	if err := reduceResolution(h, fh); err != nil {
		return ref, ap.refuse(storeRefusal(err, ls, t, ap))
	}
	late := ap.timelyExemplars(&opts)
	got, err := ap.put(ref, ls, st, t, v, h, fh, opts)
	if err != nil && !isPartial(err) {
		if r := storeRefusal(err, ls, t, ap); r != nil {
			return ref, ap.refuse(r)
		}
		ap.count("storage_error")
		return ref, err
	}
	ap.accepted++
	if !opts.Metadata.IsEmpty() {
		ap.a.Learn(family(ls, opts), opts.Metadata)
	}
	return got, withExemplars(err, late)
}

func (ap *appender) hashExemplars(opts *storage.AOptions) {
	ids := ap.a.deps.Identifiers
	if ids.None() || len(opts.Exemplars) == 0 {
		return
	}
	opts.Exemplars = slices.Clone(opts.Exemplars) // the sender's stay what they are
	for i := range opts.Exemplars {
		opts.Exemplars[i].Labels = ids.Labels(opts.Exemplars[i].Labels)
	}
}

// timelyExemplars removes exemplars from the future: the store takes a series' exemplars in
// the order of their times, so that one would keep out all that follow.
func (ap *appender) timelyExemplars(opts *storage.AOptions) (late []error) {
	if !slices.ContainsFunc(opts.Exemplars, ap.ahead) {
		return nil
	}
	kept := make([]exemplar.Exemplar, 0, len(opts.Exemplars))
	for _, e := range opts.Exemplars {
		if ap.ahead(e) {
			late = append(late, fmt.Errorf("the exemplar's time %s is ahead of this server's clock", stamp(e.Ts)))
			continue
		}
		kept = append(kept, e)
	}
	opts.Exemplars = kept
	return late
}

func (ap *appender) ahead(e exemplar.Exemplar) bool { return e.HasTs && e.Ts > ap.maxT }

// withExemplars adds exemplars that were left out to what the store said of a sample that it took.
func withExemplars(err error, late []error) error {
	var partial *storage.AppendPartialError
	switch {
	case len(late) == 0:
		return err
	case errors.As(err, &partial):
		late = append(late, partial.ExemplarErrors...)
	}
	return &storage.AppendPartialError{ExemplarErrors: late}
}

// isPartial reports whether the sample was stored and only exemplars were not.
func isPartial(err error) bool {
	var partial *storage.AppendPartialError
	return errors.As(err, &partial)
}

func (ap *appender) check(ref storage.SeriesRef, ls labels.Labels, t int64) *RefusalError {
	if ref == 0 { // a known series was checked when it was new
		if r := ap.a.checkLabels(ls); r != nil {
			return r
		}
	}
	if t > ap.maxT {
		return newRefusal(ReasonFuture, ls,
			fmt.Sprintf("the sample's time %s is %s ahead of this server's clock, more than %s", stamp(t), ago(t-ap.now.UnixMilli()), ap.a.cfg.MaxFuture),
			"set the sender's clock (NTP), or check that timestamps are Unix milliseconds")
	}
	if t < ap.minT {
		return newRefusal(ReasonTooOld, ls,
			fmt.Sprintf("the sample's time %s is older than the retention of %s", stamp(t), prommodel.Duration(ap.a.deps.Retention)),
			"send newer samples or raise the metrics retention; check that timestamps are Unix milliseconds")
	}
	return nil
}

// place gives a series the namespace of its sender, or refuses it.
func (ap *appender) place(ls labels.Labels) (labels.Labels, *RefusalError) {
	said := ls.Get(access.NamespaceLabel)
	namespace, ok := ap.scope.Place(said)
	switch {
	case !ok:
		return ls, newRefusal(access.ReasonNamespace, ls, ap.scope.RefusedSending(said), "set the label "+access.NamespaceLabel+" to one of these, or send with a token of that namespace")
	case said == "":
		ls = labels.NewBuilder(ls).Set(access.NamespaceLabel, namespace).Labels()
	}
	return ls, nil
}

func (ap *appender) refuse(r *RefusalError) error {
	ap.count(r.Reason)
	return r
}

func (ap *appender) count(reason string) {
	if ap.refused == nil {
		ap.refused = map[string]int{}
	}
	ap.refused[reason]++
}

// Commit stores what was accepted and reports the counts.
func (ap *appender) Commit() error {
	ap.forget()
	err := ap.next.Commit()
	switch {
	case err == nil:
		if ap.accepted > 0 {
			ap.a.deps.Counter.Stored(Signal, ap.accepted)
		}
		ap.report("")
	case errors.Is(err, store.ErrReadOnly):
		ap.report(ReasonReadOnly)
	default:
		ap.report(ReasonStorage)
	}
	return err
}

// Rollback drops the batch; what had been accepted counts as refused.
func (ap *appender) Rollback() error {
	ap.forget()
	ap.report(ReasonRolledBack)
	return ap.next.Rollback()
}

func (ap *appender) report(lost string) {
	c := ap.a.deps.Counter
	if ap.received > 0 {
		c.Received(Signal, ap.protocol, ap.received)
	}
	for reason, n := range ap.refused {
		c.Refused(Signal, reason, n)
	}
	if lost != "" && ap.accepted > 0 {
		c.Refused(Signal, lost, ap.accepted)
	}
	ap.received, ap.accepted, ap.refused = 0, 0, nil
	if ap.seen != nil {
		ap.a.seen.Put(ap.seen)
		ap.seen = nil
	}
}

// reduceResolution brings exponential histograms with finer buckets than the
// store knows to its finest, as Prometheus' own intake does.
func reduceResolution(h *histogram.Histogram, fh *histogram.FloatHistogram) error {
	if h != nil && histogram.IsExponentialSchemaReserved(h.Schema) && h.Schema > histogram.ExponentialSchemaMax {
		return h.ReduceResolution(histogram.ExponentialSchemaMax)
	}
	if fh != nil && histogram.IsExponentialSchemaReserved(fh.Schema) && fh.Schema > histogram.ExponentialSchemaMax {
		return fh.ReduceResolution(histogram.ExponentialSchemaMax)
	}
	return nil
}
