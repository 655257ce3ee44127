package app

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/signalbox-project/signalbox/internal/diagnose"
	"github.com/signalbox-project/signalbox/internal/incident"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/notify/courier"
	"github.com/signalbox-project/signalbox/internal/notify/inbound"
	"github.com/signalbox-project/signalbox/internal/oncall"
	"github.com/signalbox-project/signalbox/internal/oncall/contacts"
	"github.com/signalbox-project/signalbox/internal/oncall/escalation"
	"github.com/signalbox-project/signalbox/internal/oncall/heartbeat"
	"github.com/signalbox-project/signalbox/internal/ownership"
	"github.com/signalbox-project/signalbox/internal/platform/redact"
	"github.com/signalbox-project/signalbox/internal/store"
)

// responders are the rooms between a page and whoever takes it.
type responders struct {
	oncall     *oncall.Room
	courier    *courier.Courier // to people, through the channels
	desk       *inbound.Desk    // what people answer there; nil where nobody can
	escalation *escalation.Engine
	incidents  *incident.Room
	contacts   *contacts.Verifier
	heartbeats *heartbeat.Monitor
}

// buildOnCall makes the schedules of people, and what brings pages to them.
func (c *cell) buildOnCall(context.Context) (err error) {
	if c.oncall, err = oncall.New(oncall.Deps{Logger: c.component("on-call"), Registerer: c.registry, State: c.state, Tell: c.tellPerson}); err != nil {
		return err
	}
	c.oncall.Join(c.force)
	if err := c.firstLoad(c.oncall.Reload(c.cfg.OnCallFiles)); err != nil {
		return err
	}
	if c.escalation, err = escalation.New(escalation.Deps{
		Logger: c.component("escalation"), Registerer: c.registry, Pages: c.state, Documents: c.state, Room: c.oncall, Courier: c.courier, Owners: owners{c.services},
		Silences: func(ctx context.Context, labels model.Labels) []string { return c.router.Muted(ctx, labels).SilencedBy },
		Link:     c.ackLinks(), External: c.external.String(), Audit: c.recordChange,
	}); err != nil {
		return fmt.Errorf("escalation: %w", err)
	}
	c.contacts = contacts.New(c.state, c.courier, c.oncall.Value, time.Now)
	c.onPage(c.escalation.Changed)
	c.run("escalation", c.escalation.Run, nil)
	if c.heartbeats, err = heartbeat.NewMonitor(heartbeat.Deps{
		Logger: c.component("heartbeats"), Registerer: c.registry, Documents: c.state, Sender: c.owned(), External: c.external.JoinPath("oncall").String(),
		Named: func() []oncall.Heartbeat { return c.oncall.Value().Heartbeats },
	}); err != nil {
		return fmt.Errorf("heartbeats: %w", err)
	}
	c.run("heartbeats", c.heartbeats.Run, nil)
	return nil
}

// tellWithin is how long a message that nobody waits for is tried.
const tellWithin = 10 * time.Second

// tellPerson hands a message for which nobody has to get up to a person, by the contact that wakes least, and says by which.
func (c *cell) tellPerson(ctx context.Context, to oncall.Person, title, text string) (by string, err error) {
	reach, now := to.Reach(), time.Now()
	contact, ok := reach.Notice()
	switch {
	case ok:
	case len(reach.Contacts) == 0:
		return "", fmt.Errorf("%s has neither contacts nor an e-mail address", to.Name)
	case reach.NoticeAt(now).After(now):
		return "", fmt.Errorf("these are the quiet hours of %s, and all their contacts wake", to.Name)
	default:
		contact = reach.Contacts[0]
	}
	if contact.Channel == notify.InboxChannel {
		return contact.Name, nil // by the page On call itself
	}
	ctx, stop := context.WithTimeout(ctx, tellWithin)
	defer stop()
	_, err = c.courier.Deliver(ctx, notify.Message{
		DedupKey: "told/" + uuid.NewString(), Kind: notify.Told, Title: title, Text: text, Time: now.UTC(),
		To:    notify.Target{Channel: contact.Channel, Address: contact.Address, Person: to.Name},
		Links: []notify.Link{{Text: "On call", URL: c.external.JoinPath("oncall").String()}},
	}, nil)
	if err != nil {
		return "", fmt.Errorf("the message to %s by %s was not handed over: %s", to.Name, contact.Name, redact.Text(err.Error()))
	}
	return contact.Name, nil
}

// escalations are asked for explanations, which are made before them.
func (c *cell) escalations() diagnose.Escalations {
	if c.escalation == nil {
		return nil
	}
	return c.escalation
}

// sees reports whether a caller may see a page.
func (c *cell) sees(ctx context.Context, page string) (bool, error) {
	pages, err := ownership.Pages{From: c.state}.Pages(ctx, store.PageQuery{Limit: 500})
	return slices.ContainsFunc(pages, func(p model.Page) bool { return p.ID == page }), err
}
