// Package command is what all commands have in common: exit statuses, how wrong usage is
// answered, groups of subcommands, flags from the environment, and patterns of files.
//
// It knows no single command. Exit status: 0 success, 3 error, 2 for wrong usage, except where
// a command documents its own (gate check, where wrong usage is an error as well). Start reading at Run.
package command

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

// Run executes args (without the program's name) on a tree of commands and returns the
// process's exit status.
func Run(ctx context.Context, root *cobra.Command, args []string, out, errOut io.Writer) int {
	root.SilenceUsage, root.SilenceErrors = true, true
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return flagsFromEnvironment(cmd) }
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return Usage(err) })
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(errOut)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return OK
	}
	var said exit
	if errors.As(err, &said) {
		return int(said)
	}
	fmt.Fprintln(errOut, "signalbox:", err)
	if isUsage(err) {
		if hint := meant(cmd, err); hint != "" {
			fmt.Fprintf(errOut, "Did you mean %s?\n", hint)
		}
		fmt.Fprintf(errOut, "Run '%s --help' for usage.\n", cmd.CommandPath())
		return usageStatus(cmd)
	}
	return Failed
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
			return Failed
		}
	}
	return Wrong
}

// Group is a command that only has subcommands. Without one it is wrongly used,
// and so it is with one that does not exist: a pipeline that asks "gate chek"
// must not read the help's exit status 0 as "allow".
func Group(cmd *cobra.Command, subcommands ...*cobra.Command) *cobra.Command {
	cmd.AddCommand(subcommands...)
	cmd.FParseErrWhitelist.UnknownFlags = true // the subcommand is what is wrong, not its flags
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return Usage(fmt.Errorf("unknown command %q for %q", args[0], cmd.CommandPath()))
		}
		return Usage(fmt.Errorf("%s needs a subcommand: %s", cmd.CommandPath(), subcommandNames(cmd)))
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
			errs = append(errs, Usage(fmt.Errorf("environment variable %s: %w", name, err)))
		}
	})
	return errors.Join(errs...)
}

func environmentName(flag string) string {
	return "SIGNALBOX_" + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(flag))
}
