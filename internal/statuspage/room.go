package statuspage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/slo/ledger"
	"github.com/signalbox-project/signalbox/internal/store"
)

// kind is that of the documents of announcements.
const kind = "status.post"

const (
	// keptPosts bounds how many announcements a page looks at, keptFor how old they may be.
	keptPosts = 500
	keptFor   = 366 * 24 * time.Hour
	maxTries  = 20
	// Signalbox is who does what nobody did.
	signalbox = "signalbox"
)

// Sources are what pages are told by the rooms around.
type Sources struct {
	// Incidents are those that are live.
	Incidents func(context.Context) ([]Incident, error)
	// SLODays is what an SLO counted on so many UTC days from first on; ErrNotFound when it is not defined.
	SLODays func(ctx context.Context, slo string, first time.Time, days int) ([]ledger.Cell, error)
	// ProbeDays likewise, in runs of a probe.
	ProbeDays func(ctx context.Context, probe string, first time.Time, days int) ([]ledger.Cell, error)
	// SLOsOf are the names of the SLOs of a service.
	SLOsOf func(service string) []string
	// Services are those of the catalogue that are of some tiers.
	Services func(tiers []int) []Service
}

// Incident is what of an incident matters here.
type Incident struct {
	ID       string
	Severity string
	Services []string
	Started  time.Time
}

// Service is one of the catalogue.
type Service struct {
	Name  string
	Title string
	Names []string // in telemetry
}

// Deps is what a Room is given.
type Deps struct {
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Documents  store.DocumentStore
	Sources    Sources
	Now        func() time.Time // nil means time.Now
}

// Room has the pages in force and what was announced; Run must run.
type Room struct {
	*document.Catalog[[]Page]
	deps    Deps
	log     *slog.Logger
	now     func() time.Time
	changes atomic.Uint64 // counts what may have changed a view

	mu    sync.Mutex
	days  map[string][]ledger.Cell // by source, the last of today
	first time.Time                // the first of them
}

// New makes a Room without any page.
func New(deps Deps) (*Room, error) {
	if deps.Documents == nil {
		return nil, errors.New("status pages: they need documents")
	}
	failed := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "signalbox_status_page_load_failed", Help: "1 while files of status pages have errors and their last good versions are in force.",
	})
	count := prometheus.NewGauge(prometheus.GaugeOpts{Name: "signalbox_status_pages", Help: "Status pages in force."})
	if err := instrument.Register(deps.Registerer, "status pages", failed, count); err != nil {
		return nil, err
	}
	r := &Room{deps: deps, log: instrument.Logger(deps.Logger), now: deps.Now, days: map[string][]ledger.Cell{}}
	if r.now == nil {
		r.now = time.Now
	}
	r.Catalog = document.NewCatalog[[]Page](nil, document.Options[[]Page]{
		Files: Files(), Build: buildPages, Log: r.log, Failed: failed, Count: count, Size: func(list []Page) int { return len(list) },
	})
	return r, nil
}

// Page is one by its name, with what the catalogue adds.
func (r *Room) Page(name string) (Page, error) {
	var names []string
	for _, p := range r.Value() {
		if p.Name == name {
			return r.whole(p), nil
		}
		names = append(names, p.Name)
	}
	if near := document.DidYouMean(name, names); near != "" {
		return Page{}, fmt.Errorf("there is no status page %q, %s: %w", name, near, store.ErrNotFound)
	}
	return Page{}, fmt.Errorf("there is no status page %q: %w", name, store.ErrNotFound)
}

// ByHost is the public page whose own address has a host.
func (r *Room) ByHost(host string) (Page, bool) {
	for _, p := range r.Value() {
		if p.Public && strings.EqualFold(p.host(), host) && host != "" {
			return r.whole(p), true
		}
	}
	return Page{}, false
}

// whole is a page with the components that the catalogue adds.
func (r *Room) whole(p Page) Page {
	if len(p.Tiers) == 0 || p.Public || r.deps.Sources.Services == nil {
		return p
	}
	p.Components = slices.Clone(p.Components)
	for _, s := range r.deps.Sources.Services(p.Tiers) {
		id := idOf(s.Name)
		if _, known := p.Component(id); known || len(p.Components) >= maxComponents || !nameRE.MatchString(id) {
			continue
		}
		p.Components = append(p.Components, Component{ID: id, Title: s.Title, Services: s.Names, SLOs: []string{everySLO}})
	}
	return p
}

// idOf makes the ID of a component of the name of a service.
func idOf(name string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '-'
	}, strings.ToLower(name)), "-_")
}

// Changes grows whenever a view may be another than before.
func (r *Room) Changes() uint64 { return r.changes.Load() }

// refused is the caller's fault.
type refused struct{ error }

// BadRequest says whose fault it is.
func (refused) BadRequest() {}

func refuse(format string, args ...any) error { return refused{fmt.Errorf(format, args...)} }

func decode(d store.Document) (p Post, err error) {
	if err = json.Unmarshal(d.Body, &p); err != nil {
		err = fmt.Errorf("announcement %s is damaged: %w", d.ID, err)
	}
	return p, err
}

// save keeps a post at the version that was read.
func (r *Room) save(ctx context.Context, p Post, version int64) error {
	body, err := json.Marshal(p)
	if err != nil {
		return err
	}
	_, err = r.deps.Documents.SaveDocuments(ctx, store.Document{Kind: kind, ID: p.ID, Version: version, Status: liveness(p), Time: p.Created, Body: body})
	if err == nil {
		r.changes.Add(1)
	}
	return err
}

// liveness is what lists of posts select by.
func liveness(p Post) string {
	switch {
	case len(p.Pages) == 0:
		return "withdrawn"
	case p.Status.Over():
		return "over"
	}
	return "live"
}

// change changes one post, anew if somebody else was quicker.
func (r *Room) change(ctx context.Context, id string, how func(*Post) error) (Post, error) {
	for try := 0; ; try++ {
		d, err := r.deps.Documents.Document(ctx, kind, id)
		if err != nil {
			return Post{}, err
		}
		p, err := decode(d)
		if err == nil && len(p.Pages) == 0 {
			err = fmt.Errorf("announcement %s was withdrawn: %w", id, store.ErrNotFound)
		}
		if err == nil {
			err = how(&p)
		}
		if err != nil {
			return Post{}, err
		}
		err = r.save(ctx, p, d.Version)
		if errors.Is(err, store.ErrChanged) && try < maxTries {
			continue
		}
		return p, err
	}
}

// posts are announcements with a liveness ("" means any), the newest first.
func (r *Room) posts(ctx context.Context, status string) (out []Post, err error) {
	q := store.DocumentQuery{Kind: kind, Status: status, Limit: 200}
	if status == "" {
		q.Start = r.now().Add(-keptFor)
	}
	for len(out) < keptPosts {
		list, next, err := r.deps.Documents.Documents(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, d := range list {
			p, err := decode(d)
			if err != nil {
				r.log.ErrorContext(ctx, "an announcement cannot be read and is left out", "id", d.ID, "err", err)
				continue
			}
			out = append(out, p)
		}
		if q.Before = next; next == "" {
			break
		}
	}
	return out, nil
}
