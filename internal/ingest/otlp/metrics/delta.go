package metrics

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/deltatocumulativeprocessor"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/otel/metric/noop"
	nooptrace "go.opentelemetry.io/otel/trace/noop"
	"go.uber.org/zap"
)

// deltaMaxStale is how long a silent series of delta temporality keeps its sum.
const deltaMaxStale = time.Hour

const reasonDeltaOrder = "delta_out_of_order"

const deltaOrderMessage = "a delta overlaps or precedes what was summed up already, or otlp.max_delta_streams is reached"

// deltaSums turns delta temporality into cumulative, in memory: after a restart the sums
// begin anew, which queries see as a counter reset.
type deltaSums struct{ processor.Metrics }

// passOn hands converted metrics back to the caller: the processor calls it
// synchronously with what it changed in place.
type passOn struct{}

func (passOn) Capabilities() consumer.Capabilities { return consumer.Capabilities{MutatesData: true} }

func (passOn) ConsumeMetrics(context.Context, pmetric.Metrics) error { return nil }

// newDeltaSums is nil when maxStreams is 0.
func newDeltaSums(maxStreams int) (*deltaSums, error) {
	if maxStreams == 0 {
		return nil, nil
	}
	factory := deltatocumulativeprocessor.NewFactory()
	cfg, ok := factory.CreateDefaultConfig().(*deltatocumulativeprocessor.Config)
	if !ok {
		return nil, errors.New("delta processor has a configuration of an unknown type")
	}
	cfg.MaxStreams, cfg.MaxStale = maxStreams, deltaMaxStale
	p, err := factory.CreateMetrics(context.Background(), processor.Settings{
		ID: component.NewID(factory.Type()),
		TelemetrySettings: component.TelemetrySettings{
			Logger: zap.NewNop(), MeterProvider: noop.NewMeterProvider(), TracerProvider: nooptrace.NewTracerProvider(),
		},
	}, cfg, passOn{})
	if err != nil {
		return nil, fmt.Errorf("create delta processor: %w", err)
	}
	return &deltaSums{p}, nil
}
