package statuspage

import (
	"fmt"
	"net/url"

	"github.com/signalbox-project/signalbox/internal/document"
)

// Files are how files of status pages are found and read.
func Files() document.Files {
	return document.Files{What: "status page file", Setting: "status_page_files", MaxBytes: 1 << 20}
}

// Load reads files of status pages by glob patterns and answers what is usable and everything that is wrong with them.
func Load(patterns []string) ([]Page, []document.Problem) {
	return document.Build[[]Page](buildPages).Load(Files(), patterns)
}

// buildPages makes the pages of files as they were read.
func buildPages(files []document.File) (out []Page, problems []document.Problem) {
	all, problems := document.ParseNamed(files, parse, func(p Page) string { return p.Name }, func(again, first Page) document.Problem {
		return document.Problem{
			File: again.file, Line: again.line, Cure: "give one of them another name",
			Message: fmt.Sprintf("status_pages: %q stands in %s:%d already", again.Name, first.file, first.line),
		}
	})
	hosts := map[string]Page{}
	for _, p := range all {
		if len(out) == maxPages {
			return out, append(problems, document.Problem{File: p.file, Line: p.line, Message: fmt.Sprintf("there are more than %d status pages", maxPages), Cure: "take some out"})
		}
		if host := p.host(); host != "" {
			if first, taken := hosts[host]; taken {
				problems = append(problems, document.Problem{
					File: p.file, Line: p.line, Cure: "give each page a host of its own",
					Message: fmt.Sprintf("status_pages: the host %s is that of %q in %s:%d already", host, first.Name, first.file, first.line),
				})
				continue
			}
			hosts[host] = p
		}
		out = append(out, p)
	}
	return out, problems
}

// host is what requests for the page ask for; "" where it has no address of its own.
func (p *Page) host() string {
	u, err := url.Parse(p.URL)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// parse reads one file: a mapping with the list status_pages.
func parse(file string, text []byte) (out []Page, _ []document.Problem) {
	r, docs := document.Parse(file, text)
	for _, doc := range docs {
		o := doc.Object("")
		if o == nil {
			continue
		}
		for i, n := range o.List("status_pages", true) {
			p := Page{place: place{file: file, line: n.Line()}}
			p.SetDefaults()
			if n.Read(&p, fmt.Sprintf("status_pages[%d]", i), p.validate) {
				out = append(out, p)
			}
		}
		o.End()
	}
	return out, r.Problems()
}
