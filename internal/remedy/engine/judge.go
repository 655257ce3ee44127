package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/signalbox-project/signalbox/internal/platform/human"
	"github.com/signalbox-project/signalbox/internal/platform/redact"
	"github.com/signalbox-project/signalbox/internal/remedy/action"
	"github.com/signalbox-project/signalbox/internal/remedy/contract"
)

// advance moves one run on.
func (e *Engine) advance(ctx context.Context, r *round, k *kept) error {
	remedy, known := r.remedies[k.Remedy]
	_, active := r.active[key(k.Remedy, k.Subject.Target)]
	over := k.Trigger.Kind != "hand" && !active
	switch k.State {
	case Acting, Undoing:
		return e.resume(ctx, r, remedy, known, k)
	case Verifying, Holding:
		return e.watch(ctx, r, remedy, known, k)
	case Asked, Declined, Pending:
		if over {
			return e.end(ctx, k, Ended, "The alert ended by itself before anything was done.", r.now)
		}
		if !known {
			return e.end(ctx, k, Ended, "The remedy is not in force any more.", r.now)
		}
		if k.State == Pending && k.Trigger.Kind == "hand" && r.now.Sub(k.Times.Began) > patience {
			return e.end(ctx, k, Ended, "Nobody approved it within an hour.", r.now)
		}
		if k.Why == "plan" && k.Plan == nil && k.State == Declined && k.Trigger.Kind != "hand" && k.Subject.Target == "alert "+k.Trigger.Fingerprint {
			return nil // it names no target, which an alert does not change
		}
		return e.judge(ctx, r, remedy, k)
	}
	if over || k.Trigger.Kind == "hand" { // final
		k.Times.Ended = &r.now
		return e.save(ctx, k, r.now)
	}
	return nil
}

// patience is how long what was begun by hand waits for approval: no alert says that it is still wanted.
const patience = time.Hour

// verdict is what a judgement came to; why is "" where it may be done.
type verdict struct{ why, reason string }

// judge decides on a run that nothing was done for yet.
func (e *Engine) judge(ctx context.Context, r *round, remedy contract.Remedy, k *kept) error {
	k.Mode, k.DryRun = remedy.Mode, remedy.DryRun || k.Trigger.Kind == "hand" && k.DryRun
	v, executor, err := e.weigh(ctx, r, remedy, k)
	if err != nil {
		return err
	}
	if v.why != "" {
		return e.decline(ctx, r, k, v)
	}
	switch {
	case k.Mode == contract.Suggest:
		k.Times.Decided = &r.now
		return e.change(ctx, k, Suggested, sentence("Signalbox would "+k.Plan.Text), "", r.now)
	case k.Mode == contract.Approve && (k.Approval == nil || k.Approval.Plan != k.Plan.Text):
		r.busy[k.Subject.Target] = k.ID
		reason := sentence("Approval is awaited to " + k.Plan.Text)
		if k.Approval != nil {
			reason = sentence(fmt.Sprintf("What %s approved (%s) is not what would be done now: approval is awaited to %s", k.Approval.By, k.Approval.Plan, k.Plan.Text))
			k.Approval = nil
		} else if k.State == Pending && k.Reason == reason {
			return nil
		}
		return e.change(ctx, k, Pending, reason, "", r.now)
	case k.DryRun:
		k.Times.Decided = &r.now
		return e.change(ctx, k, Planned, sentence("Dry run: Signalbox would "+k.Plan.Text), "", r.now)
	}
	return e.act(ctx, r, remedy, k, executor)
}

func sentence(text string) string { return text + "." }

func (e *Engine) decline(ctx context.Context, r *round, k *kept, v verdict) error {
	if r.busy[k.Subject.Target] == k.ID {
		delete(r.busy, k.Subject.Target)
	}
	// What a precondition finds changes all the time, and is no news.
	same := k.State == Declined && k.Why == v.why && (k.Reason == v.reason || v.why == "precondition")
	k.Why = v.why
	if k.Trigger.Kind == "hand" {
		return e.end(ctx, k, Declined, v.reason, r.now)
	}
	if same {
		return nil
	}
	return e.change(ctx, k, Declined, v.reason, "", r.now)
}

// weigh asks everything that may speak against it, the cheapest first.
func (e *Engine) weigh(ctx context.Context, r *round, remedy contract.Remedy, k *kept) (verdict, action.Executor, error) {
	if s, ok := r.stop(k.Remedy); ok {
		return verdict{"stopped", sentence("Nothing is done: " + s.text())}, nil, nil
	}
	if holder := r.busy[k.Subject.Target]; holder != "" && holder != k.ID {
		return verdict{"excluded", fmt.Sprintf("Nothing is done: %s is in the hands of run %s.", k.Subject.Target, holder)}, nil, nil
	}
	if v := r.atWork(remedy, k); v.why != "" {
		return v, nil, nil
	}
	if e.deps.Frozen != nil {
		why, err := e.deps.Frozen(ctx, remedy.Freeze, k.Subject, r.now)
		if err != nil {
			return verdict{"frozen", sentence("Nothing is done: it is not known whether it is frozen: " + redact.Text(err.Error()))}, nil, nil
		}
		if why != "" {
			return verdict{"frozen", sentence("Nothing is done: " + why)}, nil, nil
		}
	}
	if v := r.limited(remedy, k); v.why != "" {
		return v, nil, nil
	}
	if v := e.holds(ctx, r, remedy, k); v.why != "" {
		return v, nil, nil
	}
	return e.prepare(ctx, r, remedy, k)
}

// atWork bounds on how many targets a remedy is at work.
func (r *round) atWork(remedy contract.Remedy, k *kept) verdict {
	n := 0
	for _, other := range r.open {
		if other.Remedy == k.Remedy && other.ID != k.ID && other.State.holdsTarget() {
			n++
		}
	}
	if n >= remedy.Blast.MaxTargets {
		return verdict{"blast_radius", fmt.Sprintf("Nothing is done: the remedy is at work on %d targets, and may be on %d at most.", n, remedy.Blast.MaxTargets)}
	}
	return verdict{}
}

// limited counts what was done lately.
func (r *round) limited(remedy contract.Remedy, k *kept) verdict {
	hour, day := 0, 0
	var last time.Time
	for _, other := range r.recent {
		if other.ID == k.ID || other.Times.Decided == nil {
			continue
		}
		at := *other.Times.Decided
		if other.Subject.Target == k.Subject.Target && at.After(last) {
			last = at
		}
		if other.Remedy != k.Remedy {
			continue
		}
		if r.now.Sub(at) < time.Hour {
			hour++
		}
		if r.now.Sub(at) < 24*time.Hour {
			day++
		}
	}
	cooldown := time.Duration(remedy.Limits.Cooldown)
	switch {
	case !last.IsZero() && r.now.Sub(last) < cooldown:
		return verdict{"cooldown", fmt.Sprintf("Nothing is done: %s was touched at %s, and is left alone for %s.", k.Subject.Target, human.Clock(last), human.Duration(cooldown))}
	case hour >= remedy.Limits.PerHour:
		return verdict{"limit", fmt.Sprintf("Nothing is done: the remedy acted %d times in an hour, which is its limit. A person must look.", hour)}
	case day >= remedy.Limits.PerDay:
		return verdict{"limit", fmt.Sprintf("Nothing is done: the remedy acted %d times in a day, which is its limit. A person must look.", day)}
	}
	return verdict{}
}

// holds asks the preconditions.
func (e *Engine) holds(ctx context.Context, r *round, remedy contract.Remedy, k *kept) verdict {
	found := make([]contract.Finding, 0, len(remedy.Precondition))
	defer func() { k.Evidence = found }()
	for _, q := range remedy.Precondition {
		f, err := q.Ask(ctx, e.deps.Querier, k.Subject.Labels, r.now)
		if err != nil {
			return verdict{"no_data", sentence("Nothing is done: a precondition could not be asked: " + redact.Text(err.Error()))}
		}
		found = append(found, f)
		switch {
		case f.NoData:
			return verdict{"no_data", sentence("Nothing is done: the precondition " + f.Text())}
		case !f.Holds:
			return verdict{"precondition", sentence("Nothing is done: the precondition " + f.Text())}
		}
	}
	return verdict{}
}

// prepare makes the plan, and bounds it.
func (e *Engine) prepare(ctx context.Context, r *round, remedy contract.Remedy, k *kept) (verdict, action.Executor, error) {
	no := func(why string, err error) (verdict, action.Executor, error) {
		return verdict{why, sentence("Nothing is done: " + redact.Text(err.Error()))}, nil, nil
	}
	what, _, err := remedy.Action.For(k.Subject.Labels)
	if err != nil {
		return no("plan", err)
	}
	executor, err := e.deps.Executor(what)
	if err != nil {
		return no("plan", err)
	}
	o, v := e.order(ctx, r, remedy, k)
	if v.why != "" {
		return v, nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, planTimeout)
	defer cancel()
	plan, err := executor.Plan(ctx, o)
	if err != nil {
		return no("plan", err)
	}
	k.Plan, k.Data = &plan, plan.Data
	return bounded(remedy.Blast, plan), executor, nil
}

const planTimeout = 30 * time.Second

// order is the order of a run, with the bound that a query sets.
func (e *Engine) order(ctx context.Context, r *round, remedy contract.Remedy, k *kept) (action.Order, verdict) {
	o := orderOf(remedy, k)
	o.At = r.now
	if s := remedy.Action.Scale; s != nil && s.AtMost != "" {
		bound, ok, err := s.AtMost.Amount(ctx, e.deps.Querier, k.Subject.Labels, r.now)
		if err != nil || !ok {
			reason := fmt.Sprintf("Nothing is done: at_most (%s) finds no data", s.AtMost)
			if err != nil {
				reason += ": " + redact.Text(err.Error())
			}
			return o, verdict{"no_data", sentence(reason)}
		}
		o.Bound = &bound
	}
	return o, verdict{}
}

func orderOf(remedy contract.Remedy, k *kept) action.Order {
	return action.Order{
		ID: k.ID, Remedy: k.Remedy, Service: k.Subject.Service, Environment: k.Subject.Environment, Reason: k.Reason, At: k.Times.Updated,
		MinReplicas: remedy.Blast.MinReplicas, MaxReplicas: remedy.Blast.MaxReplicas,
	}
}

func bounded(b contract.Blast, p action.Plan) verdict {
	if p.Total > 0 && float64(p.Touched)*100 > b.MaxPercent*float64(p.Total) {
		return verdict{"blast_radius", fmt.Sprintf("Nothing is done: to %s touches %d of %d replicas, and %s %% are allowed.", p.Text, p.Touched, p.Total, human.Number(b.MaxPercent))}
	}
	if p.Replicas > 0 && (b.MaxReplicas > 0 && p.Replicas > b.MaxReplicas || p.Replicas < b.MinReplicas) {
		return verdict{"blast_radius", fmt.Sprintf("Nothing is done: to %s leaves the bounds of %d to %d replicas.", p.Text, b.MinReplicas, b.MaxReplicas)}
	}
	return verdict{}
}
