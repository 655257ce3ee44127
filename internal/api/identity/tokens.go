package identity

import (
	"context"
	"net/http"
	"time"

	commonmodel "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/api/operation"
	"github.com/signalbox-project/signalbox/internal/auth/accounts/tokens"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Tokens are those that there are; auth/accounts/tokens does.
type Tokens interface {
	// Make answers the text once.
	Make(ctx context.Context, maker access.Identity, o tokens.Order) (text string, t store.Token, err error)
	// List is of everybody for owner "".
	List(owner string) []store.Token
	Rotate(ctx context.Context, owner, id string, overlap *time.Duration) (text string, t store.Token, err error)
	Revoke(ctx context.Context, owner, id string) error
}

// TokenRequest is a token that somebody wants.
type TokenRequest struct {
	Name     string         `json:"name" minLength:"1" maxLength:"200" doc:"what it is for"`
	Grants   []access.Grant `json:"grants" minItems:"1" maxItems:"50" doc:"at most what its maker may"`
	Lifetime string         `json:"lifetime,omitempty" maxLength:"20" doc:"for example 30d; auth.tokens.lifetime if absent" example:"30d"`
	Service  bool           `json:"service,omitempty" doc:"a service account's, which stays when its maker leaves; needs auth.manage"`
}

// RotateRequest gives a token another text.
type RotateRequest struct {
	Overlap string `json:"overlap,omitempty" maxLength:"20" doc:"how long the text before goes on being taken; auth.tokens.overlap if absent" example:"1h"`
}

// TokenInfo is a token without its text.
type TokenInfo struct {
	ID      string         `json:"id"`
	Name    string         `json:"name"`
	Owner   string         `json:"owner" doc:"empty for a service account's"`
	Maker   string         `json:"maker"`
	Grants  []access.Grant `json:"grants"`
	Created time.Time      `json:"created"`
	Expires time.Time      `json:"expires"`
	Seen    time.Time      `json:"seen,omitzero" doc:"absent until the first use"`
	Remote  string         `json:"remote,omitempty" doc:"from where it was used last"`
	// FormerUntil is until when the text before the rotation is taken.
	FormerUntil time.Time `json:"former_until,omitzero"`
}

// NewTokenResponse is a token with its text, which is shown once.
type NewTokenResponse struct {
	Text  string    `json:"text" doc:"send it as Authorization: Bearer; it is not shown again"`
	Token TokenInfo `json:"token"`
}

// TokensResponse lists tokens.
type TokensResponse struct {
	Tokens []TokenInfo `json:"tokens" doc:"the oldest first"`
}

// GoneResponse says what is no more.
type GoneResponse struct {
	ID string `json:"id"`
}

type tokenInput struct {
	Caller
	Body TokenRequest
}

type tokenIDInput struct {
	ID string `path:"id" maxLength:"100"`
}

type rotateInput struct {
	Caller
	ID   string `path:"id" maxLength:"100"`
	Body RotateRequest
}

func (h *handlers) registerTokens() {
	operation.Register(h.Registry, h.op("listTokens", "", "/tokens", access.TokensOwn, "One's own tokens"),
		func(ctx context.Context, _ *callerInput) (TokensResponse, error) {
			return h.tokensOf(subject(ctx)), nil
		})
	make := h.op("makeToken", http.MethodPost, "/tokens", access.TokensOwn, "Make a token; its text is answered once")
	make.Status = http.StatusCreated
	operation.Register(h.Registry, make, h.makeToken)
	operation.Register(h.Registry, h.op("rotateToken", http.MethodPost, "/tokens/{id}/rotate", access.TokensOwn, "Another text for a token; the one before is taken for a while"),
		func(ctx context.Context, in *rotateInput) (NewTokenResponse, error) {
			return h.rotate(ctx, subject(ctx), in)
		})
	operation.Register(h.Registry, h.op("revokeToken", http.MethodDelete, "/tokens/{id}", access.TokensOwn, "End a token"),
		func(ctx context.Context, in *tokenIDInput) (GoneResponse, error) {
			return h.revoke(ctx, subject(ctx), in.ID)
		})
	operation.Register(h.Registry, h.op("listAllTokens", "", "/admin/tokens", access.AuthManage, "Everybody's tokens, those of service accounts too"),
		func(context.Context, *callerInput) (TokensResponse, error) { return h.tokensOf(""), nil })
	operation.Register(h.Registry, h.op("rotateAnyToken", http.MethodPost, "/admin/tokens/{id}/rotate", access.AuthManage, "Another text for a service account's token"),
		func(ctx context.Context, in *rotateInput) (NewTokenResponse, error) {
			return h.rotate(ctx, tokens.ServiceOwner, in)
		})
	operation.Register(h.Registry, h.op("revokeAnyToken", http.MethodDelete, "/admin/tokens/{id}", access.AuthManage, "End anybody's token"),
		func(ctx context.Context, in *tokenIDInput) (GoneResponse, error) { return h.revoke(ctx, "", in.ID) })
}

func (h *handlers) makeToken(ctx context.Context, in *tokenInput) (NewTokenResponse, error) {
	life, err := duration("body.lifetime", in.Body.Lifetime)
	if err != nil {
		return NewTokenResponse{}, err
	}
	order := tokens.Order{Name: in.Body.Name, Grants: in.Body.Grants, Service: in.Body.Service}
	if life != nil {
		order.Lifetime = *life
	}
	text, t, err := h.deps.Tokens.Make(ctx, who(ctx).Identity, order)
	if err != nil {
		return NewTokenResponse{}, err
	}
	h.note(ctx, "token.make", "token:"+t.ID)
	return NewTokenResponse{Text: text, Token: infoOf(t)}, nil
}

func (h *handlers) rotate(ctx context.Context, owner string, in *rotateInput) (NewTokenResponse, error) {
	overlap, err := duration("body.overlap", in.Body.Overlap)
	if err != nil {
		return NewTokenResponse{}, err
	}
	text, t, err := h.deps.Tokens.Rotate(ctx, owner, in.ID, overlap)
	if err != nil {
		return NewTokenResponse{}, err
	}
	h.note(ctx, "token.rotate", "token:"+t.ID)
	return NewTokenResponse{Text: text, Token: infoOf(t)}, nil
}

func (h *handlers) revoke(ctx context.Context, owner, id string) (GoneResponse, error) {
	if err := h.deps.Tokens.Revoke(ctx, owner, id); err != nil {
		return GoneResponse{}, err
	}
	h.note(ctx, "token.revoke", "token:"+id)
	return GoneResponse{ID: id}, nil
}

func (h *handlers) tokensOf(owner string) TokensResponse {
	out := TokensResponse{}
	for _, t := range h.deps.Tokens.List(owner) {
		out.Tokens = append(out.Tokens, infoOf(t))
	}
	return out
}

func infoOf(t store.Token) TokenInfo {
	return TokenInfo{
		ID: t.ID, Name: t.Name, Owner: t.Owner.Subject, Maker: t.Maker, Grants: t.Grants, Created: t.Created, Expires: t.Expires,
		Seen: t.Seen, Remote: t.Remote, FormerUntil: t.FormerUntil,
	}
}

// duration reads Prometheus' form, "" as none.
func duration(where, text string) (*time.Duration, error) {
	if text == "" {
		return nil, nil
	}
	d, err := commonmodel.ParseDuration(text)
	if err != nil {
		return nil, operation.BadRequest("%s: %q is not a duration such as 90d or 12h", where, text)
	}
	out := time.Duration(d)
	return &out, nil
}
