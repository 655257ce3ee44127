package email_test

import (
	"context"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/http/httptest"
	"net/mail"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	promconfig "github.com/prometheus/common/config"

	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/notify/channels/email"
	"github.com/signalbox-project/signalbox/internal/notify/channels/kind"
	"github.com/signalbox-project/signalbox/internal/notify/channeltest"
	"github.com/signalbox-project/signalbox/internal/platform/secretfile"
)

const password = "pass/w0rd of the mail server"

// server is a real one: github.com/emersion/go-smtp.
type server struct {
	addr string
	ca   string // a file
	mu   sync.Mutex
	got  []letter
	rcpt error
}

type letter struct{ from, to, text string }

// session is one connection.
type session struct {
	s        *server
	loggedIn bool
	letter
}

func (x *session) AuthMechanisms() []string { return []string{sasl.Plain, sasl.Login} }

func (x *session) Auth(mech string) (sasl.Server, error) {
	check := func(_, user, given string) error {
		if user != "signalbox" || given != password {
			return &smtp.SMTPError{Code: 535, EnhancedCode: smtp.EnhancedCode{5, 7, 8}, Message: "no: " + given}
		}
		x.loggedIn = true
		return nil
	}
	if mech == sasl.Login {
		return &login{check: check}, nil
	}
	return sasl.NewPlainServer(check), nil
}

func (x *session) Mail(from string, _ *smtp.MailOptions) error {
	if !x.loggedIn && x.s.ca != "" {
		return smtp.ErrAuthRequired
	}
	x.from = from
	return nil
}

func (x *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	x.to = to
	return x.s.rcpt
}

func (x *session) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	x.text = string(b)
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	x.s.got = append(x.s.got, x.letter)
	return err
}

func (x *session) Reset()        {}
func (x *session) Logout() error { return nil }

// serve starts a server with TLS as the setting says.
func serve(t *testing.T, encryption string) *server {
	t.Helper()
	out := &server{}
	s := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &session{s: out}, nil }))
	s.Domain, s.MaxMessageBytes, s.ErrorLog = "mail.example", 10<<20, log.New(io.Discard, "", 0)
	s.EnableSMTPUTF8 = true
	if encryption != "none" {
		web := httptest.NewTLSServer(nil)
		t.Cleanup(web.Close)
		s.TLSConfig = web.TLS.Clone()
		s.TLSConfig.NextProtos = nil
		out.ca = filepath.Join(t.TempDir(), "ca.pem")
		if err := os.WriteFile(out.ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw}), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	out.addr = l.Addr().String()
	go func() {
		if encryption == "implicit" {
			l = tlsListener(l, s)
		}
		_ = s.Serve(l)
	}()
	t.Cleanup(func() { _ = s.Close() })
	return out
}

func (s *server) channel(t *testing.T, change func(*email.Config)) notify.Channel {
	t.Helper()
	host, port, _ := net.SplitHostPort(s.addr)
	n, _ := strconv.Atoi(port)
	c := &email.Config{Host: host, Port: n, From: "Signalbox <pages@signalbox.example>", TLS: "none"}
	if s.ca != "" {
		file := filepath.Join(t.TempDir(), "password")
		if err := os.WriteFile(file, []byte(password+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		c.TLS, c.TLSConfig, c.Username, c.Password = "", &promconfig.TLSConfig{CAFile: s.ca}, "signalbox", &secretfile.Key{File: file}
	}
	if change != nil {
		change(c)
	}
	if errs := c.Validate(); len(errs) > 0 {
		t.Fatal(errs)
	}
	ch, err := email.New(c, kind.Deps{Now: time.Now, ExternalURL: "https://signalbox.example/"})
	if err != nil {
		t.Fatal(err)
	}
	return ch
}

var to = notify.Target{Channel: "email", Address: "ada@example.com", Person: "ada"}

// read is a mail as a program shows it.
func read(t *testing.T, l letter) (m *mail.Message, subject, plain, html string) {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(l.text))
	if err != nil {
		t.Fatalf("%v\n%s", err, l.text)
	}
	subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		t.Error(err)
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for {
		p, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return m, subject, plain, html
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(quotedprintable.NewReader(p))
		if err != nil || p.Header.Get("Content-Transfer-Encoding") != "quoted-printable" {
			t.Fatal(err, p.Header)
		}
		if strings.HasPrefix(p.Header.Get("Content-Type"), "text/html") {
			html = string(b)
		} else {
			plain = strings.ReplaceAll(string(b), "\r\n", "\n")
		}
	}
}

func TestMessagesArriveOverEachWayOfEncryption(t *testing.T) {
	for _, way := range []string{"none", "starttls", "implicit"} {
		s := serve(t, way)
		ch := s.channel(t, func(c *email.Config) {
			if c.TLS = way; way == "implicit" {
				c.Auth = "login"
			}
		})
		for name, m := range channeltest.Messages(to) {
			s.got = nil
			receipt, err := ch.Send(t.Context(), m)
			if err != nil || len(s.got) != 1 {
				t.Fatalf("%s, %s: %v, %d mails", way, name, err, len(s.got))
			}
			got, subject, plain, html := read(t, s.got[0])
			if s.got[0].from != "pages@signalbox.example" || s.got[0].to != to.Address || got.Header.Get("Message-Id") != receipt.ID {
				t.Errorf("%s: %+v", name, s.got[0])
			}
			if list, err := got.Header.AddressList("To"); err != nil || len(list) != 1 || list[0].Address != to.Address || got.Header.Get("Bcc") != "" {
				t.Errorf("%s: %v %v", name, list, err)
			}
			if utf8.RuneCountInString(subject) > 180 || strings.ContainsAny(subject, "\r\n\x00\x1b") || subject == "" || got.Header.Get("Auto-Submitted") != "auto-generated" {
				t.Errorf("%s: subject %q", name, subject)
			}
			if m.Acknowledge != "" && (!strings.Contains(plain, m.Acknowledge) || !strings.Contains(html, m.Acknowledge)) {
				t.Errorf("%s: no link to acknowledge", name)
			}
			if strings.Contains(html, "<script>") || !utf8.ValidString(plain+html) || !strings.Contains(plain, "\n") {
				t.Errorf("%s: %q\n%q", name, plain, html)
			}
			if got, err := got.Header.Date(); err != nil || !got.Equal(m.Time) {
				t.Errorf("%s: %s %v", name, got, err)
			}
		}
	}
}

func TestOnePageIsOneThread(t *testing.T) {
	s := serve(t, "none")
	ch := s.channel(t, nil)
	all := channeltest.Messages(to)
	subjects, threads, ids := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, k := range []string{"page", "acknowledged", "resolved"} {
		s.got = nil
		for range 2 { // a try that seemed to fail, and another
			if _, err := ch.Send(t.Context(), all["ordinary "+k]); err != nil {
				t.Fatal(err)
			}
		}
		for _, l := range s.got {
			m, subject, _, _ := read(t, l)
			subjects[strings.TrimPrefix(subject, "Re: ")] = true
			threads[m.Header.Get("References")], threads[m.Header.Get("In-Reply-To")] = true, true
			ids[m.Header.Get("Message-Id")] = true
		}
	}
	if len(subjects) != 1 || len(threads) != 1 || threads[""] || len(ids) != 3 {
		t.Error(subjects, threads, ids)
	}
}

func TestWhatTheServerSaysDecides(t *testing.T) {
	s := serve(t, "starttls")
	good := s.channel(t, nil)
	m := channeltest.Messages(to)["ordinary page"]
	for code, refused := range map[int]bool{550: true, 553: true, 450: false, 421: false, 452: false} {
		s.rcpt = &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 1, 1}, Message: "no " + m.Acknowledge + " " + password}
		_, err := good.Send(t.Context(), m)
		check(t, strconv.Itoa(code), err, refused)
	}
	s.rcpt = nil
	other := filepath.Join(t.TempDir(), "other")
	if err := os.WriteFile(other, []byte("an0ther"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := s.channel(t, func(c *email.Config) { c.Password = &secretfile.Key{File: other} }).Send(t.Context(), m)
	check(t, "another password", err, true)
	_, err = s.channel(t, func(c *email.Config) { c.TLSConfig = nil }).Send(t.Context(), m)
	check(t, "a certificate of nobody we know", err, false)
	_, err = s.channel(t, func(c *email.Config) { c.Password = &secretfile.Key{File: "/missing"} }).Send(t.Context(), m)
	check(t, "no password", err, false)
	for _, address := range []string{"", "ada", "a@example.com, b@example.com", "a@example.com\r\nBcc: b@example.com"} {
		m.To.Address = address
		_, err = good.Send(t.Context(), m)
		check(t, address, err, true)
	}
	if len(s.got) != 0 {
		t.Errorf("%d mails arrived", len(s.got))
	}
}

func check(t *testing.T, name string, err error, refused bool) {
	t.Helper()
	if err == nil || notify.IsRefused(err) != refused {
		t.Errorf("%s: refused is %t, want %t: %v", name, notify.IsRefused(err), refused, err)
		return
	}
	for _, secret := range []string{password, "TOKENOFTHELINK", "an0ther"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%s: shows %s: %v", name, secret, err)
		}
	}
}

func TestAServerWithoutTLSGetsNothing(t *testing.T) {
	s := serve(t, "none")
	_, err := s.channel(t, func(c *email.Config) { c.TLS = "starttls" }).Send(t.Context(), channeltest.Messages(to)["little"])
	if err == nil || len(s.got) != 0 {
		t.Error(err, s.got)
	}
}

func TestASendEndsWithItsContext(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		conn, err := l.Accept()
		if err == nil {
			cancel() // it never says hello
			_, _ = io.Copy(io.Discard, conn)
		}
	}()
	s := &server{addr: l.Addr().String()}
	ch := s.channel(t, nil)
	m := channeltest.Messages(to)["little"]
	if _, err := ch.Send(ctx, m); !errors.Is(err, context.Canceled) || notify.IsRefused(err) {
		t.Error(err)
	}
	l.Close()
	if _, err := ch.Send(t.Context(), m); err == nil || notify.IsRefused(err) {
		t.Error(err)
	}
}

func TestBadSettingsAreNamed(t *testing.T) {
	key := &secretfile.Key{File: "x"}
	for want, change := range map[string]func(*email.Config){
		"host: ": func(c *email.Config) { c.Host = "mail.example:25 " }, "port: ": func(c *email.Config) { c.Port = 70000 }, "from: ": func(c *email.Config) { c.From = "x" },
		"tls: must be": func(c *email.Config) { c.TLS = "ssl" }, "tls: must not": func(c *email.Config) { c.TLS, c.Username, c.Password = "none", "u", key },
		"auth: ": func(c *email.Config) { c.Auth = "x" }, "username: ": func(c *email.Config) { c.Username = "u" }, "reply_to: ": func(c *email.Config) { c.ReplyTo = "x" },
		"password: ": func(c *email.Config) { c.Username, c.Password = "u", &secretfile.Key{} },
	} {
		c := email.Config{Host: "mail.example", From: "a@b.example"}
		if errs := c.Validate(); len(errs) != 0 {
			t.Fatal(errs)
		}
		change(&c)
		if errs := c.Validate(); len(errs) != 1 || !strings.HasPrefix(errs[0].Error(), want) {
			t.Errorf("got %v, want %s", errs, want)
		}
	}
}
