package twilio_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha1" // #nosec G505 -- Twilio signs so
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/notify/channels/kind"
	"github.com/signalbox-project/signalbox/internal/notify/channels/twilio"
	"github.com/signalbox-project/signalbox/internal/notify/channeltest"
	"github.com/signalbox-project/signalbox/internal/outgoing"
	"github.com/signalbox-project/signalbox/internal/platform/secretfile"
)

const (
	account = "AC0a1b2c3d4e5f60718293a4b5c6d7e8f9"
	token   = "f00dfacef00dfacef00dfacef00dface"
	from    = "+15005550006"
	number  = "+4915112987654"
	hooks   = "https://signalbox.example/sb/v1/hooks/channels/"
)

type memory map[string]string

func (m memory) Remember(_ context.Context, to notify.Target, key, what string) error {
	m[to.Channel+to.Address+"/"+key] = what
	return nil
}

func (m memory) Recall(_ context.Context, to notify.Target, key string) (string, error) {
	return m[to.Channel+to.Address+"/"+key], nil
}

func config(t *testing.T, base string) twilio.Config {
	t.Helper()
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return twilio.Config{SID: account, Account: kind.Account{Token: secretfile.Key{File: file}, URL: base}, From: from, Replies: true}
}

func made(t *testing.T, cfg twilio.Config, now func() time.Time) map[string]notify.Channel {
	t.Helper()
	if errs := cfg.Validate(); len(errs) > 0 {
		t.Fatal(errs)
	}
	c, err := twilio.New(&cfg, kind.Deps{Outgoing: outgoing.New(outgoing.Config{}), Now: now, Hooks: hooks, Memory: memory{}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// fields are those that Twilio documents, as far as they are used here; another one is an error.
var fields = map[string][]string{
	"Messages": {"To", "From", "MessagingServiceSid", "Body", "StatusCallback", "ValidityPeriod"},
	"Calls":    {"To", "From", "Twiml", "StatusCallback", "StatusCallbackEvent", "Timeout", "TimeLimit", "MachineDetection"},
}

func accept(r *http.Request, body []byte, what string) (url.Values, error) {
	user, password, _ := r.BasicAuth()
	if r.Method != http.MethodPost || r.URL.Path != "/2010-04-01/Accounts/"+account+"/"+what+".json" || user != account || password != token {
		return nil, errors.New("Authenticate")
	}
	form, err := url.ParseQuery(string(body))
	if err != nil || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
		return nil, errors.New("no form")
	}
	for name := range form {
		if !slices.Contains(fields[what], name) {
			return nil, fmt.Errorf("%s is no parameter", name)
		}
	}
	if form.Get("To") != number || form.Get("From") != from {
		return nil, errors.New("a wrong number")
	}
	if at := form.Get("StatusCallback"); at != "" && !strings.HasPrefix(at, hooks) {
		return nil, errors.New("StatusCallback " + at)
	}
	return form, nil
}

func TestTwilioTextsEveryMessage(t *testing.T) {
	channeltest.Run(t, channeltest.Case{
		New:     func(t *testing.T, base string) notify.Channel { return made(t, config(t, base), time.Now)["sms"] },
		To:      notify.Target{Channel: "sms", Address: number, Person: "ada"},
		Secrets: []string{token, base64.StdEncoding.EncodeToString([]byte(account + ":" + token)), number}, Status: http.StatusCreated,
		Accept: func(r *http.Request, body []byte, m notify.Message) (string, error) {
			form, err := accept(r, body, "Messages")
			if err != nil {
				return "", err
			}
			text := form.Get("Body")
			switch {
			case strings.TrimSpace(text) == "" || utf8.RuneCountInString(text) > 1600 || !utf8.ValidString(text) || strings.ContainsAny(text, "\x00\x1b\u202e"):
				return "", fmt.Errorf("body %q", text)
			case twilio.Segments(text) > 3:
				return "", fmt.Errorf("%d segments", twilio.Segments(text))
			case m.Kind == notify.Paged && m.Page != nil && !strings.HasSuffix(text, "Reply 4 10 to acknowledge."):
				return "", fmt.Errorf("not how to acknowledge: %q", text)
			}
			return `{"sid":"SM0a1b2c3d4e5f60718293a4b5c6d7e8f9","status":"queued","num_segments":"1"}`, nil
		},
	})
}

// spoken is TwiML as Twilio reads it: an element that is not there would end the call.
type spoken struct {
	XMLName xml.Name `xml:"Response"`
	Says    []string `xml:"Say"`
	Gather  []struct {
		Digits int      `xml:"numDigits,attr"`
		Action string   `xml:"action,attr"`
		Says   []string `xml:"Say"`
	} `xml:"Gather"`
	Other []struct {
		XMLName xml.Name
	} `xml:",any"`
}

func heard(text string) (s spoken, err error) {
	if err = xml.Unmarshal([]byte(text), &s); err == nil && len(s.Other) > 0 {
		err = fmt.Errorf("verb %s", s.Other[0].XMLName.Local)
	}
	return s, err
}

func TestTwilioCallsForWhatSomebodyWaitsFor(t *testing.T) {
	channeltest.Run(t, channeltest.Case{
		New:     func(t *testing.T, base string) notify.Channel { return made(t, config(t, base), time.Now)["voice"] },
		To:      notify.Target{Channel: "voice", Address: number, Person: "ada"},
		Secrets: []string{token, number}, Status: http.StatusCreated, Kinds: []notify.Kind{notify.Paged, notify.Noticed, notify.Drill, notify.Verification},
		Accept: func(r *http.Request, body []byte, m notify.Message) (string, error) {
			form, err := accept(r, body, "Calls")
			if err != nil {
				return "", err
			}
			s, err := heard(form.Get("Twiml"))
			if err != nil || len(form.Get("Twiml")) > 4000 {
				return "", fmt.Errorf("%w: %d characters of TwiML", err, len(form.Get("Twiml")))
			}
			says := slices.Clone(s.Says)
			for _, g := range s.Gather {
				says = append(says, g.Says...)
				if g.Digits != 1 || !strings.HasPrefix(g.Action, hooks+"voice?about=keys&page=") {
					return "", fmt.Errorf("gather %+v", g)
				}
			}
			if all := strings.Join(says, ""); strings.ContainsAny(all, "<>&*_`\\{}$://@") && strings.Contains(all, "://") || strings.ContainsAny(all, "<>&*_`\\{}$@") {
				return "", fmt.Errorf("a voice cannot read %q", all)
			}
			if m.Kind == notify.Paged && m.Page != nil && len(s.Gather) != 2 {
				return "", errors.New("no key is waited for")
			}
			if m.Kind == notify.Verification && !strings.Contains(strings.Join(says, ""), "1, 2, 3, 4, 5, 6.") {
				return "", fmt.Errorf("not the code: %q", says)
			}
			return `{"sid":"CA0a1b2c3d4e5f60718293a4b5c6d7e8f9","status":"queued"}`, nil
		},
	})
	for _, k := range []notify.Kind{notify.Acknowledged, notify.Resolved, notify.Told} {
		m := page("a")
		m.Kind, m.To.Channel = k, "voice"
		if _, err := made(t, config(t, "http://127.0.0.1:1"), time.Now)["voice"].Send(t.Context(), m); !notify.IsRefused(err) {
			t.Errorf("%s: %v", k, err)
		}
	}
}

// The lengths are those of Twilio's documentation and of GSM 03.38.
func TestSegmentsAreCountedAsTheyArePaid(t *testing.T) {
	for _, c := range []struct {
		text string
		want int
	}{
		{strings.Repeat("a", 160), 1},
		{strings.Repeat("a", 161), 2},
		{strings.Repeat("ä", 160), 1},
		{strings.Repeat("€", 80), 1},
		{strings.Repeat("€", 81), 2},
		{strings.Repeat("я", 70), 1},
		{strings.Repeat("я", 71), 2},
		{strings.Repeat("😀", 35), 1},
		{strings.Repeat("😀", 36), 2},
		{"", 1},
	} {
		if got := twilio.Segments(c.text); got != c.want {
			t.Errorf("%d of %.4s: %d segments, want %d", len([]rune(c.text)), c.text, got, c.want)
		}
	}
}

func page(id string) notify.Message {
	m := channeltest.Messages(notify.Target{Channel: "sms", Address: number}, notify.Paged)["ordinary page"]
	m.Page.ID = id
	return m
}

// service takes everything, and notes what it was sent.
func service(t *testing.T) (base string, sent *[]url.Values) {
	sent = &[]url.Values{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(body))
		*sent = append(*sent, form)
		w.WriteHeader(http.StatusCreated)
		io.WriteString(w, `{"sid":"SM1","status":"queued"}`)
	}))
	t.Cleanup(s.Close)
	return s.URL, sent
}

func TestOneNumberGetsSoManyMessagesAnHour(t *testing.T) {
	now := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	base, sent := service(t)
	cfg := config(t, base)
	cfg.PerHour = 3
	ch := made(t, cfg, func() time.Time { return now })["sms"]
	for i := range 5 {
		if _, err := ch.Send(t.Context(), page(fmt.Sprint(i))); notify.IsRefused(err) != (i >= 3) {
			t.Error(i, err)
		}
	}
	other := page("x")
	other.To.Address = "+4915112987655"
	if _, err := ch.Send(t.Context(), other); err != nil {
		t.Error(err)
	}
	now = now.Add(time.Hour)
	if _, err := ch.Send(t.Context(), page("y")); err != nil || len(*sent) != 5 {
		t.Error(err, len(*sent))
	}
}

func TestWhatTwilioSaysOfANumberIsSaidPlainly(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		io.WriteString(w, `{"code":21610,"message":"Attempt to send to unsubscribed recipient","more_info":"https://www.twilio.com/docs/errors/21610","status":400}`)
	}))
	defer s.Close()
	if _, err := made(t, config(t, s.URL), time.Now)["sms"].Send(t.Context(), page("a")); !notify.IsRefused(err) || !strings.Contains(err.Error(), "texted STOP") {
		t.Error(err)
	}
}

func TestWhatIsNoNumberIsRefused(t *testing.T) {
	for _, address := range []string{"", "0151123456", "+0151123456", "+49 151 1234", "4915112345678", "+4915112987654901", "client:ada", "+4915112987654\n"} {
		for name, ch := range made(t, config(t, "http://127.0.0.1:1"), time.Now) {
			m := page("a")
			m.To.Address = address
			if _, err := ch.Send(t.Context(), m); !notify.IsRefused(err) {
				t.Errorf("%s %q: %v", name, address, err)
			}
		}
	}
	good := config(t, "")
	for want, change := range map[string]func(*twilio.Config){
		"account: ": func(c *twilio.Config) { c.SID = "SK1" }, "token: ": func(c *twilio.Config) { c.Token = secretfile.Key{} },
		"from: ": func(c *twilio.Config) { c.From = "SIGNALBOX" }, "messaging_service: ": func(c *twilio.Config) { c.Service = "x" },
		"language: ": func(c *twilio.Config) { c.Language = "english" }, "voice: ": func(c *twilio.Config) { c.Voice = "<x>" },
		"most_per_hour: ": func(c *twilio.Config) { c.PerHour = -1 }, "url: ": func(c *twilio.Config) { c.URL = "x" },
	} {
		c := good
		if change(&c); len(c.Validate()) != 1 || !strings.HasPrefix(c.Validate()[0].Error(), want) {
			t.Error(want, c.Validate())
		}
	}
}

// sign is Twilio's algorithm, as its documentation has it for a form without repeated fields.
func sign(at string, form url.Values) string {
	var names []string
	for name := range form {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		at += name + form.Get(name)
	}
	mac := hmac.New(sha1.New, []byte(token))
	mac.Write([]byte(at))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
