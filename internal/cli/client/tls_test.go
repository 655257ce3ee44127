package client_test

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/front/certs/certstest"
)

func TestServersWithCertificates(t *testing.T) {
	dir := t.TempDir()
	ca := certstest.NewCA(t, "ours")
	caFile := certstest.Write(t, dir, "ca.crt", ca.PEM())
	cert, key := ca.Issue("ann").Write(dir, "ann")
	serve := func(c *tls.Config) string {
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "1") }))
		s.Config.ErrorLog = nil
		s.TLS = c
		s.StartTLS()
		t.Cleanup(s.Close)
		return s.URL
	}
	own := []tls.Certificate{ca.Issue("server").Pair()}
	open := serve(&tls.Config{Certificates: own})
	sealed := serve(&tls.Config{Certificates: own, ClientCAs: ca.Pool(), ClientAuth: tls.RequireAndVerifyClientCert})
	elsewhere := serve(&tls.Config{Certificates: []tls.Certificate{ca.Issue("server", certstest.For("signalbox.example.org")).Pair()}})
	for _, c := range []struct {
		name  string
		flags []string
		want  string // in the error
	}{
		{"an authority of ours", []string{"--server", open, "--tls-ca-file", caFile}, ""},
		{"no authority", []string{"--server", open}, "--tls-ca-file"},
		{"whatever it is", []string{"--server", open, "--tls-insecure-skip-verify"}, ""},
		{"with a certificate", []string{"--server", sealed, "--tls-ca-file", caFile, "--tls-cert-file", cert, "--tls-key-file", key}, ""},
		{"without a certificate", []string{"--server", sealed, "--tls-ca-file", caFile}, "--tls-cert-file"},
		{"half a pair", []string{"--server", sealed, "--tls-cert-file", cert}, "give both or none"},
		{"another name", []string{"--server", elsewhere, "--tls-ca-file", caFile}, "by a name in its certificate"},
		{"a file that is not there", []string{"--server", open, "--tls-ca-file", "/nowhere.crt"}, "/nowhere.crt"},
	} {
		var got int
		err := with(t, c.flags...).Get(t.Context(), "/x", nil, &got)
		if c.want == "" && (err != nil || got != 1) || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}
