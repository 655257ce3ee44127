package app

import (
	"context"
	"fmt"
	"time"

	"github.com/signalbox-project/signalbox/internal/auth/login"
	"github.com/signalbox-project/signalbox/internal/auth/review"
	"github.com/signalbox-project/signalbox/internal/store"
)

// review gathers the facts of an access review.
func (c *cell) review(ctx context.Context, from, until, now time.Time) (review.Review, error) {
	a := c.identities.Accounts
	f := review.Facts{
		From: from, Until: until, Now: now, KnownFrom: now.Add(-time.Duration(c.cfg.Audit.Retention)),
		Users: a.Users(), Sessions: a.Sessions.List(""), Tokens: a.Tokens.List(""), Policy: c.cfg.Auth.Config,
	}
	for _, r := range c.cfg.Auth.Certificates {
		f.Elsewhere = append(f.Elsewhere, r.Groups...)
	}
	for _, o := range c.cfg.Auth.OIDC {
		for _, r := range o.Bearer.Rules {
			f.Elsewhere = append(f.Elsewhere, r.Groups...)
		}
	}
	var err error
	if f.Logins, err = c.loginsSince(ctx, from, now); err != nil {
		return review.Review{}, fmt.Errorf("read logins: %w", err)
	}
	return review.Of(f), nil
}

// loginsSince are those of the period and of the time after which who did not log in is idle.
func (c *cell) loginsSince(ctx context.Context, from, now time.Time) ([]review.Login, error) {
	const page = 1000
	if idle := now.Add(-review.Idle); idle.Before(from) {
		from = idle
	}
	var out []review.Login
	q := store.AuditQuery{Start: from, End: now.Add(time.Second), Action: "login", Limit: page}
	for {
		entries, err := c.audit.AuditEntries(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			one := review.Login{Subject: e.Subject, Time: e.Time}
			one.Groups, one.Grants, one.Known = login.Noted(e.Details)
			out = append(out, one)
		}
		if len(entries) < page {
			return out, nil
		}
		q.Before = entries[page-1].ID
	}
}
