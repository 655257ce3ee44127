package twilio

import (
	"cmp"
	"context"
	"encoding/xml"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"unicode"

	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/notify/channels/fit"
)

const (
	voice      = "voice"
	rings      = "40"  // seconds
	longest    = "180" // seconds of a call
	maxSpoken  = 300
	maxTwiML   = 4000
	usualVoice = "en-US"
)

// Voice calls.
type Voice struct{ Channel }

// Send implements notify.Channel.
func (c *Voice) Send(ctx context.Context, m notify.Message) (notify.Receipt, error) {
	if err := c.address(m); err != nil {
		return notify.Receipt{}, err
	}
	switch m.Kind {
	case notify.Paged, notify.Noticed, notify.Drill, notify.Verification:
	default:
		return notify.Receipt{}, notify.Refused(fmt.Errorf("voice: nobody is called for a message of the kind %s", m.Kind))
	}
	form := url.Values{"To": {m.To.Address}, "From": {c.cfg.From}, "Twiml": {c.twiml(m)}, "Timeout": {rings}, "TimeLimit": {longest}}
	if at := c.statusURL(m); at != "" {
		form.Set("StatusCallback", at)
		form.Set("StatusCallbackEvent", "completed")
	}
	if c.cfg.Machines {
		form.Set("MachineDetection", "DetectMessageEnd")
	}
	id, status, err := c.send(ctx, m, "Calls", form)
	if err != nil {
		return notify.Receipt{}, err
	}
	return notify.Receipt{ID: id, Note: status}, nil
}

// The verbs of TwiML that are used.
type say struct {
	XMLName  xml.Name `xml:"Say"`
	Language string   `xml:"language,attr"`
	Voice    string   `xml:"voice,attr,omitempty"`
	Text     string   `xml:",chardata"`
}

type gather struct {
	XMLName xml.Name `xml:"Gather"`
	Digits  int      `xml:"numDigits,attr"`
	Timeout int      `xml:"timeout,attr"`
	Action  string   `xml:"action,attr"`
	Method  string   `xml:"method,attr"`
	Says    []say
}

type response struct {
	XMLName xml.Name `xml:"Response"`
	Verbs   []any
}

func (c *Voice) say(text string) say {
	return say{Language: cmp.Or(c.cfg.Language, usualVoice), Voice: c.cfg.Voice, Text: text}
}

func (r response) encode() string {
	b, err := xml.Marshal(r)
	if err != nil {
		return "<Response></Response>"
	}
	return xml.Header + string(b)
}

// twiml is what is said, twice, and which key is waited for.
func (c *Voice) twiml(m notify.Message) string {
	text := spoken(m)
	r := response{}
	for range 2 {
		if m.Page == nil || m.Page.ID == "" || c.hook == "" || m.Kind == notify.Verification {
			r.Verbs = append(r.Verbs, c.say(text))
			continue
		}
		r.Verbs = append(r.Verbs, c.gather(m.Page.ID, text+" Press 4 to acknowledge."))
	}
	r.Verbs = append(r.Verbs, c.say("Goodbye."))
	if out := r.encode(); len(out) <= maxTwiML {
		return out
	}
	return response{Verbs: []any{c.say("Signalbox. There is a page for you. Look at Signalbox.")}}.encode()
}

func (c *Voice) gather(page, text string) gather {
	action := c.hook + "?" + url.Values{"about": {"keys"}, "page": {page}}.Encode()
	return gather{Digits: 1, Timeout: 8, Action: action, Method: "POST", Says: []say{c.say(text)}}
}

var linkRE = regexp.MustCompile(`\S+://\S+`)

// spoken is a message as somebody hears it: words, digits and pauses.
func spoken(m notify.Message) string {
	if m.Kind == notify.Verification {
		return "Signalbox. Your code is " + digits(m.Text) + "."
	}
	return "Signalbox. " + fit.Runes(plain(fit.Headline(m)), maxSpoken) + "."
}

// digits are said one by one.
func digits(text string) string {
	return strings.Join(strings.Split(fit.Runes(plain(text), 20), ""), ", ")
}

// plain keeps what a voice can read.
func plain(s string) string {
	s = linkRE.ReplaceAllString(fit.Line(s), "")
	return fit.Line(strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || strings.ContainsRune(".,:%'", r) {
			return r
		}
		if r == '·' {
			return ','
		}
		return ' '
	}, s))
}
