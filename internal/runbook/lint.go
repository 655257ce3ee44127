package runbook

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/platform/nearest"
)

// Alert is one that a rule or an SLO may raise.
type Alert struct {
	Name       string
	RunbookURL string // of its annotations
	File       string
	Line       int
}

// Lint finds alerts without a runbook, runbooks of alerts that nothing raises, and reviews that are overdue.
func Lint(books []Runbook, alerts []Alert, now time.Time) (problems []document.Problem) {
	var names []string
	for _, a := range alerts {
		names = append(names, a.Name)
		page, own := pageOf(a.RunbookURL)
		known := slices.ContainsFunc(books, func(b Runbook) bool { return b.Name == page })
		switch {
		case own && !known:
			problems = append(problems, document.Problem{
				File: a.File, Line: a.Line, Message: fmt.Sprintf("alert %s links to the runbook %s, which is not there", a.Name, page), Cure: "write it, or mend runbook_url",
			})
		case !own && !slices.ContainsFunc(books, func(b Runbook) bool { return b.For(a.Name) }):
			problems = append(problems, document.Problem{
				File: a.File, Line: a.Line, Message: fmt.Sprintf("alert %s has no runbook", a.Name), Cure: "name it under alerts of a runbook, or write one",
			})
		}
	}
	for _, b := range books {
		if b = b.at(now); b.Overdue {
			problems = append(problems, document.Problem{
				File: b.file, Line: 1, Message: fmt.Sprintf("its review was due on %s", b.Due), Cure: "read it, mend what is not true any more, and set reviewed", Warning: true,
			})
		}
		for _, pattern := range b.Alerts {
			one := Head{Alerts: []string{pattern}}
			if len(alerts) > 0 && !slices.ContainsFunc(names, one.For) {
				problems = append(problems, document.Problem{
					File: b.file, Line: 1, Message: fmt.Sprintf("it is for the alert %s, which nothing raises", pattern), Cure: nearCure(pattern, names), Warning: true,
				})
			}
		}
	}
	return problems
}

func nearCure(pattern string, names []string) string {
	if near := nearest.Name(pattern, names); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return "mend the name, or take it out"
}

// pageOf is the runbook of ours that a link means: its path is /runbooks/NAME of any server, or /runbooks/NAME alone.
func pageOf(link string) (name string, own bool) {
	u, err := url.Parse(link)
	if err != nil || link == "" {
		return "", false
	}
	_, name, own = strings.Cut(u.Path, "/runbooks/")
	return name, own && nameRE.MatchString(name)
}
