package catalog

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Where an entry comes from.
const (
	FromFile      = "file"
	FromTelemetry = "telemetry"
)

// Entry is a service as the catalogue knows it.
type Entry struct {
	Service string `json:"service"`
	Described
	Namespace  string         `json:"namespace,omitempty"`
	Team       string         `json:"team,omitempty" doc:"who owns it; absent if nobody is known to"`
	Tier       int            `json:"tier,omitempty" doc:"1 is the most important, 4 the least; absent if it is not said"`
	Kind       string         `json:"kind" enum:"service,resource,library"`
	Source     string         `json:"source" enum:"file,telemetry" doc:"where it is known from"`
	Seen       bool           `json:"seen" doc:"whether it sent telemetry within about a day"`
	Contact    Contact        `json:"contact"`
	Runbooks   []Runbook      `json:"runbooks"`
	DependsOn  []Relationship `json:"depends_on" doc:"declared, or seen in traces of the last day"`
	Dependents []Relationship `json:"dependents"`
	Gaps       []Gap          `json:"gaps"`
}

// Described is what people wrote of a service.
type Described struct {
	Title       string   `json:"title,omitempty"`
	Description string   `json:"description,omitempty"`
	System      string   `json:"system,omitempty" doc:"what it is a part of"`
	Lifecycle   string   `json:"lifecycle,omitempty"`
	Telemetry   []string `json:"telemetry" doc:"its names in telemetry"`
	Links       []Link   `json:"links"`
}

// Contact is how the team of a service is reached.
type Contact struct {
	Escalation string `json:"escalation,omitempty" doc:"name of an escalation policy"`
	Schedule   string `json:"schedule,omitempty" doc:"name of an on-call schedule"`
	Chat       string `json:"chat,omitempty"`
	Email      string `json:"email,omitempty"`
}

// Relationship is one side of a dependency.
type Relationship struct {
	Service  string `json:"service"`
	Declared bool   `json:"declared" doc:"a file says so"`
	Seen     bool   `json:"seen" doc:"traces show it"`
}

// Listing is the catalogue as a caller sees it.
type Listing struct {
	Summary  string  `json:"summary"`
	Services []Entry `json:"services" doc:"by name"`
	Teams    []Team  `json:"teams" doc:"those of files that own one of them, by name"`
}

// GapList is what services lack.
type GapList struct {
	Summary string `json:"summary"`
	Gaps    []Gap  `json:"gaps" doc:"of the most important services first"`
	Excused []Gap  `json:"excused" doc:"those that are meant to be"`
}

// List is every service that the caller sees.
func (r *Room) List(ctx context.Context) (Listing, error) {
	entries, err := r.entries(ctx)
	if err != nil {
		return Listing{}, err
	}
	out := Listing{Services: entries, Teams: []Team{}, Summary: summary(entries)}
	for _, t := range r.Value().Teams {
		if slices.ContainsFunc(entries, func(e Entry) bool { return e.Team == t.Name }) {
			out.Teams = append(out.Teams, t)
		}
	}
	slices.SortFunc(out.Teams, func(a, b Team) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// Get is one service, by its own name or a name of telemetry. Of several namespaces it is the one that is named.
func (r *Room) Get(ctx context.Context, service, namespace string) (Entry, error) {
	entries, err := r.entries(ctx)
	if err != nil {
		return Entry{}, err
	}
	var found []Entry
	var names []string
	for _, e := range entries {
		names = append(names, e.Service)
		if (e.Service == service || slices.Contains(e.Telemetry, service)) && (namespace == "" || e.Namespace == namespace) {
			found = append(found, e)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		if len(names) == 0 {
			return Entry{}, fmt.Errorf("service %s: %w; the catalogue is empty: name files in catalog_files, or send telemetry", service, store.ErrNotFound)
		}
		return Entry{}, fmt.Errorf("service %s: %w; %s", service, store.ErrNotFound, document.DidYouMean(service, names))
	}
	var spaces []string
	for _, e := range found {
		spaces = append(spaces, e.Namespace)
	}
	return Entry{}, requestError{fmt.Errorf("several services are called %s: name the namespace, one of %s", service, strings.Join(spaces, ", "))}
}

// Gaps are what the services lack that the caller sees.
func (r *Room) Gaps(ctx context.Context) (GapList, error) {
	entries, err := r.entries(ctx)
	if err != nil {
		return GapList{}, err
	}
	out := GapList{Gaps: []Gap{}, Excused: []Gap{}}
	lacking := 0
	for _, e := range entries {
		before := len(out.Gaps)
		for _, g := range e.Gaps {
			if g.Excused == "" {
				out.Gaps = append(out.Gaps, g)
			} else {
				out.Excused = append(out.Excused, g)
			}
		}
		if len(out.Gaps) > before {
			lacking++
		}
	}
	slices.SortStableFunc(out.Gaps, func(a, b Gap) int { return cmp.Compare(rank(a.Tier), rank(b.Tier)) })
	switch {
	case len(entries) == 0:
		out.Summary = "The catalogue is empty."
	case len(out.Gaps) == 0:
		out.Summary = fmt.Sprintf("No gap in %s.", count(len(entries), "service"))
	default:
		out.Summary = fmt.Sprintf("%s in %d of %s.", count(len(out.Gaps), "gap"), lacking, count(len(entries), "service"))
	}
	return out, nil
}

// rank puts what is not said behind what is.
func rank(tier int) int {
	if tier == 0 {
		return maxTier + 1
	}
	return tier
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

func summary(entries []Entry) string {
	if len(entries) == 0 {
		return "The catalogue is empty: name files in catalog_files, or send telemetry."
	}
	unowned, gaps := 0, 0
	for _, e := range entries {
		if e.Team == "" {
			unowned++
		}
		if slices.ContainsFunc(e.Gaps, func(g Gap) bool { return g.Excused == "" }) {
			gaps++
		}
	}
	switch {
	case unowned > 0:
		return fmt.Sprintf("%s; nobody owns %d, gaps in %d.", count(len(entries), "service"), unowned, gaps)
	case gaps > 0:
		return fmt.Sprintf("%s, each with an owner; gaps in %d.", count(len(entries), "service"), gaps)
	}
	return fmt.Sprintf("%s, each with an owner and without a gap.", count(len(entries), "service"))
}

// requestError marks a mistake of the caller's.
type requestError struct{ error }

// BadRequest tells the API whose fault it is.
func (requestError) BadRequest() {}

// entries are all that the caller sees, by name.
func (r *Room) entries(ctx context.Context) ([]Entry, error) {
	if err := r.fresh(ctx); err != nil {
		return nil, err
	}
	scope := access.ScopeFor(ctx, access.ServicesRead)
	sheet, seen := r.Value(), r.seen.Load()
	all := r.gather(sheet, seen)
	calls, err := r.calls(ctx)
	if err != nil {
		return nil, err
	}
	relate(all, calls)
	out := []Entry{}
	for _, one := range all {
		if !one.visible(scope) {
			continue
		}
		e := one.Entry
		e.DependsOn, e.Dependents = shown(one.needs, scope), shown(one.needed, scope)
		hasSLO := true
		if r.deps.HasSLO != nil && e.Kind == KindService {
			if hasSLO, err = r.hasSLO(ctx, e); err != nil {
				return nil, err
			}
		}
		onCall := r.deps.OnCall == nil || r.deps.OnCall(e.Telemetry[0], e.Team, e.Contact.Escalation, e.Contact.Schedule)
		e.gaps(one.excused, hasSLO, onCall, len(sheet.Services) > 0)
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b Entry) int {
		return cmp.Or(strings.Compare(a.Service, b.Service), strings.Compare(a.Namespace, b.Namespace))
	})
	return out, nil
}

func (r *Room) hasSLO(ctx context.Context, e Entry) (bool, error) {
	for _, name := range e.Telemetry {
		if has, err := r.deps.HasSLO(ctx, name); err != nil || has {
			return has, err
		}
	}
	return false, nil
}

// made is an entry in the making.
type made struct {
	Entry
	spaces        []string // in which it is seen, where no file says it
	declared      []string
	excused       map[string]string
	needs, needed map[*made]Relationship
}

// visible: a service belongs to its namespace, or to all in which it is seen.
func (m *made) visible(scope access.Scope) bool {
	if scope.All || m.Namespace != "" {
		return scope.Sees(m.Namespace)
	}
	return slices.ContainsFunc(m.spaces, scope.Sees)
}

// gather makes one entry for each service of files, and for each of telemetry that none of them is.
func (r *Room) gather(sheet Sheet, seen *snapshot) []*made {
	var all []*made
	by := map[*Service]*made{}
	for i := range sheet.Services {
		s := &sheet.Services[i]
		m := r.fromFile(sheet, s)
		by[s] = m
		all = append(all, m)
	}
	for _, at := range slices.SortedFunc(maps.Keys(seen.team), func(a, b spot) int {
		return cmp.Or(strings.Compare(a.service, b.service), strings.Compare(a.namespace, b.namespace))
	}) {
		if s := sheet.find(at.service, at.namespace); s != nil {
			m := by[s]
			m.Seen, m.spaces = true, append(m.spaces, at.namespace)
			continue
		}
		o, _ := r.Owner(at.service, at.namespace)
		m := &made{Entry: Entry{
			Service: at.service, Namespace: at.namespace, Team: o.Team, Kind: KindService, Source: FromTelemetry, Seen: true,
			Described: Described{Telemetry: []string{at.service}, Links: []Link{}},
			Contact:   Contact{Escalation: o.Escalation, Schedule: o.Schedule, Chat: o.Chat}, Runbooks: r.runbooksOf(at.service, nil),
		}, spaces: []string{at.namespace}}
		all = append(all, m)
	}
	return all
}

func (r *Room) fromFile(sheet Sheet, s *Service) *made {
	o, _ := r.Owner(s.names()[0], s.Namespace)
	m := &made{declared: s.DependsOn, excused: s.Excused, Entry: Entry{
		Service: s.Name, Namespace: s.Namespace, Team: cmp.Or(s.Team, o.Team), Tier: s.Tier, Kind: s.Kind, Source: FromFile,
		Described: Described{Title: s.Title, Description: s.Description, System: s.System, Lifecycle: s.Lifecycle, Telemetry: s.names(), Links: s.Links},
		Contact:   Contact{Escalation: o.Escalation, Schedule: o.Schedule, Chat: o.Chat}, Runbooks: r.runbooksOf(s.Name, s.Runbooks),
	}}
	if m.Links == nil {
		m.Links = []Link{}
	}
	if t := sheet.team(m.Team); t != nil {
		m.Contact.Email = t.Email
	}
	return m
}

// calls are the edges of the last day.
func (r *Room) calls(ctx context.Context) ([]model.Edge, error) {
	if r.deps.Edges == nil {
		return nil, nil
	}
	now := r.now()
	return r.deps.Edges(ctx, store.Range{Start: now.Add(-lookBack).UnixNano(), End: now.UnixNano()})
}

// relate lays declared and seen dependencies together.
func relate(all []*made, calls []model.Edge) {
	by := map[string]*made{}
	for _, m := range slices.Backward(all) { // the first of a name is meant
		m.needs, m.needed = map[*made]Relationship{}, map[*made]Relationship{}
		for _, n := range append(slices.Clone(m.Telemetry), m.Service) {
			by[n] = m
		}
	}
	link := func(from, to *made, set func(*Relationship)) {
		if from == to {
			return
		}
		n, d := from.needs[to], to.needed[from]
		n.Service, d.Service = to.Service, from.Service
		set(&n)
		set(&d)
		from.needs[to], to.needed[from] = n, d
	}
	other := func(name string) *made {
		if by[name] == nil { // in no catalogue and without telemetry of its own: a name
			by[name] = &made{Entry: Entry{Service: name}, needs: map[*made]Relationship{}, needed: map[*made]Relationship{}}
		}
		return by[name]
	}
	for _, m := range all {
		for _, name := range m.declared {
			link(m, other(name), func(r *Relationship) { r.Declared = true })
		}
	}
	for _, c := range calls {
		if c.Client != "" && c.Server != "" {
			link(other(c.Client), other(c.Server), func(r *Relationship) { r.Seen = true })
		}
	}
}

// shown are dependencies by name; those that the caller does not see say of which namespace they are.
func shown(list map[*made]Relationship, scope access.Scope) []Relationship {
	by := map[string]Relationship{}
	for m, one := range list {
		if m.Source != "" && !m.visible(scope) {
			one.Service = access.Hidden(cmp.Or(m.Namespace, strings.Join(m.spaces[:min(1, len(m.spaces))], "")))
		}
		both := by[one.Service]
		by[one.Service] = Relationship{Service: one.Service, Declared: one.Declared || both.Declared, Seen: one.Seen || both.Seen}
	}
	out := []Relationship{}
	for _, name := range slices.Sorted(maps.Keys(by)) {
		out = append(out, by[name])
	}
	return out
}
