package router

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/marker"
	amnotify "github.com/prometheus/alertmanager/notify"
	prommodel "github.com/prometheus/common/model"
)

// holdStage is the stage before a receiver's own in which alerts of dependents
// are held back. Unlike Alertmanager's inhibition it lets alerts go on that went out already, and
// their ends: a page that was opened must be closed.
type holdStage struct{ r *Router }

// Exec implements Alertmanager's Stage.
func (h holdStage) Exec(ctx context.Context, _ *slog.Logger, alerts ...*alert.Alert) (context.Context, []*alert.Alert, error) {
	d := h.r.dependents
	now := time.Now()
	sources := h.r.upstreams(ctx, now)
	out := make([]*alert.Alert, 0, len(alerts))
	for _, a := range alerts {
		if d.goesOut(a, sources, now) {
			out = append(out, a)
		}
	}
	return ctx, out, nil
}

// goesOut says whether an alert is let through, and remembers it.
func (d *dependents) goesOut(a *alert.Alert, sources []*alert.Alert, now time.Time) bool {
	fp := a.Fingerprint()
	told := d.wasTold(a)
	if a.ResolvedAt(now) {
		// What began before this process did may have been told by the one before.
		return told || !d.isTarget(a.Labels) || a.StartsAt.Before(d.began)
	}
	var why *held
	if !told {
		why = d.hold(a, sources)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if why == nil {
		d.told[fp] = now
		delete(d.heldNow, fp)
		for old, at := range d.told {
			if now.Sub(at) > remembered {
				delete(d.told, old)
			}
		}
		return true
	}
	if !d.heldNow[fp].Equal(a.StartsAt) {
		d.heldNow[fp] = a.StartsAt
		d.log.Info("alert held back", "alert", a.Name(), "service", a.Labels["service"], "why", why.String())
	}
	return false
}

// wasTold says whether an alert went out since it began.
func (d *dependents) wasTold(a *alert.Alert) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	at, ok := d.told[a.Fingerprint()]
	return ok && !at.Before(a.StartsAt)
}

// fresh is how long an answer of upstreams serves while no alert is put:
// silences change too, and listing alerts asks for each of them.
const fresh = 500 * time.Millisecond

// upstreams are the alerts that may hold back others.
func (r *Router) upstreams(ctx context.Context, now time.Time) []*alert.Alert {
	d := r.dependents
	d.listing.Lock()
	defer d.listing.Unlock()
	puts := r.alerts.puts.Load()
	if puts != d.listedPuts || now.Sub(d.listedAt) > fresh {
		d.listed, d.listedAt, d.listedPuts = r.listUpstreams(ctx, now), now, puts
	}
	return d.listed
}

func (r *Router) listUpstreams(ctx context.Context, now time.Time) []*alert.Alert {
	var all []*alert.Alert
	it := r.alerts.GetPending()
	defer it.Close()
	for a := range it.Next() {
		all = append(all, a.Data)
	}
	// Without a marker: asking must not change what the caller's marker says of another alert.
	quiet := marker.WithContext(context.WithoutCancel(ctx), marker.NewAlertMarker())
	return r.dependents.upstreams(now, all, func(a *alert.Alert) bool {
		p := r.current.Load()
		return (p == nil || !p.inhibitor.Mutes(quiet, a.Labels)) && !r.silencer.Mutes(quiet, a.Labels)
	})
}

// heldBack is why the alert with these labels is held back now, or nil. One that
// went out already is not.
func (r *Router) heldBack(ctx context.Context, ls prommodel.LabelSet) *held {
	if r.dependents == nil || r.dependents.calls.Load() == nil || !r.dependents.isTarget(ls) {
		return nil
	}
	now := time.Now()
	a, err := r.alerts.Get(ls.Fingerprint())
	if err != nil {
		a = &alert.Alert{Alert: prommodel.Alert{Labels: ls, StartsAt: now}}
	}
	if r.dependents.wasTold(a) {
		return nil
	}
	return r.dependents.hold(a, r.upstreams(ctx, now))
}

// markHeld adds what holds an alert back to the marker in ctx, and answers it.
func (r *Router) markHeld(ctx context.Context, ls prommodel.LabelSet) *held {
	h := r.heldBack(ctx, ls)
	if m, ok := marker.FromContext(ctx); ok && h != nil {
		fp := ls.Fingerprint()
		m.SetInhibited(fp, append(m.Status(fp).InhibitedBy, h.source.Fingerprint().String()))
	}
	return h
}

// withHolding puts the stage before every receiver's.
func (r *Router) withHolding(stages amnotify.RoutingStage) amnotify.RoutingStage {
	if r.dependents == nil {
		return stages
	}
	for name, s := range stages {
		stages[name] = amnotify.MultiStage{holdStage{r}, s}
	}
	return stages
}
