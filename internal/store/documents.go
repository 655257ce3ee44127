package store

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// ErrChanged is returned for a change of something that somebody else changed first. Read it again, and decide anew.
var ErrChanged = errors.New("changed meanwhile")

// Document is one thing that is kept and changed: an incident, somebody's contact, an override of a schedule. What
// is in it, the room that owns the kind knows.
type Document struct {
	Kind string // whose it is, such as "incident"
	ID   string // unique among its kind
	// Version counts the changes, from 1. In a change it is the one that was read, 0 for a document that is not there yet.
	Version int64
	Status  string    // what lists select by, such as "open"
	Time    time.Time // what lists are ordered by; when it began, for most kinds
	Body    json.RawMessage
	// Gone asks SaveDocuments to forget the document.
	Gone bool
}

// DocumentQuery selects documents of one kind by their Time. Before is the cursor that the page before answered.
type DocumentQuery struct {
	Kind       string
	Prefix     string // of the ID
	Status     string
	Start, End time.Time
	Oldest     bool // first; otherwise the newest
	Before     string
	Limit      int
}

// DocumentStore keeps documents.
type DocumentStore interface {
	// SaveDocuments stores documents, all or none, and answers them with their new versions. ErrChanged says that one has not
	// the version that is given, so that nobody writes over what somebody else decided.
	SaveDocuments(context.Context, ...Document) ([]Document, error)
	// Document is one; ErrNotFound when there is none.
	Document(ctx context.Context, kind, id string) (Document, error)
	// Documents lists them by Time, ties by ID. next is the cursor of the following page, "" at the end: following it
	// shows each document once, whatever is added meanwhile.
	Documents(context.Context, DocumentQuery) (_ []Document, next string, _ error)
}
