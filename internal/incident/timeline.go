package incident

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

const (
	// before and after are how much of what was done around an incident is told with it.
	before, after = time.Hour, 10 * time.Minute
	// maxOfKind bounds the entries of each source, and maxNotices the deliveries of one page.
	maxOfKind, maxNotices = 500, 20
)

// Sources are what timelines are made of, as far as the caller of a context may see it. What is nil is left out.
type Sources struct {
	Deploys   func(context.Context, store.DeployQuery) ([]model.Deploy, error)
	Decisions func(context.Context, store.DecisionQuery) ([]model.GateDecision, string, error)
	Remedies  func(context.Context, store.RemedyQuery) ([]model.Remedy, error)
	// Audit is asked for those alone who may read the audit log.
	Audit func(context.Context, store.AuditQuery) ([]model.AuditEntry, error)
}

// Source is where an entry is taken from.
type Source struct {
	Kind string `json:"kind" enum:"page,alert,deploy,gate,remedy,metric,log,audit,note"`
	ID   string `json:"id"`
	Link string `json:"link,omitempty" doc:"where it is seen, below the address of Signalbox"`
}

// Entry is one thing that happened.
type Entry struct {
	Time   time.Time `json:"time"`
	Text   string    `json:"text"`
	By     string    `json:"by,omitempty" doc:"who did it, where somebody did"`
	Source Source    `json:"source"`
}

// Timeline is what happened around an incident, the oldest first.
type Timeline struct {
	Entries []Entry `json:"entries"`
	// Missing says what of it is not here.
	Missing []string `json:"missing,omitempty" doc:"what is left out, and why"`
}

func (t *Timeline) add(at time.Time, by string, from Source, format string, args ...any) {
	t.Entries = append(t.Entries, Entry{Time: at.UTC(), By: by, Source: from, Text: fmt.Sprintf(format, args...)})
}

// Timeline is what is held about the time of an incident.
func (r *Room) Timeline(ctx context.Context, id string) (Timeline, error) {
	k, err := r.load(ctx, id)
	if err != nil {
		return Timeline{}, err
	}
	t := Timeline{Entries: []Entry{}}
	for n, note := range k.Notes {
		t.add(note.Time, note.By, Source{Kind: "note", ID: fmt.Sprintf("%s#%d", id, n+1), Link: "/sb/v1/incidents/" + id}, "%s", note.Text)
	}
	from, to := k.Times.Started.Add(-before), r.deps.Now().UTC()
	if end := k.Times.Resolved; end != nil && end.Add(after).Before(to) {
		to = end.Add(after)
	}
	for _, part := range []func() error{
		func() error { return r.pagesOf(ctx, k, &t) },
		func() error { return r.unusualOf(ctx, k, &t) },
		func() error { return r.deploysOf(ctx, k, from, to, &t) },
		func() error { return r.decisionsOf(ctx, k, from, to, &t) },
		func() error { return r.remediesOf(ctx, k, from, to, &t) },
		func() error { return r.auditOf(ctx, from, to, &t) },
	} {
		if err := part(); err != nil {
			return t, err
		}
	}
	slices.SortStableFunc(t.Entries, func(a, b Entry) int { return a.Time.Compare(b.Time) })
	return t, nil
}

func (r *Room) pagesOf(ctx context.Context, k *kept, t *Timeline) error {
	if access.ScopeFor(ctx, access.PagesRead).None() {
		t.Missing = append(t.Missing, "alerts and deliveries of its pages: they are shown to who may see pages")
		for _, p := range k.Pages.List {
			t.page(p, model.Page{AckedBy: p.AckedBy, AckedAt: p.AckedAt, ResolvedAt: p.Ended})
		}
		return nil
	}
	if k.Pages.Count > len(k.Pages.List) {
		t.Missing = append(t.Missing, fmt.Sprintf("%d pages beyond the first %d", k.Pages.Count-len(k.Pages.List), len(k.Pages.List)))
	}
	gone := 0
	for _, p := range k.Pages.List {
		page, err := r.deps.Pages.Page(ctx, p.ID)
		if errors.Is(err, store.ErrNotFound) {
			gone++
			page = model.Page{ID: p.ID, AckedBy: p.AckedBy, AckedAt: p.AckedAt, ResolvedAt: p.Ended}
		} else if err != nil {
			return err
		}
		t.page(p, page)
	}
	if gone > 0 {
		t.Missing = append(t.Missing, fmt.Sprintf("the deliveries and alerts of %d pages, which are not kept any more", gone))
	}
	return nil
}

func (t *Timeline) page(p Page, page model.Page) {
	from := Source{Kind: "page", ID: p.ID, Link: "/alerts"}
	t.add(p.Time, "", from, "Page: %s (%s).", p.Title, p.Severity)
	for n, a := range page.Alerts {
		if n == maxNotices {
			t.Missing = append(t.Missing, fmt.Sprintf("%d more alerts of the page %s", len(page.Alerts)-n, p.Title))
			break
		}
		of := Source{Kind: "alert", ID: a.Fingerprint, Link: "/alerts/" + a.Fingerprint}
		t.add(a.StartsAt, "", of, "Alert %s began to fire.", a.Labels["alertname"])
		if a.EndsAt != nil {
			t.add(*a.EndsAt, "", of, "Alert %s ended.", a.Labels["alertname"])
		}
	}
	for _, d := range page.Deliveries[max(0, len(page.Deliveries)-maxNotices):] {
		if d.Status == "failed" {
			t.add(d.Time, "", from, "Delivery by %s failed (attempt %d): %s", d.Channel, d.Attempt, d.Error)
		} else {
			t.add(d.Time, "", from, "Delivered by %s.", d.Channel)
		}
	}
	if page.AckedAt != nil {
		t.add(*page.AckedAt, page.AckedBy, from, "Acknowledged: %s.", p.Title)
	}
	if page.ResolvedAt != nil {
		t.add(*page.ResolvedAt, "", from, "Page ended: %s.", p.Title)
	}
}

func (r *Room) deploysOf(ctx context.Context, k *kept, from, to time.Time, t *Timeline) error {
	if r.deps.Sources.Deploys == nil {
		return nil
	}
	for _, s := range k.Services {
		list, err := r.deps.Sources.Deploys(ctx, store.DeployQuery{Service: s, Start: from, End: to, Limit: maxOfKind})
		if err != nil {
			return err
		}
		for _, d := range list {
			if k.Environment != "" && d.Environment != "" && d.Environment != k.Environment {
				continue
			}
			t.add(d.Time, d.Actor, Source{Kind: "deploy", ID: d.ID, Link: cmp.Or(d.Link, "/services/"+s)}, "%s of %s %s: %s. %s", cmp.Or(d.Kind, "deploy"), s, d.Version, d.Status, d.Message)
		}
	}
	return nil
}

func (r *Room) decisionsOf(ctx context.Context, k *kept, from, to time.Time, t *Timeline) error {
	if r.deps.Sources.Decisions == nil {
		return nil
	}
	for _, s := range k.Services {
		list, _, err := r.deps.Sources.Decisions(ctx, store.DecisionQuery{Service: s, Start: from, End: to, Limit: maxOfKind})
		if err != nil {
			return err
		}
		for _, d := range list {
			of := Source{Kind: "gate", ID: d.ID, Link: "/sb/v1/gate/decisions/" + d.ID}
			t.add(d.Time, d.Request.Actor, of, "Gate about %s %s: %s", s, d.Request.Version, d.Summary)
			if o := d.Override; o != nil {
				t.add(o.Time, o.Actor, of, "Gate overridden for %s %s: %s", s, o.Version, o.Reason)
			}
		}
	}
	return nil
}

func (r *Room) remediesOf(ctx context.Context, k *kept, from, to time.Time, t *Timeline) error {
	if r.deps.Sources.Remedies == nil {
		return nil
	}
	for _, s := range k.Services {
		list, err := r.deps.Sources.Remedies(ctx, store.RemedyQuery{Service: s, Limit: maxOfKind})
		if err != nil {
			return err
		}
		for _, m := range list {
			for _, step := range m.History {
				if !step.Time.Before(from) && step.Time.Before(to) {
					t.add(step.Time, signalbox, Source{Kind: "remedy", ID: m.ID, Link: "/remedies"}, "Remedy of %s: %s. %s", s, step.State, step.Reason)
				}
			}
		}
	}
	return nil
}

// auditOf takes what was done to silences, configuration and budgets at the time, whomever it concerned.
func (r *Room) auditOf(ctx context.Context, from, to time.Time, t *Timeline) error {
	if r.deps.Sources.Audit == nil {
		return nil
	}
	if !access.ScopeFor(ctx, access.AuditRead).All {
		t.Missing = append(t.Missing, "silences, reloads and corrections, which are in the audit log: they are shown to who may read it")
		return nil
	}
	for _, action := range []string{"silences.write", "admin.reload", "config.reload", "slo.correct", "slo.uncorrect", "oncall.override"} {
		list, err := r.deps.Sources.Audit(ctx, store.AuditQuery{Action: action, Start: from, End: to, Limit: maxOfKind})
		if err != nil {
			return err
		}
		for _, e := range list {
			t.add(e.Time, e.Actor, Source{Kind: "audit", ID: fmt.Sprint(e.ID), Link: "/audit"}, "%s", strings.TrimSpace(e.Action+" "+e.Subject))
		}
	}
	return nil
}
