package guard

import (
	"fmt"
	"strings"
)

// What a query's text may be at most. DuckDB's own lexer takes time quadratic in
// the depth of comments.
const (
	MaxQueryBytes   = 256 << 10
	maxCommentDepth = 8
)

// Bound refuses texts that no parser should see, in time linear in the text.
func Bound(query string) error {
	if len(query) > MaxQueryBytes {
		return &Error{
			Message: fmt.Sprintf("the query has %d bytes, at most %d are allowed", len(query), MaxQueryBytes), At: MaxQueryBytes, Kind: "refused",
			Advice: "shorten it; a long list of values may become a condition or a regular expression",
		}
	}
	for i := 0; i < len(query); {
		end, err := tokenEnd(query, i)
		if err != nil {
			return err
		}
		i = end
	}
	return nil
}

// tokenEnd passes a quoted text, a comment or a single byte.
func tokenEnd(s string, i int) (int, error) {
	switch c := s[i]; {
	case c == '\'' || c == '"':
		return quoteEnd(s, i, c == '\'' && i > 0 && (s[i-1] == 'e' || s[i-1] == 'E') && (i < 2 || !IsWordByte(s[i-2]))), nil
	case c == '$':
		return dollarEnd(s, i), nil
	case strings.HasPrefix(s[i:], "--"):
		if n := strings.IndexByte(s[i:], '\n'); n >= 0 {
			return i + n + 1, nil
		}
		return len(s), nil
	case strings.HasPrefix(s[i:], "/*"):
		return commentEnd(s, i)
	}
	return i + 1, nil
}

// quoteEnd passes a quoted text; a doubled quotation mark is one within it. One without
// an end is the parser's to name.
func quoteEnd(s string, i int, escapes bool) int {
	quote := s[i]
	for i++; i < len(s); i++ {
		switch {
		case escapes && s[i] == '\\':
			i++
		case s[i] == quote:
			return i + 1 // of a doubled one, the second begins the rest
		}
	}
	return len(s)
}

// dollarEnd passes $tag$ … $tag$.
func dollarEnd(s string, i int) int {
	end := i + 1
	for end < len(s) && IsWordByte(s[end]) {
		end++
	}
	if end == len(s) || s[end] != '$' || i > 0 && IsWordByte(s[i-1]) || '0' <= s[i+1] && s[i+1] <= '9' {
		return i + 1
	}
	tag := s[i : end+1]
	n := strings.Index(s[end+1:], tag)
	if n < 0 {
		return len(s) // the parser's to name
	}
	return end + 1 + n + len(tag)
}

// commentEnd passes a comment with those within it.
func commentEnd(s string, i int) (int, error) {
	depth := 0
	for at := i; at < len(s); {
		switch {
		case strings.HasPrefix(s[at:], "/*"):
			at += 2
			if depth++; depth > maxCommentDepth {
				return 0, Refused(at-2, fmt.Sprintf("comments are nested more than %d deep", maxCommentDepth))
			}
		case strings.HasPrefix(s[at:], "*/"):
			at += 2
			if depth--; depth == 0 {
				return at, nil
			}
		default:
			at++
		}
	}
	return 0, &Error{Message: "this comment has no end", At: i, Advice: "end it with */"}
}

// TrimEnd removes blanks, comments and semicolons at the end.
func TrimEnd(text string) string {
	end := 0
	for i := 0; i < len(text); {
		j := SkipBlank(text, i)
		if j >= len(text) {
			break
		}
		n, err := tokenEnd(text, j)
		if err != nil {
			n = len(text) // Bound named it before
		}
		if text[j] != ';' {
			end = n
		}
		i = n
	}
	return text[:end]
}
