package escalation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/oncall"
	"github.com/signalbox-project/signalbox/internal/oncall/policy"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Why nobody has a page.
const (
	undelivered = "undelivered"
	unanswered  = "unanswered"
)

// look is how often a page whose alerts are silenced is looked at: no event says that a silence ended.
const look = time.Minute

// maxTurns bounds how often one page is sent for before others have their turn.
const maxTurns = 50

// turn is one look at one page.
type turn struct {
	e      *Engine
	rec    *Record
	page   model.Page
	policy policy.EscalationPolicy
	level  policy.Level
	roster oncall.Roster
	now    time.Time
}

// reconcile does all that is due for a page. own ends when what is being sent for it is not wanted any more.
func (e *Engine) reconcile(ctx, own context.Context, id string) error {
	rec, version, known, err := e.load(ctx, id)
	if err != nil {
		return err
	}
	for range maxTurns {
		t := &turn{e: e, rec: &rec, roster: e.deps.Room.Value(), now: e.now()}
		if t.page, err = e.pageOf(ctx, rec, id, known); errors.Is(err, store.ErrNotFound) && !known {
			return nil
		} else if err != nil {
			return err
		}
		if !known {
			if t.page.Status != "firing" || !t.begin() {
				return nil
			}
			known = true
		}
		before := rec.Times.Updated
		t.back(before)
		if err := t.reports(ctx); err != nil {
			return err
		}
		if err := t.decide(ctx); err != nil {
			return err
		}
		out := t.outgoing()
		if version, err = e.save(ctx, &rec, version); err != nil {
			for _, o := range out {
				e.limits.settle(o.limit, o.along, id, false)
			}
			return err
		}
		if len(out) == 0 {
			return nil
		}
		e.send(own, out)
		if ctx.Err() != nil {
			return ctx.Err() // it stays as being tried, and is sent again
		}
		t.now = e.now()
		t.settle(out)
		if version, err = e.save(ctx, &rec, version); err != nil {
			return err
		}
		if own.Err() != nil {
			own = ctx // it was stopped by the news that is read now
		}
	}
	e.nudge(id, time.Time{})
	return nil
}

// pageOf is the page of a record: that of the store, or a drill's. A page that is gone is over.
func (e *Engine) pageOf(ctx context.Context, rec Record, id string, known bool) (model.Page, error) {
	if rec.Drill != nil {
		return e.drillPage(ctx, rec)
	}
	p, err := e.deps.Pages.Page(ctx, id)
	if errors.Is(err, store.ErrNotFound) && known {
		return model.Page{ID: id, Status: "resolved"}, nil
	}
	return p, err
}

// firing are the labels of the alerts that a page is about now.
func firing(p model.Page) (out []model.Labels) {
	for _, a := range p.Alerts {
		if a.Status == "firing" && a.Labels["severity"] != notify.SeverityNone {
			out = append(out, a.Labels)
		}
	}
	if len(out) == 0 {
		out = append(out, p.GroupLabels)
	}
	return out
}

// begin makes the record of a page; false if no policy is for it.
func (t *turn) begin() bool {
	chosen, why, ok := t.e.choose(t.roster, t.page)
	if !ok {
		return false
	}
	level, levelWhy := t.roster.LevelsInForce().Worst(firing(t.page))
	*t.rec = Record{
		Page: t.page.ID, Level: level.Name, LevelWhy: levelWhy, Policy: chosen.Name, PolicyWhy: why, State: Waiting,
		Tries: []Try{}, Events: []Event{}, Times: Times{Began: t.now.UTC()},
	}
	t.rec.say(t.now, "it is %s, which %s: %s", level.Name, level.Text(), levelWhy)
	t.rec.say(t.now, "policy %s: %s", chosen.Name, why)
	t.policy, t.level = chosen, level
	if after, pages := level.Pages(); pages {
		t.rec.Next = t.now.Add(after)
	} else {
		t.rec.State = Noticed
	}
	return true
}

func (e *Engine) choose(roster oncall.Roster, p model.Page) (policy.EscalationPolicy, string, bool) {
	labels := firing(p)[0]
	team, named := e.owner(p.Service, labels)
	if i := slices.IndexFunc(roster.Policies, func(p policy.EscalationPolicy) bool { return named != "" && p.Name == named }); i >= 0 {
		return roster.Policies[i], "the catalogue names it for " + p.Service, true
	}
	return policy.Choose(roster.Policies, labels, p.Service, team)
}

// owner is what the catalogue says, where the alert does not say itself whose it is, or by which policy.
func (e *Engine) owner(service string, labels model.Labels) (team, named string) {
	if e.deps.Owners == nil || service == "" {
		return "", ""
	}
	team, named = e.deps.Owners.Owner(service, labels.Own("namespace"))
	if said := labels.Own("team"); said != "" && said != team {
		return "", ""
	}
	if labels[policy.Label] != "" {
		named = ""
	}
	return team, named
}

// back moves what is due along with a clock that was set back: nobody waits for the hour to come again.
func (t *turn) back(written time.Time) {
	by := written.Sub(t.now)
	if by <= 0 {
		return
	}
	if !t.rec.Next.IsZero() {
		t.rec.Next = t.rec.Next.Add(-by)
	}
	for i := range t.rec.Tries {
		t.rec.Tries[i].Due = t.rec.Tries[i].Due.Add(-by)
	}
	if by > time.Second {
		t.rec.say(t.now, "the clock went back by %s; what is due was moved along", by.Round(time.Second))
	}
}

// decide brings the record up to what the page and the clock say.
func (t *turn) decide(ctx context.Context) error {
	if !t.rec.Times.Ended.IsZero() && t.rec.State == Resolved {
		return nil
	}
	t.inForce()
	switch {
	case t.page.Status == "resolved":
		t.end()
		return nil
	case t.page.AckedBy != "" && t.rec.Heard == "":
		t.heard()
	}
	if quiet := t.silenced(ctx); quiet != "" {
		if t.rec.State != Silenced {
			t.rec.State = Silenced
			t.rec.say(t.now, "all its alerts are silenced (%s): nobody is told meanwhile", quiet)
		}
		return nil
	}
	if t.rec.State == Silenced {
		t.rec.State = t.standing()
		t.rec.say(t.now, "its alerts are not silenced any more")
	}
	if t.page.AckedBy == "" {
		t.raise()
		if err := t.notice(ctx); err != nil {
			return err
		}
	}
	return t.steps(ctx)
}

// standing is the state that follows from the record alone.
func (t *turn) standing() State {
	_, pages := t.level.Pages()
	switch {
	case t.rec.Heard != "":
		return Acknowledged
	case !t.rec.Times.Ended.IsZero():
		return Unreached
	case !pages:
		return Noticed
	case slices.ContainsFunc(t.rec.Tries, func(try Try) bool { return try.Step > 0 }):
		return Paging
	}
	return Waiting
}

// inForce finds the policy and the level as files have them now.
func (t *turn) inForce() {
	levels := t.roster.LevelsInForce()
	if i := levels.Rank(t.rec.Level); i < len(levels) {
		t.level = levels[i]
	} else {
		t.level, t.rec.LevelWhy = levels.Worst(firing(t.page))
		t.rec.say(t.now, "no file has the level %s any more; it is %s", t.rec.Level, t.level.Name)
		t.rec.Level = t.level.Name
	}
	if t.rec.Drill != nil {
		t.policy = t.rec.Drill.Policy
		return
	}
	if i := slices.IndexFunc(t.roster.Policies, func(p policy.EscalationPolicy) bool { return p.Name == t.rec.Policy }); i >= 0 {
		t.policy = t.roster.Policies[i]
		return
	}
	if chosen, why, ok := t.e.choose(t.roster, t.page); ok {
		t.rec.say(t.now, "no file has the policy %s any more; it is %s now: %s", t.rec.Policy, chosen.Name, why)
		t.rec.Policy, t.rec.PolicyWhy, t.policy = chosen.Name, why, chosen
		return
	}
	t.policy = policy.EscalationPolicy{Name: t.rec.Policy}
}

// silenced names the silences, if all alerts that fire are silenced.
func (t *turn) silenced(ctx context.Context) string {
	if t.e.deps.Silences == nil || t.rec.Drill != nil {
		return ""
	}
	var all []string
	for _, labels := range firing(t.page) {
		ids := t.e.deps.Silences(ctx, labels)
		if len(ids) == 0 {
			return ""
		}
		all = append(all, ids...)
	}
	slices.Sort(all)
	return strings.Join(slices.Compact(all), ", ")
}

// raise follows a page that became more urgent: the chain begins anew.
func (t *turn) raise() {
	levels := t.roster.LevelsInForce()
	level, why := levels.Worst(firing(t.page))
	if t.rec.Drill != nil || levels.Rank(level.Name) >= levels.Rank(t.rec.Level) {
		return
	}
	t.rec.say(t.now, "it was %s and is %s now, which %s: %s", t.rec.Level, level.Name, level.Text(), why)
	t.rec.Level, t.rec.LevelWhy, t.level = level.Name, why, level
	if after, pages := level.Pages(); pages {
		t.rec.Step, t.rec.Round, t.rec.Full, t.rec.Times.Ended = 0, t.rec.Round+1, 0, time.Time{}
		if at := t.now.Add(after); t.rec.Next.IsZero() || at.Before(t.rec.Next) {
			t.rec.Next = at
		}
		t.rec.State = t.standing()
	}
}

// heard follows an acknowledgement.
func (t *turn) heard() {
	t.rec.Heard, t.rec.State, t.rec.Next, t.rec.Times.Ended = t.page.AckedBy, Acknowledged, time.Time{}, time.Time{}
	t.rec.cancel(t.now, t.page.AckedBy+" has it")
	t.rec.say(t.now, "%s has it", t.page.AckedBy)
	t.news(notify.Acknowledged, fmt.Sprintf("%s has it", t.page.AckedBy), t.page.AckedBy)
	if t.rec.Drill != nil {
		t.rec.Step, t.rec.Next = len(t.policy.Steps), t.now // it is over with that
		return
	}
	if after := time.Duration(t.policy.Unresolved); after > 0 {
		at := t.now
		if t.page.AckedAt != nil && t.page.AckedAt.Before(at) {
			at = *t.page.AckedAt
		}
		t.rec.Next = at.Add(after)
	}
}

// end follows the end of a page.
func (t *turn) end() {
	t.rec.State, t.rec.Next, t.rec.Times.Ended = Resolved, time.Time{}, t.now.UTC()
	t.rec.cancel(t.now, "it is over")
	t.rec.say(t.now, "it is over")
	t.news(notify.Resolved, "it is over", "")
}

// news tells those who were told, each once and by what wakes them least.
func (t *turn) news(kind notify.Kind, why, but string) {
	best := map[string]Try{}
	var order []string
	for _, try := range t.rec.Tries {
		if try.State != delivered || try.Channel == "voice" || try.Person != "" && try.Person == strings.TrimPrefix(but, "user:") || t.rec.Drill != nil {
			continue
		}
		if kind == notify.Acknowledged && try.Kind == notify.Resolved {
			continue
		}
		key := try.Person
		if key == "" {
			key = try.Channel + "\x00" + try.Address
		}
		was, ok := best[key]
		if !ok {
			order = append(order, key)
		}
		if !ok || policy.Waking(was.Channel) && !policy.Waking(try.Channel) {
			best[key] = try
		}
	}
	for _, key := range order {
		try := best[key]
		t.rec.plan(Try{Kind: kind, Person: try.Person, Contact: try.Contact, Channel: try.Channel, Address: try.Address, Why: why + "; it was told of the page", Due: t.now})
	}
}
