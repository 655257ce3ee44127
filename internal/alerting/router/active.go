package router

import (
	"context"
	"fmt"
	"time"

	"github.com/signalbox-project/signalbox/internal/alerting/inforce"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/notify/record"
)

// ActiveAlerts are the alerts that have not ended, silenced and inhibited ones too.
func (r *Router) ActiveAlerts(ctx context.Context) ([]inforce.ActiveAlert, error) {
	var out []inforce.ActiveAlert
	now := time.Now()
	it := r.alerts.GetPending()
	defer it.Close()
	for a := range it.Next() {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if a.Data.ResolvedAt(now) {
			continue
		}
		ls := record.Labels(a.Data.Labels)
		muted := r.Muted(ctx, ls)
		out = append(out, inforce.ActiveAlert{
			Fingerprint: a.Data.Fingerprint().String(), Labels: ls, Annotations: record.Labels(a.Data.Annotations),
			StartsAt: a.Data.StartsAt, GeneratorURL: a.Data.GeneratorURL,
			SilencedBy: muted.SilencedBy, InhibitedBy: muted.InhibitedBy, HeldBack: muted.HeldBack,
			Flapping: string(a.Data.Annotations[notify.Flapping]),
		})
	}
	if err := it.Err(); err != nil {
		return nil, fmt.Errorf("list active alerts: %w", err)
	}
	return out, nil
}
