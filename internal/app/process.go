package app

import (
	"log/slog"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/signalbox-project/signalbox/internal/config"
	"github.com/signalbox-project/signalbox/internal/front"
	"github.com/signalbox-project/signalbox/internal/platform/lifecycle"
	"github.com/signalbox-project/signalbox/internal/probe"
	"github.com/signalbox-project/signalbox/internal/telemetry"
)

// Process is everything that runs, filled by the build functions of its role in
// their order: a function may use what an earlier one made.
type Process struct {
	base

	stores
	processors
	alerts
	promises
	gates
	actions
	intakes
	prober *probe.Prober
	reloads
}

// base is what every role has.
type base struct {
	opts      Options
	cfg       config.Config
	memory    int64 // the limit, 0 where none is known
	tel       *telemetry.Telemetry
	log       *slog.Logger
	group     *lifecycle.Group
	listeners *listeners
	addresses Addresses
	external  *url.URL
	front     *front.Front
	began     time.Time
	isReady   atomic.Bool
}
