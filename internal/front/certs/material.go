package certs

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	promconfig "github.com/prometheus/common/config"
	"github.com/prometheus/exporter-toolkit/web"
)

// maxFile bounds each file; a list of revoked certificates may be long.
const maxFile = 32 << 20

// contents are the files' texts at one moment. They are compared, because a file that is replaced within the grain of its
// time, or by a link, changes nothing else.
type contents struct{ cert, key, clientCA, crl string }

func readAll(cfg Config) (c contents, err error) {
	for _, f := range []struct {
		to         *string
		what, path string
	}{{&c.cert, "cert_file", cfg.CertFile}, {&c.key, "key_file", cfg.KeyFile}, {&c.clientCA, "client_ca_file", cfg.ClientCAFile}, {&c.crl, "client_crl_file", cfg.ClientCRLFile}} {
		if f.path == "" {
			continue
		}
		if *f.to, err = readFile(f.path); err != nil {
			return c, fmt.Errorf("%s: %w", f.what, err)
		}
	}
	return c, nil
}

func readFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(b) > maxFile {
		err = fmt.Errorf("%s has more than %d bytes", path, maxFile)
	}
	return string(b), err
}

// material is one whole set that belonged together.
type material struct {
	from         contents
	tls          *tls.Config
	begins, ends time.Time
	revoked      revocations
}

// build makes a set of files, or says which of them is not good.
func build(cfg Config, c contents, now func() time.Time) (*material, error) {
	m := &material{from: c}
	chain, err := certificates(c.cert)
	if err != nil {
		return nil, fmt.Errorf("cert_file %s: %w", cfg.CertFile, err)
	}
	m.begins, m.ends = chain[0].NotBefore, chain[0].NotAfter
	for _, link := range chain[1:] {
		if link.NotAfter.Before(m.ends) {
			m.ends = link.NotAfter
		}
	}
	var authorities []*x509.Certificate
	if cfg.ClientCAFile != "" {
		if authorities, err = certificates(c.clientCA); err != nil {
			return nil, fmt.Errorf("client_ca_file %s: %w", cfg.ClientCAFile, err)
		}
	}
	if cfg.ClientCRLFile != "" {
		if m.revoked, err = readRevocations(c.crl, authorities); err != nil {
			return nil, fmt.Errorf("client_crl_file %s: %w", cfg.ClientCRLFile, err)
		}
	}
	// The texts and not the paths, so that what was checked is what is used.
	theirs := &web.TLSConfig{
		TLSCert: c.cert, TLSKey: promconfig.Secret(c.key), ClientCAsText: c.clientCA, ClientAuth: cfg.ClientAuth, ClientAllowedSans: cfg.ClientAllowedSANs,
		CipherSuites: cfg.CipherSuites, CurvePreferences: cfg.CurvePreferences, MinVersion: cfg.minVersion(), MaxVersion: cfg.MaxVersion,
	}
	if m.tls, err = web.ConfigToTLSConfig(theirs); err != nil {
		return nil, fmt.Errorf("cert_file %s and key_file %s: %w", cfg.CertFile, cfg.KeyFile, err)
	}
	pair, err := m.tls.GetCertificate(nil)
	if err != nil {
		return nil, err
	}
	m.tls.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return pair, nil } // parsed once, not at each handshake
	m.tls.Time = now
	// It is not called for a resumed session; VerifyConnection is, for every one.
	m.tls.VerifyPeerCertificate = nil
	m.tls.VerifyConnection = func(s tls.ConnectionState) error {
		if len(s.PeerCertificates) == 0 || !cfg.verifies() {
			return nil
		}
		if err := m.revoked.check(s.VerifiedChains); err != nil {
			return err
		}
		if len(cfg.ClientAllowedSANs) == 0 {
			return nil
		}
		return theirs.VerifyPeerCertificate([][]byte{s.PeerCertificates[0].Raw}, nil)
	}
	return m, nil
}

// certificates reads all of a PEM file, to its end: one that is being written is cut off somewhere.
func certificates(text string) ([]*x509.Certificate, error) {
	var out []*x509.Certificate
	blocks, err := pemBlocks(text)
	if err != nil {
		return nil, err
	}
	for _, b := range blocks {
		if b.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(b.Bytes)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	if len(out) == 0 {
		return nil, errors.New("it holds no certificate in PEM")
	}
	return out, nil
}

// pemBlocks is every block of a text; one that does not end is an error.
func pemBlocks(text string) (out []*pem.Block, err error) {
	rest := []byte(text)
	for {
		var b *pem.Block
		if b, rest = pem.Decode(rest); b == nil {
			break
		}
		out = append(out, b)
	}
	if bytes.Contains(rest, []byte("-----BEGIN")) {
		return nil, errors.New("its last block does not end: it is cut off, or still being written")
	}
	return out, nil
}
