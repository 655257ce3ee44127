package ask

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/cli/client"
)

// mostIdentifier is what the server takes.
const mostIdentifier = 4096

// HashID tells what is stored in the place of an identifier.
func HashID() *cobra.Command {
	var c client.Client
	var o output
	cmd := &cobra.Command{
		Use:   "hash-id VALUE",
		Short: "The hashes that stand for somebody's identifier",
		Long: `Prints what is stored in the place of an identifier that is hashed on the way in
(section privacy of the configuration), one line for each key, that of the current
key first: search for these. Needs the permission unmasked.read. A VALUE of - is read
from standard input, so that it stands in no shell's history.`,
		Example: `  signalbox hash-id 4711
  signalbox query logs "user.id:$(signalbox hash-id 4711 | head -1)"`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			value := args[0]
			if value == "-" {
				text, err := io.ReadAll(io.LimitReader(cmd.InOrStdin(), mostIdentifier+2))
				if err != nil {
					return err
				}
				value = strings.TrimRight(string(text), "\r\n")
			}
			var got answer[struct {
				Hashes []string `json:"hashes"`
			}]
			if err := c.PostJSON(cmd.Context(), "/sb/v1/identifiers", map[string]string{"value": value}, &got); err != nil {
				return err
			}
			return o.print(cmd, got.raw, func(w io.Writer) error {
				_, err := fmt.Fprintln(w, strings.Join(got.value.Hashes, "\n"))
				return err
			})
		},
	}
	c.Flags(cmd.Flags())
	o.flags(cmd.Flags())
	return cmd
}
