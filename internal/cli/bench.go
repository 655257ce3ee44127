package cli

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/bench"
	"github.com/signalbox-project/signalbox/internal/cli/client"
	"github.com/signalbox-project/signalbox/internal/cli/command"
)

func benchCommand() *cobra.Command {
	cfg := bench.DefaultConfig()
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Load a running server and measure what each signal costs it",
		Long: `Sends pre-encoded remote write, OTLP spans and OTLP logs to a running server and
prints units per second, the server's CPU seconds per million units, its memory, and
disk bytes per unit; then queries back what was acknowledged. The data stays in
the server: use one that was started for this, as make bench does.`,
		Example: `  signalbox bench --signals metrics --series 100000 --samples 24000000
  signalbox bench --data ./data --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := errors.Join(cfg.Validate()...); err != nil {
				return command.Usage(err)
			}
			report, err := bench.Run(cmd.Context(), cfg, bench.Deps{Logger: slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))})
			if report != nil {
				write := report.WriteTable
				if asJSON {
					write = report.WriteJSON
				}
				if werr := write(cmd.OutOrStdout()); werr != nil {
					return werr
				}
			}
			if err != nil {
				return err
			}
			if problems := report.Problems(); len(problems) > 0 {
				return fmt.Errorf("the answers do not match what was acknowledged: %s", strings.Join(problems, "; "))
			}
			return nil
		},
	}
	fs := cmd.Flags()
	fs.Var((*client.URL)(&cfg.BaseURL), "server", "base URL of the running server, or its host:port")
	fs.IntVar(&cfg.PID, "pid", 0, "process id of the server (default: the process that listens on the URL's port)")
	fs.StringVar(&cfg.DataDir, "data", "", "data folder of the server, for disk figures")
	fs.StringSliceVar(&cfg.Signals, "signals", cfg.Signals, "what to send")
	fs.IntVar(&cfg.Series, "series", cfg.Series, "active series")
	fs.IntVar(&cfg.Samples, "samples", cfg.Samples, "samples to send")
	fs.IntVar(&cfg.Spans, "spans", cfg.Spans, "spans to send")
	fs.IntVar(&cfg.Logs, "logs", cfg.Logs, "log records to send")
	fs.IntVar(&cfg.PerRequest, "per-request", cfg.PerRequest, "samples in a request")
	fs.IntVar(&cfg.BatchSize, "batch-size", cfg.BatchSize, "spans or log records in a request")
	fs.IntVar(&cfg.Connections, "connections", cfg.Connections, "requests in flight")
	fs.DurationVar(&cfg.Settle, "settle", cfg.Settle, "wait before CPU and disk are read again")
	fs.DurationVar(&cfg.Timeout, "timeout", cfg.Timeout, "give up after this long")
	fs.Uint64Var(&cfg.Seed, "seed", cfg.Seed, "the same seed sends the same data")
	fs.BoolVar(&cfg.AllowRemote, "allow-remote", false, "accept an address that is not loopback")
	fs.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
