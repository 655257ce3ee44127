// Package weblink says which links people may be shown: those of others go into pages and messages, where javascript: runs.
//
// Start reading at Check.
package weblink

import (
	"errors"
	"net/url"
	"regexp"
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

// Runs says whether a browser that is given a text as a link would run it rather than open a page: javascript:, vbscript:, and data:
// with a type of content. Blanks and what does not print are skipped, as browsers do.
func Runs(text string) bool {
	plain := strings.ToLower(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, text[:min(len(text), maxScheme)]))
	return strings.HasPrefix(plain, "javascript:") || strings.HasPrefix(plain, "vbscript:") || dataURL.MatchString(plain)
}

// maxScheme is more than anybody writes before and in a scheme.
const maxScheme = 4096

// dataURL is what a sentence that begins with "Data:" is not.
var dataURL = regexp.MustCompile(`^data:(,|;|[a-z]+/[a-z0-9])`)

// OrNone is a link that may be shown, or "".
func OrNone(text string) string {
	if Check(text) != nil {
		return ""
	}
	return text
}
