package incident

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/platform/weblink"
	"github.com/signalbox-project/signalbox/internal/store"
)

const (
	maxServices = 100
	maxTasks    = 200
	maxLinks    = 50
)

// Order is an incident that a person opens.
type Order struct {
	Title       string    `json:"title" minLength:"1" maxLength:"300"`
	Summary     string    `json:"summary,omitempty" maxLength:"20000"`
	Severity    string    `json:"severity,omitempty" enum:"P0,P1,P2,P3" default:"P2"`
	Services    []string  `json:"services,omitempty" maxItems:"100"`
	Environment string    `json:"environment,omitempty" maxLength:"200"`
	Started     time.Time `json:"started,omitzero" doc:"when it began; now if absent"`
	By          string    `json:"by,omitempty" maxLength:"200" doc:"who opens it, where nobody has to log in"`
}

// Open opens an incident by hand.
func (r *Room) Open(ctx context.Context, o Order) (Incident, error) {
	now := r.deps.Now().UTC()
	started := o.Started.UTC()
	if started.IsZero() {
		started = now
	}
	if started.After(now) {
		return Incident{}, refuse("started: %s is to come", started.Format(time.RFC3339))
	}
	namespaces, err := r.namespaces(ctx, o.Services)
	if err != nil {
		return Incident{}, err
	}
	by := access.SubjectOf(ctx, strings.TrimSpace(o.By))
	if by == "" {
		return Incident{}, refuse("by: must name who opens it")
	}
	if o.Severity == "" {
		o.Severity = "P2"
	}
	k := &kept{Incident: Incident{
		ID:    now.Format(time.DateOnly) + "-" + strings.ReplaceAll(uuid.NewString(), "-", "")[:8],
		Title: strings.TrimSpace(o.Title), Summary: o.Summary, Severity: o.Severity, Status: Open, Environment: o.Environment, Services: o.Services,
		Times:  Times{Started: started, Detected: now},
		Origin: Origin{By: by, Namespaces: namespaces, SeveritySaid: true, StartedSaid: !o.Started.IsZero(), StatusSaid: &now},
	}}
	if k.Title == "" {
		return Incident{}, refuse("title: must say what went wrong")
	}
	k.say(now, by, "change", "Opened.")
	d, err := k.document()
	if err != nil {
		return Incident{}, err
	}
	if _, err = r.deps.Documents.SaveDocuments(ctx, d); err == nil {
		r.opened.WithLabelValues("person").Inc()
		r.lookSoon()
	}
	return k.Incident, err
}

// namespaces are those of services, all of which the caller must see.
func (r *Room) namespaces(ctx context.Context, services []string) ([]string, error) {
	scope := access.ScopeOf(ctx)
	if len(services) > maxServices {
		return nil, refuse("services: at most %d", maxServices)
	}
	var out []string
	if r.deps.Owners != nil {
		for _, s := range services {
			of, err := r.deps.Owners.Of(ctx, s)
			if err != nil {
				return nil, err
			}
			// One that others have is refused in the words of one that there is not: which they have is theirs to know.
			if !scope.All && (len(of) == 0 || slices.ContainsFunc(of, func(n string) bool { return !scope.Sees(n) })) {
				return nil, refuse("services: %s is none that belongs to %s alone", s, scope.Text())
			}
			out = append(out, of...)
		}
	}
	if scope.All {
		return out, nil
	}
	if len(out) == 0 {
		return nil, refuse("services: name those of it; they must belong to %s alone", scope.Text())
	}
	return out, nil
}

// Edit is what somebody changes of an incident; what is nil stays.
type Edit struct {
	Title       *string    `json:"title,omitempty" minLength:"1" maxLength:"300"`
	Summary     *string    `json:"summary,omitempty" maxLength:"20000"`
	Severity    *string    `json:"severity,omitempty" enum:"P0,P1,P2,P3"`
	Services    *[]string  `json:"services,omitempty" maxItems:"100"`
	Environment *string    `json:"environment,omitempty" maxLength:"200"`
	Roles       *Roles     `json:"roles,omitempty"`
	Links       *[]Link    `json:"links,omitempty" maxItems:"50"`
	Started     *time.Time `json:"started,omitempty" doc:"when it really began"`
	Mitigated   *time.Time `json:"mitigated,omitempty" doc:"when users really did not feel it any more"`
	By          string     `json:"by,omitempty" maxLength:"200" doc:"who changes it, where nobody has to log in"`
}

// Edit changes what an incident says of itself.
func (r *Room) Edit(ctx context.Context, id string, e Edit) (Incident, error) {
	var more []string
	if e.Services != nil {
		var err error
		if more, err = r.namespaces(ctx, *e.Services); err != nil {
			return Incident{}, err
		}
	}
	return r.by(ctx, id, e.By, func(k *kept, by string, now time.Time) error {
		if err := k.edit(e, by, now); err != nil {
			return err
		}
		k.Origin.Namespaces = append(k.Origin.Namespaces, more...)
		return nil
	})
}

// by changes an incident in somebody's name.
func (r *Room) by(ctx context.Context, id, claimed string, how func(k *kept, by string, now time.Time) error) (Incident, error) {
	by := access.SubjectOf(ctx, strings.TrimSpace(claimed))
	if by == "" {
		return Incident{}, refuse("by: must name who does it")
	}
	now := r.deps.Now().UTC()
	return r.change(ctx, id, func(k *kept) error { return how(k, by, now) })
}

func (k *kept) edit(e Edit, by string, now time.Time) error {
	set := func(name string, to *string, value *string) {
		if value != nil && *to != strings.TrimSpace(*value) {
			*to = strings.TrimSpace(*value)
			k.say(now, by, "change", "%s: %s", name, *to)
		}
	}
	set("Title", &k.Title, e.Title)
	set("Severity", &k.Severity, e.Severity)
	set("Environment", &k.Environment, e.Environment)
	if e.Summary != nil && *e.Summary != k.Summary {
		k.Summary = *e.Summary
		k.say(now, by, "change", "The summary was written anew.")
	}
	if e.Severity != nil {
		k.Origin.SeveritySaid = true
	}
	if e.Services != nil {
		k.Services = slices.Clone(*e.Services)
		k.say(now, by, "change", "Services: %s", strings.Join(k.Services, ", "))
	}
	if e.Roles != nil {
		k.roles(*e.Roles, by, now)
	}
	if err := k.times(e, by, now); err != nil {
		return err
	}
	return k.links(e.Links)
}

func (k *kept) links(links *[]Link) error {
	if links == nil {
		return nil
	}
	if len(*links) > maxLinks {
		return refuse("links: at most %d", maxLinks)
	}
	for _, l := range *links {
		if err := weblink.Check(l.Href); err != nil || l.Href == "" {
			return refuse("links: %q is no address of a page that begins with https:// or http://", l.Href)
		}
	}
	k.Origin.Links = slices.Clone(*links)
	return nil
}

func (k *kept) roles(to Roles, by string, now time.Time) {
	for _, role := range []struct{ name, was, is string }{
		{"Commander", k.Roles.Commander, to.Commander}, {"Scribe", k.Roles.Scribe, to.Scribe}, {"Communications", k.Roles.Communications, to.Communications},
	} {
		switch {
		case role.was == role.is:
		case role.is == "":
			k.say(now, by, "change", "%s: nobody any more", role.name)
		default:
			k.say(now, by, "change", "%s: %s", role.name, role.is)
		}
	}
	if k.Roles = to; to.Commander != "" && k.Times.Acknowledged == nil {
		k.Times.Acknowledged = &now
	}
}

func (k *kept) times(e Edit, by string, now time.Time) error {
	if e.Started != nil {
		if e.Started.After(now) {
			return refuse("started: %s is to come", e.Started.Format(time.RFC3339))
		}
		k.Times.Started, k.Origin.StartedSaid = e.Started.UTC(), true
		k.say(now, by, "change", "Started: %s", e.Started.UTC().Format(time.RFC3339))
	}
	if e.Mitigated != nil {
		switch {
		case k.Times.Mitigated == nil:
			return refuse("mitigated: it is open; set its status first")
		case e.Mitigated.Before(k.Times.Started) || e.Mitigated.After(now):
			return refuse("mitigated: %s is not between its start and now", e.Mitigated.Format(time.RFC3339))
		}
		at := e.Mitigated.UTC()
		k.Times.Mitigated = &at
		k.say(now, by, "change", "Mitigated: %s", at.Format(time.RFC3339))
	}
	if k.Times.Mitigated != nil && k.Times.Mitigated.Before(k.Times.Started) {
		return refuse("started: %s is after it was mitigated", k.Times.Started.Format(time.RFC3339))
	}
	return nil
}

// SetStatus declares how far it is. Open opens it again.
func (r *Room) SetStatus(ctx context.Context, id string, to Status, text, by string) (Incident, error) {
	return r.by(ctx, id, by, func(k *kept, by string, now time.Time) error {
		switch k.Status {
		case Merged:
			return refuse("it is part of incident %s: change that one", k.Origin.MergedInto)
		case to:
			return refuse("it is %s already", to)
		}
		k.Origin.StatusSaid = &now
		switch was := k.Status; to {
		case Open:
			k.Times.Mitigated, k.Times.Resolved = nil, nil
		case Mitigated:
			k.Times.Resolved = nil
			if was == Open {
				k.Times.Mitigated = &now
			}
		case Resolved:
			k.Times.Resolved = &now
			if k.Times.Mitigated == nil {
				k.Times.Mitigated = &now
			}
		default:
			return refuse("status: must be open, mitigated or resolved")
		}
		k.say(now, by, "change", "Status %s → %s.%s", k.Status, to, k.stillFiring(to))
		if k.Status = to; strings.TrimSpace(text) != "" {
			k.say(now, by, "update", "%s", strings.TrimSpace(text))
		}
		return nil
	})
}

func (k *kept) stillFiring(to Status) string {
	if to != Resolved || k.Pages.Firing == 0 {
		return ""
	}
	return fmt.Sprintf(" %d of its pages had not ended.", k.Pages.Firing)
}

// Note adds what somebody says; update says that it is for others.
func (r *Room) Note(ctx context.Context, id, text string, update bool, by string) (Incident, error) {
	return r.by(ctx, id, by, func(k *kept, by string, now time.Time) error {
		if strings.TrimSpace(text) == "" {
			return refuse("text: must say something")
		}
		if len(k.Notes) >= maxNotes && !slices.ContainsFunc(k.Notes, func(n Note) bool { return n.By == signalbox }) {
			return refuse("an incident holds %d notes: link to a document", maxNotes)
		}
		what := "note"
		if update {
			what = "update"
		}
		k.say(now, by, what, "%s", strings.TrimSpace(text))
		return nil
	})
}

// Task adds an action item, or changes the one with its ID.
func (r *Room) Task(ctx context.Context, id string, task Task, by string) (Incident, error) {
	if err := weblink.Check(task.Link); err != nil {
		return Incident{}, refuse("link: %v", err)
	}
	if strings.TrimSpace(task.Text) == "" {
		return Incident{}, refuse("text: must say what is to be done")
	}
	return r.by(ctx, id, by, func(k *kept, by string, now time.Time) error {
		if task.ID == "" {
			if len(k.Actions) >= maxTasks {
				return refuse("an incident holds %d action items", maxTasks)
			}
			task.ID = uuid.NewString()[:8]
			k.Actions = append(k.Actions, task)
			k.say(now, by, "change", "Action item (%s): %s", task.Term, task.Text)
			return nil
		}
		i := slices.IndexFunc(k.Actions, func(t Task) bool { return t.ID == task.ID })
		if i < 0 {
			return fmt.Errorf("action item %s: %w", task.ID, store.ErrNotFound)
		}
		if was := k.Actions[i]; was.Done == nil && task.Done != nil {
			k.say(now, by, "change", "Action item done: %s", task.Text)
		}
		k.Actions[i] = task
		return nil
	})
}

// Merge makes one incident part of another.
func (r *Room) Merge(ctx context.Context, id, into, claimed string) (Incident, error) {
	by, now := access.SubjectOf(ctx, strings.TrimSpace(claimed)), r.deps.Now().UTC()
	if by == "" || id == into {
		return Incident{}, refuse("by must name who does it, and into another incident")
	}
	return r.two(ctx, id, into, func(from, to *kept) ([]store.Document, error) {
		if from.Status == Merged || to.Status == Merged {
			return nil, refuse("one of them is part of another already")
		}
		for _, p := range from.Pages.List {
			if len(to.Pages.List) < maxPages {
				to.Pages.List = append(to.Pages.List, p)
			}
		}
		to.Pages.Count += from.Pages.Count
		to.Services, to.Origin.Namespaces = append(to.Services, from.Services...), append(to.Origin.Namespaces, from.Origin.Namespaces...)
		to.Actions = append(to.Actions, from.Actions...)
		if from.Times.Started.Before(to.Times.Started) && !to.Origin.StartedSaid {
			to.Times.Started = from.Times.Started
		}
		if from.Times.Detected.Before(to.Times.Detected) {
			to.Times.Detected = from.Times.Detected
		}
		if from.Severity < to.Severity && !to.Origin.SeveritySaid {
			to.Severity = from.Severity
		}
		from.say(now, by, "change", "Merged into %s.", to.ID)
		to.say(now, by, "change", "Took in %s (%s).", from.ID, from.Title)
		from.Status, from.Origin.MergedInto = Merged, to.ID
		from.Pages, from.Actions = PageList{}, nil
		return nil, nil
	})
}

// two changes two incidents at once, and answers the second.
func (r *Room) two(ctx context.Context, first, second string, how func(a, b *kept) ([]store.Document, error)) (Incident, error) {
	r.turn.Lock()
	defer r.turn.Unlock()
	for try := 0; ; try++ {
		a, err := r.load(ctx, first)
		if err != nil {
			return Incident{}, err
		}
		b, err := r.load(ctx, second)
		if err != nil {
			return Incident{}, err
		}
		docs, err := how(a, b)
		if err != nil {
			return Incident{}, err
		}
		for _, k := range []*kept{a, b} {
			d, err := k.document()
			if err != nil {
				return Incident{}, err
			}
			docs = append(docs, d)
		}
		_, err = r.deps.Documents.SaveDocuments(ctx, docs...)
		if errors.Is(err, store.ErrChanged) && try < maxTries {
			continue
		}
		return b.Incident, err
	}
}

// Split makes an incident of its own of some of the pages.
func (r *Room) Split(ctx context.Context, id string, pages []string, title, claimed string) (Incident, error) {
	by, now := access.SubjectOf(ctx, strings.TrimSpace(claimed)), r.deps.Now().UTC()
	if by == "" || len(pages) == 0 || strings.TrimSpace(title) == "" {
		return Incident{}, refuse("by must name who does it, pages what goes, and title what the new incident is called")
	}
	r.turn.Lock()
	defer r.turn.Unlock()
	for try := 0; ; try++ {
		from, err := r.load(ctx, id)
		if err != nil {
			return Incident{}, err
		}
		to, docs, err := r.split(ctx, from, pages, by, now)
		if err != nil {
			return Incident{}, err
		}
		to.Title = strings.TrimSpace(title)
		for _, k := range []*kept{from, to} {
			d, err := k.document()
			if err != nil {
				return Incident{}, err
			}
			docs = append(docs, d)
		}
		_, err = r.deps.Documents.SaveDocuments(ctx, docs...)
		if errors.Is(err, store.ErrChanged) && try < maxTries {
			continue
		}
		return to.Incident, err
	}
}

func (r *Room) split(ctx context.Context, from *kept, pages []string, by string, now time.Time) (*kept, []store.Document, error) {
	to := &kept{Incident: Incident{
		ID: now.Format(time.DateOnly) + "-" + strings.ReplaceAll(uuid.NewString(), "-", "")[:8], Severity: "P3", Status: Open,
		Environment: from.Environment, Region: from.Region, Times: Times{Started: now, Detected: now}, Origin: Origin{By: signalbox, SplitFrom: from.ID},
	}}
	var docs []store.Document
	for _, id := range pages {
		i := slices.IndexFunc(from.Pages.List, func(p Page) bool { return p.ID == id })
		if i < 0 {
			return nil, nil, fmt.Errorf("page %s of this incident: %w", id, store.ErrNotFound)
		}
		d, err := r.deps.Documents.Document(ctx, kindPage, id)
		if err != nil {
			return nil, nil, err
		}
		if d.Body, err = json.Marshal(tied{Incident: to.ID}); err != nil {
			return nil, nil, err
		}
		page := from.Pages.List[i]
		from.Pages.List = slices.Delete(from.Pages.List, i, i+1)
		from.Pages.Count--
		if page.Time.Before(to.Times.Detected) {
			to.Times.Detected = page.Time
		}
		to.add(sighting{Page: page, started: page.Time}, "it was split off by "+by, now)
		docs = append(docs, d)
	}
	if len(from.Pages.List) == 0 {
		return nil, nil, refuse("all of its pages would go: change its title instead")
	}
	from.say(now, by, "change", "%d pages became %s.", len(pages), to.ID)
	to.say(now, by, "change", "Split off %s.", from.ID)
	return to, docs, nil
}
