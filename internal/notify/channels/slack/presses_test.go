package slack_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/notify/channels/slack"
	"github.com/signalbox-project/signalbox/internal/store"
)

const signingSecret = "8f742231b10e8888abcd99yyyzzz85a5"

var now = time.Unix(1531420618, 0)

// hands note what was asked for.
type hands struct {
	notify.Hands
	did    []string
	acked  string // who has the page already
	err    error
	person map[string]string // by ID, name or e-mail
}

func (h *hands) Acknowledge(_ context.Context, id, by, how string) (model.Page, error) {
	h.did = append(h.did, "acknowledge "+id+" by "+by+" from "+how)
	p := page()
	if p.AckedBy = by; h.acked != "" {
		p.AckedBy = h.acked
	}
	return *p, h.err
}

func (h *hands) Person(_ context.Context, p notify.Presser) string {
	for _, k := range []string{p.Name, p.Email} {
		if name := h.person[k]; k != "" && name != "" {
			return name
		}
	}
	return ""
}

func (h *hands) Silence(_ context.Context, id, person, how string, d time.Duration) (string, error) {
	h.did = append(h.did, "silence "+id+" by "+person+" from "+how+" for "+d.String())
	return `alertname="Down"`, h.err
}

func signed(stamp int64, secret, body string) *http.Request {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("v0:" + strconv.FormatInt(stamp, 10) + ":" + body))
	r := httptest.NewRequest("POST", "/sb/v1/hooks/channels/slack", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Slack-Request-Timestamp", strconv.FormatInt(stamp, 10))
	r.Header.Set("X-Slack-Signature", "v0="+hex.EncodeToString(mac.Sum(nil)))
	return r
}

// Slack's documentation has this request with its signature.
func TestTheSignatureIsThatOfSlacksDocumentation(t *testing.T) {
	const body = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner" +
		"&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN" +
		"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
	r := httptest.NewRequest("POST", "/", strings.NewReader(body))
	r.Header.Set("X-Slack-Request-Timestamp", "1531420618")
	r.Header.Set("X-Slack-Signature", "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503")
	in := newChannel(t, newWorkspace(t)).Intake(&hands{}, func() time.Time { return now })
	if work, err := in.Read(r, []byte(body)); work != nil || err != nil {
		t.Error(err)
	}
}

func TestOnlySlackIsBelievedOnceAndSoon(t *testing.T) {
	const body = "payload=%7B%22type%22%3A%22view_closed%22%7D"
	at := now
	c := newChannel(t, newWorkspace(t))
	in := c.Intake(&hands{}, func() time.Time { return at })
	stamp := now.Unix()
	refused := func(what string, r *http.Request, text string) {
		t.Helper()
		if _, err := in.Read(r, []byte(text)); !errors.Is(err, notify.ErrUnproved) {
			t.Errorf("%s: %v", what, err)
		}
	}
	good := signed(stamp, signingSecret, body)
	if _, err := in.Read(good, []byte(body)); err != nil {
		t.Fatal(err)
	}
	refused("again", good, body)
	refused("another secret", signed(stamp, "x", body), body)
	refused("another body", signed(stamp+1, signingSecret, body), body+" ")
	refused("too old", signed(stamp-301, signingSecret, body), body)
	refused("of the future", signed(stamp+301, signingSecret, body), body)
	r := signed(stamp+2, signingSecret, body)
	r.Header.Set("X-Slack-Request-Timestamp", strconv.FormatInt(stamp+3, 10))
	refused("another time", r, body)
	for _, header := range []string{"X-Slack-Request-Timestamp", "X-Slack-Signature"} {
		r := signed(stamp+4, signingSecret, body)
		r.Header.Del(header)
		refused("without "+header, r, body)
	}
	early := signed(stamp+299, signingSecret, body)
	if _, err := in.Read(early, []byte(body)); err != nil {
		t.Fatal(err)
	}
	at = now.Add(598 * time.Second)
	refused("again at the end of its time", early, body)
	if c := newChannel(t, newWorkspace(t), func(c *slack.Config) { c.SigningSecret = nil }); c.Intake(&hands{}, time.Now) != nil {
		t.Error("without a secret somebody is believed")
	}
}

// press is what Slack sends for a button of the first message of a workspace.
func press(t *testing.T, w *workspace, in notify.Intake, action, user, team string) (string, error) {
	t.Helper()
	at := strings.SplitN(firstMessage(w), "/", 2)
	payload, _ := json.Marshal(map[string]any{
		"type": "block_actions", "team": map[string]any{"id": "T1"}, "user": map[string]any{"id": user, "username": "<!here>", "team_id": team},
		"container": map[string]any{"type": "message", "channel_id": at[0], "message_ts": at[1]},
		"message":   map[string]any{"text": "x", "blocks": w.messages[firstMessage(w)].Blocks},
		"actions":   []any{map[string]any{"action_id": action, "value": "pg-1"}},
	})
	body := url.Values{"payload": {string(payload)}}.Encode()
	work, err := in.Read(signed(now.Unix(), signingSecret, body), []byte(body))
	if err != nil || work == nil {
		t.Fatal(work, err)
	}
	return work(t.Context())
}

func firstMessage(w *workspace) string { return w.calls[0].Channel + "/" + w.calls[0].TS }

func TestButtonsAcknowledgeAndSilence(t *testing.T) {
	const anna = `{"id":"U0ANNA","team_id":"T1","is_email_confirmed":true,"profile":{"email":"anna@example.org"}}`
	people := map[string]string{"anna@example.org": "anna", "bert": "bert"}
	for _, c := range []struct {
		name, action, user, team, info string
		hands                          hands
		outcome, did, whisper          string
	}{
		{name: "known by e-mail", action: "signalbox.acknowledge", user: "U0ANNA", info: anna, outcome: "acknowledged", did: "acknowledge pg-1 by anna from slack"},
		{name: "known by the configuration", action: "signalbox.acknowledge", user: "U0BERT", outcome: "acknowledged", did: "acknowledge pg-1 by bert from slack"},
		{name: "unknown", action: "signalbox.acknowledge", user: "U0X", outcome: "acknowledged", did: "acknowledge pg-1 by slack:U0X (<!here>) from slack"},
		{name: "an e-mail that is not confirmed", action: "signalbox.silence", user: "U0ANNA", info: strings.Replace(anna, "true", "false", 1), outcome: "refused", whisper: "U0ANNA"},
		{name: "somebody of another organisation", action: "signalbox.acknowledge", user: "U0X", team: "T2", outcome: "refused", whisper: "another organisation"},
		{name: "a stranger with an e-mail of ours", action: "signalbox.acknowledge", user: "U0ANNA", team: "T2", info: strings.Replace(anna, "T1", "T2", 1), outcome: "refused", whisper: "another organisation"},
		{name: "taken already", action: "signalbox.acknowledge", user: "U0ANNA", info: anna, hands: hands{acked: "bert"}, outcome: "late", did: "acknowledge pg-1 by anna from slack", whisper: "taken by bert"},
		{name: "gone", action: "signalbox.acknowledge", user: "U0ANNA", info: anna, hands: hands{err: store.ErrNotFound}, outcome: "refused", did: "acknowledge pg-1 by anna from slack", whisper: "not there any more"},
		{name: "silence", action: "signalbox.silence", user: "U0ANNA", info: anna, outcome: "silenced", did: "silence pg-1 by anna from slack for 1h0m0s"},
		{name: "silence of somebody unknown", action: "signalbox.silence", user: "U0X", outcome: "refused", whisper: "does not know who you are"},
	} {
		w := newWorkspace(t)
		ch := newChannel(t, w, func(c *slack.Config) { c.People = map[string]string{"U0BERT": "bert"} })
		if _, err := ch.Send(t.Context(), message(notify.Paged, page())); err != nil {
			t.Fatal(err)
		}
		if c.info != "" {
			w.users[c.user] = c.info
		}
		if c.hands.person = people; c.team == "" {
			c.team = "T1"
		}
		outcome, err := press(t, w, ch.Intake(&c.hands, func() time.Time { return now }), c.action, c.user, c.team)
		if outcome != c.outcome || err != nil || strings.Join(c.hands.did, ", ") != c.did {
			t.Errorf("%s: %s, %v, did %v", c.name, outcome, err, c.hands.did)
		}
		whisper := ""
		for _, k := range w.calls {
			if k.Method == "chat.postEphemeral" && k.User == c.user {
				whisper += k.Text
			}
		}
		if (whisper != "") != (c.whisper != "") || !strings.Contains(whisper, c.whisper) {
			t.Errorf("%s: whispered %q", c.name, whisper)
		}
		blocks, _ := json.Marshal(w.messages[firstMessage(w)].Blocks)
		if acked := !strings.Contains(string(blocks), "signalbox.acknowledge"); acked != (outcome == "acknowledged" || outcome == "late") {
			t.Errorf("%s: the button is not as it should be: %s", c.name, blocks)
		}
		if outcome == "acknowledged" && !strings.Contains(string(blocks), "taken by") || !strings.Contains(string(blocks), "signalbox.silence") {
			t.Errorf("%s: %s", c.name, blocks)
		}
	}
}

func TestAnOddInteractionIsNoHarm(t *testing.T) {
	in := newChannel(t, newWorkspace(t)).Intake(&hands{}, func() time.Time { return now })
	for i, c := range []struct {
		payload string
		bad     bool
	}{
		{`{`, true},
		{`[]`, true},
		{`{"type":"view_submission"}`, false},
		{`{"type":"block_actions","container":{"type":"message"},"actions":[{"action_id":"signalbox.acknowledge"}]}`, true},
		{`{"type":"block_actions","container":{"type":"message","channel_id":"C","message_ts":"1"},"user":{"id":"U"},"actions":[{"action_id":"signalbox.link.0"}]}`, false},
		{`{"type":"block_actions","container":{"type":"message","channel_id":"C","message_ts":"1"},"user":{"id":"U"},"actions":[]}`, false},
	} {
		body := url.Values{"payload": {c.payload}, "n": {strconv.Itoa(i)}}.Encode()
		work, err := in.Read(signed(now.Unix(), signingSecret, body), []byte(body))
		if work != nil || errors.Is(err, notify.ErrMalformed) != c.bad {
			t.Errorf("%s: %v", c.payload, err)
		}
	}
}
