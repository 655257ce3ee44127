package oncall

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/oncall/rota"
)

// Fairness is how on-call time was, or will be, shared.
type Fairness struct {
	Start  time.Time `json:"start"`
	End    time.Time `json:"end"`
	Goal   float64   `json:"goal_pages_per_week" doc:"how many pages a week on call people should have at most"`
	People []Burden  `json:"people" doc:"who has most first"`
}

// Burden is one person's part. Time on call by two schedules at once counts once; a night of a weekend counts as both.
type Burden struct {
	Person   Person   `json:"person"`
	TimeZone string   `json:"time_zone" doc:"whose nights and weekends: the person's own, or that of their first schedule"`
	Turns    int      `json:"turns"`
	Hours    float64  `json:"hours"`
	Share    float64  `json:"share" doc:"of the hours of all, 0 to 1"`
	Nights   float64  `json:"night_hours" doc:"from 22:00 to 07:00"`
	Weekends float64  `json:"weekend_hours" doc:"Saturdays and Sundays"`
	Holidays float64  `json:"holiday_hours" doc:"by the holidays of their schedules"`
	Pages    PageLoad `json:"pages" doc:"of escalation policies; those of the receivers of alertmanager.yml have no person"`
}

// part is what one person has of the schedules.
type part struct {
	spans    []rota.Span
	pages    []Paged
	zone     *time.Location
	holidays []rota.Date
}

// Fairness counts turns, nights, weekends, holidays and pages of everybody in a span of time; a schedule of "" means all, and one
// counts the pages that came in a turn by it.
func (r *Room) Fairness(ctx context.Context, schedule string, from, to time.Time, pages []Paged) (Fairness, error) {
	roster := r.Value()
	out := Fairness{Start: from.UTC(), End: to.UTC(), Goal: GoalPagesPerWeek, People: []Burden{}}
	definitions := roster.Schedules
	if schedule != "" {
		d, err := roster.schedule(schedule)
		if err != nil {
			return out, err
		}
		definitions = []Definition{d}
	}
	parts := map[string]*part{}
	for _, d := range definitions {
		for _, name := range d.people() {
			p := parts[name]
			if p == nil {
				p = &part{zone: roster.person(name).zoneOr(d.rota.Zone)}
				parts[name] = p
			}
			p.holidays = append(p.holidays, d.rota.Holidays...)
		}
		full, err := r.whole(ctx, d, from, to)
		if err != nil {
			return out, err
		}
		for _, s := range full.Spans(from, to) {
			p := parts[s.Person]
			if p == nil { // only an override names them
				p = &part{zone: roster.person(s.Person).zoneOr(d.rota.Zone), holidays: d.rota.Holidays}
				parts[s.Person] = p
			}
			p.spans = append(p.spans, s)
		}
	}
	for _, page := range pages {
		p := parts[page.Person]
		if p == nil && schedule == "" { // a policy names them, and no schedule
			p = &part{zone: roster.person(page.Person).zoneOr(time.UTC)}
			parts[page.Person] = p
		}
		if p != nil && (schedule == "" || p.at(page.At)) {
			p.pages = append(p.pages, page)
		}
	}
	return out.sum(roster, parts), nil
}

// sum makes the list of what everybody has.
func (out Fairness) sum(roster Roster, parts map[string]*part) Fairness {
	var sum float64
	for name, p := range parts {
		l := p.load(roster.person(name))
		sum += l.Hours
		out.People = append(out.People, l)
	}
	for i := range out.People {
		if sum > 0 {
			out.People[i].Share = out.People[i].Hours / sum
		}
	}
	slices.SortFunc(out.People, func(a, b Burden) int {
		if a.Hours != b.Hours {
			return cmp.Compare(b.Hours, a.Hours)
		}
		return strings.Compare(a.Person.Name, b.Person.Name)
	})
	return out
}

func (p *part) load(who Person) Burden {
	b := rota.BurdenOf(p.spans, p.zone, p.holidays)
	return Burden{
		Person: who, TimeZone: p.zone.String(), Turns: len(p.spans),
		Hours: b.Total.Hours(), Nights: b.Nights.Hours(), Weekends: b.Weekends.Hours(), Holidays: b.Holidays.Hours(),
		Pages: loadOf(p.pages, p.zone, b.Total),
	}
}

// zoneOr is the person's own time zone, or another.
func (p Person) zoneOr(other *time.Location) *time.Location {
	if p.TimeZone == "" {
		return other
	}
	zone, err := time.LoadLocation(p.TimeZone)
	if err != nil {
		return other // it was valid when the file was read
	}
	return zone
}
