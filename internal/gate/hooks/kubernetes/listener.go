package kubernetes

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/front"
	"github.com/signalbox-project/signalbox/internal/front/certs"
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
	h.serve(mux, prefix)
	port := f.Port("admission webhook")
	port.Mount(prefix+"/", front.Mount{Handler: mux, Needs: front.Always(access.Open), MaxBody: hook.MaxBody})
	return port, nil
}

func (h *Hook) tls() (*tls.Config, error) {
	cfg := certs.Config{CertFile: h.cfg.CertFile, KeyFile: h.cfg.KeyFile, ClientCAFile: h.cfg.ClientCAFile}
	if cfg.ClientCAFile != "" {
		cfg.ClientAuth = "RequireAndVerifyClientCert"
	}
	k, err := h.kit.Certs().Open("admission webhook", cfg)
	if err != nil {
		return nil, err
	}
	return k.TLS("h2", "http/1.1"), nil
}
