// Package bands says in which band of the budget policies every SLO lies: in each answer about an SLO, on the page of the
// policies, and by an alert when a budget passes a limit.
//
// It decides nothing: the gate does, by the same bands (gate.Set.BandOf), so that what is shown and what is decided are one.
//
// In: SLOs as they stand and the policies in force. Out: SLOBudgetBand alerts, bands, and the view of the policies. A Watch
// is safe for concurrent use but for Run. Start reading at watch.go.
package bands

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"time"

	prom "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/budget"
	"github.com/signalbox-project/signalbox/internal/gate"
	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/platform/human"
)

// Statuses lists SLOs; slo.Engine does.
type Statuses interface {
	SLOs(ctx context.Context, service string) (list []model.SLOStatus, summary string, err error)
}

// Deps is what a Watch uses; all but Logger and Now are needed.
type Deps struct {
	Logger      *slog.Logger
	SLOs        Statuses
	Sender      notify.Sender
	Policies    *gate.Catalog
	ExternalURL string
	Now         func() time.Time
}

// Watch watches in which budget band every SLO lies and raises an alert
// when one passes a limit: once per crossing, resolved when it falls back.
type Watch struct {
	every time.Duration
	deps  Deps
	above map[string]bandAlert // by SLO; only Run touches it
}

type bandAlert struct {
	alert notify.Alert
	band  string
}

// New makes a watch; it starts nothing.
func New(cfg gate.Config, deps Deps) (*Watch, error) {
	if deps.SLOs == nil || deps.Sender == nil || deps.Policies == nil {
		return nil, errors.New("budget bands: they need SLOs, policies and a sender")
	}
	deps.Logger = instrument.Logger(deps.Logger)
	if deps.Now == nil {
		deps.Now = time.Now
	}
	return &Watch{every: time.Duration(cfg.BandsEvery), deps: deps, above: map[string]bandAlert{}}, nil
}

// Run watches until ctx is done.
func (w *Watch) Run(ctx context.Context) error {
	tick := time.NewTicker(w.every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := w.look(ctx); err != nil && ctx.Err() == nil {
				w.deps.Logger.ErrorContext(ctx, "budget band alerts were not sent; they are sent again", "err", err)
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// look compares every SLO once. An alert that was not taken is sent again
// at the next look, because sending is how an alert is kept alive.
func (w *Watch) look(ctx context.Context) error {
	list, _, err := w.deps.SLOs.SLOs(ctx, "")
	if err != nil {
		return err
	}
	now := w.deps.Now().UTC()
	set := w.deps.Policies.Set()
	next := map[string]bandAlert{}
	var send []notify.Alert
	for _, s := range list {
		was, active := w.above[s.Name]
		band := set.BandAfter(s, was.band)
		if s.State == model.SLOInsufficient || band == nil {
			if active { // nothing is known: that is no recovery
				next[s.Name] = was
			}
			continue
		}
		if band.Name == gate.BandNormal {
			continue
		}
		is := bandAlert{alert: w.alert(s, *band), band: band.Name}
		is.alert.StartsAt = now
		if active && was.band == is.band {
			is.alert.StartsAt = was.alert.StartsAt
		} else {
			w.deps.Logger.WarnContext(ctx, "budget passed into another band", "slo", s.Name, "band", band.Name, "used", s.Budget.UsedRatio)
		}
		next[s.Name] = is
	}
	for name, was := range w.above {
		if is, still := next[name]; !still || is.band != was.band {
			was.alert.EndsAt = now
			send = append(send, notify.Spread(was.alert)...)
		}
	}
	for _, is := range next {
		// As Prometheus does: an alert that nobody repeats ends by itself.
		is.alert.EndsAt = now.Add(4 * w.every)
		send = append(send, notify.Spread(is.alert)...)
	}
	slices.SortFunc(send, func(x, y notify.Alert) int { return cmp.Compare(x.Labels["slo"], y.Labels["slo"]) })
	if len(send) > 0 {
		if err := w.deps.Sender.Send(ctx, send...); err != nil {
			return err
		}
	}
	w.above = next
	return nil
}

func (w *Watch) alert(s model.SLOStatus, band model.SLOBand) notify.Alert {
	means := map[string]string{
		gate.BandCaution:  "Release with caution.",
		gate.BandCritical: "Only critical fixes are released until failures leave the window.",
		gate.BandFreeze:   "Deployments are frozen until failures leave the window.",
	}[band.Name]
	ls := model.Labels{}
	for k, v := range s.Labels {
		if prom.LegacyValidation.IsValidLabelName(k) && v != "" {
			ls[k] = v
		}
	}
	ls["alertname"], ls["slo"], ls["service"], ls["severity"], ls["band"] = gate.BandAlert, s.Name, s.Service, "warning", band.Name
	return notify.Alert{
		Labels: ls,
		Annotations: model.Labels{
			"summary": fmt.Sprintf("%s has used more than %s of its error budget of %s", s.Name, human.Percent(band.Threshold), budget.Spaced(s.Window)),
			"description": fmt.Sprintf("%s of the budget is used (band %s, policy %s). %s",
				human.Percent(s.Budget.UsedRatio), band.Name, band.Policy, means),
		},
		GeneratorURL: w.deps.ExternalURL + "/slos/" + url.PathEscape(s.Name),
	}
}
