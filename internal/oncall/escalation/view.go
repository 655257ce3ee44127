package escalation

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/oncall"
	"github.com/signalbox-project/signalbox/internal/oncall/policy"
	"github.com/signalbox-project/signalbox/internal/platform/human"
	"github.com/signalbox-project/signalbox/internal/platform/redact"
	"github.com/signalbox-project/signalbox/internal/store"
)

// View is an escalation as people see it: that of a page, or the one that labels would have. It holds no address of a person.
type View struct {
	Page      string     `json:"page,omitempty" doc:"its ID; absent where it is only supposed"`
	Summary   string     `json:"summary"`
	State     State      `json:"state,omitempty" enum:"waiting,noticed,paging,silenced,acknowledged,resolved,unreached" doc:"absent where it is only supposed, and where no policy is for it"`
	Level     string     `json:"level"`
	LevelText string     `json:"level_text" doc:"what the level does"`
	LevelWhy  string     `json:"level_why"`
	Policy    string     `json:"policy,omitempty" doc:"absent where none is for it"`
	PolicyWhy string     `json:"policy_why"`
	Round     int        `json:"round" doc:"how often the chain has begun anew"`
	Next      *time.Time `json:"next,omitempty" doc:"when the next step begins unless somebody acknowledges"`
	Notices   []Attempt  `json:"notices"`
	Steps     []Rung     `json:"steps" doc:"those for the level, in their order"`
	News      []Attempt  `json:"news" doc:"who was told of the acknowledgement and of the end"`
	Events    []Happened `json:"events" doc:"what was decided and why, oldest first"`
}

// Rung is one step.
type Rung struct {
	Number   int       `json:"number"`
	After    string    `json:"after" doc:"how long the step before has"`
	State    string    `json:"state" enum:"begun,next,later" doc:"in this round; later: it may still begin"`
	Who      []Whom    `json:"who" doc:"whom it would tell now"`
	Attempts []Attempt `json:"attempts" doc:"whom it told, and what became of it"`
}

// Whom is somebody whom a step tells.
type Whom struct {
	Target string   `json:"target"`
	Person string   `json:"person,omitempty"`
	Nobody string   `json:"nobody,omitempty" doc:"why there is nobody"`
	By     []string `json:"by" doc:"in which order they are called, for example: sms after 2m"`
}

// Attempt is one message.
type Attempt struct {
	Kind    notify.Kind `json:"kind"`
	To      string      `json:"to"`
	Channel string      `json:"channel"`
	Why     string      `json:"why"`
	State   string      `json:"state" enum:"planned,trying,delivered,failed,cancelled,summarized"`
	Due     time.Time   `json:"due"`
	At      *time.Time  `json:"at,omitempty" doc:"of the outcome"`
	Receipt string      `json:"receipt,omitempty" doc:"what the service calls it"`
	Note    string      `json:"note,omitempty"`
	Tries   int         `json:"tries"`
	Round   int         `json:"round" doc:"how often the chain had begun anew"`
}

// Happened is something that was decided.
type Happened struct {
	Time time.Time `json:"time"`
	Text string    `json:"text"`
}

// OfPage is the escalation of a page, or of a drill. A page that no policy is for has one that says so.
func (e *Engine) OfPage(ctx context.Context, id string) (View, error) {
	rec, _, known, err := e.load(ctx, id)
	if err != nil {
		return View{}, err
	}
	page, err := e.pageOf(ctx, rec, id, known)
	if err != nil {
		return View{}, err
	}
	if !known {
		return e.Supposed(ctx, firing(page)[0])
	}
	t := &turn{e: e, rec: &rec, page: page, roster: e.deps.Room.Value(), now: e.now()}
	t.inForce()
	v := View{Page: id, State: rec.State, Level: rec.Level, LevelText: t.level.Text(), LevelWhy: rec.LevelWhy, Policy: rec.Policy, PolicyWhy: rec.PolicyWhy, Events: []Happened{}}
	v.Round = rec.Round
	if !rec.Next.IsZero() && rec.State != Silenced {
		v.Next = &rec.Next
	}
	for _, ev := range rec.Events {
		v.Events = append(v.Events, Happened(ev))
	}
	if err := e.ladder(ctx, &v, t.roster, t.policy, &rec); err != nil {
		return View{}, err
	}
	v.Summary = t.summary()
	return v, nil
}

// Supposed is the escalation that an alert of these labels would have now.
func (e *Engine) Supposed(ctx context.Context, labels model.Labels) (View, error) {
	roster := e.deps.Room.Value()
	level, why := roster.LevelsInForce().Of(labels)
	v := View{Level: level.Name, LevelText: level.Text(), LevelWhy: why, Events: []Happened{}}
	chosen, policyWhy, ok := e.choose(roster, model.Page{Service: labels.Own("service"), GroupLabels: labels})
	if labels["severity"] == notify.SeverityNone {
		chosen, ok = policy.EscalationPolicy{}, false
		policyWhy = "alerts with severity=none are about nobody's work and make no page"
	}
	v.Policy, v.PolicyWhy = chosen.Name, policyWhy
	if err := e.ladder(ctx, &v, roster, chosen, nil); err != nil {
		return View{}, err
	}
	switch {
	case !ok && labels["severity"] == notify.SeverityNone:
		v.Summary = "It makes no page: " + policyWhy + "."
	case !ok:
		v.Summary = fmt.Sprintf("It is %s, but no escalation policy is for it: only the receivers of alertmanager.yml are told.", level.Name)
	default:
		v.Summary = fmt.Sprintf("It is %s, which %s, by the policy %s.", level.Name, level.Text(), chosen.Name)
		for _, rung := range v.Steps {
			if names := namesOf(rung.Who); names != "" {
				if _, pages := level.Pages(); pages {
					v.Summary += " First " + names + " would be paged."
				}
				break
			}
		}
	}
	return v, nil
}

func namesOf(who []Whom) string {
	var names []string
	for _, w := range who {
		switch {
		case w.Nobody != "":
		case w.Person != "":
			names = append(names, w.Person)
		default:
			names = append(names, w.Target)
		}
	}
	return strings.Join(names, " and ")
}

// ladder lays out the steps of a policy for the level, with what became of them.
func (e *Engine) ladder(ctx context.Context, v *View, roster oncall.Roster, p policy.EscalationPolicy, rec *Record) error {
	v.Notices, v.News, v.Steps = []Attempt{}, []Attempt{}, []Rung{}
	now, next := e.now(), false
	for i, s := range p.Steps {
		if !s.For(v.Level) {
			continue
		}
		rung := Rung{Number: i + 1, After: s.After.String(), State: "later", Who: []Whom{}, Attempts: []Attempt{}}
		list, err := e.resolve(ctx, roster, s.Notify, now)
		if err != nil {
			return err
		}
		for _, w := range list {
			rung.Who = append(rung.Who, whom(w, v.Level))
		}
		if rec != nil && i < rec.Step {
			rung.State = "begun"
		} else if rec != nil && !next && !rec.Next.IsZero() {
			rung.State, next = "next", true
		}
		v.Steps = append(v.Steps, rung)
	}
	if rec == nil {
		return nil
	}
	for _, try := range rec.Tries {
		switch a := attempt(try); {
		case try.Kind == notify.Noticed:
			v.Notices = append(v.Notices, a)
		case try.Step == 0:
			v.News = append(v.News, a)
		default:
			for i := range v.Steps {
				if v.Steps[i].Number == try.Step {
					v.Steps[i].Attempts = append(v.Steps[i].Attempts, a)
				}
			}
		}
	}
	return nil
}

func whom(w told, level string) Whom {
	out := Whom{Target: shown(w.target), Person: w.person.Name, Nobody: w.nobody, By: []string{}}
	if w.nobody != "" {
		return out
	}
	for _, call := range w.person.Reach().Page(level) {
		text := call.Contact.Name
		if call.After > 0 {
			text += " after " + human.Duration(call.After)
		}
		out.By = append(out.By, text)
	}
	return out
}

// shown is a target without a secret: the address of a chat's webhook is one.
func shown(t policy.EscalationTarget) string {
	if strings.Contains(t.Address, "://") {
		return t.Channel
	}
	return redact.Text(t.Text())
}

func attempt(t Try) Attempt {
	a := Attempt{Kind: t.Kind, To: t.Person, Channel: t.Channel, Why: t.Why, State: t.State, Due: t.Due, Receipt: t.Receipt, Note: t.Note, Tries: t.Attempts, Round: t.Round}
	if t.Person == "" {
		a.To = shown(policy.EscalationTarget{Channel: t.Channel, Address: t.Address})
	} else if t.Contact != t.Channel {
		a.Channel = t.Contact + " (" + t.Channel + ")"
	}
	if !t.At.IsZero() {
		a.At = &t.At
	}
	return a
}

// summary says in a sentence how it stands.
func (t *turn) summary() string {
	was, failures := []string{}, 0
	for _, try := range t.rec.Tries {
		if try.Kind != notify.Paged && try.Kind != notify.Drill && try.Kind != notify.Noticed {
			continue
		}
		switch try.State {
		case delivered, summarized:
			if name := try.who(); len(was) == 0 || was[len(was)-1] != name {
				was = append(was, name)
			}
		case failed:
			failures++
		}
	}
	text := fmt.Sprintf("It is %s, by the policy %s. ", t.rec.Level, t.rec.Policy)
	switch t.rec.State {
	case Silenced:
		text += "All its alerts are silenced, so nobody is told."
	case Acknowledged:
		text += t.rec.Heard + " has it."
	case Resolved:
		text += "It is over."
	case Unreached:
		text += "Nobody has it: the chain came to its end."
	case Waiting:
		text += "People are paged at " + human.Clock(t.rec.Next) + " unless somebody acknowledges."
	case Noticed:
		text += "The level pages nobody."
	case Paging:
		text += "Nobody has acknowledged yet."
		if !t.rec.Next.IsZero() {
			text += " It goes on at " + human.Clock(t.rec.Next) + "."
		}
	}
	if len(was) > 0 {
		text += " Told: " + strings.Join(was, ", ") + "."
	}
	if failures > 0 {
		text += fmt.Sprintf(" Messages that failed: %d.", failures)
	}
	return text
}

// PoliciesResponse is who is told of what, in force.
type PoliciesResponse struct {
	Levels    []policy.Level            `json:"levels" doc:"the most urgent first"`
	Policies  []policy.EscalationPolicy `json:"policies"`
	Templates []policy.EscalationPolicy `json:"templates" doc:"chains to begin with"`
}

// PoliciesInForce are the levels and the policies that files have put into force.
func (e *Engine) PoliciesInForce() PoliciesResponse {
	roster := e.deps.Room.Value()
	out := PoliciesResponse{Levels: roster.LevelsInForce(), Policies: make([]policy.EscalationPolicy, 0, len(roster.Policies)), Templates: policy.Templates()}
	for _, p := range roster.Policies {
		out.Policies = append(out.Policies, hidden(p))
	}
	return out
}

// hidden is a policy without the addresses that are secrets.
func hidden(p policy.EscalationPolicy) policy.EscalationPolicy {
	hide := func(list []policy.EscalationTarget) []policy.EscalationTarget {
		out := make([]policy.EscalationTarget, 0, len(list))
		for _, t := range list {
			if strings.Contains(t.Address, "://") {
				t.Address = "(hidden)"
			}
			out = append(out, t)
		}
		return out
	}
	p.Notices = hide(p.Notices)
	steps := make([]policy.EscalationStep, 0, len(p.Steps))
	for _, s := range p.Steps {
		s.Notify = hide(s.Notify)
		steps = append(steps, s)
	}
	p.Steps = steps
	return p
}

// IsDrill reports whether an ID is that of a drill.
func IsDrill(id string) bool { return strings.HasPrefix(id, drillPrefix) }

// OfDrill is a drill, as far as it has come.
func (e *Engine) OfDrill(ctx context.Context, id string) (View, error) {
	if !IsDrill(id) {
		return View{}, fmt.Errorf("drill %q: %w", id, store.ErrNotFound)
	}
	v, err := e.OfPage(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		err = fmt.Errorf("drill %q: %w", id, store.ErrNotFound)
	}
	return v, err
}
