package tokens

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/auth/login"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Order is a token that somebody wants.
type Order struct {
	Name     string
	Grants   []access.Grant
	Lifetime time.Duration // 0 is the usual one
	// Service makes the token of a service account, which stays when its maker leaves.
	Service bool
}

// OrderError is an order that its maker must change.
type OrderError struct{ reason string }

func (e *OrderError) Error() string { return e.reason }

// BadRequest says that the caller can mend it.
func (*OrderError) BadRequest() {}

func bad(format string, args ...any) error { return &OrderError{reason: fmt.Sprintf(format, args...)} }

// ServiceOwner stands for the owner of service accounts' tokens: whoever manages accounts rotates those, but nobody else's, whose
// text they would learn.
const ServiceOwner = "service"

const (
	maxName   = 200
	maxGrants = 50
)

// Make makes a token; its text is answered once. Who asks with a token makes none: what leaked must not outlive itself.
func (t *Tokens) Make(ctx context.Context, maker access.Identity, o Order) (text string, _ store.Token, err error) {
	v, err := t.ordered(maker, o)
	if err != nil {
		return "", v, err
	}
	t.change.Lock()
	defer t.change.Unlock()
	if n, most := t.count(v.Owner.Subject); n >= most {
		return "", v, bad("there are %d tokens of this owner, as many as per_owner lets be: revoke those that nobody uses", n)
	}
	text, v.Hash = newText(v.ID)
	if err := t.deps.Store.AddToken(ctx, v); err != nil {
		return "", v, fmt.Errorf("keep token: %w", err)
	}
	t.mu.Lock()
	t.byID[v.ID] = &token{Token: v}
	t.mu.Unlock()
	return text, shown(v), nil
}

// ordered is the token that an order asks for, without its secret.
func (t *Tokens) ordered(maker access.Identity, o Order) (store.Token, error) {
	now, name := t.deps.Now(), strings.TrimSpace(o.Name)
	if maker.Subject == "" || maker.Kind == access.Token || maker.Kind == access.Link {
		return store.Token{}, login.ErrForbidden
	}
	if name == "" || len(name) > maxName {
		return store.Token{}, bad("name: say in up to %d bytes what the token is for", maxName)
	}
	if manages, _ := t.deps.May(maker, access.AuthManage, model.DefaultTenant); o.Service && !manages {
		return store.Token{}, login.ErrForbidden
	}
	if len(o.Grants) == 0 || len(o.Grants) > maxGrants {
		return store.Token{}, bad("grants: name from 1 to %d roles that the token has", maxGrants)
	}
	for i, g := range o.Grants {
		if err := t.within(maker, g); err != nil {
			return store.Token{}, bad("grants[%d]: %v", i, err)
		}
	}
	life, longest := cmp.Or(o.Lifetime, time.Duration(t.cfg.Lifetime)), time.Duration(t.cfg.MaxLifetime)
	if life < time.Minute || life > longest {
		return store.Token{}, bad("lifetime: must be from 1m to %s (max_lifetime), got %s", t.cfg.MaxLifetime, life)
	}
	v := store.Token{
		ID: newID(), Name: name, Maker: maker.Subject, Owner: maker, Grants: o.Grants, Created: now, Expires: now.Add(life),
	}
	v.Owner.Session = ""
	if o.Service {
		v.Owner = access.Identity{}
	}
	return v, nil
}

func (t *Tokens) permissions() []access.Described {
	if t.deps.Permissions == nil {
		return access.Permissions()
	}
	return t.deps.Permissions()
}

// within says what of a grant its maker may not: everything that a token with this grant alone would be let do is asked about.
func (t *Tokens) within(maker access.Identity, g access.Grant) error {
	tenants := g.Tenants
	if len(tenants) == 0 {
		tenants = []string{model.DefaultTenant}
	}
	for _, list := range [][]string{tenants, g.Namespaces} {
		if len(list) > maxGrants || slices.ContainsFunc(list, func(n string) bool { return n == "" || len(n) > maxName }) {
			return fmt.Errorf("up to %d tenants and namespaces, none of them empty or longer than %d bytes", maxGrants, maxName)
		}
	}
	alone := access.Identity{Subject: subjectPrefix, Kind: access.Token, Grants: []access.Grant{g}}
	gives := false
	for _, tenant := range tenants {
		for _, d := range t.permissions() {
			ok, wants := t.deps.May(alone, d.Permission, tenant)
			if !ok {
				continue
			}
			gives = true
			if may, scope := t.deps.May(maker, d.Permission, tenant); !may || !covers(scope, wants) {
				return fmt.Errorf("the role %s holds %s, which you may not on all of that yourself: choose another role, or fewer tenants and namespaces",
					g.Role, d.Permission)
			}
		}
	}
	if !gives {
		return fmt.Errorf("there is no role %q, or it gives nothing there; GET /sb/v1/roles lists the roles", g.Role)
	}
	return t.exist(maker, tenants)
}

// exist says which tenant of a grant there is none of. It is asked last: a maker who may nothing on a name was refused
// before, alike whether there is such a tenant or not, and is told of those alone that are theirs.
func (t *Tokens) exist(maker access.Identity, named []string) error {
	if t.deps.Tenants == nil {
		return nil
	}
	there := t.deps.Tenants()
	for _, tenant := range named {
		if tenant == everyTenant || slices.Contains(there, tenant) {
			continue
		}
		var theirs []string
		for _, one := range there {
			if slices.ContainsFunc(access.Permissions(), func(d access.Described) bool {
				may, _ := t.deps.May(maker, d.Permission, one)
				return may
			}) {
				theirs = append(theirs, one)
			}
		}
		return fmt.Errorf("there is no tenant %q: choose of %s", tenant, cmp.Or(strings.Join(theirs, ", "), "none, as you may nothing on those there are"))
	}
	return nil
}

// everyTenant names all tenants, those to come too.
const everyTenant = "*"

func covers(outer, inner access.Scope) bool {
	return outer.All || !inner.All && !slices.ContainsFunc(inner.Names, func(n string) bool { return !outer.Sees(n) })
}

func (t *Tokens) count(owner string) (n, most int) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, e := range t.byID {
		if e.Owner.Subject == owner {
			n++
		}
	}
	if most = t.cfg.PerOwner; owner == "" {
		most *= 20
	}
	return n, most
}

// List are the tokens of an owner, or of everybody for "", without hashes, the oldest first.
func (t *Tokens) List(owner string) []store.Token {
	out := t.of(owner)
	for i := range out {
		out[i] = shown(out[i])
	}
	return out
}

// shown is a token without what is kept of its secret.
func shown(v store.Token) store.Token {
	v.Hash, v.Former = "", ""
	return v
}

// find is a token of an owner, or of anybody for "".
func (t *Tokens) find(owner, id string) (store.Token, error) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	e := t.byID[id]
	if e == nil || owner != "" && cmp.Or(e.Owner.Subject, ServiceOwner) != owner {
		return store.Token{}, fmt.Errorf("token: %w", store.ErrNotFound)
	}
	return e.Token, nil
}

// Rotate gives a token another text and its lifetime anew. The text before is taken until the overlap is over; nil is the
// usual one. Owner "" is anybody's.
func (t *Tokens) Rotate(ctx context.Context, owner, id string, overlap *time.Duration) (text string, _ store.Token, err error) {
	t.change.Lock()
	defer t.change.Unlock()
	v, err := t.find(owner, id)
	if err != nil {
		return "", v, err
	}
	keep, longest := time.Duration(t.cfg.Overlap), 30*day
	if overlap != nil {
		keep = *overlap
	}
	if keep < 0 || keep > longest {
		return "", v, bad("overlap: must be from 0s to 30d, got %s", keep)
	}
	now := t.deps.Now()
	if !now.Before(v.Expires) {
		return "", v, bad("the token has expired; make a new one")
	}
	life := min(v.Expires.Sub(v.Created), time.Duration(t.cfg.MaxLifetime))
	v.Former, v.FormerUntil = v.Hash, now.Add(keep)
	if v.FormerUntil.After(v.Expires) {
		v.FormerUntil = v.Expires // a rotation does not prolong what leaked
	}
	v.Created, v.Expires = now, now.Add(life)
	text, v.Hash = newText(id)
	if err := t.save(ctx, v); err != nil {
		return "", v, err
	}
	return text, shown(v), nil
}

// Revoke ends a token. Owner "" is anybody's.
func (t *Tokens) Revoke(ctx context.Context, owner, id string) error {
	t.change.Lock()
	defer t.change.Unlock()
	if _, err := t.find(owner, id); err != nil {
		return err
	}
	return t.forget(ctx, []string{id})
}

// RevokeOf ends all tokens of an owner.
func (t *Tokens) RevokeOf(ctx context.Context, owner string) error {
	if owner == "" {
		return errors.New("revoke tokens: of whom?")
	}
	t.change.Lock()
	defer t.change.Unlock()
	var ids []string
	for _, v := range t.of(owner) {
		ids = append(ids, v.ID)
	}
	return t.forget(ctx, ids)
}
