package oncall

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/document"
)

// ShiftsOf are one person's turns by all schedules in a span of time, cut there, in order.
func (r *Room) ShiftsOf(ctx context.Context, person string, from, to time.Time) ([]Shift, error) {
	roster := r.Value()
	if err := roster.knows(person); err != nil {
		return nil, err
	}
	out := []Shift{}
	for _, d := range roster.Schedules {
		shifts, err := r.Shifts(ctx, d.Name, from, to)
		if err != nil {
			return nil, err
		}
		out = append(out, slices.DeleteFunc(shifts, func(s Shift) bool { return s.Person.Name != person })...)
	}
	slices.SortStableFunc(out, func(a, b Shift) int {
		if c := a.Start.Compare(b.Start); c != 0 {
			return c
		}
		return strings.Compare(a.Schedule, b.Schedule)
	})
	return out, nil
}

// knows says that somebody is nobody whom a file names.
func (r Roster) knows(person string) error {
	var names []string
	for _, p := range r.People {
		if p.Name == person {
			return nil
		}
		names = append(names, p.Name)
	}
	return refuse("%q is nobody in people of oncall_files; %s", person, document.DidYouMean(person, names))
}
