// Package conservation keeps the conservation ledger: everything received was stored
// or refused for a named reason.
//
// It does not decide, store or refuse anything; intakes and stores report to it
// (stream.Counter). Data in: counts by signal, protocol and reason. Data out: the metrics
// signalbox_ledger_… and Snapshot, which /sb/v1/ledger answers.
//
// Invariants: counts only grow; for each signal received ≥ stored + refused as
// long as reporters call Received first, and both sides are equal whenever no request is
// being accounted. The mutex guards the maps only and is held for a few
// additions. Start reading at Snapshot.
package conservation

import (
	"cmp"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/instrument"
)

// Ledger implements stream.Counter. The zero value is not usable; see New.
type Ledger struct {
	mu      sync.Mutex
	signals map[string]*account
	last    time.Time // of Received

	received, stored, refused *prometheus.CounterVec
}

type account struct {
	received, stored uint64
	refused          map[string]uint64
}

// New registers the metrics; reg may be nil.
func New(reg prometheus.Registerer) (*Ledger, error) {
	l := &Ledger{
		signals: map[string]*account{},
		received: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "signalbox_ledger_received_total", Help: "Records (for metrics: samples) that reached an intake and could be decoded.",
		}, []string{"signal", "protocol"}),
		stored: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "signalbox_ledger_stored_total", Help: "Records that were made durable.",
		}, []string{"signal"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "signalbox_ledger_refused_total", Help: "Records that were not taken, by reason.",
		}, []string{"signal", "reason"}),
	}
	if err := instrument.Register(reg, "ledger", l.received, l.stored, l.refused); err != nil {
		return nil, err
	}
	return l, nil
}

// Received implements stream.Counter.
func (l *Ledger) Received(signal, protocol string, n int) {
	if n <= 0 {
		return
	}
	l.received.WithLabelValues(signal, protocol).Add(float64(n))
	l.mu.Lock()
	defer l.mu.Unlock()
	l.account(signal).received += uint64(n)
	l.last = time.Now()
}

// Last is when something was received last; zero where nothing was since the start.
func (l *Ledger) Last() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}

// Stored implements stream.Counter.
func (l *Ledger) Stored(signal string, n int) {
	if n <= 0 {
		return
	}
	l.stored.WithLabelValues(signal).Add(float64(n))
	l.mu.Lock()
	defer l.mu.Unlock()
	l.account(signal).stored += uint64(n)
}

// Refused implements stream.Counter.
func (l *Ledger) Refused(signal, reason string, n int) {
	if n <= 0 {
		return
	}
	l.refused.WithLabelValues(signal, reason).Add(float64(n))
	l.mu.Lock()
	defer l.mu.Unlock()
	l.account(signal).refused[reason] += uint64(n)
}

func (l *Ledger) account(signal string) *account {
	a := l.signals[signal]
	if a == nil {
		a = &account{refused: map[string]uint64{}}
		l.signals[signal] = a
	}
	return a
}

// Snapshot is the ledger at one moment.
type Snapshot struct {
	Signals []Signal `json:"signals"`
}

// Signal is one signal's books since the process started.
type Signal struct {
	Signal   string    `json:"signal" enum:"logs,spans,metrics"`
	Received uint64    `json:"received"`
	Stored   uint64    `json:"stored"`
	Refused  []Refused `json:"refused" doc:"by reason, most frequent first"`
	Balanced bool      `json:"balanced" doc:"received = stored + refused"`
}

// Refused is how many records one reason cost.
type Refused struct {
	Reason string `json:"reason"`
	Count  uint64 `json:"count"`
}

// readings bounds how often Snapshot looks again: a request that is being accounted just then
// is half written for microseconds, and that is no imbalance.
const readings = 100

// Snapshot reads the books. An imbalance that it reports lasted for many
// readings.
func (l *Ledger) Snapshot() Snapshot {
	var s Snapshot
	for range readings {
		s = l.read()
		if !slices.ContainsFunc(s.Signals, func(a Signal) bool { return !a.Balanced }) {
			return s
		}
		runtime.Gosched()
	}
	return s
}

func (l *Ledger) read() Snapshot {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := Snapshot{Signals: make([]Signal, 0, len(l.signals))}
	for name, a := range l.signals {
		out := Signal{Signal: name, Received: a.received, Stored: a.stored, Refused: make([]Refused, 0, len(a.refused))}
		sum := a.stored
		for reason, n := range a.refused {
			out.Refused = append(out.Refused, Refused{reason, n})
			sum += n
		}
		slices.SortFunc(out.Refused, func(x, y Refused) int {
			return cmp.Or(cmp.Compare(y.Count, x.Count), cmp.Compare(x.Reason, y.Reason))
		})
		out.Balanced = sum == a.received
		s.Signals = append(s.Signals, out)
	}
	slices.SortFunc(s.Signals, func(x, y Signal) int { return cmp.Compare(x.Signal, y.Signal) })
	return s
}
