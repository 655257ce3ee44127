package pushover_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	common "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/notify/channels/kind"
	"github.com/signalbox-project/signalbox/internal/notify/channels/pushover"
	"github.com/signalbox-project/signalbox/internal/notify/channeltest"
	"github.com/signalbox-project/signalbox/internal/outgoing"
	"github.com/signalbox-project/signalbox/internal/platform/secretfile"
	"github.com/signalbox-project/signalbox/internal/store"
)

const (
	token = "azGDORePK8gMaC0QOYAMyEEuzJnyUi"
	user  = "uQiRzpo4DXghDmr9QzzfQu27cmVRsG"
	hooks = "https://signalbox.example/sb/v1/hooks/channels/"
)

func newChannel(t *testing.T, base string) *pushover.Channel {
	t.Helper()
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := &pushover.Config{Account: kind.Account{Token: secretfile.Key{File: file}, URL: base}}
	if errs := cfg.Validate(); len(errs) > 0 {
		t.Fatal(errs)
	}
	c, err := pushover.New(cfg, kind.Deps{Outgoing: outgoing.New(outgoing.Config{}), Now: time.Now, Hooks: hooks})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// documented is what Pushover's API lists of a message, as far as it is used here.
type documented struct {
	Token, User, Title, Message string
	Priority                    int
	Timestamp                   int64
	URL                         string
	URLTitle                    string `json:"url_title"`
	Retry, Expire               int
	Callback, Tags              string
}

var tagRE = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)

func (d documented) check(m notify.Message) error {
	switch {
	case d.Token != token || d.User != user:
		return errors.New("application token is invalid")
	case strings.TrimSpace(d.Message) == "" || utf8.RuneCountInString(d.Message) > 1024:
		return fmt.Errorf("message has %d characters", utf8.RuneCountInString(d.Message))
	case utf8.RuneCountInString(d.Title) > 250 || strings.ContainsAny(d.Title, "\r\n"):
		return fmt.Errorf("title %q", d.Title)
	case len(d.URL) > 512 || utf8.RuneCountInString(d.URLTitle) > 100:
		return errors.New("url is too long")
	case d.Priority < -2 || d.Priority > 2:
		return errors.New("priority is invalid")
	case d.Priority == 2 && (d.Retry < 30 || d.Expire < 1 || d.Expire > 10800 || !tagRE.MatchString(d.Tags)):
		return errors.New("expire and retry must be supplied with priority=2")
	case d.Priority != 2 && d.Retry+d.Expire > 0:
		return errors.New("retry without an emergency")
	case (m.Kind == notify.Paged) != (d.Priority == 2) && m.Kind != notify.Drill:
		return fmt.Errorf("a %s has priority %d", m.Kind, d.Priority)
	case m.Kind == notify.Paged && m.Page != nil && !strings.HasPrefix(d.Callback, hooks+"pushover?"):
		return errors.New("nobody is called back")
	}
	return nil
}

func accept(r *http.Request, body []byte, m notify.Message) (string, error) {
	if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
		return "", errors.New("another request")
	}
	strict := json.NewDecoder(bytes.NewReader(body))
	strict.DisallowUnknownFields()
	var d documented
	if err := strict.Decode(&d); err != nil {
		return "", err
	}
	if tag, ok := strings.CutPrefix(r.URL.Path, "/1/receipts/cancel_by_tag/"); ok {
		if d.Token != token || !tagRE.MatchString(strings.TrimSuffix(tag, ".json")) || m.Kind != notify.Acknowledged && m.Kind != notify.Resolved {
			return "", errors.New("a wrong cancellation")
		}
		return `{"status":1,"request":"a","canceled":1}`, nil
	}
	if r.URL.Path != "/1/messages.json" {
		return "", errors.New(r.URL.Path)
	}
	return `{"status":1,"request":"647d2300-702c-4b38-8b2f-d56326ae460b","receipt":"rLqVuqTRh62UzxtmqiaLzQmVcPgiCy"}`, d.check(m)
}

func TestPushoverTakesEveryMessage(t *testing.T) {
	channeltest.Run(t, channeltest.Case{
		New: func(t *testing.T, base string) notify.Channel { return newChannel(t, base) },
		To:  notify.Target{Channel: "pushover", Address: user, Person: "ada"}, Secrets: []string{token, user}, Accept: accept, Patience: 5 * time.Second,
	})
}

func TestAMonthThatIsUsedUpIsNotWaitedFor(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Limit-App-Limit", "10000")
		w.Header().Set("X-Limit-App-Remaining", "0")
		w.Header().Set("X-Limit-App-Reset", "1393653600")
		w.WriteHeader(http.StatusTooManyRequests)
		io.WriteString(w, `{"errors":["application is over its quota"],"status":0,"request":"x"}`)
	}))
	defer s.Close()
	_, err := newChannel(t, s.URL).Send(t.Context(), paged())
	if !notify.IsRefused(err) || !strings.Contains(err.Error(), "used up") {
		t.Error(err)
	}
}

func paged() notify.Message {
	return notify.Message{
		DedupKey: "k", Kind: notify.Paged, Title: "Down", To: notify.Target{Channel: "pushover", Address: user}, Page: &model.Page{ID: "19c8d0f8a00-0123456789ab"},
	}
}

// hands note who acknowledges.
type hands struct {
	notify.Hands
	known map[string]string
	did   []string
	err   error
	first string // who was quicker
}

func (h *hands) Person(_ context.Context, who notify.Presser) string { return h.known[who.ID] }

func (h *hands) Acknowledge(_ context.Context, page, by, how string) (model.Page, error) {
	if h.first != "" {
		by = h.first
	}
	h.did = append(h.did, page+" by "+by+" from "+how)
	return model.Page{ID: page, AckedBy: by}, h.err
}

func TestWhatIsAcknowledgedThereIsAcknowledgedHere(t *testing.T) {
	var callback string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var d documented
		_ = json.NewDecoder(r.Body).Decode(&d)
		callback = d.Callback
		io.WriteString(w, `{"status":1,"request":"a","receipt":"r"}`)
	}))
	defer s.Close()
	c := newChannel(t, s.URL)
	receipt, err := c.Send(t.Context(), paged())
	if err != nil || receipt.ID != "r" {
		t.Fatal(receipt, err)
	}
	h := &hands{known: map[string]string{user: "ada"}}
	in := c.Intake(h, time.Now)
	call := func(at, body string) (string, error) {
		r := httptest.NewRequest(http.MethodPost, at, strings.NewReader(body))
		work, err := in.Read(r, []byte(body))
		if err != nil || work == nil {
			return "nothing", err
		}
		return work(t.Context())
	}
	form := url.Values{"receipt": {"r"}, "acknowledged": {"1"}, "acknowledged_at": {"1360019238"}, "acknowledged_by": {user}, "acknowledged_by_device": {"phone"}}
	for _, other := range []string{hooks + "pushover", strings.Replace(callback, "0123456789ab", "0123456789ac", 1), callback[:len(callback)-1], callback + "A"} {
		if _, err := call(other, form.Encode()); !errors.Is(err, notify.ErrUnproved) {
			t.Errorf("%s: %v", other, err)
		}
	}
	if got, err := call(callback, "acknowledged=0"); got != "nothing" || err != nil {
		t.Error(got, err)
	}
	if got, err := call(callback, "%zz"); !errors.Is(err, notify.ErrMalformed) {
		t.Error(got, err)
	}
	if got, err := call(callback, form.Encode()); got != "acknowledged" || err != nil {
		t.Error(got, err)
	}
	form.Set("acknowledged_by", "gznej3rKEVAvPUxu9vvNnqpmZpokzF")
	if got, err := call(callback, form.Encode()); got != "acknowledged" || err != nil {
		t.Error(got, err)
	}
	if want := "19c8d0f8a00-0123456789ab by ada from pushover, 19c8d0f8a00-0123456789ab by somebody by Pushover from pushover"; strings.Join(h.did, ", ") != want {
		t.Error(h.did)
	}
	h.first = "ben"
	if got, err := call(callback, form.Encode()); got != "late" || err != nil {
		t.Error(got, err)
	}
	h.err = store.ErrNotFound
	if got, err := call(callback, form.Encode()); got != "refused" || err != nil {
		t.Error(got, err)
	}
}

func TestWhatPushoverWouldNotTakeIsRefused(t *testing.T) {
	for _, address := range []string{"", "short", user + "x", user[:29] + "/", user[:29] + "\n"} {
		m := paged()
		m.To.Address = address
		if _, err := newChannel(t, "http://127.0.0.1:1").Send(t.Context(), m); !notify.IsRefused(err) {
			t.Errorf("%q: %v", address, err)
		}
	}
	good := secretfile.Key{File: "x"}
	for want, c := range map[string]pushover.Config{
		"token: ": {}, "retry: ": {Account: kind.Account{Token: good}, Retry: common.Duration(time.Second)}, "url: ": {Account: kind.Account{Token: good, URL: "javascript:x"}},
		"expire: at most": {Account: kind.Account{Token: good}, Expire: common.Duration(4 * time.Hour)}, "expire: must not": {Account: kind.Account{Token: good}, Retry: common.Duration(2 * time.Hour)},
	} {
		if errs := c.Validate(); len(errs) != 1 || !strings.HasPrefix(errs[0].Error(), want) {
			t.Error(want, errs)
		}
	}
}
