// Package cli is the command line: it reads flags and environment, then calls
// app or speaks HTTP to a running server, and prints.
//
// It holds no business rules and never opens a store. Every flag can be given as
// an environment variable: SIGNALBOX_ and the flag's name in capitals, with _ for
// every dot and dash. Exit status: 0 success, 3 error, 2 for wrong usage, except where a
// command documents its own (gate check, where wrong usage is an error as well). Start reading at New.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/signalbox-project/signalbox/internal/platform/nearest"
)

// Exit statuses shared by all commands.
const (
	exitOK     = 0
	exitNo     = 1 // the question was answered, with no
	exitUsage  = 2
	exitFailed = 3
)

// exitError carries an exit status; an empty text prints nothing.
type exitError struct {
	status int
	text   string
}

func (e exitError) Error() string { return e.text }

// Main runs the command line args (without the program's name) and returns the
// process's exit status.
func Main(ctx context.Context, version string, args []string, out, errOut io.Writer) int {
	root := New(version)
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(errOut)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	var exit exitError
	if errors.As(err, &exit) {
		if exit.text != "" {
			fmt.Fprintln(errOut, "signalbox:", exit.text)
		}
		return exit.status
	}
	fmt.Fprintln(errOut, "signalbox:", err)
	if isUsage(err) {
		if hint := meant(cmd, err); hint != "" {
			fmt.Fprintf(errOut, "Did you mean %s?\n", hint)
		}
		fmt.Fprintf(errOut, "Run '%s --help' for usage.\n", cmd.CommandPath())
		return usageStatus(cmd)
	}
	return exitFailed
}

// meant is the command or flag that a wrong one is closest to, or "".
func meant(cmd *cobra.Command, err error) string {
	text := err.Error()
	switch {
	case strings.HasPrefix(text, "unknown command"):
		_, rest, _ := strings.Cut(text, `"`)
		typed, _, _ := strings.Cut(rest, `"`)
		var names []string
		for _, c := range cmd.Commands() {
			if c.IsAvailableCommand() {
				names = append(append(names, c.Name()), c.Aliases...)
			}
		}
		return nearest.Name(typed, names)
	case strings.HasPrefix(text, "unknown flag: --"):
		typed := strings.TrimPrefix(text, "unknown flag: --")
		var names []string
		note := func(f *pflag.Flag) {
			if !f.Hidden {
				names = append(names, f.Name)
			}
		}
		cmd.Flags().VisitAll(note)
		cmd.InheritedFlags().VisitAll(note)
		if name := nearest.Name(typed, names); name != "" {
			return "--" + name
		}
	}
	return ""
}

// usageStatus is the exit status of a wrongly typed command. Below gate it is
// the one of an error: 2 is a verdict there, and a typing mistake is none.
func usageStatus(cmd *cobra.Command) int {
	for c := cmd; c != nil; c = c.Parent() {
		if c.Name() == "gate" {
			return exitFailed
		}
	}
	return exitUsage
}

// group is a command that only has subcommands. Without one it is wrongly used,
// and so it is with one that does not exist: a pipeline that asks "gate chek"
// must not read the help's exit status 0 as "allow".
func group(cmd *cobra.Command, subcommands ...*cobra.Command) *cobra.Command {
	cmd.AddCommand(subcommands...)
	cmd.FParseErrWhitelist.UnknownFlags = true // the subcommand is what is wrong, not its flags
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return usageError{fmt.Errorf("unknown command %q for %q", args[0], cmd.CommandPath())}
		}
		return usageError{fmt.Errorf("%s needs a subcommand: %s", cmd.CommandPath(), subcommandNames(cmd))}
	}
	return cmd
}

func subcommandNames(cmd *cobra.Command) string {
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return strings.Join(names, ", ")
}

func isUsage(err error) bool {
	var usage usageError
	if errors.As(err, &usage) {
		return true
	}
	text := err.Error()
	for _, prefix := range []string{"unknown command", "unknown flag", "unknown shorthand", "flag needs an argument", "invalid argument", "accepts ", "requires at least", "required flag"} {
		if strings.HasPrefix(text, prefix) {
			return true
		}
	}
	return false
}

type usageError struct{ error }

// New is the whole command tree.
func New(version string) *cobra.Command {
	root := &cobra.Command{
		Use:   "signalbox",
		Short: "Metrics, logs, traces, SLOs, pages and deployment gates in one binary",
		Long: `Signalbox takes a fleet's metrics, logs and traces, knows what each service
promised, pages the right person and holds unsafe deployments with evidence.

  signalbox demo     everything with a simulated broker platform, on http://localhost:4300
  signalbox serve    everything for your own telemetry; no file needed

Commands that talk to a running server find it by --server or SIGNALBOX_SERVER.

Exit status: 0 success, 1 the answer is no, 2 wrong usage, 3 error. Below gate, 2 is
a verdict, so that wrong usage is 3 there.`,
		Version:           version,
		SilenceUsage:      true,
		SilenceErrors:     true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return flagsFromEnvironment(cmd) },
	}
	root.SetVersionTemplate("{{.Version}}\n")
	root.AddGroup(
		&cobra.Group{ID: "run", Title: "Run:"},
		&cobra.Group{ID: "ask", Title: "Ask a running server:"},
		&cobra.Group{ID: "work", Title: "Check and measure:"},
	)
	add(root, "run", serveCommand(version), demoCommand(version), simulateCommand())
	add(root, "ask", queryCommand(), sloCommand(), gateCommand(), explainCommand(), auditCommand())
	add(root, "work", checkCommand(), rulesCommand(), benchCommand())
	root.AddCommand(versionCommand(version), sqlWorkerCommand())
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	return root
}

func add(root *cobra.Command, group string, cmds ...*cobra.Command) {
	for _, c := range cmds {
		c.GroupID = group
		root.AddCommand(c)
	}
}

func versionCommand(version string) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		Run:   func(cmd *cobra.Command, _ []string) { fmt.Fprintln(cmd.OutOrStdout(), version) },
	}
}

// flagsFromEnvironment sets every flag that was not given from its variable.
func flagsFromEnvironment(cmd *cobra.Command) error {
	var errs []error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		name := environmentName(f.Name)
		value, ok := os.LookupEnv(name)
		if f.Changed || !ok {
			return
		}
		if err := cmd.Flags().Set(f.Name, value); err != nil {
			errs = append(errs, usageError{fmt.Errorf("environment variable %s: %w", name, err)})
		}
	})
	return errors.Join(errs...)
}

func environmentName(flag string) string {
	return "SIGNALBOX_" + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(flag))
}
