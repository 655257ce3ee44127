package check

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/alerting/rules"
	"github.com/signalbox-project/signalbox/internal/alerting/rules/unittest"
	"github.com/signalbox-project/signalbox/internal/cli/ask"
	"github.com/signalbox-project/signalbox/internal/cli/command"
	"github.com/signalbox-project/signalbox/internal/cli/show"
	"github.com/signalbox-project/signalbox/internal/query/promql"
)

func checkRulesCommand() *cobra.Command {
	var b ask.Backtest
	var over string
	query := promql.DefaultConfig()
	cmd := &cobra.Command{
		Use:   "rules FILE...",
		Short: "Check Prometheus rule files and PrometheusRule objects, run their tests, and with --backtest say how often they would have fired",
		Long: `Reads rule files as the server does and says everything that is wrong with them.
A file with the key tests is one of tests, in the format of promtool test rules, and is run:
its rule_files are relative to it and may be PrometheusRule objects. Each expectation that is
not met is printed with the test, the time, and what was wanted and got; the exit status is 3.`,
		Example: `  signalbox check rules examples/broker/rules/work.yml
  signalbox check rules examples/broker/rules/tests/work.yml
  signalbox check rules --backtest 2d examples/broker/rules/work.yml`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if errs := query.Validate(); len(errs) > 0 {
				return fmt.Errorf("--enable-feature: %w", errors.Join(errs...))
			}
			all, err := command.Expand(args)
			if err != nil {
				return err
			}
			plain, tests := separate(all)
			if over != "" && len(plain) == 0 {
				return command.Usage(errors.New("--backtest replays rule files, and these are only tests of rules; name the rule files as well"))
			}
			set, problems := rules.LoadFiles(plain, promql.NewParser(query))
			var found findings
			for _, p := range problems {
				found.add(p.Error(), p.Warning)
			}
			if found.errors > 0 {
				return found.report(cmd, plain, "")
			}
			for _, line := range append(found.lines, resourcePages(set)...) {
				fmt.Fprintln(cmd.ErrOrStderr(), line)
			}
			files := set.Paths()
			if err := runRuleTests(cmd, tests, unittest.Options{Parser: promql.NewParser(query), DelayedNameRemoval: query.DelaysNameRemoval()}); err != nil {
				return err
			}
			if over != "" {
				if b.Set, err = ask.ReadSet(nil, nil, files); err != nil {
					return err
				}
				b.Start, b.End = "now-"+over, "now"
				return b.Run(cmd)
			}
			if len(files) > 0 {
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d rule files are good\n", len(files))
			}
			return err
		},
	}
	cmd.Flags().StringSliceVar(&query.EnableFeatures, "enable-feature", nil, "allow what query.enable_features allows, for example promql-experimental-functions")
	cmd.Flags().StringVar(&over, "backtest", "", "replay the alert rules over this much stored history of a running server, for example 30d")
	b.Flags(cmd.Flags())
	return cmd
}

// separate tells files of tests from files of rules. What cannot be read is left to
// who reads rules, and says so.
func separate(files []string) (plain, tests []string) {
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil && unittest.Is(text) {
			tests = append(tests, file)
		} else {
			plain = append(plain, file)
		}
	}
	return plain, tests
}

// runRuleTests runs all files, also after one that fails. Good news goes to the
// error output beside a backtest, whose answer may be JSON.
func runRuleTests(cmd *cobra.Command, files []string, o unittest.Options) error {
	ran, failed, broken := 0, 0, 0
	for _, file := range files {
		report, err := unittest.Run(cmd.Context(), file, o)
		if err != nil {
			broken++
			fmt.Fprintln(cmd.ErrOrStderr(), err)
			continue
		}
		ran, failed = ran+report.Tests, failed+report.Failed
		for _, w := range report.Warnings {
			fmt.Fprintf(cmd.ErrOrStderr(), "warning: %s: %s\n", file, w)
		}
		for _, f := range report.Failures {
			fmt.Fprintf(cmd.ErrOrStderr(), "%s: %s\n", file, f)
		}
	}
	if failed > 0 || broken > 0 {
		fmt.Fprintf(cmd.ErrOrStderr(), "%d of %d tests of rules failed", failed, ran)
		if broken > 0 {
			fmt.Fprintf(cmd.ErrOrStderr(), ", %d %s could not be run", broken, show.Plural(broken, "file"))
		}
		fmt.Fprintln(cmd.ErrOrStderr())
		return command.Exit(command.Failed)
	}
	if len(files) == 0 {
		return nil
	}
	out := cmd.OutOrStdout()
	if cmd.Flags().Changed("backtest") {
		out = cmd.ErrOrStderr()
	}
	_, err := fmt.Fprintf(out, "%d %s of rules in %d %s passed\n", ran, show.Plural(ran, "test"), len(files), show.Plural(len(files), "file"))
	return err
}
