package people

import (
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/cli/client"
	"github.com/signalbox-project/signalbox/internal/cli/command"
	"github.com/signalbox-project/signalbox/internal/cli/show"
	"github.com/signalbox-project/signalbox/internal/oncall"
)

// Swap is the group of what people do with swaps of shifts.
func Swap() *cobra.Command {
	return command.Group(&cobra.Command{
		Use:   "swap",
		Short: "Ask somebody to take a shift, and answer who asks",
	}, swapListCommand(), swapProposeCommand(),
		swapAnswerCommand("accept", "Take the shift that somebody asks you to take"),
		swapAnswerCommand("decline", "Leave the shift with whose it is"),
		swapAnswerCommand("withdraw", "Ask no longer"))
}

func swapListCommand() *cobra.Command {
	var c client.Client
	var as show.Form
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "Swaps of shifts that are not over, and of the last 40 days",
		Example: `  signalbox oncall swap list`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var got show.Answer[swapList]
			if err := c.Get(cmd.Context(), "/sb/v1/oncall/swaps", nil, &got); err != nil {
				return err
			}
			return got.Print(cmd.OutOrStdout(), as, writeSwaps)
		},
	}
	c.Flags(cmd.Flags())
	as.Flag(cmd.Flags())
	return cmd
}

type swapList struct {
	Swaps []oncall.Swap `json:"swaps"`
}

func writeSwaps(w io.Writer, list swapList) {
	if len(list.Swaps) == 0 {
		fmt.Fprintln(w, "Nobody asks anybody to take a shift.")
		return
	}
	t := show.NewTable("ID", "STATE", "SCHEDULE", "GIVES", "TAKES", "FROM", "TO", "IN RETURN")
	for _, s := range list.Swaps {
		takes, back := s.To, "-"
		if takes == "" {
			takes = "anybody"
		}
		if s.Return != nil {
			back = s.Return.Schedule + " " + swapTime(s.Return.Start) + " to " + swapTime(s.Return.End)
		}
		t.Row(s.ID, string(s.State), s.Schedule, s.From, takes, swapTime(s.Start), swapTime(s.End), back)
	}
	t.Write(w)
}

func swapTime(t time.Time) string { return t.UTC().Format("Mon 2006-01-02 15:04 MST") }

func swapProposeCommand() *cobra.Command {
	var c client.Client
	var body struct {
		Schedule string         `json:"schedule"`
		From     string         `json:"from"`
		To       string         `json:"to,omitempty"`
		Start    time.Time      `json:"start"`
		End      time.Time      `json:"end,omitzero"`
		Return   *oncall.Return `json:"in_return,omitempty"`
		Reason   string         `json:"reason,omitempty"`
		By       string         `json:"by,omitempty"`
	}
	var start, end, back string
	cmd := &cobra.Command{
		Use:   "propose SCHEDULE",
		Short: "Ask somebody to take a shift, perhaps for one of theirs",
		Long: `Who is asked is told by the contact of theirs that wakes least; nothing changes until they accept.
Without --end it is the whole shift that --start lies in, and without --to anybody may take it.`,
		Example: `  signalbox oncall swap propose platform-primary --from sre-1 --to sre-2 --start 2030-12-24T12:00:00Z
  signalbox oncall swap propose platform-primary --from sre-1 --to sre-2 --start 2030-12-24T12:00:00Z --in-return 2030-12-31T12:00:00Z`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			body.Schedule = args[0]
			var in oncall.Return
			for _, at := range []struct {
				flag, text string
				to         *time.Time
			}{{"start", start, &body.Start}, {"end", end, &body.End}, {"in-return", back, &in.Start}} {
				if at.text == "" && at.flag != "start" {
					continue
				}
				t, err := time.Parse(time.RFC3339, at.text)
				if err != nil {
					return command.Usage(fmt.Errorf("--%s %q: write it as 2030-12-24T12:00:00Z", at.flag, at.text))
				}
				*at.to = t
			}
			if back != "" {
				body.Return = &in
			}
			var s oncall.Swap
			if err := c.PostJSON(cmd.Context(), "/sb/v1/oncall/swaps", body, &s); err != nil {
				return err
			}
			writeSwap(cmd.OutOrStdout(), s)
			return nil
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&body.From, "from", "", "whose shift it is, by the name in oncall_files")
	fs.StringVar(&body.To, "to", "", "who is asked; anybody, if absent")
	fs.StringVar(&start, "start", "", "when it begins, or a moment of the shift, RFC 3339")
	fs.StringVar(&end, "end", "", "when it ends, RFC 3339; with the shift, if absent")
	fs.StringVar(&back, "in-return", "", "a moment of the shift of who is asked that is taken in return, RFC 3339")
	fs.StringVar(&body.Reason, "reason", "", "why")
	fs.StringVar(&body.By, "by", "", "who proposes it; with authentication it is who is logged in")
	c.Flags(fs)
	return cmd
}

func writeSwap(w io.Writer, s oncall.Swap) {
	to := s.To
	if to == "" {
		to = "anybody"
	}
	fmt.Fprintf(w, "%s: %s, %s to %s, %s from %s to %s\n", s.ID, s.State, s.From, to, s.Schedule, swapTime(s.Start), swapTime(s.End))
	if s.Return != nil {
		fmt.Fprintf(w, "  in return %s takes %s from %s to %s\n", s.From, s.Return.Schedule, swapTime(s.Return.Start), swapTime(s.Return.End))
	}
	for _, n := range s.Notes {
		fmt.Fprintf(w, "  note: %s\n", n)
	}
	if s.Told != "" {
		fmt.Fprintf(w, "  told: %s\n", s.Told)
	}
}

func swapAnswerCommand(verb, short string) *cobra.Command {
	var c client.Client
	body := struct {
		Answer string `json:"answer"`
		By     string `json:"by,omitempty"`
		Note   string `json:"note,omitempty"`
	}{Answer: verb}
	cmd := &cobra.Command{
		Use:   verb + " ID",
		Short: short,
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var s oncall.Swap
			if err := c.PostJSON(cmd.Context(), "/sb/v1/oncall/swaps/"+url.PathEscape(args[0])+"/answer", body, &s); err != nil {
				return err
			}
			writeSwap(cmd.OutOrStdout(), s)
			return nil
		},
	}
	cmd.Flags().StringVar(&body.By, "by", "", "who answers, by the name in oncall_files; with authentication it is who is logged in")
	cmd.Flags().StringVar(&body.Note, "note", "", "what to tell the other")
	c.Flags(cmd.Flags())
	return cmd
}
