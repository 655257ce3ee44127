package outgoing

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	promconfig "github.com/prometheus/common/config"
	"go.uber.org/goleak"

	"github.com/signalbox-project/signalbox/internal/front/certs/certstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestWhichAddressesAreReached(t *testing.T) {
	for address, want := range map[string]bool{
		"127.0.0.1": true, "::1": true, "10.0.0.7": true, "192.168.1.1": true, "172.16.0.1": true, "fd12:3456::1": true, "8.8.8.8": true, "2606:4700::1111": true,
		"100.64.0.1": true, "64:ff9b::808:808": true, "::ffff:10.0.0.7": true,

		"169.254.169.254": false, "169.254.170.2": false, "169.254.0.1": false, "fe80::1": false, "fe80::1%eth0": false,
		"fd00:ec2::254": false, "fd00:ec2::23": false, "fd20:ce::254": false, "100.100.100.200": false, "168.63.129.16": false, "192.0.0.192": false,
		"0.0.0.0": false, "0.1.2.3": false, "::": false, "224.0.0.1": false, "239.255.255.250": false, "ff02::1": false, "255.255.255.255": false,
		// 169.254.169.254 in the clothes of IPv6.
		"::ffff:169.254.169.254": false, "::ffff:a9fe:a9fe": false, "64:ff9b::a9fe:a9fe": false, "64:ff9b:1::a9fe:a9fe": false, "2002:a9fe:a9fe::1": false, "::a9fe:a9fe": false,
	} {
		if err := New(Config{}).Check(netip.MustParseAddr(address)); (err == nil) != want {
			t.Errorf("%s: %v, want reached %v", address, err, want)
		}
	}
	g := New(Config{Allow: []string{"169.254.169.254", "10.1.0.0/16"}, Deny: []string{"10.0.0.0/8", "::1"}})
	for address, want := range map[string]bool{
		"169.254.169.254": true, "::ffff:169.254.169.254": true, "169.254.169.253": false, "10.1.2.3": true, "10.2.0.1": false, "::1": false, "127.0.0.1": true,
	} {
		if err := g.Check(netip.MustParseAddr(address)); (err == nil) != want {
			t.Errorf("with exceptions, %s: %v, want reached %v", address, err, want)
		}
	}
}

func TestWrongNetworksAreNamed(t *testing.T) {
	errs := Config{Allow: []string{"10.0.0.0/8", "nonsense"}, Deny: []string{"10.0.0.0/99", "fd00::1"}}.Validate()
	if len(errs) != 2 || !strings.HasPrefix(errs[0].Error(), "allow[1]: ") || !strings.HasPrefix(errs[1].Error(), "deny[0]: ") {
		t.Error(errs)
	}
}

// refused is a server on an address that the guard does not reach, and how often it was asked. Loopback stands for the
// metadata service, which no test machine has.
func refused(t *testing.T) (_ *Guard, address string, asked *atomic.Int32) {
	t.Helper()
	asked = &atomic.Int32{}
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(s.Close)
	return New(Config{Deny: []string{"127.0.0.0/8", "::1"}, Allow: []string{"127.0.0.2"}}), s.Listener.Addr().String(), asked
}

func TestNeitherNamesNorRedirectsLeadToWhatIsRefused(t *testing.T) {
	g, address, asked := refused(t)
	_, port, _ := net.SplitHostPort(address)
	ln, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Skip("127.0.0.2 is no address of this machine: ", err)
	}
	redirects := httptest.NewUnstartedServer(http.RedirectHandler("http://localhost:"+port+"/latest/meta-data", http.StatusFound))
	redirects.Listener.Close()
	redirects.Listener = ln
	redirects.Start()
	defer redirects.Close()
	client, err := g.Client(&promconfig.DefaultHTTPClientConfig, "test")
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseIdleConnections()
	plain := &http.Client{Transport: g.Transport()}
	defer plain.CloseIdleConnections()
	for _, c := range []*http.Client{client, plain} {
		for _, u := range []string{"http://" + address, "http://localhost:" + port, redirects.URL} {
			_, err := c.Get(u)
			var no *RefusedError
			if !errors.As(err, &no) || !strings.Contains(err.Error(), "outgoing.allow") {
				t.Errorf("%s: %v", u, err)
			}
		}
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("it was asked %d times", n)
	}
}

func TestAProxyIsNotAskedForWhatIsPlainlyRefused(t *testing.T) {
	var asked atomic.Int32
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer proxy.Close()
	u, _ := url.Parse(proxy.URL)
	cfg := promconfig.DefaultHTTPClientConfig
	cfg.ProxyURL = promconfig.URL{URL: u}
	client, err := New(Config{}).Client(&cfg, "test")
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseIdleConnections()
	for _, host := range []string{"169.254.169.254", "[::ffff:169.254.169.254]", "metadata.google.internal", "Metadata.Google.Internal.", "2852039166", "0xa9fea9fe", "169.254.43518", "0251.0376.0251.0376"} {
		if _, err := client.Get("http://" + host + "/"); err == nil {
			t.Errorf("%s is asked for", host)
		}
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("the proxy was asked %d times", n)
	}
	if _, err := client.Get("http://service.example/"); err != nil || asked.Load() != 1 {
		t.Errorf("a name through the proxy: %v", err)
	}
}

func TestAWatchedContextSendsNothingToWhatIsRefused(t *testing.T) {
	g, address, asked := refused(t)
	for range 50 {
		ctx, stop := g.Watch(context.Background())
		req, err := http.NewRequestWithContext(ctx, "GET", "http://"+address, nil)
		if err != nil {
			t.Fatal(err)
		}
		transport := &http.Transport{}
		if _, err := (&http.Client{Transport: transport}).Do(req); err == nil {
			t.Error("it answered")
		}
		transport.CloseIdleConnections()
		stop()
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("it was asked %d times", n)
	}
	ctx, stop := New(Config{}).Watch(context.Background())
	defer stop()
	req, _ := http.NewRequestWithContext(ctx, "GET", "http://"+address, nil)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	http.DefaultClient.CloseIdleConnections()
}

func TestClientsInPrometheusWords(t *testing.T) {
	ca := certstest.NewCA(t, "ours")
	dir := t.TempDir()
	ca.Issue("client").Write(dir, "client")
	certstest.Write(t, dir, "ca.crt", ca.PEM())
	certstest.Write(t, dir, "token", []byte("sesame"))
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.TLS.VerifiedChains[0][0].Subject.CommonName, " ", r.Header.Get("Authorization"))
	}))
	s.TLS = tlsOf(ca)
	s.StartTLS()
	defer s.Close()
	cfg := promconfig.DefaultHTTPClientConfig
	cfg.TLSConfig = promconfig.TLSConfig{CAFile: "ca.crt", CertFile: "client.crt", KeyFile: "client.key"}
	cfg.Authorization = &promconfig.Authorization{Type: "Bearer", CredentialsFile: "token"}
	cfg.SetDirectory(dir)
	client, err := New(Config{}).Client(&cfg, "test")
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseIdleConnections()
	resp, err := client.Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text := make([]byte, 100)
	n, _ := resp.Body.Read(text)
	if got := string(text[:n]); got != "client Bearer sesame" {
		t.Errorf("%q", got)
	}
}

func tlsOf(ca *certstest.CA) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{ca.Issue("server").Pair()}, ClientCAs: ca.Pool(), ClientAuth: tls.RequireAndVerifyClientCert}
}
