package teams_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/notify/channels/kind"
	"github.com/signalbox-project/signalbox/internal/notify/channels/teams"
	"github.com/signalbox-project/signalbox/internal/notify/channeltest"
	"github.com/signalbox-project/signalbox/internal/outgoing"
	"github.com/signalbox-project/signalbox/internal/platform/secretfile"
)

const signature = "hunter2-AbC_dEf"

func newChannel(t *testing.T, base string) notify.Channel {
	t.Helper()
	file := filepath.Join(t.TempDir(), "url")
	address := base + "/workflows/0123/triggers/manual/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=" + signature
	if err := os.WriteFile(file, []byte(address), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := &teams.Config{Destinations: []teams.Destination{{Name: "ops", URL: secretfile.Key{File: file}}}}
	if errs := cfg.Validate(); len(errs) > 0 {
		t.Fatal(errs)
	}
	c, err := teams.New(cfg, kind.Deps{Outgoing: outgoing.New(outgoing.Config{}), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// accept judges by Microsoft's documentation of the trigger, of adaptive cards 1.4 and of what Teams shows of them.
func accept(r *http.Request, body []byte) error {
	if r.Method != "POST" || r.Header.Get("Content-Type") != "application/json" || r.URL.Query().Get("sig") != signature {
		return errors.New("not a signed POST of JSON")
	}
	if len(body) > 28*1024 || !utf8.Valid(body) {
		return fmt.Errorf("%d bytes, at most 28 KB of UTF-8", len(body))
	}
	var m map[string]any
	if err := json.Unmarshal(body, &m); err != nil {
		return err
	}
	attachments, _ := m["attachments"].([]any)
	if m["type"] != "message" || len(attachments) != 1 {
		return errors.New("a message with one attachment is expected")
	}
	a := attachments[0].(map[string]any)
	c, _ := a["content"].(map[string]any)
	if url, has := a["contentUrl"]; a["contentType"] != "application/vnd.microsoft.card.adaptive" || !has || url != nil || c["type"] != "AdaptiveCard" || c["version"] != "1.4" {
		return fmt.Errorf("attachment %v", a)
	}
	if err := only(c, "$schema", "type", "version", "body", "actions", "msteams"); err != nil {
		return err
	}
	paragraphs, _ := c["body"].([]any)
	if len(paragraphs) == 0 {
		return errors.New("an empty card")
	}
	for _, p := range paragraphs {
		if err := paragraph(p.(map[string]any)); err != nil {
			return err
		}
	}
	actions, _ := c["actions"].([]any)
	if len(actions) > 6 {
		return errors.New("Teams shows six actions")
	}
	for _, x := range actions {
		o := x.(map[string]any)
		to, _ := o["url"].(string)
		if o["type"] != "Action.OpenUrl" || o["title"] == "" || !strings.HasPrefix(to, "https://") {
			return fmt.Errorf("action %v", o)
		}
	}
	return nil
}

func paragraph(p map[string]any) error {
	runs, _ := p["inlines"].([]any)
	if p["type"] != "RichTextBlock" || len(runs) == 0 {
		return fmt.Errorf("%v: text that is markup", p)
	}
	for _, x := range runs {
		r := x.(map[string]any)
		if text, _ := r["text"].(string); r["type"] != "TextRun" || text == "" || strings.ContainsAny(text, "\n\x00\x1b\u202e") {
			return fmt.Errorf("run %v", r)
		}
		if err := only(r, "type", "text", "weight", "size", "color", "isSubtle"); err != nil {
			return err
		}
	}
	return only(p, "type", "inlines", "separator")
}

func only(m map[string]any, names ...string) error {
	for k := range m {
		if !strings.Contains(" "+strings.Join(names, " ")+" ", " "+k+" ") {
			return errors.New("unknown field " + k)
		}
	}
	return nil
}

func TestTeamsTakesEveryMessage(t *testing.T) {
	channeltest.Run(t, channeltest.Case{
		New: newChannel, To: notify.Target{Channel: "teams", Address: "ops"}, Status: http.StatusAccepted, Secrets: []string{signature},
		Accept: func(r *http.Request, body []byte, m notify.Message) (string, error) {
			err := accept(r, body)
			if err == nil && m.Acknowledge != "" && !strings.Contains(string(body), m.Acknowledge) {
				err = errors.New("nobody can acknowledge")
			}
			return "", err
		},
	})
}

// The connectors that workflows replace say so with 200.
func TestWhatWasNotDeliveredIsNoReceipt(t *testing.T) {
	for body, later := range map[string]bool{
		"Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429 with ContextId tcid=0": true,
		"Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 400":                       false,
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }))
		_, err := newChannel(t, s.URL).Send(t.Context(), notify.Message{Kind: notify.Paged, Title: "x", To: notify.Target{Address: "ops"}})
		if err == nil || (notify.RetryAfter(err) > 0) != later || notify.IsRefused(err) {
			t.Errorf("%s: %v", body, err)
		}
		s.Close()
	}
}

func TestAnUnknownDestinationAndABrokenURLAreRefused(t *testing.T) {
	c := newChannel(t, "ftp://x")
	for _, to := range []string{"ops", "x", ""} {
		if _, err := c.Send(t.Context(), notify.Message{Kind: notify.Paged, Title: "x", To: notify.Target{Address: to}}); !notify.IsRefused(err) || strings.Contains(err.Error(), signature) {
			t.Errorf("%s: %v", to, err)
		}
	}
}
