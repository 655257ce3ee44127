package api

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/api/events"
	"github.com/signalbox-project/signalbox/internal/api/health"
	"github.com/signalbox-project/signalbox/internal/api/identity"
	"github.com/signalbox-project/signalbox/internal/api/objectives"
	"github.com/signalbox-project/signalbox/internal/api/people"
	"github.com/signalbox-project/signalbox/internal/api/releases"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/process/conservation"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Deps are the rooms behind the API. Each interface may be nil (see New); all
// implementations must be safe for concurrent use.
//
// Implementations return store.ErrNotFound, store.ErrReadOnly and
// store.ErrOverloaded (wrapped or not) for what they mean; an error with the
// method BadRequest() is the caller's fault and shown; every other error
// is logged and answered 500 without its text.
type Deps struct {
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Now        func() time.Time // nil means time.Now

	Status  StatusReporter
	Tenants TenantReporter
	Audit   AuditLog
	Ledger  Ledger
	// Identifiers answers the hashes that stand for what identifies somebody; none where nothing is hashed.
	Identifiers func(value string) []string

	Objectives objectives.Deps
	Events     events.Deps
	Releases   releases.Deps
	Health     health.Deps
	People     people.Deps
	Identity   identity.Deps
	// Hooks serves /sb/v1/hooks/, whose callers are other systems; nil answers 404.
	Hooks http.Handler
}

// StatusReporter says what this process is and what is wrong with it.
type StatusReporter interface {
	Status(ctx context.Context) Status
}

// TenantReporter says what each tenant takes that the caller may see.
type TenantReporter interface {
	Tenants(ctx context.Context) TenantsResponse
}

// AuditLog remembers who did what; store/state does. The API itself records
// deploy.mark and page.ack.
type AuditLog interface {
	AuditEntries(ctx context.Context, q store.AuditQuery) ([]model.AuditEntry, error) // newest first
	Audit(ctx context.Context, e model.AuditEntry) (model.AuditEntry, error)
	// ExportAudit calls with each entry, the oldest first, and with the line that proves it, until yield answers an error.
	ExportAudit(ctx context.Context, q store.AuditQuery, yield func(line []byte, e model.AuditEntry) error) error
	// VerifyAudit says whether the log is as it was written.
	VerifyAudit(ctx context.Context) (model.AuditVerification, error)
	// Targets are the receivers that the log is shipped to.
	Targets() []store.AuditTarget
}

// Ledger balances what was received against what was kept.
type Ledger interface {
	Snapshot() conservation.Snapshot
}
