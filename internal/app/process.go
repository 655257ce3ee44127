package app

import (
	"context"
	"log/slog"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/signalbox-project/signalbox/internal/config"
	"github.com/signalbox-project/signalbox/internal/front"
	"github.com/signalbox-project/signalbox/internal/front/certs"
	"github.com/signalbox-project/signalbox/internal/outgoing"
	"github.com/signalbox-project/signalbox/internal/platform/lifecycle"
	"github.com/signalbox-project/signalbox/internal/seal"
	"github.com/signalbox-project/signalbox/internal/telemetry"
)

// Process is everything that runs, filled by the build functions of its role in
// their order: a function may use what an earlier one made.
type Process struct {
	base
	home *cell // of the tenant default
	tenants
	reloads
	isReady atomic.Bool
}

// base is what parts are made with. Each cell has a copy, in which configuration, logger and group are its own; the
// rest is shared.
type base struct {
	opts      Options
	data      string        // where the data are: --storage.path, or the encrypted folder in it
	cfg       config.Config // cut to the memory
	memory    int64         // the limit, 0 where none is known
	tel       *telemetry.Telemetry
	log       *slog.Logger
	group     *lifecycle.Group
	listeners *listeners
	addresses Addresses
	external  *url.URL
	front     *front.Front
	ways
	all   *Process // whose parts these are
	began time.Time
	*guard
}

// guard is who may come in, and what is remembered of it. All tenants have one.
type guard struct {
	audited
	trusted
	sealer seal.Sealer // of every secret that is kept
}

// ways are how the process is reached and reaches others.
type ways struct {
	certs    *certs.Set      // certificates of the listeners
	inner    *front.Inner    // where we ask ourselves
	outgoing *outgoing.Guard // what everybody calls others through
	turns    front.Turns     // of tenants; nil queues without
}

// run adds a part that runs until it is stopped.
func (b *base) run(name string, run func(context.Context) error, close func() error) {
	b.group.Add(lifecycle.Part{Name: name, Run: run, Close: close})
}

// component is the logger of one part.
func (b *base) component(name string) *slog.Logger { return b.log.With("component", name) }
