package metrics

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
)

// namer makes the series that are new in a batch, and writes their labels to the log no later than anybody's samples of
// them. The TSDB writes them when the batch that made a series ends, while another batch that found the series
// made may end before: at the next start its samples stand in the log before the labels, or without any, and are dropped.
type namer struct {
	mu sync.Mutex
	tx storage.AppenderV2 // has made series whose labels are not in the log; nil: there are none
}

// namers are those of open batches that have made series. Methods are safe for concurrent use. Lock order: namer.mu, then mu or making.
type namers struct {
	made atomic.Int64 // all series, ever
	turn sync.Mutex   // held while a batch is committed

	mu   sync.Mutex
	open map[*namer]bool

	// making is held while a series is made. The TSDB gives series their numbers before it lists them: of two that are made at once the
	// greater can be listed first, and is then moved in a list that queries read without a lock (tsdb/index MemPostings.addFor),
	// so that they miss a series or see one twice.
	making sync.Mutex
}

// make makes a series in the head. What is wrong with its labels or time, the batch hears when it appends the
// sample. The caller holds n.mu until then, so that the series is not collected as one without samples.
func (ns *namers) make(db *tsdb.DB, n *namer, ls labels.Labels, t int64) {
	if n.tx == nil {
		ns.mu.Lock()
		if ns.open == nil {
			ns.open = map[*namer]bool{}
		}
		ns.open[n] = true
		ns.mu.Unlock()
		n.tx = db.AppenderV2(context.Background())
	}
	ns.making.Lock()
	defer ns.making.Unlock()
	_, _ = n.tx.Append(0, ls, 0, t, 0, nil, nil, storage.AOptions{})
}

// write writes the labels of all series that are made so far to the log, also those that other batches made.
func (ns *namers) write() error {
	ns.mu.Lock()
	open := make([]*namer, 0, len(ns.open))
	for n := range ns.open {
		open = append(open, n)
	}
	ns.mu.Unlock()
	var err error
	for _, n := range open {
		err = errors.Join(err, ns.end(n))
	}
	return err
}

// end writes the labels of the series that a batch made; it may make more.
func (ns *namers) end(n *namer) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.tx == nil {
		return nil
	}
	tx := n.tx
	n.tx = nil
	err := tx.Rollback() // which keeps the series, and writes their labels
	// Only then: who finds it gone does not wait for the labels.
	ns.mu.Lock()
	delete(ns.open, n)
	ns.mu.Unlock()
	return err
}
