package directory

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/signalbox-project/signalbox/internal/auth/login"
)

func TestValidate(t *testing.T) {
	good := Config{
		Servers: []string{"ldaps://ldap.example.org", "ldap://[::1]:389"}, BindDN: "cn=x,dc=example,dc=org", BindPasswordFile: "/f",
		User: User{BaseDN: "dc=example,dc=org"},
	}
	if errs := good.WithDefaults().Validate(); len(errs) > 0 {
		t.Fatal(errs)
	}
	if errs := (Config{}).WithDefaults().Validate(); len(errs) != 3 {
		t.Errorf("servers, bind_dn, user.base_dn: %v", errs)
	}
	for field, change := range map[string]func(*Config){
		"name":                        func(c *Config) { c.Name = "Corp LDAP" },
		"profile":                     func(c *Config) { c.Profile = "ad" },
		"servers[0]":                  func(c *Config) { c.Servers = []string{"ldap://ldap.example.org"} },
		"servers[1]":                  func(c *Config) { c.Servers[1] = "ldap.example.org" },
		"timeout":                     func(c *Config) { c.Timeout = -1 },
		"recheck":                     func(c *Config) { c.Recheck = -1 },
		"max_session":                 func(c *Config) { c.MaxSession = -1 },
		"tls_config":                  func(c *Config) { c.TLS.CertFile = "only.pem" },
		"bind_dn":                     func(c *Config) { c.UserBind = "{user}@example.org" },
		"bind_password_file":          func(c *Config) { c.BindPasswordEnv = "X" },
		"user_bind":                   func(c *Config) { c.BindDN, c.BindPasswordFile, c.UserBind = "", "", "uid=ann" },
		"user.base_dn":                func(c *Config) { c.User.BaseDN = "example.org" },
		"user.filter":                 func(c *Config) { c.User.Filter = "(uid=ann)" },
		"user.name_attribute":         func(c *Config) { c.User.NameAttribute = "uid)(x" },
		"user.display_attribute":      func(c *Config) { c.User.DisplayAttribute = "*" },
		"groups.base_dn":              func(c *Config) { c.Groups.Allowed = []string{"sre"} },
		"groups.filter":               func(c *Config) { c.Groups.Filter = "(objectClass=group" },
		"groups.name_attribute":       func(c *Config) { c.Groups.NameAttribute = "c n" },
		"groups.member_attributes[0]": func(c *Config) { c.Groups.MemberAttributes = []string{"member;x"} },
		"groups.max_depth":            func(c *Config) { c.Groups.MaxDepth = 1000 },
	} {
		c := good
		c.Servers = slices.Clone(good.Servers)
		change(&c)
		errs := c.WithDefaults().Validate()
		if len(errs) != 1 || !strings.HasPrefix(errs[0].Error(), field+": ") {
			t.Errorf("%s: %v", field, errs)
		}
	}
	for server, ok := range map[string]bool{
		"ldap://127.0.0.1": true, "ldap://localhost:1389": true, "ldaps://x/": true, "ldapi:///x": false, "ldap://u@localhost": false,
		"ldaps://x/dc=org": false, "ldap://localhost.example.org": false, "ldap://127.0.0.1.example.org": false, "http://x": false,
	} {
		c := good
		if c.Servers = []string{server}; (len(c.WithDefaults().Validate()) == 0) != ok {
			t.Errorf("%s: %v", server, c.WithDefaults().Validate())
		}
	}
}

func entry(values ...string) *ldap.Entry {
	m := map[string][]string{}
	for i := 0; i < len(values); i += 2 {
		m[values[i]] = append(m[values[i]], values[i+1])
	}
	return ldap.NewEntry("cn=x", m)
}

func TestStanding(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	windows := func(at time.Time) string { return fmt.Sprint((at.Unix() + 11644473600) * 1e7) }
	for _, c := range []struct {
		profile string
		entry   *ldap.Entry
		why     string
	}{
		{ActiveDirectory, entry("userAccountControl", "512"), ""},
		{ActiveDirectory, entry("useraccountcontrol", "66048", "accountexpires", "0"), ""},
		{ActiveDirectory, entry("userAccountControl", "512", "accountExpires", fmt.Sprint(math.MaxInt64)), ""},
		{ActiveDirectory, entry("userAccountControl", "514"), "disabled"},
		{ActiveDirectory, entry("userAccountControl", "512", "accountExpires", windows(now)), "expired"},
		{ActiveDirectory, entry("userAccountControl", "512", "accountExpires", windows(now.Add(time.Second))), ""},
		{ActiveDirectory, entry(), "not readable"},
		{OpenLDAP, entry(), ""},
		{OpenLDAP, entry("pwdAccountLockedTime", "000001010000Z"), "disabled"},
		{OpenLDAP, entry("pwdAccountLockedTime", "20260301115900Z"), ""}, // by wrong passwords: the bind says so while it holds
		{OpenLDAP, entry("nsAccountLock", "TRUE"), "disabled"},
		{OpenLDAP, entry("shadowExpire", "20513"), "expired"},
		{OpenLDAP, entry("shadowExpire", "20514"), ""},
		{OpenLDAP, entry("shadowExpire", "-1"), ""},
	} {
		d := New(Config{Profile: c.profile}, func() time.Time { return now }, nil)
		err := d.standing(person{entry: c.entry})
		if (err == nil) != (c.why == "") || err != nil && !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s %v: %v", c.profile, c.entry.Attributes, err)
		}
	}
}

// What Active Directory says beside "invalid credentials" it says only of a right password, but for the locked account.
func TestReasonsOfActiveDirectory(t *testing.T) {
	for code, why := range map[string]string{"52e": "", "525": "", "775": "", "532": "expired", "533": "disabled", "701": "account has expired", "773": "must be changed", "530": "time of day"} {
		err := New(Config{Profile: ActiveDirectory}, time.Now, nil).whyNot(&ldap.Error{
			ResultCode: ldap.LDAPResultInvalidCredentials, Err: errors.New("80090308: LdapErr: DSID-0C09041C, comment: AcceptSecurityContext error, data " + code + ", v4563"),
		})
		if why == "" && !errors.Is(err, login.ErrUnauthenticated) || why != "" && !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v", code, err)
		}
	}
}

func TestPrimaryGroup(t *testing.T) {
	sid := []byte{1, 5, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0xe8, 3, 0, 0}
	got, ok := primaryGroup(entry("objectSid", string(sid), "primaryGroupID", "513"))
	want := ""
	binary.LittleEndian.PutUint32(sid[24:], 513)
	for _, b := range sid {
		want += fmt.Sprintf(`\%02x`, b)
	}
	if !ok || got != want {
		t.Errorf("%q", got)
	}
	for _, e := range []*ldap.Entry{entry(), entry("primaryGroupID", "513"), entry("objectSid", "x", "primaryGroupID", "513"), entry("objectSid", string(sid), "primaryGroupID", "-1")} {
		if _, ok := primaryGroup(e); ok {
			t.Errorf("%v", e.Attributes)
		}
	}
}

func TestBindName(t *testing.T) {
	const dn, principal = "uid={user},ou=people,dc=example,dc=org", "{user}@example.org"
	for _, c := range []struct{ template, name, want string }{
		{dn, "ann", "uid=ann,ou=people,dc=example,dc=org"},
		{dn, "deep,ou=inner", `uid=deep\,ou=inner,ou=people,dc=example,dc=org`},
		{dn, "ann+cn=x", `uid=ann\+cn=x,ou=people,dc=example,dc=org`},
		{dn, `\61nn`, `uid=\\61nn,ou=people,dc=example,dc=org`},
		{dn, "#04", `uid=\#04,ou=people,dc=example,dc=org`},
		{principal, "ann", "ann@example.org"},
		{`EXAMPLE\{user}`, "ann", `EXAMPLE\ann`},
		{principal, "ann@evil", ""},
		{principal, `EVIL\ann`, ""},
		{principal, "evil/ann", ""},
	} {
		got, ok := bindName(c.template, c.name)
		if ok != (c.want != "") || ok && got != c.want {
			t.Errorf("%s, %s: %s %v", c.template, c.name, got, ok)
		}
		if parsed, err := ldap.ParseDN(got); c.template == dn && (err != nil || len(parsed.RDNs) != 4 || parsed.RDNs[0].Attributes[0].Value != c.name) {
			t.Errorf("%s is read as %v, %v", got, parsed, err)
		}
	}
}
