package samples

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	prommodel "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"

	"github.com/signalbox-project/signalbox/internal/store"
)

// The reasons for which one sample is refused: a closed set, for counters.
const (
	ReasonNoName       = "missing_metric_name"
	ReasonEmptyName    = "empty_label_name"
	ReasonUTF8         = "invalid_utf8"
	ReasonDuplicate    = "duplicate_label"
	ReasonLabelCount   = "too_many_labels"
	ReasonNameLength   = "label_name_too_long"
	ReasonValueLength  = "label_value_too_long"
	ReasonFuture       = "timestamp_in_future"
	ReasonTooOld       = "timestamp_too_old"
	ReasonOutOfOrder   = "out_of_order"
	ReasonSameTime     = "duplicate_timestamp"
	ReasonBadHistogram = "invalid_histogram"
	ReasonSeriesLimit  = "series_limit"
)

// maxSeriesText bounds how much of a series a message quotes.
const maxSeriesText = 256

// RefusalError says why one sample may not enter and what to do about it. It
// unwraps to storage.ErrOutOfBounds or to the store's own error, so that Prometheus' scrape loop
// and OTLP handler skip the sample instead of giving up the batch.
type RefusalError struct {
	Reason string
	Series string
	Detail string
	Cure   string
	cause  error
}

func (r *RefusalError) Error() string {
	return fmt.Sprintf("series %s: %s; %s", r.Series, r.Detail, r.Cure)
}

func (r *RefusalError) Unwrap() error { return r.cause }

// RefusalReason is Reason, for intakes that know refusals only by this method.
func (r *RefusalError) RefusalReason() string { return r.Reason }

func newRefusal(reason string, ls labels.Labels, detail, cure string) *RefusalError {
	return &RefusalError{Reason: reason, Series: seriesText(ls), Detail: detail, Cure: cure, cause: storage.ErrOutOfBounds}
}

// storeRefusal explains the store's refusal of one sample; nil means that err is
// not about the sample.
func storeRefusal(err error, ls labels.Labels, t int64, ap *appender) *RefusalError {
	var bad histogram.Error
	var r *RefusalError
	switch {
	case errors.Is(err, storage.ErrTooOldSample), errors.Is(err, storage.ErrOutOfBounds), errors.Is(err, storage.ErrOutOfOrderSample):
		r = newRefusal(ReasonOutOfOrder, ls,
			fmt.Sprintf("the sample's time %s is further behind the newest sample than the out-of-order window of %s", stamp(t), prommodel.Duration(ap.a.deps.OutOfOrderWindow)),
			"send samples sooner or raise out_of_order_window")
	case errors.Is(err, storage.ErrDuplicateSampleForTimestamp):
		r = newRefusal(ReasonSameTime, ls,
			fmt.Sprintf("another value is already stored for the time %s", stamp(t)),
			"give each sender a label of its own (instance), or send each time once")
	case errors.As(err, &bad):
		r = newRefusal(ReasonBadHistogram, ls, "invalid native histogram: "+err.Error(), "correct the sender's histogram")
	case errors.Is(err, store.ErrSeriesLimit):
		r = newRefusal(ReasonSeriesLimit, ls, err.Error(),
			"send fewer distinct label values (/api/v1/status/tsdb shows the worst), raise metrics.max_series, or give the process more memory")
	default:
		return nil
	}
	r.cause = err
	if !errors.Is(err, storage.ErrOutOfOrderSample) && !errors.Is(err, storage.ErrDuplicateSampleForTimestamp) {
		// A scrape loses one sample for the errors that it knows, and all of them for any other. What the cause is, stays
		// to be seen: pushed samples of too many series may be sent again.
		r.cause = errors.Join(err, storage.ErrOutOfBounds)
	}
	return r
}

func (a *Admission) checkLabels(ls labels.Labels) *RefusalError {
	if n := ls.Len(); n > a.cfg.MaxLabels {
		return newRefusal(ReasonLabelCount, ls, fmt.Sprintf("%d labels, more than %d", n, a.cfg.MaxLabels),
			"drop labels with relabelling or raise max_labels_per_series")
	}
	var bad *RefusalError
	named := false
	ls.Range(func(l labels.Label) {
		named = named || (l.Name == prommodel.MetricNameLabel && l.Value != "")
		if bad == nil {
			bad = a.checkLabel(ls, l)
		}
	})
	switch {
	case bad != nil:
		return bad
	case !named:
		return newRefusal(ReasonNoName, ls, "no metric name", "set the label __name__")
	}
	if name, twice := ls.HasDuplicateLabelNames(); twice {
		return newRefusal(ReasonDuplicate, ls, fmt.Sprintf("label %q stands twice", name), "send each label once")
	}
	return nil
}

func (a *Admission) checkLabel(ls labels.Labels, l labels.Label) *RefusalError {
	switch {
	case l.Name == "":
		return newRefusal(ReasonEmptyName, ls, "a label has no name", "name every label")
	case len(l.Name) > a.cfg.MaxLabelNameBytes:
		return newRefusal(ReasonNameLength, ls, fmt.Sprintf("label name %s has %d bytes, more than %d", quote(l.Name), len(l.Name), a.cfg.MaxLabelNameBytes),
			"shorten the name or raise max_label_name_bytes")
	case len(l.Value) > a.cfg.MaxLabelValueBytes:
		return newRefusal(ReasonValueLength, ls, fmt.Sprintf("label %s has a value of %d bytes, more than %d", quote(l.Name), len(l.Value), a.cfg.MaxLabelValueBytes),
			"shorten the value, drop the label with relabelling, or raise max_label_value_bytes")
	case !utf8.ValidString(l.Name), !utf8.ValidString(l.Value):
		return newRefusal(ReasonUTF8, ls, fmt.Sprintf("label %s is not valid UTF-8: %s", quote(l.Name), quote(l.Value)), "encode names and values as UTF-8")
	}
	return nil
}

// seriesText is the series as PromQL writes it, valid UTF-8 and short; it
// never builds the text of a huge label.
func seriesText(ls labels.Labels) string {
	var b strings.Builder
	b.WriteString(clip(ls.Get(prommodel.MetricNameLabel), maxSeriesText/2))
	b.WriteByte('{')
	n := 0
	ls.Range(func(l labels.Label) {
		if l.Name == prommodel.MetricNameLabel || b.Len() > maxSeriesText {
			return
		}
		if n++; n > 1 {
			b.WriteByte(',')
		}
		b.WriteString(clip(l.Name, maxSeriesText/4) + "=" + strconv.Quote(clip(l.Value, maxSeriesText/4)))
	})
	if b.Len() > maxSeriesText {
		b.WriteString(",…")
	}
	b.WriteByte('}')
	return b.String()
}

func quote(s string) string { return strconv.Quote(clip(s, maxSeriesText/4)) }

func clip(s string, n int) string {
	if len(s) > n {
		s = s[:n] + "…"
	}
	return strings.ToValidUTF8(s, "�")
}

func stamp(ms int64) string {
	t := time.UnixMilli(ms).UTC()
	if y := t.Year(); y < 1 || y > 9999 {
		return strconv.FormatInt(ms, 10) + " ms"
	}
	return t.Format(time.RFC3339)
}

func ago(ms int64) string {
	const century = 100 * 365 * 24 * 3600 * 1000
	if ms > century || ms < 0 {
		return "centuries"
	}
	return prommodel.Duration(time.Duration(ms/1000) * time.Second).String()
}
