// Package metrics turns the metrics of OTLP into samples of Prometheus: it
// judges each data point alone, sums up deltas, translates, and appends.
//
// In: pdata and an appender. Out: samples, and a Result that says what became of every data
// point. The translation is Prometheus' own; what that would lose or merge is seen to here.
// The locks (delta sums, senders) are leaves. Start reading at Translator.Translate.
package metrics

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/otlptranslator"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/storage/remote/otlptranslator/prometheusremotewrite"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/signalbox-project/signalbox/internal/ingest/otlp/common"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/stream"
)

// Config is how metrics are translated.
type Config struct {
	// MaxDeltaStreams bounds the series of delta temporality that are summed up; 0 refuses them.
	MaxDeltaStreams int
	// Promote are resource attributes that become labels besides the identity's.
	Promote []string
	// Strategy is how names are escaped and what is appended to them, as Prometheus names it.
	Strategy otlptranslator.TranslationStrategyOption
	Home     model.Home // whose series have no label for their tenant
}

// Translator translates metrics; it is safe for concurrent use.
type Translator struct {
	settings   prometheusremotewrite.Settings
	converters sync.Pool
	deltas     *deltaSums // nil: delta temporality is refused
	senders    *senders
	families   *families
	home       model.Home
	labels     otlptranslator.LabelNamer
}

// Collisions counts what cannot be told apart.
type Collisions struct {
	Senders prometheus.Counter // samples of senders without an instance
	Metrics prometheus.Counter // metrics that share their name with others
}

// New makes a Translator.
func New(cfg Config, log *slog.Logger, c Collisions) (*Translator, error) {
	deltas, err := newDeltaSums(cfg.MaxDeltaStreams)
	if err != nil {
		return nil, err
	}
	return &Translator{
		settings: translation(cfg), deltas: deltas, senders: newSenders(log, c.Senders), families: newFamilies(cfg.Strategy, log, c.Metrics),
		home: cfg.Home, labels: otlptranslator.LabelNamer{UTF8Allowed: !cfg.Strategy.ShouldEscape()},
	}, nil
}

// Start readies the delta sums; Shutdown ends them.
func (t *Translator) Start(ctx context.Context) error {
	if t.deltas == nil {
		return nil
	}
	return t.deltas.Start(ctx, nil)
}

// Shutdown ends what Start began.
func (t *Translator) Shutdown(ctx context.Context) error {
	if t.deltas == nil {
		return nil
	}
	return t.deltas.Shutdown(ctx)
}

// Result is what became of a request.
type Result struct {
	Points    int              // data points that came
	Taken     int              // samples that the store took
	Refused   []stream.Refusal // in data points, which senders count
	Early     []stream.Refusal // of Refused, those that never reached the appender
	Samples   []stream.Refusal // in samples, of those that did
	Exemplars int              // that were refused though their samples were taken
	Crowded   error            // a sample was refused for being of a new series
	Warning   string           // what the sender should know though all was taken
}

// Translate appends a request's metrics and commits. After an error nothing was stored.
func (t *Translator) Translate(ctx context.Context, to storage.AppenderV2, md pmetric.Metrics, from common.Sender) (Result, error) {
	prepared := t.prepare(md, from)
	out := Result{Points: prepared.points, Early: prepared.refused, Exemplars: prepared.exemplars}
	if prepared.delta {
		before := md.DataPointCount()
		if err := t.deltas.ConsumeMetrics(ctx, md); err != nil {
			return out, errors.Join(err, to.Rollback())
		}
		out.Early = common.Refuse(out.Early, reasonDeltaOrder, deltaOrderMessage, before-md.DataPointCount())
	}
	app := newCountingAppender(to)
	app.senders = t.senders
	problems, err := t.append(ctx, app, md)
	for _, p := range problems {
		out.Early = common.Refuse(out.Early, reasonConversion, p.Error(), 1)
	}
	out.Refused = append(append(out.Refused, out.Early...), app.refused...)
	out.Samples, out.Taken, out.Crowded = app.samples, app.taken, app.crowded
	out.Exemplars += app.exemplars
	out.Warning = prepared.warning
	if app.collides {
		out.Warning = collisionWarning
	}
	return out, err
}

// append translates and commits. problems are metrics that could not be
// translated though the rest was stored; after an error nothing was.
func (t *Translator) append(ctx context.Context, app *countingAppender, md pmetric.Metrics) (problems []error, err error) {
	if md.DataPointCount() == 0 {
		return nil, app.Rollback()
	}
	c, _ := t.converters.Get().(*prometheusremotewrite.PrometheusConverter)
	if c == nil {
		c = prometheusremotewrite.NewPrometheusConverter(nil)
	}
	c.Reset(app)
	defer func() {
		c.Reset(nil)
		t.converters.Put(c)
	}()
	for _, rm := range md.ResourceMetrics().All() {
		if app.fatal == nil && ctx.Err() != nil {
			app.fatal = ctx.Err()
		}
		if app.fatal != nil {
			return nil, errors.Join(app.fatal, app.Rollback())
		}
		one := pmetric.NewMetrics()
		to := one.ResourceMetrics().AppendEmpty()
		rm.MoveTo(to)
		markZero(to)
		app.tenant = text(to.Resource().Attributes(), common.TenantAttribute)
		_, err := c.FromMetrics(ctx, one, t.settings)
		problems = append(problems, each(err)...)
		app.target(to.Resource(), t.labels)
	}
	if app.fatal == nil && ctx.Err() != nil {
		app.fatal = ctx.Err()
	}
	if app.fatal != nil {
		return nil, errors.Join(app.fatal, app.Rollback())
	}
	if err := app.Commit(); err != nil {
		return nil, fmt.Errorf("commit metrics: %w", err)
	}
	return problems, nil
}

// each takes a joined error apart.
func each(err error) []error {
	var joined interface{ Unwrap() []error }
	switch {
	case err == nil:
		return nil
	case errors.As(err, &joined):
		return joined.Unwrap()
	}
	return []error{err}
}
