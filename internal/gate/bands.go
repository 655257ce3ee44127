package gate

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
	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/platform/human"
)

// BandAlert is the name of the alert that a budget's band raises.
const BandAlert = "SLOBudgetBand"

// bandSlack is how far below a band's limit a budget must fall before its
// alert ends: a rolling window moves both ways by a little all the time.
const bandSlack = 0.01

// Statuses lists SLOs; slo.Engine does.
type Statuses interface {
	SLOs(ctx context.Context, service string) (list []model.SLOStatus, summary string, err error)
}

// BandsDeps is what Bands uses; all but Logger and Now are needed.
type BandsDeps struct {
	Logger      *slog.Logger
	SLOs        Statuses
	Sender      notify.Sender
	Policies    *Catalog
	ExternalURL string
	Now         func() time.Time
}

// Bands watches in which budget band every SLO lies and raises an alert
// when one passes a limit: once per crossing, resolved when it falls back.
type Bands struct {
	every time.Duration
	deps  BandsDeps
	above map[string]bandAlert // by SLO; only Run touches it
}

type bandAlert struct {
	alert notify.Alert
	band  string
}

// NewBands makes a watch; it starts nothing.
func NewBands(cfg Config, deps BandsDeps) (*Bands, error) {
	if deps.SLOs == nil || deps.Sender == nil || deps.Policies == nil {
		return nil, errors.New("budget bands: they need SLOs, policies and a sender")
	}
	deps.Logger = instrument.Logger(deps.Logger)
	if deps.Now == nil {
		deps.Now = time.Now
	}
	return &Bands{every: time.Duration(cfg.BandsEvery), deps: deps, above: map[string]bandAlert{}}, nil
}

// Run watches until ctx is done.
func (b *Bands) Run(ctx context.Context) error {
	tick := time.NewTicker(b.every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := b.look(ctx); err != nil && ctx.Err() == nil {
				b.deps.Logger.ErrorContext(ctx, "budget band alerts were not sent; they are sent again", "err", err)
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// look compares every SLO once. An alert that was not taken is sent again
// at the next look, because sending is how an alert is kept alive.
func (b *Bands) look(ctx context.Context) error {
	list, _, err := b.deps.SLOs.SLOs(ctx, "")
	if err != nil {
		return err
	}
	now := b.deps.Now().UTC()
	set := b.deps.Policies.Set()
	next := map[string]bandAlert{}
	var send []notify.Alert
	for _, s := range list {
		was, active := b.above[s.Name]
		if s.State == model.SLOInsufficient || !knownBudget(s) {
			if active { // nothing is known: that is no recovery
				next[s.Name] = was
			}
			continue
		}
		band := set.bandOf(s, was.band)
		if band.Name == BandNormal {
			continue
		}
		is := bandAlert{alert: b.alert(s, band), band: band.Name}
		is.alert.StartsAt = now
		if active && was.band == is.band {
			is.alert.StartsAt = was.alert.StartsAt
		} else {
			b.deps.Logger.WarnContext(ctx, "budget passed into another band", "slo", s.Name, "band", band.Name, "used", s.Budget.UsedRatio)
		}
		next[s.Name] = is
	}
	for name, was := range b.above {
		if is, still := next[name]; !still || is.band != was.band {
			was.alert.EndsAt = now
			send = append(send, notify.Spread(was.alert)...)
		}
	}
	for _, is := range next {
		// As Prometheus does: an alert that nobody repeats ends by itself.
		is.alert.EndsAt = now.Add(4 * b.every)
		send = append(send, notify.Spread(is.alert)...)
	}
	slices.SortFunc(send, func(x, y notify.Alert) int { return cmp.Compare(x.Labels["slo"], y.Labels["slo"]) })
	if len(send) > 0 {
		if err := b.deps.Sender.Send(ctx, send...); err != nil {
			return err
		}
	}
	b.above = next
	return nil
}

func (b *Bands) alert(s model.SLOStatus, band model.SLOBand) notify.Alert {
	means := map[string]string{
		BandCaution:  "Release with caution.",
		BandCritical: "Only critical fixes are released until failures leave the window.",
		BandFreeze:   "Deployments are frozen until failures leave the window.",
	}[band.Name]
	ls := model.Labels{}
	for k, v := range s.Labels {
		if prom.LegacyValidation.IsValidLabelName(k) && v != "" {
			ls[k] = v
		}
	}
	ls["alertname"], ls["slo"], ls["service"], ls["severity"], ls["band"] = BandAlert, s.Name, s.Service, "warning", band.Name
	return notify.Alert{
		Labels: ls,
		Annotations: model.Labels{
			"summary": fmt.Sprintf("%s has used more than %s of its error budget of %s", s.Name, human.Percent(band.Threshold), budget.Spaced(s.Window)),
			"description": fmt.Sprintf("%s of the budget is used (band %s, policy %s). %s",
				human.Percent(s.Budget.UsedRatio), band.Name, band.Policy, means),
		},
		GeneratorURL: b.deps.ExternalURL + "/slos/" + url.PathEscape(s.Name),
	}
}
