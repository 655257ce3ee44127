package app

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang/snappy"
	"github.com/prometheus/prometheus/prompb"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"google.golang.org/grpc/credentials"

	"github.com/signalbox-project/signalbox/internal/api"
	"github.com/signalbox-project/signalbox/internal/front"
	"github.com/signalbox-project/signalbox/internal/front/certs/certstest"
)

// sealed is a process that speaks TLS alone and lets nobody in without a certificate.
type sealed struct {
	*running
	ca     *certstest.CA
	client *http.Client
	mine   *tls.Config

	mu  sync.Mutex
	who []string // whom the hook was shown, over HTTP
}

func startSealed(t *testing.T) *sealed {
	t.Helper()
	dir := t.TempDir()
	s := &sealed{ca: certstest.NewCA(t, "ours")}
	s.ca.Issue("server").Write(dir, "server")
	certstest.Write(t, dir, "ca.crt", s.ca.PEM())
	s.running = startIn(t, dir, map[string]string{"signalbox.yml": `
tls_server_config:
  cert_file: server.crt
  key_file: server.key
  client_ca_file: ca.crt
  client_auth_type: RequireAndVerifyClientCert
scrape_configs:
  - job_name: signalbox-over-tls
    scrape_interval: 1s
    scheme: https
    tls_config: {ca_file: ca.crt, cert_file: server.crt, key_file: server.key}
    static_configs: [{targets: ["127.0.0.1:1"]}]
`}, func(o *Options) {
		o.Hooks.Audit = func(e front.Ended) {
			if e.Request != nil && e.Request.TLS != nil {
				s.mu.Lock()
				s.who = append(s.who, e.Request.TLS.VerifiedChains[0][0].Subject.CommonName)
				s.mu.Unlock()
			}
		}
	})
	s.mine = &tls.Config{RootCAs: s.ca.Pool(), Certificates: []tls.Certificate{s.ca.Issue("agent").Pair()}}
	transport := &http.Transport{TLSClientConfig: s.mine, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	s.client = &http.Client{Transport: transport}
	return s
}

func (s *sealed) ask(t *testing.T, method, url string, body []byte, header ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := s.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(text)
}

func (s *sealed) finds(t *testing.T, path, what string) bool {
	t.Helper()
	_, text := s.ask(t, "GET", s.Addresses().Web+path, nil)
	return strings.Contains(text, what)
}

func TestEveryListenerAsksForCertificates(t *testing.T) {
	s := startSealed(t)
	a := s.Addresses()
	if !strings.HasPrefix(a.Web, "https://") || !strings.HasPrefix(a.OTLPHTTP, "https://") {
		t.Errorf("%+v", a)
	}
	stranger := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.ca.Pool()}}}
	for _, url := range []string{a.Web, a.OTLPHTTP} {
		if resp, err := stranger.Get(url); err == nil {
			t.Errorf("%s answers without a certificate: %s", url, resp.Status)
		}
		if resp, err := http.Get(strings.Replace(url, "https://", "http://", 1)); err == nil && resp.StatusCode != http.StatusBadRequest {
			t.Errorf("%s answers in plain text: %s", url, resp.Status)
		}
	}
	resp, _ := s.ask(t, "GET", a.Web+"/-/ready", nil)
	if resp.TLS.Version != tls.VersionTLS13 || resp.ProtoMajor != 2 {
		t.Errorf("%s over TLS version %x", resp.Proto, resp.TLS.Version)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.who, "agent") {
		t.Errorf("the hook was shown %v", s.who)
	}
}

func TestExportersOfTheOpenTelemetrySDKSendWithCertificates(t *testing.T) {
	s := startSealed(t)
	a := s.Addresses()
	send := func(t *testing.T, service string, exp sdktrace.SpanExporter, err error) error {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		res := resource.NewSchemaless(attribute.String("service.name", service))
		var failed error
		batch := sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporterFunc{exp, &failed}), sdktrace.WithResource(res))
		_, span := batch.Tracer("t").Start(context.Background(), "GET /"+service)
		span.End()
		if err := batch.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		return failed
	}
	grpcExporter := func(c *tls.Config) (sdktrace.SpanExporter, error) {
		return otlptracegrpc.New(t.Context(), otlptracegrpc.WithEndpoint(a.OTLPGRPC), otlptracegrpc.WithTLSCredentials(credentials.NewTLS(c)),
			otlptracegrpc.WithTimeout(patience), otlptracegrpc.WithRetry(otlptracegrpc.RetryConfig{}))
	}
	exp, err := grpcExporter(s.mine.Clone())
	if err := send(t, "over-grpc", exp, err); err != nil {
		t.Errorf("gRPC: %v", err)
	}
	exp2, err := otlptracehttp.New(t.Context(), otlptracehttp.WithEndpointURL(a.OTLPHTTP+"/v1/traces"), otlptracehttp.WithTLSClientConfig(s.mine.Clone()), otlptracehttp.WithTimeout(patience))
	if err := send(t, "over-http", exp2, err); err != nil {
		t.Errorf("HTTP: %v", err)
	}
	for _, service := range []string{"over-grpc", "over-http"} {
		until(t, service+" is stored", func() bool { return s.finds(t, "/jaeger/api/services", service) })
	}
	exp, err = grpcExporter(&tls.Config{RootCAs: s.ca.Pool()})
	if err := send(t, "no-certificate", exp, err); err == nil {
		t.Error("spans were taken without a certificate")
	}
	theirs := certstest.NewCA(t, "theirs").Issue("agent").Pair()
	exp, err = grpcExporter(&tls.Config{RootCAs: s.ca.Pool(), GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &theirs, nil }})
	if err := send(t, "foreign-certificate", exp, err); err == nil {
		t.Error("spans were taken with a certificate of another authority")
	}
}

// exporterFunc remembers the error that the SDK only logs.
type exporterFunc struct {
	sdktrace.SpanExporter
	failed *error
}

func (e exporterFunc) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	*e.failed = e.SpanExporter.ExportSpans(ctx, spans)
	return *e.failed
}

func TestRemoteWriteAndOurOwnScrapingBesideCertificates(t *testing.T) {
	s := startSealed(t)
	write := &prompb.WriteRequest{Timeseries: []prompb.TimeSeries{{
		Labels: []prompb.Label{{Name: "__name__", Value: "sealed_total"}}, Samples: []prompb.Sample{{Value: 7, Timestamp: time.Now().UnixMilli()}},
	}}}
	raw, err := write.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	resp, text := s.ask(t, "POST", s.Addresses().Web+"/api/v1/write", snappy.Encode(nil, raw), "Content-Type", "application/x-protobuf", "Content-Encoding", "snappy")
	if resp.StatusCode/100 != 2 {
		t.Errorf("%s %s", resp.Status, text)
	}
	until(t, "the sample is there", func() bool { return s.finds(t, "/api/v1/query?query=sealed_total", `"7"`) })
	// Nobody gave us a certificate to ask ourselves with.
	_, address, _ := strings.Cut(s.Addresses().Web, "://")
	until(t, "we scrape ourselves", func() bool {
		return s.finds(t, "/api/v1/query?query=up%7Bjob%3D%22signalbox%22%2Cinstance%3D%22"+address+"%22%7D", `"1"`)
	})
	until(t, "the metric of the certificate's end is there", func() bool {
		return s.finds(t, "/api/v1/query?query=signalbox_tls_certificate_expiry_timestamp_seconds%7Blistener%3D%22otlp_grpc%22%7D", `"success","data":{"resultType":"vector","result":[{`)
	})
}

func TestABadPairIsOnTheStatusPageAndServesNobody(t *testing.T) {
	s := startSealed(t)
	cert, _ := s.ca.Issue("server").PEM()
	certstest.Write(t, s.dir, "server.crt", cert) // its key is still to come
	until(t, "the pair is named", func() bool {
		resp, text := s.ask(t, "GET", s.Addresses().Web+"/sb/v1/status", nil)
		problems := fmt.Sprint(into[api.Status](t, resp.StatusCode, text).Problems)
		return strings.Contains(problems, "web, otlp_grpc, otlp_http") && strings.Contains(problems, "private key does not match")
	})
	s.client.CloseIdleConnections()
	if resp, _ := s.ask(t, "GET", s.Addresses().Web+"/-/ready", nil); resp.StatusCode != http.StatusOK {
		t.Error(resp.Status)
	}
}

func TestASlowBodyOverTLSHoldsNothing(t *testing.T) {
	dir := t.TempDir()
	ca := certstest.NewCA(t, "ours")
	ca.Issue("server").Write(dir, "server")
	r := startIn(t, dir, map[string]string{"signalbox.yml": "web: {body_timeout: 50ms}\ntls_server_config: {cert_file: server.crt, key_file: server.key}\n"})
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: ca.Pool()}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	body, end := io.Pipe()
	defer end.Close()
	resp, err := (&http.Client{Transport: transport}).Post(r.Addresses().Web+"/v1/logs", "application/json", body)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	if resp.ProtoMajor != 2 || resp.StatusCode != http.StatusServiceUnavailable || !strings.Contains(string(text), "web.body_timeout") {
		t.Errorf("%s %s %s", resp.Proto, resp.Status, text)
	}
}
