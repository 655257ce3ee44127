package app

import (
	"strings"
	"testing"
)

func TestNothingListensBeyondThisMachineWithoutAuthentication(t *testing.T) {
	for _, c := range []struct {
		name              string
		web, grpc, http   string
		auth              bool
		wantWeb, wantGRPC string
		refused           string // flags that are named
	}{
		{"defaults", AutoAddress, AutoAddress, AutoAddress, false, "127.0.0.1:4300", "127.0.0.1:4317", ""},
		{"defaults with authentication", AutoAddress, AutoAddress, AutoAddress, true, ":4300", ":4317", ""},
		{"every interface", ":4300", "", "", false, "", "", "--web.listen-address"},
		{"every interface, spelt out", "0.0.0.0:4300", "[::]:4317", "", false, "", "", "--web.listen-address --otlp.grpc-address"},
		{"one interface", "127.0.0.1:1", "10.1.2.3:4317", "192.0.2.1:4318", false, "", "", "--otlp.grpc-address --otlp.http-address"},
		{"every interface with authentication", "0.0.0.0:4300", "", "", true, "0.0.0.0:4300", "", ""},
		{"loopback by name and IPv6", "localhost:1", "[::1]:2", "", false, "localhost:1", "[::1]:2", ""},
		{"127.0.0.2 is this machine too", "127.0.0.2:1", "", "", false, "127.0.0.2:1", "", ""},
		{"off stays off", "127.0.0.1:1", "", "", false, "127.0.0.1:1", "", ""},
		{"an address without a port", "0.0.0.0", "", "", false, "", "", "--web.listen-address"},
	} {
		o, err := Options{Listening: Listening{ListenAddress: c.web, OTLPGRPCAddress: c.grpc, OTLPHTTPAddress: c.http}}.closed(t.Context(), c.auth)
		if c.refused == "" {
			if err != nil || o.ListenAddress != c.wantWeb || o.OTLPGRPCAddress != c.wantGRPC {
				t.Errorf("%s: %+v %v", c.name, o, err)
			}
			continue
		}
		if err == nil {
			t.Errorf("%s: it would listen", c.name)
			continue
		}
		for _, flag := range []string{"--web.listen-address", "--otlp.grpc-address", "--otlp.http-address"} {
			if strings.Contains(err.Error(), flag+" ") != strings.Contains(c.refused, flag) {
				t.Errorf("%s: %v", c.name, err)
			}
		}
		if !strings.Contains(err.Error(), "--auth.enabled") || !strings.Contains(err.Error(), "127.0.0.1:") {
			t.Errorf("%s: both ways out must be named: %v", c.name, err)
		}
	}
}
