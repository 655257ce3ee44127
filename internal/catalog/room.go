package catalog

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/storage"

	"github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/weblink"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Deps is what a Room is given. What is nil is not known: then no gap is told of it.
type Deps struct {
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Series     storage.Queryable
	// Edges are the calls that were seen, within what the caller sees.
	Edges func(ctx context.Context, r store.Range) ([]model.Edge, error)
	// HasSLO says whether a service has an SLO that the caller sees.
	HasSLO func(ctx context.Context, service string) (bool, error)
	// OnCall says whether somebody is paged for a service: by the policy or the schedule that the catalogue names, or else by its
	// team's.
	OnCall func(service, team, escalation, schedule string) bool
	// Runbooks are those that say that they are for a service.
	Runbooks func(service string) []Runbook
	// Runbook is one by its name.
	Runbook func(name string) (Runbook, bool)
	Now     func() time.Time // nil means time.Now
}

// Runbook is where it stands what to do.
type Runbook struct {
	Name  string `json:"name,omitempty" doc:"of one of runbook_files; absent for a link elsewhere"`
	Title string `json:"title"`
	URL   string `json:"url" doc:"a path of this server, or a link"`
}

// Room answers what services there are and whose.
type Room struct {
	*document.Catalog[Sheet]
	deps Deps
	log  *slog.Logger
	now  func() time.Time
	seen atomic.Pointer[snapshot]
	kept keptTeams
}

// New makes a Room without any service; Run looks at telemetry.
func New(deps Deps) (*Room, error) {
	if deps.Series == nil {
		return nil, errors.New("catalog: it needs series")
	}
	failed := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "signalbox_catalog_load_failed", Help: "1 while catalogue files have errors and their last good versions are in force.",
	})
	count := prometheus.NewGauge(prometheus.GaugeOpts{Name: "signalbox_catalog_services", Help: "Services of catalogue files in force."})
	if err := instrument.Register(deps.Registerer, "catalogue", failed, count); err != nil {
		return nil, err
	}
	deps.Logger = instrument.Logger(deps.Logger)
	r := &Room{deps: deps, log: deps.Logger, now: deps.Now, Catalog: document.NewCatalog(Sheet{}, document.Options[Sheet]{
		Files: Files(), Build: buildSheet, Log: deps.Logger, Failed: failed, Count: count,
		Size: func(s Sheet) int { return len(s.Services) },
	})}
	if r.now == nil {
		r.now = time.Now
	}
	r.kept.teams = map[string]keptTeam{}
	return r, nil
}

// Owned is whose a service is and how they are reached.
type Owned struct {
	Service    string
	Namespace  string
	Team       string
	Tier       int    // 0 is not said
	Escalation string // name of an escalation policy
	Schedule   string // name of an on-call schedule
	Chat       string
	Runbooks   []Runbook
}

// Owner is whose a service is, by the name that telemetry and alerts give it: what files say, or else what its telemetry says.
// Without a namespace it is the only service of that name; of several with that name it is none.
func (r *Room) Owner(service, namespace string) (Owned, bool) {
	sheet := r.Value()
	if s := sheet.find(service, namespace); s != nil {
		o := Owned{
			Service: s.Name, Namespace: cmp.Or(s.Namespace, namespace), Team: s.Team, Tier: s.Tier,
			Escalation: s.Escalation, Schedule: s.Schedule, Chat: s.Chat, Runbooks: r.runbooksOf(s.Name, s.Runbooks),
		}
		if o.Team == "" {
			o.Team = r.toldTeam(service, namespace)
		}
		o.of(sheet.team(o.Team))
		return o, true
	}
	if team := r.toldTeam(service, namespace); team != "" {
		o := Owned{Service: service, Namespace: namespace, Team: team, Runbooks: r.runbooksOf(service, nil)}
		o.of(sheet.team(team))
		return o, true
	}
	return Owned{}, false
}

// of fills in what is the team's where the service has nothing of its own.
func (o *Owned) of(t *Team) {
	if t == nil {
		return
	}
	if o.Escalation == "" && o.Schedule == "" {
		o.Escalation, o.Schedule = t.Escalation, t.Schedule
	}
	o.Chat = cmp.Or(o.Chat, t.Chat)
}

// find is the service that is meant by a name of telemetry and a namespace, or none.
func (s Sheet) find(service, namespace string) *Service {
	var anywhere []*Service
	for i := range s.Services {
		one := &s.Services[i]
		if service == "" || !slices.Contains(one.names(), service) {
			continue
		}
		if one.Namespace == namespace {
			return one // the first of two that claim a name
		}
		anywhere = append(anywhere, one)
	}
	for _, one := range anywhere {
		if one.Namespace == "" {
			return one // in whatever namespace it runs
		}
	}
	if namespace == "" && len(anywhere) == 1 {
		return anywhere[0]
	}
	return nil
}

func (s Sheet) team(name string) *Team {
	if i := slices.IndexFunc(s.Teams, func(t Team) bool { return name != "" && t.Name == name }); i >= 0 {
		return &s.Teams[i]
	}
	return nil
}

// toldTeam is the team that telemetry names for a service.
func (r *Room) toldTeam(service, namespace string) string {
	seen := r.seen.Load()
	if seen == nil {
		return ""
	}
	if team, exact := seen.team[spot{service, namespace}]; exact {
		return team
	}
	if all := seen.namespaces(service); namespace == "" && len(all) == 1 {
		return seen.team[spot{service, all[0]}]
	}
	return ""
}

// runbooksOf are those that a service names and those that name it.
func (r *Room) runbooksOf(service string, named []string) []Runbook {
	out := []Runbook{}
	add := func(b Runbook) {
		if !slices.ContainsFunc(out, func(o Runbook) bool { return o.URL == b.URL }) {
			out = append(out, b)
		}
	}
	for _, name := range named {
		if weblink.Check(name) == nil {
			add(Runbook{Title: name, URL: name})
		} else if r.deps.Runbook != nil {
			if b, known := r.deps.Runbook(name); known {
				add(b)
			}
		}
	}
	if r.deps.Runbooks != nil {
		for _, b := range r.deps.Runbooks(service) {
			add(b)
		}
	}
	return out
}
