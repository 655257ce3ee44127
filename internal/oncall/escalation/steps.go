package escalation

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/oncall"
	"github.com/signalbox-project/signalbox/internal/oncall/policy"
)

// told is somebody, or a team's place, that a target stands for now.
type told struct {
	target  policy.EscalationTarget
	person  oncall.Person // "" as a name for a place
	nobody  string        // why there is nobody
	through string        // how one comes to them
}

// resolve says who targets stand for at a time, each person once.
func (e *Engine) resolve(ctx context.Context, roster oncall.Roster, targets []policy.EscalationTarget, at time.Time) (out []told, err error) {
	for _, target := range targets {
		w := told{target: target, through: target.Text()}
		var ok bool
		switch {
		case target.Schedule != "":
			if w.person, ok, err = e.deps.Room.OnCall(ctx, target.Schedule, at); err != nil {
				return nil, fmt.Errorf("who is on call by %s: %w", target.Schedule, err)
			}
			if !ok {
				w.nobody = "nobody is on call by " + target.Schedule
			}
		case target.Person != "":
			if w.person, ok = roster.Person(target.Person); !ok {
				w.nobody = target.Person + " is nobody in people any more"
			}
		}
		if target.Channel == "" && w.nobody == "" {
			if len(w.person.Reach().Contacts) == 0 {
				w.nobody = w.person.Name + " has neither contacts nor an e-mail address"
			} else if slices.ContainsFunc(out, func(o told) bool { return o.nobody == "" && o.person.Name == w.person.Name }) {
				continue
			}
		}
		out = append(out, w)
	}
	return out, nil
}

// notice plans what a level tells at once, once in a record's life.
func (t *turn) notice(ctx context.Context) error {
	if !t.level.Notice || t.rec.Drill != nil || t.rec.Notice {
		return nil
	}
	targets := t.policy.Notices
	for i := 0; i < len(t.policy.Steps) && len(targets) == 0; i++ {
		if t.policy.Steps[i].For(t.level.Name) {
			targets = t.policy.Steps[i].Notify
		}
	}
	list, err := t.e.resolve(ctx, t.roster, targets, t.now)
	if err != nil {
		return err
	}
	t.rec.Notice = true
	isNotice := func(try Try) bool { return try.Kind == notify.Noticed }
	for _, w := range list {
		why := fmt.Sprintf("notice of %s to %s", t.level.Name, w.through)
		switch reach := w.person.Reach(); {
		case w.nobody != "":
			t.rec.say(t.now, "%s: %s", why, w.nobody)
		case w.target.Channel != "":
			t.rec.plan(Try{Kind: notify.Noticed, Channel: w.target.Channel, Address: w.target.Address, Why: why, Due: t.now})
		default:
			c, ok := reach.Notice()
			if !ok {
				t.rec.say(t.now, "%s: %s has no contact that wakes nobody", why, w.person.Name)
				continue
			}
			due := reach.NoticeAt(t.now)
			if due.After(t.now) {
				t.rec.say(t.now, "%s waits for the end of the quiet hours of %s", why, w.person.Name)
			}
			t.rec.plan(Try{Kind: notify.Noticed, Person: w.person.Name, Contact: c.Name, Channel: c.Channel, Address: c.Address, Why: why, Due: due})
		}
	}
	if _, pages := t.level.Pages(); !pages && !slices.ContainsFunc(t.rec.Tries, isNotice) {
		t.unreached("there is nobody to tell")
	}
	return nil
}

// steps begins what is due. Of steps that were overdue one begins, and the next waits as long as it always does;
// a step with nobody takes no time.
func (t *turn) steps(ctx context.Context) error {
	for !t.rec.Next.IsZero() && !t.rec.Next.After(t.now) {
		if t.rec.Step >= len(t.policy.Steps) {
			t.round()
			continue
		}
		number := t.rec.Step + 1
		step := t.policy.Steps[t.rec.Step]
		t.rec.Step++
		if !step.For(t.level.Name) {
			continue // as if it were not there
		}
		list, err := t.e.resolve(ctx, t.roster, step.Notify, t.now)
		if err != nil {
			t.rec.Step--
			return err
		}
		if t.begins(number, list) {
			t.rec.Next = t.now.Add(t.wait())
		}
	}
	return nil
}

// wait is how long the step that began has.
func (t *turn) wait() time.Duration {
	if t.rec.Heard != "" {
		return time.Duration(t.policy.Unresolved)
	}
	if t.rec.Drill != nil {
		return 0
	}
	for _, s := range t.policy.Steps[t.rec.Step:] {
		if s.For(t.level.Name) {
			return time.Duration(s.After)
		}
	}
	return t.policy.LastWait()
}

// begins plans a step's messages; false if it has nobody.
func (t *turn) begins(number int, list []told) bool {
	kind := notify.Paged
	if t.rec.Drill != nil {
		kind = notify.Drill
	}
	any := false
	for _, w := range list {
		if w.nobody != "" {
			t.rec.say(t.now, "step %d: %s", number, w.nobody)
			continue
		}
		any = true
		why := fmt.Sprintf("step %d of policy %s: %s", number, t.policy.Name, w.through)
		if w.target.Channel != "" {
			t.rec.plan(Try{Kind: kind, Round: t.rec.Round, Step: number, Channel: w.target.Channel, Address: w.target.Address, Why: why, Due: t.now})
			continue
		}
		for _, call := range w.person.Reach().Page(t.level.Name) {
			c := call.Contact
			due := t.now.Add(call.After)
			if t.rec.Drill != nil {
				due = t.now
			}
			t.rec.plan(Try{Kind: kind, Round: t.rec.Round, Step: number, Person: w.person.Name, Contact: c.Name, Channel: c.Channel, Address: c.Address, Why: why, Due: due})
		}
		t.rec.say(t.now, "step %d tells %s (%s)", number, w.person.Name, w.through)
	}
	switch {
	case !any:
		t.rec.say(t.now, "step %d has nobody and is passed over", number)
	case t.rec.Heard != "":
		t.rec.say(t.now, "%s has it, but it is not over: step %d is told", t.rec.Heard, number)
	default:
		t.rec.State, t.rec.Times.Ended = Paging, time.Time{}
	}
	return any
}

// round ends the chain, or begins it anew.
func (t *turn) round() {
	switch {
	case t.rec.Drill != nil:
		if until := t.rec.Times.Began.Add(drillFor); t.rec.Heard == "" && until.After(t.now) {
			t.rec.Next = until
		} else {
			t.end()
		}
		return
	case t.rec.Heard != "":
		t.rec.Next = time.Time{}
		t.rec.say(t.now, "there is no further step")
		return
	case !t.reached():
		// What nobody heard of is not given up, however often the chain may repeat.
		t.unreached("nobody could be told; it is tried again in " + t.policy.LastWait().String())
		t.rec.Round, t.rec.Step, t.rec.Next = t.rec.Round+1, 0, t.now.Add(t.policy.LastWait())
		return
	}
	if t.rec.Full++; t.rec.Full > t.policy.Repeat {
		t.unreached("nobody has taken it")
		t.rec.Next = time.Time{}
		return
	}
	t.rec.Round, t.rec.Step = t.rec.Round+1, 0
	t.rec.say(t.now, "nobody has taken it: the chain begins anew, for the %s time", ordinal(t.rec.Full+1))
}

// reached reports whether somebody was told in this round, or still may be.
func (t *turn) reached() bool {
	return slices.ContainsFunc(t.rec.Tries, func(try Try) bool {
		return try.Step > 0 && try.Round == t.rec.Round && (try.open() || try.State == delivered || try.State == summarized)
	})
}

// unreached says loudly that nobody has a page.
func (t *turn) unreached(why string) {
	reason := undelivered
	for _, try := range t.rec.Tries {
		if try.Kind != notify.Noticed && (try.State == delivered || try.State == summarized) {
			reason = unanswered
		}
	}
	t.rec.State, t.rec.Times.Ended = Unreached, t.now.UTC()
	t.rec.say(t.now, "nobody was reached: %s", why)
	t.e.metrics.unreached.WithLabelValues(reason).Inc()
	t.e.log.Error("nobody was reached", "page", t.page.ID, "title", t.page.Title, "level", t.rec.Level, "policy", t.rec.Policy, "reason", reason, "why", why)
}

func ordinal(n int) string {
	switch {
	case n%100 >= 11 && n%100 <= 13:
		return fmt.Sprintf("%dth", n)
	case n%10 == 1:
		return fmt.Sprintf("%dst", n)
	case n%10 == 2:
		return fmt.Sprintf("%dnd", n)
	case n%10 == 3:
		return fmt.Sprintf("%drd", n)
	}
	return fmt.Sprintf("%dth", n)
}
