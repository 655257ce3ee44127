// Package check is the commands that read files as the server does and say everything that is
// wrong with them, each finding with file, line and cure, without running anything.
//
// What is right is known by the packages that read these files; nothing is judged here. Two
// checks can ask a running server as well, for the metrics it has stored and for a backtest. Start
// reading at Check.
package check

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/app"
	"github.com/signalbox-project/signalbox/internal/catalog"
	"github.com/signalbox-project/signalbox/internal/cli/client"
	"github.com/signalbox-project/signalbox/internal/cli/command"
	"github.com/signalbox-project/signalbox/internal/cli/show"
	"github.com/signalbox-project/signalbox/internal/config"
	"github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/process/detect"
	"github.com/signalbox-project/signalbox/internal/slo/definition"
	"github.com/signalbox-project/signalbox/internal/slo/indicator"
)

// Check is the group of all checks.
func Check() *cobra.Command {
	return command.Group(&cobra.Command{
		Use:   "check",
		Short: "Check configuration, rules, SLO, policy, probe and remedy files without running anything",
	}, checkConfigCommand(), checkRulesCommand(), checkDetectorsCommand(), checkSLOsCommand(), checkPoliciesCommand(), checkProbesCommand(), checkCatalogCommand(), checkRunbooksCommand(), checkRemediesCommand())
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
			var f findings
			for _, p := range app.CheckFiles(cfg) {
				f.add(p.Error(), p.Warning)
			}
			return f.report(cmd, args, fmt.Sprintf("%s is good: %d scrape jobs, %d rule patterns, %d SLO patterns",
				args[0], len(cfg.Prometheus.ScrapeConfigs), len(cfg.RuleFiles), len(cfg.SLOFiles)))
		},
	}
}

func checkDetectorsCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "detectors FILE...",
		Short:   "Check files of detectors of sudden change",
		Example: "  signalbox check detectors examples/broker/detectors/work.yml",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			files, f := matches(args)
			defs, problems := detect.Load(files)
			for _, p := range problems {
				f.add(p.Error(), p.Warning)
			}
			return f.report(cmd, files, fmt.Sprintf("%d detectors in %d files are good", len(defs), len(files)))
		},
	}
}

func checkCatalogCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "catalog FILE...",
		Short: "Check files of services and teams, and Backstage's catalog-info files",
		Long: `Reads catalogue files as the server does. Files that refer to each other (a team, a
system, an interface) must be named together.`,
		Example: "  signalbox check catalog examples/broker/catalog/*.yaml",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			files, f := matches(args)
			sheet, problems := catalog.Load(files)
			for _, p := range problems {
				f.add(p.Error(), p.Warning)
			}
			return f.report(cmd, files, fmt.Sprintf("%d services and %d teams in %d files are good", len(sheet.Services), len(sheet.Teams), len(files)))
		},
	}
}

func checkSLOsCommand() *cobra.Command {
	var c client.Client
	cmd := &cobra.Command{
		Use:   "slos FILE...",
		Short: "Check OpenSLO v1 files, and those of Sloth and Pyrra",
		Long: `Reads SLO files as the server does and says everything that is wrong with all
of them, each with file, line and cure. Files that refer to each other (an SLI, an
AlertPolicy, a composite's parts) must be named together. With --server it also names metrics
of which that server has never stored anything.`,
		Example: "  signalbox check slos examples/broker/slos/*.yaml",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			files, f := matches(args)
			defs, problems := definition.Load(files)
			for _, p := range problems {
				f.add(p.Error(), p.Warning)
			}
			if cmd.Flags().Changed("server") {
				if err := unstored(cmd.Context(), &c, defs, &f); err != nil {
					return err
				}
			}
			return f.report(cmd, files, fmt.Sprintf("%d SLOs in %d files are good", len(defs), len(files)))
		},
	}
	c.Flags(cmd.Flags())
	return cmd
}

// unstored warns of metrics of which a server has never stored anything.
func unstored(ctx context.Context, c *client.Client, defs []*definition.Definition, f *findings) error {
	var known struct {
		Data []string `json:"data"`
	}
	if err := c.Get(ctx, "/api/v1/label/__name__/values", nil, &known); err != nil {
		return err
	}
	for _, d := range defs {
		for _, metric := range indicator.Metrics(d.Measure) {
			if !slices.Contains(known.Data, metric) {
				p := document.Problem{File: d.File, Line: d.Line, Message: fmt.Sprintf("SLO %s: nothing has ever been stored under the name %s", d.Name, metric), Cure: "check the metric's name, and that its sender runs"}
				f.add(p.Error(), true)
			}
		}
	}
	return nil
}

// findings is what a check found, in order.
type findings struct {
	lines  []string
	errors int
}

func (f *findings) add(text string, warning bool) {
	if warning {
		text = "warning: " + text
	} else {
		f.errors++
	}
	f.lines = append(f.lines, text)
}

// report prints every finding, and the good news when none is an error.
func (f *findings) report(cmd *cobra.Command, files []string, good string) error {
	for _, line := range f.lines {
		fmt.Fprintln(cmd.ErrOrStderr(), line)
	}
	if f.errors > 0 {
		fmt.Fprintf(cmd.ErrOrStderr(), "%d %s in %d %s\n", f.errors, show.Plural(f.errors, "error"), len(files), show.Plural(len(files), "file"))
		return command.Exit(command.Failed)
	}
	_, err := fmt.Fprintln(cmd.OutOrStdout(), good)
	return err
}

// matches resolves patterns that the shell left alone. One that matches nothing
// is an error like any other: those of the other files are wanted too.
func matches(patterns []string) (files []string, f findings) {
	for _, p := range patterns {
		found, err := filepath.Glob(p)
		switch {
		case err != nil:
			f.add(fmt.Sprintf("%s: not a valid pattern: %v", p, err), false)
		case len(found) == 0:
			f.add(p+": there is no such file; check the path", false)
		}
		for _, file := range found {
			if !slices.Contains(files, file) {
				files = append(files, file)
			}
		}
	}
	return files, f
}
