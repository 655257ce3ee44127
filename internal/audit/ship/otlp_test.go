package ship

import (
	"compress/gzip"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	promconfig "github.com/prometheus/common/config"
	collectorlogs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/outgoing"
	"github.com/signalbox-project/signalbox/internal/store/auditlog"
)

// intake is a receiver of OpenTelemetry logs made of the protocol's own generated code.
type intake struct {
	collectorlogs.UnimplementedLogsServiceServer
	mu      sync.Mutex
	records []*logs.LogRecord
	auth    []string
	arrived chan struct{}
}

func (i *intake) take(auth []string, r *collectorlogs.ExportLogsServiceRequest) *collectorlogs.ExportLogsServiceResponse {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.auth = auth
	for _, rl := range r.GetResourceLogs() {
		for _, sl := range rl.GetScopeLogs() {
			i.records = append(i.records, sl.GetLogRecords()...)
		}
	}
	i.arrived <- struct{}{}
	return &collectorlogs.ExportLogsServiceResponse{PartialSuccess: &collectorlogs.ExportLogsPartialSuccess{RejectedLogRecords: 1, ErrorMessage: "one was odd"}}
}

// Export implements the service.
func (i *intake) Export(ctx context.Context, r *collectorlogs.ExportLogsServiceRequest) (*collectorlogs.ExportLogsServiceResponse, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	return i.take(md.Get("authorization"), r), nil
}

// ServeHTTP is the same over HTTP.
func (i *intake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		body, _ = gzip.NewReader(r.Body)
	}
	text, _ := io.ReadAll(body)
	in := &collectorlogs.ExportLogsServiceRequest{}
	if err := proto.Unmarshal(text, in); err != nil || r.URL.Path != "/v1/logs" || r.Header.Get("Content-Type") != "application/x-protobuf" {
		http.Error(w, "no", http.StatusBadRequest)
		return
	}
	out, _ := proto.Marshal(i.take(r.Header.Values("Authorization"), in))
	w.Header().Set("Content-Type", "application/x-protobuf")
	_, _ = w.Write(out)
}

func TestOTLPReceiversGetEveryFact(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(secret, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, protocol := range []string{"http", "grpc"} {
		t.Run(protocol, func(t *testing.T) {
			in := &intake{arrived: make(chan struct{}, 10)}
			cfg := &OTLP{Protocol: protocol, HTTP: &promconfig.HTTPClientConfig{Authorization: &promconfig.Authorization{Type: "Bearer", CredentialsFile: secret}}}
			if protocol == "http" {
				server := httptest.NewServer(in)
				defer server.Close()
				cfg.Endpoint = server.URL + "/v1/logs"
			} else {
				cfg.Endpoint = "http://" + serveGRPC(t, in)
			}
			dir := t.TempDir()
			l := logWith(t, filepath.Join(dir, "log"), 3)
			s, err := New([]Target{{Name: "otel", OTLP: cfg}}, Deps{Log: l, Dir: dir, Version: "1.2.3"})
			if err != nil {
				t.Fatal(err)
			}
			stop := start(s)
			<-in.arrived
			stop()
			if len(in.auth) != 1 || in.auth[0] != "Bearer s3cret" {
				t.Errorf("authorization %q", in.auth)
			}
			checkRecords(t, in.records)
			if got := s.Targets()[0]; got.Kind != "otlp/"+protocol {
				t.Errorf("%+v", got)
			}
		})
	}
}

func serveGRPC(t *testing.T, in *intake) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	collectorlogs.RegisterLogsServiceServer(server, in)
	go func() { _ = server.Serve(ln) }()
	t.Cleanup(server.Stop)
	return ln.Addr().String()
}

func checkRecords(t *testing.T, got []*logs.LogRecord) {
	t.Helper()
	last := got[len(got)-1]
	facts := map[string]*common.AnyValue{}
	for _, kv := range last.GetAttributes() {
		facts[kv.GetKey()] = kv.GetValue()
	}
	for name, want := range map[string]string{
		"user.id": "user:ann", "client.address": "192.0.2.7", "http.request.method": "GET", "url.path": "/api/v1/query", "signalbox.tenant": "pay",
		"signalbox.audit.action": "query.metrics", "signalbox.audit.detail.query": "sum(\"a]\\b\")\n2 ä",
	} {
		if facts[name].GetStringValue() != want {
			t.Errorf("%s is %v, want %q", name, facts[name], want)
		}
	}
	if facts["http.response.status_code"].GetIntValue() != 200 || facts["signalbox.audit.id"].GetIntValue() != int64(len(got)) || last.GetTimeUnixNano() == 0 || last.GetEventName() != "signalbox.audit" {
		t.Errorf("%v", last)
	}
	var lines strings.Builder
	for _, r := range got {
		for _, kv := range r.GetAttributes() {
			if kv.GetKey() == "log.record.original" {
				lines.WriteString(kv.GetValue().GetStringValue() + "\n")
			}
		}
	}
	if v, _, err := auditlog.CheckExport(strings.NewReader(lines.String()), false); err != nil || !v.Intact || v.Entries != int64(len(got)) {
		t.Errorf("what the receiver has does not prove itself: %+v %v", v, err)
	}
}

func TestOTLPWhoAnswersOtherwiseIsNoReceiver(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"a portal":  func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>welcome") },
		"a refusal": func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "who are you", http.StatusUnauthorized) },
	} {
		server := httptest.NewServer(handler)
		to, err := newOTLPHTTP(OTLP{Endpoint: server.URL}, Deps{Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := to.send(t.Context(), []entry{{AuditEntry: model.AuditEntry{ID: 1}}}); err == nil {
			t.Errorf("%s: counts as a receiver that took it", name)
		}
		server.Close()
	}
}

func TestNoReceiverIsReachedThatTheGuardRefuses(t *testing.T) {
	guard := outgoing.New(outgoing.Config{Deny: []string{"127.0.0.0/8"}})
	d := Deps{Outgoing: guard, Now: time.Now}
	for name, cfg := range map[string]Target{
		"http": {OTLP: &OTLP{Endpoint: "http://127.0.0.1:9/v1/logs"}}, "grpc": {OTLP: &OTLP{Endpoint: "http://127.0.0.1:9", Protocol: "grpc"}},
		"tcp": {Syslog: &Syslog{Address: "tcp://127.0.0.1:9"}}, "udp": {Syslog: &Syslog{Address: "udp://127.0.0.1:9"}},
	} {
		to, err := senderOf(cfg, d)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := to.send(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "outgoing.deny") {
			t.Errorf("%s: %v", name, err)
		}
		_ = to.close()
	}
}
