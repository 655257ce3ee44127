package runbook

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Runbook is what to do about some alerts.
type Runbook struct {
	Head
	Name    string  `json:"name" doc:"of its file, without .md"`
	Due     string  `json:"due" doc:"date by which it is to be reviewed"`
	Overdue bool    `json:"overdue"`
	Blocks  []Block `json:"blocks,omitempty" doc:"its text; absent in lists"`

	file  string
	line  int // where the text begins
	links []link
}

// Head is the front matter of a file.
type Head struct {
	Title       string   `yaml:"title" json:"title"`
	Severity    string   `yaml:"severity" json:"severity" enum:"P0,P1,P2,P3"` // P0 to P3: the worst that it is for
	Alerts      []string `yaml:"alerts" json:"alerts"`                        // names of alerts; * stands for any text
	Services    []string `yaml:"services" json:"services"`                    // names of services
	Reviewed    string   `yaml:"reviewed" json:"reviewed"`                    // date of the last review
	ReviewEvery int      `yaml:"review_every_days" json:"review_every_days"`  // 92 by default: a quarter
	Related     []string `yaml:"related" json:"related,omitempty"`            // names of other runbooks
}

// SetDefaults is document's.
func (h *Head) SetDefaults() { h.ReviewEvery = 92 }

// Block is a part of the text, as it is shown.
type Block struct {
	Kind     string     `json:"kind" enum:"heading,paragraph,list,code,query,quote,table,rule"`
	Level    int        `json:"level,omitempty" doc:"of a heading"`
	Ordered  bool       `json:"ordered,omitempty" doc:"of a list"`
	Language string     `json:"language,omitempty" doc:"of code; of a query promql, logs or traces"`
	Text     string     `json:"text,omitempty" doc:"of code and queries"`
	Spans    []Span     `json:"spans,omitempty" doc:"of headings and paragraphs"`
	Items    [][]Block  `json:"items,omitempty" doc:"of lists, and of quotes one"`
	Rows     [][][]Span `json:"rows,omitempty" doc:"of tables, the heading first"`
	line     int
}

// Span is text of one kind.
type Span struct {
	Text   string `json:"text"`
	Code   bool   `json:"code,omitempty"`
	Strong bool   `json:"strong,omitempty"`
	Em     bool   `json:"em,omitempty"`
	Href   string `json:"href,omitempty" doc:"a page of the web, or a path of this server"`
}

// link is one that stands in a text.
type link struct {
	to   string
	line int
}

// Query languages, as fenced blocks name them.
const (
	promql = "promql"
	logs   = "logs"
	traces = "traces"
)

// Query is one that stands in a runbook.
type Query struct {
	Language, Text string
	Line           int
}

// Sections that a runbook needs.
func sections() []string {
	return []string{"Symptoms", "Cause", "Steps", "Verification", "Prevention", "Escalation"}
}

var (
	nameRE     = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)
	severityRE = regexp.MustCompile(`^P[0-3]$`)
)

const maxReviewDays = 3660

// validate lists what is wrong; each message begins with the field.
func (h *Head) validate() (errs []error) {
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if strings.TrimSpace(h.Title) == "" {
		bad("title: is missing")
	}
	if !severityRE.MatchString(h.Severity) {
		bad("severity: must be P0, P1, P2 or P3, got %q", h.Severity)
	}
	if len(h.Alerts) == 0 && len(h.Services) == 0 {
		bad("alerts: name the alerts or the services that it is for")
	}
	for i, a := range h.Alerts {
		if _, err := path.Match(a, ""); err != nil || strings.TrimSpace(a) == "" {
			bad("alerts[%d]: is no name of an alert, got %q", i, a)
		}
	}
	if _, err := time.Parse(time.DateOnly, h.Reviewed); err != nil {
		bad("reviewed: must be the date of the last review, such as 2026-11-30, got %q", h.Reviewed)
	}
	if h.ReviewEvery < 1 || h.ReviewEvery > maxReviewDays {
		bad("review_every_days: must be 1 to %d, got %d", maxReviewDays, h.ReviewEvery)
	}
	return errs
}

// For reports whether a runbook is for an alert.
func (h Head) For(alert string) bool {
	return alert != "" && slices.ContainsFunc(h.Alerts, func(pattern string) bool {
		ok, err := path.Match(pattern, alert)
		return ok && err == nil
	})
}

// at fills in what depends on the day.
func (r Runbook) at(now time.Time) Runbook {
	if reviewed, err := time.Parse(time.DateOnly, r.Reviewed); err == nil {
		due := reviewed.AddDate(0, 0, r.ReviewEvery)
		r.Due, r.Overdue = due.Format(time.DateOnly), now.UTC().After(due.AddDate(0, 0, 1))
	}
	return r
}

// Path is the file that a runbook was read from.
func (r Runbook) Path() string { return r.file }

// Queries are all that stand in a runbook, in order.
func (r Runbook) Queries() []Query { return queries(r.Blocks) }

func queries(blocks []Block) (out []Query) {
	for _, b := range blocks {
		if b.Kind == "query" {
			out = append(out, Query{b.Language, b.Text, b.line})
		}
		for _, item := range b.Items {
			out = append(out, queries(item)...)
		}
	}
	return out
}
