// Package email sends messages as mails over SMTP.
//
// In: messages. Out: one mail each, as plain text and as HTML. An address is one mail address. Invariants: what is sent about one
// page is one thread, by References and a subject that stays; a message has the same Message-ID at each try; a password goes over
// TLS alone; a connection ends with its context. Start reading at Send, then mailOf.
package email

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	promconfig "github.com/prometheus/common/config"
	gomail "github.com/wneessen/go-mail"

	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/notify/channels/fit"
	"github.com/signalbox-project/signalbox/internal/notify/channels/kind"
	"github.com/signalbox-project/signalbox/internal/outgoing"
	"github.com/signalbox-project/signalbox/internal/platform/secretfile"
)

// How a connection is encrypted.
const (
	startTLS = "starttls"
	implicit = "implicit"
	none     = "none"
)

// Config is channels.email.
type Config struct {
	// Host is that of the mail server.
	Host string `yaml:"host"`
	// Port is 587 with starttls, 465 with implicit and 25 with none where it is absent.
	Port int `yaml:"port"`
	// TLS says how the connection is encrypted: starttls (the default; a server that does not offer it is refused), implicit, none.
	TLS string `yaml:"tls"`
	// TLSConfig has the keys of Prometheus' tls_config.
	TLSConfig *promconfig.TLSConfig `yaml:"tls_config"`
	// Username logs in; absent for none.
	Username string `yaml:"username"`
	// Password is that of the user.
	Password *secretfile.Key `yaml:"password"`
	// Auth is how: plain (the default), login, cram-md5, scram-sha-256.
	Auth string `yaml:"auth"`
	// From is the sender: an address, or a name and an address in angle brackets.
	From string `yaml:"from"`
	// ReplyTo is where answers go; absent for the sender.
	ReplyTo string `yaml:"reply_to"`
	// Hello is the name that we say hello with; absent for the host of --web.external-url.
	Hello string `yaml:"hello"`
}

func mechanisms() map[string]gomail.SMTPAuthType {
	return map[string]gomail.SMTPAuthType{
		"": gomail.SMTPAuthPlain, "plain": gomail.SMTPAuthPlain, "login": gomail.SMTPAuthLogin,
		"cram-md5": gomail.SMTPAuthCramMD5, "scram-sha-256": gomail.SMTPAuthSCRAMSHA256,
	}
}

// Validate lists what is wrong; each message begins with the field's path.
func (c *Config) Validate() []error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if c.Host == "" || strings.ContainsAny(c.Host, " /@") {
		bad("host: must be a name or an address without a port, got %q", c.Host)
	}
	if c.Port < 0 || c.Port > 65535 {
		bad("port: must be from 1 to 65535, got %d", c.Port)
	}
	switch c.TLS {
	case "", startTLS, implicit:
	case none:
		if c.Username != "" {
			bad("tls: must not be none with a username: the password would be readable on its way")
		}
	default:
		bad("tls: must be starttls, implicit or none, got %q", c.TLS)
	}
	if _, known := mechanisms()[c.Auth]; !known {
		bad("auth: must be plain, login, cram-md5 or scram-sha-256, got %q", c.Auth)
	}
	switch {
	case (c.Username == "") != (c.Password == nil):
		bad("username: needs a password, and a password a username")
	case c.Password != nil:
		if err := c.Password.Validate(); err != nil {
			bad("password: %w", err)
		}
	}
	if _, err := mail.ParseAddress(c.From); err != nil {
		bad("from: must be a mail address, got %q", c.From)
	}
	if _, err := mail.ParseAddress(c.ReplyTo); err != nil && c.ReplyTo != "" {
		bad("reply_to: must be a mail address, got %q", c.ReplyTo)
	}
	if c.TLSConfig != nil {
		if err := c.TLSConfig.Validate(); err != nil {
			bad("tls_config: %w", err)
		}
	}
	return errs
}

// Files are the paths in the configuration.
func (c *Config) Files() []*string {
	var out []*string
	if c.Password != nil {
		out = append(out, &c.Password.File)
	}
	if t := c.TLSConfig; t != nil {
		out = append(out, &t.CAFile, &t.CertFile, &t.KeyFile)
	}
	return out
}

// Channel sends mails.
type Channel struct {
	cfg    Config
	from   *mail.Address
	domain string // of message ids
	hello  string
	dial   func(ctx context.Context, network, address string) (net.Conn, error)
	now    func() time.Time
}

// New makes the channel.
func New(c *Config, d kind.Deps) (*Channel, error) {
	from, err := mail.ParseAddress(c.From)
	if err != nil {
		return nil, fmt.Errorf("from: %w", err)
	}
	out := &Channel{cfg: *c, from: from, domain: from.Address[strings.LastIndexByte(from.Address, '@')+1:], hello: c.Hello, dial: d.Outgoing.DialContext, now: d.Now}
	if out.hello == "" {
		out.hello = d.Host()
	}
	if out.cfg.TLS == "" {
		out.cfg.TLS = startTLS
	}
	if out.cfg.Port == 0 {
		out.cfg.Port = map[string]int{startTLS: 587, implicit: 465, none: 25}[out.cfg.TLS]
	}
	return out, nil
}

// Send implements notify.Channel.
func (c *Channel) Send(ctx context.Context, m notify.Message) (notify.Receipt, error) {
	ctx, end := context.WithCancel(ctx)
	defer end()
	if err := ctx.Err(); err != nil {
		return notify.Receipt{}, err
	}
	to, err := mail.ParseAddress(m.To.Address)
	if err != nil {
		return notify.Receipt{}, notify.Refused(errors.New("email: the address is not one mail address"))
	}
	written, err := c.mailOf(m, to)
	if err != nil {
		return notify.Receipt{}, notify.Refused(kind.Said("email", m, err, nil))
	}
	password := ""
	if c.cfg.Password != nil {
		s, err := c.cfg.Password.Secret()
		if err != nil {
			return notify.Receipt{}, fmt.Errorf("email: password: %w", err)
		}
		password = s.Text()
	}
	client, err := c.client(ctx, password)
	if err != nil {
		return notify.Receipt{}, fmt.Errorf("email: %w", err)
	}
	err = client.DialAndSendWithContext(ctx, written)
	if id := written.GetMessageID(); err == nil || written.IsDelivered() { // taken, whatever became of the good-bye
		return notify.Receipt{ID: id, Note: "the mail server took it"}, nil
	}
	return notify.Receipt{}, c.judged(ctx, m, err, password)
}

// judged says what an error is worth.
func (c *Channel) judged(ctx context.Context, m notify.Message, err error, password string) error {
	if ctx.Err() != nil {
		err = ctx.Err() // what came of closing the connection says less
	}
	hidden := []string{}
	if password != "" {
		encode := base64.StdEncoding.EncodeToString
		hidden = append(hidden, password, encode([]byte(password)), encode([]byte("\x00"+c.cfg.Username+"\x00"+password)))
	}
	said := kind.Said("email", m, err, hidden)
	var refusal *gomail.SendError
	var reply *textproto.Error
	var unreachable *outgoing.RefusedError
	switch {
	case errors.As(err, &unreachable):
		return notify.Refused(said)
	case errors.As(err, &refusal) && refusal.ErrorCode() >= 500, errors.As(err, &reply) && reply.Code >= 500:
		return notify.Refused(said)
	}
	return said
}

// client is one for one message. What it connects is closed with ctx.
func (c *Channel) client(ctx context.Context, password string) (*gomail.Client, error) {
	encryption := &tls.Config{ServerName: c.cfg.Host, MinVersion: tls.VersionTLS12}
	if c.cfg.TLSConfig != nil {
		var err error
		if encryption, err = promconfig.NewTLSConfig(c.cfg.TLSConfig); err != nil {
			return nil, fmt.Errorf("tls_config: %w", err)
		}
		if encryption.ServerName == "" {
			encryption.ServerName = c.cfg.Host
		}
	}
	policy := gomail.TLSMandatory
	if c.cfg.TLS != startTLS {
		policy = gomail.NoTLS
	}
	options := []gomail.Option{
		gomail.WithPort(c.cfg.Port), gomail.WithTLSPolicy(policy), gomail.WithTLSConfig(encryption), gomail.WithHELO(c.hello), gomail.WithTimeout(timeout),
		gomail.WithoutNoop(), gomail.WithDialContextFunc(func(dialling context.Context, network, address string) (net.Conn, error) {
			conn, err := c.dial(dialling, network, address)
			if err != nil {
				return nil, err
			}
			context.AfterFunc(ctx, func() { _ = conn.Close() })
			if c.cfg.TLS == implicit {
				return tls.Client(conn, encryption), nil
			}
			return conn, nil
		}),
	}
	if c.cfg.Username != "" {
		options = append(options, gomail.WithSMTPAuth(mechanisms()[c.cfg.Auth]), gomail.WithUsername(c.cfg.Username), gomail.WithPassword(password))
	}
	return gomail.NewClient(c.cfg.Host, options...)
}

// timeout is that of one command.
const timeout = 15 * time.Second

// mailOf writes the mail.
func (c *Channel) mailOf(m notify.Message, to *mail.Address) (*gomail.Msg, error) {
	w := gomail.NewMsg()
	w.FromMailAddress(c.from)
	w.ToMailAddress(&mail.Address{Name: fit.Line(m.To.Person), Address: to.Address})
	if c.cfg.ReplyTo != "" {
		if err := w.ReplyTo(c.cfg.ReplyTo); err != nil {
			return nil, err
		}
	}
	at := m.Time
	if at.IsZero() {
		at = c.now()
	}
	w.SetDateWithValue(at)
	w.SetMessageIDWithValue(fit.ID(m) + "@" + c.domain)
	if thread := c.thread(m); thread != "" {
		w.SetGenHeader(gomail.HeaderReferences, thread)
		w.SetGenHeader(gomail.HeaderInReplyTo, thread)
	}
	w.Subject(subject(m))
	// Nobody's out-of-office note answers it.
	w.SetGenHeader("Auto-Submitted", "auto-generated")
	w.SetGenHeader("X-Auto-Response-Suppress", "All")
	if m.DedupKey != "" {
		w.SetGenHeader("X-Signalbox-Thread", strconv.Quote(fit.Runes(fit.Line(m.DedupKey), 200)))
	}
	if m.Kind == notify.Paged {
		w.SetImportance(gomail.ImportanceHigh)
	}
	plain, html, err := bodies(m)
	if err != nil {
		return nil, err
	}
	w.SetBodyString(gomail.TypeTextPlain, plain)
	w.AddAlternativeString(gomail.TypeTextHTML, html)
	return w, nil
}
