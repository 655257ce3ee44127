package telegram

import (
	"context"
	"crypto/hmac"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/notify/channels/fit"
	"github.com/signalbox-project/signalbox/internal/store"
)

const name = "telegram"

// presses understands the button. Safe for concurrent use.
type presses struct {
	*Channel
	hands notify.Hands
}

// Intake understands what people press; nil without a secret.
func (c *Channel) Intake(hands notify.Hands, _ func() time.Time) notify.Intake {
	if c.cfg.WebhookSecret == nil {
		return nil
	}
	return &presses{c, hands}
}

// query is that somebody pressed a button.
type query struct {
	ID   string `json:"id"`
	From struct {
		ID       json.Number `json:"id"`
		Username string      `json:"username"`
	} `json:"from"`
	Message *struct {
		ID   int64 `json:"message_id"`
		Chat struct {
			ID json.Number `json:"id"`
		} `json:"chat"`
		Text   string  `json:"text"`
		Markup *markup `json:"reply_markup"`
	} `json:"message"`
	Data string `json:"data"`
}

// Read implements notify.Intake.
func (p *presses) Read(r *http.Request, body []byte) (notify.Work, error) {
	secret, err := p.cfg.WebhookSecret.Secret()
	if err != nil {
		return nil, fmt.Errorf("telegram: webhook_secret: %w", err)
	}
	if !secret.Equal(r.Header.Get("X-Telegram-Bot-Api-Secret-Token")) {
		return nil, notify.ErrUnproved
	}
	var update struct {
		Query *query `json:"callback_query"`
	}
	if err := json.Unmarshal(body, &update); err != nil {
		return nil, fmt.Errorf("%w: the body is not an update", notify.ErrMalformed)
	}
	q := update.Query
	if q == nil || q.Message == nil {
		return nil, nil
	}
	if q.ID == "" || q.From.ID == "" {
		return nil, fmt.Errorf("%w: callback_query: id or from is missing", notify.ErrMalformed)
	}
	return func(ctx context.Context) (string, error) { return p.acknowledge(ctx, *q) }, nil
}

func (p *presses) acknowledge(ctx context.Context, q query) (string, error) {
	page, err := p.page(q.Data)
	if err != nil || page == "" {
		return "refused", errors.Join(err, p.say(ctx, q, "This button is not known here."))
	}
	called := p.hands.Person(ctx, notify.Presser{Channel: name, ID: q.From.ID.String(), Name: p.cfg.People[q.From.ID.String()]})
	if called == "" {
		called = fit.Runes(name+":"+q.From.ID.String()+" ("+fit.Line(q.From.Username)+")", 120)
	}
	got, err := p.hands.Acknowledge(ctx, page, called, name)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return "refused", p.say(ctx, q, "Nothing was acknowledged: the page is not there any more.")
	case err != nil:
		return "failed", errors.Join(err, p.say(ctx, q, "The page could not be acknowledged. Open it in Signalbox and acknowledge it there."))
	case got.AckedBy == "":
		return "late", errors.Join(p.say(ctx, q, "Nothing was acknowledged: the page is over."), p.mark(ctx, q, "Over"))
	case got.AckedBy != called:
		by := fit.Runes(fit.Line(got.AckedBy), maxLabel)
		return "late", errors.Join(p.say(ctx, q, "Somebody was quicker: the page is taken by "+by+"."), p.mark(ctx, q, "👀 Taken by "+by))
	}
	return "acknowledged", errors.Join(p.say(ctx, q, "You have taken this page."), p.mark(ctx, q, "👀 Taken by "+fit.Runes(fit.Line(called), maxLabel)))
}

// page is which page a button is of; "" for one that we did not make.
func (p *presses) page(data string) (string, error) {
	page, ok := strings.CutPrefix(data, ackData)
	at := strings.LastIndexByte(page, ':')
	if !ok || at < 0 {
		return "", nil
	}
	want, err := p.data(page[:at])
	if err != nil || !hmac.Equal([]byte(want), []byte(data)) {
		return "", err
	}
	return page[:at], nil
}

// say answers whoever pressed: Telegram shows that it waits until then.
func (p *presses) say(ctx context.Context, q query, said string) error {
	return p.call(ctx, "answerCallbackQuery", map[string]any{"callback_query_id": q.ID, "text": fit.UTF16(said, 200), "show_alert": true}, nil, notify.Message{})
}

// mark writes above the message how its page stands, and takes the button away; links stay.
func (p *presses) mark(ctx context.Context, q query, how string) error {
	left := &markup{Keyboard: [][]button{}}
	if q.Message.Markup != nil {
		for _, row := range q.Message.Markup.Keyboard {
			if len(row) == 1 && row[0].Data == "" && fit.Link(row[0].URL, maxURL) != "" {
				left.Keyboard = append(left.Keyboard, row)
			}
		}
	}
	return p.edit(ctx, message{
		Chat: q.Message.Chat.ID.String(), ID: q.Message.ID, Text: fit.UTF16(harmless(how+"\n\n"+fit.Text(q.Message.Text)), maxText), Markup: left,
	}, notify.Message{})
}
