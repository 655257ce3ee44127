package diagnose

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/alerting/inforce"
	"github.com/signalbox-project/signalbox/internal/cause"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/human"
	"github.com/signalbox-project/signalbox/internal/store"
)

const (
	// callsOver is how far back calls and failed requests count.
	callsOver = 15 * time.Minute
	// changesOver is how far back changes are read: an upstream may have failed for
	// long before a symptom is asked about.
	changesOver = 24 * time.Hour
	// maxMarkers bounds how many changes are read.
	maxMarkers = 1000
	// burnWindow is the shortest window that a burn is judged over.
	burnWindow = 5 * time.Minute
)

// Cause names what most likely made a service of the default tenant fail.
func (r *Diagnoser) Cause(ctx context.Context, s cause.Symptom) (model.Cause, error) {
	f, err := r.factsAround(ctx, model.DefaultTenant, s.Since, s.At)
	if err != nil {
		return model.Cause{}, fmt.Errorf("cause of %s: %w", s.Service, err)
	}
	return cause.Of(s, f.of(s)), nil
}

// known is what causes are looked for in, for any symptom at one time.
type known struct {
	cause.Facts
	slos   []model.SLOStatus
	alerts []inforce.ActiveAlert
}

// factsAround reads what happened from a day before since up to at.
func (r *Diagnoser) factsAround(ctx context.Context, tenant string, since, at time.Time) (k known, err error) {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	var failed, traffic []model.Sample
	w := promWindow(at.Add(-callsOver), at)
	r.ask(g, gctx, &failed, at, fmt.Sprintf("sum by (service) (increase(%s[%s]))", spans("_count", tenant, "", isError), w))
	r.ask(g, gctx, &traffic, at, rateOf("service, version, status", "5m", spans("_count", tenant, "")))
	g.Go(func() (err error) {
		k.Changes, err = r.deploys(gctx, store.DeployQuery{Start: since.Add(-changesOver), End: at.Add(time.Second), Limit: maxMarkers})
		return err
	})
	g.Go(func() (err error) {
		if r.deps.Edges != nil {
			k.Edges, err = r.deps.Edges.Edges(gctx, tenant, store.RangeOf(at.Add(-callsOver), at))
		}
		return err
	})
	g.Go(func() (err error) { k.slos, err = r.slos(gctx, ""); return err })
	g.Go(func() (err error) {
		if r.deps.Alerts != nil {
			k.alerts, err = r.deps.Alerts.ActiveAlerts(gctx)
		}
		return err
	})
	if err := g.Wait(); err != nil {
		return k, err
	}
	k.Failed, k.Versions = byLabel(failed, "service"), versionsOf(traffic)
	k.Failing = failing(k.slos, k.alerts)
	return k, nil
}

// of adds what alerting says about one symptom.
func (k known) of(s cause.Symptom) cause.Facts {
	f := k.Facts
	f.Named = namedByAlerting(s, k.alerts)
	return f
}

func versionsOf(traffic []model.Sample) map[string][]cause.Version {
	out := map[string][]cause.Version{}
	for _, s := range traffic {
		service, version := s.Labels.Own("service"), s.Labels["version"]
		i := slices.IndexFunc(out[service], func(v cause.Version) bool { return v.Version == version })
		if i < 0 {
			i = len(out[service])
			out[service] = append(out[service], cause.Version{Version: version})
		}
		v := &out[service][i]
		v.Rate += s.Value
		if s.Labels["status"] == "error" {
			v.Errors += s.Value
		}
	}
	return out
}

// failing are the services that somebody is told of, or whose SLO burns.
func failing(slos []model.SLOStatus, alerts []inforce.ActiveAlert) []cause.Failing {
	var out []cause.Failing
	for _, st := range slos {
		if burns(st) && st.Since != nil {
			out = append(out, cause.Failing{Service: st.Service, Environment: environmentOf(st.Labels), Since: *st.Since, What: st.Name})
		}
	}
	for _, a := range alerts {
		if a.Labels.Own("service") != "" && a.Labels.Own("severity") == "critical" && len(a.SilencedBy) == 0 {
			out = append(out, cause.Failing{
				Service: a.Labels.Own("service"), Environment: environmentOf(a.Labels), Region: a.Labels["region"], Since: a.StartsAt, What: a.Labels["alertname"],
			})
		}
	}
	return out
}

func environmentOf(labels map[string]string) string {
	return model.Environments(labels)
}

// namedByAlerting is the service whose alert holds back an alert of the
// symptom's.
func namedByAlerting(s cause.Symptom, alerts []inforce.ActiveAlert) string {
	service := map[string]string{}
	for _, a := range alerts {
		service[a.Fingerprint] = a.Labels.Own("service")
	}
	for _, a := range alerts {
		if a.Labels.Own("service") != s.Service || a.HeldBack == "" {
			continue
		}
		for _, by := range a.InhibitedBy {
			if up := service[by]; up != "" && up != s.Service {
				return up
			}
		}
	}
	return ""
}

// Causes are the causes of what fails now, those of most SLOs first; symptoms
// are folded under their cause. The sentence is "" while nothing fails.
func (r *Diagnoser) Causes(ctx context.Context, tenant string) (list []cause.Group, summary string, err error) {
	now := r.deps.Now()
	k, err := r.factsAround(access.Whole(ctx), r.deps.Home.Label(tenant), now, now)
	if err != nil {
		return nil, "", fmt.Errorf("causes: %w", err)
	}
	slos, err := r.slos(ctx, "")
	if err != nil {
		return nil, "", fmt.Errorf("causes: %w", err)
	}
	list = []cause.Group{}
	for _, st := range slos {
		if !burns(st) {
			continue
		}
		s := cause.Symptom{Service: st.Service, Environment: environmentOf(st.Labels), Since: now, At: now, Window: burnWindow, Slow: aboutLatency(st)}
		if st.Since != nil {
			s.Since = *st.Since
		}
		c, err := r.causeOf(ctx, s, k)
		if err != nil {
			return nil, "", fmt.Errorf("causes: %w", err)
		}
		list = fold(list, c, st)
	}
	slices.SortStableFunc(list, func(a, b cause.Group) int {
		return cmp.Or(cmp.Compare(len(b.SLOs), len(a.SLOs)), a.Cause.Since.Compare(b.Cause.Since))
	})
	return list, causesText(list, len(slos)), nil
}

// aboutLatency says whether an SLO is about how long requests take: failed calls need
// not explain it.
func aboutLatency(st model.SLOStatus) bool {
	q := st.Queries.Good + st.Queries.Bad
	return st.Threshold != nil || strings.Contains(q, "_bucket") || strings.Contains(q, "histogram_") || strings.Contains(q, "duration:>")
}

func fold(list []cause.Group, c model.Cause, st model.SLOStatus) []cause.Group {
	i := slices.IndexFunc(list, func(o cause.Group) bool { return o.Cause.Service == c.Service })
	if i < 0 {
		i = len(list)
		list = append(list, cause.Group{Cause: c, Services: []string{c.Service}})
	}
	o := &list[i]
	if c.Since.Before(o.Cause.Since) || o.Cause.Change == nil && c.Change != nil {
		o.Cause = c
	}
	if st.Service == o.Cause.Service {
		o.SLOs = slices.Insert(o.SLOs, 0, st.Name)
	} else {
		o.SLOs = append(o.SLOs, st.Name)
		if !slices.Contains(o.Services, st.Service) {
			o.Services = append(o.Services, st.Service)
		}
	}
	o.Text = causeText(*o)
	return list
}

// causeText is, for example: access-control fails since 14:02 UTC, right after version
// 1.10.0; edge and layout fail because of it.
func causeText(o cause.Group) string {
	text := o.Cause.Service + " has failed since " + human.Clock(o.Cause.Since)
	if c := o.Cause.Change; c != nil {
		text += ", " + cause.After(o.Cause.Since, c)
	} else if o.Cause.Kind == model.CauseUnknown {
		text += o.Cause.Text
	}
	if more := o.Services[1:]; len(more) == 1 {
		text += "; " + more[0] + " fails because of it"
	} else if len(more) > 1 {
		text += "; " + strings.Join(more[:len(more)-1], ", ") + " and " + more[len(more)-1] + " fail because of it"
	}
	return text + "."
}

func causesText(list []cause.Group, all int) string {
	if len(list) == 0 {
		return ""
	}
	first := list[0]
	text := strings.TrimSuffix(first.Text, ".")
	if n := len(first.SLOs); n == 1 {
		text += fmt.Sprintf(". 1 of %d SLOs burns of it", all)
	} else {
		text += fmt.Sprintf(". %d of %d SLOs burn of it", n, all)
	}
	if n := len(list) - 1; n > 0 {
		text += fmt.Sprintf("; %d more below", n)
	}
	return text + "."
}
