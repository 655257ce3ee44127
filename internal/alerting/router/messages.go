package router

import (
	"errors"
	tmplhtml "html/template"
	"net/mail"
	"strings"
	tmpltext "text/template"

	amconfig "github.com/prometheus/alertmanager/config"
	amnotify "github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/template"

	"github.com/signalbox-project/signalbox/internal/notify"
)

const (
	emailBody = "email.default.html"
	// slackText is empty in Alertmanager's own templates.
	slackText = `{{ define "slack.default.text" }}{{ with .CommonAnnotations.` + notify.AcknowledgeURL + ` }}<{{ . }}|Acknowledge>{{ end }}{{ end }}`
	// emailButton stands beside Alertmanager's own, as wide as a thumb.
	emailButton = `{{ with .CommonAnnotations.` + notify.AcknowledgeURL + ` }} <a href="{{ . }}" style="display: inline-block; margin: 0 0 0 8px; font-family: 'Helvetica Neue', Helvetica, Arial, sans-serif; font-size: 14px; line-height: 2em; font-weight: bold; text-decoration: none; color: #FFF; background-color: #0a6b66; border: solid #0a6b66; border-width: 10px 20px; border-radius: 5px;">Acknowledge</a>{{ end }}`
	buttonText  = `>View in `
)

// templates are Alertmanager's own with a way to acknowledge in what people read most, e-mail and Slack, and then those of a
// configuration, which may define either anew.
func templates(globs []string) (*template.Template, error) {
	var html *tmplhtml.Template
	t, err := template.FromGlobs(nil, func(_ *tmpltext.Template, h *tmplhtml.Template) { html = h })
	if err != nil {
		return nil, err
	}
	if err := withButton(html); err != nil {
		return nil, err
	}
	if err := t.Parse(strings.NewReader(slackText)); err != nil {
		return nil, err
	}
	for _, g := range globs {
		if err := t.FromGlob(g); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// withButton puts a second button behind that of Alertmanager's e-mail.
func withButton(html *tmplhtml.Template) error {
	body := html.Lookup(emailBody)
	if body == nil {
		return errors.New("there is no template " + emailBody)
	}
	source := body.Tree.Root.String()
	at := strings.Index(source, buttonText)
	end := strings.Index(source[max(at, 0):], "</a>")
	if at < 0 || end < 0 {
		return errors.New("the template " + emailBody + " has no button any more")
	}
	end += at + len("</a>")
	_, err := body.Parse(source[:end] + emailButton + source[end:])
	return err
}

// addressees says whom an integration of a receiver writes to, where that is one person or one list.
func addressees(rcv amconfig.Receiver) func(amnotify.Integration) string {
	return func(i amnotify.Integration) string {
		if i.Name() != "email" || i.Index() >= len(rcv.EmailConfigs) {
			return ""
		}
		list, err := mail.ParseAddressList(rcv.EmailConfigs[i.Index()].To)
		if err != nil || len(list) != 1 { // a template, or several
			return ""
		}
		return list[0].Address
	}
}
