package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/signalbox-project/signalbox/internal/platform/human"
	"github.com/signalbox-project/signalbox/internal/platform/redact"
	"github.com/signalbox-project/signalbox/internal/remedy/action"
	"github.com/signalbox-project/signalbox/internal/remedy/contract"
)

// actTimeout bounds what is carried out, with all its attempts.
const actTimeout = 12 * time.Minute

// errStopped is why a context ends that somebody stopped.
var errStopped = errors.New("somebody stopped it")

// act stores that it is done, and then has it done.
func (e *Engine) act(ctx context.Context, r *round, remedy contract.Remedy, k *kept, executor action.Executor) error {
	k.Times.Decided, k.Why = &r.now, ""
	o := orderOf(remedy, k)
	o.At = r.now
	if err := e.change(ctx, k, Acting, sentence("Signalbox goes to "+k.Plan.Text), "", r.now); err != nil {
		k.Times.Decided = nil
		return err
	}
	r.busy[k.Subject.Target] = k.ID
	if k.State != Acting {
		return nil // the audit log did not take it
	}
	own, plan := *k, k.plan() // a copy: the step goes on with its own
	e.carry(ctx, remedy, &own, "act", func(ctx context.Context) error {
		result, err := executor.Do(ctx, o, plan)
		return e.settle(ctx, remedy, &own, executor, result, err)
	})
	return nil
}

// carry runs what takes a while beside the steps, with a span of its own. What was begun is finished although the process may be
// stopping; only a person ends it.
func (e *Engine) carry(ctx context.Context, remedy contract.Remedy, k *kept, what string, do func(context.Context) error) {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	e.cancels.Store(k.ID, cancel)
	e.running.Go(func() {
		defer cancel(nil)
		defer e.cancels.Delete(k.ID)
		ctx, timeout := context.WithTimeout(ctx, actTimeout)
		defer timeout()
		kind := remedy.Action.Kind()
		ctx, span := e.tracer.Start(ctx, "remedy "+what, trace.WithAttributes(
			attribute.String("remedy.name", k.Remedy), attribute.String("remedy.run", k.ID), attribute.String("remedy.action", kind), attribute.String("remedy.target", k.Subject.Target)))
		defer span.End()
		began := time.Now()
		err := do(ctx)
		e.metrics.acted.WithLabelValues(kind).Observe(time.Since(began).Seconds())
		span.SetAttributes(attribute.String("remedy.state", string(k.State)))
		if err != nil || k.State == Failed {
			span.SetStatus(codes.Error, redact.Text(fmt.Sprint(k.Reason, err)))
		}
		if err != nil {
			e.metrics.failures.WithLabelValues("step").Inc()
			e.log.ErrorContext(ctx, "outcome of a remedy not stored", "run", k.ID, "err", err)
		}
		e.poke()
	})
}

// settle stores what came of an action. After an error the world is looked at: an order may have been taken although its answer was lost.
func (e *Engine) settle(ctx context.Context, remedy contract.Remedy, k *kept, executor action.Executor, result string, failed error) error {
	world, k2 := action.After, context.WithoutCancel(ctx)
	if failed != nil {
		look, cancel := context.WithTimeout(k2, planTimeout)
		defer cancel()
		var err error
		if world, err = executor.Look(look, orderOf(remedy, k), k.plan()); err != nil {
			world = action.Unknown
		}
		if errors.Is(context.Cause(ctx), errStopped) {
			failed = fmt.Errorf("%w: %w", errStopped, failed)
		}
		result = redact.Text(failed.Error())
	}
	now := e.deps.Now().UTC()
	k.Result = result
	switch world {
	case action.After:
		until := now.Add(time.Duration(remedy.Effect.Within))
		k.Times.Until = &until
		return e.change(k2, k, Verifying, fmt.Sprintf("Done: %s. Its effect must be seen by %s.", k.Plan.Text, human.Clock(until)), "", now)
	case action.Before:
		return e.change(k2, k, Failed, fmt.Sprintf("It could not be done, and nothing was changed: %s.", result), "", now)
	}
	return e.change(k2, k, Failed, fmt.Sprintf("Nobody knows whether it was done, so it is not repeated: %s.", result), "", now)
}

// resume looks after what another process began to carry out, or this one is at.
func (e *Engine) resume(ctx context.Context, r *round, remedy contract.Remedy, known bool, k *kept) error {
	if _, here := e.cancels.Load(k.ID); here {
		return nil
	}
	if !known || k.Plan == nil {
		return e.change(ctx, k, Failed, "The process ended while it was at work and the remedy is not in force any more: nobody knows how far it came.", "", r.now)
	}
	executor, world, err := e.worldOf(ctx, remedy, k)
	if err != nil {
		e.log.WarnContext(ctx, "the target of an interrupted run cannot be looked at", "run", k.ID, "err", err)
	}
	undoing := k.State == Undoing
	switch {
	case undoing && world == action.Before:
		return e.change(ctx, k, Undone, "The process ended while it took this back; the target is as it was before.", "", r.now)
	case undoing:
		return e.change(ctx, k, Failed, "The process ended while it took this back, and the target is not as it was before: a person must look. Nothing is repeated.", "", r.now)
	case world == action.After:
		return e.settle(ctx, remedy, k, executor, "the process ended while it did this; the target shows that it was done", nil)
	case world == action.Before:
		k.Times.Decided, k.Approval = nil, nil
		return e.change(ctx, k, Declined, "The process ended before this was done, as the target shows. It is judged anew.", "", r.now)
	}
	return e.change(ctx, k, Failed, "The process ended while it did this, and the target does not show whether it was done: a person must look. Nothing is repeated.", "", r.now)
}

func (e *Engine) worldOf(ctx context.Context, remedy contract.Remedy, k *kept) (action.Executor, action.World, error) {
	what, _, err := remedy.Action.For(k.Subject.Labels)
	if err != nil {
		return nil, action.Unknown, err
	}
	executor, err := e.deps.Executor(what)
	if err != nil {
		return nil, action.Unknown, err
	}
	ctx, cancel := context.WithTimeout(ctx, planTimeout)
	defer cancel()
	world, err := executor.Look(ctx, orderOf(remedy, k), k.plan())
	if err != nil {
		world = action.Unknown
	}
	return executor, world, err
}

// watch asks whether the effect came, and whether it lasts.
func (e *Engine) watch(ctx context.Context, r *round, remedy contract.Remedy, known bool, k *kept) error {
	if s, ok := r.stop(k.Remedy); ok {
		return e.change(ctx, k, Halted, sentence("What was done stays, and nothing is taken back: "+s.text()), "", r.now)
	}
	if !known {
		return e.change(ctx, k, Halted, "What was done stays: the remedy is not in force any more, so nobody looks for its effect.", "", r.now)
	}
	query := remedy.Effect.Query
	if k.State == Holding && remedy.Verification != nil {
		query = remedy.Verification.Query
	}
	f, err := query.Ask(ctx, e.deps.Querier, k.Subject.Labels, r.now)
	if err != nil {
		f = contract.Finding{Query: string(query), NoData: true, Time: r.now}
	}
	k.Evidence = append(k.Evidence[:len(k.Evidence):len(k.Evidence)], f)
	due := k.Times.Until == nil || !r.now.Before(*k.Times.Until)
	switch {
	case k.State == Verifying && f.Holds && remedy.Verification != nil:
		until := r.now.Add(time.Duration(remedy.Verification.For))
		k.Times.Until = &until
		return e.change(ctx, k, Holding, fmt.Sprintf("The effect came: %s. It must last until %s.", f.Text(), human.Clock(until)), "", r.now)
	case k.State == Verifying && f.Holds, k.State == Holding && f.Holds && due:
		return e.change(ctx, k, Effective, sentence("It helped: "+f.Text()), "", r.now)
	case k.State == Holding && !f.Holds && !f.NoData:
		return e.takeBack(ctx, r, remedy, k, sentence("The effect did not last: "+f.Text()))
	case !due:
		return nil
	case f.NoData:
		return e.change(ctx, k, Ineffective, fmt.Sprintf("Whether it helped is not known, so nothing is taken back: %s.", f.Text()), "", r.now)
	}
	return e.takeBack(ctx, r, remedy, k, sentence("It did not help: "+f.Text()))
}

// takeBack undoes what did not help, where that can be done.
func (e *Engine) takeBack(ctx context.Context, r *round, remedy contract.Remedy, k *kept, why string) error {
	if remedy.Undo != contract.UndoAuto || k.Plan.Undo == "" {
		return e.change(ctx, k, Ineffective, why+" What was done stays.", "", r.now)
	}
	what, _, err := remedy.Action.For(k.Subject.Labels)
	if err != nil {
		return err
	}
	executor, err := e.deps.Executor(what)
	if err != nil {
		return err
	}
	if err := e.change(ctx, k, Undoing, why+" Signalbox takes it back: "+k.Plan.Undo+".", "", r.now); err != nil {
		return err
	}
	if k.State != Undoing {
		return nil // the audit log did not take it
	}
	own, o, plan := *k, orderOf(remedy, k), k.plan()
	e.carry(ctx, remedy, &own, "undo", func(ctx context.Context) error {
		result, err := executor.Undo(ctx, o, plan)
		whole := context.WithoutCancel(ctx)
		if err != nil {
			own.Result = redact.Text(err.Error())
			return e.change(whole, &own, Failed, fmt.Sprintf("%s It could not be taken back: %s.", why, own.Result), "", e.deps.Now().UTC())
		}
		own.Result = result
		return e.change(whole, &own, Undone, fmt.Sprintf("%s It was taken back: %s.", why, plan.Undo), "", e.deps.Now().UTC())
	})
	return nil
}
