package front

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

func trusting(header string, networks ...string) (proxies, *int) {
	cfg := DefaultConfig()
	cfg.TrustedProxies, cfg.ClientAddressHeader = networks, header
	hints := 0
	return newProxies(cfg, func() { hints++ }), &hints
}

func TestWhoseAddressARequestHas(t *testing.T) {
	long := strings.Repeat("10.0.0.9, ", 1000) // 10 kB of what looks like our proxies
	for _, c := range []struct {
		name, peer string
		header     string
		lines      []string
		want       string
	}{
		{"no proxy", "203.0.113.9:5000", forwardedFor, nil, "203.0.113.9:5000"},
		{"a stranger's word", "203.0.113.9:5000", forwardedFor, []string{"198.51.100.1"}, "203.0.113.9:5000"},
		{"a proxy that says nothing", "10.0.0.1:5000", forwardedFor, nil, "10.0.0.1:5000"},
		{"a proxy's word", "10.0.0.1:5000", forwardedFor, []string{"203.0.113.9"}, "203.0.113.9:0"},
		{"two proxies", "10.0.0.1:5000", forwardedFor, []string{"203.0.113.9, 10.0.0.2"}, "203.0.113.9:0"},
		{"each proxy its own line", "10.0.0.1:5000", forwardedFor, []string{"203.0.113.9", "10.0.0.2"}, "203.0.113.9:0"},
		{"what the client made up is before its own address", "10.0.0.1:5000", forwardedFor, []string{"127.0.0.1, 10.0.0.7", "203.0.113.9"}, "203.0.113.9:0"},
		{"who is in the proxies' network", "10.0.0.1:5000", forwardedFor, []string{"10.0.0.7, 10.0.0.2"}, "10.0.0.7:0"},
		{"a port", "10.0.0.1:5000", forwardedFor, []string{"203.0.113.9:61000"}, "203.0.113.9:0"},
		{"IPv6", "10.0.0.1:5000", forwardedFor, []string{"2001:db8::1"}, "[2001:db8::1]:0"},
		{"IPv6 in brackets", "10.0.0.1:5000", forwardedFor, []string{"[2001:db8::1]"}, "[2001:db8::1]:0"},
		{"IPv6 with a port", "10.0.0.1:5000", forwardedFor, []string{"[2001:db8::1]:61000"}, "[2001:db8::1]:0"},
		{"IPv6 with a zone", "10.0.0.1:5000", forwardedFor, []string{"fe80::1%eth0"}, "[fe80::1]:0"},
		{"IPv4 in IPv6's clothes", "[::ffff:10.0.0.1]:5000", forwardedFor, []string{"::ffff:203.0.113.9"}, "203.0.113.9:0"},
		{"a proxy at IPv6", "[fd00::2]:5000", forwardedFor, []string{"203.0.113.9"}, "203.0.113.9:0"},
		{"unknown", "10.0.0.1:5000", forwardedFor, []string{"203.0.113.9, unknown"}, "10.0.0.1:5000"},
		{"unknown before a proxy", "10.0.0.1:5000", forwardedFor, []string{"203.0.113.9, unknown, 10.0.0.2"}, "10.0.0.2:0"},
		{"no address at all", "10.0.0.1:5000", forwardedFor, []string{"0.0.0.0"}, "10.0.0.1:5000"},
		{"an empty place", "10.0.0.1:5000", forwardedFor, []string{"203.0.113.9,"}, "10.0.0.1:5000"},
		{"a script", "10.0.0.1:5000", forwardedFor, []string{"<script>alert(1)</script>"}, "10.0.0.1:5000"},
		{"10 kB", "10.0.0.1:5000", forwardedFor, []string{"203.0.113.9, " + long + "10.0.0.2"}, "10.0.0.9:0"},
		{"10 kB before the client", "10.0.0.1:5000", forwardedFor, []string{long, "203.0.113.9"}, "203.0.113.9:0"},
		{"the other header is the client's own", "10.0.0.1:5000", forwarded, []string{"for=203.0.113.9"}, "203.0.113.9:0"},
		{"Forwarded", "10.0.0.1:5000", forwarded, []string{`for=198.51.100.1, for="[2001:db8::1]:4711";proto=https;by=10.0.0.2`}, "[2001:db8::1]:0"},
		{"Forwarded in any case", "10.0.0.1:5000", forwarded, []string{"By=10.0.0.2; FOR=203.0.113.9 ;host=x"}, "203.0.113.9:0"},
		{"Forwarded hidden", "10.0.0.1:5000", forwarded, []string{"for=198.51.100.1, for=_hidden"}, "10.0.0.1:5000"},
		{"Forwarded without for", "10.0.0.1:5000", forwarded, []string{"proto=https"}, "10.0.0.1:5000"},
		{"Forwarded with two", "10.0.0.1:5000", forwarded, []string{"for=198.51.100.1;for=203.0.113.9"}, "10.0.0.1:5000"},
		{"Forwarded, a quotation mark that swallows", "10.0.0.1:5000", forwarded, []string{`for=198.51.100.1;x="`, "for=203.0.113.9"}, "10.0.0.1:5000"},
		{"Forwarded, a comma in quotation marks", "10.0.0.1:5000", forwarded, []string{`for=198.51.100.1;x=", for=10.0.0.3", for=203.0.113.9`}, "203.0.113.9:0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, _ := trusting(c.header, "10.0.0.0/8", "fd00::2")
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr = c.peer
			other := map[string]string{forwardedFor: forwarded, forwarded: forwardedFor}[c.header]
			r.Header.Set(other, "for=192.0.2.66")
			for _, l := range c.lines {
				r.Header.Add(c.header, l)
			}
			if got := p.of(r).RemoteAddr; got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// Whatever a client writes into the header, its own address is the one that our proxy adds; of a text that would swallow it, the proxy's.
func FuzzAClientCannotChooseItsAddress(f *testing.F) {
	for _, s := range []string{"", "127.0.0.1", `for="`, `for=1.1.1.1;x="\`, "10.0.0.9,10.0.0.9", `",`, "for=10.0.0.3;for=", "\x00"} {
		f.Add(s)
	}
	plain, _ := trusting(forwardedFor, "10.0.0.0/8")
	rfc, _ := trusting("forwarded", "10.0.0.0/8")
	f.Fuzz(func(t *testing.T, written string) {
		proxy, client := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("203.0.113.9")
		if got := plain.client(proxy, written+", 203.0.113.9"); got != client {
			t.Errorf("%s: %q", forwardedFor, written)
		}
		if got := rfc.client(proxy, written+", for=203.0.113.9"); got != client && got != proxy {
			t.Errorf("%s: %q is %s", forwarded, written, got)
		}
	})
}

func TestAProxyThatIsNotTrustedIsNamedOnce(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr = "203.0.113.9:1"
	r.Header.Set(forwardedFor, "198.51.100.1")
	p, hints := trusting(forwardedFor)
	if p.of(r); *hints != 0 {
		t.Error("a stranger can send any header")
	}
	r.RemoteAddr = "10.0.0.1:1"
	p.of(r)
	if p.of(r); *hints != 1 {
		t.Errorf("said %d times", *hints)
	}
	p, hints = trusting(forwardedFor, "10.0.0.9")
	if p.of(r); *hints != 0 {
		t.Error("whoever named proxies knows of them")
	}
}

func TestProxiesThatCannotBe(t *testing.T) {
	cfg := DefaultConfig()
	cfg.TrustedProxies, cfg.ClientAddressHeader = []string{"10.0.0.0/8", "::1", "lb.example", "0.0.0.0/0", "::ffff:0:0/96", "10.0.0.1/33"}, "X-Real-IP"
	var got []string
	for _, err := range cfg.Validate() {
		got = append(got, strings.SplitN(err.Error(), ":", 2)[0])
	}
	if text := strings.Join(got, " "); text != "trusted_proxies[2] trusted_proxies[3] trusted_proxies[4] trusted_proxies[5] client_address_header" {
		t.Error(text)
	}
}

// The limits, the audit log and handlers all see the client.
func TestEverybodyBehindAProxySeesTheClient(t *testing.T) {
	audited := make(chan string, 1)
	address, _ := serve(t, func(c *Config) { c.TrustedProxies = []string{"127.0.0.0/8"} }, Deps{
		Logger: slog.New(slog.DiscardHandler), Hooks: Hooks{Audit: func(e Ended) { audited <- e.Access.Remote }},
	}, Mount{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.RemoteAddr) })})
	req, _ := http.NewRequest(http.MethodGet, "http://"+address+"/", nil)
	req.Header.Set(forwardedFor, "10.1.1.1, 203.0.113.9")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	if noted := <-audited; string(body) != "203.0.113.9:0" || noted != "203.0.113.9" {
		t.Errorf("handler %s, audit log %s", body, noted)
	}
}
