package router

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/provider"
	"github.com/prometheus/alertmanager/provider/mem"
	prommodel "github.com/prometheus/common/model"
)

// journal is Alertmanager's alert store with a memory of its own: Put returns
// after alerts that are new, or that ended, are on disk. Alertmanager relies on
// Prometheus to send everything again; here the sender may be the process that was killed.
type journal struct {
	*mem.Alerts
	path string
	log  *slog.Logger

	puts  atomic.Uint64 // how often something was put
	mu    sync.Mutex
	known map[prommodel.Fingerprint]bool // true while firing, as last written
}

func newJournal(alerts *mem.Alerts, path string, log *slog.Logger) *journal {
	return &journal{Alerts: alerts, path: path, log: log, known: map[prommodel.Fingerprint]bool{}}
}

var _ provider.Alerts = (*journal)(nil)

// Put stores alerts and keeps them.
func (j *journal) Put(ctx context.Context, alerts ...*alert.Alert) error {
	if err := j.Alerts.Put(ctx, alerts...); err != nil {
		return err
	}
	j.puts.Add(1)
	j.mu.Lock()
	defer j.mu.Unlock()
	now := time.Now()
	changed := false
	for _, a := range alerts {
		firing, seen := j.known[a.Fingerprint()]
		changed = changed || !seen || firing != !a.ResolvedAt(now)
	}
	if !changed {
		return nil
	}
	return j.save(now)
}

// save writes every alert there is; j.mu is held.
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
	if err := writeFile(j.path, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	}); err != nil {
		return fmt.Errorf("keep alerts: %w", err)
	}
	j.known = known
	return nil
}

// load brings back the alerts of the run before. Firing ones fire on for grace,
// so that they do not end before their senders had time to raise them again.
func (j *journal) load(ctx context.Context, grace time.Duration) error {
	text, err := os.ReadFile(j.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read alerts: %w", err)
	}
	var all []*alert.Alert
	if err := json.Unmarshal(text, &all); err != nil {
		return setAside(j.log, j.path, err)
	}
	info, err := os.Stat(j.path)
	if err != nil {
		return fmt.Errorf("read alerts: %w", err)
	}
	now := time.Now()
	keep := all[:0]
	for _, a := range all {
		if a == nil || a.Validate() != nil {
			continue
		}
		if !a.ResolvedAt(info.ModTime()) && a.EndsAt.Before(now.Add(grace)) {
			a.EndsAt, a.Timeout, a.UpdatedAt = now.Add(grace), true, now
		}
		keep = append(keep, a)
	}
	if err := j.Alerts.Put(ctx, keep...); err != nil {
		return fmt.Errorf("restore alerts: %w", err)
	}
	for _, a := range keep {
		j.known[a.Fingerprint()] = !a.ResolvedAt(now)
	}
	return nil
}
