package app

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/notify/channels"
	"github.com/signalbox-project/signalbox/internal/notify/channels/kind"
	"github.com/signalbox-project/signalbox/internal/notify/courier"
	"github.com/signalbox-project/signalbox/internal/notify/hands"
	"github.com/signalbox-project/signalbox/internal/notify/inbound"
	"github.com/signalbox-project/signalbox/internal/notify/sent"
)

// buildChannels makes the channels that reach people, and the courier that delivers through them. A tenant has those of its own
// configuration: their secrets are nobody else's.
func (c *cell) buildChannels(context.Context) error {
	made, err := channels.Build(c.cfg.Channels, kind.Deps{
		Outgoing: c.outgoing, Now: time.Now, ExternalURL: c.external.String(), Hooks: c.hooksURL(), Memory: sent.New(c.state, nil),
	})
	if err != nil {
		return err
	}
	if err := c.buildDesk(made); err != nil {
		return err
	}
	c.courier, err = courier.New(courier.Deps{Logger: c.component("channels"), Registerer: c.registry, Tracer: c.tel.Tracer, Channels: made})
	return err
}

// hooksURL is below which services reach this tenant with what people answer.
func (c *cell) hooksURL() string {
	prefix := inbound.Prefix
	if c.tenant != model.DefaultTenant {
		prefix = strings.Replace(tenantHooks, "{tenant}", c.tenant, 1) + strings.TrimPrefix(prefix, "/sb/v1/hooks/")
	}
	return strings.TrimSuffix(c.external.String(), "/") + prefix
}

// answered is a channel whose service tells what people do there.
type answered interface {
	Intake(hands notify.Hands, now func() time.Time) notify.Intake
}

// buildDesk takes what people answer where they were told.
func (c *cell) buildDesk(made map[string]notify.Channel) (err error) {
	h := hands.New(hands.Deps{
		Tenant: c.tenant, Pages: c.state, Alertmanager: c.router.Handler(), People: c.people, As: c.actingAs, Record: c.recordChange, Now: time.Now,
		Acknowledge: func(ctx context.Context, page, by, how string) (model.Page, error) { // made later
			return c.escalation.Acknowledge(ctx, page, by, how)
		},
		Report: func(ctx context.Context, page string, r notify.Report) error {
			return c.escalation.Report(ctx, page, r)
		},
	})
	intakes := map[string]notify.Intake{}
	for name, ch := range made {
		if a, ok := ch.(answered); ok {
			if in := a.Intake(h, time.Now); in != nil {
				intakes[name] = in
			}
		}
	}
	if len(intakes) == 0 {
		return nil
	}
	if c.desk, err = inbound.New(inbound.Deps{
		Logger: c.component("channels"), Registerer: c.registry, Intakes: intakes, Limits: c.cfg.Auth.Accounts.Throttle,
	}); err != nil {
		return err
	}
	c.run("channel answers", c.desk.Run, nil)
	return nil
}

// people are those whom on-call files name.
func (c *cell) people() (out []hands.Person) {
	for _, p := range c.oncall.Value().People {
		known := hands.Person{Name: p.Name, Email: p.Email, Addresses: map[string][]string{}}
		for _, to := range p.Contacts {
			known.Addresses[to.Channel] = append(known.Addresses[to.Channel], to.Address)
		}
		out = append(out, known)
	}
	return out
}

// actingAs is what a person of on-call files may, who proved who they are elsewhere. With authentication on it is what their user here may: of
// people of a provider we know nothing while they are not logged in.
func (c *cell) actingAs(person string, needs access.Permission) (access.Access, error) {
	if c.gatekeeper == nil {
		return access.Access{Identity: access.Identity{Name: person, Kind: access.Nobody}, Tenant: c.tenant, Scope: access.Scope{All: true}, Needs: needs}, nil
	}
	id, ok := c.identities.Accounts.Identity(person)
	if !ok {
		return access.Access{}, fmt.Errorf("%s has no user in Signalbox that is called so, so it is not known what they may; log in and do it there", person)
	}
	d := c.gatekeeper.Policy().Decide(id, needs, c.tenant)
	if !d.Allowed {
		return access.Access{}, fmt.Errorf("%s may not: it needs the permission %s, which an administrator can give", person, needs)
	}
	return access.Access{Identity: id, Tenant: c.tenant, Scope: d.Scope, Needs: needs}, nil
}

// serveHooks serves what other systems call: deployment systems, and services that carry messages.
func (c *cell) serveHooks(w http.ResponseWriter, r *http.Request) {
	if c.desk != nil && strings.HasPrefix(r.URL.Path, inbound.Prefix) {
		c.desk.ServeHTTP(w, r)
		return
	}
	c.hooks.Handler().ServeHTTP(w, r)
}
