package probe

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	bbconfig "github.com/prometheus/blackbox_exporter/config"
)

// certificate is one for 127.0.0.1 that is its own authority.
func certificate(t *testing.T, expires time.Time) (cert tls.Certificate, authority string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	made := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "probe test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: expires.Add(-90 * 24 * time.Hour), NotAfter: expires, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, made, made, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	authority = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, authority
}

func tlsServer(t *testing.T, expires time.Time) (url, authority string) {
	t.Helper()
	cert, authority := certificate(t, expires)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "hello %s", r.UserAgent())
	}))
	s.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL, authority
}

// once runs the only probe of a file once.
func once(t *testing.T, text string) (*probing, outcome) {
	t.Helper()
	b := newProbing(t, DefaultConfig(), text, runBlackbox)
	task := b.tasks["a"]
	start := time.Now()
	out := task.once(t.Context())
	if out.ownFault == "" {
		task.finish(start, out)
	}
	return b, out
}

func TestAnswersOfRealServers(t *testing.T) {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/broken":
			http.Error(w, "no", http.StatusInternalServerError)
		case "/slow":
			<-r.Context().Done()
		default:
			fmt.Fprintf(w, "hello %s", r.UserAgent())
		}
	}))
	defer web.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	fresh, authority := tlsServer(t, time.Now().Add(5*24*time.Hour))
	stale, staleAuthority := tlsServer(t, time.Now().Add(-time.Hour))
	module := func(authority string) string {
		return fmt.Sprintf("modules: {tls: {prober: http, http: {tls_config: {ca_file: %q}}}}\n", authority)
	}
	probe := func(module, target string) string {
		return fmt.Sprintf("probes: [{name: a, module: %s, target: %q, interval: 5s, labels: {service: edge}}]\n", module, target)
	}
	for _, tc := range []struct {
		name, text string
		success    bool
		reason     string // part of it
	}{
		{"a page that answers", probe("http_2xx", web.URL), true, ""},
		{"a page that answers 500", probe("http_2xx", web.URL+"/broken"), false, "500"},
		{"a page that never answers", strings.Replace(probe("http_2xx", web.URL+"/slow"), "interval: 5s", "interval: 5s, timeout: 50ms", 1), false, "timeout: "},
		{"nobody listens", probe("http_2xx", "http://"+closed), false, "connection refused"},
		{"nobody listens on TCP", probe("tcp_connect", closed), false, "connection refused"},
		{"somebody listens on TCP", probe("tcp_connect", strings.TrimPrefix(web.URL, "http://")), true, ""},
		{"TLS spoken over TCP by a server without it", probe("tls_connect", strings.TrimPrefix(web.URL, "http://")), false, "tls"},
		{"a body that has what it must, our name among it", "modules: {body: {prober: http, http: {fail_if_body_not_matches_regexp: ['hello Signalbox/test']}}}\n" + probe("body", web.URL), true, ""},
		{"a body that lacks what it must have", "modules: {body: {prober: http, http: {fail_if_body_not_matches_regexp: ['welcome']}}}\n" + probe("body", web.URL), false, "welcome"},
		{"a module with a User-Agent of its own", "modules: {own: {prober: http, http: {headers: {user-agent: mine}, fail_if_body_not_matches_regexp: ['^hello mine$']}}}\n" + probe("own", web.URL), true, ""},
		{"a certificate that is trusted", module(authority) + probe("tls", fresh), true, ""},
		{"a certificate that nobody signed", probe("http_2xx", fresh), false, "unknown authority"},
		{"a certificate that has expired", module(staleAuthority) + probe("tls", stale), false, "expired"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b, out := once(t, tc.text)
			if out.success != tc.success || !strings.Contains(out.reason, tc.reason) || out.ownFault != "" {
				t.Fatalf("got %+v, want success %t for %q", out, tc.success, tc.reason)
			}
			want := map[bool]string{true: "1", false: "0"}[tc.success]
			if got := b.store.success("a"); got != want {
				t.Errorf("probe_success %s, want %s", got, want)
			}
			if !tc.success && out.reason == "" {
				t.Error("a failure without a reason")
			}
		})
	}
}

func TestACertificatesExpiryAndThePhasesAreWrittenAndShown(t *testing.T) {
	expires := time.Now().Add(5 * 24 * time.Hour).Truncate(time.Second)
	url, authority := tlsServer(t, expires)
	b, _ := once(t, fmt.Sprintf("modules: {tls: {prober: http, http: {tls_config: {ca_file: %q}}}}\nprobes: [{name: a, module: tls, target: %q, labels: {service: edge, region: eu-1}}]\n", authority, url))
	s := b.only(t)
	if s.State != stateUp || s.CertificateExpires == nil || !s.CertificateExpires.Equal(expires) || s.StatusCode != 200 || s.Phases["tls"] <= 0 || s.Duration <= 0 || s.Line != 2 {
		t.Errorf("shown: %+v", s)
	}
	found := false
	for _, w := range b.store.written {
		if w.labels.Get("__name__") == "probe_ssl_earliest_cert_expiry" {
			found = w.v == float64(expires.Unix()) && w.labels.Get("service") == "edge" && w.labels.Get("region") == "eu-1" && w.labels.Get("target") == url
		}
	}
	if !found {
		t.Errorf("no probe_ssl_earliest_cert_expiry of %d with the probe's labels", expires.Unix())
	}
}

func TestATargetThatIsAPathIsOurOwnAddress(t *testing.T) {
	b := newProbing(t, DefaultConfig(), "probes: [{name: a, module: http_2xx, target: /-/ready}]", good)
	if got := b.only(t).Target; got != "http://127.0.0.1:9090/-/ready" {
		t.Errorf("target %s", got)
	}
}

func TestWhatKeepsUsFromAskingIsOurOwnFault(t *testing.T) {
	_, out := once(t, "modules: {tls: {prober: http, http: {tls_config: {ca_file: missing.pem}}}}\nprobes: [{name: a, module: tls, target: 'https://127.0.0.1:1'}]\n")
	if out.ownFault == "" {
		t.Errorf("a certificate file that is missing: %+v, want our own fault", out)
	}
	out = runBlackbox(context.Background(), "127.0.0.1", bbconfig.Module{Prober: "none"})
	if out.ownFault == "" {
		t.Errorf("a prober that panics: %+v, want our own fault", out)
	}
}
