package cli_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/signalbox-project/signalbox/internal/cli"
)

var update = flag.Bool("update", false, "write the generated files")

const referenceFile = "../../docs/reference/cli.md"

// TestReferenceIsCurrent keeps docs/reference/cli.md equal to what --help says.
func TestReferenceIsCurrent(t *testing.T) {
	var b bytes.Buffer
	b.WriteString("# Command line\n\nGenerated from the program's own help by `make gen`.\n\n" +
		"Every flag can be given as an environment variable: `SIGNALBOX_` and the flag's name in capitals, with `_` for every dot and dash.\n")
	document(&b, cli.New("dev"))
	if *update {
		if err := os.WriteFile(referenceFile, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(referenceFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, b.Bytes()) {
		t.Errorf("%s is stale: run make gen", referenceFile)
	}
}

func document(b *bytes.Buffer, cmd *cobra.Command) {
	if cmd.Runnable() && !cmd.HasSubCommands() {
		fmt.Fprintf(b, "\n## %s\n\n%s\n", cmd.CommandPath(), cmd.Short)
		if cmd.Long != "" {
			fmt.Fprintf(b, "\n```text\n%s\n```\n", cmd.Long)
		}
		fmt.Fprintf(b, "\n```text\n%s\n```\n", cmd.UseLine())
		if cmd.Example != "" {
			fmt.Fprintf(b, "\n```sh\n%s\n```\n", strings.TrimSpace(strings.ReplaceAll(cmd.Example, "\n  ", "\n")))
		}
		documentFlags(b, cmd.NonInheritedFlags())
	}
	for _, sub := range cmd.Commands() {
		if !sub.Hidden && sub.Name() != "help" {
			document(b, sub)
		}
	}
}

func documentFlags(b *bytes.Buffer, fs *pflag.FlagSet) {
	if !fs.HasAvailableFlags() {
		return
	}
	b.WriteString("\n| flag | default | what |\n|---|---|---|\n")
	fs.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		fmt.Fprintf(b, "| `--%s` | `%s` | %s |\n", f.Name, f.DefValue, strings.ReplaceAll(f.Usage, "|", "\\|"))
	})
}
