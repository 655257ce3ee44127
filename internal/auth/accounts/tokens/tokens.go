// Package tokens keeps API tokens.
//
// It decides nothing about permissions: the policy says what people may, and holds a token below its owner. In: requests to
// make, rotate and revoke, and what clients show. Out: identities with their grants and their owner as they are now.
//
// Invariants: a token never exceeds its maker when it is made, nor its owner at any time after: who loses a permission, or
// is disabled, loses it for their tokens with the next request. A service account's token has no owner and stays as it was
// made, by somebody who may manage accounts. Only a hash of a token is kept; the text is shown once. What was revoked is
// refused by the next request. All tokens are in memory, as the store has them: mu guards the map and what it holds, change lets one
// change at a time be written. When a token was used is written once a minute, by Keep.
//
// Start reading at Tokens, then text.go.
package tokens

import (
	"cmp"
	"context"
	"crypto/subtle"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/auth/accounts/keys"
	"github.com/signalbox-project/signalbox/internal/auth/login"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Config bounds the lives of tokens.
type Config struct {
	// Lifetime is that of a token whose maker says none, MaxLifetime the longest.
	Lifetime    model.Duration `yaml:"lifetime"`
	MaxLifetime model.Duration `yaml:"max_lifetime"`
	// Overlap is how long the text before a rotation goes on being taken, unless said otherwise.
	Overlap model.Duration `yaml:"overlap"`
	// PerOwner bounds the tokens of one user, and those of all service accounts together by twenty times as many.
	PerOwner int `yaml:"per_owner"`
}

const day = 24 * time.Hour

// DefaultConfig makes tokens that last 90 days.
func DefaultConfig() Config {
	return Config{Lifetime: model.Duration(90 * day), MaxLifetime: model.Duration(365 * day), Overlap: model.Duration(day), PerOwner: 100}
}

// Validate names every problem.
func (c Config) Validate() []error {
	var errs []error
	if c.Lifetime < model.Duration(time.Minute) {
		errs = append(errs, fmt.Errorf("lifetime: must be at least 1m, got %s", c.Lifetime))
	}
	if c.MaxLifetime < c.Lifetime || c.MaxLifetime > model.Duration(3650*day) {
		errs = append(errs, fmt.Errorf("max_lifetime: must be from lifetime (%s) to 10y, got %s", c.Lifetime, c.MaxLifetime))
	}
	if c.Overlap < 0 || c.Overlap > model.Duration(30*day) {
		errs = append(errs, fmt.Errorf("overlap: must be from 0s to 30d, got %s", c.Overlap))
	}
	if c.PerOwner < 1 {
		errs = append(errs, fmt.Errorf("per_owner: must be at least 1, got %d", c.PerOwner))
	}
	return errs
}

// Deps are what Tokens use.
type Deps struct {
	Store store.TokenStore
	Now   func() time.Time
	// May says what an identity may on a tenant, "*" for every tenant; the policy does.
	May func(id access.Identity, p access.Permission, tenant string) (bool, access.Scope)
	// Permissions are all that a role can hold; nil for those that are always there.
	Permissions func() []access.Described
	// Tenants are those that there are; nil takes every name.
	Tenants func() []string
	// Current is what an owner is now, and false for one who may not go on. It must be quick.
	Current func(access.Identity) (access.Identity, bool)
}

// Tokens are all that there are.
type Tokens struct {
	cfg    Config
	deps   Deps
	change sync.Mutex

	mu   sync.RWMutex
	byID map[string]*token
}

type token struct {
	store.Token
	unsaved bool // Seen is newer than what was written
}

// Open reads what there is.
func Open(ctx context.Context, cfg Config, deps Deps) (*Tokens, error) {
	t := &Tokens{cfg: cfg, deps: deps, byID: map[string]*token{}}
	list, err := deps.Store.Tokens(ctx)
	if err != nil {
		return nil, fmt.Errorf("read tokens: %w", err)
	}
	for _, v := range list {
		t.byID[v.ID] = &token{Token: v}
	}
	return t, nil
}

// subjectPrefix begins the subject of a token.
const subjectPrefix = "token:"

// Identify is whose token text is. Session of the identity is the token's ID.
func (t *Tokens) Identify(text, remote string) (access.Identity, error) {
	id, secret, ok := parse(text)
	if !ok {
		return access.Identity{}, login.ErrUnauthenticated
	}
	now, hash := t.deps.Now(), keys.Hash(secret)
	t.mu.RLock()
	e := t.byID[id]
	var v store.Token
	if e != nil {
		v = e.Token
	}
	t.mu.RUnlock()
	right := same(v.Hash, hash) || same(v.Former, hash) && now.Before(v.FormerUntil)
	if e == nil || !right {
		return access.Identity{}, login.ErrUnauthenticated
	}
	if !now.Before(v.Expires) {
		return access.Identity{}, login.ErrExpired
	}
	out := access.Identity{Subject: subjectPrefix + id, Name: v.Name, Kind: access.Token, Session: id, Grants: v.Grants}
	if v.Owner.Subject != "" {
		owner, ok := t.deps.Current(v.Owner)
		if !ok {
			return access.Identity{}, login.ErrUnauthenticated
		}
		out.Owner = &owner
		out.Name += " (" + v.Owner.Subject + ")"
	}
	if now.Sub(v.Seen) >= time.Second || remote != v.Remote {
		t.mu.Lock()
		e.Seen, e.Remote, e.unsaved = now, remote, true
		t.mu.Unlock()
	}
	return out, nil
}

func same(kept, given string) bool {
	return kept != "" && subtle.ConstantTimeCompare([]byte(kept), []byte(given)) == 1
}

// Refresh tells the groups with which an owner has logged in anew: their tokens go with them.
func (t *Tokens) Refresh(ctx context.Context, owner access.Identity) error {
	t.change.Lock()
	defer t.change.Unlock()
	for _, v := range t.of(owner.Subject) {
		if slices.Equal(v.Owner.Groups, owner.Groups) {
			continue
		}
		v.Owner = owner
		v.Owner.Session = ""
		if err := t.save(ctx, v); err != nil {
			return err
		}
	}
	return nil
}

// of are the tokens of an owner, or of everybody for "", the oldest first.
func (t *Tokens) of(owner string) []store.Token {
	t.mu.RLock()
	defer t.mu.RUnlock()
	var out []store.Token
	for _, e := range t.byID {
		if owner == "" || e.Owner.Subject == owner {
			out = append(out, e.Token)
		}
	}
	slices.SortFunc(out, func(a, b store.Token) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// save writes a token and then believes it. It is called with change held.
func (t *Tokens) save(ctx context.Context, v store.Token) error {
	if err := t.deps.Store.SaveToken(ctx, v); err != nil {
		return fmt.Errorf("keep token: %w", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if e := t.byID[v.ID]; e != nil {
		v.Seen, v.Remote = e.Seen, e.Remote
		e.Token = v
	}
	return nil
}

// Keep writes when tokens were used, and drops those that expired a month ago: until then their owner sees why
// something stopped. The wiring calls it every minute.
func (t *Tokens) Keep(ctx context.Context) error {
	t.change.Lock()
	defer t.change.Unlock()
	now := t.deps.Now()
	var seen []store.Seen
	var old []string
	t.mu.Lock()
	for _, e := range maps.Clone(t.byID) {
		switch {
		case now.Sub(e.Expires) >= 30*day:
			old = append(old, e.ID)
		case e.unsaved:
			seen = append(seen, store.Seen{ID: e.ID, Time: e.Seen, Remote: e.Remote})
			e.unsaved = false
		}
	}
	t.mu.Unlock()
	if err := t.forget(ctx, old); err != nil {
		return err
	}
	if err := t.deps.Store.TokensSeen(ctx, seen); err != nil {
		t.again(seen)
		return fmt.Errorf("note the use of tokens: %w", err)
	}
	return nil
}

// again marks what could not be written.
func (t *Tokens) again(seen []store.Seen) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, v := range seen {
		if e := t.byID[v.ID]; e != nil {
			e.unsaved = true
		}
	}
}

// forget drops tokens in memory first: whatever the disk says, they open nothing from now on. It is called with change held.
func (t *Tokens) forget(ctx context.Context, ids []string) error {
	t.mu.Lock()
	for _, id := range ids {
		delete(t.byID, id)
	}
	t.mu.Unlock()
	if err := t.deps.Store.DeleteTokens(ctx, ids...); err != nil {
		return fmt.Errorf("the token is revoked, but comes back with a restart: %w", err)
	}
	return nil
}
