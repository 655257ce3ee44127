package convert

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/cli/command"
	"github.com/signalbox-project/signalbox/internal/slo"
	"github.com/signalbox-project/signalbox/internal/slo/definition"
	"github.com/signalbox-project/signalbox/internal/slo/openslo"
)

// SLOImport turns files of other tools into OpenSLO.
func SLOImport() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "import FILE...",
		Short: "Turn files of Sloth, Pyrra and others into OpenSLO",
		Long: `Reads the files of Sloth (prometheus/v1 and sloth.slok.dev/v1, its AlertWindows too),
Pyrra (pyrra.dev/v1alpha1), Google's slo-generator (sre.google.com/v2), openslo/v1alpha and
openslo.com/v2alpha, and writes the OpenSLO v1 that they mean. Burn alerts keep the names, labels and annotations
that the tool gives them, so that an alertmanager.yml made for it routes them the same.
slo_files may also name such files as they are.`,
		Example: `  signalbox slo import sloth/*.yml
  signalbox slo import --output slos/ pyrra/*.yaml`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			paths, err := command.Expand(args)
			if err != nil {
				return err
			}
			imports, err := readImports(cmd, paths)
			if err != nil {
				return err
			}
			for i, one := range imports {
				if err := one.write(cmd, output, i); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&output, "output", "", "folder for the files; standard output if absent")
	return cmd
}

// imported is a file and the documents that it means.
type imported struct {
	file string
	docs openslo.Documents
}

// own finds documents that need no import.
var own = regexp.MustCompile(`apiVersion["']?: *["']?` + openslo.Version + `["']?\s*([,}#\n]|$)`)

// readImports reads all files before one is written: Sloth's windows may stand in a file of their own.
func readImports(cmd *cobra.Command, paths []string) (out []imported, err error) {
	files, problems := openslo.Files().Load(paths)
	docs, more := openslo.ParseAll(files)
	_, last := definition.Define(docs)
	failed := false
	for _, p := range slices.Concat(problems, more, last) {
		failed = failed || !p.Warning
		fmt.Fprintln(cmd.ErrOrStderr(), p.Error())
	}
	if failed {
		return nil, command.Exit(command.Failed)
	}
	for _, f := range files {
		if own.Match(f.Text) {
			return nil, fmt.Errorf("%s is OpenSLO already", f.Path)
		}
		if one := (imported{file: f.Path, docs: docs.Of(f.Path)}); !one.docs.Empty() {
			out = append(out, one)
		}
	}
	return out, nil
}

func (im imported) write(cmd *cobra.Command, output string, nth int) error {
	converted, err := openslo.Format(im.docs)
	if err != nil {
		return err
	}
	file := im.file
	if output == "" {
		if nth > 0 {
			fmt.Fprintln(cmd.OutOrStdout(), "---")
		}
		_, err = cmd.OutOrStdout().Write(converted)
		return err
	}
	base := filepath.Base(file)
	target := filepath.Join(output, strings.TrimSuffix(base, filepath.Ext(base))+".yaml")
	if here, err := filepath.Abs(file); err == nil {
		if there, err := filepath.Abs(target); err == nil && here == there {
			return fmt.Errorf("%s would be overwritten; choose another --output", file)
		}
	}
	if err := os.WriteFile(target, converted, 0o644); err != nil { //nolint:gosec // configuration, to be read by others
		return err
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %d SLOs of %s\n", target, len(im.docs.SLOs), file)
	return err
}

// SLOExport turns SLOs into Prometheus rules.
func SLOExport() *cobra.Command {
	var format string
	var meta objectFlags
	cmd := &cobra.Command{
		Use:   "export FILE...",
		Short: "Write SLO files as Prometheus rules",
		Long: `Writes recording rules of the error ratio for each window, and the burn alerts
over them, as a rule file for Prometheus, or as an object of the Prometheus operator
that holds it. SLOs with few events and peak calendars
need the engine; the rules are the plain table. SLOs over spans, logs and
deployments are named and left out: Prometheus does not keep what they count.`,
		Example: `  signalbox slo export --format prometheus-rules examples/broker/slos/*.yaml
  signalbox slo export --format prometheusrule --namespace monitoring examples/broker/slos/*.yaml`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if format != "prometheus-rules" && format != "prometheusrule" {
				return command.Usage(fmt.Errorf("--format %q is unknown: prometheus-rules and prometheusrule are written", format))
			}
			files, err := command.Expand(args)
			if err != nil {
				return err
			}
			defs, problems := definition.Load(files)
			failed := false
			for _, p := range problems {
				failed = failed || !p.Warning
				fmt.Fprintln(cmd.ErrOrStderr(), p.Error())
			}
			if failed {
				return command.Exit(command.Failed)
			}
			defs, refused := definition.Exportable(defs)
			for _, reason := range refused {
				fmt.Fprintf(cmd.ErrOrStderr(), "left out: %v\n", reason)
			}
			if len(defs) == 0 && len(refused) > 0 {
				return command.Exit(command.Failed)
			}
			text, err := definition.PrometheusRules(slo.DefaultConfig().BurnAlerts, defs)
			if err != nil {
				return err
			}
			if format == "prometheusrule" {
				return meta.write(cmd.OutOrStdout(), false, "slos", text)
			}
			_, err = cmd.OutOrStdout().Write(text)
			return err
		},
	}
	cmd.Flags().StringVar(&format, "format", "prometheus-rules", "what to write: prometheus-rules (a file) or prometheusrule (an object of the Prometheus operator)")
	meta.flags(cmd.Flags())
	return cmd
}
