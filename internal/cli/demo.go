package cli

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/signalbox-project/signalbox/internal/app"
	"github.com/signalbox-project/signalbox/internal/cli/command"
	"github.com/signalbox-project/signalbox/internal/demo"
	"github.com/signalbox-project/signalbox/internal/simulate"
)

func demoCommand(version string) *cobra.Command {
	o := app.DefaultOptions()
	o.StoragePath = filepath.Join("data", "demo")
	d := demo.DefaultConfig()
	var faults string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run the platform with a simulated broker platform",
		Long: `Starts everything in one process, writes 28 days of plausible history through the
public endpoints, and runs a simulated broker platform that sends OTLP like a
user's services would. Every few minutes a release goes wrong: the page comes, the
gate blocks the next deployment, the rollback works. The log tells the story.

The configuration is written to the data folder and can be edited there; delete the
folder to begin anew.`,
		Example: `  signalbox demo
  signalbox demo --target-rps 50 --story=false
  signalbox demo --story=false --faults examples/broker/faults/dns-cut-over.yaml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if faults != "" {
				loaded, err := simulate.LoadFaults(faults)
				if err != nil {
					return command.Usage(err)
				}
				d.Simulate.Faults = loaded
			}
			o.Version, o.Demo, o.Output = version, true, cmd.ErrOrStderr()
			defer onHangup(&o)()
			return runDemo(cmd.Context(), o, d)
		},
	}
	fs := cmd.Flags()
	serverFlags(fs, &o)
	fs.Float64Var(&d.Simulate.TargetRPS, "target-rps", d.Simulate.TargetRPS, "requests a second at the front door")
	fs.Float64Var(&d.Simulate.ErrorRate, "error-rate", d.Simulate.ErrorRate, "share of its requests that each service fails, 0 to 1")
	fs.Uint64Var(&d.Simulate.Seed, "seed", d.Simulate.Seed, "the same seed gives the same requests")
	fs.DurationVar(&d.History, "history", d.History, "how much history to write; 0 writes none")
	fs.BoolVar(&d.Story, "story", d.Story, "play the releases that go wrong")
	fs.StringVar(&faults, "faults", "", "YAML file with a schedule of faults, as for simulate")
	return cmd
}

// runDemo runs the platform and, once it is ready, the demo against its
// public endpoints.
func runDemo(ctx context.Context, o app.Options, d demo.Config) error {
	file, err := demo.WriteConfig(o.StoragePath)
	if err != nil {
		return err
	}
	o.ConfigFile = file
	ready := make(chan app.Addresses, 1)
	o.Ready = func(a app.Addresses) { ready <- a }
	log, err := demoLogger(o)
	if err != nil {
		return err
	}
	// The demo stops first: what it still sends needs a platform that is there.
	platform, stopPlatform := context.WithCancel(context.WithoutCancel(ctx))
	defer stopPlatform()
	playing, stopPlaying := context.WithCancel(ctx)
	g := new(errgroup.Group)
	g.Go(func() error {
		defer stopPlaying()
		return app.Run(platform, o)
	})
	g.Go(func() error {
		defer stopPlatform()
		select {
		case a := <-ready:
			d.BaseURL, d.Simulate.Endpoint = a.Web, a.OTLPGRPC
		case <-playing.Done():
			return nil
		}
		play, err := demo.New(d, demo.Deps{Logger: log})
		if err != nil {
			return fmt.Errorf("start the demo: %w", err)
		}
		return play.Run(playing)
	})
	return g.Wait()
}

// demoLogger writes in the platform's format; its lines are the story.
func demoLogger(o app.Options) (*slog.Logger, error) {
	h, err := app.ConsoleHandler(o)
	if err != nil {
		return nil, err
	}
	return slog.New(h).With("component", "demo"), nil
}
