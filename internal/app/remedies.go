package app

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/incident"
	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/human"
	"github.com/signalbox-project/signalbox/internal/remedy/contract"
	"github.com/signalbox-project/signalbox/internal/remedy/engine"
	"github.com/signalbox-project/signalbox/internal/remedy/executors"
	"github.com/signalbox-project/signalbox/internal/store"
)

// buildRemediation makes what acts on alerts as remedy_files say.
func (c *cell) buildRemediation(context.Context) (err error) {
	failed := prometheus.NewGauge(prometheus.GaugeOpts{Name: "signalbox_remediation_load_failed", Help: "1 while files of remedies have errors and their last good versions are in force."})
	count := prometheus.NewGauge(prometheus.GaugeOpts{Name: "signalbox_remediation_remedies", Help: "Remedies in force."})
	if err := instrument.Register(c.registry, "remedy files", failed, count); err != nil {
		return err
	}
	c.contracts = document.NewCatalog[[]contract.Remedy](nil, document.Options[[]contract.Remedy]{
		Files: contract.Files(), Build: contract.Build, Log: c.component("remedies"), Failed: failed, Count: count,
		Size: func(list []contract.Remedy) int { return len(list) },
	})
	c.contracts.Join(c.force)
	if err := c.firstLoad(c.contracts.Reload(c.cfg.RemedyFiles)); err != nil {
		return err
	}
	c.remediation, err = engine.New(engine.Deps{
		Logger: c.component("remedies"), Registerer: c.registry, Tracer: c.tel.Tracer, Documents: c.state, Querier: c.engine, Audit: c.recorder,
		Remedies: c.contracts.Value, Alerts: c.alertsToRemedy, Frozen: c.frozen, Notices: c.owned(), ExternalURL: c.external.String(),
		Executor: executors.Builder{Scripts: c.cfg.Remedy.Scripts, Outgoing: c.outgoing}.Build,
	})
	if err != nil {
		return err
	}
	c.run("remediation", c.remediation.Run, nil)
	return nil
}

// alertsToRemedy are the alerts in force. Nothing is done about one that somebody silenced, or that is held back for another.
func (c *cell) alertsToRemedy(ctx context.Context) ([]engine.Alert, error) {
	list, err := c.router.ActiveAlerts(ctx)
	out := make([]engine.Alert, 0, len(list))
	for _, a := range list {
		muted := a.HeldBack
		if len(a.SilencedBy) > 0 {
			muted = "it is silenced"
		} else if len(a.InhibitedBy) > 0 {
			muted = "another alert inhibits it"
		}
		out = append(out, engine.Alert{Fingerprint: a.Fingerprint, Labels: a.Labels, Since: a.StartsAt, Muted: muted})
	}
	// The oldest alert of a target is its trigger, whatever order the pipeline has.
	slices.SortFunc(out, func(a, b engine.Alert) int {
		return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.Fingerprint, b.Fingerprint))
	})
	return out, err
}

// frozen says why nothing may be done to a service now.
func (c *cell) frozen(ctx context.Context, f contract.Freeze, s engine.Subject, now time.Time) (string, error) {
	if (f.Gate || f.Incident || f.DeployWithin > 0) && s.Service == "" {
		return "", fmt.Errorf("the alert has no label service, by which gate, incidents and deployments are known")
	}
	if within := time.Duration(f.DeployWithin); within > 0 {
		list, err := c.tally.Deploys(ctx, store.DeployQuery{Service: s.Service, Start: now.Add(-within), End: now.Add(time.Nanosecond), Limit: 1})
		if err != nil {
			return "", err
		}
		if len(list) > 0 {
			return fmt.Sprintf("%s was deployed at %s (%s), less than %s ago", s.Service, human.Clock(list[0].Time), list[0].Version, human.Duration(within)), nil
		}
	}
	if f.Gate {
		list, _, err := c.decisions().Decisions(ctx, store.DecisionQuery{Service: s.Service, Start: now.Add(-time.Hour), End: now.Add(time.Nanosecond), Limit: 1})
		if err != nil {
			return "", err
		}
		if len(list) > 0 && list[0].Verdict != model.VerdictAllow {
			return fmt.Sprintf("the gate said %s about %s at %s", list[0].Verdict, s.Service, human.Clock(list[0].Time)), nil
		}
	}
	if f.Incident {
		list, _, err := c.incidents.List(ctx, incident.Query{Status: "open", Service: s.Service, Limit: 1})
		if err != nil || len(list) == 0 {
			return "", err
		}
		return fmt.Sprintf("%s has the open incident %s", s.Service, list[0].ID), nil
	}
	return "", nil
}
