package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/signalbox-project/signalbox/internal/platform/outcall"
	"github.com/signalbox-project/signalbox/internal/platform/secretfile"
)

// tokens keeps installation tokens until shortly before they expire.
type tokens struct {
	mu sync.Mutex
	by map[[2]int64]installationToken
}

type installationToken struct {
	secret  secretfile.Secret
	expires time.Time
}

// early is how long before its end a token is no longer used.
const early = 2 * time.Minute

// token is what reviews are sent with: the configured one, or one for the
// installation, limited to deployments of the repository.
func (h *Hook) token(ctx context.Context, installation, repository int64) (secretfile.Secret, error) {
	if h.cfg.TokenFile != "" {
		return secretfile.Read(h.cfg.TokenFile)
	}
	if h.cfg.PrivateKeyFile == "" {
		return secretfile.Secret{}, errors.New("github: neither private_key_file nor token_file is set: the deployment cannot be reviewed")
	}
	key := [2]int64{installation, repository}
	h.tokens.mu.Lock()
	t, ok := h.tokens.by[key]
	h.tokens.mu.Unlock()
	if ok && h.kit.Now().Add(early).Before(t.expires) {
		return t.secret, nil
	}
	t, err := h.newToken(ctx, installation, repository)
	if err != nil {
		return secretfile.Secret{}, err
	}
	h.tokens.mu.Lock()
	defer h.tokens.mu.Unlock()
	if h.tokens.by == nil {
		h.tokens.by = map[[2]int64]installationToken{}
	}
	for k, old := range h.tokens.by {
		if !h.kit.Now().Before(old.expires) {
			delete(h.tokens.by, k)
		}
	}
	h.tokens.by[key] = t
	return t.secret, nil
}

func (h *Hook) newToken(ctx context.Context, installation, repository int64) (installationToken, error) {
	signed, err := h.appToken()
	if err != nil {
		return installationToken{}, err
	}
	ask := map[string]any{"permissions": map[string]string{"deployments": "write"}}
	if repository > 0 {
		ask["repository_ids"] = []int64{repository}
	}
	body, err := json.Marshal(ask)
	if err != nil {
		return installationToken{}, fmt.Errorf("encode token request: %w", err)
	}
	resp, err := h.api.Do(ctx, outcall.Request{
		Method: http.MethodPost, URL: h.base.JoinPath("app/installations", strconv.FormatInt(installation, 10), "access_tokens"),
		Header: headers(signed), Body: body, Idempotent: true,
	})
	if err != nil {
		return installationToken{}, fmt.Errorf("installation token: %w", err)
	}
	var answer struct {
		Token   string    `json:"token"`
		Expires time.Time `json:"expires_at"`
	}
	if err := json.Unmarshal(resp.Body, &answer); err != nil || answer.Token == "" {
		return installationToken{}, errors.New("installation token: GitHub's answer has none")
	}
	return installationToken{secret: secretfile.Of(answer.Token), expires: answer.Expires}, nil
}

// appToken is the JWT that authenticates as the app. It begins a minute ago,
// as GitHub advises against clocks that differ, and may last ten at most.
func (h *Hook) appToken() (string, error) {
	pem, err := secretfile.Read(h.cfg.PrivateKeyFile)
	if err != nil {
		return "", err
	}
	key, err := jwt.ParseRSAPrivateKeyFromPEM(pem.Bytes())
	if err != nil {
		return "", fmt.Errorf("private key %s: %w", h.cfg.PrivateKeyFile, err)
	}
	now := h.kit.Now()
	text, err := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.RegisteredClaims{
		Issuer: h.cfg.AppID, IssuedAt: jwt.NewNumericDate(now.Add(-time.Minute)), ExpiresAt: jwt.NewNumericDate(now.Add(9 * time.Minute)),
	}).SignedString(key)
	if err != nil {
		return "", fmt.Errorf("sign as the app: %w", err)
	}
	return text, nil
}
