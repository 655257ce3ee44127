package directory

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/auth/login"
	"github.com/signalbox-project/signalbox/internal/outgoing"
	"github.com/signalbox-project/signalbox/internal/platform/secretfile"
)

const (
	placeholder = "{user}"
	maxTyped    = 256 // of a name; a password may be four times as long
)

// Directory logs people in. Safe for concurrent use.
type Directory struct {
	cfg  Config
	now  func() time.Time
	dial func(ctx context.Context, address string) (net.Conn, error)

	mu   sync.Mutex
	rest map[string]time.Time // when a server failed last
}

// New makes one of a configuration that is valid, which connects by guard. It asks no server yet.
func New(cfg Config, now func() time.Time, guard *outgoing.Guard) *Directory {
	boundAnswers()
	return &Directory{cfg: cfg.WithDefaults(), now: now, rest: map[string]time.Time{}, dial: func(ctx context.Context, address string) (net.Conn, error) {
		return guard.DialContext(ctx, "tcp", address)
	}}
}

// Login proves a name by its password and reads the person's groups.
func (d *Directory) Login(ctx context.Context, name, password string) (login.Login, error) {
	name = strings.TrimSpace(name)
	if !login.Sayable(name, maxTyped) || !login.Sayable(password, 4*maxTyped) {
		return login.Login{}, login.ErrUnauthenticated
	}
	return d.each(ctx, func(conn *ldap.Conn) (login.Login, error) {
		find := d.asItself
		if d.cfg.BindDN != "" {
			find = d.byAccount
		}
		p, err := find(conn, name, password)
		if err != nil {
			return login.Login{}, err
		}
		return d.admit(conn, p)
	})
}

// byAccount looks for a person as the configured account and proves the password as the person. Afterwards the
// connection is the account's again.
func (d *Directory) byAccount(conn *ldap.Conn, name, password string) (person, error) {
	if err := d.bindAccount(conn); err != nil {
		return person{}, err
	}
	p, err := d.find(conn, strings.ReplaceAll(d.cfg.User.Filter, placeholder, ldap.EscapeFilter(name)))
	if err != nil {
		return person{}, err
	}
	if err := conn.Bind(p.dn, password); err != nil {
		return person{}, d.whyNot(err)
	}
	return p, d.bindAccount(conn)
}

// asItself binds as the person and looks for them with their own rights. The password must be that of whom it finds: a
// name can be one person's login name and another's second name.
func (d *Directory) asItself(conn *ldap.Conn, name, password string) (person, error) {
	as, ok := bindName(d.cfg.UserBind, name)
	if !ok {
		return person{}, login.ErrUnauthenticated
	}
	if err := conn.Bind(as, password); err != nil {
		return person{}, d.whyNot(err)
	}
	p, err := d.find(conn, strings.ReplaceAll(d.cfg.User.Filter, placeholder, ldap.EscapeFilter(name)))
	if err != nil {
		return person{}, err
	}
	if err := conn.Bind(p.dn, password); err != nil {
		if err = d.whyNot(err); !errors.Is(err, login.ErrUnauthenticated) {
			return person{}, err
		}
		return person{}, &login.Unavailable{
			Provider: d.cfg.Name, Err: fmt.Errorf("user_bind %q and user.filter %q find different people", d.cfg.UserBind, d.cfg.User.Filter),
			Cure: "make them mean the same name, or use bind_dn",
		}
	}
	return p, nil
}

// bindName makes of what somebody types the name to bind with; false if they type what would change its meaning.
func bindName(template, name string) (string, bool) {
	if strings.Contains(template, "=") {
		return strings.ReplaceAll(template, placeholder, ldap.EscapeDN(name)), true
	}
	return strings.ReplaceAll(template, placeholder, name), !strings.ContainsAny(name, `@\/"`)
}

func (d *Directory) bindAccount(conn *ldap.Conn) error {
	password, err := d.password()
	if err == nil {
		err = conn.Bind(d.cfg.BindDN, password.Text())
	}
	if next, cure := weigh(err); next || cure != "" || err == nil {
		return err
	}
	return &login.Unavailable{Provider: d.cfg.Name, Err: fmt.Errorf("bind as %s: %w", d.cfg.BindDN, err), Cure: "see that bind_dn and its password are right"}
}

func (d *Directory) password() (secretfile.Secret, error) {
	if d.cfg.BindPasswordFile != "" {
		return secretfile.Read(d.cfg.BindPasswordFile)
	}
	if v := os.Getenv(d.cfg.BindPasswordEnv); v != "" {
		return secretfile.Of(v), nil
	}
	return secretfile.Secret{}, fmt.Errorf("the environment variable %s is empty", d.cfg.BindPasswordEnv)
}

// admit makes a login of a person who was proved.
func (d *Directory) admit(conn *ldap.Conn, p person) (login.Login, error) {
	if err := d.standing(p); err != nil {
		return login.Login{}, err
	}
	groups, err := d.groupsOf(conn, p)
	if err != nil {
		return login.Login{}, err
	}
	if !allowed(d.cfg.Groups.Allowed, groups) {
		return login.Login{}, &login.Refused{Provider: d.cfg.Name, Why: "you are in none of the groups that may log in", Cure: "ask to be put into one of them; whoever runs Signalbox names them in groups.allowed"}
	}
	for i := range groups {
		groups[i] = d.cfg.Groups.Prefix + groups[i]
	}
	now, name := d.now(), d.cfg.User.Prefix+strings.ToLower(p.name)
	l := login.Login{
		Identity: access.Identity{Subject: "user:" + name, Name: p.display, Kind: access.User, Groups: groups, Provider: d.cfg.Name},
		Ref:      p.ref, Ends: now.Add(time.Duration(d.cfg.MaxSession)),
	}
	if d.cfg.BindDN != "" {
		l.Recheck = now.Add(time.Duration(d.cfg.Recheck))
	}
	return l, nil
}

func allowed(wanted, groups []string) bool {
	for _, w := range wanted {
		for _, g := range groups {
			if strings.EqualFold(w, g) {
				return true
			}
		}
	}
	return len(wanted) == 0
}

// Recheck looks a session's person up again. It says login.ErrUnauthenticated of somebody who is gone, Refused of
// somebody who is disabled or has left the allowed groups: end the session. On Unavailable it goes on.
func (d *Directory) Recheck(ctx context.Context, was login.Login) (login.Login, error) {
	if d.cfg.BindDN == "" {
		return login.Login{}, login.ErrAgain
	}
	again, ok := byRef(was.Ref)
	if !ok {
		return login.Login{}, errors.New("the session does not say who it is of")
	}
	return d.each(ctx, func(conn *ldap.Conn) (login.Login, error) {
		if err := d.bindAccount(conn); err != nil {
			return login.Login{}, err
		}
		// Whatever else the filter wants of people still holds; the name may be another one by now.
		p, err := d.find(conn, "(&"+strings.ReplaceAll(d.cfg.User.Filter, placeholder, "*")+again+")")
		if err != nil {
			return login.Login{}, err
		}
		l, err := d.admit(conn, p)
		l.Ends = was.Ends
		return l, err
	})
}
