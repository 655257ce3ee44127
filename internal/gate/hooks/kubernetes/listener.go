package kubernetes

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/front"
	"github.com/signalbox-project/signalbox/internal/gate/hooks/hook"
)

// drainTimeout is how long a stop waits for reviews.
const drainTimeout = 5 * time.Second

// Run serves the webhook on the listener of its own, if there is one, until
// ctx is done.
func (h *Hook) Run(ctx context.Context, prefix string) error {
	if h.cfg.ListenAddress == "" {
		<-ctx.Done()
		return nil
	}
	cfg, err := h.tls()
	if err != nil {
		return err
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", h.cfg.ListenAddress)
	if err != nil {
		return fmt.Errorf("listen for admission reviews: %w", err)
	}
	h.kit.Logger().InfoContext(ctx, "admission webhook is listening", "address", ln.Addr().String())
	port, err := h.port(prefix)
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	if err := port.Serve(ctx, ln, front.Serving{TLS: cfg, Drain: drainTimeout}); err != nil {
		return fmt.Errorf("serve admission reviews: %w", err)
	}
	return nil
}

// port is the webhook alone on a port of the front.
func (h *Hook) port(prefix string) (*front.Port, error) {
	f := h.kit.Front()
	if f == nil {
		var err error
		if f, err = front.New(front.DefaultConfig(), front.Deps{Logger: h.kit.Logger()}); err != nil {
			return nil, err
		}
	}
	mux := http.NewServeMux()
	h.Register(mux, prefix)
	port := f.Port("admission webhook")
	port.Mount(prefix+"/", front.Mount{Handler: mux, Needs: front.Always(access.Open), MaxBody: hook.MaxBody})
	return port, nil
}

func (h *Hook) tls() (*tls.Config, error) {
	pair := &keyPair{cert: h.cfg.CertFile, key: h.cfg.KeyFile}
	if _, err := pair.get(nil); err != nil {
		return nil, err
	}
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: pair.get}
	if h.cfg.ClientCAFile != "" {
		pem, err := os.ReadFile(h.cfg.ClientCAFile)
		if err != nil {
			return nil, fmt.Errorf("client authorities of the admission webhook: %w", err)
		}
		cfg.ClientCAs, cfg.ClientAuth = x509.NewCertPool(), tls.RequireAndVerifyClientCert
		if !cfg.ClientCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("client authorities of the admission webhook: %s has no certificate", h.cfg.ClientCAFile)
		}
	}
	return cfg, nil
}

// keyPair is a certificate that is read again when its file changes.
type keyPair struct {
	cert, key string

	mu     sync.Mutex
	loaded *tls.Certificate
	at     time.Time // the certificate file's time
}

func (p *keyPair) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	info, err := os.Stat(p.cert)
	if err == nil && p.loaded != nil && info.ModTime().Equal(p.at) {
		return p.loaded, nil
	}
	if err == nil {
		var c tls.Certificate
		if c, err = tls.LoadX509KeyPair(p.cert, p.key); err == nil {
			p.loaded, p.at = &c, info.ModTime()
			return p.loaded, nil
		}
	}
	if p.loaded != nil {
		return p.loaded, nil // the old one until the new one is whole
	}
	return nil, fmt.Errorf("certificate of the admission webhook: %w", err)
}
