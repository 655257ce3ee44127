package oncall

import (
	"slices"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/oncall/rota"
)

// GoalPagesPerWeek is how many pages a week on call people can bear, on average.
const GoalPagesPerWeek = 2

const week = 7 * 24 * time.Hour

// Paged is a page that reached somebody.
type Paged struct {
	Page, Person string
	At           time.Time // of the first message
	ByItself     bool      // it ended without anybody's having acknowledged it
}

// PageLoad is how often somebody was paged.
type PageLoad struct {
	Count    int           `json:"count" doc:"pages that reached the person, each once"`
	PerWeek  float64       `json:"per_week" doc:"by the weeks that the person was on call, at least one"`
	OverGoal bool          `json:"over_goal"`
	Nights   int           `json:"night" doc:"that came from 22:00 to 07:00"`
	Weekends int           `json:"weekend" doc:"that came on a Saturday or Sunday"`
	ByItself int           `json:"by_itself" doc:"that ended without anybody's having acknowledged them"`
	Weeks    []WeekOfPages `json:"weeks" doc:"those with pages, in order"`
}

// WeekOfPages is one week's.
type WeekOfPages struct {
	Monday string `json:"monday" doc:"its first day, by the person's clocks"`
	Count  int    `json:"count"`
}

// loadOf counts pages by the clocks of a zone, for somebody who was on call so long.
func loadOf(pages []Paged, zone *time.Location, onCall time.Duration) PageLoad {
	l := PageLoad{Count: len(pages), Weeks: []WeekOfPages{}}
	l.PerWeek = float64(l.Count) / max(1, float64(onCall)/float64(week))
	l.OverGoal = l.PerWeek > GoalPagesPerWeek
	for _, p := range pages {
		moment := rota.BurdenOf([]rota.Span{{Start: p.At, End: p.At.Add(1)}}, zone, nil)
		if moment.Nights > 0 {
			l.Nights++
		}
		if moment.Weekends > 0 {
			l.Weekends++
		}
		if p.ByItself {
			l.ByItself++
		}
		day := rota.DateOf(p.At, zone)
		monday := day.Add(-(int(day.Weekday()) + 6) % 7).String()
		if i := slices.IndexFunc(l.Weeks, func(w WeekOfPages) bool { return w.Monday == monday }); i >= 0 {
			l.Weeks[i].Count++
		} else {
			l.Weeks = append(l.Weeks, WeekOfPages{monday, 1})
		}
	}
	slices.SortFunc(l.Weeks, func(a, b WeekOfPages) int { return strings.Compare(a.Monday, b.Monday) })
	return l
}

// at says whether the person is on call at a moment.
func (p *part) at(t time.Time) bool {
	return slices.ContainsFunc(p.spans, func(s rota.Span) bool { return !t.Before(s.Start) && t.Before(s.End) })
}
