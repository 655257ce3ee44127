package store

import (
	"context"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
)

// State is a state store: what people and machines decided, kept until somebody takes it back. Rooms ask for the roles
// below, or for the few methods that they call; only the wiring knows the whole.
//
// For every role: a method that answered nil has its change on the disk, visible to every reader from then on; after an
// error nothing of the call is kept. A call that changes several things changes all or none, and no reader sees some
// of them. Instants are kept to the nanosecond, whatever their time zone, a zero time stays zero, and text is kept
// as it is. ErrReadOnly says that nothing can be written now. After Close every method answers an error.
// Implementations MUST be safe for concurrent use; statetest.State is what they pass.
type State interface {
	DeployStore
	DecisionStore
	OverrideStore
	GateKeyStore
	PageStore
	SLORecordStore
	SLOLedgerStore
	SLODayStore
	CorrectionStore
	RemedyStore
	UserStore
	SessionStore
	TokenStore
	SpentStore
	DocumentStore
	AuditLog
	// Problems is what is wrong with the store now, and what was damaged when it was opened.
	Problems() []model.Problem
	// Close frees everything; a second time it does nothing.
	Close() error
}

// DeployStore keeps deployment markers.
type DeployStore interface {
	// AddDeploy stores a marker and answers it with what was left out: ID, Time, Kind, Status. An ID that exists is
	// updated, and keeps when it began.
	AddDeploy(context.Context, model.Deploy) (model.Deploy, error)
	// Deploys lists markers, the newest first, ties by ID.
	Deploys(context.Context, DeployQuery) ([]model.Deploy, error)
}

// DecisionStore keeps gate decisions, which are never changed.
type DecisionStore interface {
	// SaveDecision is an error if the ID exists.
	SaveDecision(context.Context, model.GateDecision) error
	// Decision is one with its envelope and its newest override; ErrNotFound when there is none.
	Decision(ctx context.Context, id string) (model.GateDecision, error)
	// Decisions lists them without envelopes, the newest first, ties by ID. next is the cursor of the following page, ""
	// at the end: following it shows each decision once, whatever is added meanwhile.
	Decisions(context.Context, DecisionQuery) (_ []model.GateDecision, next string, _ error)
}

// OverrideStore keeps overrides of gate decisions, which are never changed.
type OverrideStore interface {
	// SaveOverride is an error if the ID exists.
	SaveOverride(context.Context, model.GateOverride) error
	// Overrides are those of exactly this service, environment and version that hold at a time, the newest first.
	Overrides(ctx context.Context, service, environment, version string, at time.Time) ([]model.GateOverride, error)
}

// GateKeyStore keeps the public keys of all that ever signed decisions.
type GateKeyStore interface {
	// SaveGateKey leaves a key that is known as it is.
	SaveGateKey(context.Context, model.GateKey) error
	// GateKeys are all, the oldest first.
	GateKeys(context.Context) ([]model.GateKey, error)
}

// PageStore keeps pages and their acknowledgements.
type PageStore interface {
	// SavePage inserts or replaces by ID, but for an acknowledgement, which stays. A second firing page of one
	// dedup key is an error.
	SavePage(context.Context, model.Page) error
	// Page is one page; ErrNotFound when there is none.
	Page(ctx context.Context, id string) (model.Page, error)
	// PageByDedup is the firing page of a dedup key; ErrNotFound when there is none.
	PageByDedup(ctx context.Context, key string) (model.Page, error)
	// Pages lists pages, the newest first, ties by ID.
	Pages(context.Context, PageQuery) ([]model.Page, error)
	// AckPage acknowledges a page; the first one stands, and a later call answers the page with it.
	AckPage(ctx context.Context, id, by string, at time.Time) (model.Page, error)
}

// SLORecordStore keeps what must survive a restart of the evaluation.
type SLORecordStore interface {
	// SaveSLORecords replaces records by name.
	SaveSLORecords(context.Context, []SLORecord) error
	// SLORecords are all, by name.
	SLORecords(context.Context) ([]SLORecord, error)
}

// SLOLedgerStore keeps ledgers, which can be made again from samples.
type SLOLedgerStore interface {
	// SaveSLOLedgers replaces ledgers by name.
	SaveSLOLedgers(context.Context, []SLOLedger) error
	// SLOLedgers calls with each, by name. One that cannot be read is left out.
	SLOLedgers(context.Context, func(SLOLedger)) error
}

// SLODayStore keeps what was counted by day.
type SLODayStore interface {
	// SaveSLODays replaces days by SLO, counts and day.
	SaveSLODays(context.Context, []SLODay) error
	// SLODays are the days in [from, to), the oldest first.
	SLODays(ctx context.Context, slo, counts string, from, to time.Time) ([]SLODay, error)
	// DropSLODays forgets the days before a time.
	DropSLODays(ctx context.Context, before time.Time) error
}

// CorrectionStore keeps corrections of budgets.
type CorrectionStore interface {
	// AddSLOCorrection stores a correction under an ID of its own.
	AddSLOCorrection(context.Context, model.SLOCorrection) (model.SLOCorrection, error)
	// SLOCorrections are all, by SLO and start.
	SLOCorrections(context.Context) ([]model.SLOCorrection, error)
	// DeleteSLOCorrection takes one back; ErrNotFound when the SLO has none of this ID.
	DeleteSLOCorrection(ctx context.Context, slo, id string) error
}

// RemedyStore keeps remedies.
type RemedyStore interface {
	// SaveRemedy inserts or replaces by ID. A second open one of a service and environment is an error.
	SaveRemedy(context.Context, model.Remedy) error
	// Remedies lists them, the newest breach first, ties by ID.
	Remedies(context.Context, RemedyQuery) ([]model.Remedy, error)
}

// UserStore keeps local users.
type UserStore interface {
	// AddUser is ErrSpent if the name is taken.
	AddUser(context.Context, User) error
	// SaveUser replaces by name; ErrNotFound when there is none.
	SaveUser(context.Context, User) error
	// Users are all, by name.
	Users(context.Context) ([]User, error)
	// DeleteUser is ErrNotFound when there is none.
	DeleteUser(ctx context.Context, name string) error
}

// SessionStore keeps sessions.
type SessionStore interface {
	// AddSession is an error if the ID or the hash exists.
	AddSession(context.Context, Session) error
	// SaveSession replaces by ID, but for the hash and the last use; ErrNotFound when there is none.
	SaveSession(context.Context, Session) error
	// SessionsSeen notes the last use of sessions. One that is gone stays gone.
	SessionsSeen(context.Context, []Seen) error
	// Sessions are all, the oldest first, ties by ID.
	Sessions(context.Context) ([]Session, error)
	// DeleteSessions forgets sessions; of an ID that there is not, it says nothing.
	DeleteSessions(ctx context.Context, ids ...string) error
}

// TokenStore keeps API tokens.
type TokenStore interface {
	// AddToken is an error if the ID exists.
	AddToken(context.Context, Token) error
	// SaveToken replaces by ID, but for its last use; ErrNotFound when there is none.
	SaveToken(context.Context, Token) error
	// TokensSeen notes the last use of tokens. One that is gone stays gone.
	TokensSeen(context.Context, []Seen) error
	// Tokens are all, the oldest first, ties by ID.
	Tokens(context.Context) ([]Token, error)
	// DeleteTokens forgets tokens; of an ID that there is not, it says nothing.
	DeleteTokens(ctx context.Context, ids ...string) error
}

// SpentStore remembers what was used that can be used once.
type SpentStore interface {
	// Spend is ErrSpent for every call but the first. The ID is remembered until a time.
	Spend(ctx context.Context, id string, until time.Time) error
	// DropSpent forgets what was remembered until before a time.
	DropSpent(ctx context.Context, before time.Time) error
}

// AuditLog is a chain of entries, to which is only added.
type AuditLog interface {
	// Audit appends an entry and answers it with its ID, the one before it plus one.
	Audit(context.Context, model.AuditEntry) (model.AuditEntry, error)
	// AuditEntries lists entries, the newest first.
	AuditEntries(context.Context, AuditQuery) ([]model.AuditEntry, error)
	// VerifyAudit walks the chain and names the first entry that is not as it was written.
	VerifyAudit(context.Context) (model.AuditVerification, error)
}
