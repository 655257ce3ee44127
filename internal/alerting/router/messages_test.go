package router

import (
	"encoding/json"
	"fmt"
	"io"
	"mime/quotedprintable"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	amconfig "github.com/prometheus/alertmanager/config"
	amnotify "github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/template"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
)

func ackAt(_ model.Page, to notify.Recipient) (string, error) {
	return "https://box.example/auth/page?token=" + to.Channel + "." + url.QueryEscape(to.Address), nil
}

func TestMessagesHaveALinkToAcknowledge(t *testing.T) {
	sl, slCalls := strict(t, "/services/T/B/x", "application/json", http.StatusOK, "ok", slack)
	smtp, mails := mailServer(t)
	hooked := make(chan template.Data, 1)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var d template.Data
		if err := json.NewDecoder(r.Body).Decode(&d); err != nil {
			t.Error(err)
		}
		hooked <- d
	}))
	t.Cleanup(hook.Close)
	f := start(t, t.TempDir(), fmt.Sprintf(`
route: {receiver: team, group_by: [service], group_wait: 0s}
receivers:
  - name: team
    slack_configs: [{api_url: %q, channel: '#ops'}]
    email_configs: [{to: 'Ann <ann@example.com>', from: box@example.com, smarthost: %q, require_tls: false}]
    webhook_configs: [{url: %q}]
`, sl.URL+"/services/T/B/x", smtp, hook.URL), func(d *Deps) { d.Acknowledge = ackAt })
	send(t, f.Router, burn())

	_, body, ok := strings.Cut(<-mails, "quoted-printable")
	text, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(body)))
	if !ok || err != nil && !strings.Contains(string(text), "</html>") {
		t.Fatal(ok, err)
	}
	for _, want := range []string{`<a href="https://box.example/auth/page?token=email.ann%40example.com"`, ">Acknowledge</a>", ">View in Alertmanager</a>"} {
		if strings.Count(string(text), want) != 1 {
			t.Errorf("not once in the mail: %s", want)
		}
	}
	message, _ := (<-slCalls)["attachments"].([]any)[0].(map[string]any)["text"].(string)
	if message != "<https://box.example/auth/page?token=slack.|Acknowledge>" {
		t.Errorf("slack: %s", message)
	}
	if d := <-hooked; d.CommonAnnotations[notify.AcknowledgeURL] != "https://box.example/auth/page?token=webhook." {
		t.Errorf("webhook: %v", d.CommonAnnotations)
	}
}

func TestTemplatesOfAConfigurationGoBeforeOurs(t *testing.T) {
	file := filepath.Join(t.TempDir(), "own.tmpl")
	if err := os.WriteFile(file, []byte(`{{ define "slack.default.text" }}mine{{ end }}{{ define "email.default.html" }}<b>mine</b>{{ end }}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for globs, want := range map[string]string{"": "||", file: "mine|<b>mine</b>|"} {
		var list []string
		if globs != "" {
			list = append(list, globs)
		}
		tmpl, err := templates(list)
		if err != nil {
			t.Fatal(err)
		}
		tmpl.ExternalURL = &url.URL{Scheme: "https", Host: "box.example"}
		none := template.Data{}
		text, err := tmpl.ExecuteTextString(`{{ template "slack.default.text" . }}`, none)
		if err != nil {
			t.Fatal(err)
		}
		html, err := tmpl.ExecuteHTMLString(`{{ template "email.default.html" . }}`, none)
		if err != nil {
			t.Fatal(err)
		}
		if globs == "" {
			if strings.Contains(html, "Acknowledge") || !strings.Contains(html, "View in Alertmanager") {
				t.Errorf("a mail without a link: %s", html)
			}
			html = ""
		}
		if got := text + "|" + html + "|"; got != want {
			t.Errorf("%q: got %s, want %s", globs, got, want)
		}
	}
}

func TestWhomAnEmailIsWrittenTo(t *testing.T) {
	rcv := amconfig.Receiver{}
	for _, to := range []string{"ann@x.example", "Ann <ann@x.example>", "a@x.example, b@x.example", "{{ .CommonLabels.owner }}", ""} {
		rcv.EmailConfigs = append(rcv.EmailConfigs, &amconfig.EmailConfig{To: to})
	}
	of := addressees(rcv)
	for i, want := range []string{"ann@x.example", "ann@x.example", "", "", ""} {
		if got := of(amnotify.NewIntegration(nil, nil, "email", i, "team")); got != want {
			t.Errorf("%q: %q", rcv.EmailConfigs[i].To, got)
		}
	}
	if got := of(amnotify.NewIntegration(nil, nil, "slack", 0, "team")); got != "" {
		t.Error(got)
	}
}
