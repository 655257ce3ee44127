package app

import (
	"context"
	"errors"
	"fmt"
	"net"
)

// AutoAddress is a listening address that follows authentication: this machine alone without, every interface with it.
const AutoAddress = "auto"

// The ports of AutoAddress.
const (
	webPort      = "4300"
	otlpGRPCPort = "4317"
	otlpHTTPPort = "4318"
)

// closed settles the listening addresses, and refuses one that others can reach while nobody has to say who they are.
func (o Options) closed(ctx context.Context, authenticated bool) (Options, error) {
	var errs []error
	for _, a := range []struct {
		flag, port string
		address    *string
	}{
		{"web.listen-address", webPort, &o.ListenAddress},
		{"otlp.grpc-address", otlpGRPCPort, &o.OTLPGRPCAddress},
		{"otlp.http-address", otlpHTTPPort, &o.OTLPHTTPAddress},
	} {
		if *a.address == AutoAddress {
			host := "127.0.0.1"
			if authenticated {
				host = ""
			}
			*a.address = net.JoinHostPort(host, a.port)
		}
		if !authenticated && *a.address != "" && !loopback(ctx, *a.address) {
			errs = append(errs, fmt.Errorf("--%s %s: others can reach this address, and without authentication they could read and change everything. "+
				"Turn authentication on (--auth.enabled, or auth.enabled: true in the configuration; the first start prints a link for the first administrator), "+
				"or listen on this machine alone (127.0.0.1:%s), behind a proxy that authenticates; see docs/auth.md", a.flag, *a.address, a.port))
		}
	}
	return o, errors.Join(errs...)
}

// loopback says whether only this machine reaches an address. A name that does not resolve is left to the listener to refuse.
func loopback(ctx context.Context, address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil || host == "" {
		return false
	}
	ips, err := net.DefaultResolver.LookupIPAddr(ctx, host)
	if err != nil {
		return true
	}
	for _, ip := range ips {
		if !ip.IP.IsLoopback() {
			return false
		}
	}
	return true
}
