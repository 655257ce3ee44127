package identity

import (
	"context"
	"net/http"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/api/operation"
)

// FirstAdminRequest is the secret of the link that the console showed at the start, and what its holder chooses.
type FirstAdminRequest struct {
	Link     string `json:"link" minLength:"1" maxLength:"200" doc:"what stands behind # in the link"`
	Name     string `json:"name" minLength:"1" maxLength:"100"`
	Password string `json:"password" minLength:"1" maxLength:"1024" doc:"at least 12 characters"`
}

// PasswordRequest is a link that lets a user choose a password, and the password.
type PasswordRequest struct {
	Link     string `json:"link" minLength:"1" maxLength:"4096" doc:"what stands behind # in the link"`
	Password string `json:"password" minLength:"1" maxLength:"1024" doc:"at least 12 characters"`
}

// OwnPasswordRequest replaces one's own password.
type OwnPasswordRequest struct {
	Old      string `json:"old" minLength:"1" maxLength:"1024"`
	Password string `json:"password" minLength:"1" maxLength:"1024" doc:"at least 12 characters"`
}

// RecoverRequest proves that its sender reads files of the server, and names the user who lost the password.
type RecoverRequest struct {
	Proof string `json:"proof" minLength:"1" maxLength:"200" doc:"what the file recovery.secret in the storage folder holds"`
	Name  string `json:"name" minLength:"1" maxLength:"100"`
}

// LinkResponse is a link with which a user chooses a password, good for 24 h, once.
type LinkResponse struct {
	Path string `json:"path" doc:"to open at this server's address; whoever has it can log in as the user"`
}

type firstInput struct {
	Caller
	Body FirstAdminRequest
}

type passwordInput struct {
	Caller
	Body PasswordRequest
}

type ownPasswordInput struct {
	Caller
	Body OwnPasswordRequest
}

type recoverInput struct {
	Caller
	Body RecoverRequest
}

func (h *handlers) registerSetup() {
	operation.Register(h.Registry, h.op("becomeFirstAdmin", http.MethodPost, "/first-admin", access.Open, "Become the first administrator, with the link from the console"),
		func(ctx context.Context, in *firstInput) (StartedResponse, error) {
			s, err := h.deps.Accounts.Redeem(ctx, in.Body.Link, in.Body.Name, in.Body.Password, h.from(&in.Caller))
			return h.begin(&in.Caller, s, err)
		})
	operation.Register(h.Registry, h.op("choosePassword", http.MethodPost, "/password", access.Open, "Choose a password, with a link"),
		func(ctx context.Context, in *passwordInput) (StartedResponse, error) {
			s, err := h.deps.Accounts.ChoosePassword(ctx, in.Body.Link, in.Body.Password, h.from(&in.Caller))
			return h.begin(&in.Caller, s, err)
		})
	operation.Register(h.Registry, h.op("changePassword", http.MethodPost, "/me/password", access.Anybody, "Change one's own password; every other session ends"),
		func(ctx context.Context, in *ownPasswordInput) (StartedResponse, error) {
			s, err := h.deps.Accounts.ChangePassword(ctx, who(ctx).Identity, in.Body.Old, in.Body.Password, h.from(&in.Caller))
			return h.begin(&in.Caller, s, err)
		})
	operation.Register(h.Registry, h.op("recoverUser", http.MethodPost, "/recover", access.Open, "A link for a local user who lost the password, for who reads the server's files"),
		func(ctx context.Context, in *recoverInput) (LinkResponse, error) {
			path, err := h.deps.Accounts.Recover(ctx, in.Body.Proof, in.Body.Name, h.from(&in.Caller))
			return LinkResponse{Path: path}, err
		})
}
