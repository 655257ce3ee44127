package runbook

import (
	"bytes"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	east "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"

	"github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/platform/weblink"
)

// maxDepth bounds lists in lists.
const maxDepth = 12

// page reads the text of one file into blocks.
type page struct {
	source []byte
	first  int // line of the file on which the source begins
	links  []link
	say    func(document.Problem)
}

func (p *page) read() []Block {
	root := goldmark.New(goldmark.WithExtensions(extension.Table)).Parser().Parse(text.NewReader(p.source))
	return p.blocks(root, 0)
}

// line is where a node stands in the file.
func (p *page) line(n ast.Node) int {
	for at := n; at != nil; at = at.FirstChild() {
		if at.Type() == ast.TypeBlock && at.Lines().Len() > 0 {
			return p.first + bytes.Count(p.source[:at.Lines().At(0).Start], []byte("\n"))
		}
		if t, ok := at.(*ast.Text); ok {
			return p.first + bytes.Count(p.source[:t.Segment.Start], []byte("\n"))
		}
	}
	if n.Parent() != nil && n.Type() == ast.TypeInline {
		return p.line(n.Parent())
	}
	return p.first
}

func (p *page) blocks(parent ast.Node, depth int) []Block {
	out := []Block{}
	if depth > maxDepth {
		p.say(document.Problem{Line: p.line(parent), Message: "it is nested too deep", Cure: "write it flatter"})
		return out
	}
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		if b, ok := p.block(n, depth); ok {
			out = append(out, b)
		}
	}
	return out
}

func (p *page) block(n ast.Node, depth int) (Block, bool) {
	b := Block{line: p.line(n)}
	switch n := n.(type) {
	case *ast.Heading:
		b.Kind, b.Level, b.Spans = "heading", n.Level, p.spans(n, Span{})
	case *ast.Paragraph, *ast.TextBlock:
		b.Kind, b.Spans = "paragraph", p.spans(n, Span{})
	case *ast.List:
		b.Kind, b.Ordered = "list", n.IsOrdered()
		for item := n.FirstChild(); item != nil; item = item.NextSibling() {
			b.Items = append(b.Items, p.blocks(item, depth+1))
		}
	case *ast.Blockquote:
		b.Kind, b.Items = "quote", [][]Block{p.blocks(n, depth+1)}
	case *ast.FencedCodeBlock:
		b.Kind, b.Language, b.Text = "code", string(n.Language(p.source)), p.lines(n)
		switch b.Language {
		case promql, logs, traces:
			b.Kind, b.Text = "query", strings.TrimSpace(b.Text)
		}
	case *ast.CodeBlock:
		b.Kind, b.Text = "code", p.lines(n)
	case *ast.ThematicBreak:
		b.Kind = "rule"
	case *east.Table:
		b.Kind = "table"
		for row := n.FirstChild(); row != nil; row = row.NextSibling() {
			cells := [][]Span{}
			for cell := row.FirstChild(); cell != nil; cell = cell.NextSibling() {
				cells = append(cells, p.spans(cell, Span{}))
			}
			b.Rows = append(b.Rows, cells)
		}
	case *ast.HTMLBlock:
		p.say(document.Problem{Line: b.line, Message: "HTML is not shown", Cure: "write it in Markdown, or as code"})
		return b, false
	default:
		return b, false
	}
	return b, true
}

func (p *page) lines(n ast.Node) string {
	return string(n.Lines().Value(p.source))
}

// spans are the pieces of a text, each with all that holds for it.
func (p *page) spans(parent ast.Node, as Span) (out []Span) {
	add := func(text string, s Span) {
		if text == "" {
			return
		}
		s.Text = text
		if last := len(out) - 1; last >= 0 {
			if merged := out[last]; merged.Code == s.Code && merged.Strong == s.Strong && merged.Em == s.Em && merged.Href == s.Href {
				out[last].Text += text
				return
			}
		}
		out = append(out, s)
	}
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		s := as
		switch n := n.(type) {
		case *ast.Text:
			add(string(n.Segment.Value(p.source)), s)
			if n.SoftLineBreak() || n.HardLineBreak() {
				add(" ", s)
			}
		case *ast.String:
			add(string(n.Value), s)
		case *ast.CodeSpan:
			s.Code = true
			for _, one := range p.spans(n, s) {
				add(one.Text, s)
			}
		case *ast.Emphasis:
			s.Strong, s.Em = s.Strong || n.Level == 2, s.Em || n.Level == 1
			for _, one := range p.spans(n, s) {
				add(one.Text, one)
			}
		case *ast.Link:
			s.Href = p.href(n, string(n.Destination))
			for _, one := range p.spans(n, s) {
				add(one.Text, one)
			}
		case *ast.AutoLink:
			s.Href = p.href(n, string(n.URL(p.source)))
			add(string(n.Label(p.source)), s)
		case *ast.Image:
			p.say(document.Problem{Line: p.line(n), Message: "pictures are not shown", Cure: "link to it"})
		case *ast.RawHTML:
			p.say(document.Problem{Line: p.line(n), Message: "HTML is not shown", Cure: "write it in Markdown, or as code"})
		}
	}
	return out
}

// href is a link that may be followed: to a page of the web, to another runbook, or to a place of this server.
func (p *page) href(n ast.Node, to string) string {
	at := p.line(n)
	switch name, isFile := strings.CutSuffix(to, ".md"); {
	case weblink.Check(to) == nil:
		return to
	case isFile && nameRE.MatchString(name):
		p.links = append(p.links, link{name, at})
		return "/runbooks/" + name
	case strings.HasPrefix(to, "/") && !strings.HasPrefix(to, "//") && weblink.Check("http://host"+to) == nil:
		if name, is := strings.CutPrefix(to, "/runbooks/"); is {
			p.links = append(p.links, link{name, at})
		}
		return to
	}
	p.say(document.Problem{Line: at, Message: "a link leads nowhere that is allowed", Cure: "begin it with http:// or https://, with / for a page of this server, or write the name.md of another runbook"})
	return ""
}
