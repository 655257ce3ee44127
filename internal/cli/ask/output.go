package ask

import (
	"encoding/json"
	"io"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// output is how a command prints its answer.
type output struct{ json bool }

func (o *output) flags(fs *pflag.FlagSet) {
	fs.BoolVar(&o.json, "json", false, "print the server's JSON answer")
}

// print writes v as JSON if that was asked for, otherwise calls text.
func (o *output) print(cmd *cobra.Command, v any, text func(w io.Writer) error) error {
	if !o.json {
		return text(cmd.OutOrStdout())
	}
	enc := json.NewEncoder(cmd.OutOrStdout())
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
