package ask

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"sort"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/cli/client"
)

func queryPromQLCommand() *cobra.Command {
	var c client.Client
	var o output
	var at string
	cmd := &cobra.Command{
		Use:     "promql EXPRESSION",
		Short:   "Evaluate a PromQL expression at one moment",
		Example: `  signalbox query promql 'sum by (service) (rate(signalbox_span_duration_seconds_count[5m]))'`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			params := url.Values{"query": {args[0]}}
			if at != "" {
				params.Set("time", at)
			}
			var got answer[promAnswer]
			if err := c.PostForm(cmd.Context(), "/api/v1/query", params, &got); err != nil {
				return err
			}
			return o.print(cmd, got.raw, got.value.write)
		},
	}
	cmd.Flags().StringVar(&at, "time", "", "evaluate at this time: RFC 3339 or Unix seconds (default now)")
	c.Flags(cmd.Flags())
	o.flags(cmd.Flags())
	return cmd
}

// promAnswer is Prometheus' answer to an instant query.
type promAnswer struct {
	Status string `json:"status"`
	Data   struct {
		ResultType string          `json:"resultType"`
		Result     json.RawMessage `json:"result"`
	} `json:"data"`
	Warnings []string `json:"warnings,omitempty"`
	Infos    []string `json:"infos,omitempty"`
}

func (a promAnswer) write(w io.Writer) error {
	for _, warning := range a.Warnings {
		fmt.Fprintln(w, "warning:", warning)
	}
	if a.Data.ResultType == "scalar" || a.Data.ResultType == "string" {
		var v [2]any
		if err := json.Unmarshal(a.Data.Result, &v); err != nil {
			return fmt.Errorf("read result: %w", err)
		}
		_, err := fmt.Fprintln(w, v[1])
		return err
	}
	var all []series
	if err := json.Unmarshal(a.Data.Result, &all); err != nil {
		return fmt.Errorf("read result: %w", err)
	}
	if len(all) == 0 {
		_, err := fmt.Fprintln(w, "no series")
		return err
	}
	for _, s := range all {
		if a.Data.ResultType == "vector" {
			fmt.Fprintf(w, "%s  %s\n", seriesName(s.Metric), s.sample())
			continue
		}
		fmt.Fprintln(w, seriesName(s.Metric))
		for _, p := range s.Values {
			fmt.Fprintf(w, "  %s  %s\n", p.time(), p.Value)
		}
		for _, p := range s.Histograms {
			fmt.Fprintf(w, "  %s  %s\n", p.time(), p.Value)
		}
	}
	return nil
}

func seriesName(labels map[string]string) string {
	var parts []string
	for k, v := range labels {
		if k != "__name__" {
			parts = append(parts, k+"="+strconv.Quote(v))
		}
	}
	sort.Strings(parts)
	return labels["__name__"] + "{" + strings.Join(parts, ", ") + "}"
}
