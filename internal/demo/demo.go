// Package demo shows what Signalbox does on a platform that is not yours: it
// writes 28 days of plausible history, runs the simulated broker platform, and
// plays a release pipeline whose releases sometimes go wrong.
//
// It talks to a running Signalbox over its public endpoints only (remote write,
// OTLP, /sb/v1), as a user's services and pipeline would; it imports neither
// the program nor its stores, and what it shows is computed, not painted.
//
// Data in: answers of the gate, of the pages and of the SLOs. Data out: samples,
// spans, logs and deployment markers. The only state is the server's; a second
// start on the same data finds the history there and writes none.
//
// Start reading at Run; history.go makes the past, fill.go its newest hours' logs and traces, story.go tells the story.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/signalbox-project/signalbox/examples/broker"
	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/simulate"
	"github.com/signalbox-project/signalbox/internal/telemetry"
)

// Config says what the demo does.
type Config struct {
	BaseURL       string          // of the server's web port, for example http://127.0.0.1:4300
	Simulate      simulate.Config // the live platform, with its OTLP endpoint
	History       time.Duration   // how far back the history reaches; 0: none
	HistoryTraces int             // requests of the past that get traces and logs
	HistoryFull   time.Duration   // how far back all requests get them
	Story         bool            // play the release pipeline
	FirstRelease  time.Duration   // after the start
	Pause         time.Duration   // between a recovery and the next release; varied by half
}

// DefaultConfig is what `signalbox demo` runs.
func DefaultConfig() Config {
	sim := simulate.DefaultConfig()
	sim.MetricsEvery = 5 * time.Second
	sim.FlushWithin = time.Second // the server stops at the same moment
	return Config{
		BaseURL: "http://127.0.0.1:4300", Simulate: sim, History: 28 * 24 * time.Hour, HistoryTraces: 800, HistoryFull: latest,
		Story: true, FirstRelease: 45 * time.Second, Pause: 2 * time.Minute,
	}
}

// Validate returns every problem, each beginning with the field.
func (c Config) Validate() []error {
	problems := c.Simulate.Validate()
	bad := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if !strings.HasPrefix(c.BaseURL, "http://") && !strings.HasPrefix(c.BaseURL, "https://") {
		bad("base_url: must begin with http:// or https://, got %q", c.BaseURL)
	}
	if c.History != 0 && (c.History < 2*recent || c.History > 60*24*time.Hour) {
		bad("history: must be 0 or from %s to 1440h, got %s", 2*recent, c.History)
	}
	if c.HistoryTraces < 0 || c.HistoryTraces > 100_000 {
		bad("history_traces: must be from 0 to 100000, got %d", c.HistoryTraces)
	}
	if c.HistoryFull < 0 || c.HistoryFull > recent {
		bad("history_full: must be from 0 to %s, got %s", recent, c.HistoryFull)
	}
	if c.FirstRelease < 0 || c.Pause < 0 {
		bad("first_release, pause: must be >= 0, got %s and %s", c.FirstRelease, c.Pause)
	}
	return problems
}

// Deps are what the demo needs from its surroundings.
type Deps struct {
	Logger *slog.Logger // the story is told here
}

// Demo is a prepared demonstration.
type Demo struct {
	cfg    Config
	log    *slog.Logger
	server *client
	sim    *simulate.Simulator
	replay func(context.Context, simulate.Config, simulate.Deps, uint64, []simulate.Moment) (simulate.Stats, error)
}

// New checks cfg; nothing is sent before Run.
func New(cfg Config, deps Deps) (*Demo, error) {
	if err := errors.Join(cfg.Validate()...); err != nil {
		return nil, err
	}
	deps.Logger = instrument.Logger(deps.Logger)
	sim, err := simulate.New(cfg.Simulate, simulate.Deps{Logger: telemetry.Quiet(deps.Logger)})
	if err != nil {
		return nil, err
	}
	return &Demo{cfg: cfg, log: deps.Logger, server: newClient(cfg.BaseURL), sim: sim, replay: simulate.Replay}, nil
}

// Run waits until the server is ready, then writes the history, runs the
// platform and tells the story, all at once, until ctx is done. Only a platform
// that cannot start ends it with an error: a failing history or story is logged.
func (d *Demo) Run(ctx context.Context) error {
	defer d.server.close()
	if err := d.server.awaitReady(ctx, d.log); err != nil {
		return nil // ctx is done
	}
	now := time.Now()
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return d.sim.Run(gctx) })
	g.Go(func() error {
		written, err := d.past(gctx, now)
		if err != nil && gctx.Err() == nil {
			d.log.Error("the history is incomplete", "error", err)
		}
		if written {
			g.Go(func() error { d.fill(gctx, now); return nil })
		}
		if d.cfg.Story {
			newStory(d.cfg, d.log, d.server, d.sim, now).run(gctx)
		}
		return nil
	})
	if err := g.Wait(); err != nil && ctx.Err() == nil {
		return err
	}
	return nil // what could not be flushed to a server that stops is of no interest
}

// WriteConfig copies the broker platform's configuration into dir and answers the
// path of its signalbox.yml. Files that are there already are left alone: they are the user's.
func WriteConfig(dir string) (string, error) {
	err := fs.WalkDir(broker.Files, ".", func(name string, e fs.DirEntry, err error) error {
		target := filepath.Join(dir, filepath.FromSlash(name))
		if err != nil {
			return err
		}
		if e.IsDir() {
			return os.MkdirAll(target, 0o755)
		}
		text, err := broker.Files.ReadFile(name)
		if err != nil {
			return err
		}
		f, err := os.OpenFile(target, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if errors.Is(err, fs.ErrExist) {
			return nil
		}
		if err != nil {
			return err
		}
		_, err = f.Write(text)
		return errors.Join(err, f.Close())
	})
	if err != nil {
		return "", fmt.Errorf("write the demo's configuration to %s: %w", dir, err)
	}
	return filepath.Join(dir, "signalbox.yml"), nil
}
