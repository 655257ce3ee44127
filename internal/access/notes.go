package access

import (
	"context"
	"maps"
	"sync"
)

// Notes collect what the audit log is to say of a request: the text that was asked, how many rows it gave, what it
// cost. Safe for concurrent use.
type Notes struct {
	mu sync.Mutex
	m  map[string]string
}

// Note says something of the request of ctx; the last word on a key counts. Without a request it does nothing.
func Note(ctx context.Context, name, value string) {
	a := From(ctx)
	if a == nil || a.Notes == nil {
		return
	}
	a.Notes.mu.Lock()
	defer a.Notes.mu.Unlock()
	if a.Notes.m == nil {
		a.Notes.m = map[string]string{}
	}
	a.Notes.m[name] = value
}

// All is a copy of what was said.
func (n *Notes) All() map[string]string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return maps.Clone(n.m)
}

// The names of notes that the audit log knows.
const (
	NoteQuery = "query" // the text that was asked, as the caller wrote it
	NoteRows  = "rows"  // how many series, records, spans or rows were answered
	NoteCost  = "cost"  // how many samples, rows or bytes were read for it, with the unit
	// NoteUnmasked is the rules of masking that were lifted for the caller.
	NoteUnmasked = "unmasked"
	NoteAction   = "action" // what was done, where the endpoint does not say it

	NoteSubject = "subject" // to what, of an action on an endpoint that is open to all
)
