package app

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/model"
)

// A page is acknowledged by the link in its message, without a login, and the link is written down nowhere.
func TestAMessageIsAcknowledgedFromAPhone(t *testing.T) {
	told := make(chan string, 10)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var message struct{ CommonAnnotations map[string]string }
		if err := json.NewDecoder(r.Body).Decode(&message); err != nil {
			t.Error(err)
		}
		told <- message.CommonAnnotations["acknowledge_url"]
	}))
	t.Cleanup(hook.Close)
	g := startGuarded(t, map[string]string{
		"signalbox.yml":    "rule_files: [rules.yml]\nalertmanager_file: alertmanager.yml\n",
		"rules.yml":        "groups: [{name: g, interval: 100ms, rules: [{alert: Always, expr: vector(1), labels: {severity: critical}}]}]\n",
		"alertmanager.yml": "route: {receiver: hook, group_wait: 0s}\nreceivers: [{name: hook, webhook_configs: [{url: \"" + hook.URL + "\"}]}]\n",
	}, func(o *Options) { o.Log.Level = "debug" })
	link := <-told
	u, err := url.Parse(link)
	if err != nil || !strings.HasPrefix(link, g.Addresses().Web+"/auth/page?token=") {
		t.Fatalf("%q %v", link, err)
	}
	token := u.Query().Get("token")
	shown := g.ask(t, "GET", link, "")
	if shown.status != http.StatusOK || !strings.Contains(shown.text, "Always") || !regexp.MustCompile(`<button>Acknowledge</button>`).MatchString(shown.text) {
		t.Fatalf("%d %s", shown.status, shown.text)
	}
	form := []string{"Content-Type", "application/x-www-form-urlencoded"}
	body := url.Values{"token": {token}}.Encode()
	if foreign := g.ask(t, "POST", "/auth/page", body, append(form, "Origin", "https://evil.example")...); foreign.status != http.StatusForbidden {
		t.Errorf("from another site: %d", foreign.status)
	}
	if done := g.ask(t, "POST", "/auth/page", body, form...); done.status != http.StatusOK || !strings.Contains(done.text, ">Acknowledged<") {
		t.Fatalf("%d %s", done.status, done.text)
	}
	forged := g.ask(t, "POST", "/auth/page", url.Values{"token": {"x" + token}}.Encode(), form...)
	if forged.status != http.StatusGone {
		t.Errorf("forged: %d", forged.status)
	}
	pages := g.ask(t, "GET", "/sb/v1/pages", "", "Cookie", g.cookie)
	if !strings.Contains(pages.text, `"acked_by":"link:webhook/receiver/hook"`) || strings.Contains(pages.text, token) {
		t.Errorf("pages: %s", pages.text)
	}
	entries, text := g.entries(t)
	if !slices.ContainsFunc(entries, func(e model.AuditEntry) bool {
		return e.Action == "page.ack" && e.Actor == "link:webhook/receiver/hook" && e.Details["link"] != "" && e.Details["remote"] == "127.0.0.1"
	}) {
		t.Errorf("audit: %s", text)
	}
	_, mac, _ := strings.Cut(token, ".")
	for where, text := range map[string]string{"audit log": text, "log": g.log.String()} {
		if strings.Contains(text, mac) {
			t.Errorf("the link is in the %s", where)
		}
	}
}

// A link to localhost in a message that is read elsewhere leads nowhere: it is left out, and that is said once.
func TestMessagesHaveNoLinkThatNobodyCanOpen(t *testing.T) {
	for _, c := range []struct {
		listen, external string
		links            bool
	}{{"0.0.0.0:0", "", false}, {"0.0.0.0:0", "https://sb.example", true}, {"127.0.0.1:0", "", true}} {
		o, log := options(t, t.TempDir()), &buffer{}
		o.Auth, o.ListenAddress, o.ExternalURL, o.Output = true, c.listen, c.external, log
		p, err := Build(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if said := strings.Count(log.String(), "no link to acknowledge"); (said == 0) != c.links || said > 1 {
			t.Errorf("%+v: said %d times", c, said)
		}
		if made := p.home.ackLinks() != nil; made != c.links {
			t.Errorf("%+v: %v", c, made)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
}
