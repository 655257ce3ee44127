// Package kubernetes rolls back through the API server: Undo does what kubectl
// rollout undo does to a Deployment, Abort what the Argo Rollouts plugin's
// abort does to a Rollout.
//
// It decides nothing. In: an order. Out: REST calls with a service account's
// token. Invariants: objects pass through as the API server sent them, no field
// is lost; nothing is changed when the workload runs another version than the
// one to get rid of, or runs it no more. Nothing is kept between calls. Start reading at Undo.Rollback.
package kubernetes

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/signalbox-project/signalbox/internal/platform/outcall"
	"github.com/signalbox-project/signalbox/internal/platform/secretfile"
)

// API is how the API server is reached; what is empty is that of the pod that
// Signalbox runs in.
type API struct {
	// URL is the API server's address.
	URL string `yaml:"url"`
	// TokenFile holds the service account's token.
	TokenFile string `yaml:"token_file"`
	// CAFile holds the API server's authority.
	CAFile string `yaml:"ca_file"`
}

const (
	inClusterURL = "https://kubernetes.default.svc"
	inClusterDir = "/var/run/secrets/kubernetes.io/serviceaccount/"
	attempts     = 4
	timeout      = 15 * time.Second
	backoff      = time.Second
)

func (a API) validate() error {
	if a.URL == "" {
		return nil
	}
	if u, err := url.Parse(a.URL); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return fmt.Errorf("url: must be an absolute http or https URL, got %q", a.URL)
	}
	return nil
}

func (a *API) files() []*string { return []*string{&a.TokenFile, &a.CAFile} }

// server is one conversation with the API server.
type server struct {
	client outcall.Client
	token  secretfile.Secret
	close  func()
}

func (a API) dial(transport http.RoundTripper) (*server, error) {
	address, tokenFile, caFile := a.URL, a.TokenFile, a.CAFile
	if address == "" {
		address = inClusterURL
		if caFile == "" {
			caFile = inClusterDir + "ca.crt"
		}
	}
	if tokenFile == "" {
		tokenFile = inClusterDir + "token"
	}
	token, err := secretfile.Read(tokenFile)
	if err != nil {
		return nil, err
	}
	base, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("API server: %w", err)
	}
	s := &server{token: token, close: func() {}, client: outcall.Client{Base: base, Attempts: attempts, Timeout: timeout, Backoff: backoff}}
	switch {
	case transport != nil:
		s.client.HTTP = &http.Client{Transport: transport}
	case caFile != "":
		pem, err := os.ReadFile(caFile)
		if err != nil {
			return nil, fmt.Errorf("authority of the API server: %w", err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("authority of the API server: %s has no certificate", caFile)
		}
		t := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}
		s.client.HTTP, s.close = &http.Client{Transport: t}, t.CloseIdleConnections
	}
	return s, nil
}

// do calls one path, whose parts are escaped, and decodes the answer into out if it is not nil.
func (s *server) do(ctx context.Context, method, contentType string, query url.Values, body []byte, out any, path ...string) error {
	u := s.client.Base
	for _, p := range path {
		u = u.JoinPath(url.PathEscape(p))
	}
	u.RawQuery = query.Encode()
	header := http.Header{"Accept": {"application/json"}, "Authorization": {"Bearer " + s.token.Text()}, "User-Agent": {"signalbox"}}
	if contentType != "" {
		header.Set("Content-Type", contentType)
	}
	resp, err := s.client.Do(ctx, outcall.Request{Method: method, URL: u, Header: header, Body: body, Idempotent: true})
	if err != nil {
		return err
	}
	if out == nil {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(resp.Body))
	d.UseNumber() // no field may change on its way through
	if err := d.Decode(out); err != nil {
		return fmt.Errorf("%s %s: the answer is not what the API server documents: %w", method, u.Path, err)
	}
	return nil
}

func notFound(err error) bool {
	var status *outcall.StatusError
	return errors.As(err, &status) && status.Status == http.StatusNotFound
}
