package ask

import (
	"encoding/json"
	"io"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/signalbox-project/signalbox/internal/platform/human"
)

// answer is a server's answer, decoded for the text and as it came for --json: fields that
// the text leaves out, of a newer server too, and numbers of more than 53 bits stay whole.
type answer[T any] struct {
	value T
	raw   json.RawMessage
}

func (a *answer[T]) UnmarshalJSON(text []byte) error {
	a.raw = slices.Clone(text)
	return json.Unmarshal(text, &a.value)
}

// output is how a command prints its answer.
type output struct{ json bool }

func (o *output) flags(fs *pflag.FlagSet) {
	fs.BoolVar(&o.json, "json", false, "print the server's JSON answer")
}

// print writes the answer as it came if that was asked for, otherwise calls text.
func (o *output) print(cmd *cobra.Command, raw json.RawMessage, text func(w io.Writer) error) error {
	if !o.json {
		return text(cmd.OutOrStdout())
	}
	enc := json.NewEncoder(cmd.OutOrStdout())
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(raw)
}

// optional prints a figure that may be absent.
func optional(v *float64) string {
	if v == nil {
		return "-"
	}
	return human.Number(*v)
}
