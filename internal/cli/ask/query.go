package ask

import (
	"encoding/json"
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
			var got answer[struct {
				Logs      []model.LogRecord `json:"logs"`
				Truncated bool              `json:"truncated"`
				Hints     []string          `json:"hints,omitempty"`
			}]
			params := url.Values{"q": {strings.Join(args, " ")}, "start": {t.start}, "end": {t.end}, "limit": {strconv.Itoa(limit)}}
			if err := c.Get(cmd.Context(), "/sb/v1/logs", params, &got); err != nil {
				return err
			}
			printHints(cmd, got.value.Hints)
			return o.print(cmd, got.raw, func(w io.Writer) error {
				for i := len(got.value.Logs) - 1; i >= 0; i-- {
					printLog(w, got.value.Logs[i])
				}
				if got.value.Truncated {
					fmt.Fprintf(cmd.ErrOrStderr(), "the newest %d; there are more (--limit, --start)\n", len(got.value.Logs))
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
			var got answer[traceList]
			if err := c.Get(cmd.Context(), "/sb/v1/traces", params, &got); err != nil {
				return err
			}
			printHints(cmd, got.value.Hints)
			return o.print(cmd, got.raw, got.value.write)
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
	t := show.NewTable("TRACE", "START", "DURATION", "SPANS", "ERRORS", "ROOT")
	for _, tr := range l.Traces {
		t.Row(tr.TraceID, tr.Start.Local().Format("2006-01-02 15:04:05.000"), time.Duration(tr.Duration).Round(time.Microsecond).String(),
			strconv.Itoa(tr.Spans), strconv.Itoa(tr.Errors), tr.RootService+" "+tr.RootName)
	}
	t.Write(w)
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
			var got answer[sqlAnswer]
			if err := c.PostJSON(cmd.Context(), "/sb/v1/sql", map[string]string{"query": args[0]}, &got); err != nil {
				return err
			}
			return o.print(cmd, got.raw, got.value.write)
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
	Rows      [][]json.RawMessage `json:"rows"`
	Truncated bool                `json:"truncated"`
}

func (a sqlAnswer) write(w io.Writer) error {
	var header []string
	for _, col := range a.Columns {
		header = append(header, col.Name)
	}
	t := show.NewTable(header...)
	for _, r := range a.Rows {
		cells := make([]string, len(r))
		for i, v := range r {
			cells[i] = sqlCell(v)
		}
		t.Row(cells...)
	}
	t.Write(w)
	fmt.Fprintf(w, "(%d rows", len(a.Rows))
	if a.Truncated {
		fmt.Fprint(w, ", more were cut off")
	}
	_, err := fmt.Fprintln(w, ")")
	return err
}

// sqlCell prints numbers as the server wrote them: 64 bits do not fit into a float.
func sqlCell(v json.RawMessage) string {
	if string(v) == "null" {
		return "NULL"
	}
	var text string
	if json.Unmarshal(v, &text) == nil {
		return text
	}
	return string(v)
}
