// Package weblink says which links people may be shown: those of others go into pages and messages, where javascript: runs.
//
// Start reading at Check.
package weblink

import (
	"errors"
	"net/url"
	"strings"
	"unicode"
)

var errLink = errors.New("must be a whole address that begins with http:// or https://, without blanks, control characters, backslashes, or a name and password")

// Check refuses whatever a browser might take for anything else than a page of the web. No link is none to refuse.
func Check(text string) error {
	if text == "" {
		return nil
	}
	// Browsers drop tabs and line feeds, and take a backslash for a slash: what they would read is not what url.Parse reads.
	odd := strings.ContainsFunc(text, func(r rune) bool {
		return r == '\\' || r == unicode.ReplacementChar || unicode.IsSpace(r) || !unicode.IsPrint(r)
	})
	u, err := url.Parse(text)
	if odd || err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.Opaque != "" || u.User != nil {
		return errLink
	}
	return nil
}

// OrNone is a link that may be shown, or "".
func OrNone(text string) string {
	if Check(text) != nil {
		return ""
	}
	return text
}
