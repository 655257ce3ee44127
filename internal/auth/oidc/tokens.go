package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/signalbox-project/signalbox/internal/auth/login"
)

// watched remembers that keys could not be had, which the library makes into text.
type watched struct {
	*keySet
	failure error
}

// VerifySignature implements oidc.KeySet.
func (w *watched) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	payload, err := w.keySet.VerifySignature(ctx, token)
	if errors.Is(err, errNoKeys) {
		w.failure = err
	}
	return payload, err
}

// verifier is the library's, with our keys, algorithms and clock; the audience is looked at by audience.
func (p *Provider) verifier(keys oidc.KeySet, clientID string) *oidc.IDTokenVerifier {
	return oidc.NewVerifier(p.cfg.Issuer, keys, &oidc.Config{
		ClientID: clientID, SkipClientIDCheck: clientID == "", SupportedSigningAlgs: p.cfg.Algorithms,
		Now: func() time.Time { return p.deps.Now().Add(-time.Duration(p.cfg.Leeway)) },
	})
}

// verified is a token that is the provider's, for one of our audiences, and of now.
type verified struct {
	*oidc.IDToken
	claims claims
}

// verify proves a token but for the nonce.
func (p *Provider) verify(ctx context.Context, k *known, token string, audiences ...string) (verified, error) {
	keys := &watched{keySet: k.keys}
	t, err := p.verifier(keys, "").Verify(ctx, token)
	var late *oidc.TokenExpiredError
	switch {
	case keys.failure != nil:
		return verified{}, p.unavailable(keys.failure, "see that its jwks_uri answers from here")
	case errors.As(err, &late):
		return verified{}, no("the token has expired %s ago by the clock here: %w", p.deps.Now().Sub(late.Expiry).Round(time.Second), errClocks)
	case err != nil:
		return verified{}, no("%w", shorten(err))
	case t.Subject == "":
		return verified{}, no("the token has no subject")
	case !slices.ContainsFunc(audiences, func(a string) bool { return slices.Contains(t.Audience, a) }):
		return verified{}, no("the token is for %.200q, not for %q", t.Audience, audiences)
	}
	c := claims{}
	if err := t.Claims(&c); err != nil {
		return verified{}, no("%w", err)
	}
	return verified{IDToken: t, claims: c}, p.timely(c)
}

// timely refuses what was made in the future; when a token ends the library has looked.
func (p *Provider) timely(c claims) error {
	for _, name := range []string{"iat", "nbf"} {
		v, ok := c[name]
		if !ok {
			continue
		}
		seconds, ok := v.(float64)
		if !ok {
			return no("%s is no number", name)
		}
		at := time.Unix(0, 0).Add(time.Duration(min(seconds, 1<<33) * float64(time.Second)))
		if ahead := at.Sub(p.deps.Now()); ahead > time.Duration(p.cfg.Leeway) {
			return no("the token is good only in %s by the clock here: %w", ahead.Round(time.Second), errClocks)
		}
	}
	return nil
}

// forUs says whether a token of a login was given to us and not by way of us to somebody else.
func (p *Provider) forUs(v verified) error {
	azp, has := v.claims["azp"]
	if has && azp != any(p.cfg.ClientID) || !has && len(v.Audience) > 1 {
		return no("the token was given to another client")
	}
	return nil
}

// no is a token that isn't good, with the reason for the log.
func no(format string, args ...any) error {
	return fmt.Errorf("%w: %w", login.ErrUnauthenticated, fmt.Errorf(format, args...))
}

// claims are what a token or the provider says of somebody.
type claims map[string]any

// at is the value at a path. A name with dots in it comes before a path.
func (c claims) at(path string) (any, bool) {
	if v, ok := c[path]; ok {
		return v, true
	}
	for i := range path {
		if path[i] != '.' {
			continue
		}
		if inner, ok := c[path[:i]].(map[string]any); ok {
			if v, ok := claims(inner).at(path[i+1:]); ok {
				return v, true
			}
		}
	}
	return nil, false
}

// text is a claim as text; numbers and truth are written out, so that rules can ask for them.
func (c claims) text(path string) string {
	switch v, _ := c.at(path); v := v.(type) {
	case string:
		return v
	case bool, float64, json.Number:
		return fmt.Sprint(v)
	}
	return ""
}
