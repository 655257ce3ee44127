package telegram

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/notify/channels/fit"
)

// Telegram's limits, and ours.
const (
	maxText   = 4096 // UTF-16 units
	maxData   = 64   // bytes of callback_data
	maxLabel  = 60
	maxURL    = 2000
	maxLinks  = 5
	maxAlerts = 20
	maxLine   = 300
)

// harmless is text in which Telegram finds nobody to mention: it makes a mention of every @name by itself, also in plain text.
// What is harmless already stays as it is.
func harmless(s string) string {
	return strings.NewReplacer("@\u2060", "@\u2060", "@", "@\u2060").Replace(s)
}

// text is the whole message.
func text(m notify.Message) string {
	parts := []string{fit.Runes(fit.Marked(m), 1000)}
	if body := fit.Body(m); body != "" {
		parts = append(parts, body)
	}
	if m.Page != nil {
		parts = append(parts, status(m.Page))
		if alerts := alerts(m.Page); alerts != "" {
			parts = append(parts, alerts)
		}
	}
	return fit.UTF16(harmless(strings.Join(parts, "\n\n")), maxText)
}

func status(p *model.Page) string {
	out := "Since " + p.Time.UTC().Format("2006-01-02 15:04 UTC")
	for _, part := range [][2]string{{"service", p.Service}, {"severity", p.Severity}} {
		if part[1] != "" {
			out += ", " + part[0] + " " + fit.Runes(fit.Line(part[1]), maxLabel)
		}
	}
	return out
}

func alerts(p *model.Page) string {
	var lines []string
	for i, a := range p.Alerts {
		if i == maxAlerts {
			lines = append(lines, fmt.Sprintf("and %d more alerts", len(p.Alerts)-i))
			break
		}
		lines = append(lines, fit.Runes("• "+a.Status+": "+strings.Join(fit.Labels(a), ", "), maxLine))
	}
	return strings.Join(lines, "\n")
}

// keyboard is what can be done about a message; nil is nothing.
func (c *Channel) keyboard(m notify.Message) (*markup, error) {
	var rows [][]button
	open := m.Kind == notify.Paged || m.Kind == notify.Noticed || m.Kind == notify.Drill
	if open && m.Page != nil && m.Page.ID != "" && m.Page.AckedBy == "" && c.cfg.WebhookSecret != nil {
		data, err := c.data(m.Page.ID)
		if err != nil {
			return nil, err
		}
		if len(data) <= maxData {
			rows = append(rows, []button{{Text: "Acknowledge", Data: data}})
		}
	}
	if link := fit.Link(m.Acknowledge, maxURL); open && len(rows) == 0 && link != "" {
		rows = append(rows, []button{{Text: "Acknowledge", URL: link}})
	}
	for _, l := range m.Links[:min(len(m.Links), maxLinks)] {
		if link := fit.Link(l.URL, maxURL); link != "" {
			rows = append(rows, []button{{Text: cmp.Or(fit.Runes(fit.Line(l.Text), maxLabel), "Open"), URL: link}})
		}
	}
	if len(rows) == 0 {
		return nil, nil
	}
	return &markup{rows}, nil
}

const ackData = "a:"

// data is what a button sends back: the page, and a proof that we made the button, since a client can send anything.
func (c *Channel) data(page string) (string, error) {
	secret, err := c.cfg.WebhookSecret.Secret()
	if err != nil {
		return "", fmt.Errorf("telegram: webhook_secret: %w", err)
	}
	mac := hmac.New(sha256.New, secret.Bytes())
	mac.Write([]byte("signalbox acknowledge " + page))
	return ackData + page + ":" + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:12]), nil
}
