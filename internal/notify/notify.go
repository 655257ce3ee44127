// Package notify states what travels between those who raise alerts, the pipeline
// that turns them into notifications, and the store that remembers whom they
// reached: contracts only.
//
// An Alert is raised again and again while its condition holds and once more
// when it ended; the pipeline (alerting/router) groups, inhibits, silences and
// delivers. Every delivery, tried or made, is recorded in a Page (notify/record).
//
// Start reading at Alert, then PageStore.
package notify

import (
	"context"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
)

// Alert is one condition that holds or held. Its labels are its identity.
type Alert struct {
	Labels      model.Labels // alertname is required
	Annotations model.Labels
	StartsAt    time.Time // zero means now
	// EndsAt in the past says that the condition ended. In the future it is when
	// the alert ends by itself unless it is raised again; zero leaves that to the pipeline's
	// resolve_timeout.
	EndsAt       time.Time
	GeneratorURL string // where a person sees the condition
}

// Sender takes alerts. A nil error means that they are kept: the alerts survive
// kill -9 and their notifications are delivered at least once, always with the same dedup
// key. Sending the same alert again is how it is kept alive.
type Sender interface {
	Send(ctx context.Context, alerts ...Alert) error
}

// PageStore remembers pages. SavePage inserts or replaces by ID. PageByDedup is
// the firing page of a dedup key; an error that wraps store.ErrNotFound says
// that there is none.
type PageStore interface {
	SavePage(ctx context.Context, page model.Page) error
	Page(ctx context.Context, id string) (model.Page, error)
	PageByDedup(ctx context.Context, key string) (model.Page, error)
}

// InboxChannel is the name of the built-in channel among a page's deliveries:
// the page itself, as the UI and the API show it.
const InboxChannel = "inbox"

// AcknowledgeURL is the annotation by which a message that was sent says where its page is acknowledged. It is made for each
// message; what an alert brings by this name is dropped, since people press it.
const AcknowledgeURL = "acknowledge_url"

// Flapping is the annotation of an alert that fires and ends again and again: how often it fired, and how long it is held open.
// What an alert brings by this name is dropped.
const Flapping = "signalbox_flapping"

// Recipient is whom a message is sent to, as far as that is known.
type Recipient struct {
	Channel  string // email, slack, …
	Receiver string // of the routing tree
	Address  string // of an e-mail; "" where it is not one person's
}

// SeverityNone marks alerts that are not about a person's work, such as the
// watchdog: they are delivered but make no page.
const SeverityNone = "none"
