package probe

import (
	"context"
	"errors"
	"math"
	"time"

	common "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/metadata"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"

	"github.com/signalbox-project/signalbox/internal/platform/redact"
)

// job is the label job of every series of a probe.
const job = "probe"

// write appends the samples of one run and ends the series that the run before
// had and this one has not; none at all ends all of them. It is not cancelled with the
// probe: a stop must not lose a result or leave a series that never ends.
func (t *task) write(at time.Time, samples []sample) {
	next := make(map[string]labels.Labels, len(samples))
	app := t.p.deps.Appendable.AppenderV2(context.Background())
	var failed error
	put := func(ls labels.Labels, v float64, help string) {
		o := storage.AOptions{MetricFamilyName: ls.Get(common.MetricNameLabel), Metadata: metadata.Metadata{Type: common.MetricTypeGauge, Help: help}}
		_, err := app.Append(0, ls, 0, at.UnixMilli(), v, nil, nil, o)
		var partial *storage.AppendPartialError
		if err != nil && !errors.As(err, &partial) {
			failed = errors.Join(failed, err)
		}
	}
	for _, s := range samples {
		ls := t.labels(s)
		next[ls.String()] = ls
		put(ls, s.value, s.help)
	}
	for id, ls := range t.series {
		if _, ok := next[id]; !ok {
			put(ls, math.Float64frombits(value.StaleNaN), "")
		}
	}
	if failed != nil {
		failed = errors.Join(failed, app.Rollback())
	} else {
		failed = app.Commit()
	}
	if failed != nil {
		t.p.m.writeErrors.Inc()
		t.p.log.Error("write result of probe", "probe", t.def.Name, "err", failed)
		return
	}
	t.series = next
}

// labels are the metric's own, then those of the probe, which win.
func (t *task) labels(s sample) labels.Labels {
	b := labels.NewBuilder(labels.EmptyLabels())
	for _, l := range s.labels {
		b.Set(l.GetName(), l.GetValue())
	}
	for k, v := range t.def.Labels {
		b.Set(k, v)
	}
	b.Set(common.MetricNameLabel, s.name)
	b.Set("job", job)
	b.Set("probe", t.def.Name)
	b.Set("target", redact.Text(t.target()))
	return b.Labels()
}
