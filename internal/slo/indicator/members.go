package indicator

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/platform/times"
	"github.com/signalbox-project/signalbox/internal/store"
)

// MembersStep is how far apart Members looks in the past: as long as a sample is looked back for, so that no group falls between.
const MembersStep = 5 * time.Minute

// Member is a group of what an indicator measures, and when it was seen last.
type Member struct {
	Labels map[string]string
	Last   time.Time
}

// Members finds the groups of what an indicator measures.
type Members interface {
	// Groups are those with data in [from, to]; from and to alike mean now.
	Groups(ctx context.Context, q Querier, from, to time.Time) ([]Member, error)
	// Identity tells ways of finding them apart.
	Identity() string
}

// SeriesMembers are groups of series: Expr answers one series for each.
type SeriesMembers struct{ Expr string }

// Identity is Members'.
func (m SeriesMembers) Identity() string { return m.Expr }

// Groups is Members'.
func (m SeriesMembers) Groups(ctx context.Context, q Querier, from, to time.Time) (out []Member, err error) {
	if from.Equal(to) {
		samples, err := q.Instant(ctx, m.Expr, to)
		for _, s := range samples {
			out = append(out, Member{s.Labels, to})
		}
		return out, err
	}
	series, err := q.Range(ctx, m.Expr, from, to, MembersStep)
	for _, s := range series {
		if n := len(s.Points); n > 0 {
			out = append(out, Member{s.Labels, s.Points[n-1].Time})
		}
	}
	return out, err
}

// EventMembers are groups of events by fields of theirs.
type EventMembers struct {
	Total *EventQuery
	By    []string
}

// Identity is Members'.
func (m EventMembers) Identity() string {
	return fmt.Sprint(m.Total.Signal, " ", m.Total.Text, " by ", strings.Join(m.By, ","))
}

// recently is how close to an end a group of events must be seen to be there at that end: who looks every few seconds
// misses none by it.
const recently = 15 * time.Minute

// Groups is Members'. Of a long time it is known which groups were there at its end, of the others only that they were
// there before.
func (m EventMembers) Groups(ctx context.Context, q Querier, from, to time.Time) ([]Member, error) {
	events, ok := eventsOf(q)
	if !ok {
		return nil, errNoEvents
	}
	to = to.Add(time.Minute - 1).Truncate(time.Minute)
	late := to.Add(-recently)
	out, err := m.within(ctx, events, times.Later(late, from.Add(-recently)), to)
	if err != nil || !from.Before(late) {
		return out, err
	}
	before, err := m.within(ctx, events, from.Truncate(time.Minute), late)
	return append(before, out...), err
}

// within asks for the values of each field within each of those before it.
func (m EventMembers) within(ctx context.Context, events Events, from, to time.Time) ([]Member, error) {
	found := []Member{{Labels: map[string]string{}, Last: to}}
	for _, field := range m.By {
		var next []Member
		for _, one := range found {
			within := *m.Total
			within.Expr = inGroup(m.Total.Expr, one.Labels)
			values, err := events.EventValues(ctx, &within, field, from, to)
			if err != nil {
				return nil, err
			}
			for _, value := range values {
				labels := maps.Clone(one.Labels)
				labels[field] = value
				next = append(next, Member{labels, to})
			}
		}
		found = next
	}
	return found, nil
}

// inGroup is a filter for the events that have the values in the fields.
func inGroup(e store.Expr, fields map[string]string) store.Expr {
	and := store.And{Exprs: []store.Expr{e}}
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		and.Exprs = append(and.Exprs, store.Compare{Field: field, Op: store.OpEq, Value: fields[field]})
	}
	return and
}
