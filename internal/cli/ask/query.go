package ask

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/cli/client"
	"github.com/signalbox-project/signalbox/internal/cli/command"
	"github.com/signalbox-project/signalbox/internal/model"
)

// Query searches what is stored.
func Query() *cobra.Command {
	return command.Group(&cobra.Command{
		Use:   "query",
		Short: "Query metrics (PromQL), logs, traces and SQL",
	}, queryPromQLCommand(), queryLogsCommand(), queryTracesCommand(), querySQLCommand())
}

// span of time flags shared by searches.
type timeFlags struct{ start, end string }

func (t *timeFlags) add(cmd *cobra.Command, start string) {
	cmd.Flags().StringVar(&t.start, "start", start, "from: RFC 3339, Unix seconds or relative like now-1h")
	cmd.Flags().StringVar(&t.end, "end", "now", "until")
}

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
			var answer promAnswer
			if err := c.PostForm(cmd.Context(), "/api/v1/query", params, &answer); err != nil {
				return err
			}
			return o.print(cmd, answer, answer.write)
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
	var series []struct {
		Metric map[string]string `json:"metric"`
		Value  [2]any            `json:"value"`
		Values [][2]any          `json:"values"`
	}
	if err := json.Unmarshal(a.Data.Result, &series); err != nil {
		return fmt.Errorf("read result: %w", err)
	}
	if len(series) == 0 {
		_, err := fmt.Fprintln(w, "no series")
		return err
	}
	for _, s := range series {
		if s.Values == nil {
			fmt.Fprintf(w, "%s  %v\n", seriesName(s.Metric), s.Value[1])
			continue
		}
		fmt.Fprintln(w, seriesName(s.Metric))
		for _, v := range s.Values {
			seconds, _ := v[0].(float64)
			fmt.Fprintf(w, "  %s  %v\n", time.UnixMilli(int64(seconds*1e3)).UTC().Format(time.RFC3339), v[1])
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

func queryLogsCommand() *cobra.Command {
	var c client.Client
	var o output
	var t timeFlags
	var limit int
	cmd := &cobra.Command{
		Use:   "logs [FILTER]",
		Short: "Search logs, newest last",
		Example: `  signalbox query logs 'service:edge level:>=warn "connection reset"' --start now-15m
  signalbox query logs trace_id:4bf92f3577b34da6a3ce929d0e0e4736`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var answer struct {
				Logs      []model.LogRecord `json:"logs"`
				Truncated bool              `json:"truncated"`
				Hints     []string          `json:"hints,omitempty"`
			}
			params := url.Values{"q": {strings.Join(args, " ")}, "start": {t.start}, "end": {t.end}, "limit": {strconv.Itoa(limit)}}
			if err := c.Get(cmd.Context(), "/sb/v1/logs", params, &answer); err != nil {
				return err
			}
			printHints(cmd, answer.Hints)
			return o.print(cmd, answer, func(w io.Writer) error {
				for i := len(answer.Logs) - 1; i >= 0; i-- {
					printLog(w, answer.Logs[i])
				}
				if answer.Truncated {
					fmt.Fprintf(cmd.ErrOrStderr(), "the newest %d; there are more (--limit, --start)\n", len(answer.Logs))
				}
				return nil
			})
		},
	}
	cmd.Flags().IntVar(&limit, "limit", 100, "at most so many records")
	t.add(cmd, "now-1h")
	c.Flags(cmd.Flags())
	o.flags(cmd.Flags())
	return cmd
}

// printHints says why nothing was found, beside the answer.
func printHints(cmd *cobra.Command, hints []string) {
	for _, h := range hints {
		fmt.Fprintln(cmd.ErrOrStderr(), "hint:", h)
	}
}

func printLog(w io.Writer, r model.LogRecord) {
	fmt.Fprintf(w, "%s %-5s %s %s", time.Unix(0, r.Time).Local().Format("2006-01-02 15:04:05.000"), r.Level, r.Resource.Service, r.Message)
	for _, a := range r.Attrs {
		fmt.Fprintf(w, " %s=%s", a.Key, a.Value)
	}
	if !r.TraceID.IsZero() {
		fmt.Fprintf(w, " trace_id=%s", r.TraceID)
	}
	fmt.Fprintln(w)
}

func queryTracesCommand() *cobra.Command {
	var c client.Client
	var o output
	var t timeFlags
	var limit int
	var slowest bool
	cmd := &cobra.Command{
		Use:     "traces [FILTER]",
		Short:   "Search traces",
		Example: `  signalbox query traces 'service:edge status:error duration:>300ms' --slowest`,
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			params := url.Values{"q": {strings.Join(args, " ")}, "start": {t.start}, "end": {t.end}, "limit": {strconv.Itoa(limit)}}
			if slowest {
				params.Set("order", "slowest")
			}
			var answer traceList
			if err := c.Get(cmd.Context(), "/sb/v1/traces", params, &answer); err != nil {
				return err
			}
			printHints(cmd, answer.Hints)
			return o.print(cmd, answer, answer.write)
		},
	}
	cmd.Flags().IntVar(&limit, "limit", 20, "at most so many traces")
	cmd.Flags().BoolVar(&slowest, "slowest", false, "slowest first instead of newest first")
	t.add(cmd, "now-1h")
	c.Flags(cmd.Flags())
	o.flags(cmd.Flags())
	return cmd
}

type traceList struct {
	Hints  []string `json:"hints,omitempty"`
	Traces []struct {
		TraceID     string    `json:"trace_id"`
		RootService string    `json:"root_service"`
		RootName    string    `json:"root_name"`
		Start       time.Time `json:"start"`
		Duration    int64     `json:"duration_ns"`
		Spans       int       `json:"spans"`
		Errors      int       `json:"errors"`
	} `json:"traces"`
}

func (l traceList) write(w io.Writer) error {
	if len(l.Traces) == 0 {
		_, err := fmt.Fprintln(w, "no traces")
		return err
	}
	t := newTable("TRACE", "START", "DURATION", "SPANS", "ERRORS", "ROOT")
	for _, tr := range l.Traces {
		t.row(tr.TraceID, tr.Start.Local().Format("2006-01-02 15:04:05.000"), time.Duration(tr.Duration).Round(time.Microsecond).String(),
			strconv.Itoa(tr.Spans), strconv.Itoa(tr.Errors), tr.RootService+" "+tr.RootName)
	}
	t.write(w)
	return nil
}

func querySQLCommand() *cobra.Command {
	var c client.Client
	var o output
	cmd := &cobra.Command{
		Use:     "sql QUERY",
		Short:   "Run read-only SQL over logs, spans and our own state",
		Example: `  signalbox query sql "SELECT service, count(*) FROM logs WHERE level = 'error' GROUP BY ALL ORDER BY 2 DESC"`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var answer sqlAnswer
			if err := c.PostJSON(cmd.Context(), "/sb/v1/sql", map[string]string{"query": args[0]}, &answer); err != nil {
				return err
			}
			return o.print(cmd, answer, answer.write)
		},
	}
	c.Flags(cmd.Flags())
	o.flags(cmd.Flags())
	return cmd
}

type sqlAnswer struct {
	Columns []struct {
		Name string `json:"name"`
		Type string `json:"type"`
	} `json:"columns"`
	Rows      [][]any `json:"rows"`
	Truncated bool    `json:"truncated"`
}

func (a sqlAnswer) write(w io.Writer) error {
	var header []string
	for _, col := range a.Columns {
		header = append(header, col.Name)
	}
	t := newTable(header...)
	for _, r := range a.Rows {
		cells := make([]string, len(r))
		for i, v := range r {
			cells[i] = sqlCell(v)
		}
		t.row(cells...)
	}
	t.write(w)
	fmt.Fprintf(w, "(%d rows", len(a.Rows))
	if a.Truncated {
		fmt.Fprint(w, ", more were cut off")
	}
	_, err := fmt.Fprintln(w, ")")
	return err
}

func sqlCell(v any) string {
	switch v := v.(type) {
	case nil:
		return "NULL"
	case string:
		return v
	}
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(text)
}
