package oidc

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/signalbox-project/signalbox/internal/access"
)

const maxBearer = 16 << 10

// Bearer proves the token of a machine. It isn't ours to judge (false) if it is no token of a provider that is configured
// for machines.
func (l *Logins) Bearer(ctx context.Context, token string) (id access.Identity, ours bool, err error) {
	issuer := issuerOf(token)
	if issuer == "" {
		return access.Identity{}, false, nil
	}
	for _, p := range l.providers {
		if p.cfg.Issuer != issuer || len(p.cfg.Bearer.Rules) == 0 {
			continue
		}
		ours = true
		if id, err = p.machine(ctx, token); err == nil {
			return id, true, nil
		}
	}
	return access.Identity{}, ours, err
}

// issuerOf is whose token one claims to be; nothing is believed by it.
func issuerOf(token string) string {
	parts := strings.Split(token, ".")
	if len(token) > maxBearer || len(parts) != 3 {
		return ""
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	var c struct {
		Issuer string `json:"iss"`
	}
	if err != nil || json.Unmarshal(raw, &c) != nil {
		return ""
	}
	return c.Issuer
}

// machine makes an identity of a token. Its name has the provider's before it: no provider can speak for another's machines.
func (p *Provider) machine(ctx context.Context, token string) (access.Identity, error) {
	k, err := p.find(ctx)
	if err != nil {
		return access.Identity{}, err
	}
	v, err := p.verify(ctx, k, token, p.cfg.Bearer.Audiences...)
	if err != nil {
		return access.Identity{}, err
	}
	if v.claims["events"] != nil || v.Nonce != "" {
		return access.Identity{}, no("the token says that somebody logged in or out, and is no key")
	}
	name := v.claims.text(p.cfg.Bearer.Subject)
	if !sayable(name) {
		return access.Identity{}, no("the claim %s is no name", p.cfg.Bearer.Subject)
	}
	var groups []string
	matched := false
	for _, r := range p.rules {
		if r.matches(v.claims) {
			matched = true
			groups = append(groups, r.groups...)
		}
	}
	if !matched {
		return access.Identity{}, p.refuse("no rule of bearer.rules has the claims of this token", "whoever runs Signalbox adds one for "+name)
	}
	slices.Sort(groups)
	return access.Identity{Subject: "token:" + p.cfg.Name + ":" + name, Name: name, Kind: access.Token, Groups: slices.Compact(groups), Provider: p.cfg.Name}, nil
}

// rule is a Rule whose patterns are read.
type rule struct {
	when   map[string]*regexp.Regexp
	groups []string
}

func ruleOf(r Rule) rule {
	out := rule{when: map[string]*regexp.Regexp{}, groups: r.Groups}
	for path, want := range r.When {
		out.when[path] = like(want)
	}
	return out
}

func (r rule) matches(c claims) bool {
	for path, want := range r.when {
		if is := c.text(path); is == "" || !want.MatchString(is) {
			return false
		}
	}
	return len(r.when) > 0
}

// like reads a pattern whose * stands for anything but the signs that part names: example/* is no
// example/shop/evil, and repo:example/* no repo:example/shop:ref:x.
func like(pattern string) *regexp.Regexp {
	parts := strings.Split(pattern, "*")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	return regexp.MustCompile(`\A(?s:` + strings.Join(parts, `[^/:]*`) + `)\z`)
}
