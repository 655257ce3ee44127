package slo

import (
	"time"

	"github.com/signalbox-project/signalbox/internal/slo/indicator"
)

// WithEvents is a Querier that answers SLOs over spans, logs and deployments too.
func WithEvents(q Querier, events indicator.Events) Querier { return indicator.WithEvents(q, events) }

// Changes tell what happened to what SLOs count; nil where nobody tells.
type Changes struct {
	Events  Events
	Samples Samples
}

// Events are spans, logs and deployments; slo/tally knows them.
type Events interface {
	// Arrived tells that events were stored; news fold into one.
	Arrived() <-chan struct{}
	// Late are the hours further back than evaluation reads again by itself, into which
	// events fell since the last call.
	Late() map[indicator.Signal][]time.Time
}
