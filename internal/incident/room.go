package incident

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Kinds of documents: incidents, and which incident a page belongs to.
const (
	kind     = "incident"
	kindPage = "incident.page"
	// kindBegun is when incidents were first kept here: what ended before opens none.
	kindBegun = "incident.begun"
)

const (
	// lookEvery is how often pages are looked at though nobody said that one changed.
	lookEvery = 15 * time.Second
	// maxLive bounds how many incidents are live, and maxPages how many pages one lists.
	maxLive, maxPages = 500, 1000
	// maxTries bounds how often a change is made anew because somebody else was quicker.
	maxTries = 20
	// Signalbox is who does what nobody did.
	signalbox = "signalbox"
)

// PageStore knows who was paged.
type PageStore interface {
	Pages(context.Context, store.PageQuery) ([]model.Page, error)
	Page(ctx context.Context, id string) (model.Page, error)
}

// Edges knows who calls whom.
type Edges interface {
	Edges(ctx context.Context, tenant string, r store.Range) ([]model.Edge, error)
}

// Owners know to whom services belong.
type Owners interface {
	Of(ctx context.Context, service string) ([]string, error)
}

// Deps is what a Room is given. Edges and Owners may be nil.
type Deps struct {
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Documents  store.DocumentStore
	Pages      PageStore
	Edges      Edges
	Owners     Owners
	Sources    Sources
	Signs      Finder           // nil where metrics and logs cannot be asked
	Now        func() time.Time // nil means time.Now
}

// Room keeps incidents; Run must run.
type Room struct {
	deps   Deps
	log    *slog.Logger
	opened *prometheus.CounterVec
	nudge  chan struct{}
	fresh  chan struct{} // an incident was opened

	turn sync.Mutex // one decision at a time about what joins what

	mu      sync.Mutex // guards what follows
	pending map[string]sighting
	behind  bool // more changed than pending holds
}

// New makes a Room.
func New(deps Deps) (*Room, error) {
	if deps.Documents == nil || deps.Pages == nil {
		return nil, errors.New("incidents: they need documents and pages")
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	r := &Room{
		deps: deps, log: instrument.Logger(deps.Logger), nudge: make(chan struct{}, 1), fresh: make(chan struct{}, 1), pending: map[string]sighting{},
		opened: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "signalbox_incidents_opened_total", Help: "Incidents that were opened, by whom (page, person)."}, []string{"by"}),
	}
	return r, instrument.Register(deps.Registerer, "incidents", r.opened)
}

// refused is the caller's fault.
type refused struct{ error }

// BadRequest says whose fault it is.
func (refused) BadRequest() {}

func refuse(format string, args ...any) error { return refused{fmt.Errorf(format, args...)} }

// kept is an incident and the document that it is.
type kept struct {
	Incident
	doc     store.Document
	changed bool
}

func decode(d store.Document) (*kept, error) {
	k := &kept{doc: d}
	if err := json.Unmarshal(d.Body, &k.Incident); err != nil {
		return nil, fmt.Errorf("incident %s is damaged: %w", d.ID, err)
	}
	return k, nil
}

// document is what is kept of an incident.
func (k *kept) document() (store.Document, error) {
	k.settle()
	body, err := json.Marshal(k.Incident)
	d := k.doc
	d.Kind, d.ID, d.Status, d.Time, d.Body = kind, k.ID, string(k.Status), k.Times.Detected, body
	return d, err
}

// settle brings into order what follows from the rest.
func (k *kept) settle() {
	i := &k.Incident
	slices.Sort(i.Services)
	i.Services = slices.Compact(slices.DeleteFunc(i.Services, func(s string) bool { return s == "" }))
	if i.Services == nil {
		i.Services = []string{}
	}
	slices.Sort(i.Origin.Namespaces)
	i.Origin.Namespaces = slices.Compact(i.Origin.Namespaces)
	if i.Origin.Namespaces == nil {
		i.Origin.Namespaces = []string{}
	}
	if i.Notes == nil {
		i.Notes = []Note{}
	}
	if i.Actions == nil {
		i.Actions = []Task{}
	}
	if i.Pages.List == nil {
		i.Pages.List = []Page{}
	}
	slices.SortStableFunc(i.Pages.List, func(a, b Page) int { return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.ID, b.ID)) })
	unlisted := max(0, i.Pages.Count-len(i.Pages.List))
	i.Pages.Firing, i.Pages.Alerts = unlisted, unlisted
	for _, p := range i.Pages.List {
		i.Pages.Alerts += p.Alerts
		if p.Ended == nil {
			i.Pages.Firing++
		}
	}
}

// maxNotes bounds what is said of one incident; what Signalbox said goes first.
const maxNotes = 2000

func (k *kept) say(now time.Time, by, kind, format string, args ...any) {
	k.changed = true
	if len(k.Notes) >= maxNotes {
		if i := slices.IndexFunc(k.Notes, func(n Note) bool { return n.By == signalbox }); i >= 0 {
			k.Notes = slices.Delete(k.Notes, i, i+1)
		}
	}
	k.Notes = append(k.Notes, Note{Time: now.UTC(), By: by, Kind: kind, Text: fmt.Sprintf(format, args...)})
}

// visible says whether a caller may see an incident.
func visible(scope access.Scope, i Incident) bool {
	return scope.All || len(i.Origin.Namespaces) > 0 && !slices.ContainsFunc(i.Origin.Namespaces, func(n string) bool { return !scope.Sees(n) })
}

// load is one incident that the caller sees.
func (r *Room) load(ctx context.Context, id string) (*kept, error) {
	d, err := r.deps.Documents.Document(ctx, kind, id)
	if err != nil {
		return nil, err
	}
	k, err := decode(d)
	if err == nil && !visible(access.ScopeFor(ctx, access.IncidentsRead), k.Incident) {
		err = fmt.Errorf("%s %s: %w", kind, id, store.ErrNotFound)
	}
	return k, err
}

// change changes one incident, anew if somebody else was quicker.
func (r *Room) change(ctx context.Context, id string, how func(*kept) error) (Incident, error) {
	for try := 0; ; try++ {
		k, err := r.load(ctx, id)
		if err != nil {
			return Incident{}, err
		}
		if err := how(k); err != nil {
			return Incident{}, err
		}
		d, err := k.document()
		if err != nil {
			return Incident{}, err
		}
		_, err = r.deps.Documents.SaveDocuments(ctx, d)
		if errors.Is(err, store.ErrChanged) && try < maxTries {
			continue
		}
		return k.Incident, err
	}
}
