package site

import (
	"encoding/xml"
	"fmt"
	"html"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/statuspage"
)

// mostEntries bounds a feed.
const mostEntries = 50

type atomFeed struct {
	XMLName xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
	Lang    string      `xml:"xml:lang,attr"`
	ID      string      `xml:"id"`
	Title   string      `xml:"title"`
	Updated string      `xml:"updated"`
	Author  atomAuthor  `xml:"author"`
	Links   []atomLink  `xml:"link"`
	Entries []atomEntry `xml:"entry"`
}

type atomAuthor struct {
	Name string `xml:"name"`
}

type atomLink struct {
	Rel  string `xml:"rel,attr"`
	Type string `xml:"type,attr"`
	Href string `xml:"href,attr"`
}

type atomEntry struct {
	ID        string    `xml:"id"`
	Title     string    `xml:"title"`
	Published string    `xml:"published"`
	Updated   string    `xml:"updated"`
	Link      atomLink  `xml:"link"`
	Content   atomWords `xml:"content"`
}

type atomWords struct {
	Type string `xml:"type,attr"`
	Text string `xml:",chardata"`
}

// atom is a feed of what was announced, one entry each.
func atom(v statuspage.View, o Options) ([]byte, error) {
	f := atomFeed{
		Lang: v.Language, ID: o.Base, Title: v.Title, Author: atomAuthor{v.Title}, Updated: iso(changed(v)),
		Links: []atomLink{{"self", "application/atom+xml", o.Base + "history.atom"}, {"alternate", "text/html", o.Base}},
	}
	for _, n := range newest(v) {
		link := o.Base + "incidents/" + n.ID + "/"
		f.Entries = append(f.Entries, atomEntry{
			ID: link, Title: plain(n.Title), Published: iso(n.Created), Updated: iso(n.Changed), Link: atomLink{"alternate", "text/html", link}, Content: atomWords{"html", content(v, n)},
		})
	}
	return encode(f)
}

type rssFeed struct {
	XMLName xml.Name   `xml:"rss"`
	Version string     `xml:"version,attr"`
	Channel rssChannel `xml:"channel"`
}

type rssChannel struct {
	Title       string    `xml:"title"`
	Link        string    `xml:"link"`
	Description string    `xml:"description"`
	Language    string    `xml:"language"`
	Built       string    `xml:"lastBuildDate"`
	Items       []rssItem `xml:"item"`
}

type rssItem struct {
	Title       string `xml:"title"`
	Link        string `xml:"link"`
	GUID        string `xml:"guid"`
	Published   string `xml:"pubDate"`
	Description string `xml:"description"`
}

// rss is the same feed as RSS 2.0.
func rss(v statuspage.View, o Options) ([]byte, error) {
	c := rssChannel{Title: v.Title, Link: o.Base, Description: v.Title, Language: v.Language, Built: changed(v).UTC().Format(time.RFC1123Z)}
	if v.Description != "" {
		c.Description = v.Description
	}
	for _, n := range newest(v) {
		link := o.Base + "incidents/" + n.ID + "/"
		c.Items = append(c.Items, rssItem{Title: plain(n.Title), Link: link, GUID: link, Published: n.Changed.UTC().Format(time.RFC1123Z), Description: content(v, n)})
	}
	return encode(rssFeed{Version: "2.0", Channel: c})
}

func newest(v statuspage.View) []statuspage.Notice {
	return v.Notices[:min(len(v.Notices), mostEntries)]
}

// changed is when something was announced last. Without anything a feed is as old as its oldest possible entry, so that it stays the same.
func changed(v statuspage.View) time.Time {
	last := time.Unix(0, 0)
	for _, n := range v.Notices {
		if n.Changed.After(last) {
			last = n.Changed
		}
	}
	return last
}

// content is what was said, as markup of a feed.
func content(v statuspage.View, n statuspage.Notice) string {
	w := vocabularyOf(v.Language)
	var b strings.Builder
	for _, u := range n.Updates {
		fmt.Fprintf(&b, "<p><strong>%s</strong> <small>%s</small><br>%s</p>", html.EscapeString(w.Status(u.Status)), iso(u.Time), strings.ReplaceAll(html.EscapeString(plain(u.Text)), "\n", "<br>"))
	}
	return b.String()
}

// plain is a text without what XML cannot hold.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\n' && r != '\t' || r == 0xFFFE || r == 0xFFFF {
			return -1
		}
		return r
	}, text)
}

func encode(v any) ([]byte, error) {
	body, err := xml.MarshalIndent(v, "", " ")
	return append([]byte(xml.Header), append(body, '\n')...), err
}

// badge is a picture that says how a page is.
func badge(v statuspage.View) []byte {
	colour := map[statuspage.State]string{
		statuspage.Operational: "#1a7f43", statuspage.Maintenance: "#2f5fb3", statuspage.Degraded: "#8a6100", statuspage.PartialOutage: "#b3261e", statuspage.MajorOutage: "#b3261e",
	}[v.State]
	title, state := plain(v.Title), vocabularyOf(v.Language).State(v.State)
	left, right := 7*len([]rune(title))+16, 7*len([]rune(state))+16
	return fmt.Appendf(nil, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="20" role="img" aria-label="%s: %s"><title>%s: %s</title><rect width="%d" height="20" fill="#3d4852"/><rect x="%d" width="%d" height="20" fill="%s"/><g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11"><text x="8" y="14" textLength="%d">%s</text><text x="%d" y="14" textLength="%d">%s</text></g></svg>
`, left+right, html.EscapeString(title), html.EscapeString(state), html.EscapeString(title), html.EscapeString(state), left, left, right, colour,
		left-16, html.EscapeString(title), left+8, right-16, html.EscapeString(state))
}
