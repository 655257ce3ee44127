package incident

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/incident/signs"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// kindSigns are documents of what was unusual when an incident began.
const kindSigns = "incident.signs"

// Finder finds what was unusual about services around a time; signs.Finder does. It is asked for what everybody may see of a service whoever
// asks later: masked, and of all namespaces.
type Finder interface {
	Find(ctx context.Context, services []string, environment string, start, now time.Time) (signs.Found, error)
}

// looked is what was found when, for which start.
type looked struct {
	At    time.Time `json:"at"`
	Start time.Time `json:"start"`
	By    string    `json:"by,omitempty"` // who asked for it; then it stays as it is
	signs.Found
}

// RunSigns looks for what was unusual when incidents began, until ctx ends: soon after each was opened, and once more when the minutes
// after its start are over. It is apart from Run, so that no page waits for it.
func (r *Room) RunSigns(ctx context.Context) error {
	if r.deps.Signs == nil {
		return nil
	}
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		if err := r.lookForSigns(ctx); err != nil && ctx.Err() == nil {
			r.log.WarnContext(ctx, "what was unusual at the start of an incident could not be looked for; tried again", "in", lookEvery.String(), "err", err)
		}
		select {
		case <-ctx.Done():
		case <-r.fresh:
		case <-tick.C:
		}
	}
	return nil
}

// lookForSigns looks for those of live incidents that were not looked for, or before all was there to see.
func (r *Room) lookForSigns(ctx context.Context) error {
	live, err := r.live(ctx)
	if err != nil {
		return err
	}
	var failed error
	for _, k := range live {
		if len(k.Services) == 0 {
			continue
		}
		was, d, err := r.signsOf(ctx, k.ID)
		if err == nil && r.due(k, was) {
			err = r.findSigns(ctx, k, d, "")
		}
		failed = errors.Join(failed, err)
	}
	return failed
}

func (r *Room) due(k *kept, was *looked) bool {
	switch {
	case was == nil || !was.Start.Equal(k.Times.Started):
		return true
	case was.By != "":
		return false
	}
	whole := k.Times.Started.Add(signs.Tail)
	return was.At.Before(whole) && !r.deps.Now().Before(whole)
}

// signsOf is what was found; nil where nobody looked.
func (r *Room) signsOf(ctx context.Context, id string) (*looked, store.Document, error) {
	d, err := r.deps.Documents.Document(ctx, kindSigns, id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, store.Document{Kind: kindSigns, ID: id}, nil
	case err != nil:
		return nil, d, err
	}
	var l looked
	if err := json.Unmarshal(d.Body, &l); err != nil {
		r.log.ErrorContext(ctx, "what was unusual at the start of an incident is damaged; it is looked for again", "incident", id, "err", err)
		return nil, d, nil
	}
	return &l, d, nil
}

// findSigns looks, and keeps what it finds.
func (r *Room) findSigns(ctx context.Context, k *kept, d store.Document, by string) error {
	now := r.deps.Now().UTC()
	found, err := r.deps.Signs.Find(access.Whole(ctx), r.concerned(ctx, k), k.Environment, k.Times.Started, now)
	if err != nil {
		return err
	}
	l := looked{At: now, Start: k.Times.Started, By: by, Found: found}
	if d.Body, err = json.Marshal(l); err != nil {
		return err
	}
	d.Time = now
	_, err = r.deps.Documents.SaveDocuments(ctx, d)
	if errors.Is(err, store.ErrChanged) { // somebody else looked at the same moment
		err = nil
	}
	return err
}

// concerned are the services of an incident and those that they call, which may be why.
func (r *Room) concerned(ctx context.Context, k *kept) []string {
	out := slices.Clone(k.Services)
	if r.deps.Edges == nil {
		return out
	}
	edges, err := r.deps.Edges.Edges(access.Whole(ctx), model.DefaultTenant, store.RangeOf(k.Times.Started.Add(-callsWithin), r.deps.Now()))
	if err != nil {
		r.log.WarnContext(ctx, "who calls whom is not known: what was unusual is looked for in the services of the incident alone", "err", err)
	}
	calls := callsOf(edges)
	for _, s := range k.Services {
		callees := slices.Sorted(slices.Values(calls.of[s]))
		for _, c := range callees {
			if !slices.Contains(out, c) {
				out = append(out, c)
			}
		}
	}
	return out
}

// Look looks once more for what was unusual when an incident began, because somebody asks.
func (r *Room) Look(ctx context.Context, id, claimed string) (Incident, error) {
	if r.deps.Signs == nil {
		return Incident{}, refuse("metrics and logs cannot be asked here")
	}
	k, err := r.load(ctx, id)
	if err != nil {
		return Incident{}, err
	}
	by := access.SubjectOf(ctx, strings.TrimSpace(claimed))
	switch {
	case by == "":
		return Incident{}, refuse("by: must name who does it")
	case len(k.Services) == 0:
		return Incident{}, refuse("services: name those that it concerns first")
	}
	_, d, err := r.signsOf(ctx, id)
	if err != nil {
		return Incident{}, err
	}
	if err = r.findSigns(ctx, k, d, by); err != nil {
		return Incident{}, err
	}
	return r.by(ctx, id, claimed, func(k *kept, by string, now time.Time) error {
		k.say(now, by, "change", "Looked again for what was unusual when it began.")
		return nil
	})
}

// unusualOf tells what was unusual, of the services that the caller sees.
func (r *Room) unusualOf(ctx context.Context, k *kept, t *Timeline) error {
	if r.deps.Signs == nil {
		return nil
	}
	l, _, err := r.signsOf(ctx, k.ID)
	if err != nil {
		return err
	}
	if l == nil {
		t.Missing = append(t.Missing, "what was unusual in metrics and logs when it began: nobody has looked yet")
		return nil
	}
	hidden := 0
	for _, s := range l.Signs {
		sees, err := r.sees(ctx, s)
		if err != nil {
			return err
		}
		if !sees {
			hidden++
			continue
		}
		t.add(s.Time, "", Source{Kind: s.Kind, ID: s.Name, Link: linkTo(s, l.Start)}, "Unusual: %s", s.Text)
	}
	if access.ScopeOf(ctx).All {
		t.Missing = append(t.Missing, l.Missing...)
	}
	if hidden > 0 {
		t.Missing = append(t.Missing, fmt.Sprintf("%d unusual metrics or lines of services that are not shown to you", hidden))
	}
	return nil
}

// sees says whether the caller may see what a sign tells of.
func (r *Room) sees(ctx context.Context, s signs.Sign) (bool, error) {
	p := access.MetricsRead
	if s.Kind == signs.Log {
		p = access.LogsRead
	}
	scope := access.ScopeFor(ctx, p)
	if scope.All || r.deps.Owners == nil {
		return scope.All, nil
	}
	of, err := r.deps.Owners.Of(ctx, s.Service)
	return err == nil && len(of) > 0 && !slices.ContainsFunc(of, func(n string) bool { return !scope.Sees(n) }), err
}

// linkTo leads to the curve or the lines, around the start.
func linkTo(s signs.Sign, start time.Time) string {
	q := url.Values{"from": {start.Add(-time.Hour).UTC().Format(time.RFC3339)}, "to": {start.Add(time.Hour).UTC().Format(time.RFC3339)}}
	if s.Kind == signs.Log {
		q.Set("q", s.Query)
		return "/logs?" + q.Encode()
	}
	q.Set("expr", s.Query)
	return "/query?" + q.Encode()
}
