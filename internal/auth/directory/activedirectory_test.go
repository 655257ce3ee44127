package directory

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/auth/login"
)

var realAD = flag.Bool("active-directory", false, "provision a Samba domain controller and log in by it; needs root and samba-tool")

// domain is a Samba Active Directory domain controller, in a network of its own since its ports are fixed.
type domain struct{ dir, smb string }

const inNamespace = "SIGNALBOX_TEST_IN_NAMESPACE"

func TestRealActiveDirectory(t *testing.T) {
	if !*realAD {
		t.Skip("NOT TESTED here: make prove logs in by a real Samba domain controller (-active-directory)")
	}
	lookIn(t, "samba-tool")
	if os.Getenv(inNamespace) == "" {
		cmd := exec.Command("unshare", "--net", "--uts", os.Args[0], "-test.run=^TestRealActiveDirectory$", "-test.v", "-active-directory")
		cmd.Env = append(os.Environ(), inNamespace+"=1")
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		if err := cmd.Run(); err != nil {
			t.Fatal(err)
		}
		return
	}
	d := startDomain(t)
	t.Run("who comes in", d.testWhoComesIn)
	t.Run("who doesn't", d.testWhoDoesNot)
	t.Run("as oneself", d.testAsOneself)
	t.Run("encryption is wanted", d.testPlain)
	t.Run("changes reach sessions", d.testRecheck)
}

func startDomain(t *testing.T) *domain {
	t.Helper()
	d := &domain{dir: t.TempDir()}
	dc := filepath.Join(d.dir, "dc")
	d.smb = filepath.Join(dc, "etc", "smb.conf")
	run(t, "ip", "link", "set", "lo", "up")
	run(t, "hostname", "dc1")
	run(t, "samba-tool", "domain", "provision", "--realm=EXAMPLE.ORG", "--domain=EXAMPLE", "--adminpass=Adm1n-Secret", "--server-role=dc", "--targetdir="+dc,
		"--dns-backend=NONE", "--host-name=dc1", "--host-ip=127.0.0.1", "--option=interfaces=lo", "--option=bind interfaces only=yes")
	certificates(t, d.dir)
	write(t, filepath.Join(d.dir, "password"), "Serv1ce-Secret")
	for _, u := range []string{"service Serv1ce-Secret", "ann Pw-ann-1", "bob Pw-bob-1", "off Pw-off-1", "old Pw-old-1", "fresh Pw-fresh-1 --must-change-at-next-login", "Weird(x)Name Pw-weird-1"} {
		d.tool(t, append([]string{"user", "create"}, strings.Fields(u)...)...)
	}
	for _, g := range []string{"sre", "ops", "everyone", "outer"} {
		d.tool(t, "group", "add", g)
	}
	for _, m := range [][2]string{{"sre", "ann"}, {"ops", "sre"}, {"everyone", "ops"}, {"sre", "everyone"}, {"outer", "Domain Users"}} {
		d.tool(t, "group", "addmembers", m[0], m[1])
	}
	d.tool(t, "user", "disable", "off")
	d.change(t, "CN=old,CN=Users,DC=example,DC=org", "accountExpires", "131000000000000000")
	d.change(t, "CN=ann,CN=Users,DC=example,DC=org", "userPrincipalName", "ann.other@example.org")
	cmd := exec.Command("samba", "-i", "-M", "single", "-s", d.smb, "--option=server services=ldap", "--option=panic action=",
		"--option=tls cafile="+d.dir+"/ca.pem", "--option=tls certfile="+d.dir+"/server.pem", "--option=tls keyfile="+d.dir+"/server.key")
	log, err := os.Create(filepath.Join(d.dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	waitFor(t, "127.0.0.1:636")
	return d
}

func (d *domain) tool(t *testing.T, args ...string) {
	t.Helper()
	run(t, "samba-tool", append(args, "-s", d.smb, "-H", filepath.Join(d.dir, "dc", "private", "sam.ldb"))...)
}

func (d *domain) change(t *testing.T, dn, attribute, value string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "change.ldif")
	write(t, file, fmt.Sprintf("dn: %s\nchangetype: modify\nreplace: %s\n%s: %s\n", dn, attribute, attribute, value))
	run(t, "ldbmodify", "-H", filepath.Join(d.dir, "dc", "private", "sam.ldb"), file)
}

func (d *domain) config() Config {
	c := Config{
		Profile: ActiveDirectory, Servers: []string{"ldaps://localhost"}, BindDN: "CN=service,CN=Users,DC=example,DC=org", BindPasswordFile: filepath.Join(d.dir, "password"),
		User: User{BaseDN: "DC=example,DC=org"}, Groups: Groups{BaseDN: "CN=Users,DC=example,DC=org"},
	}
	c.TLS.CAFile = filepath.Join(d.dir, "ca.pem")
	return c
}

func (d *domain) testWhoComesIn(t *testing.T) {
	all := []string{"Domain Users", "everyone", "ops", "outer", "sre"}
	for _, c := range []struct {
		typed, password, subject string
		groups                   []string
		direct                   bool
	}{
		{"ann", "Pw-ann-1", "user:ann", all, false},
		{"ANN", "Pw-ann-1", "user:ann", all, false},
		{"ann.other@example.org", "Pw-ann-1", "user:ann", all, false},
		{"ann", "Pw-ann-1", "user:ann", []string{"Domain Users", "sre"}, true},
		{"bob", "Pw-bob-1", "user:bob", []string{"Domain Users", "outer"}, false},
		{"weird(x)name", "Pw-weird-1", "user:weird(x)name", []string{"Domain Users", "outer"}, false},
	} {
		cfg := d.config()
		cfg.Groups.DirectOnly = c.direct
		l, err := directoryOf(t, cfg).Login(t.Context(), c.typed, c.password)
		if err != nil || l.Subject != c.subject || !slices.Equal(l.Groups, c.groups) || !strings.HasPrefix(l.Ref, "objectGUID=") {
			t.Errorf("%s: %+v, %v", c.typed, l, err)
		}
	}
}

func (d *domain) testWhoDoesNot(t *testing.T) {
	dir := directoryOf(t, d.config())
	for _, c := range []struct{ typed, password, why string }{
		{"off", "Pw-off-1", "disabled"},
		{"old", "Pw-old-1", "expired"},
		{"fresh", "Pw-fresh-1", "must be changed"},
		{"off", "guess", ""},
		{"old", "guess", ""},
		{"fresh", "guess", ""},
		{"ann", "guess", ""},
		{"ann", "", ""},
		{"nobody", "x", ""},
		{"*", "Pw-ann-1", ""},
		{"ann)(objectClass=*", "Pw-ann-1", ""},
		{"DC1$", "x", ""},
	} {
		_, err := dir.Login(t.Context(), c.typed, c.password)
		var refused *login.Refused
		if c.why == "" && !errors.Is(err, login.ErrUnauthenticated) || c.why != "" && (!errors.As(err, &refused) || !strings.Contains(refused.Why, c.why)) {
			t.Errorf("%s with %q: %v", c.typed, c.password, err)
		}
	}
}

func (d *domain) testAsOneself(t *testing.T) {
	cfg := d.config()
	cfg.BindDN, cfg.BindPasswordFile, cfg.UserBind = "", "", "{user}@example.org"
	dir := directoryOf(t, cfg)
	l, err := dir.Login(t.Context(), "ann", "Pw-ann-1")
	if err != nil || l.Subject != "user:ann" || !slices.Contains(l.Groups, "everyone") {
		t.Errorf("%+v, %v", l.Identity, err)
	}
	for _, typed := range []string{"ann@example.org", `EXAMPLE\ann`, "ann@evil", "bob"} {
		if l, err := dir.Login(t.Context(), typed, "Pw-ann-1"); !errors.Is(err, login.ErrUnauthenticated) {
			t.Errorf("%s: %+v, %v", typed, l.Identity, err)
		}
	}
	// What a name binds and what it finds are two people: zed has given up the name that bob took for his second one.
	d.tool(t, "user", "create", "zed", "Pw-zed-1")
	d.change(t, "CN=zed,CN=Users,DC=example,DC=org", "userPrincipalName", "zed.other@example.org")
	d.change(t, "CN=bob,CN=Users,DC=example,DC=org", "displayName", "zed")
	cfg.User.Filter = "(displayName={user})"
	var down *login.Unavailable
	if l, err := directoryOf(t, cfg).Login(t.Context(), "zed", "Pw-zed-1"); !errors.As(err, &down) {
		t.Errorf("bob as zed: %+v, %v", l.Identity, err)
	}
}

func (d *domain) testPlain(t *testing.T) {
	cfg := d.config()
	cfg.Servers = []string{"ldap://localhost"}
	if _, err := directoryOf(t, cfg).Login(t.Context(), "ann", "Pw-ann-1"); err == nil || !strings.Contains(err.Error(), "start_tls: true") {
		t.Errorf("%v", err)
	}
	cfg.StartTLS = true
	if l, err := directoryOf(t, cfg).Login(t.Context(), "ann", "Pw-ann-1"); err != nil || l.Subject != "user:ann" {
		t.Errorf("StartTLS: %+v, %v", l.Identity, err)
	}
}

func (d *domain) testRecheck(t *testing.T) {
	dir := directoryOf(t, d.config())
	was, err := dir.Login(t.Context(), "ann", "Pw-ann-1")
	if err != nil {
		t.Fatal(err)
	}
	d.tool(t, "group", "removemembers", "everyone", "ops")
	if l, err := dir.Recheck(t.Context(), was); err != nil || slices.Contains(l.Groups, "everyone") || !slices.Contains(l.Groups, "ops") {
		t.Errorf("%v, %v", l.Groups, err)
	}
	d.tool(t, "user", "rename", "ann", "--samaccountname=anna")
	if l, err := dir.Recheck(t.Context(), was); err != nil || l.Subject != "user:anna" {
		t.Errorf("renamed: %+v, %v", l.Identity, err)
	}
	var refused *login.Refused
	d.tool(t, "user", "disable", "anna")
	if _, err := dir.Recheck(t.Context(), was); !errors.As(err, &refused) {
		t.Errorf("disabled: %v", err)
	}
	d.tool(t, "user", "enable", "anna")
	dir.now = func() time.Time { return time.Now().Add(time.Hour) }
	if l, err := dir.Recheck(t.Context(), was); err != nil || !l.Ends.Equal(was.Ends) {
		t.Errorf("enabled: %v", err)
	}
	d.tool(t, "user", "delete", "anna")
	if _, err := dir.Recheck(t.Context(), was); !errors.Is(err, login.ErrUnauthenticated) {
		t.Errorf("gone: %v", err)
	}
}
