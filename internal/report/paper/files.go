package paper

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode/utf8"

	"github.com/signalbox-project/signalbox/internal/platform/sheet"
)

// ErrFormat is the error of a format that is not known.
var ErrFormat = errors.New("neither json, md, csv nor text")

// Write is a report as json, md, csv or text.
func Write(rep Report, format string) (File, error) {
	name := "signalbox-" + rep.Audience + "-" + fileKey(rep.Period)
	switch format {
	case "json":
		content, err := json.MarshalIndent(rep, "", "  ")
		return File{Name: name + ".json", ContentType: "application/json", Content: append(content, '\n')}, err
	case "md":
		return File{Name: name + ".md", ContentType: "text/markdown; charset=utf-8", Content: markdown(rep)}, nil
	case "csv":
		content, err := table(rep)
		return File{Name: name + ".csv", ContentType: "text/csv; charset=utf-8; header=present", Content: content}, err
	case "text":
		return File{Name: name + ".txt", ContentType: "text/plain; charset=utf-8", Content: text(rep)}, nil
	}
	return File{}, fmt.Errorf("format: %q is %w", format, ErrFormat)
}

// fileKey names a period in a file name: letters that no system minds.
func fileKey(p Period) string {
	if p.Start.Day() == 1 && Midnight(p.Start) && Midnight(p.End) && p.Start.AddDate(0, 1, 0).Equal(p.End) {
		return p.Start.Format("2006-01")
	}
	return p.Start.Format("20060102T1504") + "-" + p.End.Format("20060102T1504")
}

// markdown renders the report for GitHub.
func markdown(r Report) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# %s\n\n**%s**\n\n", escape(r.Title), escape(r.Summary))
	for _, l := range heading(r) {
		fmt.Fprintf(&b, "- %s\n", escape(l))
	}
	for _, s := range sections(r, true) {
		if s.title == "" {
			continue
		}
		fmt.Fprintf(&b, "\n## %s\n\n", escape(s.title))
		for _, l := range s.lines {
			if len(s.lines) > 1 {
				l = "- " + escape(l)
			} else {
				l = escape(l)
			}
			fmt.Fprintln(&b, l)
		}
		switch {
		case len(s.rows) > 0:
			if len(s.lines) > 0 {
				fmt.Fprintln(&b)
			}
			row(&b, s.header)
			fmt.Fprintf(&b, "|%s\n", strings.Repeat("---|", len(s.header)))
			for _, cells := range s.rows {
				row(&b, cells)
			}
		case s.none != "":
			fmt.Fprintln(&b, escape(s.none))
		}
	}
	return b.Bytes()
}

func row(b *bytes.Buffer, cells []string) {
	b.WriteByte('|')
	for _, c := range cells {
		fmt.Fprintf(b, " %s |", escape(c))
	}
	b.WriteByte('\n')
}

// escape makes a text one that Markdown shows as it is, on one line. Names and reasons are
// whatever people typed.
func escape(s string) string {
	s = oneLine(s)
	return strings.NewReplacer(
		`\`, `\\`, "|", `\|`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "<", "&lt;", ">", "&gt;", "&", "&amp;", "~", `\~`, "#", `\#`, "@", "&#64;",
	).Replace(s)
}

// oneLine takes line breaks and control characters out of a text.
func oneLine(s string) string {
	s = strings.ToValidUTF8(s, "�")
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return r < ' ' || r == 0x7f || r == ' ' || r == '\u2028' || r == '\u2029' || r == 0x85
	}), " ")
}

// text renders the report for a terminal.
func text(r Report) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\n", oneLine(r.Summary))
	for _, l := range heading(r) {
		fmt.Fprintln(&b, oneLine(l))
	}
	for _, s := range sections(r, false) {
		if s.title == "" || s.title == "How to read this" {
			continue // whoever sits at a terminal has --help and the documentation
		}
		fmt.Fprintf(&b, "\n%s\n", strings.ToUpper(s.title))
		for _, l := range s.lines {
			fmt.Fprintln(&b, oneLine(l))
		}
		if len(s.rows) == 0 {
			if s.none != "" {
				fmt.Fprintln(&b, s.none)
			}
			continue
		}
		var aligned bytes.Buffer
		tw := tabwriter.NewWriter(&aligned, 0, 0, 2, ' ', 0)
		for _, cells := range append([][]string{s.header}, s.rows...) {
			for i, c := range cells {
				if c = oneLine(c); utf8.RuneCountInString(c) > maxCell {
					c = string([]rune(c)[:maxCell-1]) + "…"
				}
				end := "\t"
				if i == len(cells)-1 {
					end = "\n"
				}
				fmt.Fprint(tw, c, end)
			}
		}
		_ = tw.Flush() // into memory: it cannot fail
		for line := range strings.Lines(aligned.String()) {
			fmt.Fprintln(&b, strings.TrimRight(line, " \n"))
		}
	}
	return b.Bytes()
}

// maxCell is how wide a cell may be on a terminal.
const maxCell = 100

// table is one row per SLO for spreadsheets and programs.
func table(r Report) ([]byte, error) {
	var b bytes.Buffer
	w := sheet.New(&b)
	header := []string{
		"period_start", "period_end", "time_zone", "as_of", "complete", "audience", "slo", "service", "environment", "team", "kind", "verdict",
		"objective_percent", "achieved_percent", "margin_points", "felt_percent", "unit", "good", "bad", "total", "allowed",
		"period_minutes", "allowed_minutes", "used_minutes", "left_minutes", "budget_used_percent", "up_minutes", "unknown_minutes", "excluded_minutes",
		"coverage_percent", "episodes", "downtime_episodes", "downtime_minutes", "longest_episode_minutes", "corrections", "display_name", "reason",
	}
	if err := w.Write(header...); err != nil {
		return nil, err
	}
	for _, p := range r.SLOs {
		if err := w.Write(csvRow(r, p)...); err != nil {
			return nil, err
		}
	}
	err := w.End()
	return b.Bytes(), err
}

func csvRow(r Report, p SLO) []string {
	f := p.Contract
	var felt *float64
	if felt = f.Achieved; p.Felt != nil {
		felt = p.Felt.Achieved
	}
	downtimes, down, longest := 0, 0.0, 0.0
	for _, e := range p.Episodes {
		longest = max(longest, e.Seconds/60)
		if e.Downtime && !e.Corrected {
			downtimes, down = downtimes+1, down+e.Seconds/60
		}
	}
	corrections := 0
	for _, c := range p.Corrections {
		if c.Minutes > 0 { // one that somebody deleted is named and takes out nothing
			corrections++
		}
	}
	measured := func(v float64) string {
		if f.Achieved == nil {
			return ""
		}
		return plain(v)
	}
	return []string{
		r.Period.Start.Format(time.RFC3339), r.Period.End.Format(time.RFC3339), cell(r.Period.TimeZone), r.AsOf.Format(time.RFC3339),
		strconv.FormatBool(r.Period.Complete), r.Audience, cell(p.Name), cell(p.Service), cell(p.Environment), cell(p.Team), p.Kind, string(p.Verdict),
		plain(100 * p.Objective), optional(f.Achieved, 100), optional(f.Points, 1), optional(felt, 100), p.Unit,
		measured(f.Good), measured(f.Bad), measured(f.Total), measured(f.Allowed),
		plain(r.Period.Minutes), plain(f.AllowedMinutes), measured(f.UsedMinutes), measured(f.LeftMinutes), optional(f.UsedRatio, 100),
		measured(f.UpMinutes), plain(f.UnknownMinutes), plain(f.ExcludedMinutes), plain(100 * f.Coverage),
		strconv.Itoa(len(p.Episodes)), strconv.Itoa(downtimes), plain(down), plain(longest), strconv.Itoa(corrections), cell(p.DisplayName), cell(p.Reason),
	}
}

// plain is a number as programs read it.
func plain(v float64) string { return strconv.FormatFloat(Tidy(v), 'f', -1, 64) }

func optional(v *float64, factor float64) string {
	if v == nil {
		return ""
	}
	return plain(*v * factor)
}

// cell is a text in one line.
func cell(s string) string { return oneLine(s) }
