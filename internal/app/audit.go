package app

import (
	"context"
	"path/filepath"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store/auditlog"
)

// audited is the log of who did and asked what. All tenants write to one, whose chain covers them all.
type audited struct {
	audit *auditlog.Log
}

// openAudit opens it beside the stores of the tenant default, which is made first: entries of before lie in its state.
func (c *cell) openAudit(ctx context.Context) (err error) {
	if c.tenant != model.DefaultTenant {
		return nil
	}
	cfg := c.cfg.Audit
	cfg.Dir = filepath.Join(c.dir, "audit")
	c.audit, err = auditlog.Open(ctx, cfg, auditlog.Deps{Logger: c.component("audit"), Registerer: c.registry, Former: c.state})
	if err != nil {
		return err
	}
	c.run("audit log", c.audit.Run, c.audit.Close)
	return nil
}
