package router

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/model"
)

// strict answers like the real service: it refuses what its documentation does
// not allow.
func strict(t *testing.T, path, contentType string, answer int, text string, check func(body map[string]any) error) (*httptest.Server, <-chan map[string]any) {
	t.Helper()
	got := make(chan map[string]any, 10)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body map[string]any
		err := json.NewDecoder(r.Body).Decode(&body)
		switch {
		case r.Method != http.MethodPost || r.URL.Path != path:
			err = fmt.Errorf("%s %s", r.Method, r.URL.Path)
		case !strings.HasPrefix(r.Header.Get("Content-Type"), contentType):
			err = fmt.Errorf("content type %q", r.Header.Get("Content-Type"))
		case err == nil:
			err = check(body)
		}
		if err != nil {
			t.Errorf("refused: %v: %v", err, body)
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		got <- body
		w.WriteHeader(answer)
		fmt.Fprint(w, text)
	}))
	t.Cleanup(srv.Close)
	return srv, got
}

// PagerDuty's Events API v2.
func pagerDuty(body map[string]any) error {
	payload, _ := body["payload"].(map[string]any)
	key, _ := body["dedup_key"].(string)
	summary, _ := payload["summary"].(string)
	severity, _ := payload["severity"].(string)
	switch {
	case body["routing_key"] != "0123456789abcdef0123456789abcdef":
		return fmt.Errorf("routing_key %v", body["routing_key"])
	case body["event_action"] != "trigger" && body["event_action"] != "resolve":
		return fmt.Errorf("event_action %v", body["event_action"])
	case key == "" || len(key) > 255:
		return fmt.Errorf("dedup_key of %d characters", len(key))
	case body["event_action"] == "trigger" && (summary == "" || len(summary) > 1024 || payload["source"] == ""):
		return fmt.Errorf("payload %v", payload)
	case body["event_action"] == "trigger" && !slices.Contains([]string{"critical", "error", "warning", "info"}, severity):
		return fmt.Errorf("severity %q", severity)
	}
	return nil
}

// Slack's incoming webhooks.
func slack(body map[string]any) error {
	attachments, _ := body["attachments"].([]any)
	if len(attachments) == 0 || len(attachments) > 100 {
		return fmt.Errorf("%d attachments", len(attachments))
	}
	a, _ := attachments[0].(map[string]any)
	if a["fallback"] == nil && a["text"] == nil {
		return fmt.Errorf("an attachment without text or fallback: %v", a)
	}
	return nil
}

// Teams' workflow webhooks take an adaptive card.
func teams(body map[string]any) error {
	attachments, _ := body["attachments"].([]any)
	if body["type"] != "message" || len(attachments) != 1 {
		return fmt.Errorf("type %v with %d attachments", body["type"], len(attachments))
	}
	a, _ := attachments[0].(map[string]any)
	card, _ := a["content"].(map[string]any)
	if a["contentType"] != "application/vnd.microsoft.card.adaptive" || card["type"] != "AdaptiveCard" || card["version"] == nil || card["body"] == nil {
		return fmt.Errorf("card %v", a)
	}
	return nil
}

// mailServer speaks as much SMTP as a delivery needs and answers with the mail.
func mailServer(t *testing.T) (addr string, mails <-chan string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	out := make(chan string, 10)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go talkSMTP(conn, out)
		}
	}()
	return l.Addr().String(), out
}

func talkSMTP(conn net.Conn, out chan<- string) {
	defer conn.Close()
	fmt.Fprint(conn, "220 mail.example ESMTP\r\n")
	lines := bufio.NewScanner(conn)
	var mail strings.Builder
	data := false
	for lines.Scan() {
		line := lines.Text()
		switch verb := strings.ToUpper(line); {
		case data && line == ".":
			data = false
			out <- mail.String()
			fmt.Fprint(conn, "250 kept\r\n")
		case data:
			mail.WriteString(line + "\n")
		case strings.HasPrefix(verb, "DATA"):
			data = true
			fmt.Fprint(conn, "354 go on\r\n")
		case strings.HasPrefix(verb, "QUIT"):
			fmt.Fprint(conn, "221 bye\r\n")
			return
		default:
			fmt.Fprint(conn, "250 fine\r\n")
		}
	}
}

func TestEveryChannelOfAReceiverGetsItsDocumentedPayload(t *testing.T) {
	pd, pdCalls := strict(t, "/v2/enqueue", "application/json", http.StatusAccepted, `{"status":"success","message":"Event processed"}`, pagerDuty)
	sl, slCalls := strict(t, "/services/T/B/x", "application/json", http.StatusOK, "ok", slack)
	ms, msCalls := strict(t, "/workflows/1", "application/json", http.StatusAccepted, "", teams)
	smtp, mails := mailServer(t)
	f := start(t, t.TempDir(), fmt.Sprintf(`
route: {receiver: team, group_by: [service], group_wait: 0s, group_interval: 1s}
receivers:
  - name: team
    pagerduty_configs: [{routing_key: 0123456789abcdef0123456789abcdef, url: %q, severity: '{{ .CommonLabels.severity }}'}]
    slack_configs: [{api_url: %q, channel: '#ops', send_resolved: true}]
    msteamsv2_configs: [{webhook_url: %q}]
    email_configs: [{to: ops@example.com, from: box@example.com, smarthost: %q, require_tls: false}]
`, pd.URL+"/v2/enqueue", sl.URL+"/services/T/B/x", ms.URL+"/workflows/1", smtp))
	send(t, f.Router, burn())
	first := <-pdCalls
	page := f.pages.await(t, "delivered everywhere", func(p model.Page) bool { return len(p.Deliveries) == 5 })
	var channels []string
	for _, d := range page.Deliveries {
		if d.Status != "delivered" {
			t.Errorf("delivery %+v", d)
		}
		channels = append(channels, d.Channel)
	}
	slices.Sort(channels)
	if want := []string{"email[0]", "inbox", "msteamsv2[0]", "pagerduty[0]", "slack[0]"}; !slices.Equal(channels, want) {
		t.Errorf("channels %v, want %v", channels, want)
	}
	if first["dedup_key"] != page.DedupKey {
		t.Errorf("PagerDuty was sent the key %v, the page has %s", first["dedup_key"], page.DedupKey)
	}
	<-slCalls
	<-msCalls
	if mail := <-mails; !strings.Contains(mail, "To: ops@example.com") || !strings.Contains(mail, "SLOBurnRateFast") {
		t.Errorf("mail %s", mail)
	}

	ended := burn()
	ended.EndsAt = page.Time
	ended.StartsAt = page.Time
	send(t, f.Router, ended)
	if second := <-pdCalls; second["event_action"] != "resolve" || second["dedup_key"] != page.DedupKey {
		t.Errorf("the end was sent as %v", second)
	}
	// Mail has send_resolved off by default.
	f.pages.await(t, "closed everywhere else", func(p model.Page) bool { return len(p.Deliveries) == 9 && p.Status == "resolved" })
}
