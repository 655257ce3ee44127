package identity

import (
	"context"
	"net/http"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/api/operation"
	"github.com/signalbox-project/signalbox/internal/auth/accounts"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Users are those whose passwords are kept here; auth/accounts does.
type Users interface {
	Users() []store.User
	AddUser(ctx context.Context, by, name string, c accounts.Change) (u store.User, path string, err error)
	ChangeUser(ctx context.Context, by, name string, c accounts.Change) (store.User, error)
	DeleteUser(ctx context.Context, by, name string) error
	PasswordLink(ctx context.Context, by, name string) (path string, err error)
}

// UserInfo is a local user.
type UserInfo struct {
	Name            string    `json:"name"`
	Shown           string    `json:"shown,omitempty" doc:"for people"`
	Groups          []string  `json:"groups" doc:"signalbox:ROLE gives a role"`
	Disabled        bool      `json:"disabled"`
	Created         time.Time `json:"created"`
	PasswordChanged time.Time `json:"password_changed,omitzero" doc:"absent until one was chosen"`
}

// UsersResponse lists local users.
type UsersResponse struct {
	Users []UserInfo `json:"users" doc:"by name"`
}

// UserRequest is a user to add.
type UserRequest struct {
	Name   string   `json:"name" minLength:"1" maxLength:"100"`
	Shown  string   `json:"shown,omitempty" maxLength:"200" doc:"for people"`
	Groups []string `json:"groups,omitempty" maxItems:"200" doc:"signalbox:ROLE gives a role"`
}

// UserChange is what is to be another way.
type UserChange struct {
	Shown    *string   `json:"shown,omitempty" maxLength:"200"`
	Groups   *[]string `json:"groups,omitempty" maxItems:"200"`
	Disabled *bool     `json:"disabled,omitempty"`
}

// NewUserResponse is a user and the link with which they choose a password.
type NewUserResponse struct {
	User UserInfo `json:"user"`
	Path string   `json:"path" doc:"to open at this server's address, within 24 h, once; give it to nobody else"`
}

type userInput struct {
	Caller
	Body UserRequest
}

type userNameInput struct {
	Caller
	Name string `path:"name" maxLength:"100"`
}

type userChangeInput struct {
	Name string `path:"name" maxLength:"100"`
	Body UserChange
}

func (h *handlers) registerUsers() {
	operation.Register(h.Registry, h.op("listUsers", "", "/users", access.AuthManage, "Local users"),
		func(context.Context, *callerInput) (UsersResponse, error) {
			out := UsersResponse{}
			for _, u := range h.deps.Users.Users() {
				out.Users = append(out.Users, userInfoOf(u))
			}
			return out, nil
		})
	add := h.op("addUser", http.MethodPost, "/users", access.AuthManage, "Add a local user; answers a link to choose a password")
	add.Status = http.StatusCreated
	operation.Register(h.Registry, add, func(ctx context.Context, in *userInput) (NewUserResponse, error) {
		u, path, err := h.deps.Users.AddUser(ctx, by(ctx), in.Body.Name, accounts.Change{Shown: &in.Body.Shown, Groups: &in.Body.Groups})
		return NewUserResponse{User: userInfoOf(u), Path: path}, err
	})
	operation.Register(h.Registry, h.op("changeUser", http.MethodPatch, "/users/{name}", access.AuthManage, "Change, disable or enable a local user"),
		func(ctx context.Context, in *userChangeInput) (UserInfo, error) {
			u, err := h.deps.Users.ChangeUser(ctx, by(ctx), in.Name, accounts.Change(in.Body))
			return userInfoOf(u), err
		})
	operation.Register(h.Registry, h.op("deleteUser", http.MethodDelete, "/users/{name}", access.AuthManage, "Delete a local user with their sessions and tokens"),
		func(ctx context.Context, in *userNameInput) (GoneResponse, error) {
			return GoneResponse{ID: in.Name}, h.deps.Users.DeleteUser(ctx, by(ctx), in.Name)
		})
	operation.Register(h.Registry, h.op("linkUser", http.MethodPost, "/users/{name}/link", access.AuthManage, "A link for a local user to choose another password"),
		func(ctx context.Context, in *userNameInput) (LinkResponse, error) {
			path, err := h.deps.Users.PasswordLink(ctx, by(ctx), in.Name)
			return LinkResponse{Path: path}, err
		})
}

func by(ctx context.Context) string { return access.SubjectOf(ctx, "api") }

func userInfoOf(u store.User) UserInfo {
	return UserInfo{Name: u.Name, Shown: u.Shown, Groups: u.Groups, Disabled: u.Disabled, Created: u.Created, PasswordChanged: u.Changed}
}
