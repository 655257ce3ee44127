package remedy

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/human"
	"github.com/signalbox-project/signalbox/internal/platform/redact"
	"github.com/signalbox-project/signalbox/internal/remedy/rollback"
	"github.com/signalbox-project/signalbox/internal/store"
)

// breach is an SLO with an active burn alert that pages.
type breach struct {
	slo   model.SLOStatus
	alert string
}

// breaches are the SLOs that burn, one for each service and environment: the
// one with the fastest alert.
func (r *Responder) breaches(list []model.SLOStatus) map[place]breach {
	out := map[place]breach{}
	rank := map[place]int{}
	for _, s := range list {
		for i, name := range r.deps.PageAlerts {
			if !slices.Contains(s.Alerts, name) {
				continue
			}
			for _, p := range placesOf(s) {
				if was, ok := rank[p]; !ok || i < was {
					out[p], rank[p] = breach{s, name}, i
				}
			}
			break
		}
	}
	return out
}

// placesOf are the service in each environment that the SLO is for.
func placesOf(s model.SLOStatus) (out []place) {
	for _, env := range model.Listed(model.Environments(s.Labels)) {
		out = append(out, place{s.Service, env})
	}
	if len(out) == 0 {
		out = []place{{service: s.Service}}
	}
	return out
}

func (r *Responder) begin(ctx context.Context, p place, b breach, now time.Time) error {
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("remedy for %s: %w", p.service, err)
	}
	rem := model.Remedy{
		ID: id.String(), Service: p.service, Environment: p.environment, SLO: b.slo.Name, Alert: b.alert, Breach: now, Evidence: []model.Evidence{},
	}
	reason := fmt.Sprintf("%s of %s is active; a rollback is considered once that has lasted %s.", b.alert, b.slo.Name, human.Duration(time.Duration(r.cfg.After)))
	if err := r.change(ctx, &rem, model.RemedyWatching, reason, now); err != nil {
		return err
	}
	r.current[p] = &rem
	return nil
}

// advanceAll moves every remedy on. Orders are given side by side: one slow
// executor holds back no other service.
func (r *Responder) advanceAll(ctx context.Context, breaches map[place]breach, list []model.SLOStatus, now time.Time) []error {
	var errs []error
	var orders []func()
	var mu sync.Mutex
	fail := func(err error) {
		mu.Lock()
		defer mu.Unlock()
		errs = append(errs, err)
	}
	for p, rem := range r.current {
		_, burning := breaches[p]
		order, err := r.advance(ctx, rem, burning, list, now)
		if err != nil {
			fail(err)
		}
		if order != nil {
			orders = append(orders, func() {
				if err := order(); err != nil {
					fail(err)
				}
			})
		}
		r.tell(ctx, rem, now)
		if rem.Ended != nil {
			delete(r.current, p)
			delete(r.why, rem.ID)
			delete(r.raised, rem.ID)
		}
	}
	var group sync.WaitGroup
	for _, order := range orders {
		group.Go(order)
	}
	group.Wait()
	return errs
}

// advance moves one remedy on. What must be carried out outside comes back as
// an order.
func (r *Responder) advance(ctx context.Context, rem *model.Remedy, burning bool, list []model.SLOStatus, now time.Time) (order func() error, err error) {
	status := find(list, rem.SLO)
	// Silence is no recovery: an SLO that cannot be judged still counts as broken.
	over := !burning && (status == nil || status.State != model.SLOInsufficient)
	switch rem.State {
	case model.RemedyWatching, model.RemedyDeclined:
		if over {
			return nil, r.end(ctx, rem, model.RemedyEnded, "The breach ended by itself after "+human.Duration(now.Sub(rem.Breach))+".", now)
		}
		if !burning || now.Sub(rem.Breach) < time.Duration(r.cfg.After) {
			return nil, nil
		}
		return r.decide(ctx, rem, now)
	case model.RemedyVerifying:
		return nil, r.verify(ctx, rem, status, now)
	case model.RemedyExecuting:
		return nil, nil // the order was given in this process and is not back yet
	}
	if over { // planned, recovered, unhelpful or failed
		rem.Ended = &now
		return nil, r.save(ctx, rem)
	}
	return nil, nil
}

func find(list []model.SLOStatus, name string) *model.SLOStatus {
	for i := range list {
		if list[i].Name == name {
			return &list[i]
		}
	}
	return nil
}

// decide judges a breach that has lasted long enough.
func (r *Responder) decide(ctx context.Context, rem *model.Remedy, now time.Time) (order func() error, err error) {
	target := r.cfg.target(rem.Service, rem.Environment)
	environment := rem.Environment
	if environment == "" && target != nil {
		environment = target.Environment
	}
	c, err := r.findCause(ctx, *rem, environment, now)
	if err != nil {
		r.metrics.failures.WithLabelValues("cause").Inc()
		return nil, err
	}
	rem.Deploy, rem.Previous, rem.Evidence = c.deploy, c.previous, append([]model.Evidence{}, c.evidence...)
	if c.deploy != nil {
		rem.Version = c.deploy.Version
	}
	if c.why == "" && target == nil {
		c.why, c.reason = whyNoTarget, "The deployment is the likely cause: "+c.reason+" No rollback target is configured for "+named(place{rem.Service, rem.Environment})+"."
	}
	if c.why == "" {
		last, err := r.lastOrder(ctx, *rem)
		if err != nil {
			r.metrics.failures.WithLabelValues("store").Inc()
			return nil, err
		}
		if !last.IsZero() && now.Sub(last) < time.Duration(r.cfg.OnePer) {
			c.why, c.reason = whyLimited, fmt.Sprintf("%s was rolled back at %s, and that is done once in %s at most. %s", rem.Service, human.Clock(last), human.Duration(time.Duration(r.cfg.OnePer)), c.reason)
		}
	}
	if c.why != "" {
		if r.why[rem.ID] == c.why {
			return nil, nil
		}
		r.why[rem.ID] = c.why
		return nil, r.change(ctx, rem, model.RemedyDeclined, c.reason, now)
	}
	return r.prepare(ctx, rem, *target, c.reason, now)
}

func named(p place) string {
	if p.environment == "" {
		return p.service
	}
	return p.service + " in " + p.environment
}

// lastOrder is when the service was rolled back last, in any environment and
// for another breach.
func (r *Responder) lastOrder(ctx context.Context, self model.Remedy) (last time.Time, err error) {
	list, err := r.deps.Store.Remedies(ctx, store.RemedyQuery{Service: self.Service})
	if err != nil {
		return last, err
	}
	for _, rem := range list {
		if rem.ID != self.ID && rem.Executed != nil && rem.Executed.After(last) {
			last = *rem.Executed
		}
	}
	return last, nil
}

// executeTimeout bounds an order with all its attempts.
const executeTimeout = 2 * time.Minute

// prepare stores that the order is given, before it is.
func (r *Responder) prepare(ctx context.Context, rem *model.Remedy, target Target, reason string, now time.Time) (order func() error, err error) {
	executor, err := target.executor(r.deps)
	if err != nil {
		return nil, err
	}
	rem.Executor, rem.DryRun, rem.Executed = executor.Name(), r.cfg.DryRun, &now
	if target.DryRun != nil {
		rem.DryRun = *target.DryRun
	}
	what := rollback.Order{
		ID: rem.ID, Service: rem.Service, Environment: rem.Environment, Version: rem.Version, Previous: rem.Previous, Reason: reason, DryRun: rem.DryRun,
	}
	if what.Environment == "" {
		what.Environment = target.Environment
	}
	if err := r.change(ctx, rem, model.RemedyExecuting, fmt.Sprintf("%s lasts %s and %s", rem.Alert, human.Duration(now.Sub(rem.Breach)), reason), now); err != nil {
		rem.Executed = nil
		return nil, err
	}
	return func() error { return r.execute(ctx, rem, executor, what, reason) }, nil
}

func (r *Responder) execute(ctx context.Context, rem *model.Remedy, executor rollback.Executor, what rollback.Order, reason string) error {
	// An order that was begun is finished although the process may be stopping.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), executeTimeout)
	defer cancel()
	result, err := executor.Rollback(ctx, what)
	now := r.deps.Now().UTC()
	switch {
	case err != nil:
		rem.Result = redact.Text(err.Error())
		return r.change(ctx, rem, model.RemedyFailed, fmt.Sprintf("%s could not be rolled back from %s: %s", rem.Service, rem.Version, rem.Result), now)
	case what.DryRun:
		rem.Result = result
		return r.change(ctx, rem, model.RemedyPlanned, fmt.Sprintf("Dry run: Signalbox %s, since %s", result, reason), now)
	}
	until := now.Add(time.Duration(r.cfg.VerifyWithin))
	rem.Result, rem.VerifyUntil = result, &until
	if _, err := r.deps.Deploys.AddDeploy(ctx, model.Deploy{
		ID: "remedy-" + rem.ID, Time: now, Service: rem.Service, Environment: what.Environment, Version: rem.Previous, Kind: "rollback",
		Status: "started", Actor: actor, Link: r.link(rem), Message: "Rolled back from " + rem.Version + ": " + reason,
	}); err != nil {
		r.metrics.failures.WithLabelValues("store").Inc()
		r.log.ErrorContext(ctx, "rollback marker not written", "remedy", rem.ID, "err", err)
	}
	return r.change(ctx, rem, model.RemedyVerifying, fmt.Sprintf("Signalbox %s; the burn must fall below %s by %s.", result, human.Times(r.cfg.RecoveredBurn), human.Clock(until)), now)
}

// verify asks whether the burn fell.
func (r *Responder) verify(ctx context.Context, rem *model.Remedy, status *model.SLOStatus, now time.Time) error {
	burn, known := fastest(status)
	took := human.Duration(now.Sub(*rem.Executed))
	switch {
	case known && burn.Rate < r.cfg.RecoveredBurn:
		r.finishMarker(ctx, rem, "succeeded")
		// It ends with the breach: an alert over a long window stays for a while.
		return r.change(ctx, rem, model.RemedyRecovered, fmt.Sprintf("The burn over %s fell to %s within %s of the rollback to %s.", burn.Window, human.Times(burn.Rate), took, rem.Previous), now)
	case rem.VerifyUntil != nil && now.Before(*rem.VerifyUntil):
		return nil
	case !known:
		return r.change(ctx, rem, model.RemedyUnhelpful, fmt.Sprintf("%s after the rollback to %s there is no data that would show a recovery.", took, rem.Previous), now)
	}
	return r.change(ctx, rem, model.RemedyUnhelpful, fmt.Sprintf("The rollback to %s did not help: %s later the burn over %s is still %s.", rem.Previous, took, burn.Window, human.Times(burn.Rate)), now)
}

// finishMarker says how the rollback went; the recovery stands without it.
func (r *Responder) finishMarker(ctx context.Context, rem *model.Remedy, outcome string) {
	list, err := r.deps.Deploys.Deploys(ctx, store.DeployQuery{Service: rem.Service, Start: rem.Breach, Limit: 1000})
	if err == nil {
		for _, d := range list {
			if d.ID == "remedy-"+rem.ID {
				d.Status = outcome
				_, err = r.deps.Deploys.AddDeploy(ctx, d)
			}
		}
	}
	if err != nil {
		r.log.ErrorContext(ctx, "rollback marker not updated", "remedy", rem.ID, "err", err)
	}
}

// fastest is the burn over the shortest window that has data.
func fastest(s *model.SLOStatus) (model.Burn, bool) {
	if s == nil || s.State == model.SLOInsufficient {
		return model.Burn{}, false
	}
	best, shortest := model.Burn{}, time.Duration(0)
	for _, b := range s.Burn {
		if d := windowOf(b.Window); d > 0 && (shortest == 0 || d < shortest) {
			best, shortest = b, d
		}
	}
	return best, shortest > 0 && best.Coverage > 0 && best.Events > 0
}
