package oncall

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/oncall/rota"
	"github.com/signalbox-project/signalbox/internal/store"
)

const (
	// overrideKind is of the documents that hold overrides; their IDs begin with the schedule's name and the separator,
	// which no name holds.
	overrideKind = "oncall.override"
	separator    = ":"
	// maxOverride bounds one override: who takes over for longer is a change of the roster.
	maxOverride = 92 * 24 * time.Hour
	// maxOverrides bounds those of one schedule that matter to one question.
	maxOverrides = 1000
)

// ErrUnknown is wrapped where a schedule or a person is asked for that no file names.
var ErrUnknown = store.ErrNotFound

// Deps is what a Room is given.
type Deps struct {
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	State      store.DocumentStore
	Now        func() time.Time // nil means time.Now
	// Tell hands what nobody has to get up for to a person, and says by what; nil tells nobody.
	Tell func(ctx context.Context, to Person, title, text string) (by string, err error)
}

// Room answers who is on call. It is safe for concurrent use.
type Room struct {
	*document.Catalog[Roster]
	log   *slog.Logger
	state store.DocumentStore
	now   func() time.Time
	tell  func(ctx context.Context, to Person, title, text string) (by string, err error)
}

// New makes a Room without any schedule.
func New(deps Deps) (*Room, error) {
	failed := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "signalbox_oncall_load_failed", Help: "1 while on-call files have errors and their last good versions are in force.",
	})
	count := prometheus.NewGauge(prometheus.GaugeOpts{Name: "signalbox_oncall_schedules", Help: "On-call schedules in force."})
	if err := instrument.Register(deps.Registerer, "on-call", failed, count); err != nil {
		return nil, err
	}
	deps.Logger = instrument.Logger(deps.Logger)
	r := &Room{log: deps.Logger, state: deps.State, now: deps.Now, tell: deps.Tell, Catalog: document.NewCatalog(Roster{}, document.Options[Roster]{
		Files: Files(), Build: buildRoster, Log: deps.Logger, Failed: failed, Count: count,
		Size: func(r Roster) int { return len(r.Schedules) },
	})}
	if r.now == nil {
		r.now = time.Now
	}
	return r, nil
}

// Shift is a time in which somebody is on call.
type Shift struct {
	Schedule string    `json:"schedule"`
	Person   Person    `json:"person"`
	Start    time.Time `json:"start"`
	End      time.Time `json:"end"`
	Layer    string    `json:"layer,omitempty" doc:"the rotation whose turn it is; none for an override"`
	Override string    `json:"override,omitempty" doc:"the ID of the override, if it is one"`
}

// Schedule is how a schedule stands now.
type Schedule struct {
	Name     string   `json:"name"`
	Team     string   `json:"team,omitempty"`
	TimeZone string   `json:"time_zone"`
	People   []Person `json:"people" doc:"all who ever have a turn"`
	Now      *Turn    `json:"now,omitempty" doc:"who is on call; absent if nobody is"`
	Next     *Turn    `json:"next,omitempty" doc:"who is next, within 40 days"`
}

// Turn is a shift as it is seen from a moment: of its ends, those that lie farther away than is looked are not known.
type Turn struct {
	Schedule       string    `json:"schedule"`
	Person         Person    `json:"person"`
	Start          time.Time `json:"start,omitzero" doc:"absent if it began more than 40 days before"`
	End            time.Time `json:"end,omitzero" doc:"absent if it goes on for longer than 40 days, or for ever"`
	NoChangeBefore time.Time `json:"no_change_before,omitzero" doc:"where end is absent: how far was looked"`
	Layer          string    `json:"layer,omitempty" doc:"the rotation whose turn it is; none for an override"`
	Override       string    `json:"override,omitempty" doc:"the ID of the override, if it is one"`
}

// Schedules are all, by name, with who is on call at a time.
func (r *Room) Schedules(ctx context.Context, at time.Time) ([]Schedule, error) {
	roster := r.Value()
	out := make([]Schedule, 0, len(roster.Schedules))
	for _, d := range roster.Schedules {
		s := Schedule{Name: d.Name, Team: d.Team, TimeZone: d.rota.Zone.String(), People: []Person{}}
		for _, name := range d.people() {
			s.People = append(s.People, roster.person(name))
		}
		full, err := r.whole(ctx, d, at.Add(-look), at.Add(look))
		if err != nil {
			return nil, err
		}
		for _, span := range full.Spans(at.Add(-look), at.Add(look)) {
			if !at.Before(span.Start) && at.Before(span.End) {
				s.Now = roster.turn(d.Name, span, at)
			} else if span.Start.After(at) {
				s.Next = roster.turn(d.Name, span, at)
				break
			}
		}
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b Schedule) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// look is how far to either side of now shifts are shown.
const look = 40 * 24 * time.Hour

// Shifts are who is on call by a schedule in a span of time, cut there.
func (r *Room) Shifts(ctx context.Context, schedule string, from, to time.Time) ([]Shift, error) {
	roster := r.Value()
	d, err := roster.schedule(schedule)
	if err != nil {
		return nil, err
	}
	full, err := r.whole(ctx, d, from, to)
	if err != nil {
		return nil, err
	}
	out := []Shift{}
	for _, span := range full.Spans(from, to) {
		out = append(out, roster.shift(schedule, span))
	}
	return out, nil
}

// whole is a schedule with the overrides that matter in a span of time.
func (r *Room) whole(ctx context.Context, d Definition, from, to time.Time) (rota.Schedule, error) {
	s := d.rota
	overrides, err := r.overrides(ctx, d.Name, from, to)
	for _, o := range overrides {
		s.Overrides = append(s.Overrides, rota.Override{ID: o.ID, Start: o.Start, End: o.End, Person: o.Person})
	}
	return s, err
}

func (r Roster) schedule(name string) (Definition, error) {
	var names []string
	for _, d := range r.Schedules {
		if d.Name == name {
			return d, nil
		}
		names = append(names, d.Name)
	}
	if len(names) == 0 {
		return Definition{}, fmt.Errorf("there is no on-call schedule yet, name files of schedules in oncall_files: %w", ErrUnknown)
	}
	return Definition{}, fmt.Errorf("on-call schedule %q: %w; %s", name, ErrUnknown, document.DidYouMean(name, names))
}

// person is whom a name stands for; a name alone for somebody whom no file names any more.
func (r Roster) person(name string) Person {
	for _, p := range r.People {
		if p.Name == name {
			return p
		}
	}
	return Person{Name: name}
}

func (r Roster) shift(schedule string, s rota.Span) Shift {
	return Shift{Schedule: schedule, Person: r.person(s.Person), Start: s.Start.UTC(), End: s.End.UTC(), Layer: s.Layer, Override: s.Override}
}

func (r Roster) turn(schedule string, span rota.Span, at time.Time) *Turn {
	s := r.shift(schedule, span)
	t := Turn{Schedule: s.Schedule, Person: s.Person, Layer: s.Layer, Override: s.Override}
	// What reaches one of these was cut there.
	if span.Start.After(at.Add(-look)) {
		t.Start = s.Start
	}
	if far := at.Add(look); span.End.Before(far) {
		t.End = s.End
	} else {
		t.NoChangeBefore = far.UTC()
	}
	return &t
}

// Override puts somebody on call for a while, whoever's turn it is.
type Override struct {
	ID       string    `json:"id,omitempty" doc:"given by Signalbox"`
	Schedule string    `json:"schedule" maxLength:"200"`
	Person   string    `json:"person" maxLength:"200"`
	Start    time.Time `json:"start"`
	End      time.Time `json:"end"`
	Reason   string    `json:"reason,omitempty" maxLength:"500"`
	By       string    `json:"by,omitempty" maxLength:"200" doc:"who arranged it"`
	Created  time.Time `json:"created,omitzero"`
}

// badRequest is the caller's fault.
type badRequest struct{ error }

// BadRequest says whose fault it is.
func (badRequest) BadRequest() {}

func refuse(format string, args ...any) error { return badRequest{fmt.Errorf(format, args...)} }

// Override keeps overrides, all or none: a swap is two.
func (r *Room) Override(ctx context.Context, overrides ...Override) ([]Override, error) {
	made, docs, err := r.overriding(overrides)
	if err != nil {
		return nil, err
	}
	_, err = r.state.SaveDocuments(ctx, docs...)
	return made, err
}

// overriding checks overrides and makes their documents.
func (r *Room) overriding(overrides []Override) ([]Override, []store.Document, error) {
	roster, now := r.Value(), r.now().UTC()
	docs := make([]store.Document, 0, len(overrides))
	for i := range overrides {
		o := &overrides[i]
		if _, err := roster.schedule(o.Schedule); err != nil {
			return nil, nil, err
		}
		if err := roster.knows(o.Person); err != nil {
			return nil, nil, err
		}
		switch {
		case !o.Start.Before(o.End):
			return nil, nil, refuse("it ends (%s) before it begins (%s)", o.End.Format(time.RFC3339), o.Start.Format(time.RFC3339))
		case o.End.Sub(o.Start) > maxOverride:
			return nil, nil, refuse("it lasts longer than %d days; who takes over for so long is a change of the roster in the file", int(maxOverride.Hours()/24))
		case !o.End.After(now):
			return nil, nil, refuse("it is over: it ends %s", o.End.Format(time.RFC3339))
		}
		o.ID, o.Created = o.Schedule+separator+uuid.NewString(), now.Add(time.Duration(i)) // the order of a swap's two is kept
		body, err := json.Marshal(o)
		if err != nil {
			return nil, nil, err
		}
		docs = append(docs, store.Document{Kind: overrideKind, ID: o.ID, Time: o.Start, Body: body})
	}
	return overrides, docs, nil
}

// Overrides are those of a schedule that matter in a span of time, in the order in which they were made.
func (r *Room) Overrides(ctx context.Context, schedule string, from, to time.Time) ([]Override, error) {
	if _, err := r.Value().schedule(schedule); err != nil {
		return nil, err
	}
	return r.overrides(ctx, schedule, from, to)
}

func (r *Room) overrides(ctx context.Context, schedule string, from, to time.Time) ([]Override, error) {
	docs, next, err := r.state.Documents(ctx, store.DocumentQuery{
		Kind: overrideKind, Prefix: schedule + separator, Start: from.Add(-maxOverride), End: to, Limit: maxOverrides,
	})
	if err != nil {
		return nil, err
	}
	if next != "" {
		return nil, refuse("more than %d overrides of schedule %s between %s and %s: ask for a shorter time", maxOverrides, schedule, from.Format(time.DateOnly), to.Format(time.DateOnly))
	}
	out := []Override{}
	for _, d := range docs {
		var o Override
		if err := json.Unmarshal(d.Body, &o); err != nil {
			// It must not hide who is on call.
			r.log.Error("an override of an on-call schedule is damaged and does not count", "schedule", schedule, "id", d.ID, "err", err)
			continue
		}
		if o.End.After(from) {
			out = append(out, o)
		}
	}
	slices.SortStableFunc(out, func(a, b Override) int { return a.Created.Compare(b.Created) })
	return out, nil
}

// Unoverride takes an override back.
func (r *Room) Unoverride(ctx context.Context, id string) (Override, error) {
	d, err := r.state.Document(ctx, overrideKind, id)
	if err != nil {
		return Override{}, err
	}
	var o Override
	if err := json.Unmarshal(d.Body, &o); err != nil {
		return Override{}, errors.Join(fmt.Errorf("override %s is damaged", id), err)
	}
	d.Gone = true
	_, err = r.state.SaveDocuments(ctx, d)
	return o, err
}
