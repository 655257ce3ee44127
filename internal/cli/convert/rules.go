// Package convert is the commands that turn files of one tool into files of another: SLOs into
// OpenSLO and into Prometheus rules, rule files into objects of the Prometheus operator, exports of on-call tools into on-call files.
//
// It needs no server; reading and writing each format belongs to the package of that format.
// Start reading at Rules, SLOImport, SLOExport and OnCallImport.
package convert

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/signalbox-project/signalbox/internal/alerting/rules"
	"github.com/signalbox-project/signalbox/internal/cli/command"
)

// Rules is the group of what is done with rule files.
func Rules(more ...*cobra.Command) *cobra.Command {
	return command.Group(&cobra.Command{
		Use:   "rules",
		Short: "Review rule files, and write them for other systems",
	}, append(more, rulesExportCommand())...)
}

func rulesExportCommand() *cobra.Command {
	var meta objectFlags
	cmd := &cobra.Command{
		Use:   "export FILE...",
		Short: "Write rule files as PrometheusRule objects",
		Long: `Writes each rule file as an object of the Prometheus operator
(monitoring.coreos.com/v1, PrometheusRule), for kubectl apply. Comments stay. The way back needs no
command: rule_files and check rules take such objects as they are.`,
		Example: `  signalbox rules export examples/broker/rules/*.yml
  signalbox rules export --namespace monitoring --label release=prometheus examples/broker/rules/work.yml`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			files, err := command.Expand(args)
			if err != nil {
				return err
			}
			for i, file := range files {
				text, err := os.ReadFile(file)
				if err != nil {
					return fmt.Errorf("read rule file: %w", err)
				}
				base := filepath.Base(file)
				if err := meta.write(cmd.OutOrStdout(), i > 0, strings.TrimSuffix(base, filepath.Ext(base)), text); err != nil {
					return fmt.Errorf("%s: %w", file, err)
				}
			}
			return nil
		},
	}
	meta.flags(cmd.Flags())
	return cmd
}

// objectFlags say what PrometheusRule objects are called.
type objectFlags struct {
	prefix, namespace string
	labels            map[string]string
}

func (o *objectFlags) flags(fs *pflag.FlagSet) {
	fs.StringVar(&o.prefix, "name-prefix", "signalbox-", "what the objects' names begin with; the file's name follows")
	fs.StringVar(&o.namespace, "namespace", "", "the objects' namespace; empty leaves it to kubectl")
	fs.StringToStringVar(&o.labels, "label", nil, "a label of the objects, by which a Prometheus selects them, for example release=prometheus; may be given several times")
}

// write writes one rule file as an object, after a separator unless it is the first.
func (o *objectFlags) write(w io.Writer, separated bool, name string, text []byte) error {
	out, err := rules.ToObject(rules.ObjectMeta{Name: rules.ObjectName(o.prefix + name), Namespace: o.namespace, Labels: o.labels}, text)
	if err != nil {
		return err
	}
	if separated {
		out = append([]byte("---\n"), out...)
	}
	_, err = w.Write(out)
	return err
}
