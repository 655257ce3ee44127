package directory

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"sync"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
	commoncfg "github.com/prometheus/common/config"

	"github.com/signalbox-project/signalbox/internal/auth/login"
)

// restFor is how long a server that failed is asked after the others.
const restFor = 30 * time.Second

// boundAnswers keeps a broken server from having us allocate what it says it will send; the library has one bound for all.
var boundAnswers = sync.OnceFunc(func() { ber.MaxPacketLengthBytes = 16 << 20 })

// each asks the servers in their order until one answers.
func (d *Directory) each(ctx context.Context, ask func(*ldap.Conn) (login.Login, error)) (login.Login, error) {
	var errs []error
	for _, server := range d.inOrder() {
		l, err := d.at(ctx, server, ask)
		if err == nil {
			return l, nil
		}
		next, cure := weigh(err)
		if !next {
			return login.Login{}, d.explain(err, cure)
		}
		d.failed(server)
		errs = append(errs, fmt.Errorf("%s: %w", server, err))
		if ctx.Err() != nil {
			break
		}
	}
	return login.Login{}, &login.Unavailable{Provider: d.cfg.Name, Err: errors.Join(errs...), Cure: "see that a server of auth.ldap answers, and that its certificate is trusted (tls_config)"}
}

// inOrder is the order of the configuration, with those that failed a moment ago at the end.
func (d *Directory) inOrder() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := slices.Clone(d.cfg.Servers)
	slices.SortStableFunc(out, func(a, b string) int { return d.resting(a) - d.resting(b) })
	return out
}

func (d *Directory) resting(server string) int {
	if at, ok := d.rest[server]; ok && d.now().Sub(at) < restFor {
		return 1
	}
	return 0
}

func (d *Directory) failed(server string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.rest[server] = d.now()
}

// at does all of it at one server, within the timeout. Closing the connection itself also ends what the library would
// wait for: a server that reads nothing, or is silent in the midst of an answer.
func (d *Directory) at(ctx context.Context, server string, ask func(*ldap.Conn) (login.Login, error)) (l login.Login, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(d.cfg.Timeout))
	defer cancel()
	u, err := url.Parse(server)
	if err != nil {
		return login.Login{}, err
	}
	raw, err := d.dial(ctx, address(u))
	if err != nil {
		return login.Login{}, broken{err}
	}
	defer raw.Close()
	defer context.AfterFunc(ctx, func() { raw.Close() })()
	conn, err := d.speak(ctx, u, raw)
	if err != nil {
		return login.Login{}, broken{err}
	}
	conn.SetTimeout(time.Duration(d.cfg.Timeout))
	defer func() {
		raw.Close() // first: closing the library's connection waits for a write that may hang
		conn.Close()
		if p := recover(); p != nil { // the library trusts the form of an answer
			err = broken{fmt.Errorf("the answer is not LDAP as it should be: %v", p)}
		}
	}()
	return ask(conn)
}

// speak begins LDAP on a connection, encrypted if that is configured.
func (d *Directory) speak(ctx context.Context, u *url.URL, raw net.Conn) (*ldap.Conn, error) {
	if u.Scheme != "ldaps" && !d.cfg.StartTLS {
		conn := ldap.NewConn(raw, false)
		conn.Start()
		return conn, nil
	}
	cfg, err := commoncfg.NewTLSConfig(&d.cfg.TLS) // read anew each time: certificates change
	if err != nil {
		return nil, fmt.Errorf("tls_config: %w", err)
	}
	if cfg.ServerName == "" {
		cfg.ServerName = u.Hostname()
	}
	if u.Scheme == "ldaps" {
		safe := tls.Client(raw, cfg)
		if err := safe.HandshakeContext(ctx); err != nil {
			return nil, err
		}
		conn := ldap.NewConn(safe, true)
		conn.Start()
		return conn, nil
	}
	conn := ldap.NewConn(raw, false)
	conn.Start()
	if err := conn.StartTLS(cfg); err != nil {
		raw.Close()
		conn.Close()
		return nil, err
	}
	return conn, nil
}

func address(u *url.URL) string {
	port := u.Port()
	switch {
	case port != "":
	case u.Scheme == "ldaps":
		port = ldap.DefaultLdapsPort
	default:
		port = ldap.DefaultLdapPort
	}
	return net.JoinHostPort(u.Hostname(), port)
}
