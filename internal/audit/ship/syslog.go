package ship

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/leodido/go-syslog/v4/rfc5424"
	promconfig "github.com/prometheus/common/config"
	"golang.org/x/sys/unix"

	"github.com/signalbox-project/signalbox/internal/outgoing"
)

const (
	schemeTCP = "tcp"
	schemeTLS = "tls"
	schemeUDP = "udp"

	// logAudit is the facility "log audit".
	logAudit = 13
	notice   = 5
	warning  = 4
	// element names our structured data. 32473 is the number that RFC 5612 gives to whoever has none of their own.
	element = "signalbox@32473"
	// datagram is what one datagram holds: less than UDP over IPv4 can.
	datagram = 65000
	// maxParameter bounds a value in the structured data; the message has all of it.
	maxParameter = 1 << 10
)

// syslog sends messages of RFC 5424: facts as structured data, and the entry's line, which proves it, as the message.
type syslog struct {
	cfg      Syslog
	url      *url.URL
	guard    *outgoing.Guard
	host     string
	facility int
	conn     net.Conn
	gone     chan ended // when reading from conn has
}

// ended says why nothing more is read from a connection.
type ended struct{ err error }

func newSyslog(cfg Syslog, d Deps) (sender, error) {
	u, err := url.Parse(cfg.Address)
	if err != nil {
		return nil, err
	}
	host := cfg.Hostname
	if host == "" {
		host, _ = os.Hostname()
	}
	if host = cut(host, 255); strings.ContainsFunc(host, notGraphic) {
		host = ""
	}
	s := &syslog{cfg: cfg, url: u, guard: d.Outgoing, host: host, facility: logAudit}
	if cfg.Facility != nil {
		s.facility = *cfg.Facility
	}
	return s, nil
}

// confirms implements sender: no syslog receiver says what it has.
func (s *syslog) confirms() bool { return false }

func (s *syslog) close() error {
	if s.conn == nil {
		return nil
	}
	err := s.conn.Close()
	<-s.gone
	s.conn = nil
	return err
}

func (s *syslog) send(ctx context.Context, batch []entry) (int64, error) {
	if err := s.connect(ctx); err != nil {
		return 0, fmt.Errorf("connect to %s: %w", s.cfg.Address, err)
	}
	if err := s.write(ctx, batch); err != nil {
		return 0, errors.Join(fmt.Errorf("send to %s: %w", s.cfg.Address, err), s.close())
	}
	return 0, nil
}

func (s *syslog) connect(ctx context.Context) error {
	if s.conn != nil {
		select {
		case e := <-s.gone: // it left while there was nothing to send
			s.gone <- e
			return errors.Join(fmt.Errorf("the receiver closed the connection: %w", e.err), s.close())
		default:
			return nil
		}
	}
	network := schemeTCP
	if s.url.Scheme == schemeUDP {
		network = schemeUDP
	}
	conn, err := s.guard.DialContext(ctx, network, hostPort(s.url))
	if err != nil {
		return err
	}
	if s.url.Scheme == schemeTLS {
		if conn, err = s.secure(ctx, conn); err != nil {
			return err
		}
	}
	s.conn, s.gone = conn, make(chan ended, 1)
	go func(gone chan<- ended) {
		_, err := io.Copy(io.Discard, conn)
		gone <- ended{cmp.Or(err, io.EOF)}
	}(s.gone)
	return nil
}

// secure greets; certificates are read for each connection, so that they may change.
func (s *syslog) secure(ctx context.Context, raw net.Conn) (net.Conn, error) {
	cfg := s.cfg.TLS
	if cfg == nil {
		cfg = &promconfig.TLSConfig{}
	}
	tc, err := promconfig.NewTLSConfig(cfg)
	if err != nil {
		return nil, errors.Join(err, raw.Close())
	}
	if tc.ServerName == "" {
		tc.ServerName = s.url.Hostname()
	}
	conn := tls.Client(raw, tc)
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(err, raw.Close())
	}
	return conn, nil
}

func (s *syslog) write(ctx context.Context, batch []entry) error {
	conn := s.conn
	defer context.AfterFunc(ctx, func() { _ = conn.SetWriteDeadline(time.Unix(1, 0)) })()
	var frames bytes.Buffer
	for _, e := range batch {
		text, err := s.message(e)
		if err != nil {
			return fmt.Errorf("entry %d: %w", e.ID, err)
		}
		if s.url.Scheme == schemeUDP {
			if _, err := s.conn.Write([]byte(cut(text, datagram))); err != nil {
				return err
			}
			continue
		}
		frames.WriteString(strconv.Itoa(len(text)))
		frames.WriteByte(' ')
		frames.WriteString(text)
	}
	if s.url.Scheme == schemeUDP {
		return nil
	}
	if _, err := s.conn.Write(frames.Bytes()); err != nil {
		return err
	}
	return s.taken(ctx)
}

// taken waits until the other side's kernel has confirmed every byte and the connection still stands: what was only
// written to ours would be lost without a word.
func (s *syslog) taken(ctx context.Context) error {
	for {
		left, err := unsent(s.conn)
		if err != nil {
			return err
		}
		select {
		case e := <-s.gone:
			s.gone <- e
			return fmt.Errorf("the receiver closed the connection: %w", e.err)
		case <-ctx.Done():
			return fmt.Errorf("the receiver takes nothing: %w", ctx.Err())
		default:
		}
		if left == 0 {
			return nil
		}
		pause := time.NewTimer(2 * time.Millisecond)
		<-pause.C
	}
}

// unsent is how many bytes the other side has not confirmed.
func unsent(c net.Conn) (n int, err error) {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return 0, nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return 0, err
	}
	if err2 := raw.Control(func(fd uintptr) { n, err = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ) }); err2 != nil {
		return 0, err2
	}
	return n, err
}

// message is an entry as RFC 5424 has it.
func (s *syslog) message(e entry) (string, error) {
	severity := notice
	if e.failed() {
		severity = warning
	}
	m := &rfc5424.SyslogMessage{}
	m.SetVersion(1).SetPriority(uint8(s.facility*8 + severity)).SetTimestamp(e.Time.UTC().Format("2006-01-02T15:04:05.000000Z07:00"))
	if s.host != "" {
		m.SetHostname(s.host)
	}
	m.SetAppname("signalbox").SetProcID(strconv.Itoa(os.Getpid()))
	if id := cut(strings.Map(graphic, e.Action), 32); id != "" {
		m.SetMsgID(id)
	}
	for k, v := range map[string]string{
		"id": strconv.FormatInt(e.ID, 10), "hash": e.hash, "actor": e.Actor, "action": e.Action, "tenant": e.Tenant, "subject": e.Subject,
		"remote": e.Details["remote"], "status": e.Details["status"],
	} {
		if v != "" {
			m.SetParameter(element, k, parameter(v))
		}
	}
	m.SetMessage(string(e.line))
	return m.String()
}

// graphic keeps what a header field may hold.
func graphic(r rune) rune {
	if notGraphic(r) {
		return -1
	}
	return r
}

// parameter is a value of structured data: one line, not long, with what would end it escaped.
func parameter(v string) string {
	v = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, cut(v, maxParameter))
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, `]`, `\]`).Replace(v)
}

// cut shortens between characters.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "")
}
