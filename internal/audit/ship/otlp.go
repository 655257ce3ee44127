package ship

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	promconfig "github.com/prometheus/common/config"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/signalbox-project/signalbox/internal/platform/outcall"
	"github.com/signalbox-project/signalbox/internal/platform/secretfile"
)

// records makes OpenTelemetry logs of entries.
type records struct {
	version, host string
	now           func() time.Time
}

func newRecords(d Deps) records {
	host, _ := os.Hostname() // without a name it says none
	return records{d.Version, host, d.Now}
}

// attributes that the semantic conventions have a name for.
var conventions = map[string]string{
	"method": "http.request.method", "status": "http.response.status_code", "remote": "client.address", "name": "user.name",
}

func (r records) of(batch []entry) plogotlp.ExportRequest {
	logs := plog.NewLogs()
	rl := logs.ResourceLogs().AppendEmpty()
	for k, v := range map[string]string{"service.name": "signalbox", "service.version": r.version, "host.name": r.host} {
		if v != "" {
			rl.Resource().Attributes().PutStr(k, v)
		}
	}
	scope := rl.ScopeLogs().AppendEmpty()
	scope.Scope().SetName("signalbox.audit")
	observed := pcommon.NewTimestampFromTime(r.now())
	for _, e := range batch {
		one := scope.LogRecords().AppendEmpty()
		one.SetTimestamp(pcommon.NewTimestampFromTime(e.Time))
		one.SetObservedTimestamp(observed)
		one.SetEventName("signalbox.audit")
		one.SetSeverityNumber(plog.SeverityNumberInfo)
		if e.failed() {
			one.SetSeverityNumber(plog.SeverityNumberWarn)
		}
		one.SetSeverityText(one.SeverityNumber().String())
		one.Body().SetStr(e.text())
		e.attributes(one.Attributes())
	}
	return plogotlp.NewExportRequestFromLogs(logs)
}

func (e entry) attributes(to pcommon.Map) {
	to.PutStr("log.record.uid", fmt.Sprintf("%d-%s", e.ID, e.hash)) // by which a receiver tells what was sent twice
	to.PutStr("log.record.original", string(e.line))
	to.PutInt("signalbox.audit.id", e.ID)
	for k, v := range map[string]string{
		"user.id": e.Actor, "signalbox.audit.action": e.Action, "signalbox.audit.subject": e.Subject, "signalbox.tenant": e.Tenant, "signalbox.audit.hash": e.hash,
	} {
		if v != "" {
			to.PutStr(k, v)
		}
	}
	if strings.HasPrefix(e.Subject, "/") && e.Details["method"] != "" {
		to.PutStr("url.path", e.Subject)
	}
	for k, v := range e.Details {
		name, known := conventions[k]
		if !known {
			name = "signalbox.audit.detail." + k
		}
		var status int64
		if _, err := fmt.Sscan(v, &status); known && k == "status" && err == nil {
			to.PutInt(name, status)
			continue
		}
		to.PutStr(name, v)
	}
}

// text is an entry for people.
func (e entry) text() string {
	return strings.TrimSpace(e.Action + " by " + e.Actor + ": " + e.Subject)
}

// failed says whether somebody was refused or something went wrong.
func (e entry) failed() bool {
	return strings.HasSuffix(e.Action, ".failed") || strings.HasSuffix(e.Action, ".refused") || strings.HasPrefix(e.Details["status"], "4") || strings.HasPrefix(e.Details["status"], "5")
}

// refusedOf is what the receiver says of single entries.
func refusedOf(r plogotlp.ExportResponse) int64 { return r.PartialSuccess().RejectedLogRecords() }

// otlpHTTP sends over HTTP, binary protobuf.
type otlpHTTP struct {
	records
	client outcall.Client
}

func newOTLPHTTP(cfg OTLP, d Deps) (sender, error) {
	u, err := url.Parse(cfg.Endpoint)
	if err != nil {
		return nil, err
	}
	client, err := d.Outgoing.Client(cfg.HTTP, "audit_ship")
	if err != nil {
		return nil, err
	}
	return &otlpHTTP{newRecords(d), outcall.Client{Base: u, Transport: client.Transport, Attempts: 1, Timeout: sendWithin}}, nil
}

func (o *otlpHTTP) send(ctx context.Context, batch []entry) (int64, error) {
	body, err := o.of(batch).MarshalProto()
	if err != nil {
		return 0, err
	}
	answer, err := o.client.Do(ctx, outcall.Request{Method: http.MethodPost, URL: o.client.Base, Header: http.Header{"Content-Type": {"application/x-protobuf"}}, Body: body})
	if err != nil {
		return 0, err
	}
	out := plogotlp.NewExportResponse()
	if err := out.UnmarshalProto(answer.Body); err != nil {
		return 0, fmt.Errorf("%s answered %d, but not as OTLP does: is it the path of a receiver of logs?", o.client.Base.Redacted(), answer.Status)
	}
	return refusedOf(out), nil
}

func (o *otlpHTTP) confirms() bool { return true }
func (o *otlpHTTP) close() error   { return nil }

// otlpGRPC sends over gRPC.
type otlpGRPC struct {
	records
	conn   *grpc.ClientConn
	client plogotlp.GRPCClient
}

func newOTLPGRPC(cfg OTLP, d Deps) (sender, error) {
	u, err := url.Parse(cfg.Endpoint)
	if err != nil {
		return nil, err
	}
	security := insecure.NewCredentials()
	if u.Scheme == "https" {
		tc := &tls.Config{MinVersion: tls.VersionTLS12}
		if cfg.HTTP != nil {
			if tc, err = promconfig.NewTLSConfig(&cfg.HTTP.TLSConfig); err != nil {
				return nil, err
			}
		}
		security = credentials.NewTLS(tc)
	}
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(security),
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
			return d.Outgoing.DialContext(ctx, "tcp", address)
		}),
	}
	if cfg.HTTP != nil && cfg.HTTP.Authorization != nil {
		options = append(options, grpc.WithPerRPCCredentials(authorization{cfg.HTTP.Authorization, u.Scheme == "https"}))
	}
	conn, err := grpc.NewClient("passthrough:///"+hostPort(u), options...)
	if err != nil {
		return nil, err
	}
	return &otlpGRPC{newRecords(d), conn, plogotlp.NewGRPCClient(conn)}, nil
}

func (o *otlpGRPC) send(ctx context.Context, batch []entry) (int64, error) {
	out, err := o.client.Export(ctx, o.of(batch))
	if err != nil {
		return 0, fmt.Errorf("export to %s: %w", o.conn.Target(), err)
	}
	return refusedOf(out), nil
}

func (o *otlpGRPC) confirms() bool { return true }
func (o *otlpGRPC) close() error   { return o.conn.Close() }

// authorization is Prometheus' block for gRPC; its file is read for each call, so that it may change.
type authorization struct {
	cfg    *promconfig.Authorization
	secure bool
}

// GetRequestMetadata implements credentials.PerRPCCredentials.
func (a authorization) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	secret := string(a.cfg.Credentials)
	if a.cfg.CredentialsFile != "" {
		s, err := secretfile.Read(a.cfg.CredentialsFile)
		if err != nil {
			return nil, err
		}
		secret = s.Text()
	}
	kind := a.cfg.Type
	if kind == "" {
		kind = "Bearer"
	}
	return map[string]string{"authorization": kind + " " + secret}, nil
}

// RequireTransportSecurity implements credentials.PerRPCCredentials.
func (a authorization) RequireTransportSecurity() bool { return a.secure }
