package ask

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/url"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/cli/client"
	"github.com/signalbox-project/signalbox/internal/cli/show"
	"github.com/signalbox-project/signalbox/internal/forecast"
	"github.com/signalbox-project/signalbox/internal/platform/human"
)

// RulesPools shows the pools that run out, and writes rules for them.
func RulesPools() *cobra.Command {
	var c client.Client
	var write bool
	cmd := &cobra.Command{
		Use:   "pools",
		Short: "Which pools there are, how long they last, and rules that tell in time",
		Long: `Asks a running server for its metrics and pairs those that say how much of something is used with those
that say how much there is: disks, connections, file descriptors, quotas, ports, by a table of what exporters publish and, for
others, by their names. It shows how full the fullest of each is and how long it lasts, as it has been filling for an hour, and what
found no partner. With --write it writes a rule file of them: hours left, and 80 % used.`,
		Example: `  signalbox rules pools
  signalbox rules pools --write > pools.yml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			list, alone, err := findPools(cmd.Context(), &c)
			if err != nil {
				return err
			}
			if write {
				var pairs []forecast.Pair
				for _, p := range list {
					if p.wrong == "" {
						pairs = append(pairs, p.Pair)
					}
				}
				_, err = io.WriteString(cmd.OutOrStdout(), forecast.Rules(pairs))
				return err
			}
			writePools(cmd.OutOrStdout(), list, alone)
			return nil
		},
	}
	cmd.Flags().BoolVar(&write, "write", false, "write a rule file for them")
	c.Flags(cmd.Flags())
	return cmd
}

// pool is a pair and what the data say of it.
type pool struct {
	forecast.Pair
	series int
	most   float64 // the share used of the fullest
	hours  float64 // of the one that ends first; +Inf if none fills, NaN if that is not known
	wrong  string  // why it is none
}

func findPools(ctx context.Context, c *client.Client) ([]pool, []string, error) {
	var names struct{ Data []string }
	if err := c.Get(ctx, "/api/v1/label/__name__/values", nil, &names); err != nil {
		return nil, nil, err
	}
	pairs, alone := forecast.Find(names.Data)
	out := make([]pool, 0, len(pairs))
	for _, pair := range pairs {
		p := pool{Pair: pair, hours: math.Inf(1)}
		ratios, err := instant(ctx, c, pair.Ratio())
		for _, v := range ratios {
			p.most = max(p.most, v)
		}
		p.series = len(ratios)
		switch {
		case err != nil: // one pair that cannot be asked for hides no other
			p.wrong = err.Error()
		case p.series == 0:
			p.wrong = "no series of both have the same labels, or there is no limit"
		case p.most > 1.02:
			p.wrong = "more is used than there is: these are no pair"
		default:
			hours, err := instant(ctx, c, pair.HoursLeft(forecast.LastHour))
			if err != nil {
				p.wrong = err.Error()
			}
			for _, v := range hours {
				p.hours = min(p.hours, v)
			}
			if known, err := instant(ctx, c, pair.Known(forecast.LastHour)); err == nil && len(known) == 0 {
				p.hours = math.NaN()
			}
		}
		out = append(out, p)
	}
	return out, alone, nil
}

// instant are the values of a query now.
func instant(ctx context.Context, c *client.Client, query string) ([]float64, error) {
	var got struct {
		Data struct {
			Result []struct{ Value [2]any }
		}
	}
	if err := c.Get(ctx, "/api/v1/query", url.Values{"query": {query}}, &got); err != nil {
		return nil, err
	}
	var out []float64
	for _, r := range got.Data.Result {
		if text, ok := r.Value[1].(string); ok {
			if v, err := strconv.ParseFloat(text, 64); err == nil && !math.IsNaN(v) {
				out = append(out, v)
			}
		}
	}
	return out, nil
}

func writePools(w io.Writer, list []pool, alone []string) {
	if len(list) == 0 {
		fmt.Fprintln(w, "No metric that says how much of something is used has a partner that says how much there is.")
	}
	t := show.NewTable("POOL", "SERIES", "FULLEST", "HOURS LEFT", "USED", "LIMIT")
	for _, p := range list {
		if p.wrong != "" {
			continue
		}
		hours := "does not fill"
		switch {
		case math.IsNaN(p.hours):
			hours = "too little data"
		case !math.IsInf(p.hours, 1):
			hours = human.Number(p.hours)
		}
		t.Row(p.Pool, strconv.Itoa(p.series), human.Percent(p.most), hours, p.Used, p.Limit)
	}
	if len(list) > 0 {
		t.Write(w)
	}
	for _, p := range list {
		if p.wrong != "" {
			fmt.Fprintf(w, "not a pool: %s and %s: %s\n", p.Used, p.Limit, p.wrong)
		}
	}
	for _, n := range alone {
		fmt.Fprintf(w, "no limit found: %s\n", n)
	}
}
