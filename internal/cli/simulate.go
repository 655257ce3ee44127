package cli

import (
	"errors"
	"log/slog"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/cli/command"
	"github.com/signalbox-project/signalbox/internal/simulate"
)

func simulateCommand() *cobra.Command {
	cfg := simulate.DefaultConfig()
	var faults string
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "Send the telemetry of a simulated broker platform over OTLP",
		Long: `Runs a small model of a broker platform, services edge, layout, access-control,
deployment and file-server with an event bus between them, in three regions,
and sends metrics, logs and traces with the OpenTelemetry SDK over OTLP/gRPC as
those services would. The same seed gives the same requests.

A fault file schedules what goes wrong: error bursts, slow dependencies, a queue
backlog, a bad version, an exhausted connection pool. See examples/broker/faults.`,
		Example: `  signalbox simulate --target-rps 100 --error-rate 0.1 --duration 120
  signalbox simulate --endpoint collector:4317 --faults examples/broker/faults/error-burst.yaml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if faults != "" {
				loaded, err := simulate.LoadFaults(faults)
				if err != nil {
					return command.Usage(err)
				}
				cfg.Faults = loaded
			}
			if err := errors.Join(cfg.Validate()...); err != nil {
				return command.Usage(err)
			}
			s, err := simulate.New(cfg, simulate.Deps{Logger: slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))})
			if err != nil {
				return err
			}
			return s.Run(cmd.Context())
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&cfg.Endpoint, "endpoint", cfg.Endpoint, "OTLP/gRPC receiver, host:port; https:// for TLS")
	fs.Float64Var(&cfg.TargetRPS, "target-rps", cfg.TargetRPS, "requests a second at the front door")
	fs.Float64Var(&cfg.ErrorRate, "error-rate", cfg.ErrorRate, "share of its requests that each service fails, 0 to 1")
	fs.Var((*seconds)(&cfg.Duration), "duration", "stop after this long, for example 2m, or 120 for seconds (0s: when stopped)")
	fs.Uint64Var(&cfg.Seed, "seed", cfg.Seed, "the same seed gives the same requests")
	fs.StringVar(&faults, "faults", "", "YAML file with the schedule of faults")
	return cmd
}

// seconds is a duration that may be given as a plain number of seconds.
type seconds time.Duration

func (s *seconds) String() string { return time.Duration(*s).String() }
func (s *seconds) Type() string   { return "duration" }

func (s *seconds) Set(text string) error {
	if n, err := strconv.ParseFloat(text, 64); err == nil {
		*s = seconds(n * float64(time.Second))
		return nil
	}
	d, err := time.ParseDuration(text)
	*s = seconds(d)
	return err
}
