package app

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/api/identity"
	"github.com/signalbox-project/signalbox/internal/auth"
	"github.com/signalbox-project/signalbox/internal/auth/ack"
	"github.com/signalbox-project/signalbox/internal/auth/policy"
	"github.com/signalbox-project/signalbox/internal/front"
	"github.com/signalbox-project/signalbox/internal/model"
)

// trusted is who may come in and what they may; empty without authentication.
type trusted struct {
	gatekeeper *auth.Gatekeeper
	identities *auth.Identities
}

// buildAuth makes who is asked about every request. Without authentication nobody is.
func (p *Process) buildAuth(context.Context) (err error) {
	if !p.cfg.Auth.Enabled {
		return nil
	}
	p.gatekeeper, err = auth.New(p.cfg.Auth, auth.Deps{
		Logger: p.component("auth"), Tenants: p.names,
	})
	return err
}

// hooksOf are what the front asks about every request.
func (p *Process) hooksOf() front.Hooks {
	hooks := p.opts.Hooks
	hooks.Admit = p.admit
	if p.gatekeeper != nil {
		own := p.gatekeeper.Hooks()
		hooks.Identify, hooks.Authorize = own.Identify, own.Authorize
	}
	return hooks
}

// openIdentities reads who can log in from the state of the tenant default, which is the operator's.
func (c *cell) openIdentities(ctx context.Context) (err error) {
	if c.gatekeeper == nil || c.tenant != model.DefaultTenant {
		return nil
	}
	c.identities, err = c.gatekeeper.Open(ctx, c.cfg.Auth, auth.Known{
		Store: c.state, Dir: filepath.Join(c.dir, "auth"), Sealer: c.sealer, Logger: c.component("auth"), Registerer: c.registry, External: c.external, Outgoing: c.outgoing,
		Record: c.recordChange,
	})
	if err != nil {
		return err
	}
	c.run("accounts", c.identities.Accounts.Run, nil)
	return nil
}

// recordChange writes what was done into the audit log, and says in the log that it could not.
func (c *cell) recordChange(ctx context.Context, e model.AuditEntry) {
	if _, err := c.recorder.Audit(ctx, e); err != nil {
		c.log.ErrorContext(ctx, "audit entry not written", "action", e.Action, "subject", e.Subject, "err", err)
	}
}

// identityDeps are what the API needs to speak of identities; nothing of it without authentication.
func (c *cell) identityDeps() identity.Deps {
	if c.identities == nil {
		return identity.Deps{}
	}
	a := c.identities.Accounts
	return identity.Deps{
		Accounts: a, Users: a, Sessions: a.Sessions, Tokens: a.Tokens, Cookies: c.identities.Cookies,
		Policy: said{c.gatekeeper.Policy()}, Review: c.review, Masking: func() map[string]access.Permission { return c.masks.Value().Lifts() }, EndSession: c.identities.EndSession,
		Methods: func() []identity.Method {
			var out []identity.Method
			for _, m := range c.identities.Methods() {
				kind := "password"
				if m.Path != "" {
					kind = "redirect"
				}
				out = append(out, identity.Method{Name: m.Name, Kind: kind, Shown: m.Shown, Path: m.Path})
			}
			return out
		},
	}
}

// said is the policy in the words of the API.
type said struct{ policy *policy.Policy }

// May implements identity.Policy.
func (s said) May(id access.Identity, tenant string) []identity.Permission {
	var out []identity.Permission
	for _, l := range s.policy.Explain(id, tenant) {
		out = append(out, identity.Permission(l))
	}
	return out
}

// Permissions implements identity.Policy.
func (s said) Permissions() []access.Described { return s.policy.Permissions() }

// Roles implements identity.Policy.
func (s said) Roles() []identity.Role {
	var out []identity.Role
	for _, r := range s.policy.Roles() {
		out = append(out, identity.Role(r))
	}
	return out
}

// mountLogins mounts the pages of logins that go by way of a provider or of a program, and those behind links of messages.
func (p *Process) mountLogins(port *front.Port) error {
	if p.identities == nil {
		return nil
	}
	for pattern, h := range p.identities.Routes() {
		port.Mount(pattern, front.Mount{Handler: h, Needs: front.Always(access.Open)})
	}
	return ack.Mount(port, ack.Deps{
		External: p.external, Now: time.Now, Logger: p.component("auth"), Registerer: p.tel.Registry, Links: p.identities.Accounts.Links,
		Record: p.home.recordChange, Limits: p.cfg.Auth.Accounts.Throttle,
		Store: func(tenant string) (ack.Store, func(), bool) {
			c, refusal := p.enter(&access.Access{Tenant: tenant})
			if refusal != nil {
				return nil, nil, false
			}
			return c.state, c.door.leave, true
		},
	})
}

// ackLinks makes the links of messages by which their readers acknowledge. Without authentication nobody needs one, and
// with an address that only this machine knows nobody could open one.
func (c *cell) ackLinks() ack.Linker {
	if c.identities == nil || c.unreachable() {
		return nil
	}
	return ack.To(c.identities.Accounts.Links, c.external, c.tenant)
}

// unreachable says that nobody else can open an address of this server as far as it knows.
func (c *cell) unreachable() bool {
	return c.opts.ExternalURL == "" && !loopback(context.Background(), c.listeners.web.Addr().String())
}

// sayOfLinks says, once, that messages have no link to acknowledge.
func (c *cell) sayOfLinks() {
	if c.tenant == model.DefaultTenant && c.identities != nil && c.unreachable() {
		c.log.Warn("messages of pages have no link to acknowledge, since nobody said where people reach this Signalbox; set --web.external-url")
	}
}

// inviteFirstAdmin prints, on the console alone, the link with which somebody becomes the first administrator.
func (p *Process) inviteFirstAdmin(w io.Writer) {
	if p.identities == nil {
		return
	}
	if path, ok := p.identities.Accounts.FirstAdmin(); ok {
		_, _ = fmt.Fprintf(w, "\nNobody administers this Signalbox yet. Whoever opens this link within a day becomes the first administrator:\n\n  %s\n\n",
			strings.TrimSuffix(p.external.String(), "/")+path)
	}
}
