package twilio

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha1" // #nosec G505 -- Twilio signs so
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/store"
)

// What became of somebody's answer, beside the words that it shares with other channels.
const (
	taken, late, refused, failed, nothing = "acknowledged", "late", "refused", "failed", "nothing"
	reported                              = "reported"
)

// Intake implements what app asks of channels that take answers; nil where Twilio does not reach us.
func (c *SMS) Intake(hands notify.Hands, _ func() time.Time) notify.Intake {
	if c.hook == "" {
		return nil
	}
	return &texts{c, hands}
}

// Intake is that of calls.
func (c *Voice) Intake(hands notify.Hands, _ func() time.Time) notify.Intake {
	if c.hook == "" {
		return nil
	}
	return &keys{c, hands}
}

// proved is the form of a request that Twilio signed: it signs the address that it was given, and the fields.
func (c *Channel) proved(r *http.Request, body []byte) (url.Values, error) {
	token, err := c.cfg.Token.Secret()
	if err != nil {
		return nil, fmt.Errorf("twilio: token: %w", err)
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, notify.ErrUnproved
	}
	at := c.hook
	if r.URL.RawQuery != "" {
		at += "?" + r.URL.RawQuery
	}
	right := false
	for _, u := range spellings(at) {
		right = hmac.Equal([]byte(r.Header.Get("X-Twilio-Signature")), []byte(signature(token.Bytes(), u, form))) || right
	}
	if !right {
		return nil, notify.ErrUnproved
	}
	if form.Get("AccountSid") != c.cfg.SID {
		return nil, fmt.Errorf("%w: it is about another account", notify.ErrMalformed)
	}
	return form, nil
}

// signature is Twilio's: of the address and the sorted fields, each behind its name.
func signature(token []byte, at string, form url.Values) string {
	mac := hmac.New(sha1.New, token)
	mac.Write([]byte(at))
	names := make([]string, 0, len(form))
	for name := range form {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		values := slices.Clone(form[name])
		slices.Sort(values)
		for _, v := range slices.Compact(values) {
			mac.Write([]byte(name + v))
		}
	}
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// spellings are an address with and without the port that goes without saying: Twilio signs either.
func spellings(at string) []string {
	out := []string{at}
	u, err := url.Parse(at)
	if err != nil {
		return out
	}
	host := *u
	if u.Port() != "" {
		host.Host = strings.TrimSuffix(u.Host, ":"+u.Port())
	} else {
		host.Host += map[string]string{"https": ":443", "http": ":80"}[u.Scheme]
	}
	return append(out, host.String())
}

// status hands on what became of a message after Twilio took it.
func (c *Channel) status(r *http.Request, form url.Values, hands notify.Hands) notify.Work {
	page, id := r.URL.Query().Get("page"), cmp.Or(form.Get("MessageSid"), form.Get("CallSid"))
	state := cmp.Or(form.Get("MessageStatus"), form.Get("CallStatus"))
	arrived, note := true, state
	switch state {
	case "delivered", "read":
	case "completed":
		if by := form.Get("AnsweredBy"); strings.HasPrefix(by, "machine") || by == "fax" {
			arrived, note = false, "a machine answered"
		} else {
			note = "answered"
		}
	case "undelivered", "failed", "busy", "no-answer", "canceled":
		arrived = false
	default:
		return nil // it is on its way
	}
	if code := form.Get("ErrorCode"); code != "" && len(code) < 10 {
		note += " (Twilio's error " + code + ")"
	}
	if page == "" || id == "" {
		return nil
	}
	return func(ctx context.Context) (string, error) {
		return reported, hands.Report(ctx, page, notify.Report{Channel: c.name, Receipt: id, Arrived: arrived, Note: note})
	}
}

// acknowledge takes a page for whoever has a number.
func (c *Channel) acknowledge(ctx context.Context, hands notify.Hands, page, number string) (string, error) {
	called := cmp.Or(hands.Person(ctx, notify.Presser{Channel: c.name, ID: number}), "somebody by "+c.name)
	got, err := hands.Acknowledge(ctx, page, called, c.name)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return refused, nil
	case err != nil:
		return failed, err
	case got.AckedBy != called:
		return late, nil
	}
	return taken, nil
}

// keys understands keys of a phone. Safe for concurrent use.
type keys struct {
	*Voice
	hands notify.Hands
}

// Read implements notify.Intake.
func (k *keys) Read(r *http.Request, body []byte) (notify.Work, error) {
	form, err := k.proved(r, body)
	if err != nil {
		return nil, err
	}
	if r.URL.Query().Get("about") == "status" {
		return k.status(r, form, k.hands), nil
	}
	page := r.URL.Query().Get("page")
	if form.Get("Digits") != "4" || page == "" {
		return nil, nil
	}
	return func(ctx context.Context) (string, error) { return k.acknowledge(ctx, k.hands, page, form.Get("To")) }, nil
}

// Speak implements notify.Speaker.
func (k *keys) Speak(r *http.Request, outcome string) (contentType string, body []byte) {
	out := response{}
	page := r.URL.Query().Get("page")
	switch {
	case r.URL.Query().Get("about") == "status":
	case outcome == nothing && page != "":
		out.Verbs = []any{k.gather(page, "Press 4 to acknowledge."), k.say("Nothing was acknowledged. Goodbye.")}
	case outcome == taken:
		out.Verbs = []any{k.say("You have taken this page. Goodbye.")}
	case outcome == late:
		out.Verbs = []any{k.say("Somebody else has this page, or it is over. Goodbye.")}
	default:
		out.Verbs = []any{k.say("The page could not be acknowledged. Look at Signalbox. Goodbye.")}
	}
	return "text/xml", []byte(out.encode())
}

// texts understands what people text back. Safe for concurrent use.
type texts struct {
	*SMS
	hands notify.Hands
}

// Read implements notify.Intake.
func (t *texts) Read(r *http.Request, body []byte) (notify.Work, error) {
	form, err := t.proved(r, body)
	if err != nil {
		return nil, err
	}
	if r.URL.Query().Get("about") == "status" {
		return t.status(r, form, t.hands), nil
	}
	code, ok := reply(form.Get("Body"))
	number, id := form.Get("From"), form.Get("MessageSid")
	if !ok || form.Get("OptOutType") != "" || id == "" || !numberRE.MatchString(number) {
		return nil, nil // STOP and START are Twilio's own, and what else people write is not for us
	}
	return func(ctx context.Context) (string, error) { return t.answer(ctx, number, code, id) }, nil
}

func (t *texts) answer(ctx context.Context, number, code, id string) (string, error) {
	// Twilio signs no time: a text counts once, whoever sends it again.
	to := notify.Target{Channel: sms, Address: number}
	if seen, err := t.memory.Recall(ctx, to, id); err != nil || seen != "" {
		return nothing, err
	}
	page, known, err := t.meant(ctx, number, code)
	switch {
	case err != nil:
		return failed, err
	case !known:
		return nothing, nil
	case page == "":
		return refused, nil
	}
	outcome, err := t.acknowledge(ctx, t.hands, page, number)
	if err == nil {
		err = errors.Join(t.memory.Remember(ctx, to, id, "done"), t.done(ctx, number, page))
	}
	return outcome, err
}

// textReply is what a text is answered.
type textReply struct {
	XMLName xml.Name `xml:"Message"`
	Text    string   `xml:",chardata"`
}

// Speak implements notify.Speaker.
func (t *texts) Speak(_ *http.Request, outcome string) (contentType string, body []byte) {
	said := map[string]string{
		taken: "You have taken this page.", late: "Nothing was acknowledged: somebody else has this page, or it is over.",
		refused: "Nothing was acknowledged: reply with the whole code of the message, such as 4 10.", failed: "The page could not be acknowledged. Look at Signalbox.",
	}[outcome]
	out := response{}
	if said != "" {
		out.Verbs = []any{textReply{Text: said}}
	}
	return "text/xml", []byte(out.encode())
}
