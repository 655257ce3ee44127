package app

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
)

// slackOf is as much of Slack as takes messages, and tells what it was asked.
func slackOf(t *testing.T) (address string, asked chan string) {
	asked = make(chan string, 100)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		asked <- strings.TrimPrefix(r.URL.Path, "/") + " " + string(body)
		_, _ = io.WriteString(w, `{"ok":true,"channel":"C1","ts":"1.000001"}`)
	}))
	t.Cleanup(s.Close)
	return s.URL, asked
}

// pressed is what Slack sends when somebody presses a button.
func pressed(action, user, page string) (body string, header []string) {
	payload := fmt.Sprintf(`{"type":"block_actions","team":{"id":"T1"},"user":{"id":%q,"username":"x","team_id":"T1"},"container":{"type":"message","channel_id":"C1","message_ts":"1.000001"},
		"message":{"blocks":[{"type":"header","text":{"type":"plain_text","text":"x"}}]},"actions":[{"action_id":%q,"value":%q}]}`, user, action, page)
	body = url.Values{"payload": {payload}}.Encode()
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	mac := hmac.New(sha256.New, []byte("shhh"))
	mac.Write([]byte("v0:" + stamp + ":" + body))
	return body, []string{
		"Content-Type", "application/x-www-form-urlencoded", "X-Slack-Request-Timestamp", stamp, "X-Slack-Signature", "v0=" + hex.EncodeToString(mac.Sum(nil)),
	}
}

// A button in Slack acknowledges a page and silences its alerts as the person whom it shows to be, with authentication on, and for nobody else.
func TestAButtonInSlackActsForAPerson(t *testing.T) {
	address, asked := slackOf(t)
	told := make(chan struct{}, 10)
	hook := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { told <- struct{}{} }))
	t.Cleanup(hook.Close)
	g := startGuarded(t, map[string]string{
		"signalbox.yml": "rule_files: [rules.yml]\nalertmanager_file: alertmanager.yml\noncall_files: [people.yml]\nchannels:\n  slack:\n    token: {file: token}\n    signing_secret: {file: signing}\n" +
			"    people: {U0ROOT: root, U0ADA: ada, U0WHO: nobody}\n    url: " + address + "\n",
		"token": "xoxb-hunter2", "signing": "shhh", "people.yml": "people: [{name: root}, {name: ada}]\n",
		"rules.yml":        "groups: [{name: g, interval: 100ms, rules: [{alert: Always, expr: vector(1), labels: {severity: critical}}]}]\n",
		"alertmanager.yml": "route: {receiver: hook, group_wait: 0s}\nreceivers: [{name: hook, webhook_configs: [{url: \"" + hook.URL + "\"}]}]\n",
	})
	<-told
	var pages struct{ Pages []model.Page }
	if err := json.Unmarshal([]byte(g.ask(t, "GET", "/sb/v1/pages", "", "Cookie", g.cookie).text), &pages); err != nil || len(pages.Pages) != 1 {
		t.Fatal(pages, err)
	}
	page := pages.Pages[0]
	if _, err := g.courier.Deliver(t.Context(), notify.Message{
		DedupKey: page.DedupKey, Kind: notify.Paged, Title: page.Title, Page: &page, To: notify.Target{Channel: "slack", Address: "C1"},
	}, nil); err != nil {
		t.Fatal(err)
	}
	if first, details := <-asked, <-asked; !strings.Contains(first, page.ID) || !strings.Contains(details, "thread_ts") {
		t.Errorf("%s\n%s", first, details)
	}
	const path = "/sb/v1/hooks/channels/slack"
	press := func(action, user, answer string) string {
		t.Helper()
		body, header := pressed(action, user, page.ID)
		if got := g.ask(t, "POST", path, body, header...); got.status != http.StatusOK {
			t.Fatalf("%d %s", got.status, got.text)
		}
		for said := range asked {
			if strings.HasPrefix(said, "users.info") {
				continue
			}
			if !strings.HasPrefix(said, answer) {
				t.Errorf("%s by %s: %s", action, user, said)
			}
			return said
		}
		return ""
	}
	if said := press("signalbox.silence", "U0ADA", "chat.postEphemeral"); !strings.Contains(said, "ada has no user") {
		t.Error(said)
	}
	if said := press("signalbox.silence", "U0WHO", "chat.postEphemeral"); !strings.Contains(said, "does not know who you are") {
		t.Error(said)
	}
	if said := press("signalbox.silence", "U0ROOT", "chat.postMessage"); !strings.Contains(said, "root silenced alertname=") {
		t.Error(said)
	}
	press("signalbox.acknowledge", "U0ROOT", "chat.update")
	if text := g.ask(t, "GET", "/sb/v1/pages", "", "Cookie", g.cookie).text; !strings.Contains(text, `"acked_by":"root"`) || strings.Contains(text, `"tampered"`) {
		t.Error(text)
	}
	if text := g.ask(t, "GET", "/api/v2/silences", "", "Cookie", g.cookie).text; strings.Count(text, `"createdBy"`) != 1 || !strings.Contains(text, `"createdBy":"user:root"`) || !strings.Contains(text, `"value":"Always"`) {
		t.Error(text)
	}
	entries, text := g.entries(t)
	for _, action := range []string{"page.ack", "silence.create"} {
		if !slices.ContainsFunc(entries, func(e model.AuditEntry) bool {
			return e.Action == action && e.Actor == "root" && (e.Details["from"] == "slack" || e.Details["how"] == "slack")
		}) {
			t.Errorf("%s is not noted: %s", action, text)
		}
	}
	body, header := pressed("signalbox.acknowledge", "U0ROOT", page.ID)
	header[len(header)-1] = "v0=00"
	if got := g.ask(t, "POST", path, body, header...); got.status != http.StatusUnauthorized {
		t.Errorf("without Slack's signature: %d %s", got.status, got.text)
	}
	if got := g.ask(t, "POST", "/sb/v1/hooks/channels/teams", body, header...); got.status != http.StatusNotFound {
		t.Errorf("a channel that is not: %d", got.status)
	}
	if strings.Contains(g.log.String(), "hunter2") || strings.Contains(g.ask(t, "GET", "/api/v1/status/config", "", "Cookie", g.cookie).text, "hunter2") {
		t.Error("the token is shown")
	}
}
