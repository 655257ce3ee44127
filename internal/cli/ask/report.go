package ask

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/cli/client"
	"github.com/signalbox-project/signalbox/internal/cli/command"
)

// reportCall asks a running server for an SLA report.
type reportCall struct {
	client client.Client
	params map[string]*string
	format string
	json   bool
	months int
	file   string
}

func sloReportCommand() *cobra.Command {
	r := reportCall{params: map[string]*string{}}
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Say what was promised and kept in a period",
		Long: `Writes a service level report: for customers what was promised, achieved and missed, with
breaches, corrections and trend; the internal one adds what spent the budgets, pages, deployments and
gate decisions. The same period with the same --as-of gives the same bytes.`,
		Example: `  signalbox slo report --period last-28d
  signalbox slo report --period 2026-10 --time-zone Europe/Berlin -o october.md
  signalbox slo report --period this-month --audience internal --team edge
  signalbox slo report --start 2026-10-01 --end 2026-10-15 --format csv`,
		Args: cobra.NoArgs,
		RunE: r.run,
	}
	fs := cmd.Flags()
	for _, f := range []struct{ flag, param, value, usage string }{
		{"period", "period", "", "2026-10, 2026-Q4, 2026, last-month, this-month or last-28d (default last-month)"},
		{"start", "start", "", "instead of --period: a date (midnight in --time-zone), RFC 3339, now-28d"},
		{"end", "end", "", "as --start, exclusive (default now)"},
		{"time-zone", "time_zone", "UTC", "where months and days begin, for example Europe/Berlin"},
		{"audience", "audience", "customer", "customer or internal"},
		{"slo", "slo", "", "only this SLO"},
		{"service", "service", "", "only SLOs of this service"},
		{"team", "team", "", "only SLOs with this label team"},
		{"as-of", "as_of", "", "what the report knows (default now)"},
	} {
		r.params[f.param] = fs.String(f.flag, f.value, f.usage)
	}
	fs.StringVar(&r.format, "format", "", "text, md, csv or json (default: by the name of --output, or text)")
	fs.BoolVar(&r.json, "json", false, "the same as --format json")
	fs.IntVar(&r.months, "months", 6, "periods in the trend, this one included")
	fs.StringVarP(&r.file, "output", "o", "", "write it to this file")
	r.client.Flags(fs)
	return cmd
}

func (r *reportCall) run(cmd *cobra.Command, _ []string) error {
	format, err := r.formatOf()
	if err != nil {
		return err
	}
	params := url.Values{"format": {format}, "months": {strconv.Itoa(r.months)}}
	for name, value := range r.params {
		if *value != "" {
			params.Set(name, *value)
		}
	}
	content, err := r.client.GetRaw(cmd.Context(), "/sb/v1/report", params)
	if err != nil {
		return err
	}
	if r.file == "" {
		_, err = cmd.OutOrStdout().Write(content)
		return err
	}
	if err := os.WriteFile(r.file, content, 0o644); err != nil { //nolint:gosec // a report is for others to read
		return fmt.Errorf("write report %s: %w", r.file, err)
	}
	return nil
}

// formatOf is the format asked for, or the one that the file's name has.
func (r *reportCall) formatOf() (string, error) {
	formats := []string{"text", "md", "csv", "json"}
	switch {
	case r.json:
		return "json", nil
	case r.format != "":
		if !slices.Contains(formats, r.format) {
			return "", command.Usage(fmt.Errorf("--format %q is neither text, md, csv nor json", r.format))
		}
		return r.format, nil
	}
	if ext := filepath.Ext(r.file); ext != "" && slices.Contains(formats, ext[1:]) {
		return ext[1:], nil
	}
	return "text", nil
}
