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
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"

	"github.com/signalbox-project/signalbox/internal/outgoing"
	"github.com/signalbox-project/signalbox/internal/platform/secretfile"
)

// API is how the API server is reached; what is empty is that of the pod that
// Signalbox runs in.
type API struct {
	// URL is the API server's address.
	URL string `yaml:"url" json:"url,omitempty"`
	// TokenFile holds the service account's token.
	TokenFile string `yaml:"token_file" json:"-"`
	// CAFile holds the API server's authority.
	CAFile string `yaml:"ca_file" json:"-"`
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
	client rest.Interface
	close  func()
}

func (a API) dial(transport http.RoundTripper, guard *outgoing.Guard) (*server, error) {
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
	cfg := &rest.Config{
		Host: address, BearerToken: token.Text(), UserAgent: "signalbox", Transport: transport, Timeout: timeout,
		ContentConfig: rest.ContentConfig{AcceptContentTypes: "application/json", ContentType: "application/json", NegotiatedSerializer: scheme.Codecs.WithoutConversion()},
	}
	if transport == nil {
		cfg.Dial = guard.DialContext
		cfg.Proxy = http.ProxyFromEnvironment // the default; said so that client-go does not keep a transport of every call
	}
	if transport == nil && caFile != "" {
		if cfg.CAData, err = os.ReadFile(caFile); err != nil {
			return nil, fmt.Errorf("authority of the API server: %w", err)
		}
	}
	client, err := rest.HTTPClientFor(cfg)
	if err != nil {
		return nil, fmt.Errorf("reach the API server %s, authority %s: %w", address, caFile, err)
	}
	s := &server{close: func() { utilnet.CloseIdleConnectionsFor(client.Transport) }}
	if s.client, err = rest.UnversionedRESTClientForConfigAndClient(cfg, client); err != nil {
		return nil, fmt.Errorf("reach the API server %s: %w", address, err)
	}
	return s, nil
}

// get decodes what stands below a path, whose parts are escaped, into out. It is not read as a
// typed object: no field may be lost and no number changed on its way through.
func (s *server) get(ctx context.Context, query url.Values, out any, path ...string) error {
	var body []byte
	err := again(ctx, func() (err error) {
		req := s.client.Get().AbsPath(absolute(path))
		for name, values := range query {
			req = req.Param(name, values[0])
		}
		body, err = req.DoRaw(ctx)
		return err
	})
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(out); err != nil {
		return fmt.Errorf("GET %s: the answer is not what the API server documents: %w", absolute(path), err)
	}
	return nil
}

// patch changes what stands below a path. Doing it twice is doing it once.
func (s *server) patch(ctx context.Context, kind types.PatchType, body []byte, path ...string) error {
	return again(ctx, func() error { return s.client.Patch(kind).AbsPath(absolute(path)).Body(body).Do(ctx).Error() })
}

func absolute(path []string) string {
	out := ""
	for _, p := range path {
		out += "/" + url.PathEscape(p)
	}
	return out
}

// again repeats a call that the server could not answer: client-go does so only where it is told when.
func again(ctx context.Context, call func() error) error {
	var last error
	err := wait.ExponentialBackoffWithContext(ctx, wait.Backoff{Steps: attempts, Duration: backoff, Factor: 2, Jitter: 0.1}, func(context.Context) (bool, error) {
		last = call()
		if last != nil && !passing(last) {
			return false, last
		}
		return last == nil, nil
	})
	var status apierrors.APIStatus
	if last != nil && errors.As(last, &status) {
		return fmt.Errorf("status %d: %w", status.Status().Code, last) // what a proxy answers says nothing else
	}
	if last != nil {
		return last
	}
	return err
}

// passing reports whether an error may be gone soon.
func passing(err error) bool {
	var status apierrors.APIStatus
	if errors.As(err, &status) {
		code := status.Status().Code
		return code == http.StatusTooManyRequests || code >= http.StatusInternalServerError
	}
	var broken *url.Error
	return errors.As(err, &broken) && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
}
