// Package sent keeps what channels sent, so that messages are changed when their pages are, also after a restart.
//
// It sends nothing. In: what a channel needs to find a message again. Out: the same, until it is forgotten or is older than
// 30 days: services let nobody change messages for ever.
//
// Invariant: what is kept last is what counts; two writers at a time end with one of both. Start reading at Memory.
package sent

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/store"
)

const (
	kind    = "notify.sent"
	keep    = 30 * 24 * time.Hour
	cleaned = 100 // of those that are too old, at a time
	tries   = 5
)

// Memory is a notify.Memory in the state. Safe for concurrent use.
type Memory struct {
	docs store.DocumentStore
	now  func() time.Time
}

// New makes a Memory; now is nil for time.Now.
func New(docs store.DocumentStore, now func() time.Time) *Memory {
	if now == nil {
		now = time.Now
	}
	return &Memory{docs: docs, now: now}
}

// id is of any address and key, however long.
func id(to notify.Target, dedupKey string) string {
	b, _ := json.Marshal([]string{to.Channel, to.Address, dedupKey})
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// Recall implements notify.Memory.
func (m *Memory) Recall(ctx context.Context, to notify.Target, dedupKey string) (string, error) {
	d, err := m.docs.Document(ctx, kind, id(to, dedupKey))
	if errors.Is(err, store.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	var what string
	_ = json.Unmarshal(d.Body, &what) // damaged is as if forgotten: a new message is better than none
	return what, nil
}

// Remember implements notify.Memory.
func (m *Memory) Remember(ctx context.Context, to notify.Target, dedupKey, what string) error {
	body, err := json.Marshal(what)
	if err != nil {
		return err
	}
	for try := 0; ; try++ {
		d, err := m.docs.Document(ctx, kind, id(to, dedupKey))
		if errors.Is(err, store.ErrNotFound) {
			d, err = store.Document{Kind: kind, ID: id(to, dedupKey)}, nil
			if what == "" {
				return nil
			}
		}
		if err != nil {
			return err
		}
		d.Time, d.Body, d.Gone = m.now().UTC(), body, what == ""
		_, err = m.docs.SaveDocuments(ctx, d)
		if errors.Is(err, store.ErrChanged) && try < tries {
			continue
		}
		if err != nil {
			return err
		}
		return m.clean(ctx)
	}
}

// clean forgets what is too old.
func (m *Memory) clean(ctx context.Context) error {
	old, _, err := m.docs.Documents(ctx, store.DocumentQuery{Kind: kind, End: m.now().Add(-keep), Oldest: true, Limit: cleaned})
	if err != nil || len(old) == 0 {
		return err
	}
	for i := range old {
		old[i].Gone = true
	}
	if _, err = m.docs.SaveDocuments(ctx, old...); errors.Is(err, store.ErrChanged) {
		return nil // somebody else cleans, or uses one of them again
	}
	return err
}
