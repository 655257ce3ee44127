package directory

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/auth/login"
)

func (s *slapd) config() Config {
	c := Config{
		Servers: []string{s.plain}, BindDN: "cn=service,dc=example,dc=org", BindPasswordFile: filepath.Join(s.dir, "password"),
		User: User{BaseDN: people}, Groups: Groups{BaseDN: "ou=groups,dc=example,dc=org"},
	}
	c.TLS.CAFile = s.ca
	return c
}

// directoryOf fails the test if the configuration isn't valid.
func directoryOf(t *testing.T, c Config) *Directory {
	t.Helper()
	if errs := c.WithDefaults().Validate(); len(errs) > 0 {
		t.Fatal(errs)
	}
	return New(c, time.Now, nil)
}

func TestRealOpenLDAP(t *testing.T) {
	s := startSlapd(t)
	t.Run("who comes in", s.testWhoComesIn)
	t.Run("who doesn't", s.testWhoDoesNot)
	t.Run("encryption", s.testEncryption)
	t.Run("as oneself", s.testAsOneself)
	t.Run("settings of groups", s.testGroups)
	t.Run("injection", s.testInjection)
	t.Run("sameness", s.testSameness)
	t.Run("changes reach sessions", s.testRecheck)
	t.Run("servers in order", s.testServers)
	t.Run("wrong settings are told to who runs it", s.testWrongSettings)
}

func (s *slapd) testWhoComesIn(t *testing.T) {
	d := directoryOf(t, s.config())
	for _, c := range []struct {
		typed, password, subject string
		groups                   []string
	}{
		{"ann", "pw-ann", "user:ann", []string{"everyone", "ops", "posix", "sre", "unique"}},
		{" ANN ", "pw-ann", "user:ann", []string{"everyone", "ops", "posix", "sre", "unique"}},
		{"cee", "pw-Cee", "user:cee", []string{"everyone", "ops", "sre"}},
		{"we*ird (name)", "pw-we*ird (name)", "user:we*ird (name)", []string{"everyone", "ops", "sre"}},
		{"bob", "pw-bob", "user:bob", nil},
	} {
		l, err := d.Login(t.Context(), c.typed, c.password)
		if err != nil {
			t.Errorf("%s: %v", c.typed, err)
			continue
		}
		if l.Subject != c.subject || l.Kind != access.User || l.Provider != "ldap" || !slices.Equal(l.Groups, c.groups) {
			t.Errorf("%s: %+v", c.typed, l.Identity)
		}
		if !strings.HasPrefix(l.Ref, "entryUUID=") || l.Recheck.IsZero() || !l.Ends.After(l.Recheck) {
			t.Errorf("%s: %q, again %v, ends %v", c.typed, l.Ref, l.Recheck, l.Ends)
		}
	}
}

func (s *slapd) testWhoDoesNot(t *testing.T) {
	d := directoryOf(t, s.config())
	for _, c := range [][2]string{
		{"ann", "wrong"},
		{"ann", ""},
		{"ann", "\x00"},
		{"", "pw-ann"},
		{"nobody", "pw-ann"},
		{"ann\x00", "pw-ann"},
		{"*", "pw-ann"},
		{"a*", "pw-ann"},
		{"service", "service-secret"},
		{strings.Repeat("a", 300), "x"},
		{"ann", strings.Repeat("a", 3000)},
		{"an\xff", "x"},
	} {
		if l, err := d.Login(t.Context(), c[0], c[1]); !errors.Is(err, login.ErrUnauthenticated) {
			t.Errorf("%.20q %.20q: %+v, %v", c[0], c[1], l.Identity, err)
		}
	}
	var refused *login.Refused
	if _, err := d.Login(t.Context(), "gone", "pw-gone"); !errors.As(err, &refused) || !strings.Contains(err.Error(), "expired") {
		t.Errorf("an expired account: %v", err)
	}
	if _, err := d.Login(t.Context(), "gone", "guess"); !errors.Is(err, login.ErrUnauthenticated) {
		t.Errorf("that an account expired is told to who knows its password: %v", err)
	}
	for _, name := range []string{"same", "twice"} { // two people, two names: nobody guesses which
		var down *login.Unavailable
		if _, err := d.Login(t.Context(), name, "pw-"+name); !errors.As(err, &down) || down.Cure == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func (s *slapd) testEncryption(t *testing.T) {
	secure, start := s.config(), s.config()
	secure.Servers = []string{s.secure}
	start.Servers, start.StartTLS = []string{strings.Replace(s.plain, "127.0.0.1", "localhost", 1)}, true
	for name, c := range map[string]Config{"ldaps": secure, "StartTLS": start} {
		if l, err := directoryOf(t, c).Login(t.Context(), "ann", "pw-ann"); err != nil || l.Subject != "user:ann" {
			t.Errorf("%s: %+v, %v", name, l.Identity, err)
		}
		wrongName := c
		wrongName.TLS.ServerName = "ldap.example.org"
		unknown := c
		unknown.TLS.CAFile = ""
		for why, c := range map[string]Config{"another name": wrongName, "an authority that is not trusted": unknown} {
			var down *login.Unavailable
			if _, err := directoryOf(t, c).Login(t.Context(), "ann", "pw-ann"); !errors.As(err, &down) || !strings.Contains(err.Error(), "x509") {
				t.Errorf("%s, %s: %v", name, why, err)
			}
		}
	}
}

func (s *slapd) testAsOneself(t *testing.T) {
	c := s.config()
	c.BindDN, c.BindPasswordFile, c.UserBind = "", "", "uid={user},"+people
	d := directoryOf(t, c)
	l, err := d.Login(t.Context(), "ann", "pw-ann")
	if err != nil || !slices.Contains(l.Groups, "ops") || !l.Recheck.IsZero() {
		t.Fatalf("%+v, %v", l, err)
	}
	if _, err := d.Recheck(t.Context(), l); !errors.Is(err, login.ErrAgain) {
		t.Errorf("without an account nobody can be looked up: %v", err)
	}
	for _, c := range [][2]string{{"ann", "x"}, {"ann", ""}, {"ann,ou=people", "pw-ann"}, {"ann+uid=bob", "pw-ann"}, {"nobody", "x"}} {
		if _, err := d.Login(t.Context(), c[0], c[1]); !errors.Is(err, login.ErrUnauthenticated) {
			t.Errorf("%q: %v", c, err)
		}
	}
	// Who is bound and who is found must be one: here a name binds ann and finds bob.
	c.User.Filter = "(&(objectClass=person)(|(uid=b{user})(sn={user})(cn=bob)))"
	var down *login.Unavailable
	if l, err := directoryOf(t, c).Login(t.Context(), "ann", "pw-ann"); !errors.As(err, &down) {
		t.Errorf("bound as ann: %+v, %v", l.Identity, err)
	}
}

func (s *slapd) testGroups(t *testing.T) {
	for _, c := range []struct {
		name, user string
		change     func(*Config)
		want       []string
		err        string
	}{
		{"direct ones only", "ann", func(c *Config) { c.Groups.DirectOnly = true }, []string{"posix", "sre", "unique"}, ""},
		{"none without a base", "ann", func(c *Config) { c.Groups.BaseDN = "" }, nil, ""},
		{"one kind of members", "ann", func(c *Config) { c.Groups.MemberAttributes = []string{"memberUid"} }, []string{"posix"}, ""},
		{"ones that only the account may read", "ann", func(c *Config) { c.Groups.BaseDN = "ou=elsewhere,dc=example,dc=org" }, []string{"admins"}, ""},
		{"another filter", "ann", func(c *Config) { c.Groups.Filter = "(cn=s*)" }, []string{"sre"}, ""},
		{"whole names", "ann", func(c *Config) { c.Groups.NameAttribute, c.Groups.Filter = "dn", "(cn=sre)" }, []string{"cn=sre,ou=groups,dc=example,dc=org"}, ""},
		{"a prefix", "cee", func(c *Config) { c.Groups.Prefix, c.User.Prefix = "corp:", "corp:" }, []string{"corp:everyone", "corp:ops", "corp:sre"}, ""},
		{"deeper than the bound", "ann", func(c *Config) { c.Groups.MaxDepth = 2 }, nil, "max_depth"},
		{"allowed", "ann", func(c *Config) { c.Groups.Allowed = []string{"OPS"} }, []string{"everyone", "ops", "posix", "sre", "unique"}, ""},
		{"not allowed", "bob", func(c *Config) { c.Groups.Allowed = []string{"ops"} }, nil, "none of the groups"},
		{"a filter by memberOf, of the overlay", "bob", func(c *Config) {
			c.User.Filter = "(&(uid={user})(memberOf=cn=sre,ou=groups,dc=example,dc=org))"
		}, nil, login.ErrUnauthenticated.Error()},
	} {
		cfg := s.config()
		c.change(&cfg)
		l, err := directoryOf(t, cfg).Login(t.Context(), c.user, "pw-"+strings.Replace(c.user, "cee", "Cee", 1))
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		if diff := cmp.Diff(c.want, l.Groups); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", c.name, err, diff)
		}
	}
	// The server answers 500 entries at most: more than that come in pages.
	cfg := s.config()
	cfg.Groups.BaseDN = "ou=many,dc=example,dc=org"
	if l, err := directoryOf(t, cfg).Login(t.Context(), "bob", "pw-bob"); err != nil || len(l.Groups) != 1200 {
		t.Errorf("%d groups, %v", len(l.Groups), err)
	}
}

// Nothing that somebody types finds anybody but whom it names, by filter and by name.
func (s *slapd) testInjection(t *testing.T) {
	itself := s.config()
	itself.BindDN, itself.BindPasswordFile, itself.UserBind = "", "", "uid={user},"+people
	for _, c := range []Config{s.config(), itself} {
		d := directoryOf(t, c)
		for _, typed := range []string{
			"*", "ann)(uid=*", "ann)(|(uid=*", "*)(objectClass=*", "x)(&(uid=bob", "ann))(|(uid=bob", `ann\`, `\61nn`, `ann\29`, "ann)(userPassword=*", "ann#", "#ann",
			"ann;", "ann,", "ann\"", "ann<x>", "ann=bob", "uid=ann", "ann+cn=x", `\2a`, "bob,ou=people,dc=example,dc=org", "ann)(!(uid=x)", "((((", "))))", "&", "|", "!",
		} {
			for _, password := range []string{"pw-ann", "pw-bob", "*"} {
				l, err := d.Login(t.Context(), typed, password)
				if !errors.Is(err, login.ErrUnauthenticated) {
					t.Errorf("%q with %s: %+v, %v", typed, password, l.Identity, err)
				}
			}
		}
	}
}

// What the directory takes for the same name is the same person, by the directory's spelling.
func (s *slapd) testSameness(t *testing.T) {
	for _, typed := range []string{"Ann", "ａｎｎ", "ann\u2028"} {
		if l, err := directoryOf(t, s.config()).Login(t.Context(), typed, "pw-ann"); err != nil || l.Subject != "user:ann" {
			t.Errorf("%q: %+v, %v", typed, l.Identity, err)
		}
	}
}

func (s *slapd) testRecheck(t *testing.T) {
	now := time.Now()
	d := directoryOf(t, s.config())
	d.now = func() time.Time { return now }
	was, err := d.Login(t.Context(), "ann", "pw-ann")
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(10 * time.Minute)
	again := func() (login.Login, error) { return d.Recheck(context.Background(), was) }
	l, err := again()
	if err != nil || cmp.Diff(was.Identity, l.Identity) != "" || !l.Ends.Equal(was.Ends) || !l.Recheck.After(was.Recheck) {
		t.Errorf("nothing changed: %+v, %v", l, err)
	}
	s.modify(t, "dn: cn=sre,ou=groups,dc=example,dc=org\nchangetype: modify\ndelete: member\nmember: uid=ann,"+people+"\n")
	if l, err = again(); err != nil || slices.Contains(l.Groups, "sre") || slices.Contains(l.Groups, "ops") || !slices.Contains(l.Groups, "unique") {
		t.Errorf("out of a group: %v, %v", l.Groups, err)
	}
	s.modify(t, fmt.Sprintf("dn: uid=ann,%s\nchangetype: modify\nadd: objectClass\nobjectClass: shadowAccount\n-\nadd: shadowExpire\nshadowExpire: %d\n", people, now.Unix()/86400))
	var refused *login.Refused
	if _, err = again(); !errors.As(err, &refused) {
		t.Errorf("expired: %v", err)
	}
	s.modify(t, "dn: uid=ann,"+people+"\nchangetype: modify\ndelete: shadowExpire\n\ndn: uid=ann,"+people+"\nchangetype: moddn\nnewrdn: uid=anna\ndeleteoldrdn: 1\n")
	if l, err = again(); err != nil || l.Subject != "user:anna" {
		t.Errorf("renamed: %+v, %v", l.Identity, err)
	}
	// Somebody new by the old name is not the one who logged in.
	s.modify(t, "dn: uid=anna,"+people+"\nchangetype: delete\n\ndn: uid=ann,"+people+"\nchangetype: add\nobjectClass: inetOrgPerson\nuid: ann\ncn: ann\nsn: x\nuserPassword: pw-ann\n")
	if l, err = again(); !errors.Is(err, login.ErrUnauthenticated) {
		t.Errorf("gone: %+v, %v", l.Identity, err)
	}
	for _, ref := range []string{"", "x", "uid=zz", "uid)(uid=*=61", "entryUUID="} {
		if _, err := d.Recheck(t.Context(), login.Login{Ref: ref}); err == nil {
			t.Errorf("%q finds somebody", ref)
		}
	}
}

func (s *slapd) testServers(t *testing.T) {
	c := s.config()
	down := "ldap://" + freeAddress(t)
	c.Servers = []string{down, s.plain}
	d := directoryOf(t, c)
	now := time.Now()
	d.now = func() time.Time { return now }
	if _, err := d.Login(t.Context(), "bob", "pw-bob"); err != nil {
		t.Errorf("the second one answers: %v", err)
	}
	if order := d.inOrder(); order[0] != s.plain {
		t.Errorf("what failed is asked last: %v", order)
	}
	if now = now.Add(restFor); d.inOrder()[0] != down {
		t.Error("and first again after a while")
	}
	c.Servers = []string{down}
	var unavailable *login.Unavailable
	_, err := directoryOf(t, c).Login(t.Context(), "bob", "pw-bob")
	if !errors.As(err, &unavailable) || unavailable.Provider != "ldap" || !strings.Contains(err.Error(), down) {
		t.Errorf("%v", err)
	}
	if said := login.Says(err); said.Status != 503 || !strings.Contains(said.Message, `"ldap"`) || strings.Contains(fmt.Sprint(said), "127.0.0.1") {
		t.Errorf("%+v", said)
	}
}

func (s *slapd) testWrongSettings(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Config)
		cure   string
	}{
		"the account":             {func(c *Config) { c.BindDN = "cn=other,dc=example,dc=org" }, "bind_dn and its password"},
		"its password":            {func(c *Config) { c.BindPasswordFile = s.ca }, "bind_dn and its password"},
		"no file":                 {func(c *Config) { c.BindPasswordFile = "/nowhere" }, "bind_dn and its password"},
		"no variable":             {func(c *Config) { c.BindPasswordFile, c.BindPasswordEnv = "", "SIGNALBOX_NOT_SET" }, "bind_dn and its password"},
		"where people are":        {func(c *Config) { c.User.BaseDN = "ou=nowhere,dc=example,dc=org" }, "base_dn"},
		"where groups are":        {func(c *Config) { c.Groups.BaseDN = "ou=nowhere,dc=example,dc=org" }, "base_dn"},
		"another server's people": {func(c *Config) { c.User.BaseDN = "dc=example,dc=com" }, "base_dn"},
	} {
		cfg := s.config()
		c.change(&cfg)
		var down *login.Unavailable
		_, err := directoryOf(t, cfg).Login(t.Context(), "bob", "pw-bob")
		if !errors.As(err, &down) || !strings.Contains(down.Cure, c.cure) || errors.Is(err, login.ErrUnauthenticated) {
			t.Errorf("%s: %v", name, err)
		}
	}
	t.Setenv("SIGNALBOX_LDAP", "service-secret")
	c := s.config()
	c.BindPasswordFile, c.BindPasswordEnv = "", "SIGNALBOX_LDAP"
	if _, err := directoryOf(t, c).Login(t.Context(), "bob", "pw-bob"); err != nil {
		t.Errorf("a password from the environment: %v", err)
	}
}
