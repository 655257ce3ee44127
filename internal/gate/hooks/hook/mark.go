package hook

import (
	"context"
	"fmt"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// longestRollout is how far back the start of a deployment is looked for.
const longestRollout = 24 * time.Hour

// Mark records a deployment. Reports of one ID are one marker; it keeps the
// time of the first, which is when the change began to take effect.
func (k *Kit) Mark(ctx context.Context, name string, d model.Deploy) (Answer, error) {
	for field, value := range map[string]string{"service": d.Service, "version": d.Version} {
		if value == "" {
			return Answer{}, Missing(field)
		}
	}
	for field, value := range map[string]string{"service": d.Service, "environment": d.Environment, "version": d.Version, "actor": d.Actor} {
		if len(value) > maxText {
			return Answer{}, Bad("%s: has more than %d bytes", field, maxText)
		}
	}
	if d.Time.IsZero() {
		d.Time = k.Now()
	}
	earlier, err := k.deps.Deploys.Deploys(ctx, store.DeployQuery{
		Service: d.Service, Environment: d.Environment, Start: d.Time.Add(-longestRollout), End: d.Time.Add(time.Minute), Limit: 1000,
	})
	if err != nil {
		return Answer{}, fmt.Errorf("mark deployment %s: %w", d.ID, err)
	}
	for _, e := range earlier {
		if e.ID == d.ID && e.Time.Before(d.Time) {
			d.Time = e.Time
		}
	}
	if d, err = k.deps.Deploys.AddDeploy(ctx, d); err != nil {
		return Answer{}, fmt.Errorf("mark deployment %s: %w", d.ID, err)
	}
	k.audit(ctx, model.AuditEntry{
		Actor: orElse(d.Actor, name), Action: "deploy.mark", Subject: d.Service,
		Details: map[string]string{"id": d.ID, "version": d.Version, "environment": d.Environment, "kind": d.Kind, "status": d.Status, "hook": name},
	})
	return Answer{Status: 201, Body: d, Outcome: OutcomeMarked}, nil
}

// Note writes an audit entry about something that a hook let pass or refused.
func (k *Kit) Note(ctx context.Context, actor, action, subject string, details map[string]string) {
	k.audit(ctx, model.AuditEntry{Actor: orElse(actor, "unknown"), Action: action, Subject: subject, Details: details})
}

func (k *Kit) audit(ctx context.Context, e model.AuditEntry) {
	e.Time = k.Now().UTC()
	if _, err := k.deps.Audit.Audit(ctx, e); err != nil {
		k.deps.Logger.ErrorContext(ctx, "audit entry not written", "action", e.Action, "subject", e.Subject, "err", err)
	}
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// Mapped is what names says for key, or key itself.
func Mapped(names map[string]string, key, otherwise string) string {
	if v, ok := names[key]; ok {
		return v
	}
	return otherwise
}

// Ignored answers an event that is none of a hook's business with 200, since
// callers turn hooks off that keep answering errors.
func Ignored(why string) Answer {
	return Answer{Body: map[string]string{"ignored": why}, Outcome: OutcomeIgnored}
}
