package certs

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"
	"go.uber.org/goleak"

	"github.com/signalbox-project/signalbox/internal/front/certs/certstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock is a clock that the test turns.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Now()} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) turn(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(by)
}

// fixture is a listener with an authority of its own.
type fixture struct {
	t      *testing.T
	dir    string
	ca     *certstest.CA
	clock  *clock
	cfg    Config
	set    *Set
	listen net.Listener
}

func newFixture(t *testing.T, change func(*fixture)) *fixture {
	t.Helper()
	f := &fixture{t: t, dir: t.TempDir(), ca: certstest.NewCA(t, "ours"), clock: newClock()}
	f.cfg.CertFile, f.cfg.KeyFile = f.ca.Issue("server").Write(f.dir, "server")
	f.cfg.ClientCAFile = certstest.Write(t, f.dir, "ca.crt", f.ca.PEM())
	f.cfg.ClientAuth = "RequireAndVerifyClientCert"
	if change != nil {
		change(f)
	}
	var err error
	if f.set, err = New(f.cfg, Listeners{}, f.clock.now); err != nil {
		t.Fatal(err)
	}
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.listen = tls.NewListener(inner, f.set.TLS(Web, "http/1.1"))
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := f.listen.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer c.Close()
				if c.(*tls.Conn).Handshake() == nil {
					_, _ = io.Copy(c, c)
				}
			})
		}
	})
	t.Cleanup(func() { f.listen.Close(); wg.Wait() })
	return f
}

// client trusts the authority and shows a certificate, if one is given.
func (f *fixture) client(shown *certstest.Issued) *tls.Config {
	c := &tls.Config{RootCAs: f.ca.Pool(), ServerName: "localhost", NextProtos: []string{"http/1.1"}}
	if shown != nil {
		pair := shown.Pair() // whatever authorities the server names
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
	}
	return c
}

// ask connects, sends a word and reads it back.
func (f *fixture) ask(c *tls.Config) error {
	conn, err := tls.Dial("tcp", f.listen.Addr().String(), c)
	if err != nil {
		return err
	}
	defer conn.Close()
	return echo(conn)
}

func echo(conn net.Conn) error {
	if _, err := conn.Write([]byte("ping")); err != nil {
		return err
	}
	got := make([]byte, 4)
	if _, err := io.ReadFull(conn, got); err != nil {
		return err
	}
	if !bytes.Equal(got, []byte("ping")) {
		return fmt.Errorf("got %q", got)
	}
	return nil
}

func TestWhoIsLetIn(t *testing.T) {
	f := newFixture(t, func(f *fixture) {
		f.cfg.ClientCRLFile = certstest.Write(t, f.dir, "revoked.crl", f.ca.Revoke(time.Now().Add(time.Hour)))
	})
	revoked := f.ca.Issue("stolen")
	certstest.Write(t, f.dir, "revoked.crl", f.ca.Revoke(time.Now().Add(time.Hour), revoked))
	f.clock.turn(time.Minute)
	other := certstest.NewCA(t, "theirs")
	impostor := certstest.NewCA(t, "ours") // the same name, another key
	now := time.Now()
	for _, c := range []struct {
		name   string
		client *tls.Config
		want   string // in the client's error
	}{
		{"a good certificate", f.client(f.ca.Issue("agent")), ""},
		{"none", f.client(nil), "certificate required"},
		{"of another authority", f.client(other.Issue("agent")), "unknown certificate authority"},
		{"of an authority that only has the same name", f.client(impostor.Issue("agent")), "unknown certificate authority"},
		{"expired", f.client(f.ca.Issue("agent", certstest.Valid(now.Add(-48*time.Hour), now.Add(-24*time.Hour)))), "expired certificate"},
		{"not yet valid", f.client(f.ca.Issue("agent", certstest.Valid(now.Add(24*time.Hour), now.Add(48*time.Hour)))), "expired certificate"},
		{"for servers alone", f.client(f.ca.Issue("agent", func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })), "bad certificate"},
		{"revoked", f.client(revoked), "bad certificate"},
	} {
		err := f.ask(c.client)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	wrong := f.client(f.ca.Issue("agent"))
	wrong.ServerName = "signalbox.example.org"
	var name x509.HostnameError
	if err := f.ask(wrong); !errors.As(err, &name) {
		t.Errorf("a client that looks for another name: %v", err)
	}
	old := f.client(f.ca.Issue("agent"))
	old.MaxVersion = tls.VersionTLS12
	if err := f.ask(old); err == nil || !strings.Contains(err.Error(), "protocol version") {
		t.Errorf("a client of TLS 1.2: %v", err)
	}
	foreign := f.client(f.ca.Issue("agent"))
	foreign.RootCAs = other.Pool()
	var unknown x509.UnknownAuthorityError
	if err := f.ask(foreign); !errors.As(err, &unknown) {
		t.Errorf("a client that trusts another authority: %v", err)
	}
}

func TestTLS12WhereItIsAskedFor(t *testing.T) {
	f := newFixture(t, func(f *fixture) { f.cfg.MinVersion = tls.VersionTLS12 })
	old := f.client(f.ca.Issue("agent"))
	old.MaxVersion = tls.VersionTLS12
	if err := f.ask(old); err != nil {
		t.Error(err)
	}
}

func TestOnlyAllowedNames(t *testing.T) {
	f := newFixture(t, func(f *fixture) { f.cfg.ClientAllowedSANs = []string{"spiffe://example.org/agent"} })
	if err := f.ask(f.client(f.ca.Issue("agent", certstest.SPIFFE("spiffe://example.org/agent")))); err != nil {
		t.Error(err)
	}
	if err := f.ask(f.client(f.ca.Issue("agent", certstest.SPIFFE("spiffe://example.org/other")))); err == nil {
		t.Error("a name that is not allowed was let in")
	}
}

func TestARevocationEndsResumedSessions(t *testing.T) {
	f := newFixture(t, func(f *fixture) {
		f.cfg.ClientCRLFile = certstest.Write(t, f.dir, "revoked.crl", f.ca.Revoke(time.Now().Add(time.Hour)))
	})
	agent := f.ca.Issue("agent")
	c := f.client(agent)
	c.ClientSessionCache = tls.NewLRUClientSessionCache(4)
	for range 2 {
		if err := f.ask(c); err != nil {
			t.Fatal(err)
		}
	}
	conn, err := tls.Dial("tcp", f.listen.Addr().String(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if !conn.ConnectionState().DidResume {
		t.Fatal("the session was not resumed: this test shows nothing")
	}
	if err := echo(conn); err != nil { // takes the next ticket too
		t.Fatal(err)
	}
	certstest.Write(t, f.dir, "revoked.crl", f.ca.Revoke(time.Now().Add(time.Hour), agent))
	f.clock.turn(time.Minute)
	if err := f.ask(c); err == nil {
		t.Error("a revoked certificate came in by a resumed session")
	}
}

func TestNewFilesCountAtTheNextHandshake(t *testing.T) {
	f := newFixture(t, nil)
	agent := f.ca.Issue("agent")
	open, err := tls.Dial("tcp", f.listen.Addr().String(), f.client(agent))
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	if err := echo(open); err != nil {
		t.Fatal(err)
	}
	second := f.ca.Issue("server", certstest.Valid(time.Now().Add(-time.Hour), time.Now().Add(time.Hour*24*30)))
	second.Write(f.dir, "server")
	newCA := certstest.NewCA(t, "new")
	certstest.Write(t, f.dir, "ca.crt", newCA.PEM())
	f.clock.turn(time.Minute)
	if err := f.ask(f.client(agent)); err == nil {
		t.Error("a client of the authority that went is let in")
	}
	conn, err := tls.Dial("tcp", f.listen.Addr().String(), f.client(newCA.Issue("agent")))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if got := conn.ConnectionState().PeerCertificates[0].SerialNumber; got.Cmp(second.Cert.SerialNumber) != 0 {
		t.Errorf("the server shows certificate %s, want %s", got, second.Cert.SerialNumber)
	}
	if err := echo(open); err != nil {
		t.Errorf("a connection that was open: %v", err)
	}
}

func TestFilesThatDoNotBelongTogetherReplaceNothing(t *testing.T) {
	f := newFixture(t, func(f *fixture) {
		f.cfg.ClientCRLFile = certstest.Write(t, f.dir, "revoked.crl", f.ca.Revoke(time.Now().Add(time.Hour)))
	})
	agent := f.client(f.ca.Issue("agent"))
	good := map[string][]byte{}
	for _, name := range []string{"server.crt", "server.key", "ca.crt", "revoked.crl"} {
		text, err := os.ReadFile(f.dir + "/" + name)
		if err != nil {
			t.Fatal(err)
		}
		good[name] = text
	}
	cert, _ := f.ca.Issue("server").PEM()
	for _, c := range []struct {
		name, file string
		text       []byte
		want       string
	}{
		{"the certificate before its key", "server.crt", cert, "private key does not match"},
		{"half a certificate", "server.crt", good["server.crt"][:200], "cut off"},
		{"an empty certificate", "server.crt", nil, "holds no certificate"},
		{"half a key", "server.key", good["server.key"][:80], "key"},
		{"half the authorities", "ca.crt", append(bytes.Clone(good["ca.crt"]), good["ca.crt"][:100]...), "cut off"},
		{"no authority", "ca.crt", []byte("hello"), "holds no certificate"},
		{"half a list", "revoked.crl", good["revoked.crl"][:100], "cut off"},
		{"no list", "revoked.crl", []byte("hello"), "x509"},
		{"a list that somebody else signed", "revoked.crl", certstest.NewCA(t, "ours").Revoke(time.Now().Add(time.Hour)), "not signed by it"},
	} {
		certstest.Write(t, f.dir, c.file, c.text)
		f.clock.turn(time.Minute)
		if err := f.ask(agent); err != nil {
			t.Errorf("%s: the last good files do not serve: %v", c.name, err)
		}
		problems := f.set.Problems()
		if len(problems) != 1 || !strings.Contains(problems[0].Message, c.want) || !strings.Contains(problems[0].Message, c.file) || problems[0].Cure == "" {
			t.Errorf("%s: %+v", c.name, problems)
		}
		if strings.Contains(fmt.Sprint(problems), "PRIVATE KEY") {
			t.Errorf("%s: the key is in the problem", c.name)
		}
		if got := metric(t, f.set, "signalbox_tls_reload_failed"); got != "1" {
			t.Errorf("%s: signalbox_tls_reload_failed is %s", c.name, got)
		}
		certstest.Write(t, f.dir, c.file, good[c.file])
		f.clock.turn(time.Minute)
		if problems := f.set.Problems(); len(problems) != 0 {
			t.Errorf("%s, mended: %+v", c.name, problems)
		}
	}
	if err := os.Remove(f.dir + "/server.key"); err != nil {
		t.Fatal(err)
	}
	f.clock.turn(time.Minute)
	if err := f.ask(agent); err != nil {
		t.Error(err)
	}
	if problems := f.set.Problems(); len(problems) != 1 || !strings.Contains(problems[0].Message, "server.key") {
		t.Errorf("a file that went away: %+v", problems)
	}
}

func metric(t *testing.T, s *Set, name string) string {
	t.Helper()
	text, err := testutil.CollectAndFormat(s, expfmt.TypeTextPlain, name)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Fields(strings.TrimSpace(string(text)))
	return lines[len(lines)-1]
}

func TestFilesAreNotReadForEveryHandshake(t *testing.T) {
	f := newFixture(t, nil)
	agent := f.client(f.ca.Issue("agent"))
	certstest.Write(t, f.dir, "server.crt", nil)
	if err := f.ask(agent); err != nil {
		t.Fatal(err)
	}
	if problems := f.set.Problems(); len(problems) != 0 {
		t.Errorf("within a second: %+v", problems)
	}
}

func TestTheEndOfACertificateIsSaidBefore(t *testing.T) {
	day := 24 * time.Hour
	for _, c := range []struct {
		left time.Duration
		want string
	}{
		{15 * day, ""}, {13 * day, "warning"}, {2 * day, "critical"}, {-time.Hour, "critical"},
	} {
		f := newFixture(t, func(f *fixture) {
			f.cfg.CertFile, f.cfg.KeyFile = f.ca.Issue("server", certstest.Valid(time.Now().Add(-100*day), time.Now().Add(c.left))).Write(f.dir, "server")
		})
		got := ""
		for _, p := range f.set.Problems() {
			got += p.Severity
			if !strings.Contains(p.Message, "server.crt") || !strings.Contains(p.Message, time.Now().Add(c.left).UTC().Format("2006-01-02T")) {
				t.Errorf("%s left: %s", c.left, p.Message)
			}
		}
		if got != c.want {
			t.Errorf("%s left: %q, want %q", c.left, got, c.want)
		}
		if got, want := metric(t, f.set, "signalbox_tls_certificate_expiry_timestamp_seconds"), fmt.Sprintf("%v", float64(time.Now().Add(c.left).Unix())); got != want {
			t.Errorf("%s left: the metric is %s, want %s", c.left, got, want)
		}
	}
}

func TestAListThatIsOldStillRefusesAndIsNamed(t *testing.T) {
	f := newFixture(t, func(f *fixture) {
		f.cfg.ClientCRLFile = certstest.Write(t, f.dir, "revoked.crl", f.ca.Revoke(time.Now().Add(-time.Hour), &certstest.Issued{Cert: &x509.Certificate{SerialNumber: f.ca.Issue("x").Cert.SerialNumber}}))
	})
	if err := f.ask(f.client(f.ca.Issue("agent"))); err != nil {
		t.Error(err)
	}
	if problems := f.set.Problems(); len(problems) != 1 || !strings.Contains(problems[0].Message, "revoked.crl") || problems[0].Severity != "warning" {
		t.Errorf("%+v", problems)
	}
}

func TestWrongSettingsAreNamed(t *testing.T) {
	var got []string
	for _, c := range []Config{
		{},
		{CertFile: "a"},
		{KeyFile: "a"},
		{CertFile: "a", KeyFile: "a", ClientAuth: "Yes"},
		{CertFile: "a", KeyFile: "a", ClientAuth: "RequireAndVerifyClientCert"},
		{CertFile: "a", KeyFile: "a", ClientCAFile: "a"},
		{CertFile: "a", KeyFile: "a", ClientAuth: "RequireAnyClientCert", ClientAllowedSANs: []string{"x"}, ClientCRLFile: "a"},
		{CertFile: "a", KeyFile: "a", MaxVersion: tls.VersionTLS12},
	} {
		fields := ""
		for _, err := range c.Validate() {
			field, _, _ := strings.Cut(err.Error(), ":")
			fields += field + " "
		}
		got = append(got, strings.TrimSpace(fields))
	}
	want := []string{"", "key_file", "cert_file", "client_auth_type", "client_ca_file", "client_ca_file", "client_crl_file client_allowed_sans", "max_version"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	l := Listeners{Web: Listener{TLS: &Config{}}, OTLPGRPC: Listener{TLS: &Config{CertFile: "a", KeyFile: "a"}, Plaintext: true}, OTLPHTTP: Listener{TLS: &Config{CertFile: "a"}}}
	got = nil
	for _, err := range l.Validate() {
		field, _, _ := strings.Cut(err.Error(), ":")
		got = append(got, field)
	}
	if d := cmp.Diff([]string{"web.tls_server_config", "otlp_grpc.plaintext", "otlp_http.tls_server_config.key_file"}, got); d != "" {
		t.Error(d)
	}
	if _, err := New(Config{CertFile: "/nowhere.crt", KeyFile: "/nowhere.key"}, Listeners{}, nil); err == nil || !strings.Contains(err.Error(), "/nowhere.crt") {
		t.Errorf("files that are not there: %v", err)
	}
}

func TestEachListenerMayHaveItsOwn(t *testing.T) {
	dir := t.TempDir()
	ca := certstest.NewCA(t, "ours")
	all, own := Config{}, Config{}
	all.CertFile, all.KeyFile = ca.Issue("all").Write(dir, "all")
	own.CertFile, own.KeyFile = ca.Issue("own").Write(dir, "own")
	s, err := New(all, Listeners{OTLPGRPC: Listener{TLS: &own}, OTLPHTTP: Listener{Plaintext: true}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if s.TLS(OTLPHTTP) != nil {
		t.Error("the listener without TLS has one")
	}
	for listener, want := range map[string]string{Web: "all", OTLPGRPC: "own"} {
		c, err := s.TLS(listener, "h2").GetCertificate(nil)
		if err != nil {
			t.Fatal(err)
		}
		if c.Leaf.Subject.CommonName != want {
			t.Errorf("%s shows %s, want %s", listener, c.Leaf.Subject.CommonName, want)
		}
	}
}
