package api

import (
	"context"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// AuditResponse lists who did what.
type AuditResponse struct {
	Entries []model.AuditEntry `json:"entries" doc:"newest first"`
}

// LedgerResponse balances every signal.
type LedgerResponse struct {
	Signals []SignalBalance `json:"signals"`
}

// SignalBalance is what became of everything received of one signal since the
// process started.
type SignalBalance struct {
	Signal   string         `json:"signal" enum:"metrics,logs,spans"`
	Received uint64         `json:"received"`
	Stored   uint64         `json:"stored"`
	Refused  []RefusedCount `json:"refused"`
	Balanced bool           `json:"balanced" doc:"received = stored + refused"`
}

// RefusedCount is how much was not kept, and why.
type RefusedCount struct {
	Reason string `json:"reason"`
	Count  uint64 `json:"count"`
}

type auditInput struct {
	Start  string `query:"start" maxLength:"64" doc:"as elsewhere; a week before end if absent"`
	End    string `query:"end" maxLength:"64"`
	Actor  string `query:"actor" maxLength:"200"`
	Action string `query:"action" maxLength:"200"`
	Limit  int    `query:"limit" default:"100" minimum:"1" maximum:"1000"`
}

func (a *API) registerRecords() {
	register(a, operation{
		id: "listAudit", path: "/audit", tag: "records", summary: "Who did what", served: a.deps.Audit != nil, room: "audit entries",
	}, a.listAudit)
	register(a, operation{
		id: "verifyAudit", path: "/audit/verify", tag: "records", summary: "Is the audit log as it was written? 200 for both answers", served: a.deps.Audit != nil, room: "audit entries",
	}, func(ctx context.Context, _ *noInput) (model.AuditVerification, error) {
		return a.deps.Audit.VerifyAudit(ctx)
	})
	register(a, operation{
		id: "getLedger", path: "/ledger", tag: "records", summary: "Received = stored + refused, per signal", served: a.deps.Ledger != nil, room: "ledgers",
	}, a.getLedger)
}

func (a *API) listAudit(ctx context.Context, in *auditInput) (AuditResponse, error) {
	start, end, err := parseRangeOf(in.Start, in.End, a.now(), 7*24*time.Hour)
	if err != nil {
		return AuditResponse{}, err
	}
	entries, err := a.deps.Audit.AuditEntries(ctx, store.AuditQuery{
		Start: start, End: end, Actor: nameOf(in.Actor), Action: nameOf(in.Action), Limit: in.Limit,
	})
	return AuditResponse{Entries: entries}, err
}

func (a *API) getLedger(context.Context, *struct{}) (LedgerResponse, error) {
	var out LedgerResponse
	for _, s := range a.deps.Ledger.Snapshot().Signals {
		b := SignalBalance{Signal: s.Signal, Received: s.Received, Stored: s.Stored, Balanced: s.Balanced}
		for _, r := range s.Refused {
			b.Refused = append(b.Refused, RefusedCount(r))
		}
		out.Signals = append(out.Signals, b)
	}
	return out, nil
}

// audit records what this API changed. The change itself stands even where the entry
// cannot be written; that is logged.
func (a *API) audit(ctx context.Context, e model.AuditEntry) {
	if a.deps.Audit == nil {
		return
	}
	e.Time = a.now().UTC()
	if e.Actor == "" {
		e.Actor = "api"
	}
	if _, err := a.deps.Audit.Audit(ctx, e); err != nil {
		a.log.ErrorContext(ctx, "audit entry not written", "action", e.Action, "subject", e.Subject, "err", err)
	}
}
