package people

import (
	"fmt"
	"io"
	"net/url"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/cli/client"
	"github.com/signalbox-project/signalbox/internal/cli/command"
	"github.com/signalbox-project/signalbox/internal/cli/show"
	"github.com/signalbox-project/signalbox/internal/oncall"
)

// Heartbeat is the group of what is done with heartbeats.
func Heartbeat() *cobra.Command {
	return command.Group(&cobra.Command{
		Use:   "heartbeat",
		Short: "What has to say regularly that it works",
	}, heartbeatListCommand(), heartbeatPingCommand())
}

func heartbeatListCommand() *cobra.Command {
	var c client.Client
	var as show.Form
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "Heartbeats, and how they stand",
		Example: `  signalbox oncall heartbeat list`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var got show.Answer[beats]
			if err := c.Get(cmd.Context(), "/sb/v1/heartbeats", nil, &got); err != nil {
				return err
			}
			return got.Print(cmd.OutOrStdout(), as, writeHeartbeats)
		},
	}
	c.Flags(cmd.Flags())
	as.Flag(cmd.Flags())
	return cmd
}

type beats struct {
	Heartbeats []oncall.HeartbeatStanding `json:"heartbeats"`
}

func writeHeartbeats(w io.Writer, r beats) {
	if len(r.Heartbeats) == 0 {
		fmt.Fprintln(w, "There is no heartbeat: name some in the list heartbeats of oncall_files.")
		return
	}
	at := func(t *time.Time) string {
		if t == nil {
			return "-"
		}
		return swapTime(*t)
	}
	t := show.NewTable("HEARTBEAT", "STATE", "EVERY", "LAST PING", "MISSED AT", "WHAT IT SAYS")
	for _, h := range r.Heartbeats {
		t.Row(h.Name, string(h.State), h.Every.String(), at(h.Last), at(h.Due), h.Summary)
	}
	t.Write(w)
}

func heartbeatPingCommand() *cobra.Command {
	var c client.Client
	var start, fail bool
	var code int
	var note string
	cmd := &cobra.Command{
		Use:   "ping NAME",
		Short: "Say that something works, begins or failed",
		Example: `  signalbox oncall heartbeat ping backup
  backup.sh; signalbox oncall heartbeat ping backup --exit-code $?`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			params := url.Values{"status": {"ok"}}
			switch {
			case start && (fail || code != 0):
				return command.Usage(fmt.Errorf("--start and a failure exclude each other"))
			case start:
				params.Set("status", "start")
			case fail:
				params.Set("status", "fail")
			}
			if code != 0 {
				params.Set("exit_code", strconv.Itoa(code))
			}
			if note != "" {
				params.Set("note", note)
			}
			var s oncall.HeartbeatStanding
			if err := c.PostJSON(cmd.Context(), "/sb/v1/heartbeats/"+url.PathEscape(args[0])+"?"+params.Encode(), struct{}{}, &s); err != nil {
				return err
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s: %s. %s\n", s.Name, s.State, s.Summary)
			return err
		},
	}
	cmd.Flags().BoolVar(&start, "start", false, "it begins, and is not done")
	cmd.Flags().BoolVar(&fail, "fail", false, "it failed")
	cmd.Flags().IntVar(&code, "exit-code", 0, "of the command; others than 0 are a failure")
	cmd.Flags().StringVar(&note, "note", "", "a word on it, for people")
	c.Flags(cmd.Flags())
	return cmd
}
