package probe

import (
	"context"
	"errors"
	"net"
	"strings"

	bbconfig "github.com/prometheus/blackbox_exporter/config"

	"github.com/signalbox-project/signalbox/internal/outgoing"
)

// guarded probes nothing that is not to be reached. The blackbox exporter's code takes no dial function: what HTTP probes
// connect to, redirects included, is watched, and what others connect to is looked up before. A probe that was refused
// says nothing about its target.
func guarded(g *outgoing.Guard, run runFunc) runFunc {
	return func(ctx context.Context, target string, module bbconfig.Module) outcome {
		if module.Prober != "http" && module.Prober != "unix" {
			if err := g.CheckName(ctx, hostOf(target)); err != nil {
				return outcome{ownFault: err.Error()}
			}
		}
		watched, stop := g.Watch(ctx)
		defer stop()
		out := run(watched, target, module)
		var refused *outgoing.RefusedError
		if errors.As(context.Cause(watched), &refused) {
			return outcome{ownFault: refused.Error()}
		}
		return out
	}
}

// hostOf is the host of a target that is no URL: host, host:port, or either behind a scheme.
func hostOf(target string) string {
	if _, rest, found := strings.Cut(target, "://"); found {
		target = rest
	}
	target, _, _ = strings.Cut(target, "/")
	if host, _, err := net.SplitHostPort(target); err == nil {
		return host
	}
	return strings.Trim(target, "[]")
}
