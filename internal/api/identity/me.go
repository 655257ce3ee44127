package identity

import (
	"context"
	"net/http"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/api/operation"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Policy says what somebody may; auth/policy does.
type Policy interface {
	// May is everything, for each permission, on a tenant.
	May(id access.Identity, tenant string) []Permission
	Roles() []Role
	// Permissions are all that a role can hold.
	Permissions() []access.Described
}

// Permission is one row of what somebody may.
type Permission struct {
	Permission access.Permission `json:"permission"`
	Allows     string            `json:"allows" doc:"for people"`
	Allowed    bool              `json:"allowed"`
	Namespaces []string          `json:"namespaces" doc:"empty where all are seen"`
	By         []string          `json:"by" doc:"what gives it"`
}

// Role is a named list of permissions.
type Role struct {
	Name        string              `json:"name"`
	Description string              `json:"description,omitempty"`
	Permissions []access.Permission `json:"permissions"`
}

// RolesResponse is the matrix of roles and permissions.
type RolesResponse struct {
	Roles       []Role             `json:"roles"`
	Permissions []access.Described `json:"permissions"`
}

// MeResponse is who asks, and what they may.
type MeResponse struct {
	Subject     string       `json:"subject" doc:"empty where authentication is off"`
	Name        string       `json:"name"`
	Kind        access.Kind  `json:"kind" enum:"user,token,certificate,link,nobody"`
	Provider    string       `json:"provider,omitempty"`
	Groups      []string     `json:"groups"`
	Tenant      string       `json:"tenant"`
	Permissions []Permission `json:"permissions"`
	// Masking lets a page say what would lift what it shows as masked.
	Masking map[string]access.Permission `json:"masking,omitempty" doc:"rules of masking, each with the permission that lifts it"`
}

// SessionInfo is a browser in which somebody is logged in.
type SessionInfo struct {
	ID       string    `json:"id"`
	Subject  string    `json:"subject"`
	Provider string    `json:"provider"`
	Created  time.Time `json:"created"`
	Seen     time.Time `json:"seen"`
	Expires  time.Time `json:"expires"`
	Remote   string    `json:"remote"`
	Agent    string    `json:"agent"`
	Current  bool      `json:"current" doc:"the one that asks"`
}

// SessionsResponse lists sessions.
type SessionsResponse struct {
	Sessions []SessionInfo `json:"sessions" doc:"the one used last first"`
}

// EndedResponse says how many were ended.
type EndedResponse struct {
	Ended int `json:"ended"`
}

// Sessions are those that there are; auth/accounts/sessions does.
type Sessions interface {
	// List is of everybody for subject "".
	List(subject string) []store.Session
	End(ctx context.Context, subject, id string) error
	EndOf(ctx context.Context, subject, except string) (ended int, err error)
}

type sessionInput struct {
	ID string `path:"id" maxLength:"100"`
}

func (h *handlers) registerMe() {
	me := h.op("whoAmI", "", "/me", access.Anybody, "Who asks, and what they may")
	me.Served = true
	operation.Register(h.Registry, me,
		func(ctx context.Context, in *callerInput) (MeResponse, error) {
			a := who(ctx)
			if a.Tenant == "" {
				a.Tenant = model.DefaultTenant
			}
			out := MeResponse{Subject: a.Subject, Name: a.Name, Kind: a.Kind, Provider: a.Provider, Groups: a.Groups, Tenant: a.Tenant}
			if h.deps.Masking != nil {
				out.Masking = h.deps.Masking()
			}
			if h.deps.Policy != nil {
				out.Permissions = h.deps.Policy.May(a.Identity, a.Tenant)
			}
			return out, nil
		})
	roles := h.op("listRoles", "", "/roles", access.Anybody, "Which role may what")
	roles.Served, roles.Room = h.deps.Policy != nil, "roles"
	operation.Register(h.Registry, roles, func(context.Context, *operation.NoInput) (RolesResponse, error) {
		return RolesResponse{Roles: h.deps.Policy.Roles(), Permissions: h.deps.Policy.Permissions()}, nil
	})
}

func (h *handlers) registerSessions() {
	operation.Register(h.Registry, h.op("listSessions", "", "/sessions", access.Anybody, "Where one is logged in"),
		func(ctx context.Context, _ *callerInput) (SessionsResponse, error) {
			return h.sessionsOf(ctx, subject(ctx)), nil
		})
	operation.Register(h.Registry, h.op("endOtherSessions", http.MethodDelete, "/sessions", access.Anybody, "Log out everywhere else"),
		func(ctx context.Context, _ *operation.NoInput) (EndedResponse, error) {
			n, err := h.deps.Sessions.EndOf(ctx, subject(ctx), who(ctx).Session)
			h.note(ctx, "session.end", subject(ctx))
			return EndedResponse{Ended: n}, err
		})
	operation.Register(h.Registry, h.op("endSession", http.MethodDelete, "/sessions/{id}", access.Anybody, "Log out there"),
		func(ctx context.Context, in *sessionInput) (EndedResponse, error) {
			return h.endSession(ctx, subject(ctx), in.ID)
		})
	operation.Register(h.Registry, h.op("listAllSessions", "", "/admin/sessions", access.AuthManage, "Where everybody is logged in"),
		func(ctx context.Context, _ *callerInput) (SessionsResponse, error) { return h.sessionsOf(ctx, ""), nil })
	operation.Register(h.Registry, h.op("endAnySession", http.MethodDelete, "/admin/sessions/{id}", access.AuthManage, "Log somebody out"),
		func(ctx context.Context, in *sessionInput) (EndedResponse, error) {
			return h.endSession(ctx, "", in.ID)
		})
}

func (h *handlers) endSession(ctx context.Context, subject, id string) (EndedResponse, error) {
	if err := h.deps.Sessions.End(ctx, subject, id); err != nil {
		return EndedResponse{}, err
	}
	h.note(ctx, "session.end", id)
	return EndedResponse{Ended: 1}, nil
}

func (h *handlers) sessionsOf(ctx context.Context, subject string) SessionsResponse {
	current := who(ctx).Session
	out := SessionsResponse{}
	for _, s := range h.deps.Sessions.List(subject) {
		out.Sessions = append(out.Sessions, SessionInfo{
			ID: s.ID, Subject: s.Identity.Subject, Provider: s.Identity.Provider, Created: s.Created, Seen: s.Seen, Expires: s.Expires,
			Remote: s.Remote, Agent: s.Agent, Current: s.ID == current,
		})
	}
	return out
}

// note records a change that the rooms behind do not record themselves.
func (h *handlers) note(ctx context.Context, action, subject string) {
	h.Audit(ctx, model.AuditEntry{Actor: access.SubjectOf(ctx, "api"), Action: action, Subject: subject})
}
