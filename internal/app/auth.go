package app

import (
	"context"

	"github.com/signalbox-project/signalbox/internal/auth"
	"github.com/signalbox-project/signalbox/internal/front"
	"github.com/signalbox-project/signalbox/internal/model"
)

// buildAuth makes who is asked about every request. Without authentication nobody is.
func (p *Process) buildAuth(context.Context) (err error) {
	if !p.cfg.Auth.Enabled {
		return nil
	}
	p.gatekeeper, err = auth.New(p.cfg.Auth, auth.Deps{
		Logger: p.component("auth"), Tenants: func() []string { return []string{model.DefaultTenant} },
	})
	return err
}

// hooksOf are what the front asks about every request.
func (p *Process) hooksOf() front.Hooks {
	hooks := p.opts.Hooks
	if p.gatekeeper != nil {
		own := p.gatekeeper.Hooks()
		hooks.Identify, hooks.Authorize = own.Identify, own.Authorize
	}
	return hooks
}
