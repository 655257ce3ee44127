// Package remediate holds the commands about remedies: what they do and would do, what waits for approval, and the switch that stops
// them.
//
// In: flags and a server. Out: text. Start reading at Remedy.
package remediate

import (
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/cli/client"
	"github.com/signalbox-project/signalbox/internal/cli/command"
	"github.com/signalbox-project/signalbox/internal/cli/show"
	"github.com/signalbox-project/signalbox/internal/remedy/engine"
)

const path = "/sb/v1/remediation"

// Remedy is the group of all.
func Remedy() *cobra.Command {
	return command.Group(&cobra.Command{
		Use:   "remedy",
		Short: "What is done about alerts: see it, approve it, stop it",
	}, listCommand(), showCommand(), runsCommand(), runCommand(), answerCommand("approve", "Have done what waits for approval"), answerCommand("refuse", "Have what waits for approval not be done"),
		switchCommand("stop", "Stop all remedies, or one, until somebody starts them again"), switchCommand("start", "Start again what was stopped"))
}

// asking is a command that asks and prints.
func asking[T any](cmd *cobra.Command, ask func(args []string) (path string, params url.Values), write func(io.Writer, T)) *cobra.Command {
	var c client.Client
	var as show.Form
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		at, params := ask(args)
		var got show.Answer[T]
		if err := c.Get(cmd.Context(), at, params, &got); err != nil {
			return err
		}
		return got.Print(cmd.OutOrStdout(), as, write)
	}
	c.Flags(cmd.Flags())
	as.Flag(cmd.Flags())
	return cmd
}

// changing is a command that changes something and prints what became of it.
func changing[T any](cmd *cobra.Command, request func(args []string, by string) (path string, body map[string]any), write func(io.Writer, T)) *cobra.Command {
	var c client.Client
	var as show.Form
	var by string
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		at, body := request(args, by)
		var got show.Answer[T]
		if err := c.PostJSON(cmd.Context(), at, body, &got); err != nil {
			return err
		}
		return got.Print(cmd.OutOrStdout(), as, write)
	}
	cmd.Flags().StringVar(&by, "by", "", "who does it, where nobody has to log in")
	c.Flags(cmd.Flags())
	as.Flag(cmd.Flags())
	return cmd
}

func listCommand() *cobra.Command {
	return asking(&cobra.Command{Use: "list", Short: "Remedies in force and how they are", Args: cobra.NoArgs},
		func([]string) (string, url.Values) { return path, nil },
		func(w io.Writer, l engine.Listing) {
			fmt.Fprintln(w, show.Printable(l.Summary))
			if len(l.Remedies) == 0 {
				return
			}
			t := show.NewTable("REMEDY", "DOES", "MODE", "STOPPED", "WAITING", "LAST")
			for _, r := range l.Remedies {
				mode, stopped, last := string(r.Mode), "", "never"
				if r.DryRun {
					mode += ", dry run"
				}
				if r.Stopped != nil {
					stopped = "by " + r.Stopped.By
				}
				if r.Last != nil {
					last = fmt.Sprintf("%s %s", r.Last.Times.Updated.Format(time.DateTime), r.Last.State)
				}
				t.Row(r.Name, r.Kind, mode, stopped, strconv.Itoa(r.Waiting), last)
			}
			t.Write(w)
		})
}

func runsCommand() *cobra.Command {
	var remedy, state string
	var open bool
	cmd := asking(&cobra.Command{Use: "runs", Short: "What remedies did, would do and did not do, the newest first", Args: cobra.NoArgs, Example: "  signalbox remedy runs --state pending"},
		func([]string) (string, url.Values) {
			params := url.Values{}
			for name, value := range map[string]string{"remedy": remedy, "state": state} {
				if value != "" {
					params.Set(name, value)
				}
			}
			if open {
				params.Set("open", "true")
			}
			return path + "/runs", params
		},
		func(w io.Writer, l struct{ Runs []engine.Run }) {
			t := show.NewTable("ID", "REMEDY", "TARGET", "STATE", "UPDATED", "REASON")
			for _, r := range l.Runs {
				t.Row(r.ID, r.Remedy, r.Subject.Target, string(r.State), r.Times.Updated.Format(time.DateTime), r.Reason)
			}
			t.Write(w)
		})
	cmd.Flags().StringVar(&remedy, "remedy", "", "those of this remedy")
	cmd.Flags().StringVar(&state, "state", "", "those in this state, such as pending")
	cmd.Flags().BoolVar(&open, "open", false, "only those that are not over")
	return cmd
}

func showCommand() *cobra.Command {
	return asking(&cobra.Command{Use: "show RUN", Short: "One run: what is done or would be, why, and what was found", Args: cobra.ExactArgs(1)},
		func(args []string) (string, url.Values) { return path + "/runs/" + url.PathEscape(args[0]), nil }, writeRun)
}

func writeRun(w io.Writer, r engine.Run) {
	fmt.Fprintf(w, "%s: %s on %s is %s\n%s\n", r.ID, r.Remedy, show.Printable(r.Subject.Target), r.State, show.Printable(r.Reason))
	if r.Plan != nil {
		for _, call := range r.Plan.Calls {
			fmt.Fprintf(w, "  %s\n", show.Printable(call))
		}
	}
	for _, f := range r.Evidence {
		fmt.Fprintf(w, "  %s\n", show.Printable(f.Text()))
	}
	t := show.NewTable("TIME", "STATE", "BY", "REASON")
	for _, s := range r.History {
		t.Row(s.Time.Format(time.DateTime), string(s.State), s.By, s.Reason)
	}
	t.Write(w)
}

func runCommand() *cobra.Command {
	var labels []string
	var dry bool
	cmd := changing(&cobra.Command{
		Use: "run REMEDY", Short: "Begin a remedy by hand", Args: cobra.ExactArgs(1),
		Long:    "Begins a remedy without an alert. Everything that the remedy asks for must hold all the same; its mode is as in its file.",
		Example: "  signalbox remedy run scale-consumers --label queue=layout-jobs --label service=layout --dry-run",
	}, func(args []string, by string) (string, map[string]any) {
		given := map[string]string{}
		for _, l := range labels {
			name, value, _ := strings.Cut(l, "=")
			given[name] = value
		}
		return path + "/remedies/" + url.PathEscape(args[0]) + "/run", map[string]any{"labels": given, "dry_run": dry, "by": by}
	}, writeRun)
	cmd.Flags().StringArrayVar(&labels, "label", nil, "NAME=VALUE, as an alert would have it; may be repeated")
	cmd.Flags().BoolVar(&dry, "dry-run", false, "say what would be done, and do nothing")
	return cmd
}

func answerCommand(what, short string) *cobra.Command {
	var reason string
	cmd := changing(&cobra.Command{Use: what + " RUN", Short: short, Args: cobra.ExactArgs(1), Example: "  signalbox remedy " + what + " 01983c6e-5a1b-7c2d-8e3f-000000000001 --by ann"},
		func(args []string, by string) (string, map[string]any) {
			return path + "/runs/" + url.PathEscape(args[0]) + "/" + what, map[string]any{"reason": reason, "by": by}
		}, writeRun)
	if what == "refuse" {
		cmd.Flags().StringVar(&reason, "reason", "", "why")
	}
	return cmd
}

func switchCommand(what, short string) *cobra.Command {
	var reason string
	cmd := changing(&cobra.Command{Use: what + " [REMEDY]", Short: short, Args: cobra.MaximumNArgs(1), Example: "  signalbox remedy " + what + " --reason \"migration of the cluster\" --by ann"},
		func(args []string, by string) (string, map[string]any) {
			return path + "/" + what, map[string]any{"remedy": strings.Join(args, ""), "reason": reason, "by": by}
		},
		func(w io.Writer, s engine.Stop) {
			subject := s.Remedy
			if subject == "" {
				subject = "all remedies"
			}
			if what == "stop" {
				fmt.Fprintf(w, "%s: stopped by %s\n", show.Printable(subject), show.Printable(s.By))
				return
			}
			fmt.Fprintf(w, "%s: started; %s had stopped it: %s\n", show.Printable(subject), show.Printable(s.By), show.Printable(s.Reason))
		})
	cmd.Flags().StringVar(&reason, "reason", "", "why; needed to stop")
	return cmd
}
