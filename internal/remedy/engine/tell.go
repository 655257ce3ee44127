package engine

import (
	"context"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
)

// Alerts that people get.
const (
	AlertWaits  = "RemedyWaitsForApproval" // somebody must approve or refuse
	AlertActed  = "RemedyActed"            // something was done and is being watched
	AlertFailed = "RemedyFailed"           // something was done, or tried, and did not help
)

type notice struct {
	alert notify.Alert
	at    time.Time
}

const (
	resendEvery = time.Minute
	lasts       = 4 * resendEvery // it ends when nobody repeats it
)

// tell raises, repeats and ends the alerts about open runs.
func (e *Engine) tell(ctx context.Context, r *round) {
	if e.deps.Notices == nil {
		return
	}
	due := map[string]notify.Alert{}
	for _, k := range r.open {
		if a, ok := e.alertOf(k); ok {
			due[k.ID] = a
		}
	}
	for id, was := range e.raised {
		if a, still := due[id]; still && a.Labels["alertname"] == was.alert.Labels["alertname"] {
			continue
		}
		was.alert.EndsAt = r.now
		if e.send(ctx, was.alert) {
			delete(e.raised, id)
		}
	}
	for id, a := range due {
		if was, known := e.raised[id]; known && r.now.Sub(was.at) < resendEvery {
			continue
		}
		a.EndsAt = r.now.Add(lasts)
		if e.send(ctx, a) {
			e.raised[id] = notice{a, r.now}
		}
	}
}

func (e *Engine) send(ctx context.Context, a notify.Alert) bool {
	if err := e.deps.Notices.Send(ctx, a); err != nil {
		e.metrics.failures.WithLabelValues("alert").Inc()
		e.log.ErrorContext(ctx, "alert not taken", "alert", a.Labels["alertname"], "err", err)
		return false
	}
	return true
}

func (e *Engine) alertOf(k *kept) (notify.Alert, bool) {
	name, severity := "", "warning"
	switch k.State {
	case Pending:
		name = AlertWaits
		if k.Approval != nil {
			return notify.Alert{}, false
		}
	case Verifying, Holding:
		name = AlertActed
	case Undone, Ineffective, Failed, Halted:
		name, severity = AlertFailed, "critical"
	}
	if name == "" || k.Times.Ended != nil {
		return notify.Alert{}, false
	}
	link := ""
	if e.deps.ExternalURL != "" {
		link = e.deps.ExternalURL + "/remedies?run=" + k.ID
	}
	a := notify.Alert{
		Labels:      model.Labels{"alertname": name, "remedy": k.Remedy, "target": k.Subject.Target, "severity": severity},
		Annotations: model.Labels{"summary": k.Remedy + ": " + k.Reason, "description": k.Reason, "link": link},
		StartsAt:    k.History[len(k.History)-1].Time, GeneratorURL: link,
	}
	for name, value := range map[string]string{"service": k.Subject.Service, "env": k.Subject.Environment} {
		if value != "" {
			a.Labels[name] = value
		}
	}
	return a, true
}
