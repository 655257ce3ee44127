package ntfy_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/notify/channels/kind"
	"github.com/signalbox-project/signalbox/internal/notify/channels/ntfy"
	"github.com/signalbox-project/signalbox/internal/notify/channeltest"
	"github.com/signalbox-project/signalbox/internal/platform/secretfile"
)

const (
	token = "tk_AgQdq7mVBoFD37zQVN29RhuMzNIz2"
	topic = "edge-pages-9f3k"
)

// What the server's documentation lists of a publication as JSON.
type documented struct {
	Topic, Title, Message string
	Priority              int
	Tags                  []string
	Click                 string
	Actions               []struct {
		Action, Label, URL string
		Clear              bool
	}
}

func (d documented) check() error {
	if d.Topic != topic || d.Message == "" || len(d.Message) > 4096 || d.Title == "" || len(d.Title) > 250 || d.Priority < 1 || d.Priority > 5 || len(d.Actions) > 3 {
		return fmt.Errorf("%+v", d)
	}
	if strings.ContainsAny(d.Title, "\n\r") || !utf8.ValidString(d.Title+d.Message) || slices.Contains(d.Tags, "") {
		return fmt.Errorf("text of %+v", d)
	}
	for _, a := range d.Actions {
		if u, err := url.Parse(a.URL); err != nil || u.Host == "" || a.Action != "view" || a.Label == "" {
			return fmt.Errorf("action %+v", a)
		}
	}
	return nil
}

func TestNtfy(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	channeltest.Run(t, channeltest.Case{
		New: func(t *testing.T, base string) notify.Channel {
			c := &ntfy.Config{URL: base, Token: &secretfile.Key{File: file}}
			if errs := c.Validate(); len(errs) != 0 {
				t.Fatal(errs)
			}
			ch, err := ntfy.New(c, kind.Deps{})
			if err != nil {
				t.Fatal(err)
			}
			return ch
		},
		To: notify.Target{Channel: "ntfy", Address: topic, Person: "ada"}, Secrets: []string{token, topic},
		Accept: func(r *http.Request, body []byte, m notify.Message) (string, error) {
			if r.Method != http.MethodPost || r.URL.Path != "/" || r.Header.Get("Authorization") != "Bearer "+token {
				return "", errors.New("another request")
			}
			var d documented
			strict := json.NewDecoder(bytes.NewReader(body))
			strict.DisallowUnknownFields()
			if err := strict.Decode(&d); err != nil {
				return "", err
			}
			if m.Kind == notify.Paged && d.Priority != 5 {
				return "", errors.New("a page that is not urgent")
			}
			if m.Acknowledge != "" && (len(d.Actions) == 0 || d.Actions[0].URL != m.Acknowledge) {
				return "", errors.New("the link to acknowledge is missing")
			}
			return `{"id":"sPs71M8A2T","time":1735689600,"event":"message"}`, d.check()
		},
	})
}

func TestWhatIsNoTopicIsRefused(t *testing.T) {
	ch, err := ntfy.New(&ntfy.Config{}, kind.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"", "a/b", "a b", strings.Repeat("x", 65), "../admin"} {
		if _, err := ch.Send(t.Context(), notify.Message{To: notify.Target{Address: address}}); !notify.IsRefused(err) {
			t.Errorf("%q: %v", address, err)
		}
	}
	for want, c := range map[string]ntfy.Config{
		"url: ": {URL: "https://ntfy.example/topic"}, "token: ": {Token: &secretfile.Key{}},
	} {
		if errs := c.Validate(); len(errs) != 1 || !strings.HasPrefix(errs[0].Error(), want) {
			t.Error(errs)
		}
	}
}
