package policy

import (
	"slices"
	"strings"

	"github.com/signalbox-project/signalbox/internal/access"
)

// Role is a named list of permissions.
type Role struct {
	Name        string              `yaml:"name" json:"name"`
	Description string              `yaml:"description" json:"description,omitempty"`
	Permissions []access.Permission `yaml:"permissions" json:"permissions"`
}

// The roles that are always there.
const (
	Viewer    = "viewer"
	Responder = "responder"
	Editor    = "editor"
	Admin     = "admin"
	Ingest    = "ingest"
	Calendar  = access.RoleCalendar
)

// BuiltIn are the roles that are always there. Viewer, responder, editor and admin each contain the one before.
func BuiltIn() []Role {
	viewer := []access.Permission{
		access.MetricsRead, access.LogsRead, access.TracesRead, access.SQLQuery, access.ServicesRead, access.SLOsRead, access.DeploysRead,
		access.GateRead, access.RemediesRead, access.AlertsRead, access.PagesRead, access.IncidentsRead, access.StatusPagesRead, access.OnCallRead, access.ProbesRead, access.StatusRead, access.SystemRead, access.TokensOwn,
	}
	responder := append(slices.Clone(viewer), access.PagesAck, access.IncidentsWrite, access.OnCallSwap, access.SilencesWrite, access.GateAsk, access.RemediesRun)
	editor := append(slices.Clone(responder), access.StatusPagesPublish, access.SLOsCorrect, access.DeploysWrite, access.GateOverride, access.AlertsSend, access.RemediesStart, access.RemediesSend)
	var admin []access.Permission
	for _, d := range access.Permissions() {
		admin = append(admin, d.Permission)
	}
	return []Role{
		{Viewer, "sees telemetry, SLOs, alerts, pages, incidents and decisions", viewer},
		{Responder, "is on call: acknowledges, silences, works on incidents, asks the gate", responder},
		{Editor, "owns services: corrects budgets, marks deployments, overrides the gate", editor},
		{Admin, "may everything", admin},
		{Ingest, "sends telemetry and alerts, and sees nothing", []access.Permission{access.TelemetryWrite, access.AlertsSend}},
		{Calendar, "reads who is on call, for calendar programs", []access.Permission{access.OnCallRead}},
	}
}

// OwnGroup begins the groups that stand for roles: signalbox:admin and so on. Local users get roles by them.
const OwnGroup = "signalbox:"

// GroupOf is the group whose members have a role.
func GroupOf(role string) string { return OwnGroup + role }

// groups are those that count for an identity: a provider cannot name ours.
func groups(id access.Identity) []string {
	if id.Kind == access.User && id.Provider == Local {
		return id.Groups
	}
	return slices.DeleteFunc(slices.Clone(id.Groups), func(g string) bool { return strings.HasPrefix(g, OwnGroup) })
}

// Local is the provider of users whose passwords we keep.
const Local = "local"
