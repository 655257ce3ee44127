package oncall

import (
	"context"
	"time"
)

// Coverage says whether somebody is on call in every moment of a span of time.
type Coverage struct {
	Start     time.Time          `json:"start"`
	End       time.Time          `json:"end"`
	Covered   bool               `json:"covered" doc:"every schedule has somebody in every moment, and there is one"`
	Schedules []ScheduleCoverage `json:"schedules"`
	Levels    []LevelCoverage    `json:"levels,omitempty" doc:"whom each level reaches by each escalation policy; absent where one schedule is asked for"`
	Problem   string             `json:"problem,omitempty" doc:"why nothing is covered, where there is no schedule"`
}

// LevelCoverage is that of one level by one policy.
type LevelCoverage struct {
	Policy  string   `json:"policy"`
	Level   string   `json:"level"`
	Gaps    []Gap    `json:"gaps" doc:"when no step reaches a verified contact"`
	Missing []string `json:"missing" doc:"what is missing, whether or not another step makes up for it"`
}

// ScheduleCoverage is one schedule's.
type ScheduleCoverage struct {
	Schedule string `json:"schedule"`
	TimeZone string `json:"time_zone"`
	Gaps     []Gap  `json:"gaps"`
}

// Gap is a time in which nobody is on call.
type Gap struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

// Coverage looks for gaps in a span of time; a schedule of "" means all.
func (r *Room) Coverage(ctx context.Context, schedule string, from, to time.Time) (Coverage, error) {
	out := Coverage{Start: from.UTC(), End: to.UTC(), Covered: true, Schedules: []ScheduleCoverage{}}
	roster := r.Value()
	definitions := roster.Schedules
	if schedule != "" {
		d, err := roster.schedule(schedule)
		if err != nil {
			return out, err
		}
		definitions = []Definition{d}
	}
	if len(definitions) == 0 {
		out.Covered, out.Problem = false, "there is no on-call schedule: name files of schedules in oncall_files"
	}
	for _, d := range definitions {
		shifts, err := r.Shifts(ctx, d.Name, from, to)
		if err != nil {
			return out, err
		}
		var spans []Gap
		for _, s := range shifts {
			spans = append(spans, Gap{Start: s.Start, End: s.End})
		}
		gaps := Between(spans, from, to)
		out.Covered = out.Covered && len(gaps) == 0
		out.Schedules = append(out.Schedules, ScheduleCoverage{Schedule: d.Name, TimeZone: d.rota.Zone.String(), Gaps: gaps})
	}
	return out, nil
}

// Between are the times of a span that are in none of others, which are ordered by their starts.
func Between(spans []Gap, from, to time.Time) []Gap {
	out := []Gap{}
	covered := from
	for _, s := range spans {
		if s.Start.After(covered) {
			out = append(out, Gap{Start: covered.UTC(), End: s.Start})
		}
		if s.End.After(covered) {
			covered = s.End
		}
	}
	if covered.Before(to) {
		out = append(out, Gap{Start: covered.UTC(), End: to.UTC()})
	}
	return out
}
