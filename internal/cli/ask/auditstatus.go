package ask

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/cli/client"
	"github.com/signalbox-project/signalbox/internal/cli/show"
	"github.com/signalbox-project/signalbox/internal/store"
)

func auditStatusCommand() *cobra.Command {
	var c client.Client
	var o output
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Say where the audit log is shipped to, and how far that is",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var got answer[struct {
				Targets []store.AuditTarget `json:"targets"`
			}]
			if err := c.Get(cmd.Context(), "/sb/v1/audit/targets", nil, &got); err != nil {
				return err
			}
			return o.print(cmd, got.raw, func(w io.Writer) error {
				if len(got.value.Targets) == 0 {
					_, err := fmt.Fprintln(w, "The audit log is shipped nowhere: audit.ship in the configuration names receivers.")
					return err
				}
				t := show.NewTable("TARGET", "KIND", "ADDRESS", "SHIPPED", "WAITING", "LAG", "LAST SUCCESS", "FAILURES", "ERROR")
				for _, a := range got.value.Targets {
					last := "never"
					if a.LastSuccess != nil {
						last = a.LastSuccess.UTC().Format(time.RFC3339)
					}
					lag := time.Duration(a.LagSeconds * float64(time.Second)).Round(time.Second).String()
					t.Row(a.Name, a.Kind, a.Address, strconv.FormatInt(a.Shipped, 10), strconv.FormatInt(a.Waiting, 10), lag, last, strconv.FormatInt(a.Failures, 10), cmp.Or(a.LastError, "-"))
				}
				t.Write(w)
				return nil
			})
		},
	}
	c.Flags(cmd.Flags())
	o.flags(cmd.Flags())
	return cmd
}
