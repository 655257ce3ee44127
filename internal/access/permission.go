package access

import "strings"

// Permission is one thing that somebody may do. Roles are lists of permissions.
type Permission string

// What may be done. The words are those of `auth.roles` in the configuration.
const (
	MetricsRead    Permission = "metrics.read"
	LogsRead       Permission = "logs.read"
	TracesRead     Permission = "traces.read"
	SQLQuery       Permission = "sql.query"
	ServicesRead   Permission = "services.read"
	SLOsRead       Permission = "slos.read"
	SLOsCorrect    Permission = "slos.correct"
	DeploysRead    Permission = "deploys.read"
	DeploysWrite   Permission = "deploys.write"
	GateRead       Permission = "gate.read"
	GateAsk        Permission = "gate.ask"
	GateOverride   Permission = "gate.override"
	RemediesRead   Permission = "remedies.read"
	RemediesRun    Permission = "remedies.run"
	RemediesStart  Permission = "remedies.start"
	RemediesSend   Permission = "remedies.trigger"
	AlertsRead     Permission = "alerts.read"
	AlertsSend     Permission = "alerts.send"
	SilencesWrite  Permission = "silences.write"
	PagesRead      Permission = "pages.read"
	PagesAck       Permission = "pages.ack"
	IncidentsRead  Permission = "incidents.read"
	IncidentsWrite Permission = "incidents.write"
	// StatusPagesRead and StatusPagesPublish are about what a tenant says of itself, not about namespaces.
	StatusPagesRead    Permission = "statuspage.read"
	StatusPagesPublish Permission = "statuspage.publish"
	OnCallRead         Permission = "oncall.read"
	OnCallSwap         Permission = "oncall.swap"
	ProbesRead         Permission = "probes.read"
	StatusRead         Permission = "status.read"
	SystemRead         Permission = "system.read"
	ConfigRead         Permission = "config.read"
	TelemetryWrite     Permission = "telemetry.write"
	TokensOwn          Permission = "tokens.own"
	AuditRead          Permission = "audit.read"
	UnmaskedRead       Permission = "unmasked.read"
	AuthManage         Permission = "auth.manage"
	AdminReload        Permission = "admin.reload"
	AdminProfile       Permission = "admin.profile"
	AdminStorage       Permission = "admin.storage"
)

// unmasked begins the permissions that lift rules of masking: UnmaskedRead, and words of the configuration's own.
const unmasked = "unmasked."

// Lifts reports whether a permission is one that lifts rules of masking.
func Lifts(p Permission) bool {
	word, ok := strings.CutPrefix(string(p), unmasked)
	return ok && word != "" && len(word) <= 63 && strings.Trim(word, "abcdefghijklmnopqrstuvwxyz0123456789_-") == ""
}

// What an endpoint needs that needs no permission of a role.
const (
	// Open needs nobody: health, the login itself, the files of the UI.
	Open Permission = "open"
	// Anybody needs an identity, whatever it may: who am I, log out.
	Anybody Permission = "anybody"
	// Undeclared is what an endpoint has that declares none. Nobody may use it.
	Undeclared Permission = ""
)

// Class says how far a permission reaches.
type Class int

const (
	// Scoped permissions hold for namespaces, where a binding names some.
	Scoped Class = iota
	// WholeTenant permissions reach everything of a tenant, so that a binding of namespaces does not give them.
	WholeTenant
	// System permissions reach the process. A binding on the operator's tenant, default, gives them.
	System
)

// ClassOf is the class of a permission.
func ClassOf(p Permission) Class {
	switch p {
	case AuditRead, AdminStorage, StatusPagesPublish:
		return WholeTenant
	case AuthManage, AdminReload, AdminProfile, ConfigRead, SystemRead:
		return System
	}
	return Scoped
}

// KeepsApart says whether the rooms behind a permission show and change only what belongs to the namespaces of an Access. Who is
// bound to some namespaces is refused where they do not, rather than shown what belongs to others.
func KeepsApart(p Permission) bool {
	switch p {
	case MetricsRead, LogsRead, TracesRead, SQLQuery, StatusRead, TokensOwn, UnmaskedRead, TelemetryWrite, AlertsRead, AlertsSend, SilencesWrite,
		SLOsRead, SLOsCorrect, ServicesRead, DeploysRead, DeploysWrite, GateRead, GateAsk, GateOverride, RemediesRead, PagesRead, PagesAck, IncidentsRead, IncidentsWrite:
		return true
	}
	return false
}

// Described is a permission and what it lets its holder do.
type Described struct {
	Permission Permission `json:"permission"`
	Allows     string     `json:"allows"`
}

// Permissions are all that a role can hold, in the order in which people read them.
func Permissions() []Described {
	return []Described{
		{MetricsRead, "ask PromQL, list series and labels, read remotely, federate"},
		{LogsRead, "search and tail log records"},
		{TracesRead, "search traces and spans, Jaeger's API included"},
		{SQLQuery, "ask SQL over logs, spans and state"},
		{ServicesRead, "see services, their dependencies and causes"},
		{SLOsRead, "see SLOs, budgets, reports and backtests"},
		{SLOsCorrect, "correct an error budget and take a correction back"},
		{DeploysRead, "see deployments"},
		{DeploysWrite, "mark deployments, also by a delivery tool's webhook"},
		{GateRead, "see gate decisions, policies and canary verdicts"},
		{GateAsk, "ask the gate for a decision"},
		{GateOverride, "override a gate decision"},
		{RemediesRead, "see remediations"},
		{RemediesRun, "begin a remedy, approve and refuse what one would do, and stop remedies"},
		{RemediesStart, "start remedies again that somebody stopped"},
		{RemediesSend, "send alerts that remedies act on, as an Alertmanager does"},
		{AlertsRead, "see alerts, rules and silences"},
		{AlertsSend, "send alerts"},
		{SilencesWrite, "create and expire silences"},
		{PagesRead, "see pages and why somebody was or wasn't paged"},
		{PagesAck, "acknowledge pages"},
		{IncidentsRead, "see incidents, their timelines and postmortems"},
		{IncidentsWrite, "open, change, merge and resolve incidents, and write their postmortems"},
		{StatusPagesRead, "see status pages that are not public, and what was announced"},
		{StatusPagesPublish, "announce incidents and maintenance on status pages, and manage their subscribers"},
		{OnCallRead, "see who is on call, schedules and gaps in them"},
		{OnCallSwap, "put somebody on call for a while, and take that back"},
		{ProbesRead, "see probes and scrape targets"},
		{StatusRead, "see how Signalbox itself is"},
		{SystemRead, "read Signalbox's own metrics, its ledger and what its stores hold"},
		{ConfigRead, "read the configuration in force, without its secrets"},
		{TelemetryWrite, "send metrics, logs and traces"},
		{TokensOwn, "make and revoke tokens for oneself, with at most one's own permissions"},
		{AuditRead, "search, verify and export the audit log"},
		{UnmaskedRead, "see what is masked for others, and the hashes that stand for an identifier"},
		{AuthManage, "manage users, tokens and sessions, and see what everybody may"},
		{AdminReload, "reload the configuration"},
		{AdminProfile, "profile the process"},
		{AdminStorage, "delete series and take snapshots"},
	}
}
