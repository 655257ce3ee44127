package identity

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/api/operation"
	"github.com/signalbox-project/signalbox/internal/auth/accounts/sessions"
)

// LoginRequest is a name and a password.
type LoginRequest struct {
	Name     string `json:"name" minLength:"1" maxLength:"300"`
	Password string `json:"password" minLength:"1" maxLength:"1024"`
}

// StartedResponse says who is logged in now. The session is in the cookie.
type StartedResponse struct {
	Subject string    `json:"subject"`
	Name    string    `json:"name"`
	Expires time.Time `json:"expires" doc:"when the session ends, whatever is done; without requests it ends before"`
}

// MethodsResponse lists the ways to log in.
type MethodsResponse struct {
	Methods []Method `json:"methods"`
}

// OutResponse is the answer to a logout.
type OutResponse struct {
	LoggedOut bool `json:"logged_out"`
	// EndSession ends the provider's session, without which the next login would ask for nothing.
	EndSession string `json:"end_session,omitempty" doc:"where to send the browser next, to end its session at the provider too; the provider sends it back here"`
}

type loginInput struct {
	Caller
	Body LoginRequest
}

type callerInput struct{ Caller }

func (h *handlers) op(id, method, path string, p access.Permission, summary string) operation.Operation {
	return operation.Operation{
		ID: id, Method: method, Path: path, Tag: "identity", Permission: p, Summary: summary, Served: h.deps.Accounts != nil, Room: "accounts",
	}
}

func (h *handlers) registerLogin() {
	methods := h.op("listLoginMethods", "", "/login-methods", access.Open, "The ways to log in; none where authentication is off")
	methods.Served = true
	operation.Register(h.Registry, methods,
		func(context.Context, *operation.NoInput) (MethodsResponse, error) {
			if h.deps.Methods == nil {
				return MethodsResponse{}, nil
			}
			return MethodsResponse{Methods: h.deps.Methods()}, nil
		})
	operation.Register(h.Registry, h.op("login", http.MethodPost, "/login", access.Open, "Log in with name and password; answers a session in a cookie"),
		func(ctx context.Context, in *loginInput) (StartedResponse, error) {
			s, err := h.deps.Accounts.Login(ctx, in.Body.Name, in.Body.Password, h.from(&in.Caller))
			return h.begin(&in.Caller, s, err)
		})
	operation.Register(h.Registry, h.op("logout", http.MethodPost, "/logout", access.Open, "End the session; also one that has expired"), h.logout)
}

func (h *handlers) logout(ctx context.Context, in *callerInput) (OutResponse, error) {
	r := in.request()
	if secret, shown := sessions.OfProgram(r); shown {
		return OutResponse{LoggedOut: true}, h.deps.Accounts.Logout(ctx, secret)
	}
	was, had, err := h.deps.Accounts.Forget(ctx, h.deps.Cookies.Secret(r))
	in.ctx.AppendHeader("Set-Cookie", h.deps.Cookies.Set(r, "", time.Time{}).String())
	out := OutResponse{LoggedOut: true}
	if had && h.deps.EndSession != nil {
		out.EndSession = h.deps.EndSession(ctx, was)
	}
	return out, err
}

// hostOf is an address without its port.
func hostOf(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return host
}
