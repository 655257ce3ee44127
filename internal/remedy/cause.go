package remedy

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/human"
	"github.com/signalbox-project/signalbox/internal/platform/stat"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Why nothing is done, in a word that does not change with the figures.
const (
	whyNoDeploy   = "no_deploy"
	whyReplaced   = "replaced"
	whyNoPrevious = "no_previous"
	whyFew        = "few_requests"
	whyNotWorse   = "not_worse"
	whyNoTarget   = "no_target"
	whyLimited    = "rate_limited"
)

// cause is what is known of a breach's cause.
type cause struct {
	why      string // "" when a deployment is the likely cause
	reason   string
	deploy   *model.Deploy
	previous string
	evidence []model.Evidence
}

const (
	history  = 30 * 24 * time.Hour // in which the version before is looked for
	before   = 30 * time.Minute    // of the old version, ahead of the deployment
	longest  = time.Hour           // of the new version
	shortest = 2 * time.Minute
)

// findCause asks whether a deployment is the likely cause of a breach.
func (r *Responder) findCause(ctx context.Context, rem model.Remedy, environment string, now time.Time) (cause, error) {
	markers, err := r.deps.Deploys.Deploys(ctx, store.DeployQuery{Service: rem.Service, Start: rem.Breach.Add(-history), End: now.Add(time.Second), Limit: 1000})
	if err != nil {
		return cause{}, fmt.Errorf("deployments of %s: %w", rem.Service, err)
	}
	markers = slices.DeleteFunc(markers, func(d model.Deploy) bool {
		return environment != "" && d.Environment != "" && d.Environment != environment || d.Kind != "deploy" && d.Kind != "rollback"
	})
	slices.SortStableFunc(markers, func(a, b model.Deploy) int { return b.Time.Compare(a.Time) })
	c := r.suspect(markers, rem)
	if c.why != "" {
		return c, nil
	}
	return r.compare(ctx, rem, c, environment, now)
}

// suspect finds the newest deployment before the breach and the version before it.
func (r *Responder) suspect(markers []model.Deploy, rem model.Remedy) cause {
	within := time.Duration(r.cfg.DeployWithin)
	i := slices.IndexFunc(markers, func(d model.Deploy) bool { return !d.Time.After(rem.Breach) })
	if i < 0 || markers[i].Time.Before(rem.Breach.Add(-within)) {
		return cause{why: whyNoDeploy, reason: fmt.Sprintf("No deployment of %s in the %s before the burn began at %s.", rem.Service, human.Duration(within), human.Clock(rem.Breach))}
	}
	d := markers[i]
	c := cause{deploy: &d}
	if i > 0 && markers[0].Version != d.Version {
		c.why, c.reason = whyReplaced, fmt.Sprintf("%s was replaced by %s at %s already.", d.Version, markers[0].Version, human.Clock(markers[0].Time))
		return c
	}
	if d.Kind == "rollback" {
		c.why, c.reason = whyReplaced, fmt.Sprintf("The newest change before the burn was a rollback to %s at %s.", d.Version, human.Clock(d.Time))
		return c
	}
	for _, m := range markers[i+1:] {
		if m.Version != d.Version && m.Status != "failed" {
			c.previous = m.Version
			break
		}
	}
	return c
}

// counts are a version's requests and failures.
type counts struct{ total, failed float64 }

func (c counts) ratio() float64 {
	if c.total == 0 {
		return math.NaN()
	}
	return c.failed / c.total
}

// compare measures the new version against the old one: side by side where the
// old one still serves, so that a failing dependency shows in both, else as it was before.
func (r *Responder) compare(ctx context.Context, rem model.Remedy, c cause, environment string, now time.Time) (cause, error) {
	window := min(max(now.Sub(c.deploy.Time), shortest), longest)
	after, query, err := r.count(ctx, rem.Service, environment, window, now)
	if err != nil {
		return cause{}, err
	}
	earlier, earlierQuery, err := r.count(ctx, rem.Service, environment, before, c.deploy.Time)
	if err != nil {
		return cause{}, err
	}
	newest := after[c.deploy.Version]
	if c.previous == "" {
		c.previous = busiest(earlier, c.deploy.Version)
	}
	if c.previous == "" {
		c.why, c.reason = whyNoPrevious, fmt.Sprintf("Nothing is known of a version before %s that one could go back to.", c.deploy.Version)
		return c, nil
	}
	old, oldWindow, oldQuery, at, side := after[c.previous], window, query, now, "beside it"
	if old.total < r.cfg.MinRequests {
		old, oldWindow, oldQuery, at, side = earlier[c.previous], before, earlierQuery, c.deploy.Time, "before it"
	}
	low, _ := bounds(newest)
	_, high := bounds(old)
	c.evidence = []model.Evidence{
		measured(rem.SLO, "error_ratio_"+c.deploy.Version, query, window, newest, now, &high),
		measured(rem.SLO, "error_ratio_"+c.previous, oldQuery, oldWindow, old, at, nil),
	}
	figures := fmt.Sprintf("%s fails %s of %s requests; %s, %s failed %s of %s", c.deploy.Version, human.Percent(newest.ratio()), human.Number(math.Round(newest.total)),
		side, c.previous, human.Percent(old.ratio()), human.Number(math.Round(old.total)))
	switch {
	case newest.total < r.cfg.MinRequests:
		c.why, c.reason = whyFew, fmt.Sprintf("%s has %s requests since it was deployed, at least %s are needed to judge it; does its telemetry carry that version?",
			c.deploy.Version, human.Number(math.Round(newest.total)), human.Number(r.cfg.MinRequests))
	case old.total < r.cfg.MinRequests:
		c.why, c.reason = whyFew, fmt.Sprintf("%s, the version before %s, has %s requests to compare with, at least %s are needed.",
			c.previous, c.deploy.Version, human.Number(math.Round(old.total)), human.Number(r.cfg.MinRequests))
	case low <= high || newest.ratio() < r.cfg.WorseBy*old.ratio():
		c.why, c.reason = whyNotWorse, "The deployment is not the likely cause: "+figures+"."
	default:
		c.reason = figures + "."
	}
	return c, nil
}

func measured(slo, name, query string, window time.Duration, n counts, at time.Time, threshold *float64) model.Evidence {
	e := model.Evidence{SLO: slo, Name: name, Query: query, Window: window.String(), Events: n.total, Coverage: 1, Time: at.UTC(), Threshold: threshold}
	if v := n.ratio(); !math.IsNaN(v) {
		e.Value = &v
	} else {
		e.Coverage = 0
	}
	return e
}

// busiest is the version with the most requests but one.
func busiest(by map[string]counts, except string) string {
	best := ""
	for _, v := range slices.Sorted(maps.Keys(by)) {
		if v != except && v != "" && by[v].total > by[best].total {
			best = v
		}
	}
	return best
}

// count counts requests by version.
func (r *Responder) count(ctx context.Context, service, environment string, window time.Duration, at time.Time) (map[string]counts, string, error) {
	match := []string{`kind=~"server|consumer"`, `tenant=""`, "service=" + strconv.Quote(service)}
	if environment != "" {
		match = append(match, "env="+strconv.Quote(environment))
	}
	query := fmt.Sprintf("sum by (version, status) (increase(%s_count{%s}[%ds]))", model.MetricSpanDuration, strings.Join(match, ","), int(window.Seconds()))
	samples, err := r.deps.Querier.Instant(ctx, query, at)
	if err != nil {
		return nil, "", fmt.Errorf("requests of %s by version: %w", service, err)
	}
	out := map[string]counts{}
	for _, s := range samples {
		if math.IsNaN(s.Value) || s.Value < 0 {
			continue
		}
		n := out[s.Labels["version"]]
		n.total += s.Value
		if s.Labels["status"] == "error" {
			n.failed += s.Value
		}
		out[s.Labels["version"]] = n
	}
	return out, query, nil
}

// bounds are those of an error ratio with 99 % confidence.
func bounds(c counts) (low, high float64) {
	return stat.Wilson(c.failed, c.total, stat.TwoSided(0.99))
}
