package app

import (
	"context"
	"path/filepath"

	"github.com/signalbox-project/signalbox/internal/audit"
	"github.com/signalbox-project/signalbox/internal/audit/ship"
	"github.com/signalbox-project/signalbox/internal/audit/witness"
	"github.com/signalbox-project/signalbox/internal/front"
	"github.com/signalbox-project/signalbox/internal/gate"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/auditlog"
)

// audited is the log of who did and asked what. All tenants write to one, whose chain covers them all.
type audited struct {
	audit    *auditlog.Log
	proofs   *witness.Ledger // what the log notes of records in the databases
	recorder *audit.Recorder
	shipper  *ship.Shipper
}

// trail is the log for those who read it and write to it for a request.
type trail struct {
	*auditlog.Log
	*audit.Recorder
	shipper *ship.Shipper
	tenant  string // "" where there is one
	notes   *witness.Checker
	kept    witness.Kept
}

// trail is the log as the tenant writes and reads it.
func (c *cell) trail() trail {
	return trail{c.audit, c.recorder, c.shipper, string(c.home), c.notes, signed{c.state, c}}
}

// signed is what is kept in a cell, with what the gate's signatures say of it.
type signed struct {
	store.State
	cell *cell
}

// Decision is one, compared with its signature.
func (s signed) Decision(ctx context.Context, id string) (model.GateDecision, error) {
	return gate.NewChecked(s.State, s.cell.signing).Decision(ctx, id)
}

// decisions are those of the cell, each compared with its signature and with the audit log.
func (c *cell) decisions() gate.Checked {
	return gate.NewChecked(witness.Decisions{DecisionStore: c.state, Checker: c.notes}, c.signing)
}

// AuditEntries are those of the tenant, whichever is asked for.
func (t trail) AuditEntries(ctx context.Context, q store.AuditQuery) ([]model.AuditEntry, error) {
	if t.tenant != "" {
		q.Tenant = t.tenant
	}
	return t.Log.AuditEntries(ctx, q)
}

// Targets are where the log is shipped to, which is the business of the installation.
func (t trail) Targets() []store.AuditTarget {
	if t.tenant != "" && t.tenant != model.DefaultTenant {
		return []store.AuditTarget{}
	}
	return t.shipper.Targets()
}

// Audit writes what was done for a request, with who proved to be asking.
func (t trail) Audit(ctx context.Context, e model.AuditEntry) (model.AuditEntry, error) {
	return t.Recorder.Audit(ctx, t.notes.Stamp(e))
}

// VerifyAudit says whether the log is as it was written, and which records of the tenant's database are not what it notes.
func (t trail) VerifyAudit(ctx context.Context) (model.AuditVerification, error) {
	v, err := t.Log.VerifyAudit(ctx)
	if err != nil {
		return v, err
	}
	v.Touched, err = t.notes.Compare(ctx, t.kept)
	return v, err
}

// openAudit opens it beside the stores of the tenant default, which is made first: entries of before lie in its state.
func (c *cell) openAudit(ctx context.Context) (err error) {
	if c.tenant != model.DefaultTenant {
		return nil
	}
	cfg := c.cfg.Audit.Config
	cfg.Dir = filepath.Join(c.dir, "audit")
	c.audit, err = auditlog.Open(ctx, cfg, auditlog.Deps{Logger: c.component("audit"), Registerer: c.registry, Former: c.state})
	if err != nil {
		return err
	}
	c.run("audit log", c.audit.Run, c.audit.Close)
	c.proofs = witness.NewLedger(c.audit)
	c.run("audit notes of evidence", c.proofs.Run, nil)
	c.recorder = audit.New(audit.Deps{Logger: c.component("audit"), Log: c.proofs})
	c.run("audit recorder", c.recorder.Run, nil)
	c.shipper, err = ship.New(c.cfg.Audit.Ship, ship.Deps{
		Logger: c.component("audit"), Registerer: c.registry, Log: c.audit, Dir: filepath.Join(cfg.Dir, "shipped"), Outgoing: c.outgoing, Version: c.opts.Version,
	})
	if err != nil {
		return err
	}
	c.run("audit shipping", c.shipper.Run, nil)
	return nil
}

// noting adds the recorder to the hooks of the front, which is made before it and answers after it.
func (a *audited) noting(h front.Hooks) front.Hooks {
	also := h.Audit
	h.Audit = func(e front.Ended) {
		a.recorder.Ended(e)
		if also != nil {
			also(e)
		}
	}
	return h
}
