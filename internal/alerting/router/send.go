package router

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/marker"
	"github.com/prometheus/alertmanager/silence"
	prommodel "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/alerting/inforce"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
)

// Send takes alerts into the pipeline; see notify.Sender.
func (r *Router) Send(ctx context.Context, alerts ...notify.Alert) error {
	now := time.Now()
	in := make([]*alert.Alert, 0, len(alerts))
	for _, a := range alerts {
		am := &alert.Alert{
			Alert: prommodel.Alert{
				Labels: labelSet(a.Labels), Annotations: labelSet(a.Annotations),
				StartsAt: a.StartsAt, EndsAt: a.EndsAt, GeneratorURL: a.GeneratorURL,
			},
			UpdatedAt: now,
		}
		if am.StartsAt.IsZero() {
			am.StartsAt = now
			if !am.EndsAt.IsZero() && am.EndsAt.Before(now) {
				am.StartsAt = am.EndsAt
			}
		}
		if am.EndsAt.IsZero() {
			am.Timeout = true
			am.EndsAt = now.Add(time.Duration(r.resolve.Load()))
		}
		if err := am.Validate(); err != nil {
			return fmt.Errorf("alert %s: %w", a.Labels["alertname"], err)
		}
		in = append(in, am)
	}
	return r.alerts.Put(ctx, in...)
}

// Muted says what keeps an alert from being delivered: ids of silences and
// fingerprints of inhibiting alerts. HeldBack is a sentence when it is for the alert
// of a service that this one depends on.
type Muted struct {
	SilencedBy, InhibitedBy []string
	HeldBack                string
}

// Muted asks silences and inhibitions about an alert with these labels.
func (r *Router) Muted(ctx context.Context, labels model.Labels) Muted {
	ls := labelSet(labels)
	m := marker.NewAlertMarker()
	ctx = marker.WithContext(ctx, m)
	if p := r.current.Load(); p != nil {
		p.inhibitor.Mutes(ctx, ls)
	}
	h := r.markHeld(ctx, ls)
	r.silencer.Mutes(ctx, ls)
	st := m.Status(ls.Fingerprint())
	out := Muted{SilencedBy: st.SilencedBy, InhibitedBy: st.InhibitedBy}
	if h != nil {
		out.HeldBack = h.String()
	}
	return out
}

// labelSet leaves out empty values, which mean "no such label".
func labelSet(m model.Labels) prommodel.LabelSet {
	ls := make(prommodel.LabelSet, len(m))
	for k, v := range m {
		if v != "" {
			ls[prommodel.LabelName(k)] = prommodel.LabelValue(v)
		}
	}
	return ls
}

// Silence is a silence by its id, also one that ended; false when there is none.
func (r *Router) Silence(ctx context.Context, id string) (inforce.Silence, bool) {
	found, _, err := r.silences.Query(ctx, silence.QIDs(id))
	if err != nil || len(found) == 0 {
		return inforce.Silence{}, false
	}
	s := found[0]
	return inforce.Silence{ID: s.Id, CreatedBy: s.CreatedBy, Comment: s.Comment, EndsAt: s.EndsAt.AsTime()}, true
}
