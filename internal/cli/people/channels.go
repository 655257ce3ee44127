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
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify/courier"
)

// Channels shows what carries messages to people, and tries it.
func Channels() *cobra.Command {
	return command.Group(&cobra.Command{
		Use:   "channels",
		Short: "Show the channels to people, and send a drill through one",
	}, channelsListCommand(), channelsTestCommand())
}

func channelsListCommand() *cobra.Command {
	var c client.Client
	var as show.Form
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "The channels, and how they fare",
		Args:    cobra.NoArgs,
		Example: `  signalbox channels list`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var got show.Answer[channelList]
			if err := c.Get(cmd.Context(), "/sb/v1/channels", nil, &got); err != nil {
				return err
			}
			return got.Print(cmd.OutOrStdout(), as, writeChannels)
		},
	}
	c.Flags(cmd.Flags())
	as.Flag(cmd.Flags())
	return cmd
}

// channelList is the answer to a list.
type channelList struct {
	Channels []courier.State `json:"channels"`
}

func writeChannels(w io.Writer, l channelList) {
	if len(l.Channels) == 0 {
		fmt.Fprintln(w, "There is no channel yet: set one up below `channels` in the configuration.")
		return
	}
	t := show.NewTable("CHANNEL", "STATE", "UNDER WAY", "RATE", "LAST SUCCESS", "LAST ERROR")
	for _, s := range l.Channels {
		state, failed := "up", "-"
		if s.Down {
			state = "down"
		}
		if s.LastErrorAt != nil {
			failed = moment(s.LastErrorAt) + " " + s.LastError
		}
		t.Row(s.Channel, state, strconv.Itoa(s.Waiting), fmt.Sprintf("%g/s", s.PerSecond), moment(s.LastSuccess), failed)
	}
	t.Write(w)
}

// drillResult is what became of a drill.
type drillResult struct {
	Delivered bool             `json:"delivered"`
	ID        string           `json:"id"`
	Note      string           `json:"note"`
	Error     string           `json:"error"`
	Tries     []model.Delivery `json:"tries"`
}

func writeDrill(w io.Writer, r drillResult) {
	for _, d := range r.Tries {
		fmt.Fprintf(w, "try %d: %s %s\n", d.Attempt, d.Status, d.Error)
	}
	if r.Delivered {
		fmt.Fprintf(w, "The service took the drill: %s %s\n", r.ID, r.Note)
	}
}

func moment(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
}

func channelsTestCommand() *cobra.Command {
	var c client.Client
	var as show.Form
	cmd := &cobra.Command{
		Use:     "test CHANNEL ADDRESS",
		Short:   "Send a drill to an address, and show what became of it",
		Args:    cobra.ExactArgs(2),
		Example: `  signalbox channels test email ada@example.com`,
		RunE: func(cmd *cobra.Command, args []string) error {
			var got show.Answer[drillResult]
			if err := c.PostJSON(cmd.Context(), "/sb/v1/channels/"+url.PathEscape(args[0])+"/test", map[string]string{"address": args[1]}, &got); err != nil {
				return err
			}
			if err := got.Print(cmd.OutOrStdout(), as, writeDrill); err != nil {
				return err
			}
			if v := got.Value; !v.Delivered {
				fmt.Fprintln(cmd.ErrOrStderr(), "The drill was not delivered: "+v.Error)
				return command.Exit(1)
			}
			return nil
		},
	}
	c.Flags(cmd.Flags())
	as.Flag(cmd.Flags())
	return cmd
}
