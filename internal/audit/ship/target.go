package ship

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/atomicfile"
	"github.com/signalbox-project/signalbox/internal/platform/outcall"
	"github.com/signalbox-project/signalbox/internal/platform/redact"
	"github.com/signalbox-project/signalbox/internal/store"
)

const (
	pollEvery   = time.Second
	batchMost   = 500
	batchBytes  = 1 << 20 // far below what receivers take at once
	backoffMost = 2 * time.Minute
	// retryAfterMost bounds what a receiver may ask for.
	retryAfterMost = 10 * time.Minute
	sendWithin     = 30 * time.Second
)

// entry is one entry with the line that proves it.
type entry struct {
	model.AuditEntry
	line []byte // {"prev":…,"hash":…,"entry":…}
	hash string
}

// sender speaks a receiver's language. It is used by one goroutine.
type sender interface {
	// send answers when the receiver has the batch, as far as the protocol can tell, and how many of it the receiver refused.
	send(ctx context.Context, batch []entry) (refused int64, err error)
	// confirms says whether the receiver itself does: otherwise what was sent last is sent again after a connection broke.
	confirms() bool
	close() error
}

// position is up to where a target has the log.
type position struct {
	ID   int64  `json:"id"`
	Hash string `json:"hash"`
}

// target is one receiver and how far it is.
type target struct {
	cfg  Target
	deps Deps
	log  *slog.Logger
	file string
	to   sender

	at, before position // before is where the last batch began
	moved      bool     // before is known
	looked     bool     // the position was read and compared with the log
	failed     int      // attempts in a row

	mu sync.Mutex
	st store.AuditTarget
	// waiting is the time of the oldest entry that was tried and is not there.
	waiting time.Time
}

func (t *target) run(ctx context.Context) {
	defer func() {
		if err := t.to.close(); err != nil {
			t.log.Debug("connection not closed", "err", err)
		}
	}()
	for {
		wait := time.NewTimer(t.round(ctx))
		select {
		case <-ctx.Done():
			wait.Stop()
			return
		case <-wait.C:
		}
	}
}

// round sends what there is, and answers how long to wait then.
func (t *target) round(ctx context.Context) time.Duration {
	for ctx.Err() == nil {
		if err := t.look(ctx); err != nil {
			return t.fail(ctx, err)
		}
		batch, err := t.next(ctx)
		if err != nil {
			return t.fail(ctx, err)
		}
		if len(batch) == 0 {
			break
		}
		if err := t.ship(ctx, batch); err != nil {
			return t.fail(ctx, err)
		}
	}
	t.settle(func(*store.AuditTarget) { t.waiting = time.Time{} })
	return pollEvery
}

func (t *target) ship(ctx context.Context, batch []entry) error {
	t.settle(func(*store.AuditTarget) { t.waiting = batch[0].Time })
	sending, cancel := context.WithTimeout(ctx, sendWithin)
	defer cancel()
	refused, err := t.to.send(sending, batch)
	if err != nil {
		return err
	}
	gap := batch[0].ID - t.at.ID - 1
	last := batch[len(batch)-1]
	if err := t.move(position{last.ID, last.hash}); err != nil {
		return err
	}
	if gap > 0 {
		t.log.Error("entries were not in the audit log any more when they were to be shipped", "from", batch[0].ID-gap, "to", batch[0].ID-1)
	}
	if refused > 0 {
		t.log.Error("the receiver refused entries of the audit log", "entries", refused, "from", batch[0].ID, "to", last.ID)
	}
	if t.failed > 0 {
		t.log.Info("the audit log reaches its target again", "after", t.failed)
	}
	t.failed = 0
	now := t.deps.Now().UTC()
	t.settle(func(st *store.AuditTarget) {
		st.Sent += int64(len(batch))
		st.Missed += max(0, gap)
		st.Refused += refused
		st.LastSuccess, st.LastError, st.RetryAt = &now, "", nil
	})
	return nil
}

// move keeps how far the target is, before more is sent.
func (t *target) move(to position) error {
	if err := t.keep(to); err != nil {
		return err
	}
	t.before, t.at, t.moved = t.at, to, true
	return nil
}

func (t *target) keep(p position) error {
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if err := atomicfile.WriteBytes(t.file, 0o640, append(text, '\n')); err != nil {
		return fmt.Errorf("how far it is cannot be kept: %w", err)
	}
	return nil
}

// fail says what went wrong and answers how long to wait: twice as long each time.
func (t *target) fail(ctx context.Context, err error) time.Duration {
	if ctx.Err() != nil {
		return 0
	}
	if !t.to.confirms() && t.moved && t.keep(t.before) == nil {
		t.at, t.moved = t.before, false // a receiver that died may have had the last batch in its buffers only
	}
	pause := min(pollEvery<<min(t.failed, 10), backoffMost)
	if status := (*outcall.StatusError)(nil); errors.As(err, &status) {
		pause = max(pause, min(status.After, retryAfterMost))
	}
	pause += time.Duration(rand.Int64N(int64(pause/5) + 1)) //nolint:gosec // spreads targets, keeps no secret
	if t.failed++; t.failed == 1 {
		t.log.Warn("the audit log cannot be shipped; it is tried again", "err", redact.Text(err.Error()))
	}
	again := t.deps.Now().UTC().Add(pause)
	t.settle(func(st *store.AuditTarget) {
		st.Failures++
		st.LastError, st.RetryAt = redact.Text(err.Error()), &again
	})
	return pause
}

// settle changes what the status shows.
func (t *target) settle(change func(*store.AuditTarget)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	change(&t.st)
	t.st.Shipped = t.at.ID
}

func (t *target) status() store.AuditTarget {
	t.mu.Lock()
	defer t.mu.Unlock()
	st := t.st
	st.Name, st.Kind, st.Address = t.cfg.Name, t.cfg.kind(), t.cfg.address()
	if t.looked {
		st.Waiting = max(0, t.deps.Log.Kept()-st.Shipped)
	}
	if !t.waiting.IsZero() {
		st.LagSeconds = max(0, t.deps.Now().Sub(t.waiting).Seconds())
	}
	return st
}

// next are the entries behind the position that are on the disk for sure: what a crash may take back is not sent.
func (t *target) next(ctx context.Context) (batch []entry, err error) {
	kept := t.deps.Log.Kept()
	if kept <= t.at.ID {
		return nil, nil
	}
	return t.read(ctx, store.AuditQuery{After: t.at.ID, Before: kept + 1}, batchMost)
}

var errEnough = errors.New("enough was read")

func (t *target) read(ctx context.Context, q store.AuditQuery, most int) (out []entry, err error) {
	size := 0
	q.Limit = most
	err = t.deps.Log.ExportAudit(ctx, q, func(line []byte, e model.AuditEntry) error {
		var l struct {
			Hash string `json:"hash"`
		}
		if err := json.Unmarshal(line, &l); err != nil {
			return fmt.Errorf("entry %d: %w", e.ID, err)
		}
		out = append(out, entry{e, line, l.Hash})
		if size += len(line); len(out) >= most || size >= batchBytes {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return out, err
}

// look reads the position once and compares it with the log: one of another log begins anew.
func (t *target) look(ctx context.Context) error {
	if t.looked {
		return nil
	}
	text, err := atomicfile.ReadAtMost(t.file, 1<<10)
	why := ""
	var at position
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return fmt.Errorf("how far it is cannot be read: %w", err)
	case json.Unmarshal(text, &at) != nil || at.ID < 0:
		why = "the record of how far it is cannot be read"
	default:
		if why, err = t.compare(ctx, at); err != nil {
			return err
		}
	}
	if why != "" {
		t.log.Error("the audit log is not the one that the target had been sent; all of it is sent again", "why", why)
		at = position{}
	}
	t.at = at
	t.settle(func(st *store.AuditTarget) { t.looked, st.Restarted = true, why })
	return nil
}

func (t *target) compare(ctx context.Context, at position) (why string, err error) {
	if kept := t.deps.Log.Kept(); at.ID > kept {
		return fmt.Sprintf("it has entry %d, the log ends with %d", at.ID, kept), nil
	}
	found, err := t.read(ctx, store.AuditQuery{After: at.ID - 1, Before: at.ID + 1}, 1)
	if err != nil || len(found) == 0 || at.Hash == "" || found[0].hash == "" {
		return "", err // retention let go of it
	}
	if found[0].hash != at.Hash {
		return fmt.Sprintf("it has another entry %d", at.ID), nil
	}
	return "", nil
}
