package detect

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"time"

	common "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/metadata"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"

	"github.com/signalbox-project/signalbox/internal/model"
)

// The series that a detector writes, beside the labels of the watched series
// with the labels `detector` and those of its definition.
const (
	readyName    = "signalbox_detector_ready"
	scoreName    = "signalbox_detector_score"
	valueName    = "signalbox_detector_value"
	expectedName = "signalbox_detector_expected"
	lowerName    = "signalbox_detector_lower"
	upperName    = "signalbox_detector_upper"
	breachesName = "signalbox_detector_breaches"
)

// help of the series, for metadata.
func help(name string) string {
	return map[string]string{
		readyName:    "1 while the detector can judge the series, 0 while there is too little to compare with.",
		scoreName:    "How far the value is on its way to the edge of what was to be expected: below -1 a sudden drop, above 1 a sudden rise.",
		valueName:    "The value that was judged.",
		expectedName: "The value that was to be expected.",
		lowerName:    "The lower edge of what was to be expected.",
		upperName:    "The upper edge of what was to be expected.",
		breachesName: "Values outside the band in a row; 0 from the first one inside.",
	}[name]
}

// write appends what was found about the series of one detector.
func (d *Detectors) write(ctx context.Context, def *Definition, results []result, now time.Time) error {
	if len(results) == 0 {
		return nil
	}
	app := d.deps.Appendable.AppenderV2(ctx)
	put := func(r result, name string, v float64) error {
		o := storage.AOptions{MetricFamilyName: name, Metadata: metadata.Metadata{Type: common.MetricTypeGauge, Help: help(name)}}
		_, err := app.Append(0, def.label(name, r.series.labels), 0, now.UnixMilli(), v, nil, nil, o)
		var partial *storage.AppendPartialError
		if err != nil && !errors.As(err, &partial) {
			return fmt.Errorf("append %s: %w", name, err)
		}
		return nil
	}
	for _, r := range results {
		if err := writeOne(r, put); err != nil {
			return errors.Join(err, app.Rollback())
		}
	}
	if err := app.Commit(); err != nil {
		return fmt.Errorf("commit results: %w", err)
	}
	return nil
}

func writeOne(r result, put func(result, string, float64) error) error {
	if r.insufficient != "" {
		if err := put(r, readyName, 0); err != nil || !r.ended {
			return err
		}
		// The alert on it must not go on for as long as PromQL looks back.
		for _, name := range []string{scoreName, valueName, expectedName, lowerName, upperName, breachesName} {
			if err := put(r, name, math.Float64frombits(value.StaleNaN)); err != nil {
				return err
			}
		}
		return nil
	}
	for _, s := range []struct {
		name string
		v    float64
	}{
		{readyName, 1},
		{scoreName, r.score},
		{valueName, r.value},
		{expectedName, r.expected},
		{lowerName, r.lower},
		{upperName, r.upper},
		{breachesName, float64(r.series.breaches)},
	} {
		if err := put(r, s.name, s.v); err != nil {
			return err
		}
	}
	return nil
}

// label is the labels of one of the series about a watched one.
func (d *Definition) label(name string, watched model.Labels) labels.Labels {
	b := labels.NewBuilder(labels.FromMap(watched))
	for k, v := range d.Labels {
		b.Set(k, v)
	}
	b.Set("detector", d.Name)
	b.Set(common.MetricNameLabel, name)
	return b.Labels()
}

// unlabel takes away what label added.
func (d *Definition) unlabel(ls model.Labels) model.Labels {
	out := maps.Clone(ls)
	for k := range d.Labels {
		delete(out, k)
	}
	delete(out, "detector")
	return out
}
