package twilio

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/notify/channels/fit"
)

const (
	sms       = "sms"
	maxLink   = 250
	maxBody   = 300
	keepCodes = 24 * time.Hour
	maxCodes  = 20
	lastCode  = 99
	validity  = 3600 // seconds: a page that comes later helps nobody
)

// SMS texts. mu guards the codes that are kept of a number.
type SMS struct {
	Channel
	memory notify.Memory
	now    func() time.Time
	mu     sync.Mutex
}

// Send implements notify.Channel.
func (c *SMS) Send(ctx context.Context, m notify.Message) (notify.Receipt, error) {
	if err := c.address(m); err != nil {
		return notify.Receipt{}, err
	}
	end, err := c.how(ctx, m)
	if err != nil {
		return notify.Receipt{}, err
	}
	text := fit.Headline(m)
	if body := fit.Runes(fit.Body(m), maxBody); body != "" {
		text += "\n" + body
	}
	text = inSegments(text, end)
	form := url.Values{"To": {m.To.Address}, "Body": {text}, "ValidityPeriod": {strconv.Itoa(validity)}}
	if c.cfg.Service != "" {
		form.Set("MessagingServiceSid", c.cfg.Service)
	} else {
		form.Set("From", c.cfg.From)
	}
	if at := c.statusURL(m); at != "" {
		form.Set("StatusCallback", at)
	}
	id, status, err := c.send(ctx, m, "Messages", form)
	if err != nil {
		return notify.Receipt{}, err
	}
	note := status
	if n := segments(text); n > 1 {
		note = fmt.Sprintf("%s, %d segments", status, n)
	}
	return notify.Receipt{ID: id, Note: note}, nil
}

// how is how a page is acknowledged: by a reply with its code, or by the link.
func (c *SMS) how(ctx context.Context, m notify.Message) (string, error) {
	switch m.Kind {
	case notify.Paged, notify.Noticed, notify.Drill:
	case notify.Acknowledged, notify.Resolved:
		if m.Page != nil && c.cfg.Replies {
			return "", c.done(ctx, m.To.Address, m.Page.ID)
		}
		return "", nil
	default:
		return "", nil
	}
	if c.cfg.Replies && m.Page != nil && m.Page.ID != "" && m.Page.AckedBy == "" {
		code, err := c.code(ctx, m)
		return fmt.Sprintf("\nReply 4 %d to acknowledge.", code), err
	}
	if link := fit.Link(m.Acknowledge, maxLink); link != "" {
		return "\nAcknowledge: " + link, nil
	}
	return "", nil
}

// offered is a page that a number was offered to acknowledge.
type offered struct {
	Code int       `json:"code"`
	Page string    `json:"page"`
	At   time.Time `json:"at"`
}

const codesKey = "codes"

func (c *SMS) codes(ctx context.Context, number string) (list []offered, err error) {
	kept, err := c.memory.Recall(ctx, notify.Target{Channel: sms, Address: number}, codesKey)
	if err != nil {
		return nil, err
	}
	if kept != "" && json.Unmarshal([]byte(kept), &list) != nil {
		list = nil
	}
	now := c.now()
	return slices.DeleteFunc(list, func(o offered) bool { return now.Sub(o.At) > keepCodes }), nil
}

func (c *SMS) keep(ctx context.Context, number string, list []offered) error {
	b, err := json.Marshal(list)
	if err != nil {
		return err
	}
	return c.memory.Remember(ctx, notify.Target{Channel: sms, Address: number}, codesKey, string(b))
}

// code is the one of a page, the same each time it is sent to a number.
func (c *SMS) code(ctx context.Context, m notify.Message) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	list, err := c.codes(ctx, m.To.Address)
	if err != nil {
		return 0, err
	}
	last := 9
	for _, o := range list {
		if o.Page == m.Page.ID {
			return o.Code, nil
		}
		last = o.Code
	}
	if last++; last > lastCode {
		last = 10
	}
	list = append(list, offered{last, m.Page.ID, c.now().UTC()})
	return last, c.keep(ctx, m.To.Address, list[max(0, len(list)-maxCodes):])
}

// meant is the page that a reply acknowledges; "" where that is not certain.
func (c *SMS) meant(ctx context.Context, number, code string) (page string, known bool, err error) {
	list, err := c.codes(ctx, number)
	if err != nil || len(list) == 0 {
		return "", false, err
	}
	if code == "" && len(list) == 1 {
		return list[0].Page, true, nil
	}
	for _, o := range list {
		if code == strconv.Itoa(o.Code) {
			return o.Page, true, nil
		}
	}
	return "", true, nil
}

// done forgets a page that somebody took.
func (c *SMS) done(ctx context.Context, number, page string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	list, err := c.codes(ctx, number)
	if err != nil {
		return err
	}
	return c.keep(ctx, number, slices.DeleteFunc(list, func(o offered) bool { return o.Page == page }))
}

// reply is the code of a text that acknowledges; ok is false for any other text.
func reply(text string) (code string, ok bool) {
	words := strings.Fields(strings.ToLower(strings.Trim(text, " \t\r\n.!\"'")))
	if len(words) == 0 || len(words) > 2 || words[0] != "4" && words[0] != "ack" && words[0] != "acknowledge" {
		return "", false
	}
	if len(words) == 2 {
		return words[1], true
	}
	return "", true
}
