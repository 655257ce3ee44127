package metrics

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"

	"github.com/signalbox-project/signalbox/internal/platform/memory"
	"github.com/signalbox-project/signalbox/internal/store"
)

const (
	// seriesShare is what of the memory limit active series may take, and bytesPerSeries
	// what one takes with its labels, index entries, open chunk and what intakes remember of it.
	seriesShare    = 0.45
	bytesPerSeries = 2048
	// No new series are taken while what lives after a garbage collection is more than
	// highWater of the limit, until it is less than lowWater.
	highWater = 0.75
	lowWater  = 0.70
	// lookEvery is how often the memory is looked at: a flood adds about 20,000 series meanwhile.
	lookEvery = 250 * time.Millisecond
)

// room is the store's part of the process's memory. Series that are active go on
// when it is full; new ones are refused.
type room struct {
	limit     int64 // of the whole process, 0: none is known
	sharing   int   // stores in it
	maxSeries uint64
	live      func() int64
	tight     atomic.Bool
	refused   prometheus.Counter
}

func newRoom(cfg Config, limit int64, sharing int) *room {
	r := &room{limit: limit, sharing: sharing, maxSeries: uint64(cfg.MaxSeries), live: memory.Live, refused: prometheus.NewCounter(prometheus.CounterOpts{
		Name: "signalbox_metrics_store_series_refused_total",
		Help: "Samples refused because their series would have been one too many for the memory.",
	})}
	if r.maxSeries == 0 && limit > 0 {
		r.maxSeries = uint64(seriesShare * float64(limit) / bytesPerSeries / float64(sharing))
	}
	return r
}

// Active is how many series are active.
func (s *Store) Active() uint64 { return s.db.Head().NumSeries() }

// look compares what lives with the limit.
func (r *room) look() {
	if r.limit <= 0 {
		return
	}
	switch used := float64(r.live()) / float64(r.limit); {
	case used > highWater:
		r.tight.Store(true)
	case used < lowWater:
		r.tight.Store(false)
	}
}

// crowded is why no new series may come while there are so many, or nil.
func (r *room) crowded(series uint64) error {
	if r.maxSeries > 0 && series >= r.maxSeries {
		return fmt.Errorf("%w: %d are active, the most that may be (metrics.max_series)", store.ErrSeriesLimit, series)
	}
	// Of several stores the one that has not used half of its share is not what fills the memory.
	if r.tight.Load() && (r.sharing == 1 || series > r.maxSeries/2) {
		return fmt.Errorf("%w: the process uses most of its memory (%d MiB)", store.ErrSeriesLimit, r.limit>>20)
	}
	return nil
}

// Append refuses samples of new series while there is no room for them. A reference is that of a series that is made.
func (a *appenderV2) Append(ref storage.SeriesRef, ls labels.Labels, st, t int64, v float64, h *histogram.Histogram, fh *histogram.FloatHistogram, opts storage.AOptions) (storage.SeriesRef, error) {
	if ref == 0 && !a.active(ls) {
		if err := a.s.room.crowded(a.s.db.Head().NumSeries()); err != nil && a.loud {
			a.s.room.refused.Inc()
			return 0, err
		}
		a.names.mu.Lock()
		defer a.names.mu.Unlock()
		a.s.names.make(a.s.db, &a.names, ls, t)
	}
	got, err := a.AppenderV2.Append(ref, ls, st, t, v, h, fh, opts)
	if err == nil || partial(err) {
		a.behind.see(t, ls)
	}
	return got, err
}

// partial reports whether the sample was stored and only exemplars were not.
func partial(err error) bool {
	var p *storage.AppendPartialError
	return errors.As(err, &p)
}

func (a *appenderV2) active(ls labels.Labels) bool {
	g, ok := a.AppenderV2.(storage.GetRef)
	if !ok {
		return false
	}
	ref, _ := g.GetRef(ls, ls.Hash())
	return ref != 0
}
