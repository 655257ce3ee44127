package router

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/provider"
	"github.com/prometheus/alertmanager/provider/mem"
	prommodel "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/notify/record"
)

// journal is Alertmanager's alert store with a memory of its own: Put returns
// after alerts that are new, or that ended, are on disk. Alertmanager relies on
// Prometheus to send everything again; here the sender may be the process that was killed.
//
// Puts that come while the file is being written wait for the one next write, together:
// no lock is held over the disk, and a thousand senders cost two writes, not a thousand.
type journal struct {
	*mem.Alerts
	file kept
	damp func(time.Time, []*alert.Alert) []*alert.Alert // may be nil

	puts    atomic.Uint64  // how often something was put
	writers sync.WaitGroup // the one that writes, if any

	mu      sync.Mutex
	known   map[prommodel.Fingerprint]bool // true while firing, as last written
	next    *round                         // what waits for the file; nil if nothing does
	writing bool
}

// round is one writing of the file; err counts once done is closed.
type round struct {
	done chan struct{}
	err  error
}

func newJournal(alerts *mem.Alerts, file kept, damp func(time.Time, []*alert.Alert) []*alert.Alert) *journal {
	return &journal{Alerts: alerts, file: file, damp: damp, known: map[prommodel.Fingerprint]bool{}}
}

var _ provider.Alerts = (*journal)(nil)

// Put stores alerts and keeps them.
func (j *journal) Put(ctx context.Context, alerts ...*alert.Alert) error {
	alerts = record.Harmless(alerts)
	if j.damp != nil {
		alerts = j.damp(time.Now(), alerts)
	}
	if err := j.Alerts.Put(ctx, alerts...); err != nil {
		return err
	}
	j.puts.Add(1)
	w := j.join(alerts, time.Now())
	if w == nil {
		return nil
	}
	select {
	case <-w.done:
		return w.err
	case <-ctx.Done():
		return fmt.Errorf("keep alerts: %w", ctx.Err())
	}
}

// join answers the round that will hold the alerts; nil if what is on disk says the same of them.
func (j *journal) join(alerts []*alert.Alert, now time.Time) *round {
	j.mu.Lock()
	defer j.mu.Unlock()
	changed := false
	for _, a := range alerts {
		firing, seen := j.known[a.Fingerprint()]
		changed = changed || !seen || firing != !a.ResolvedAt(now)
	}
	if !changed {
		return nil
	}
	if j.next == nil {
		j.next = &round{done: make(chan struct{})}
	}
	if !j.writing {
		j.writing = true
		j.writers.Go(j.write)
	}
	return j.next
}

// write writes until nobody waits.
func (j *journal) write() {
	for {
		j.mu.Lock()
		w := j.next
		j.next = nil
		if w == nil {
			j.writing = false
			j.mu.Unlock()
			return
		}
		j.mu.Unlock()
		w.err = j.save(time.Now())
		close(w.done)
	}
}

// save writes every alert there is.
func (j *journal) save(now time.Time) error {
	var all []*alert.Alert
	known := map[prommodel.Fingerprint]bool{}
	it := j.GetPending()
	for a := range it.Next() {
		all = append(all, a.Data)
		known[a.Data.Fingerprint()] = !a.Data.ResolvedAt(now)
	}
	it.Close()
	if err := it.Err(); err != nil {
		return fmt.Errorf("list alerts: %w", err)
	}
	text, err := json.Marshal(all)
	if err != nil {
		return fmt.Errorf("encode alerts: %w", err)
	}
	if err := j.file.save(func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	}, nil); err != nil {
		return fmt.Errorf("keep alerts: %w", err)
	}
	j.mu.Lock()
	j.known = known
	j.mu.Unlock()
	return nil
}

// Close ends the store after the file was written.
func (j *journal) Close() {
	j.writers.Wait()
	j.Alerts.Close()
}

// restore brings back the alerts of the run before. Firing ones fire on for grace,
// so that they do not end before their senders had time to raise them again.
func (j *journal) restore(ctx context.Context, text []byte, grace time.Duration) error {
	if text == nil {
		return nil
	}
	var all []*alert.Alert
	if err := json.Unmarshal(text, &all); err != nil {
		return fmt.Errorf("decode alerts: %w", err)
	}
	now := time.Now()
	written := now
	if info, err := os.Stat(j.file.Path); err == nil {
		written = info.ModTime()
	}
	keep := all[:0]
	for _, a := range all {
		if a == nil || a.Validate() != nil {
			continue
		}
		if !a.ResolvedAt(written) && a.EndsAt.Before(now.Add(grace)) {
			a.EndsAt, a.Timeout, a.UpdatedAt = now.Add(grace), true, now
		}
		keep = append(keep, a)
	}
	if err := j.Alerts.Put(ctx, record.Harmless(keep)...); err != nil {
		return fmt.Errorf("restore alerts: %w", err)
	}
	for _, a := range keep {
		j.known[a.Fingerprint()] = !a.ResolvedAt(now)
	}
	return nil
}
