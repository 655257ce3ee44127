package certs

import (
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"strings"
	"time"
)

// revocations are lists of revoked certificates, by the raw name of who issued them.
type revocations struct {
	byIssuer map[string][]revocationList
	until    time.Time // when the first of them is to be replaced; zero if none says
}

type revocationList struct {
	list    *x509.RevocationList
	serials map[string]bool
	proved  bool // signed by one of the configured authorities
}

// readRevocations reads lists in PEM, or one in DER. A list must be signed by the authority that it names, so that nobody
// who can write the file alone takes a revocation back or revokes what is not theirs.
func readRevocations(text string, authorities []*x509.Certificate) (revocations, error) {
	r := revocations{byIssuer: map[string][]revocationList{}}
	raw := [][]byte{[]byte(text)}
	if strings.Contains(text, "-----BEGIN") {
		raw = nil
		blocks, err := pemBlocks(text)
		if err != nil {
			return r, err
		}
		for _, b := range blocks {
			if b.Type == "X509 CRL" {
				raw = append(raw, b.Bytes)
			}
		}
	}
	if len(raw) == 0 {
		return r, errors.New("it holds no list of revoked certificates (X509 CRL)")
	}
	for _, der := range raw {
		list, err := x509.ParseRevocationList(der)
		if err != nil {
			return r, err
		}
		if err := complete(list); err != nil {
			return r, err
		}
		proved, err := signed(list, authorities)
		if err != nil {
			return r, err
		}
		serials := make(map[string]bool, len(list.RevokedCertificateEntries))
		for _, e := range list.RevokedCertificateEntries {
			serials[e.SerialNumber.String()] = true
		}
		issuer := string(list.RawIssuer)
		r.byIssuer[issuer] = append(r.byIssuer[issuer], revocationList{list, serials, proved})
		if !list.NextUpdate.IsZero() && (r.until.IsZero() || list.NextUpdate.Before(r.until)) {
			r.until = list.NextUpdate
		}
	}
	return r, nil
}

// complete refuses lists that say less than they seem to: RFC 5280 forbids to go by a list with a critical extension that is
// not understood, such as one for a part of the certificates or one of changes alone.
func complete(list *x509.RevocationList) error {
	for _, e := range list.Extensions {
		if e.Critical {
			return fmt.Errorf("the list of %s has the critical extension %s, so that it may be one of changes or for some certificates only: give a complete list", list.Issuer, extension(e.Id))
		}
	}
	return nil
}

func extension(id asn1.ObjectIdentifier) string {
	switch id.String() {
	case "2.5.29.27":
		return "deltaCRLIndicator"
	case "2.5.29.28":
		return "issuingDistributionPoint"
	}
	return id.String()
}

// signed checks a list against the authority it names. One of an authority that the client itself sends is checked when it does.
func signed(list *x509.RevocationList, authorities []*x509.Certificate) (proved bool, wrong error) {
	for _, a := range authorities {
		if string(a.RawSubject) != string(list.RawIssuer) {
			continue
		}
		err := list.CheckSignatureFrom(a)
		if err == nil {
			return true, nil
		}
		wrong = fmt.Errorf("the list of %s is not signed by it: %w", list.Issuer, err)
	}
	return false, wrong
}

// check refuses a client of whose chains each has a revoked certificate.
func (r revocations) check(chains [][]*x509.Certificate) error {
	if len(r.byIssuer) == 0 {
		return nil
	}
	err := errors.New("the client certificate was not verified")
	for _, chain := range chains {
		if err = r.checkChain(chain); err == nil {
			return nil
		}
	}
	return err
}

func (r revocations) checkChain(chain []*x509.Certificate) error {
	for i, c := range chain[:len(chain)-1] {
		issuer := chain[i+1]
		for _, l := range r.byIssuer[string(c.RawIssuer)] {
			// A list that another authority of this name signed does not speak of this certificate. One that nobody is known to have
			// signed may: refusing is the safe side.
			if l.serials[c.SerialNumber.String()] && (!l.proved || l.list.CheckSignatureFrom(issuer) == nil) {
				return fmt.Errorf("the certificate of %s, serial number %s, is revoked", c.Subject, c.SerialNumber)
			}
		}
	}
	return nil
}
