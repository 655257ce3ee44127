package cli

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/alerting/rules"
	"github.com/signalbox-project/signalbox/internal/app"
	"github.com/signalbox-project/signalbox/internal/config"
	"github.com/signalbox-project/signalbox/internal/slo"
)

func checkCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:   "check",
		Short: "Check configuration, rules and SLO files without running anything",
	}, checkConfigCommand(), checkRulesCommand(), checkSLOsCommand())
}

func checkConfigCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "config FILE",
		Short:   "Check signalbox.yml and every file it names",
		Example: "  signalbox check config examples/broker/signalbox.yml",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := config.Load(args[0])
			if err != nil {
				return err
			}
			if err := app.CheckFiles(cfg); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s is good: %d scrape jobs, %d rule patterns, %d SLO patterns\n",
				args[0], len(cfg.Prometheus.ScrapeConfigs), len(cfg.RuleFiles), len(cfg.SLOFiles))
			return err
		},
	}
}

func checkRulesCommand() *cobra.Command {
	var b backtestCall
	var over string
	cmd := &cobra.Command{
		Use:   "rules FILE...",
		Short: "Check Prometheus rule files, and with --backtest say how often they would have fired",
		Example: `  signalbox check rules examples/broker/rules/work.yml
  signalbox check rules --backtest 2d examples/broker/rules/work.yml`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := expand(args); err != nil {
				return err
			}
			files, err := rules.Check(args)
			if err != nil {
				return err
			}
			if over != "" {
				if b.Set, err = readSet(nil, nil, files); err != nil {
					return err
				}
				b.Start, b.End = "now-"+over, "now"
				return b.run(cmd)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d rule files are good\n", len(files))
			return err
		},
	}
	cmd.Flags().StringVar(&over, "backtest", "", "replay the alert rules over this much stored history of a running server, for example 30d")
	b.flags(cmd.Flags())
	return cmd
}

func checkSLOsCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "slos FILE...",
		Short:   "Check OpenSLO v1 files",
		Example: "  signalbox check slos examples/broker/slos/*.yaml",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			files, err := expand(args)
			if err != nil {
				return err
			}
			defs, problems := slo.Load(files)
			failed := false
			for _, p := range problems {
				failed = failed || !p.Warning
				fmt.Fprintln(cmd.ErrOrStderr(), p.Error())
			}
			if failed {
				return exitError{status: exitFailed}
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d SLOs in %d files are good\n", len(defs), len(files))
			return err
		},
	}
}

// expand resolves patterns that the shell left alone.
func expand(patterns []string) (files []string, err error) {
	for _, p := range patterns {
		found, err := filepath.Glob(p)
		if err != nil {
			return nil, usageError{fmt.Errorf("pattern %s: %w", p, err)}
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("%s: there is no such file", p)
		}
		files = append(files, found...)
	}
	return files, nil
}
