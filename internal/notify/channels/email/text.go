package email

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"html/template"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/notify/channels/fit"
)

// Most of what is sent, in characters, and of links.
const (
	mostSubject = 180
	mostText    = 64 << 10
	mostLinks   = 20
)

// thread is the id that every mail about one page refers to; nobody sends it.
func (c *Channel) thread(m notify.Message) string {
	if m.DedupKey == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(m.DedupKey))
	return "<thread-" + hex.EncodeToString(sum[:16]) + "@" + c.domain + ">"
}

// subject stays the same within a thread, since some programs make a new one of another subject.
func subject(m notify.Message) string {
	text := m.Title
	if m.Level != "" {
		text = "[" + m.Level + "] " + text
	}
	switch m.Kind {
	case notify.Acknowledged, notify.Resolved:
		text = "Re: " + text
	case notify.Drill:
		text = "[drill] " + text
	case notify.Paged, notify.Noticed, notify.Verification, notify.Told:
	}
	return fit.Runes(fit.Line(text), mostSubject)
}

// heading says what a mail is about to whoever reads no further.
func heading(m notify.Message) string {
	switch m.Kind {
	case notify.Acknowledged:
		if m.Page != nil && m.Page.AckedBy != "" {
			return "Acknowledged by " + fit.Line(m.Page.AckedBy)
		}
		return "Acknowledged"
	case notify.Resolved:
		return "Resolved"
	case notify.Paged:
		return "You are paged"
	case notify.Noticed:
		return "Notice: nobody has to get up"
	case notify.Drill:
		return "Drill: this only tests whether pages arrive"
	case notify.Verification, notify.Told:
	}
	return ""
}

//go:embed mail.html.tmpl
var page string

// shown is what both forms show.
type shown struct {
	Heading, Title, Text, Acknowledge, When string
	Links                                   []notify.Link
}

func bodies(m notify.Message) (plain, html string, err error) {
	s := shown{
		Heading: heading(m), Title: fit.Runes(fit.Line(m.Title), 1000), Text: fit.Runes(fit.Text(m.Text), mostText), Acknowledge: m.Acknowledge,
		When: m.Time.UTC().Format("2006-01-02 15:04:05 UTC"),
	}
	for _, l := range m.Links[:min(len(m.Links), mostLinks)] {
		s.Links = append(s.Links, notify.Link{Text: fit.Runes(fit.Line(l.Text), 200), URL: l.URL})
	}
	t, err := template.New("mail").Parse(page)
	if err != nil {
		return "", "", err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, s); err != nil {
		return "", "", err
	}
	return s.plain(m.Time), b.String(), nil
}

func (s shown) plain(at time.Time) string {
	var b strings.Builder
	line := func(parts ...string) { b.WriteString(strings.Join(parts, "") + "\n") }
	if s.Heading != "" {
		line(s.Heading, "\n")
	}
	line(s.Title)
	if s.Text != "" {
		line("\n", s.Text)
	}
	if s.Acknowledge != "" {
		line("\nAcknowledge: ", s.Acknowledge)
	}
	if len(s.Links) > 0 {
		line()
	}
	for _, l := range s.Links {
		line(l.Text, ": ", l.URL)
	}
	if !at.IsZero() {
		line("\n", s.When)
	}
	return b.String()
}
