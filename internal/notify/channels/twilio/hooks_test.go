package twilio_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/notify/channels/twilio"
	"github.com/signalbox-project/signalbox/internal/store"
)

// hands note what is asked of them.
type hands struct {
	notify.Hands
	did   []string
	first string // who was quicker
	err   error
}

func (h *hands) Person(_ context.Context, who notify.Presser) string {
	return map[string]string{number: "ada"}[who.ID]
}

func (h *hands) Acknowledge(_ context.Context, page, by, how string) (model.Page, error) {
	h.did = append(h.did, page+" by "+by+" from "+how)
	if h.first != "" {
		by = h.first
	}
	return model.Page{ID: page, AckedBy: by}, h.err
}

func (h *hands) Report(_ context.Context, page string, r notify.Report) error {
	arrived := map[bool]string{true: "arrived", false: "did not arrive"}[r.Arrived]
	h.did = append(h.did, page+" "+r.Channel+" "+r.Receipt+" "+arrived+": "+r.Note)
	return nil
}

func (h *hands) last() string {
	if len(h.did) == 0 {
		return ""
	}
	out := h.did[len(h.did)-1]
	h.did = nil
	return out
}

type answering interface {
	Intake(notify.Hands, func() time.Time) notify.Intake
}

// post is what Twilio sends, with its signature or another; and what it is answered.
func post(t *testing.T, in notify.Intake, at string, form url.Values, signature string) (outcome, answer string, err error) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, at, strings.NewReader(form.Encode()))
	r.Header.Set("X-Twilio-Signature", signature)
	r.Host = "somebody-elses.example" // it is our own address that counts
	work, err := in.Read(r, []byte(form.Encode()))
	if err != nil {
		return "", "", err
	}
	outcome = "nothing"
	if work != nil {
		outcome, err = work(t.Context())
	}
	contentType, body := in.(notify.Speaker).Speak(r, outcome)
	if contentType != "text/xml" {
		t.Error(contentType)
	}
	return outcome, string(body), err
}

// The example is the one of Twilio's documentation on request validation.
func TestTheSignatureIsTwilios(t *testing.T) {
	form := url.Values{"CallSid": {"CA1234567890ABCDE"}, "Caller": {"+14158675309"}, "Digits": {"1234"}, "From": {"+14158675309"}, "To": {"+18005551212"}}
	if got := twilio.Signature([]byte("12345"), "https://mycompany.com/myapp.php?foo=1&bar=2", form); got != "RSOYDt4T1cUTdK1PDd93/VVr8B8=" {
		t.Error(got)
	}
}

func TestAKeyAcknowledges(t *testing.T) {
	base, sent := service(t)
	ch := made(t, config(t, base), time.Now)["voice"]
	m := page("19c8d0f8a00-0123456789ab")
	m.To.Channel = "voice"
	if _, err := ch.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	call, err := heard((*sent)[0].Get("Twiml"))
	if err != nil {
		t.Fatal(err)
	}
	at, h := call.Gather[0].Action, &hands{}
	in := ch.(answering).Intake(h, time.Now)
	form := url.Values{"AccountSid": {account}, "CallSid": {"CA1"}, "To": {number}, "From": {from}, "Digits": {"4"}, "CallStatus": {"in-progress"}}
	for what, bad := range map[string]string{"no": "", "another": sign(at+"x", form), "of other keys": sign(at, url.Values{"Digits": {"4"}})} {
		if _, _, err := post(t, in, at, form, bad); !errors.Is(err, notify.ErrUnproved) {
			t.Errorf("%s signature: %v", what, err)
		}
	}
	if _, _, err := post(t, in, strings.Replace(at, "0123456789ab", "0123456789ac", 1), form, sign(at, form)); !errors.Is(err, notify.ErrUnproved) {
		t.Error("another page:", err)
	}
	for _, c := range []struct {
		digits, first string
		err           error
		outcome, says string
	}{
		{"4", "", nil, "acknowledged", "You have taken this page"},
		{"4", "ben", nil, "late", "Somebody else has this page"},
		{"4", "", store.ErrNotFound, "refused", "could not be acknowledged"},
		{"7", "", nil, "nothing", "Press 4 to acknowledge"},
		{"", "", nil, "nothing", "Press 4 to acknowledge"},
	} {
		form.Set("Digits", c.digits)
		h.first, h.err = c.first, c.err
		outcome, answer, err := post(t, in, at, form, sign(strings.Replace(at, "signalbox.example", "signalbox.example:443", 1), form))
		if err != nil || outcome != c.outcome || !strings.Contains(answer, c.says) {
			t.Errorf("%+v: %s %v %s", c, outcome, err, answer)
		}
		if _, err := heard(answer); err != nil {
			t.Error(err)
		}
		if did := h.last(); c.outcome != "nothing" && did != "19c8d0f8a00-0123456789ab by ada from voice" || c.outcome == "nothing" && did != "" {
			t.Error(c, did)
		}
	}
}

func TestWhatBecameOfAMessageIsReported(t *testing.T) {
	h := &hands{}
	for _, c := range []struct{ channel, field, status, by, code, want string }{
		{"sms", "MessageStatus", "queued", "", "", ""},
		{"sms", "MessageStatus", "sent", "", "", ""},
		{"sms", "MessageStatus", "delivered", "", "", "p sms X arrived: delivered"},
		{"sms", "MessageStatus", "undelivered", "", "30003", "p sms X did not arrive: undelivered (Twilio's error 30003)"},
		{"sms", "MessageStatus", "failed", "", "", "p sms X did not arrive: failed"},
		{"voice", "CallStatus", "ringing", "", "", ""},
		{"voice", "CallStatus", "completed", "human", "", "p voice X arrived: answered"},
		{"voice", "CallStatus", "completed", "machine_end_beep", "", "p voice X did not arrive: a machine answered"},
		{"voice", "CallStatus", "busy", "", "", "p voice X did not arrive: busy"},
		{"voice", "CallStatus", "no-answer", "", "", "p voice X did not arrive: no-answer"},
	} {
		in := made(t, config(t, "http://127.0.0.1:1"), time.Now)[c.channel].(answering).Intake(h, time.Now)
		at, id := hooks+c.channel+"?about=status&page=p", map[string]string{"sms": "MessageSid", "voice": "CallSid"}[c.channel]
		form := url.Values{"AccountSid": {account}, id: {"X"}, c.field: {c.status}, "To": {number}}
		if c.by != "" {
			form.Set("AnsweredBy", c.by)
		}
		if c.code != "" {
			form.Set("ErrorCode", c.code)
		}
		_, answer, err := post(t, in, at, form, sign(at, form))
		if got := h.last(); err != nil || got != c.want || strings.Contains(answer, "<Say") || strings.Contains(answer, "<Message") {
			t.Errorf("%+v: %q %v %s", c, got, err, answer)
		}
	}
}

func TestAReplyAcknowledgesOnePage(t *testing.T) {
	base, sent := service(t)
	ch, h := made(t, config(t, base), time.Now)["sms"], &hands{}
	in := ch.(answering).Intake(h, time.Now)
	texts := 0
	text := func(who, body string, again bool) (string, string) {
		t.Helper()
		if !again {
			texts++
		}
		form := url.Values{"AccountSid": {account}, "MessageSid": {"SM" + strings.Repeat("x", texts)}, "From": {who}, "To": {from}, "Body": {body}}
		outcome, answer, err := post(t, in, hooks+"sms", form, sign(hooks+"sms", form))
		if err != nil {
			t.Error(err)
		}
		return outcome, answer
	}
	if outcome, answer := text(number, "4", false); outcome != "nothing" || strings.Contains(answer, "<Message") {
		t.Error("nothing was sent to it:", outcome, answer)
	}
	for _, id := range []string{"a", "a", "b", "c"} {
		if _, err := ch.Send(t.Context(), page(id)); err != nil {
			t.Fatal(err)
		}
	}
	for i, want := range []string{"4 10", "4 10", "4 11", "4 12"} {
		if !strings.HasSuffix((*sent)[i].Get("Body"), "Reply "+want+" to acknowledge.") {
			t.Error((*sent)[i])
		}
	}
	for _, c := range []struct{ who, body, outcome, did string }{
		{number, "4", "refused", ""}, // of which?
		{number, "4 99", "refused", ""},
		{number, "I take 4 10", "nothing", ""},
		{number, "STOP", "nothing", ""},
		{"+4915112987655", "4 10", "nothing", ""}, // nobody's
		{number, " ACK 11.\n", "acknowledged", "b by ada from sms"},
		{number, "4 11", "refused", ""},
		{number, "4 10", "acknowledged", "a by ada from sms"},
		{number, "ack", "acknowledged", "c by ada from sms"}, // the last one
	} {
		outcome, answer := text(c.who, c.body, false)
		if did := h.last(); outcome != c.outcome || did != c.did || (outcome == "nothing") == strings.Contains(answer, "<Message>") {
			t.Errorf("%+v: %s %q %s", c, outcome, did, answer)
		}
	}
	if _, err := ch.Send(t.Context(), page("d")); err != nil {
		t.Fatal(err)
	}
	if outcome, _ := text(number, "ack", true); outcome != "nothing" || h.last() != "" {
		t.Error("a text that was sent again took another page")
	}
}
