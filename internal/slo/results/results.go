// Package results writes how SLOs stand as metrics, so that dashboards,
// rules and budget curves read them as they read any other.
//
// It judges nothing and knows no definitions. In: the statuses of an evaluation. Out: samples
// of signalbox_slo_* and signalbox_peak.
//
// Invariants: one write is one commit, whole or not at all; what cannot be known is no sample.
// Start reading at Write.
package results

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"

	"github.com/signalbox-project/signalbox/internal/budget"
	"github.com/signalbox-project/signalbox/internal/model"
)

// Names of the metrics that results are written as, with labels slo, service
// and, but for the objective and the threshold, window; MetricPeak has the label calendar.
const (
	MetricObjective  = "signalbox_slo_objective"
	MetricBudgetLeft = "signalbox_slo_budget_left_ratio"
	MetricBurnRate   = "signalbox_slo_burn_rate"
	MetricErrorRatio = model.MetricSLOErrorRatio
	MetricThreshold  = "signalbox_slo_threshold"
	MetricPeak       = "signalbox_peak"
)

// Write writes every SLO's figures, and for each peak calendar whether it is
// peak time (1) or not (0). What cannot be known is left out: a gap says so.
func Write(ctx context.Context, to storage.AppendableV2, list []model.SLOStatus, peaks map[string]float64, now time.Time) error {
	app := to.AppenderV2(ctx)
	w := writer{app: app, at: now.UnixMilli()}
	for _, s := range list {
		w.add(MetricObjective, s, "", s.Objective)
		if s.Threshold != nil {
			w.add(MetricThreshold, s, "", *s.Threshold)
		}
		if s.Budget.Total <= 0 || s.Budget.Unknown || s.State == model.SLOInsufficient {
			continue
		}
		w.add(MetricBudgetLeft, s, s.Window, s.Budget.LeftRatio)
		w.add(MetricErrorRatio, s, s.Window, 1-s.Budget.SLI)
		for _, b := range s.Burn {
			if b.Coverage > 0 {
				w.add(MetricBurnRate, s, b.Window, b.Rate)
				if b.Window != s.Window {
					w.add(MetricErrorRatio, s, b.Window, b.Rate*budget.Share(s.Objective))
				}
			}
		}
	}
	for name, active := range peaks {
		w.append(labels.FromStrings(labels.MetricName, MetricPeak, "calendar", name), active)
	}
	if w.err != nil {
		return errors.Join(fmt.Errorf("write SLO results: %w", w.err), app.Rollback())
	}
	if err := app.Commit(); err != nil {
		return fmt.Errorf("write SLO results: %w", err)
	}
	return nil
}

type writer struct {
	app storage.AppenderV2
	at  int64
	err error
}

func (w *writer) add(name string, s model.SLOStatus, window string, v float64) {
	ls := labels.FromStrings(labels.MetricName, name, "service", s.Service, "slo", s.Name)
	if window != "" {
		ls = labels.FromStrings(labels.MetricName, name, "service", s.Service, "slo", s.Name, "window", window)
	}
	w.append(ls, v)
}

func (w *writer) append(ls labels.Labels, v float64) {
	if _, err := w.app.Append(0, ls, 0, w.at, v, nil, nil, storage.AOptions{}); err != nil && w.err == nil {
		w.err = err
	}
}
