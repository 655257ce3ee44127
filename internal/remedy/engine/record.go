package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Kinds of documents.
const (
	kindRun    = "remediation"
	kindStop   = "remediation-stop"
	kindAlert  = "remediation-alert"
	statusOpen = "open"
	statusDone = "done"
	pageOf     = 500
	// mostRuns bounds what is looked at once; limits are far below it.
	mostRuns = 20_000
)

// AuditIndex is the word by which a search of logs finds what remedies did.
const AuditIndex = "operations.audit"

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func (e *Engine) loadOpen(ctx context.Context) ([]*kept, error) {
	return e.load(ctx, store.DocumentQuery{Kind: kindRun, Status: statusOpen, Oldest: true})
}

func (e *Engine) between(ctx context.Context, from time.Time) (out []Run, err error) {
	list, err := e.load(ctx, store.DocumentQuery{Kind: kindRun, Start: from})
	for _, k := range list {
		out = append(out, k.Run)
	}
	return out, err
}

func (e *Engine) load(ctx context.Context, q store.DocumentQuery) (out []*kept, err error) {
	for q.Limit = pageOf; len(out) < mostRuns; {
		docs, next, err := e.deps.Documents.Documents(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("runs of remedies: %w", err)
		}
		for _, d := range docs {
			k, err := decode(d)
			if err != nil {
				return nil, err
			}
			out = append(out, k)
		}
		if q.Before = next; next == "" {
			break
		}
	}
	return out, nil
}

func decode(d store.Document) (*kept, error) {
	k := &kept{version: d.Version}
	if err := json.Unmarshal(d.Body, k); err != nil {
		return nil, fmt.Errorf("run %s: %w", d.ID, err)
	}
	return k, nil
}

func (e *Engine) get(ctx context.Context, id string) (*kept, error) {
	d, err := e.deps.Documents.Document(ctx, kindRun, id)
	if err != nil {
		return nil, fmt.Errorf("run %q of a remedy: %w", id, err)
	}
	return decode(d)
}

// save stores a run, unless somebody changed it since it was read.
func (e *Engine) save(ctx context.Context, k *kept, now time.Time) error {
	k.Times.Updated = now
	body, err := json.Marshal(k)
	if err != nil {
		return fmt.Errorf("encode run: %w", err)
	}
	d := store.Document{Kind: kindRun, ID: k.ID, Version: k.version, Status: statusOpen, Time: k.Times.Began, Body: body}
	if k.Times.Ended != nil {
		d.Status = statusDone
	}
	saved, err := e.deps.Documents.SaveDocuments(ctx, d)
	if err != nil {
		return fmt.Errorf("store run: %w", err)
	}
	k.version = saved[0].Version
	return nil
}

const actor = "signalbox"

// change moves a run to a state and stores it; what is not stored did not happen.
func (e *Engine) change(ctx context.Context, k *kept, state State, reason, by string, now time.Time) error {
	was := *k
	k.State, k.Reason = state, reason
	if state != Declined {
		k.Why = ""
	}
	k.History = append(k.History[:len(k.History):len(k.History)], Step{Time: now, State: state, Reason: reason, By: by})
	if err := e.save(ctx, k, now); err != nil {
		*k = was
		return err
	}
	err := e.note(ctx, k, by, now)
	if err != nil && (state == Acting || state == Undoing) {
		// What is not on record is not done.
		k.Times.Decided = was.Times.Decided
		k.State, k.Reason, k.Why = Declined, "The audit log does not take it, so nothing is done.", "audit"
		if state == Undoing {
			k.State, k.Why = Ineffective, ""
		}
		return errors.Join(err, e.save(ctx, k, now))
	}
	if err != nil {
		e.log.ErrorContext(ctx, "audit entry not written", "run", k.ID, "err", err)
	}
	e.metrics.states.WithLabelValues(string(state)).Inc()
	return nil
}

func (e *Engine) end(ctx context.Context, k *kept, state State, reason string, now time.Time) error {
	k.Times.Ended = &now
	return e.change(ctx, k, state, reason, "", now)
}

// note writes a change to the audit log, whose chain proves it, and to the logs, where a search finds it.
func (e *Engine) note(ctx context.Context, k *kept, by string, now time.Time) error {
	details := map[string]string{
		"remedy": k.Remedy, "target": k.Subject.Target, "service": k.Subject.Service, "state": string(k.State), "reason": k.Reason,
		"mode": string(k.Mode), "dry_run": strconv.FormatBool(k.DryRun), "trigger": k.Trigger.Kind, "alert": k.Trigger.Alert,
	}
	if k.Plan != nil {
		details["plan"] = k.Plan.Text
	}
	if k.Approval != nil {
		details["approved_by"] = k.Approval.By
	}
	if k.Result != "" {
		details["result"] = k.Result
	}
	details["by"] = by
	maps.DeleteFunc(details, func(_, v string) bool { return v == "" })
	// What a person asked for, the API notes in their name; this is what was made of it.
	entry, err := e.deps.Audit.Audit(access.Whole(ctx), model.AuditEntry{Time: now, Actor: actor, Action: "remediation." + string(k.State), Subject: k.ID, Details: details})
	e.log.InfoContext(ctx, AuditIndex+": "+k.Remedy+" on "+k.Subject.Target+" is "+string(k.State)+". "+k.Reason, "index", AuditIndex, "audit_entry", entry.ID, "by", by,
		"run", k.ID, "remedy", k.Remedy, "target", k.Subject.Target, "subject_service", k.Subject.Service, "state", string(k.State), "dry_run", k.DryRun)
	return err
}
