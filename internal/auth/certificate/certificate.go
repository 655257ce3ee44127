// Package certificate says who shows a client certificate.
//
// It verifies nothing: the listener has done that (internal/front/certs), and a certificate that it did not verify is nobody's. In:
// the verified chain of a connection. Out: an identity, or none where no rule knows the certificate.
//
// Invariants: what a rule asks for must all be true of the certificate, and is compared as it stands; the first rule that
// knows it counts. A Source is never changed and needs no lock. Start reading at Source.Identify, then Match.knows.
package certificate

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/signalbox-project/signalbox/internal/access"
)

// Rule makes certificates somebody.
type Rule struct {
	// Match says of which certificates it speaks; all that it names must be true.
	Match Match `yaml:"match"`
	// Name is for people; what was matched by default.
	Name string `yaml:"name"`
	// Groups are those that bindings name.
	Groups []string `yaml:"groups"`
}

// Match is what a rule asks of a certificate.
type Match struct {
	// SPIFFEID is the only URI of the certificate; one that ends with /* takes every path below.
	SPIFFEID string `yaml:"spiffe_id"`
	// CommonName is the common name of its subject.
	CommonName string `yaml:"common_name"`
	// DNS is one of its DNS names.
	DNS string `yaml:"dns"`
	// Subject is its whole subject as RFC 2253 writes it, such as CN=agent,O=Example.
	Subject string `yaml:"subject"`
	// Issuer is the subject of whoever issued it, written alike: where several authorities are trusted, one of them
	// alone may make these certificates.
	Issuer string `yaml:"issuer"`
}

// Validate lists what is wrong with rules; each message begins with the field's path.
func Validate(rules []Rule) []error {
	var errs []error
	for i, r := range rules {
		m := r.Match
		if m.SPIFFEID == "" && m.CommonName == "" && m.DNS == "" && m.Subject == "" {
			errs = append(errs, fmt.Errorf("certificates[%d].match: names nobody: give spiffe_id, common_name, dns or subject", i))
		}
		if m.SPIFFEID != "" {
			if err := validID(m.SPIFFEID); err != nil {
				errs = append(errs, fmt.Errorf("certificates[%d].match.spiffe_id: %q: %w", i, m.SPIFFEID, err))
			}
		}
		if strings.Contains(m.CommonName+m.DNS+m.Subject+m.Issuer, "*") {
			errs = append(errs, fmt.Errorf("certificates[%d].match: * is taken at the end of spiffe_id alone: write names out", i))
		}
	}
	return errs
}

func validID(id string) error {
	u, err := url.Parse(id)
	if err != nil || u.Scheme != "spiffe" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil || u.Port() != "" {
		return errors.New("must be as spiffe://example.org/agent")
	}
	if strings.Contains(strings.TrimSuffix(id, "/*"), "*") {
		return errors.New("may have * only as its last part")
	}
	return nil
}

// Source knows certificates by rules.
type Source struct{ rules []Rule }

// New makes a source of rules that Validate has passed.
func New(rules []Rule) *Source { return &Source{rules: rules} }

// Identify says whose certificate a request came with; shown is false where there is none, or none that a rule knows: it
// opens the connection then and says nothing about who asks.
func (s *Source) Identify(r *http.Request) (id access.Identity, shown bool, err error) {
	if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 {
		return access.Identity{}, false, nil
	}
	id, shown = s.of(r.TLS.VerifiedChains[0][0])
	return id, shown, nil
}

// of is whose certificate it is.
func (s *Source) of(c *x509.Certificate) (access.Identity, bool) {
	for _, r := range s.rules {
		who, known := r.Match.knows(c)
		if !known {
			continue
		}
		name := r.Name
		if name == "" {
			name = who
		}
		return access.Identity{Subject: "certificate:" + who, Name: name, Kind: access.Certificate, Groups: slices.Clone(r.Groups)}, true
	}
	return access.Identity{}, false
}

// knows compares a certificate, and answers the name of it that says most.
func (m Match) knows(c *x509.Certificate) (who string, known bool) {
	for _, f := range []struct {
		want, is string
		ok       func() bool
	}{
		{m.Issuer, "", func() bool { return c.Issuer.String() == m.Issuer }},
		{m.SPIFFEID, spiffeID(c), func() bool { return matchesID(m.SPIFFEID, spiffeID(c)) }},
		{m.Subject, m.Subject, func() bool { return c.Subject.String() == m.Subject }},
		{m.CommonName, m.CommonName, func() bool { return c.Subject.CommonName == m.CommonName }},
		{m.DNS, m.DNS, func() bool {
			return slices.ContainsFunc(c.DNSNames, func(n string) bool { return strings.EqualFold(n, m.DNS) })
		}},
	} {
		if f.want == "" {
			continue
		}
		if !f.ok() {
			return "", false
		}
		if who == "" {
			who = f.is
		}
	}
	return who, who != ""
}

// spiffeID is the id of an X.509-SVID, "" if the certificate is none: it has exactly one URI and is no authority.
func spiffeID(c *x509.Certificate) string {
	if len(c.URIs) != 1 || c.IsCA || validID(c.URIs[0].String()) != nil || strings.Contains(c.URIs[0].String(), "*") {
		return ""
	}
	return c.URIs[0].String()
}

func matchesID(want, is string) bool {
	if below, all := strings.CutSuffix(want, "*"); all {
		return len(is) > len(below) && strings.HasPrefix(is, below)
	}
	return is != "" && is == want
}
