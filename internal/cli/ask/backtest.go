package ask

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/signalbox-project/signalbox/internal/backtest"
	"github.com/signalbox-project/signalbox/internal/cli/client"
	"github.com/signalbox-project/signalbox/internal/cli/command"
	"github.com/signalbox-project/signalbox/internal/cli/show"
	"github.com/signalbox-project/signalbox/internal/platform/human"
)

// Replay is what a backtest is of; times as the server reads them, such as now-28d.
type Replay struct {
	Set     backtest.Set  `json:"set"`
	Compare *backtest.Set `json:"compare,omitempty"`
	Start   string        `json:"start"`
	End     string        `json:"end"`
	Step    string        `json:"step"`
}

// Backtest asks a running server for a backtest and waits for it.
type Backtest struct {
	Replay
	client client.Client
	output output
}

// Flags are those of every command that asks for a backtest.
func (b *Backtest) Flags(fs *pflag.FlagSet) {
	fs.StringVar(&b.Step, "step", "1m", "resolution, whole minutes")
	b.client.Flags(fs)
	b.output.flags(fs)
}

func sloBacktestCommand() *cobra.Command {
	var b Backtest
	var slos, policies, rules, compare, comparePolicies, compareRules []string
	cmd := &cobra.Command{
		Use:   "backtest",
		Short: "Replay SLOs, rules and gate policies over stored history",
		Long: `Says how many pages there would have been, when, to whom and for how long, what would have been
used of each budget, and what the gate would have said to each deployment. Without files it
replays what is in force. Nothing is sent and nothing is stored.`,
		Example: `  signalbox slo backtest
  signalbox slo backtest --slo-files 'examples/broker/slos/*.yaml' --start now-2d --step 5m
  signalbox slo backtest --slo-files 'slos/*.yaml' --compare 'stricter/*.yaml'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if b.Set, err = ReadSet(slos, policies, rules); err != nil {
				return err
			}
			if len(compare)+len(comparePolicies)+len(compareRules) > 0 {
				other, err := ReadSet(compare, comparePolicies, compareRules)
				if err != nil {
					return err
				}
				b.Compare = &other
			}
			return b.Run(cmd)
		},
	}
	fs := cmd.Flags()
	fs.StringSliceVar(&slos, "slo-files", nil, "OpenSLO files (default: the SLOs in force)")
	fs.StringSliceVar(&policies, "policy-files", nil, "gate policies (default: those in force)")
	fs.StringSliceVar(&rules, "rules", nil, "Prometheus rule files")
	fs.StringSliceVar(&compare, "compare", nil, "OpenSLO files to compare with")
	fs.StringSliceVar(&comparePolicies, "compare-policies", nil, "gate policies to compare with")
	fs.StringSliceVar(&compareRules, "compare-rules", nil, "Prometheus rule files to compare with")
	fs.StringVar(&b.Start, "start", "now-28d", "begin")
	fs.StringVar(&b.End, "end", "now", "end")
	b.Flags(fs)
	return cmd
}

// ReadSet reads the files that patterns name.
func ReadSet(slos, policies, rules []string) (set backtest.Set, err error) {
	for _, part := range []struct {
		patterns []string
		to       *[]backtest.Document
	}{{slos, &set.SLOs}, {policies, &set.Policies}, {rules, &set.Rules}} {
		files, err := command.Expand(part.patterns)
		if err != nil {
			return set, err
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				return set, fmt.Errorf("read %s: %w", file, err)
			}
			*part.to = append(*part.to, backtest.Document{Name: file, Text: string(text)})
		}
	}
	return set, nil
}

// backtestJob is a job whose result is kept as it came.
type backtestJob struct {
	backtest.Job
	Result answer[backtest.Result] `json:"result"`
}

// pollEvery is how often a job is asked how far it is.
const pollEvery = 300 * time.Millisecond

// Run asks, shows how far the server is, and prints what it answers.
func (b *Backtest) Run(cmd *cobra.Command) error {
	ctx := cmd.Context()
	var job backtestJob
	if err := b.client.PostJSON(ctx, "/sb/v1/backtest", b.Replay, &job); err != nil {
		return err
	}
	path := "/sb/v1/backtest/" + url.PathEscape(job.ID)
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for job.State == backtest.Running {
		if !b.output.json {
			fmt.Fprintf(cmd.ErrOrStderr(), "\r%3.0f %%", 100*job.Progress)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			// Interrupted: the server need not go on.
			late, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
			defer cancel()
			return errors.Join(ctx.Err(), b.client.Delete(late, path, nil, &job))
		}
		if err := b.client.Get(ctx, path, nil, &job); err != nil {
			return err
		}
	}
	if !b.output.json {
		fmt.Fprint(cmd.ErrOrStderr(), "\r     \r")
	}
	if job.State != backtest.Done {
		return fmt.Errorf("the backtest is %s: %s", job.State, job.Error)
	}
	return b.output.print(cmd, job.Result.raw, func(w io.Writer) error { return printBacktest(w, job.Result.value) })
}

const clock = "2006-01-02 15:04"

func printBacktest(w io.Writer, r backtest.Result) error {
	fmt.Fprintf(w, "%s to %s UTC, every %s\n%s\n", r.Start.UTC().Format(clock), r.End.UTC().Format(clock), r.Step, r.Summary)
	for _, s := range r.Sets {
		if len(r.Sets) > 1 {
			fmt.Fprintf(w, "\n%s\n", s.Name)
		}
		printPages(w, s.Pages)
		printSLOs(w, s.SLOs)
		printDeploys(w, s.Deploys)
	}
	if len(r.Difference) > 0 {
		fmt.Fprintln(w)
		t := show.NewTable("WHAT", "A", "B", "DIFFERENCE")
		for _, d := range r.Difference {
			t.Row(d.What, amount(d.A, d.Unit), amount(d.B, d.Unit), amount(d.Difference, d.Unit))
		}
		t.Write(w)
	}
	for _, n := range r.Notes {
		fmt.Fprintf(w, "\nnote: %s\n", n)
	}
	return nil
}

func amount(v float64, unit string) string {
	switch unit {
	case "s":
		text := human.Duration(time.Duration(max(v, -v) * float64(time.Second)))
		if v < 0 {
			text = "-" + text
		}
		return text
	case "%":
		return human.Number(v) + " %"
	}
	return human.Number(v)
}

func lasted(seconds float64) string {
	return human.Duration(time.Duration(seconds * float64(time.Second)))
}

func printPages(w io.Writer, pages []backtest.Page) {
	if len(pages) == 0 {
		return
	}
	t := show.NewTable("NOTIFIED", "SEVERITY", "RECEIVER", "LASTED", "ALERTS")
	for _, p := range pages {
		long := lasted(p.Seconds)
		if p.End == nil {
			long += " (goes on)"
		}
		t.Row(p.Start.UTC().Format(clock), p.Severity, p.Receiver, long, strings.Join(p.Alerts, ", "))
	}
	fmt.Fprintln(w)
	t.Write(w)
}

func printSLOs(w io.Writer, slos []backtest.SLO) {
	if len(slos) == 0 {
		return
	}
	t := show.NewTable("SLO", "USED AT START", "AT END", "AT WORST", "ALERTS", "TIME IN BANDS")
	for _, p := range slos {
		var bands []string
		for _, b := range p.Bands {
			if b.Seconds > 0 {
				bands = append(bands, b.Name+" "+lasted(b.Seconds))
			}
		}
		if p.Unknown > 0 {
			bands = append(bands, "unknown "+lasted(p.Unknown))
		}
		t.Row(p.Name, share(p.UsedAtStart), share(p.UsedAtEnd), share(p.WorstUsed), fmt.Sprint(p.Alerts), strings.Join(bands, ", "))
	}
	fmt.Fprintln(w)
	t.Write(w)
}

func share(v *float64) string {
	if v == nil {
		return "-"
	}
	return human.Percent(*v)
}

func printDeploys(w io.Writer, deploys []backtest.Deploy) {
	if len(deploys) == 0 {
		return
	}
	t := show.NewTable("DEPLOYED", "SERVICE", "VERSION", "VERDICT", "WHY")
	for _, d := range deploys {
		t.Row(d.Deploy.Time.UTC().Format(clock), d.Deploy.Service, d.Deploy.Version, string(d.Verdict), d.Summary)
	}
	fmt.Fprintln(w)
	t.Write(w)
}
