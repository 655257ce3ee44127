package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/api/operation"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// AuditResponse lists who did what.
type AuditResponse struct {
	Entries []model.AuditEntry `json:"entries" doc:"newest first"`
	Next    string             `json:"next,omitempty" doc:"before of the following page; absent on the last"`
}

// AuditTargetsResponse lists where the log is shipped to.
type AuditTargetsResponse struct {
	Targets []store.AuditTarget `json:"targets" doc:"in the order of audit.ship; none for tenants other than default"`
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

// IdentifierRequest is what identifies somebody.
type IdentifierRequest struct {
	Value string `json:"value" minLength:"1" maxLength:"4096" doc:"as it was sent"`
}

// IdentifierResponse is what is stored in its place.
type IdentifierResponse struct {
	Hashes []string `json:"hashes" doc:"by each key, the current one first"`
}

type identifierInput struct{ Body IdentifierRequest }

// RefusedCount is how much was not kept, and why.
type RefusedCount struct {
	Reason string `json:"reason"`
	Count  uint64 `json:"count"`
}

type auditInput struct {
	Start   string `query:"start" maxLength:"64" doc:"as elsewhere; a week before end if absent"`
	End     string `query:"end" maxLength:"64"`
	Actor   string `query:"actor" maxLength:"200"`
	Action  string `query:"action" maxLength:"200"`
	Tenant  string `query:"tenant" maxLength:"150" doc:"default has what concerns the installation too"`
	Subject string `query:"subject" maxLength:"2000"`
	Text    string `query:"text" maxLength:"400" doc:"somewhere in the entry, whatever the case of its letters"`
	Before  int64  `query:"before" minimum:"0" doc:"only entries with smaller numbers: next of the page before"`
	Limit   int    `query:"limit" default:"100" minimum:"1" maximum:"1000"`
}

func (a *API) registerRecords() {
	operation.Register(a.ops, operation.Operation{
		ID: "listAudit", Path: "/audit", Tag: "records", Permission: access.AuditRead, Summary: "Who did what", Served: a.deps.Audit != nil, Room: "audit entries",
	}, a.listAudit)
	operation.Register(a.ops, operation.Operation{
		ID: "verifyAudit", Path: "/audit/verify", Tag: "records", Permission: access.AuditRead, Summary: "Is the audit log as it was written? 200 for both answers", Served: a.deps.Audit != nil, Room: "audit entries",
	}, func(ctx context.Context, _ *operation.NoInput) (model.AuditVerification, error) {
		return a.deps.Audit.VerifyAudit(ctx)
	})
	operation.Register(a.ops, operation.Operation{
		ID: "listAuditTargets", Path: "/audit/targets", Tag: "records", Permission: access.AuditRead, Summary: "Where the audit log is shipped to, and how far that is", Served: a.deps.Audit != nil, Room: "audit entries",
	}, func(context.Context, *operation.NoInput) (AuditTargetsResponse, error) {
		return AuditTargetsResponse{Targets: a.deps.Audit.Targets()}, nil
	})
	a.registerExport()
	operation.Register(a.ops, operation.Operation{
		ID: "getLedger", Path: "/ledger", Tag: "records", Permission: access.SystemRead, Summary: "Received = stored + refused, per signal", Served: a.deps.Ledger != nil, Room: "ledgers",
	}, a.getLedger)
	operation.Register(a.ops, operation.Operation{
		ID: "hashIdentifier", Method: http.MethodPost, Path: "/identifiers", Tag: "records", Permission: access.UnmaskedRead,
		Summary: "The hashes that stand for somebody's identifier", Served: a.deps.Identifiers != nil, Room: "hashes of identifiers",
		Description: "For searching what is stored of somebody (docs/operations.md). The identifier itself is neither kept nor logged.",
	}, func(_ context.Context, in *identifierInput) (IdentifierResponse, error) {
		return IdentifierResponse{Hashes: a.deps.Identifiers(in.Body.Value)}, nil
	})
}

// auditTenant is whose entries are shown: with authentication on those of the tenant that the caller is in.
func auditTenant(ctx context.Context, asked string) string {
	if who := access.From(ctx); who != nil && who.Kind != access.Nobody {
		return who.Tenant
	}
	return asked
}

func (a *API) listAudit(ctx context.Context, in *auditInput) (AuditResponse, error) {
	start, end, err := operation.ParseRangeOf(in.Start, in.End, a.now(), 7*24*time.Hour)
	if err != nil {
		return AuditResponse{}, err
	}
	entries, err := a.deps.Audit.AuditEntries(ctx, store.AuditQuery{
		Start: start, End: end, Actor: operation.NameOf(in.Actor), Action: operation.NameOf(in.Action), Tenant: auditTenant(ctx, in.Tenant),
		Subject: in.Subject, Text: in.Text, Before: in.Before, Limit: in.Limit,
	})
	out := AuditResponse{Entries: entries}
	if n := len(entries); n == in.Limit {
		out.Next = strconv.FormatInt(entries[n-1].ID, 10)
	}
	return out, err
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
