package runbook

import (
	"bytes"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/store/filter"
)

// Files are how runbooks are found and read.
func Files() document.Files {
	return document.Files{What: "runbook", Setting: "runbook_files", MaxBytes: 1 << 20}
}

// Load reads runbooks by glob patterns and answers what is usable and everything that is wrong with them.
func Load(patterns []string) ([]Runbook, []document.Problem) {
	return document.Build[[]Runbook](build).Load(Files(), patterns)
}

// build reads runbooks that may link to each other.
func build(files []document.File) (out []Runbook, problems []document.Problem) {
	out, problems = document.ParseNamed(files, parse, func(r Runbook) string { return r.Name }, func(again, first Runbook) document.Problem {
		return document.Problem{File: again.file, Line: 1, Message: fmt.Sprintf("runbook %s is in %s already", again.Name, first.file), Cure: "give the file another name"}
	})
	names := map[string]bool{}
	for _, r := range out {
		names[r.Name] = true
	}
	for _, r := range out {
		for _, l := range r.links {
			if !names[l.to] {
				problems = append(problems, document.Problem{
					File: r.file, Line: l.line, Message: fmt.Sprintf("it links to the runbook %s, which is not there", l.to),
					Cure: document.DidYouMean(l.to, slices.Sorted(maps.Keys(names))),
				})
			}
		}
	}
	slices.SortFunc(out, func(a, b Runbook) int { return strings.Compare(a.Name, b.Name) })
	return out, problems
}

// parse reads one file. One with an error is left out.
func parse(file string, text []byte) ([]Runbook, []document.Problem) {
	if bad := (document.File{Path: file, Text: text}).Unreadable(); bad != nil {
		return nil, []document.Problem{*bad}
	}
	text = bytes.ReplaceAll(bytes.TrimPrefix(text, []byte("\uFEFF")), []byte("\r\n"), []byte("\n"))
	r := Runbook{Name: strings.TrimSuffix(filepath.Base(file), ".md"), file: file}
	head, body, found := split(text)
	if !found {
		return nil, []document.Problem{{File: file, Line: 1, Message: "it has no front matter", Cure: "begin with a line ---, the keys title, severity, alerts and reviewed, and a line ---"}}
	}
	r.line = 1 + bytes.Count(text[:len(text)-len(body)], []byte("\n"))
	reader, docs := document.Parse(file, head)
	if !nameRE.MatchString(r.Name) {
		reader.Add(document.Problem{Line: 1, Message: fmt.Sprintf("the name of the file, %q, is that of the runbook: it must be small letters, digits and '-'", r.Name), Cure: "give the file another name"})
	}
	if len(docs) != 1 {
		reader.Add(document.Problem{Line: 1, Message: "the front matter is empty", Cure: "write the keys title, severity, alerts and reviewed"})
		return nil, reader.Problems()
	}
	r.SetDefaults()
	docs[0].Read(&r.Head, "", r.validate)
	p := &page{source: body, first: r.line, say: reader.Add}
	r.Blocks = p.read()
	r.links = p.links
	for _, name := range r.Related {
		r.links = append(r.links, link{name, 1})
	}
	for _, section := range missing(r.Blocks) {
		reader.Add(document.Problem{Line: r.line, Message: "the section " + section + " is missing", Cure: "write `## " + section + "` and what somebody needs to know who was woken by it"})
	}
	for _, q := range r.Queries() {
		if err := q.check(); err != nil {
			reader.Add(document.Problem{Line: q.Line, Message: fmt.Sprintf("the %s query cannot be read: %v", q.Language, err), Cure: "try it in Explore"})
		}
	}
	if reader.Errors() > 0 {
		return nil, reader.Problems()
	}
	return []Runbook{r}, reader.Problems()
}

// split takes the front matter off: head keeps the lines where they stand.
func split(text []byte) (head, body []byte, ok bool) {
	const mark = "---\n"
	if !bytes.HasPrefix(text, []byte(mark)) {
		return nil, nil, false
	}
	at := len(mark)
	for line := range bytes.Lines(text[at:]) {
		if bytes.Equal(bytes.TrimRight(line, " \n"), []byte("---")) {
			return append([]byte("\n"), text[len(mark):at]...), text[at+len(line):], true
		}
		at += len(line)
	}
	return nil, nil, false
}

// missing are the sections that a text does not have, or has without a word.
func missing(blocks []Block) (out []string) {
	for _, section := range sections() {
		i := slices.IndexFunc(blocks, func(b Block) bool {
			return b.Kind == "heading" && len(b.Spans) > 0 && strings.EqualFold(strings.TrimSpace(b.Spans[0].Text), section)
		})
		if i < 0 || i+1 == len(blocks) || blocks[i+1].Kind == "heading" && blocks[i+1].Level <= blocks[i].Level {
			out = append(out, section)
		}
	}
	return out
}

// check reads a query as its engine does.
func (q Query) check() error {
	if q.Text == "" {
		return fmt.Errorf("it is empty")
	}
	if q.Language == promql {
		_, err := parser.NewParser(parser.Options{}).ParseExpr(q.Text)
		return err
	}
	_, err := filter.Parse(q.Text)
	return err
}
