package statuspage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/signalbox-project/signalbox/internal/store"
)

const (
	lookEvery  = 15 * time.Second
	countEvery = 5 * time.Minute
	firstCount = 10 * time.Second
)

// Run begins and ends maintenance, announces what pages announce by themselves, and counts days, until ctx ends.
func (r *Room) Run(ctx context.Context) error {
	var both sync.WaitGroup
	both.Go(func() {
		for wait := firstCount; pause(ctx, wait); wait = countEvery {
			r.Count(ctx)
		}
	})
	for pause(ctx, lookEvery) {
		if err := r.Look(ctx); err != nil && ctx.Err() == nil {
			r.log.WarnContext(ctx, "status pages could not be brought up to date; they are tried again", "err", err)
		}
	}
	both.Wait()
	return nil
}

func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// Look does what is due now.
func (r *Room) Look(ctx context.Context) error {
	live, err := r.posts(ctx, "live")
	if err != nil {
		return err
	}
	var errs []error
	for _, p := range live {
		if next, due := p.due(r.now()); due {
			errs = append(errs, r.move(ctx, p.ID, next))
		}
	}
	return errors.Join(append(errs, r.automatic(ctx, live))...)
}

// due is the status that maintenance comes to by the clock.
func (p *Post) due(now time.Time) (Status, bool) {
	switch {
	case p.Kind != OfMaintenance || p.Starts == nil || p.Ends == nil:
	case !p.Status.Over() && !now.Before(*p.Ends):
		return Completed, true
	case p.Status == Scheduled && !now.Before(*p.Starts):
		return InProgress, true
	}
	return "", false
}

// move lets maintenance begin or end, without a text: each page says it in its own language.
func (r *Room) move(ctx context.Context, id string, to Status) error {
	_, err := r.change(ctx, id, func(p *Post) error {
		if next, due := p.due(r.now()); due && next == to {
			p.say(Update{ID: newID(), Time: r.now().UTC(), Status: to, By: signalbox, Components: p.Components})
		}
		return nil
	})
	return err
}

// automatic announces incidents on the pages that do so by themselves, and says when they are over.
func (r *Room) automatic(ctx context.Context, live []Post) error {
	pages := slices.DeleteFunc(slices.Clone(r.Value()), func(p Page) bool { return p.Automatic == nil })
	if len(pages) == 0 || r.deps.Sources.Incidents == nil {
		return nil
	}
	incidents, err := r.deps.Sources.Incidents(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, page := range pages {
		for _, i := range incidents {
			errs = append(errs, r.announce(ctx, r.whole(page), i, live))
		}
		for _, p := range live {
			over := !slices.ContainsFunc(incidents, func(i Incident) bool { return i.ID == p.Incident })
			if p.Automatic && p.on(page.Name) && over && page.Automatic.Resolved != "" && p.unread() {
				_, err := r.Update(ctx, p.ID, Further{Status: Resolved, Text: page.Automatic.Resolved, By: signalbox})
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}

// unread reports whether nobody wrote anything in it.
func (p *Post) unread() bool {
	return !slices.ContainsFunc(p.Updates, func(u Update) bool { return u.By != signalbox })
}

// announce publishes the text of a page's rule, once for an incident: its ID follows from both, so that what was withdrawn stays so.
func (r *Room) announce(ctx context.Context, page Page, i Incident, live []Post) error {
	rule, now := page.Automatic, r.now().UTC()
	if !slices.Contains(rule.Severities, i.Severity) || now.Sub(i.Started) < time.Duration(rule.After) ||
		slices.ContainsFunc(live, func(p Post) bool { return p.Incident == i.ID && p.on(page.Name) }) {
		return nil
	}
	var affected []Affected
	var titles []string
	for _, c := range page.Components {
		if slices.ContainsFunc(c.Services, func(s string) bool { return slices.Contains(i.Services, s) }) {
			affected, titles = append(affected, Affected{c.ID, rule.State}), append(titles, c.Title)
		}
	}
	if len(affected) == 0 {
		return nil
	}
	fill := strings.NewReplacer("{components}", strings.Join(titles, ", "))
	sum := sha256.Sum256([]byte(page.Name + "\x00" + i.ID))
	id := "a" + hex.EncodeToString(sum[:8])
	p := Post{ID: id, Kind: OfIncident, Pages: []string{page.Name}, Incident: i.ID, Title: fill.Replace(rule.Title), Created: now, Components: affected, Automatic: true}
	p.say(Update{ID: newID(), Time: now, Status: Investigating, Text: fill.Replace(rule.Text), By: signalbox, Components: affected})
	switch err := r.save(ctx, p, 0); {
	case errors.Is(err, store.ErrChanged):
		return nil // it was announced before
	case err != nil:
		return err
	}
	r.log.InfoContext(ctx, "an incident was announced by the rule of a status page", "page", page.Name, "incident", i.ID, "announcement", id)
	return nil
}
