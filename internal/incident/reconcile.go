package incident

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

const (
	// maxPending bounds the pages that changed and were not looked at yet; beyond it all are looked at.
	maxPending = 1000
	// maxSeen bounds the pages that one look reads at once.
	maxSeen = 100
	// quiet is how long after its last page an incident is over if nobody says otherwise.
	quiet = 30 * time.Minute
	// maxNames bounds the names of alerts that are kept of a page.
	maxNames = 10
)

// sighting is what matters of a page.
type sighting struct {
	Page
	environment string
	summary     string
	started     time.Time
}

func see(p model.Page) sighting {
	s := sighting{Page: Page{
		ID: p.ID, DedupKey: p.DedupKey, Title: p.Title, Severity: p.Severity, Service: p.Service, Time: p.Time.UTC(), Alerts: len(p.Alerts),
		AckedBy: p.AckedBy, AckedAt: p.AckedAt, Ended: p.ResolvedAt, Names: []string{}, Namespaces: []string{},
	}, summary: p.Summary, started: p.Time.UTC()}
	for _, a := range p.Alerts {
		s.environment = cmp.Or(s.environment, a.Labels.Own("env"), a.Labels.Own("environment"))
		s.Region = cmp.Or(s.Region, a.Labels.Own("region"))
		if !a.StartsAt.IsZero() && a.StartsAt.Before(s.started) {
			s.started = a.StartsAt.UTC()
		}
		if n := a.Labels["alertname"]; len(s.Names) < maxNames && !slices.Contains(s.Names, n) {
			s.Names = append(s.Names, n)
		}
		if n := a.Labels[access.NamespaceLabel]; !slices.Contains(s.Namespaces, n) {
			s.Namespaces = append(s.Namespaces, n)
		}
	}
	return s
}

// Changed takes note that a page was saved; it does not wait.
func (r *Room) Changed(p model.Page) {
	r.mu.Lock()
	if _, known := r.pending[p.ID]; known || len(r.pending) < maxPending {
		r.pending[p.ID] = see(p)
	} else {
		r.behind = true
	}
	r.mu.Unlock()
	select {
	case r.nudge <- struct{}{}:
	default:
	}
}

// Run makes incidents of pages until ctx ends.
func (r *Room) Run(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for all := true; ctx.Err() == nil; {
		if err := r.look(ctx, all); err != nil && ctx.Err() == nil {
			r.log.ErrorContext(ctx, "incidents are not up to date with pages; tried again", "in", lookEvery.String(), "err", err)
		}
		all = false
		select {
		case <-ctx.Done():
		case <-r.nudge:
		case <-tick.C:
			all = true
		}
	}
	return nil
}

// lookSoon has what is unusual looked for.
func (r *Room) lookSoon() {
	select {
	case r.fresh <- struct{}{}:
	default:
	}
}

// look takes in the pages that changed, or all that matter.
func (r *Room) look(ctx context.Context, all bool) error {
	r.mu.Lock()
	changed := make([]sighting, 0, len(r.pending))
	for _, s := range r.pending {
		changed = append(changed, s)
	}
	all = all || r.behind
	clear(r.pending)
	r.behind = false
	r.mu.Unlock()
	if !all {
		return r.take(ctx, changed)
	}
	return r.lookAtAll(ctx)
}

// lookAtAll takes in every page that fires, those of live incidents, and those since incidents were last looked at whole.
func (r *Room) lookAtAll(ctx context.Context) error {
	begun, err := r.begun(ctx)
	if err != nil {
		return err
	}
	// A look of long ago means that nothing ran since, so that nobody was paged either, but for what a kill cut off.
	since := r.deps.Now().Add(-2 * time.Hour)
	if since.Before(begun) {
		since = begun
	}
	for _, q := range []store.PageQuery{{Status: "firing"}, {Start: since}} {
		for {
			q.Limit = maxSeen
			pages, err := r.deps.Pages.Pages(ctx, q)
			if err != nil {
				return err
			}
			seen := make([]sighting, 0, len(pages))
			for _, p := range pages {
				seen = append(seen, see(p))
			}
			if err := r.take(ctx, seen); err != nil {
				return err
			}
			// Times are unique enough: what shares the instant at the edge of a batch of hundreds comes with the next one.
			if len(pages) < maxSeen {
				break
			}
			next := pages[len(pages)-1].Time.Add(time.Nanosecond)
			if !q.End.IsZero() && !next.Before(q.End) {
				break
			}
			q.End = next
		}
	}
	if err := r.reread(ctx); err != nil {
		return err
	}
	return r.take(ctx, nil) // what is quiet for long ends
}

// reread takes in what became of the pages of live incidents.
func (r *Room) reread(ctx context.Context) error {
	live, err := r.live(ctx)
	if err != nil {
		return err
	}
	var seen []sighting
	for _, k := range live {
		for _, p := range k.Pages.List {
			if p.Ended != nil && p.AckedAt != nil {
				continue
			}
			page, err := r.deps.Pages.Page(ctx, p.ID)
			if errors.Is(err, store.ErrNotFound) {
				continue // retention took it
			}
			if err != nil {
				return err
			}
			if got := see(page); (got.Ended == nil) != (p.Ended == nil) || (got.AckedAt == nil) != (p.AckedAt == nil) || got.Alerts > p.Alerts {
				seen = append(seen, got)
			}
		}
	}
	return r.take(ctx, seen)
}

// begun is since when incidents are kept.
func (r *Room) begun(ctx context.Context) (time.Time, error) {
	d, err := r.deps.Documents.Document(ctx, kindBegun, kindBegun)
	if !errors.Is(err, store.ErrNotFound) {
		return d.Time, err
	}
	now := r.deps.Now().UTC()
	_, err = r.deps.Documents.SaveDocuments(ctx, store.Document{Kind: kindBegun, ID: kindBegun, Time: now, Body: json.RawMessage("{}")})
	if errors.Is(err, store.ErrChanged) {
		return r.begun(ctx)
	}
	return now, err
}

// live are the incidents that pages may join, the oldest first.
func (r *Room) live(ctx context.Context) ([]*kept, error) {
	var out []*kept
	for _, status := range []Status{Open, Mitigated} {
		docs, _, err := r.deps.Documents.Documents(ctx, store.DocumentQuery{Kind: kind, Status: string(status), Limit: maxLive})
		if err != nil {
			return nil, err
		}
		for _, d := range docs {
			k, err := decode(d)
			if err != nil {
				r.log.ErrorContext(ctx, "an incident cannot be read and is left as it is", "err", err)
				continue
			}
			out = append(out, k)
		}
	}
	slices.SortFunc(out, func(a, b *kept) int {
		return cmp.Or(a.Times.Detected.Compare(b.Times.Detected), cmp.Compare(a.ID, b.ID))
	})
	return out, nil
}

// tied says which incident a page belongs to.
type tied struct {
	Incident string `json:"incident"`
}

// take takes pages in: all that follows from them is kept at once, or nothing of it.
func (r *Room) take(ctx context.Context, seen []sighting) error {
	r.turn.Lock()
	defer r.turn.Unlock()
	slices.SortFunc(seen, func(a, b sighting) int { return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.ID, b.ID)) })
	for try := 0; ; try++ {
		n, err := r.takeOnce(ctx, seen)
		if errors.Is(err, store.ErrChanged) && try < maxTries {
			continue
		}
		if err == nil && n > 0 {
			r.opened.WithLabelValues("page").Add(float64(n))
			r.lookSoon()
		}
		return err
	}
}

func (r *Room) takeOnce(ctx context.Context, seen []sighting) (opened int, err error) {
	begun, err := r.begun(ctx)
	if err != nil {
		return 0, err
	}
	live, err := r.live(ctx)
	if err != nil || len(seen) == 0 && len(live) == 0 {
		return 0, err
	}
	t := taking{room: r, live: live, now: r.deps.Now().UTC(), begun: begun}
	for _, s := range seen {
		if err := t.page(ctx, s); err != nil {
			return 0, err
		}
	}
	docs := t.docs
	for _, k := range append(t.live, t.past...) {
		k.follow(t.now)
		if !k.changed {
			continue
		}
		d, err := k.document()
		if err != nil {
			return 0, err
		}
		docs = append(docs, d)
	}
	_, err = r.deps.Documents.SaveDocuments(ctx, docs...)
	return t.opened, err
}

// taking is one try to take pages in.
type taking struct {
	room   *Room
	live   []*kept
	past   []*kept // that are over, and had a page change
	docs   []store.Document
	calls  *calls
	now    time.Time
	begun  time.Time
	opened int
}

func (t *taking) page(ctx context.Context, s sighting) error {
	d, err := t.room.deps.Documents.Document(ctx, kindPage, s.ID)
	switch {
	case err == nil:
		var of tied
		if err := json.Unmarshal(d.Body, &of); err != nil {
			t.room.log.ErrorContext(ctx, "which incident a page belongs to is damaged; the page is left out", "page", s.ID, "err", err)
			return nil
		}
		return t.again(ctx, of.Incident, s)
	case !errors.Is(err, store.ErrNotFound):
		return err
	}
	if s.Ended != nil && s.Time.Before(t.begun) {
		return nil
	}
	k, why, err := t.belongs(ctx, s)
	if err != nil {
		return err
	}
	if k == nil {
		if !model.Wakes(s.Severity) {
			return nil
		}
		k, why = t.open(s), "it opened the incident"
	}
	k.add(s, why, t.now)
	body, err := json.Marshal(tied{Incident: k.ID})
	t.docs = append(t.docs, store.Document{Kind: kindPage, ID: s.ID, Time: s.Time, Body: body})
	return err
}

// again takes in what became of a page that belongs to an incident, or to what that is part of now.
func (t *taking) again(ctx context.Context, id string, s sighting) error {
	for range maxMerges {
		k, err := t.known(ctx, id)
		if err != nil || k == nil {
			return err
		}
		if k.Origin.MergedInto == "" {
			k.update(s)
			return nil
		}
		id = k.Origin.MergedInto
	}
	return nil
}

// maxMerges bounds how often an incident was merged into another.
const maxMerges = 20

// known is an incident, whatever its status; nil where it cannot be read.
func (t *taking) known(ctx context.Context, id string) (*kept, error) {
	for _, list := range [][]*kept{t.live, t.past} {
		for _, k := range list {
			if k.ID == id {
				return k, nil
			}
		}
	}
	d, err := t.room.deps.Documents.Document(ctx, kind, id)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	var k *kept
	if err == nil {
		k, err = decode(d)
	}
	if err != nil {
		t.room.log.ErrorContext(ctx, "the incident of a page cannot be read; the page is left out", "incident", id, "err", err)
		return nil, nil //nolint:nilnil // said above
	}
	t.past = append(t.past, k)
	return k, nil
}

// open makes the incident of a page. Its ID follows from the page's, so that no page ever opens two.
func (t *taking) open(s sighting) *kept {
	sum := sha256.Sum256([]byte(s.ID))
	k := &kept{Incident: Incident{
		ID: s.Time.UTC().Format(time.DateOnly) + "-" + hex.EncodeToString(sum[:4]), Title: title(s), Summary: s.summary,
		Severity: SeverityOf(s.Severity), Status: Open, Environment: s.environment, Region: s.Region,
		Times: Times{Started: s.started, Detected: s.Time}, Origin: Origin{By: signalbox, Page: s.ID},
	}}
	k.say(t.now, signalbox, "change", "Opened by the page %s.", s.Title)
	t.live, t.opened = append(t.live, k), t.opened+1
	return k
}

// title is what a person calls it: what the alert says, or its name and place.
func title(s sighting) string {
	if s.summary != "" && len(s.summary) <= 200 {
		return s.summary
	}
	return s.Title
}

// add ties a page to an incident.
func (k *kept) add(s sighting, why string, now time.Time) {
	k.changed = true
	s.Why = why
	k.Pages.Count++
	if len(k.Pages.List) < maxPages {
		k.Pages.List = append(k.Pages.List, s.Page)
	}
	k.Services = append(k.Services, s.Service)
	k.Origin.Namespaces = append(k.Origin.Namespaces, s.Namespaces...)
	k.Region = cmp.Or(k.Region, s.Region)
	if !k.Origin.StartedSaid && s.started.Before(k.Times.Started) {
		k.Times.Started = s.started
	}
	if sev := SeverityOf(s.Severity); !k.Origin.SeveritySaid && sev < k.Severity {
		k.say(now, signalbox, "change", "Severity %s → %s, by the page %s.", k.Severity, sev, s.Title)
		k.Severity = sev
	}
	k.acknowledged(s)
	if k.Status == Mitigated && s.Ended == nil {
		k.Status, k.Times.Mitigated = Open, nil
		k.say(now, signalbox, "change", "Open again: the page %s came.", s.Title)
	}
}

// acknowledged takes over the first acknowledgement.
func (k *kept) acknowledged(s sighting) {
	if s.AckedAt != nil && (k.Times.Acknowledged == nil || s.AckedAt.Before(*k.Times.Acknowledged)) {
		at := s.AckedAt.UTC()
		k.Times.Acknowledged, k.changed = &at, true
	}
}

// update takes over what became of a page.
func (k *kept) update(s sighting) {
	i := slices.IndexFunc(k.Pages.List, func(p Page) bool { return p.ID == s.ID })
	if i < 0 {
		return // one of those that are only counted
	}
	was := &k.Pages.List[i]
	if s.AckedBy == "" { // a delivery that was under way does not know of it
		s.AckedBy, s.AckedAt = was.AckedBy, was.AckedAt
	}
	if was.AckedBy != s.AckedBy || s.Alerts > was.Alerts || !same(was.Ended, s.Ended) || was.Severity != s.Severity && s.Ended == nil {
		k.changed = true
	}
	was.AckedBy, was.AckedAt, was.Ended, was.Alerts = s.AckedBy, s.AckedAt, s.Ended, max(was.Alerts, s.Alerts)
	if s.Ended == nil {
		was.Severity = s.Severity
	}
	for _, n := range s.Names {
		if len(was.Names) < maxNames && !slices.Contains(was.Names, n) {
			was.Names, k.changed = append(was.Names, n), true
		}
	}
	for _, n := range s.Namespaces { // whoever is concerned by more of it later
		if !slices.Contains(k.Origin.Namespaces, n) {
			k.Origin.Namespaces, k.changed = append(k.Origin.Namespaces, n), true
		}
	}
	if sev := SeverityOf(was.Severity); k.Status.Live() && !k.Origin.SeveritySaid && sev < k.Severity {
		k.say(s.Time, signalbox, "change", "Severity %s → %s, by the page %s.", k.Severity, sev, s.Title)
		k.Severity = sev
	}
	k.acknowledged(s)
}

func same(a, b *time.Time) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Equal(*b)
}

// follow changes the status as the pages say.
func (k *kept) follow(now time.Time) {
	if !k.Status.Live() || k.Pages.Count == 0 || k.Pages.Count > len(k.Pages.List) {
		return
	}
	var last time.Time
	for _, p := range k.Pages.List {
		if p.Ended == nil {
			return
		}
		if p.Ended.After(last) {
			last = p.Ended.UTC()
		}
	}
	if k.Origin.By != signalbox || k.saidAfter(last) {
		return
	}
	if k.Status == Open {
		k.Status, k.Times.Mitigated = Mitigated, &last
		k.say(now, signalbox, "change", "Mitigated: the last of its pages ended.")
	}
	if now.Sub(last) >= quiet {
		k.Status, k.Times.Resolved = Resolved, &now
		k.say(now, signalbox, "change", "Resolved: no page for %d minutes, and nobody said otherwise.", int(quiet.Minutes()))
	}
}

// saidAfter says whether a person set its status after a time: then pages that ended before do not change it.
func (k *kept) saidAfter(at time.Time) bool {
	return k.Origin.StatusSaid != nil && k.Origin.StatusSaid.After(at)
}
