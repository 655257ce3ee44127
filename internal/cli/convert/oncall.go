package convert

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/cli/command"
	"github.com/signalbox-project/signalbox/internal/oncall/importer"
)

// OnCallImport turns exports of other tools into on-call files.
func OnCallImport() *cobra.Command {
	var tool, output string
	cmd := &cobra.Command{
		Use:   "import --from TOOL FILE...",
		Short: "Turn exports of Grafana OnCall, GoAlert, Opsgenie or PagerDuty into on-call files",
		Long: `Reads the answers of a tool's API, saved as files, and writes people with their contacts, schedules
and escalation policies as oncall_files have them. What cannot be carried so that the same people are on
call in every moment is left out, and named with the reason on standard error. A schedule in which several people are on call at once
becomes several.

With --output it writes oncall.yml and overrides.sh, the commands that make the overrides, into a
folder; otherwise it prints both. It asks no server. Exit status: 0 if all was carried, 1 if something was not.`,
		Example: `  signalbox oncall import --from pagerduty users.json schedules.json policies.json
  signalbox oncall import --from grafana-oncall --output oncall/ export/*`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			files, err := readFiles(args)
			if err != nil {
				return err
			}
			if tool == "" {
				return command.Usage(fmt.Errorf("say whose export it is: --from %s", strings.Join(importer.Tools(), ", ")))
			}
			out, err := importer.Read(tool, time.Now(), files)
			if err != nil {
				return err
			}
			if err := writeImport(cmd.OutOrStdout(), output, out); err != nil {
				return err
			}
			if len(out.Lost) == 0 {
				return nil
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "Not carried, or to be looked at (%d):\n", len(out.Lost))
			for _, l := range out.Lost {
				fmt.Fprintf(cmd.ErrOrStderr(), "  %s: %s\n", l.Where, l.Why)
			}
			return command.Exit(command.No)
		},
	}
	cmd.Flags().StringVar(&tool, "from", "", "whose export it is: "+strings.Join(importer.Tools(), ", "))
	cmd.Flags().StringVar(&output, "output", "", "a folder to write oncall.yml and overrides.sh into, where neither may be yet")
	return cmd
}

func readFiles(args []string) (out []importer.File, _ error) {
	paths, err := command.Expand(args)
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		out = append(out, importer.File{Name: path, Text: text})
	}
	return out, nil
}

func writeImport(w io.Writer, folder string, out importer.Outcome) error {
	text, err := out.YAML()
	if err != nil {
		return err
	}
	commands := out.Commands()
	if folder == "" {
		if _, err := w.Write(text); err != nil || len(commands) == 0 {
			return err
		}
		_, err := fmt.Fprintf(w, "# Overrides are in no file. These commands make them, once the file is in force:\n# %s\n",
			bytes.ReplaceAll(bytes.TrimSpace(commands), []byte("\n"), []byte("\n# ")))
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for _, f := range []struct {
		name string
		text []byte
	}{{"oncall.yml", text}, {"overrides.sh", commands}} {
		if len(f.text) == 0 {
			continue
		}
		path := filepath.Join(folder, f.name)
		if err := create(path, f.text); err != nil {
			return err
		}
		fmt.Fprintln(w, path)
	}
	return nil
}

// create writes a file that is not there yet. It holds addresses of people.
func create(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}
