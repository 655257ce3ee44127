package document

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// parseText turns text into YAML documents. Where one document cannot be read
// the others still are, so that one look at the file shows all that is wrong with it.
func parseText(file string, text []byte) (docs []*ast.DocumentNode, problems []Problem) {
	if p := (File{file, text}).Unreadable(); p != nil {
		return nil, []Problem{*p}
	}
	// Either end of a line means the same to YAML; the library counts a comment's \r\n as two lines.
	text = withoutEmpty(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")))
	tree, err := parseYAML(text)
	if err == nil {
		return tree.Docs, nil
	}
	parts := split(text)
	if len(parts) == 1 {
		return nil, []Problem{syntaxProblem(file, text, err)}
	}
	for _, part := range parts {
		one, err := parseYAML(part)
		if err != nil {
			problems = append(problems, syntaxProblem(file, part, err))
			continue
		}
		docs = append(docs, one.Docs...)
	}
	return docs, problems
}

// withoutEmpty makes comments of the `---` lines that begin documents without anything in them: the
// library ends at the first such document, and those after it would be lost without a word. A comment
// leaves lines and columns as they are, and ends a text above it as the marker did.
func withoutEmpty(text []byte) []byte {
	var out []byte
	empty, at := -1, 0 // where the document that holds nothing so far begins
	for l := range bytes.Lines(text) {
		content := bytes.TrimSpace(l)
		if rest, begins := bytes.CutPrefix(l, []byte("---")); begins && (len(rest) == 0 || bytes.IndexByte([]byte(" \t\r\n"), rest[0]) >= 0) {
			if empty >= 0 {
				if out == nil {
					out = bytes.Clone(text)
				}
				out[empty] = '#'
			}
			empty, content = at, bytes.TrimSpace(rest)
		}
		if len(content) > 0 && content[0] != '#' {
			empty = -1
		}
		at += len(l)
	}
	if out == nil {
		return text
	}
	return out
}

// notUTF8 is the line of the first byte that is no UTF-8, 0 when all is.
func notUTF8(text []byte) int {
	// A zero byte is UTF-8, and what other encodings than UTF-8 are full of.
	for at := 0; at < len(text); {
		r, size := utf8.DecodeRune(text[at:])
		if r == utf8.RuneError && size == 1 || r == 0 {
			return 1 + bytes.Count(text[:at], []byte("\n"))
		}
		at += size
	}
	return 0
}

// split cuts a file into its documents. Each is preceded by as many empty lines
// as the file has before it, so that line numbers stay those of the file.
func split(text []byte) (parts [][]byte) {
	var part []byte
	line := 0
	for l := range bytes.Lines(text) {
		line++
		if bare := bytes.TrimRight(l, " \t\r\n"); bytes.Equal(bare, []byte("---")) && len(bytes.TrimSpace(part)) > 0 {
			parts = append(parts, part)
			part = bytes.Repeat([]byte("\n"), line)
			continue
		}
		part = append(part, l...)
	}
	return append(parts, part)
}

// parseYAML turns a panic of the library on odd text into an error: a file of
// the user's must never end the program.
func parseYAML(text []byte) (tree *ast.File, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the YAML reader gave up: %v", p)
		}
	}()
	return parser.ParseBytes(text, 0, parser.AllowDuplicateMapKey())
}

// syntaxProblem says what is wrong with YAML that cannot be read, and mostly why.
func syntaxProblem(file string, text []byte, err error) Problem {
	p := Problem{File: file, Line: 1, Cure: "mend it there; an editor that knows YAML shows the place"}
	p.Message, _, _ = strings.Cut(yaml.FormatError(err, false, false), "\n")
	if n, _ := fmt.Sscanf(p.Message, "[%d:%d]", &p.Line, &p.Column); n == 2 {
		_, p.Message, _ = strings.Cut(p.Message, "] ")
	}
	switch {
	case strings.Contains(p.Message, `'	'`), strings.Contains(p.Message, "tab"):
		p.Cure = "indent with spaces: YAML allows no tabs there"
	default:
		if line, bracket := unclosed(text); line > 0 {
			p.Line = line
			p.Message = fmt.Sprintf("the %q of this line is not closed", bracket)
			p.Cure = fmt.Sprintf("add the %q that belongs to it", map[byte]string{'[': "]", '{': "}"}[bracket[0]])
		} else if tab := tabIndent(text); tab > 0 {
			p.Line, p.Cure = tab, "indent with spaces: YAML allows no tabs there"
		}
	}
	p.Message = "not valid YAML: " + p.Message
	return p
}

// tabIndent is the first line that a tab indents, 0 without one.
func tabIndent(text []byte) int {
	line := 0
	for l := range bytes.Lines(text) {
		line++
		if trimmed := bytes.TrimLeft(l, " "); len(trimmed) > 0 && trimmed[0] == '\t' && len(bytes.TrimSpace(trimmed)) > 0 {
			return line
		}
	}
	return 0
}

// unclosed finds the bracket of YAML's flow style that nobody closes: the
// reader itself notices lines later, where something does not fit any more.
func unclosed(text []byte) (line int, bracket string) {
	type opened struct {
		line int
		what byte
	}
	var open []opened
	line = 1
	var quote, before byte = 0, '\n'
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '\n':
			line++
		case quote != 0:
			if c == '\\' && quote == '"' {
				i++
			} else if c == quote {
				quote = 0
			}
		case (c == '"' || c == '\'') && strings.IndexByte(" \n\t[{,:", before) >= 0:
			quote = c
		case c == '#' && strings.IndexByte(" \n\t", before) >= 0:
			for i+1 < len(text) && text[i+1] != '\n' {
				i++
			}
		case (c == '[' || c == '{') && (len(open) > 0 || strings.IndexByte(" \n\t", before) >= 0):
			open = append(open, opened{line, c})
		case (c == ']' || c == '}') && len(open) > 0:
			if last := open[len(open)-1]; last.what != c-2 { // in ASCII a bracket closes the one two before it
				return last.line, string(last.what)
			}
			open = open[:len(open)-1]
		}
		before = c
	}
	if len(open) == 0 {
		return 0, ""
	}
	last := open[len(open)-1]
	return last.line, string(last.what)
}
