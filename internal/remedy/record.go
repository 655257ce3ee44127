package remedy

import (
	"context"
	"fmt"
	"strconv"
	"time"

	prom "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/platform/human"
)

// actor is who acts, in markers and the audit log.
const actor = "signalbox"

// change moves a remedy to a state and stores it; what is not stored did not
// happen.
func (r *Responder) change(ctx context.Context, rem *model.Remedy, state model.RemedyState, reason string, now time.Time) error {
	was := *rem
	rem.State, rem.Reason = state, reason
	rem.History = append(rem.History[:len(rem.History):len(rem.History)], model.RemedyStep{Time: now, State: state, Reason: reason})
	if err := r.save(ctx, rem); err != nil {
		if state != model.RemedyFailed && state != model.RemedyVerifying && state != model.RemedyPlanned {
			*rem = was // an outcome stands, a decision does not
		}
		return err
	}
	r.metrics.outcomes.WithLabelValues(string(state)).Inc()
	r.log.InfoContext(ctx, "remedy", "id", rem.ID, "service", rem.Service, "environment", rem.Environment, "state", string(state), "reason", reason)
	details := map[string]string{
		"service": rem.Service, "environment": rem.Environment, "slo": rem.SLO, "state": string(state), "reason": reason, "dry_run": strconv.FormatBool(rem.DryRun),
	}
	if rem.Executor != "" {
		details["executor"], details["version"], details["previous_version"], details["result"] = rem.Executor, rem.Version, rem.Previous, rem.Result
	}
	if _, err := r.deps.Audit.Audit(ctx, model.AuditEntry{Time: now, Actor: actor, Action: "remedy." + string(state), Subject: rem.ID, Details: details}); err != nil {
		// An order that is not on record is not given.
		if state == model.RemedyExecuting {
			*rem = was
			return fmt.Errorf("remedy %s: %w", rem.ID, err)
		}
		r.log.ErrorContext(ctx, "audit entry not written", "remedy", rem.ID, "err", err)
	}
	return nil
}

func (r *Responder) end(ctx context.Context, rem *model.Remedy, state model.RemedyState, reason string, now time.Time) error {
	rem.Ended = &now
	if err := r.change(ctx, rem, state, reason, now); err != nil {
		rem.Ended = nil
		return err
	}
	return nil
}

func (r *Responder) save(ctx context.Context, rem *model.Remedy) error {
	rem.Updated = r.deps.Now().UTC()
	if err := r.deps.Store.SaveRemedy(ctx, *rem); err != nil {
		r.metrics.failures.WithLabelValues("store").Inc()
		return fmt.Errorf("remedy %s of %s: %w", rem.ID, rem.Service, err)
	}
	return nil
}

// Alerts that people get.
const (
	AlertRolledBack = "AutoRollback"           // a rollback was carried out and is being verified
	AlertUnhelpful  = "AutoRollbackDidNotHelp" // the burn did not fall
	AlertFailed     = "AutoRollbackFailed"     // it could not be carried out
)

// raised is an alert that was raised and not ended yet.
type raised struct {
	alert notify.Alert
	at    time.Time
}

const (
	resendEvery = time.Minute
	lasts       = 4 * resendEvery // as Prometheus does: it ends when nobody repeats it
)

// tell raises, repeats and ends the alert that belongs to a remedy's state.
func (r *Responder) tell(ctx context.Context, rem *model.Remedy, now time.Time) {
	if r.deps.Alerts == nil {
		return
	}
	was, active := r.raised[rem.ID]
	alert, due := r.alertOf(rem)
	if active && (!due || was.alert.Labels["alertname"] != alert.Labels["alertname"]) {
		was.alert.EndsAt = now
		if !r.send(ctx, was.alert) {
			return
		}
		delete(r.raised, rem.ID)
		active = false
	}
	if !due || active && now.Sub(was.at) < resendEvery {
		return
	}
	alert.EndsAt = now.Add(lasts)
	if r.send(ctx, alert) {
		r.raised[rem.ID] = raised{alert, now}
	}
}

func (r *Responder) send(ctx context.Context, a notify.Alert) bool {
	if err := r.deps.Alerts.Send(ctx, a); err != nil {
		r.metrics.failures.WithLabelValues("alert").Inc()
		r.log.ErrorContext(ctx, "alert not taken", "alert", a.Labels["alertname"], "err", err)
		return false
	}
	return true
}

func (r *Responder) alertOf(rem *model.Remedy) (notify.Alert, bool) {
	var name string
	severity := "critical"
	switch {
	case rem.Ended != nil:
		return notify.Alert{}, false
	case rem.State == model.RemedyVerifying:
		name, severity = AlertRolledBack, "warning"
	case rem.State == model.RemedyUnhelpful:
		name = AlertUnhelpful
	case rem.State == model.RemedyFailed:
		name = AlertFailed
	default:
		return notify.Alert{}, false
	}
	a := notify.Alert{
		Labels: model.Labels{"alertname": name, "service": rem.Service, "slo": rem.SLO, "severity": severity},
		Annotations: model.Labels{
			"summary": rem.Reason, "description": fmt.Sprintf("%s of %s has been active since %s. %s", rem.Alert, rem.SLO, human.Clock(rem.Breach), rem.Reason), "link": r.link(rem),
		},
		StartsAt: rem.History[len(rem.History)-1].Time, GeneratorURL: r.link(rem),
	}
	if rem.Environment != "" {
		a.Labels["env"] = rem.Environment
	}
	return a, true
}

// link is where a person sees the service that it is about.
func (r *Responder) link(rem *model.Remedy) string {
	if r.deps.ExternalURL == "" {
		return ""
	}
	return r.deps.ExternalURL + "/services/" + rem.Service
}

// windowOf reads a window such as 5m; 0 when it is none.
func windowOf(text string) time.Duration {
	d, err := prom.ParseDuration(text)
	if err != nil {
		return 0
	}
	return time.Duration(d)
}
