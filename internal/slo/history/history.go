package history

import (
	"sync"
	"time"

	"github.com/signalbox-project/signalbox/internal/slo/definition"
	"github.com/signalbox-project/signalbox/internal/slo/indicator"
	"github.com/signalbox-project/signalbox/internal/slo/ledger"
)

// History is what was counted of one SLO: minutes that add up, what is still to be read, and what corrections
// take out. One goroutine changes it; mu guards what readers see.
type History struct {
	mu     sync.Mutex
	def    *definition.Definition
	ledger *ledger.Ledger
	parts  []*History // of a composite, whose ledger stays empty
	recent
	reading
	seen
	corrected
	kept time.Time // when its ledger was stored
}

// recent is what lies at the edges of the ledger.
type recent struct {
	sealed    time.Time   // ledger slots are read up to here
	live      ledger.Cell // (sealed, liveTo]
	liveTo    time.Time
	tails     []tail
	firstHour firstHour
	birth     birth
}

// reading is how much of history is known, and what is still to be read.
type reading struct {
	loaded   time.Duration // how far back it was read without an error
	queue    []chunk       // newest first
	reads    int           // pieces that were read
	nextScan time.Time
	backoff  time.Duration
	retry    time.Duration // after the next error
	owed     bool          // what was to be read could not be, or is not known: all of it is read when the next scan is due
}

// seen is what was found out about what the queries select.
type seen struct {
	lastData  time.Time
	checked   time.Time     // when lastData was looked up
	checkedAt time.Duration // what was loaded then
	failing   time.Time     // since when queries fail
	err       error
	noGood    bool
	fault     *indicator.Fault // what was measured and cannot be
}

// New makes the history of an SLO of which nothing is known yet.
func New(d *definition.Definition) *History { return &History{def: d, ledger: ledger.New(d.Window)} }

// Follow takes another definition that measures the same.
func (h *History) Follow(d *definition.Definition) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.def = d
}

// Link makes it the history of a composite.
func (h *History) Link(parts []*History) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.parts = parts
}

// Composite reports whether it rests on the histories of others.
func (h *History) Composite() bool { return len(h.parts) > 0 }

// definition is the one in force, and what it is made of.
func (h *History) definition() (*definition.Definition, []*History) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.def, h.parts
}

// Known is what a judgement rests on, but for the clock. Where none of it changed there is nothing to judge anew: of
// thousands of SLOs few have new samples.
type Known struct {
	def              *definition.Definition
	bad, total       float64 // since the sealed minutes
	sealed, lastData time.Time
	loaded           time.Duration
	queued, reads    int
	failing, noGood  bool
	fault            bool
	corrections      *exclusion // the first of a list that is replaced when it changes
	corrected        int
}

// Known is what is known now.
func (h *History) Known() Known {
	k := Known{
		def: h.def, bad: h.live.Bad, total: h.live.Total, sealed: h.sealed, lastData: h.lastData, loaded: h.loaded, reads: h.reads,
		queued: len(h.queue), failing: !h.failing.IsZero(), noGood: h.noGood, fault: h.fault != nil, corrected: len(h.corrections),
	}
	if len(h.exclusions) > 0 {
		k.corrections = h.exclusions[0]
	}
	return k
}

// Begun reports whether anything was read.
func (h *History) Begun() bool { return !h.sealed.IsZero() }

// LastData is the time of the newest sample.
func (h *History) LastData() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.lastData
}

// Whole reports whether all of the window has been read.
func (h *History) Whole() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.loaded >= h.def.Window
}

// Note keeps track of failing queries, and reports whether this is the first of a row.
func (h *History) Note(err error, now time.Time) (first bool) {
	if err == nil {
		h.failing, h.err = time.Time{}, nil
		return false
	}
	if first = h.failing.IsZero(); first {
		h.failing = now
	}
	h.err = err
	return first
}
