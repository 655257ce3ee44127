package contacts

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/oncall"
	"github.com/signalbox-project/signalbox/internal/oncall/policy"
)

// Room has schedules; oncall.Room does.
type Room interface {
	Value() oncall.Roster
	Shifts(ctx context.Context, schedule string, from, to time.Time) ([]oncall.Shift, error)
}

// prover looks which contacts count.
type prover struct {
	room     Room
	roster   oncall.Roster
	verified map[string]bool // person and contact
	usable   []string
	from, to time.Time
}

// Coverage proves, for each level and policy, that in every moment some step reaches a contact that is verified and whose
// channel is set up.
func (v *Verifier) Coverage(ctx context.Context, room Room, from, to time.Time) ([]oncall.LevelCoverage, error) {
	states, err := v.Contacts(ctx)
	if err != nil {
		return nil, err
	}
	p := prover{room: room, roster: v.roster(), verified: map[string]bool{}, usable: v.courier.Channels(), from: from, to: to}
	for _, s := range states {
		if s.Usable && s.Verified != nil {
			p.verified[s.Person+"\x00"+s.Contact] = true
		}
	}
	out := []oncall.LevelCoverage{}
	for _, pol := range p.roster.Policies {
		for _, level := range p.roster.LevelsInForce() {
			one, err := p.prove(ctx, pol, level)
			if err != nil {
				return nil, err
			}
			out = append(out, one)
		}
	}
	return out, nil
}

func (p prover) prove(ctx context.Context, pol policy.EscalationPolicy, level policy.Level) (oncall.LevelCoverage, error) {
	out := oncall.LevelCoverage{Policy: pol.Name, Level: level.Name, Missing: []string{}}
	_, pages := level.Pages()
	if !pages && !level.Notice {
		out.Gaps = []oncall.Gap{}
		return out, nil // it is meant to tell nobody
	}
	var targets []policy.EscalationTarget
	for _, s := range pol.Steps {
		if s.For(level.Name) && (pages || len(targets) == 0) {
			targets = append(targets, s.Notify...)
		}
	}
	if !pages && len(pol.Notices) > 0 {
		targets = pol.Notices
	}
	var covered []oncall.Gap // times, not gaps: from and to
	for _, t := range targets {
		spans, err := p.spans(ctx, t, level.Name, pages, &out)
		if err != nil {
			return out, err
		}
		covered = append(covered, spans...)
	}
	slices.SortFunc(covered, func(a, b oncall.Gap) int { return a.Start.Compare(b.Start) })
	out.Gaps = oncall.Between(covered, p.from, p.to)
	slices.Sort(out.Missing)
	out.Missing = slices.Compact(out.Missing)
	return out, nil
}

// spans are the times in which a target reaches somebody.
func (p prover) spans(ctx context.Context, t policy.EscalationTarget, level string, pages bool, out *oncall.LevelCoverage) ([]oncall.Gap, error) {
	whole := []oncall.Gap{{Start: p.from, End: p.to}}
	switch {
	case t.Channel != "":
		if pages { // a place wakes nobody
			return nil, nil
		}
		if !slices.Contains(p.usable, t.Channel) && t.Channel != notify.InboxChannel {
			out.Missing = append(out.Missing, fmt.Sprintf("the channel %s is not set up", t.Channel))
			return nil, nil
		}
		return whole, nil
	case t.Person != "":
		if p.reaches(t.Person, level, pages, out) {
			return whole, nil
		}
		return nil, nil
	}
	shifts, err := p.room.Shifts(ctx, t.Schedule, p.from, p.to)
	if err != nil {
		return nil, err
	}
	var spans []oncall.Gap
	for _, s := range shifts {
		if p.reaches(s.Person.Name, level, pages, out) {
			spans = append(spans, oncall.Gap{Start: s.Start, End: s.End})
		}
	}
	return spans, nil
}

// reaches says whether a person is reached at a level by a verified contact.
func (p prover) reaches(name, level string, pages bool, out *oncall.LevelCoverage) bool {
	person, ok := p.roster.Person(name)
	if !ok {
		out.Missing = append(out.Missing, name+" is nobody in people")
		return false
	}
	reach := person.Reach()
	var contacts []policy.Contact
	if c, ok := reach.Notice(); ok && !pages {
		contacts = append(contacts, c)
	}
	for _, call := range reach.Page(level) {
		if pages {
			contacts = append(contacts, call.Contact)
		}
	}
	for _, c := range contacts {
		if p.verified[name+"\x00"+c.Name] || !pages && c.Channel == notify.InboxChannel {
			return true
		}
	}
	out.Missing = append(out.Missing, name+" has no verified contact whose channel is set up")
	return false
}
