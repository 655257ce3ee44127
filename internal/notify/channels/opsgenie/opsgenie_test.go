package opsgenie_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/notify/channels/kind"
	"github.com/signalbox-project/signalbox/internal/notify/channels/opsgenie"
	"github.com/signalbox-project/signalbox/internal/notify/channeltest"
	"github.com/signalbox-project/signalbox/internal/outgoing"
	"github.com/signalbox-project/signalbox/internal/platform/secretfile"
)

const key = "eb243592-faa2-4ba2-a551q-1afdf565c889"

func newChannel(t *testing.T, base string) notify.Channel {
	t.Helper()
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte(key), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := &opsgenie.Config{URL: base, Key: secretfile.Key{File: file}}
	if errs := cfg.Validate(); len(errs) > 0 {
		t.Fatal(errs)
	}
	c, err := opsgenie.New(cfg, kind.Deps{Outgoing: outgoing.New(outgoing.Config{}), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// sent is what https://docs.opsgenie.com/docs/alert-api documents of the three calls.
type sent struct {
	Message     string              `json:"message"`
	Alias       string              `json:"alias"`
	Description string              `json:"description"`
	Responders  []map[string]string `json:"responders"`
	Tags        []string            `json:"tags"`
	Details     map[string]string   `json:"details"`
	Entity      string              `json:"entity"`
	Source      string              `json:"source"`
	Priority    string              `json:"priority"`
	User        string              `json:"user"`
	Note        string              `json:"note"`
	path        string
}

func units(s string) int { return len(utf16.Encode([]rune(s))) }

var steps = regexp.MustCompile(`^/v2/alerts/([A-Za-z0-9._~-]{1,512})/(acknowledge|close)\?identifierType=alias$`)

func accept(r *http.Request, body []byte) (s sent, err error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return s, err
	}
	s.path = r.URL.RequestURI()
	if r.Method != "POST" || r.Header.Get("Authorization") != "GenieKey "+key || r.Header.Get("Content-Type") != "application/json" || !utf8.Valid(body) {
		return s, errors.New("not a POST of JSON with a key")
	}
	if m := steps.FindStringSubmatch(s.path); m != nil {
		if s.Message != "" || s.Responders != nil || s.Priority != "" || units(s.User) > 100 || units(s.Note) > 25_000 {
			return s, errors.New("fields of another call")
		}
		s.Alias = m[1]
		return s, nil
	}
	size := 0
	for k, v := range s.Details {
		size += units(k) + units(v)
	}
	switch {
	case s.path != "/v2/alerts" || s.User != "" || s.Note != "":
		return s, errors.New("path " + s.path)
	case units(s.Message) < 1 || units(s.Message) > 130:
		return s, fmt.Errorf("message: 1 to 130 characters, has %d", units(s.Message))
	case s.Alias == "" || units(s.Alias) > 512 || units(s.Entity) > 512 || units(s.Source) > 100 || units(s.Description) > 15_000 || size > 8000:
		return s, errors.New("a field is too long")
	case !regexp.MustCompile(`^P[1-5]$`).MatchString(s.Priority):
		return s, errors.New("priority " + s.Priority)
	case len(s.Tags) > 20 || len(s.Responders) != 1:
		return s, errors.New("tags or responders")
	}
	return s, nil
}

const taken = `{"result":"Request will be processed","took":0.302,"requestId":"43a29c5c-3dbf-4fa4-9c26-f4f71023e120"}`

func kinds() []notify.Kind {
	return []notify.Kind{notify.Paged, notify.Noticed, notify.Acknowledged, notify.Resolved, notify.Drill}
}

func TestOpsgenieTakesEveryMessage(t *testing.T) {
	channeltest.Run(t, channeltest.Case{
		New: newChannel, To: notify.Target{Channel: "opsgenie", Address: "shop"}, Status: http.StatusAccepted, Secrets: []string{key}, Kinds: kinds(),
		Accept: func(r *http.Request, body []byte, m notify.Message) (string, error) {
			s, err := accept(r, body)
			want := map[notify.Kind]string{notify.Acknowledged: "/acknowledge?", notify.Resolved: "/close?"}[m.Kind]
			if err == nil && (want == "") != (s.path == "/v2/alerts") || !strings.Contains(s.path, want) {
				err = errors.New(s.path)
			}
			return taken, err
		},
	})
}

func TestOnePageIsOneAlertAndAddressesNameResponders(t *testing.T) {
	var got []sent
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		one, err := accept(r, body)
		if err != nil {
			t.Error(err)
		}
		got = append(got, one)
		w.WriteHeader(202)
		_, _ = io.WriteString(w, taken)
	}))
	defer s.Close()
	c := newChannel(t, s.URL)
	seen := map[string]bool{}
	for _, dedup := range []string{"a", "a/b", "a?b", "..", ".", "{}:{a=\"b\"}", "%2F", strings.Repeat("a", 513), strings.Repeat("a", 512), "漢"} {
		got = nil
		for _, k := range kinds() {
			if _, err := c.Send(t.Context(), notify.Message{Kind: k, DedupKey: dedup, Title: "x", To: notify.Target{Address: "shop"}}); err != nil {
				t.Fatalf("%q: %v", dedup, err)
			}
		}
		for _, one := range got {
			if one.Alias != got[0].Alias {
				t.Errorf("%q: %q and %q", dedup, got[0].Alias, one.Alias)
			}
		}
		if seen[got[0].Alias] {
			t.Errorf("%q: has the alias of another page", dedup)
		}
		seen[got[0].Alias] = true
	}
	for address, want := range map[string]string{
		"shop": `{"name":"shop","type":"team"}`, "team:shop": `{"name":"shop","type":"team"}`, "user:a@example.org": `{"type":"user","username":"a@example.org"}`,
		"schedule:first": `{"name":"first","type":"schedule"}`, "escalation:x y": `{"name":"x y","type":"escalation"}`, "": "", "user:": "", "group:x": "",
	} {
		got = nil
		_, err := c.Send(t.Context(), notify.Message{Kind: notify.Paged, DedupKey: "k", Title: "x", Level: "P0", To: notify.Target{Address: address}, Page: &model.Page{}})
		if want == "" {
			if !notify.IsRefused(err) || len(got) != 0 {
				t.Errorf("%q: %v", address, err)
			}
			continue
		}
		if text, _ := json.Marshal(got[0].Responders[0]); err != nil || string(text) != want || got[0].Priority != "P1" {
			t.Errorf("%q: %s, %v", address, text, err)
		}
	}
}

func TestWhatIsNoPageAndWhatIsNoAnswerIsSaid(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }))
	defer s.Close()
	c, to := newChannel(t, s.URL), notify.Target{Address: "shop"}
	for _, m := range []notify.Message{{Kind: notify.Told, DedupKey: "k", To: to}, {Kind: notify.Verification, DedupKey: "k", To: to}, {Kind: notify.Paged, To: to}} {
		if _, err := c.Send(t.Context(), m); !notify.IsRefused(err) {
			t.Errorf("%s: %v", m.Kind, err)
		}
	}
	if _, err := c.Send(t.Context(), notify.Message{Kind: notify.Paged, DedupKey: "k", Title: "x", To: to}); err == nil || notify.IsRefused(err) {
		t.Error(err)
	}
}
