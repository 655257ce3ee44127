package scrape

import (
	"context"
	"strings"
	"sync"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	promscrape "github.com/prometheus/prometheus/scrape"
	"github.com/prometheus/prometheus/storage"

	"github.com/signalbox-project/signalbox/internal/stream"
)

// The reasons for which samples of an exposition never reach the admission.
const (
	// ReasonRelabelled is that metric_relabel_configs dropped the sample.
	ReasonRelabelled = "relabelled"
	// ReasonTwiceOrAhead is that the exposition has the series twice without times, or a time more than ten minutes
	// ahead; prometheus_target_scrapes_sample_duplicate_timestamp_total and …_out_of_bounds_total tell these apart.
	ReasonTwiceOrAhead = "series_twice_or_ahead"
	// ReasonScrapeFailed is that nothing of the exposition was taken: a limit of the job, or a text that breaks off.
	ReasonScrapeFailed = "scrape_failed"
)

// counting stands before the admission and counts what Prometheus' scrape loop keeps from it. The loop says with every
// scrape how many samples it read and how many passed relabelling; what did not come by was dropped.
type counting struct {
	next    storage.AppendableV2
	counter stream.Counter // may be nil

	mu sync.Mutex
	// failed are scrapes that were rolled back and are not yet reported on, with the number of samples that came by.
	failed map[*promscrape.Target]int
}

func (c *counting) AppenderV2(ctx context.Context) storage.AppenderV2 {
	target, _ := promscrape.TargetFromContext(ctx)
	return &countingAppender{AppenderV2: c.next.AppenderV2(ctx), c: c, target: target}
}

// take forgets a failed scrape of a target.
func (c *counting) take(target *promscrape.Target) (came int, failed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	came, failed = c.failed[target]
	delete(c.failed, target)
	return came, failed
}

// countingAppender sees one scrape, or of a failed one first the attempt and then the report.
type countingAppender struct {
	storage.AppenderV2
	c      *counting
	target *promscrape.Target

	came     int  // samples of the exposition
	read     int  // that the loop says it read
	reported bool // the loop has said all
}

// The loop's own samples carry a family name that ends with a byte which no metric has.
const ownMark = "\xff"

func (a *countingAppender) Append(ref storage.SeriesRef, ls labels.Labels, st, t int64, v float64, h *histogram.Histogram, fh *histogram.FloatHistogram, opts storage.AOptions) (storage.SeriesRef, error) {
	name, own := strings.CutSuffix(opts.MetricFamilyName, ownMark)
	switch {
	case own:
		opts.MetricFamilyName = name
		if !opts.RejectOutOfOrder { // no mark of an end
			a.report(name, int(v))
		}
	case !opts.RejectOutOfOrder:
		a.came++
	}
	return a.AppenderV2.Append(ref, ls, st, t, v, h, fh, opts)
}

func (a *countingAppender) report(name string, n int) {
	switch name {
	case "scrape_samples_scraped":
		a.read = n
	case "scrape_samples_post_metric_relabeling":
		a.reported = true
		came, failed := a.c.take(a.target)
		if failed {
			a.lost(ReasonScrapeFailed, a.read-came)
			return
		}
		a.lost(ReasonRelabelled, a.read-n)
		a.lost(ReasonTwiceOrAhead, n-a.came)
	}
}

func (a *countingAppender) lost(reason string, n int) {
	if n > 0 && a.c.counter != nil {
		a.c.counter.Received(stream.SignalMetrics, "scrape", n)
		a.c.counter.Refused(stream.SignalMetrics, reason, n)
	}
}

func (a *countingAppender) Rollback() error {
	if !a.reported {
		a.c.mu.Lock()
		if came, failed := a.c.failed[a.target]; !failed || came < a.came { // marks of ends can fail after the scrape has
			a.c.failed[a.target] = a.came
		}
		a.c.mu.Unlock()
	}
	return a.AppenderV2.Rollback()
}
