package site

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/signalbox-project/signalbox/internal/statuspage"
)

// Options say where a page is.
type Options struct {
	Base   string // the address of the page, with a / at its end: feeds name it
	Static bool   // nobody answers behind it: nothing to fill in
}

// File is one file of a page.
type File struct {
	Type string // of its content
	Body []byte
	ETag string
}

// Types of files.
const (
	typeHTML = "text/html; charset=utf-8"
	typeJSON = "application/json; charset=utf-8"
	typeAtom = "application/atom+xml; charset=utf-8"
	typeRSS  = "application/rss+xml; charset=utf-8"
	typeSVG  = "image/svg+xml"
)

//go:embed style.css
var style string

//go:embed age.js
var script string

// Build makes every file of a page, by its path; index.html of a folder is what the folder's address shows.
func Build(v statuspage.View, o Options) (map[string]File, error) {
	out := map[string]File{}
	add := func(path, kind string, body []byte, err error) error {
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		sum := sha256.Sum256(body)
		out[path] = File{Type: kind, Body: body, ETag: `"` + hex.EncodeToString(sum[:12]) + `"`}
		return nil
	}
	p, err := newPages(v, o)
	if err != nil {
		return nil, err
	}
	for _, one := range p.all() {
		body, err := one.render()
		if err := add(one.path, typeHTML, body, err); err != nil {
			return nil, err
		}
	}
	files := api(v, o)
	for _, path := range slices.Sorted(maps.Keys(files)) {
		body, err := marshal(files[path])
		if err := add("api/v2/"+path, typeJSON, body, err); err != nil {
			return nil, err
		}
	}
	body, err := atom(v, o)
	if err := add("history.atom", typeAtom, body, err); err != nil {
		return nil, err
	}
	body, err = rss(v, o)
	if err := add("history.rss", typeRSS, body, err); err != nil {
		return nil, err
	}
	return out, add("badge.svg", typeSVG, badge(v), nil)
}

// Policy is what a browser may do with the HTML of a page.
func Policy() string {
	return "default-src 'none'; style-src " + hash(style) + "; script-src " + hash(script) + "; img-src 'self'; form-action 'self'; base-uri 'none'"
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// up is the way from a file back to the folder of the page.
func up(path string) string { return strings.Repeat("../", strings.Count(path, "/")) }
