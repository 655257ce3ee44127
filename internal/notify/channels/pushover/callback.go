package pushover

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/notify/channels/kind"
	"github.com/signalbox-project/signalbox/internal/platform/secretfile"
	"github.com/signalbox-project/signalbox/internal/store"
)

const name = "pushover"

// callback is where Pushover tells that somebody acknowledged a page. Its requests are not signed, so the address has a proof in it; "" where there
// is nothing to acknowledge or Pushover does not reach us.
func (c *Channel) callback(m notify.Message, token secretfile.Secret) string {
	if m.Page == nil || m.Page.ID == "" || c.hooks == "" {
		return ""
	}
	at := c.hooks + "?" + url.Values{"page": {m.Page.ID}, "proof": {kind.Proof(token, name, m.Page.ID)}}.Encode()
	if len(at) > maxCallback {
		return ""
	}
	return at
}

// calls understands callbacks. Safe for concurrent use.
type calls struct {
	*Channel
	hands notify.Hands
}

// Intake understands that somebody acknowledged.
func (c *Channel) Intake(hands notify.Hands, _ func() time.Time) notify.Intake {
	return &calls{c, hands}
}

// Read implements notify.Intake.
func (c *calls) Read(r *http.Request, body []byte) (notify.Work, error) {
	token, err := c.cfg.Token.Secret()
	if err != nil {
		return nil, fmt.Errorf("pushover: token: %w", err)
	}
	page := r.URL.Query().Get("page")
	if page == "" || !kind.Proved(r.URL.Query().Get("proof"), token, name, page) {
		return nil, notify.ErrUnproved
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, fmt.Errorf("%w: the body is no form", notify.ErrMalformed)
	}
	if form.Get("acknowledged") != "1" {
		return nil, nil
	}
	return func(ctx context.Context) (string, error) {
		return c.acknowledge(ctx, page, form.Get("acknowledged_by"))
	}, nil
}

func (c *calls) acknowledge(ctx context.Context, page, by string) (string, error) {
	// The key of somebody who is not known is shown to nobody: messages can be sent with it.
	called := cmp.Or(c.hands.Person(ctx, notify.Presser{Channel: name, ID: by}), "somebody by Pushover")
	got, err := c.hands.Acknowledge(ctx, page, called, name)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return "refused", nil
	case err != nil:
		return "failed", err
	case got.AckedBy != called:
		return "late", nil
	}
	return "acknowledged", nil
}
