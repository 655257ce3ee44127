package oidc

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/signalbox-project/signalbox/internal/auth/login"
	"github.com/signalbox-project/signalbox/internal/platform/secretfile"
)

// made makes a login of a token that was verified, and asks the provider for what isn't in it.
func (p *Provider) made(ctx context.Context, k *known, v verified, token *oauth2.Token, raw string) (login.Login, error) {
	if err := p.forUs(v); err != nil {
		return login.Login{}, err
	}
	if err := p.complete(ctx, k, v.claims, token); err != nil {
		return login.Login{}, err
	}
	id, err := p.identify(v.claims)
	if err != nil {
		return login.Login{}, err
	}
	now := p.deps.Now()
	l := login.Login{
		Identity: id, Ref: v.Subject, Sid: v.claims.text("sid"), Ends: now.Add(time.Duration(p.cfg.MaxSession)),
		Keep: secretfile.Of(string(kept{Refresh: token.RefreshToken, IDToken: raw}.bytes())),
	}
	if token.RefreshToken != "" {
		l.Recheck = now.Add(time.Duration(p.cfg.Recheck))
	}
	return l, nil
}

// complete adds to a token's claims those that the provider tells only when it is asked: what is in the token stays.
func (p *Provider) complete(ctx context.Context, k *known, c claims, token *oauth2.Token) error {
	missing := false
	for _, path := range []string{p.cfg.Claims.Username, p.cfg.Claims.Groups} {
		if _, ok := c.at(path); !ok && c["_claim_names"] == nil {
			missing = true
		}
	}
	if !missing || k.provider.UserInfoEndpoint() == "" || token.AccessToken == "" {
		return nil
	}
	info, err := k.provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return p.unavailable(shorten(err), "see that its userinfo endpoint answers from here")
	}
	if info.Subject != c.text("sub") {
		return no("the provider tells of somebody else than the token")
	}
	var more claims
	if err := info.Claims(&more); err != nil {
		return p.unavailable(shorten(err), "see the provider's log")
	}
	for name, value := range more {
		if _, ok := c[name]; !ok {
			c[name] = value
		}
	}
	return nil
}

// recheck trades the refresh token for a new one and what the provider says of the person now.
func (p *Provider) recheck(ctx context.Context, was login.Login) (login.Login, error) {
	var had kept
	if json.Unmarshal(was.Keep.Bytes(), &had) != nil || had.Refresh == "" {
		return login.Login{}, login.ErrAgain
	}
	sum := sha256.Sum256([]byte(had.Refresh))
	done := p.again.DoChan(hex.EncodeToString(sum[:]), func() (any, error) { // a token used twice looks stolen
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*timeout)
		defer cancel()
		return p.refresh(ctx, was, had)
	})
	select {
	case <-ctx.Done():
		return login.Login{}, p.unavailable(ctx.Err(), "")
	case r := <-done:
		l, _ := r.Val.(login.Login)
		return l, r.Err
	}
}

func (p *Provider) refresh(ctx context.Context, was login.Login, had kept) (login.Login, error) {
	k, err := p.find(ctx)
	if err != nil {
		return login.Login{}, err
	}
	oauth, err := p.oauth(k)
	if err != nil {
		return login.Login{}, err
	}
	ctx = oidc.ClientContext(ctx, k.client)
	token, err := oauth.TokenSource(ctx, &oauth2.Token{RefreshToken: had.Refresh}).Token()
	if err != nil {
		return login.Login{}, p.refusedBy(err)
	}
	v := verified{IDToken: &oidc.IDToken{Subject: was.Ref, Audience: []string{p.cfg.ClientID}}, claims: claims{"sub": was.Ref}}
	raw, has := token.Extra("id_token").(string)
	if has { // it may leave it out; then all is asked for
		if v, err = p.verify(ctx, k, raw, p.cfg.ClientID); err != nil {
			return login.Login{}, err
		}
	} else {
		raw = had.IDToken
	}
	if v.Subject != was.Ref {
		return login.Login{}, no("the provider tells of somebody else than before")
	}
	l, err := p.made(ctx, k, v, token, raw)
	if l.Ends = was.Ends; l.Sid == "" {
		l.Sid = was.Sid
	}
	return l, err
}
