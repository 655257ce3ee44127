package directory

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"
	commoncfg "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/platform/loopback"
)

// The profiles: what is usual in a kind of directory.
const (
	ActiveDirectory = "active_directory"
	OpenLDAP        = "openldap"
)

// Config is one directory, an entry of `auth.ldap`. What is left out is what the profile says.
type Config struct {
	// Name is what the directory is called in sessions and messages.
	Name string `yaml:"name"`
	// Profile is active_directory or openldap; it sets what is usual there.
	Profile string `yaml:"profile"`
	// Servers are asked in this order, as ldaps://HOST[:PORT] or ldap://HOST[:PORT].
	Servers []string `yaml:"servers"`
	// StartTLS encrypts ldap:// connections. Without it only loopback addresses are allowed as ldap://.
	StartTLS bool `yaml:"start_tls"`
	// TLS says which certificates are trusted and shown, in Prometheus' words.
	TLS commoncfg.TLSConfig `yaml:"tls_config"`
	// Timeout bounds all of a login at one server.
	Timeout model.Duration `yaml:"timeout"`
	// BindDN is the account that looks for people. Without it people are looked for as themselves, by user_bind.
	BindDN string `yaml:"bind_dn"`
	// BindPasswordFile holds the account's password; it is read at each login.
	BindPasswordFile string `yaml:"bind_password_file"`
	// BindPasswordEnv names an environment variable that holds it.
	BindPasswordEnv string `yaml:"bind_password_env"`
	// UserBind makes the name to bind with of what somebody types: uid={user},ou=people,dc=example,dc=org or
	// {user}@example.org. It replaces bind_dn.
	UserBind string `yaml:"user_bind"`
	// User says how people are found.
	User User `yaml:"user"`
	// Groups says how their groups are found.
	Groups Groups `yaml:"groups"`
	// Recheck is how often a session's person is looked up again; it needs bind_dn.
	Recheck model.Duration `yaml:"recheck"`
	// MaxSession is when a person must log in again.
	MaxSession model.Duration `yaml:"max_session"`
}

// User says how people are found.
type User struct {
	// BaseDN is where people are.
	BaseDN string `yaml:"base_dn"`
	// Filter finds one by what they type, which is {user}.
	Filter string `yaml:"filter"`
	// NameAttribute is the name by which roles are bound to them.
	NameAttribute string `yaml:"name_attribute"`
	// DisplayAttribute is their name for people.
	DisplayAttribute string `yaml:"display_attribute"`
	// Prefix is put before their name, to tell it from that of another provider.
	Prefix string `yaml:"prefix"`
}

// Groups says how groups are found.
type Groups struct {
	// BaseDN is where groups are; those elsewhere don't count. Without it nobody has groups.
	BaseDN string `yaml:"base_dn"`
	// Filter finds groups, whoever is in them.
	Filter string `yaml:"filter"`
	// MemberAttributes hold the members: names of entries, or login names for memberUid.
	MemberAttributes []string `yaml:"member_attributes"`
	// NameAttribute is the name by which roles are bound to a group; dn is its whole name.
	NameAttribute string `yaml:"name_attribute"`
	// DirectOnly leaves out the groups that somebody is in by way of other groups.
	DirectOnly bool `yaml:"direct_only"`
	// MaxDepth bounds groups within groups; whoever is in deeper ones can't log in. Active Directory has no bound.
	MaxDepth int `yaml:"max_depth"`
	// Prefix is put before each group's name, to tell it from that of another provider.
	Prefix string `yaml:"prefix"`
	// Allowed are the groups of which somebody needs one to come in; empty lets everybody in.
	Allowed []string `yaml:"allowed"`
}

// WithDefaults fills in what is usual for the profile.
func (c Config) WithDefaults() Config {
	def := func(s *string, v string) {
		if *s == "" {
			*s = v
		}
	}
	def(&c.Name, "ldap")
	def(&c.Profile, OpenLDAP)
	if c.Profile == ActiveDirectory {
		def(&c.User.Filter, "(&(objectCategory=person)(objectClass=user)(|(sAMAccountName={user})(userPrincipalName={user})))")
		def(&c.User.NameAttribute, "sAMAccountName")
		def(&c.User.DisplayAttribute, "displayName")
		def(&c.Groups.Filter, "(objectClass=group)")
	}
	def(&c.User.Filter, "(&(objectClass=person)(uid={user}))")
	def(&c.User.NameAttribute, "uid")
	def(&c.User.DisplayAttribute, "cn")
	def(&c.Groups.Filter, "(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=posixGroup))")
	def(&c.Groups.NameAttribute, "cn")
	if len(c.Groups.MemberAttributes) == 0 {
		c.Groups.MemberAttributes = []string{"member"}
		if c.Profile != ActiveDirectory {
			c.Groups.MemberAttributes = []string{"member", "uniqueMember", "memberUid"}
		}
	}
	if c.Groups.MaxDepth == 0 {
		c.Groups.MaxDepth = 10
	}
	for _, d := range []struct {
		v   *model.Duration
		def time.Duration
	}{{&c.Timeout, 10 * time.Second}, {&c.Recheck, 5 * time.Minute}, {&c.MaxSession, 12 * time.Hour}} {
		if *d.v == 0 {
			*d.v = model.Duration(d.def)
		}
	}
	return c
}

var (
	nameForm      = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)
	attributeForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]*$`)
)

// Validate names every setting that cannot work, of what WithDefaults gave.
func (c Config) Validate() []error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if !nameForm.MatchString(c.Name) {
		bad("name: %q: write at most 32 small letters, digits and hyphens", c.Name)
	}
	if c.Profile != ActiveDirectory && c.Profile != OpenLDAP {
		bad("profile: %q: write %s or %s", c.Profile, ActiveDirectory, OpenLDAP)
	}
	if len(c.Servers) == 0 {
		bad("servers: name at least one, as ldaps://ldap.example.org")
	}
	for i, s := range c.Servers {
		if err := c.checkServer(s); err != nil {
			bad("servers[%d]: %q: %w", i, s, err)
		}
	}
	if err := c.TLS.Validate(); err != nil {
		bad("tls_config: %w", err)
	}
	for _, d := range []struct {
		name string
		v    model.Duration
	}{{"timeout", c.Timeout}, {"recheck", c.Recheck}, {"max_session", c.MaxSession}} {
		if d.v <= 0 {
			bad("%s: must be > 0, got %s", d.name, d.v)
		}
	}
	errs = append(errs, c.checkBind()...)
	errs = append(errs, c.User.validate()...)
	return append(errs, c.Groups.validate()...)
}

func (c Config) checkServer(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || u.Scheme != "ldap" && u.Scheme != "ldaps" || strings.Trim(u.Path, "/") != "" || u.User != nil {
		return errors.New("write ldaps://HOST or ldap://HOST, with a port if it isn't the usual one")
	}
	if u.Scheme == "ldap" && !c.StartTLS && !loopback.Host(u.Hostname()) {
		return errors.New("passwords would go unencrypted: write ldaps://, or start_tls: true")
	}
	if u.Scheme == "ldaps" && c.StartTLS {
		return errors.New("ldaps:// is encrypted from the start: leave start_tls out, or write ldap://")
	}
	return nil
}

func (c Config) checkBind() []error {
	var errs []error
	given := 0
	for _, s := range []string{c.BindPasswordFile, c.BindPasswordEnv} {
		if s != "" {
			given++
		}
	}
	switch {
	case (c.BindDN == "") == (c.UserBind == ""):
		errs = append(errs, errors.New("bind_dn: give either bind_dn, an account that looks for people, or user_bind, by which people look for themselves"))
	case c.BindDN != "" && given != 1:
		errs = append(errs, errors.New("bind_password_file: give either bind_password_file or bind_password_env for bind_dn"))
	case c.UserBind != "" && given != 0:
		errs = append(errs, errors.New("bind_password_file: belongs to bind_dn, which is not given"))
	case c.UserBind != "" && strings.Count(c.UserBind, "{user}") != 1:
		errs = append(errs, fmt.Errorf("user_bind: %q: write {user} once, where the name goes, as uid={user},ou=people,dc=example,dc=org or {user}@example.org", c.UserBind))
	}
	return errs
}

func (u User) validate() []error {
	errs := checkDN("user.base_dn", u.BaseDN, true)
	errs = append(errs, checkFilter("user.filter", u.Filter)...)
	if !strings.Contains(u.Filter, placeholder) {
		errs = append(errs, fmt.Errorf("user.filter: %q: write {user} where the name goes; without it anybody would be found", u.Filter))
	}
	errs = append(errs, checkAttribute("user.name_attribute", u.NameAttribute)...)
	return append(errs, checkAttribute("user.display_attribute", u.DisplayAttribute)...)
}

func (g Groups) validate() []error {
	errs := checkDN("groups.base_dn", g.BaseDN, len(g.Allowed) > 0)
	errs = append(errs, checkFilter("groups.filter", g.Filter)...)
	errs = append(errs, checkAttribute("groups.name_attribute", g.NameAttribute)...)
	for i, a := range g.MemberAttributes {
		errs = append(errs, checkAttribute(fmt.Sprintf("groups.member_attributes[%d]", i), a)...)
	}
	if g.MaxDepth < 1 || g.MaxDepth > 100 {
		errs = append(errs, fmt.Errorf("groups.max_depth: must be from 1 to 100, got %d", g.MaxDepth))
	}
	return errs
}

func checkDN(field, dn string, needed bool) []error {
	if dn == "" && !needed {
		return nil
	}
	if _, err := ldap.ParseDN(dn); err != nil || dn == "" {
		return []error{fmt.Errorf("%s: %q: write a name as ou=people,dc=example,dc=org", field, dn)}
	}
	return nil
}

func checkFilter(field, filter string) []error {
	if _, err := ldap.CompileFilter(strings.ReplaceAll(filter, placeholder, "x")); err != nil {
		return []error{fmt.Errorf("%s: %q is no LDAP filter: write one as (objectClass=person)", field, filter)}
	}
	return nil
}

func checkAttribute(field, name string) []error {
	if !attributeForm.MatchString(name) {
		return []error{fmt.Errorf("%s: %q: write the name of an attribute, as cn", field, name)}
	}
	return nil
}
