package certificate

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/front/certs/certstest"
)

func uris(texts ...string) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		for _, text := range texts {
			u, err := url.Parse(text)
			if err != nil {
				panic(err)
			}
			c.URIs = append(c.URIs, u)
		}
	}
}

func TestWhoseACertificateIs(t *testing.T) {
	rules := []Rule{
		{Match: Match{SPIFFEID: "spiffe://example.org/agent"}, Name: "agent", Groups: []string{"agents"}},
		{Match: Match{SPIFFEID: "spiffe://example.org/ns/prod/*"}, Groups: []string{"prod"}},
		{Match: Match{CommonName: "collector", Issuer: "CN=ours"}, Groups: []string{"collectors"}},
		{Match: Match{DNS: "prom.example.org"}},
		{Match: Match{Subject: "CN=ann,O=Example"}, Name: "Ann"},
		{Match: Match{CommonName: "both", DNS: "both.example.org"}},
	}
	if errs := Validate(rules); len(errs) != 0 {
		t.Fatal(errs)
	}
	ours, theirs := certstest.NewCA(t, "ours"), certstest.NewCA(t, "theirs")
	authority := func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = true, true }
	for _, c := range []struct {
		name string
		cert *certstest.Issued
		want string // subject name groups
	}{
		{"an id", ours.Issue("x", uris("spiffe://example.org/agent")), "certificate:spiffe://example.org/agent agent agents"},
		{"an id below", ours.Issue("x", uris("spiffe://example.org/ns/prod/sa/pay")), "certificate:spiffe://example.org/ns/prod/sa/pay spiffe://example.org/ns/prod/sa/pay prod"},
		{"an id that only begins alike", ours.Issue("x", uris("spiffe://example.org/agent2")), ""},
		{"an id beside what is below", ours.Issue("x", uris("spiffe://example.org/ns/production")), ""},
		{"an id of nothing below", ours.Issue("x", uris("spiffe://example.org/ns/prod/")), ""},
		{"another domain", ours.Issue("x", uris("spiffe://example.org.evil/agent")), ""},
		{"two URIs are no id", ours.Issue("x", uris("spiffe://example.org/agent", "spiffe://example.org/other")), ""},
		{"an authority has no id", ours.Issue("x", uris("spiffe://example.org/agent"), authority), ""},
		{"a common name", ours.Issue("collector"), "certificate:collector collector collectors"},
		{"a common name by another authority", theirs.Issue("collector"), ""},
		{"a common name in other letters", ours.Issue("Collector"), ""},
		{"a DNS name", ours.Issue("x", certstest.For("PROM.example.org")), "certificate:prom.example.org prom.example.org"},
		{"a name as common name that is asked for as DNS name", ours.Issue("prom.example.org"), ""},
		{"a subject", ours.Issue("x", func(c *x509.Certificate) { c.Subject = pkix.Name{CommonName: "ann", Organization: []string{"Example"}} }), "certificate:CN=ann,O=Example Ann"},
		{"a common name that looks like a subject", ours.Issue("ann,O=Example"), ""},
		{"half of what is asked for", ours.Issue("both"), ""},
		{"all of it", ours.Issue("both", certstest.For("both.example.org")), "certificate:both both"},
	} {
		r := &http.Request{TLS: &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{c.cert.Cert}}}}
		id, shown, err := New(rules).Identify(r)
		got := strings.TrimSpace(id.Subject + " " + id.Name + " " + strings.Join(id.Groups, ","))
		if got != c.want || err != nil || shown != (c.want != "") || shown && id.Kind != access.Certificate {
			t.Errorf("%s: %q %v %v, want %q", c.name, got, shown, err, c.want)
		}
		unverified := &http.Request{TLS: &tls.ConnectionState{PeerCertificates: []*x509.Certificate{c.cert.Cert}}}
		if _, shown, _ := New(rules).Identify(unverified); shown {
			t.Errorf("%s: counts without having been verified", c.name)
		}
	}
	if _, shown, _ := New(rules).Identify(&http.Request{}); shown {
		t.Error("plain text shows a certificate")
	}
}

func TestWrongRulesAreNamed(t *testing.T) {
	var got []string
	for _, err := range Validate([]Rule{
		{}, {Match: Match{Issuer: "CN=ours"}}, {Match: Match{SPIFFEID: "https://example.org"}}, {Match: Match{SPIFFEID: "spiffe://example.org/*/x"}}, {Match: Match{CommonName: "*"}},
	}) {
		field, _, _ := strings.Cut(err.Error(), ":")
		got = append(got, field)
	}
	want := []string{"certificates[0].match", "certificates[1].match", "certificates[2].match.spiffe_id", "certificates[3].match.spiffe_id", "certificates[4].match"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
