package oidc

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/auth/login"
)

const (
	maxText   = 256
	maxGroups = 5000
)

// identify makes an identity of what a provider says of a person, and says who may not come in.
func (p *Provider) identify(c claims) (access.Identity, error) {
	groups, err := p.groups(c)
	if err != nil {
		return access.Identity{}, err
	}
	name, err := p.username(c)
	if err != nil {
		return access.Identity{}, err
	}
	if err := p.allow(c, groups); err != nil {
		return access.Identity{}, err
	}
	for i := range groups {
		groups[i] = p.cfg.Claims.GroupsPrefix + groups[i]
	}
	display := c.text(p.cfg.Claims.Display)
	if !sayable(display) {
		display = name
	}
	return access.Identity{Subject: "user:" + p.cfg.Claims.UsernamePrefix + name, Name: display, Kind: access.User, Groups: groups, Provider: p.cfg.Name}, nil
}

// username is the name by which roles are bound. An e-mail address counts only if the provider has verified it:
// elsewhere anybody may write anybody's into their profile.
func (p *Provider) username(c claims) (string, error) {
	claim := p.cfg.Claims.Username
	name := c.text(claim)
	switch {
	case !sayable(name):
		return "", p.refuse(fmt.Sprintf("the provider does not say what you are called (claim %s)", claim), "whoever runs Signalbox chooses a claim that is there by claims.username, or asks for a scope that has it")
	case claim == "email" && !verifiedMail(c):
		return "", p.refuse("your e-mail address is not verified (claim email_verified)", "verify it at the provider; or whoever runs Signalbox chooses another claims.username")
	case claim == "email" || p.cfg.Profile == Entra && claim == "preferred_username":
		return strings.ToLower(name), nil // of these the provider knows one, however it is spelled
	}
	return name, nil
}

func verifiedMail(c claims) bool { return c.text("email_verified") == "true" }

// groups are the names of a person's groups, sorted.
func (p *Provider) groups(c claims) ([]string, error) {
	claim := p.cfg.Claims.Groups
	v, ok := c.at(claim)
	if !ok {
		first, _, _ := strings.Cut(claim, ".")
		if elsewhere, _ := c["_claim_names"].(map[string]any); elsewhere[first] != nil || c.text("hasgroups") == "true" {
			return nil, p.refuse("you are in too many groups for the provider to name them",
				"whoever runs the provider has it send only groups that are assigned to Signalbox (Entra ID: Token configuration, Groups assigned to the application), or app roles with claims.groups: roles")
		}
		return nil, nil
	}
	var out []string
	switch v := v.(type) {
	case string:
		out = []string{v}
	case []any:
		for _, e := range v {
			s, ok := e.(string)
			if !ok {
				return nil, p.refuse(fmt.Sprintf("the claim %s is no list of texts", claim), "whoever runs Signalbox names another one by claims.groups")
			}
			out = append(out, s)
		}
	case nil:
	default:
		return nil, p.refuse(fmt.Sprintf("the claim %s is no list of texts", claim), "whoever runs Signalbox names another one by claims.groups")
	}
	if len(out) > maxGroups || slices.ContainsFunc(out, func(s string) bool { return !sayable(s) }) {
		return nil, p.refuse(fmt.Sprintf("the claim %s has more than %d groups, or one that does not print", claim, maxGroups), "whoever runs the provider has it send fewer")
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

func (p *Provider) allow(c claims, groups []string) error {
	if wanted := p.cfg.Allowed.Groups; len(wanted) > 0 && !slices.ContainsFunc(groups, func(g string) bool { return slices.Contains(wanted, g) }) {
		if _, ok := c.at(p.cfg.Claims.Groups); !ok {
			return p.refuse(fmt.Sprintf("the provider names no groups of yours (claim %s)", p.cfg.Claims.Groups), "whoever runs the provider has it put groups into the ID token; claims.groups says where they stand")
		}
		return p.refuse("you are in none of the groups that may log in", "ask to be put into one of them; whoever runs Signalbox names them in allowed.groups")
	}
	if wanted := p.cfg.Allowed.Domains; len(wanted) > 0 {
		mail := c.text("email")
		domain := mail[strings.LastIndexByte(mail, '@')+1:]
		if !verifiedMail(c) || domain == mail || !slices.ContainsFunc(wanted, func(d string) bool { return strings.EqualFold(d, domain) }) {
			return p.refuse("your e-mail address is not a verified one of a domain that may log in", "log in by another account; whoever runs Signalbox names domains in allowed.domains")
		}
	}
	return nil
}

func (p *Provider) refuse(why, cure string) error {
	return &login.Refused{Provider: p.cfg.Name, Why: why, Cure: cure}
}

// sayable says whether something can be a name.
func sayable(s string) bool { return login.Sayable(s, maxText) && strings.TrimSpace(s) == s }

// kept is what we need later of a login, as it is kept with the session.
type kept struct {
	Refresh string `json:"refresh,omitempty"`
	IDToken string `json:"id_token,omitempty"`
}

func (k kept) bytes() []byte {
	b, err := json.Marshal(k)
	if err != nil {
		return nil // texts always encode
	}
	return b
}
