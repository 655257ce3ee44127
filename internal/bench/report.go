package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// Report is the outcome of a run.
type Report struct {
	URL     string    `json:"url"`
	PID     int       `json:"pid,omitempty"`
	Run     string    `json:"run"` // marks this run's data: label cluster, prefix of service
	Started time.Time `json:"started"`
	Rows    []Row     `json:"rows"`
}

// Row is one kind of unit. Figures that could not be measured are nil.
type Row struct {
	Name          string   `json:"name"`
	Requests      int      `json:"requests"`
	Sent          int      `json:"sent"`
	Accepted      int      `json:"accepted"`
	Queried       float64  `json:"queried,omitempty"` // for metrics of both rows together
	Verified      bool     `json:"verified"`
	Retried       int      `json:"retried"`
	Seconds       float64  `json:"seconds"`
	PerSecond     float64  `json:"per_second"`
	CPUPerMillion *float64 `json:"cpu_seconds_per_million"`
	P50           float64  `json:"p50_ms"`
	P99           float64  `json:"p99_ms"`
	Max           float64  `json:"max_ms"`
	PeakRSS       int64    `json:"peak_rss_bytes,omitempty"`
	DiskPerUnit   *float64 `json:"disk_bytes_per_unit"`
	BytesPerUnit  float64  `json:"wire_bytes_per_unit"` // uncompressed
	Problem       string   `json:"problem,omitempty"`
}

// Problems lists what did not come out as it should; empty is a clean run.
func (r *Report) Problems() []string {
	var out []string
	for _, row := range r.Rows {
		if row.Problem != "" {
			out = append(out, row.Name+": "+row.Problem)
		}
		if row.Accepted != row.Sent {
			out = append(out, fmt.Sprintf("%s: sent %d, accepted %d", row.Name, row.Sent, row.Accepted))
		}
	}
	return out
}

// WriteJSON writes the report as one JSON document.
func (r *Report) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}

// WriteTable writes the report for people.
func (r *Report) WriteTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "what\tunits\tunits/s\tCPU-s/M\tP50 ms\tP99 ms\tmax ms\tpeak RSS MB\tdisk B/unit\twire B/unit\tqueried\t")
	for _, row := range r.Rows {
		rss := "-"
		if row.PeakRSS > 0 {
			rss = fmt.Sprintf("%.0f", float64(row.PeakRSS)/1e6)
		}
		queried := "-"
		switch {
		case row.Verified:
			queried = "all"
		case row.Queried > 0:
			queried = fmt.Sprintf("%.0f", row.Queried)
		}
		fmt.Fprintf(t, "%s\t%d\t%.0f\t%s\t%.1f\t%.1f\t%.1f\t%s\t%s\t%.0f\t%s\t\n", row.Name, row.Accepted, row.PerSecond,
			figure(row.CPUPerMillion), row.P50, row.P99, row.Max, rss, figure(row.DiskPerUnit), row.BytesPerUnit, queried)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, p := range r.Problems() {
		if _, err := fmt.Fprintln(w, "PROBLEM", p); err != nil {
			return err
		}
	}
	return nil
}

func figure(v *float64) string {
	if v == nil {
		return "-"
	}
	return fmt.Sprintf("%.2f", *v)
}
