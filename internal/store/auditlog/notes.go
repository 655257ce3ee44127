package auditlog

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/model"
)

const (
	syncEvery = time.Second
	batchMost = 512
	// waitMost is how long a query waits for room in the queue before its entry counts as lost.
	waitMost = 20 * time.Millisecond
)

// notes is what became of entries that nobody waits for, and what was found.
type notes struct {
	mu     sync.Mutex
	lost   int64 // not yet said by an entry
	since  time.Time
	failed error
	found  []string // at the start
	fault  string   // by the last verification
	ever   int64    // lost since the start
}

type metrics struct {
	entries *prometheus.CounterVec
	lost    prometheus.Counter
	intact  prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer, waiting func() float64) (*metrics, error) {
	m := &metrics{
		entries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "signalbox_audit_entries_total", Help: "Entries of the audit log by outcome: synced before they were answered, queued and written within a second, failed.",
		}, []string{"outcome"}),
		lost: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "signalbox_audit_lost_total", Help: "Entries of queries that could not be written to the audit log; an entry audit.lost says how many, once it can be written.",
		}),
		intact: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "signalbox_audit_intact", Help: "1 if the audit log was as it was written when it was last verified, 0 if not.",
		}),
	}
	for _, o := range []string{"synced", "queued", "failed"} {
		m.entries.WithLabelValues(o)
	}
	m.intact.Set(1)
	queued := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "signalbox_audit_queue_entries", Help: "Entries that wait to be written to the audit log.",
	}, waiting)
	return m, instrument.Register(reg, "audit", m.entries, m.lost, m.intact, queued)
}

// Note takes an entry that nobody waits for: it is written at once and synced within a second. It waits shortly
// where too many came at once; what cannot be written counts as lost.
func (l *Log) Note(e model.AuditEntry) {
	if e.Time.IsZero() {
		e.Time = l.now().UTC()
	}
	select {
	case l.queue <- e:
		return
	default:
	}
	wait := time.NewTimer(waitMost)
	defer wait.Stop()
	select {
	case l.queue <- e:
	case <-wait.C:
		l.lose(1, errors.New("the queue is full"))
	}
}

func (l *Log) lose(n int, why error) {
	l.met.lost.Add(float64(n))
	l.notes.mu.Lock()
	defer l.notes.mu.Unlock()
	if l.notes.lost == 0 {
		l.notes.since = l.now().UTC()
		l.log.Error("entries of the audit log cannot be written", "err", why)
	}
	l.notes.lost += int64(n)
	l.notes.ever += int64(n)
	l.notes.failed = why
}

// Run writes what Note took, verifies the log once, packs and drops months that are over.
func (l *Log) Run(ctx context.Context) error {
	var background sync.WaitGroup
	defer background.Wait()
	background.Go(func() { l.maintain(ctx) })
	background.Go(func() { l.settleAlways(ctx) }) // beside writing, which no sync holds up
	for {
		select {
		case <-ctx.Done():
			return nil
		case e := <-l.queue:
			l.write(e)
		}
	}
}

func (l *Log) settleAlways(ctx context.Context) {
	tick := time.NewTicker(syncEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			l.settle()
		}
	}
}

// write writes an entry with all that wait behind it.
func (l *Log) write(first model.AuditEntry) {
	batch := append(make([]model.AuditEntry, 0, 16), first)
	for len(batch) < batchMost {
		select {
		case e := <-l.queue:
			batch = append(batch, e)
			continue
		default:
		}
		break
	}
	if err := l.append(batch); err != nil {
		l.lose(len(batch), l.explain(err))
		return
	}
	l.met.entries.WithLabelValues("queued").Add(float64(len(batch)))
}

// settle syncs what was written, and says what was lost once that is possible.
func (l *Log) settle() {
	l.notes.mu.Lock()
	lost, since, why := l.notes.lost, l.notes.since, l.notes.failed
	l.notes.mu.Unlock()
	if lost > 0 {
		err := l.append([]model.AuditEntry{{Actor: self, Action: actionLost, Details: map[string]string{
			"entries": strconv.FormatInt(lost, 10), "since": since.Format(time.RFC3339), "why": why.Error(),
		}}})
		if err == nil {
			l.notes.mu.Lock()
			l.notes.lost -= lost
			l.notes.mu.Unlock()
		}
	}
	l.mu.Lock()
	at := l.end
	l.mu.Unlock()
	if err := l.syncTo(at.ID); err != nil {
		l.log.Error("the audit log cannot be synced", "err", err)
	}
}

var errClosed = errors.New("the audit log is closed")

// Close writes what still waits and closes the files.
func (l *Log) Close() error {
	for len(l.queue) > 0 {
		l.write(<-l.queue)
	}
	l.settle()
	l.sync.mu.Lock()
	defer l.sync.mu.Unlock()
	l.sync.broken.Store(&errClosed)
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closeFiles()
}

// Problems is what is wrong with the log.
func (l *Log) Problems() (out []model.Problem) {
	l.notes.mu.Lock()
	defer l.notes.mu.Unlock()
	if n := l.notes.lost; n > 0 {
		out = append(out, model.Problem{
			Severity: "critical",
			Message:  fmt.Sprintf("%d queries since %s could not be written to the audit log: %v.", n, l.notes.since.Format(time.RFC3339), l.notes.failed),
			Cure:     "Make the log's folder writable or free space; an entry audit.lost will say how many are missing.",
		})
	} else if n := l.notes.ever; n > 0 {
		out = append(out, model.Problem{
			Severity: "warning",
			Message:  fmt.Sprintf("%d queries could not be written to the audit log since the start; entries audit.lost say when.", n),
			Cure:     "Look why in the log of Signalbox; a higher audit.queue helps against bursts. It is said until the next start.",
		})
	}
	if broken := l.sync.broken.Load(); broken != nil {
		out = append(out, model.Problem{
			Severity: "critical", Message: fmt.Sprintf("The audit log cannot be written: %v. Changes are refused.", *broken),
			Cure: "Check the disk and start again: after a failed sync only a start knows what the disk holds.",
		})
	}
	for _, f := range l.notes.found {
		out = append(out, model.Problem{
			Severity: "warning", Message: "Found in the audit log at the start: " + f + ".",
			Cure: "After a crash a torn end is usual. Otherwise find out who had access to the files; `signalbox audit verify` says what does not fit.",
		})
	}
	if l.notes.fault != "" {
		out = append(out, model.Problem{
			Severity: "critical", Message: fmt.Sprintf("The audit log was changed behind Signalbox' back: %s.", l.notes.fault),
			Cure: "Find out who had access to the files; `signalbox audit verify` names all that does not fit, and a backup has what was there.",
		})
	}
	return out
}
