// Package retention reads a storage folder and says of everything in it how old the oldest is, and whether something is
// there that should be gone.
//
// It deletes nothing, and asks no store: it reads the files that stores write, so that it finds what a store has forgotten. In: the
// folder of a tenant and how long each thing is to be kept there. Out: a Row for each kind of thing.
//
// Invariants: nothing is written; a server may use the folder meanwhile; what cannot be read is a Row that says so, and is
// no proof of anything. Start reading at Look.
package retention

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"
)

// Keep is how long things of a tenant are kept; Dir is its folder.
type Keep struct {
	Tenant                     string
	Dir                        string
	Metrics, Logs, Spans, Days time.Duration
	Audit                      time.Duration
	// Abandoned says that no server serves the tenant: nobody deletes what is over.
	Abandoned bool
}

// Row is what was found of one kind of thing.
type Row struct {
	Tenant string    `json:"tenant"`
	What   string    `json:"what"`
	Count  int       `json:"count"`
	Unit   string    `json:"unit"` // of Count: what is deleted as a whole
	Oldest time.Time `json:"oldest,omitzero"`
	// Keep is the retention in seconds; 0 is for good.
	Keep float64 `json:"keep_seconds"`
	// Late is how many of Count should be gone: the newest in them is older than Keep, and than what the server takes to
	// delete it.
	Late int `json:"late"`
	// Cure says what to do about what is late or could not be read.
	Cure  string `json:"cure,omitempty"`
	Error string `json:"error,omitempty"`
}

// Proven says that nothing of a row is there that should be gone.
func (r Row) Proven() bool { return r.Late == 0 && r.Error == "" }

const (
	// grace is what a running server takes at most to delete what is over: it looks every minute, and waits for queries.
	grace = 15 * time.Minute
	// dayGrace is the same for what is looked at with the reports, and for months of the audit log.
	dayGrace = 2 * 24 * time.Hour

	startCure = "Start the server on this folder: it deletes what is over within minutes. If it runs, its log says why it does not."
)

// span is one thing that is deleted as a whole: from its oldest to its newest row.
type span struct{ oldest, newest time.Time }

// found is what a reader says of a kind of thing.
type found struct {
	what, unit, cure string
	keep, grace      time.Duration
	spans            []span
	err              error
}

// Look reads the folder of a tenant.
func Look(ctx context.Context, k Keep, now time.Time) []Row {
	all := []found{blocks(k), samples(k, "metrics: log", "wal"), samples(k, "metrics: log of late samples", "wbl")}
	all = append(all, parts(k)...)
	all = append(all, audit(k), deadLetters(k), setAside(k))
	all = append(all, stateRows(ctx, k)...)
	var out []Row
	for _, f := range all {
		if errors.Is(f.err, fs.ErrNotExist) {
			f.err = nil // nothing of it was ever stored
		}
		r := f.row(k.Tenant, now)
		if r.Late > 0 && k.Abandoned {
			r.Cure = fmt.Sprintf("The configuration names no tenant %s: name it again, or delete %s.", k.Tenant, k.Dir)
		}
		out = append(out, r)
	}
	return out
}

func (f found) row(tenant string, now time.Time) Row {
	r := Row{Tenant: tenant, What: f.what, Unit: f.unit, Count: len(f.spans), Keep: f.keep.Seconds()}
	for _, s := range f.spans {
		if r.Oldest.IsZero() || s.oldest.Before(r.Oldest) {
			r.Oldest = s.oldest.UTC()
		}
		if f.keep > 0 && now.Sub(s.newest) > f.keep+f.grace {
			r.Late++
		}
	}
	if f.err != nil {
		r.Error = f.err.Error()
		r.Cure = "Run it as the user of the server; a damaged file is named by the server, too."
	}
	if r.Late > 0 {
		r.Cure = f.cure
	}
	return r
}

func millis(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

func nanos(ns int64) time.Time { return time.Unix(0, ns).UTC() }

func unreadable(path string, err error) error { return fmt.Errorf("%s: %w", path, err) }
