package api

import (
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/api/operation"
	"github.com/signalbox-project/signalbox/internal/front"
	"github.com/signalbox-project/signalbox/internal/model"
)

// LogRecord is the JSON form of model.LogRecord.
type LogRecord struct {
	Timestamp  time.Time      `json:"timestamp" doc:"RFC 3339 with ns"`
	Level      string         `json:"level" enum:",trace,debug,info,warn,error,fatal"`
	Service    string         `json:"service"`
	Namespace  string         `json:"namespace,omitempty"`
	Env        string         `json:"env"`
	Region     string         `json:"region"`
	Version    string         `json:"version,omitempty"`
	Instance   string         `json:"instance,omitempty"`
	Tenant     string         `json:"tenant"`
	TraceID    string         `json:"trace_id" doc:"32 hex digits or empty"`
	SpanID     string         `json:"span_id" doc:"16 hex digits or empty"`
	RequestID  string         `json:"request_id"`
	Message    string         `json:"message"`
	Attributes map[string]any `json:"attributes,omitempty"`
	Resource   map[string]any `json:"resource,omitempty" doc:"further resource attributes"`
}

// Span is the JSON form of model.Span.
type Span struct {
	TraceID       string         `json:"trace_id" doc:"32 hex digits"`
	SpanID        string         `json:"span_id" doc:"16 hex digits"`
	ParentID      string         `json:"parent_span_id" doc:"16 hex digits, empty for a root"`
	Name          string         `json:"name"`
	Kind          string         `json:"kind" enum:",internal,server,client,producer,consumer"`
	Start         time.Time      `json:"start"`
	StartUnixNano string         `json:"start_unix_nano" doc:"exact, decimal"`
	DurationNS    int64          `json:"duration_ns"`
	Status        string         `json:"status" enum:"unset,ok,error"`
	StatusMessage string         `json:"status_message,omitempty"`
	TraceState    string         `json:"trace_state,omitempty"`
	Scope         string         `json:"scope,omitempty" doc:"instrumentation scope"`
	Service       string         `json:"service"`
	Resource      Resource       `json:"resource"`
	Attributes    map[string]any `json:"attributes,omitempty"`
	Events        []SpanEvent    `json:"events,omitempty"`
	Links         []SpanLink     `json:"links,omitempty"`
}

// Resource is the JSON form of model.Resource.
type Resource struct {
	Tenant     string         `json:"tenant,omitempty"`
	Service    string         `json:"service,omitempty"`
	Namespace  string         `json:"namespace,omitempty"`
	Env        string         `json:"env,omitempty"`
	Region     string         `json:"region,omitempty"`
	Version    string         `json:"version,omitempty"`
	Instance   string         `json:"instance,omitempty"`
	Attributes map[string]any `json:"attributes,omitempty"`
}

// SpanEvent is the JSON form of model.SpanEvent.
type SpanEvent struct {
	Time       int64          `json:"time_unix_nano"`
	Name       string         `json:"name"`
	Attributes map[string]any `json:"attributes,omitempty"`
}

// SpanLink is the JSON form of model.SpanLink.
type SpanLink struct {
	TraceID    string         `json:"trace_id"`
	SpanID     string         `json:"span_id"`
	Attributes map[string]any `json:"attributes,omitempty"`
}

// schemaName is a type's name in the description. Rooms give their own types short names, which
// their package completes: a backtest.Job is a BacktestJob.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	_, room, _ := strings.Cut(t.PkgPath(), "/internal/")
	prefix := map[string]string{"backtest": "Backtest", "report/paper": "Report", "gate/canary": "Canary", "cause": "Cause", "catalog": "Catalog", "runbook": "Runbook", "incident": "Incident", "remedy/engine": "Remediation", "remedy/contract": "Remedy", "remedy/action": "Remedy", "api/remediation": "Remediation", "api/incidents": "Incident", "statuspage": "Status", "api/statuspages": "Status"}[room]
	if name == prefix || name == "Document" {
		return name
	}
	return prefix + name
}

// registerAliases describes types that write their own JSON by structs of the
// same form; a test holds them together.
func registerAliases(r huma.Registry) {
	r.RegisterTypeAlias(reflect.TypeFor[model.LogRecord](), reflect.TypeFor[LogRecord]())
	r.RegisterTypeAlias(reflect.TypeFor[model.Span](), reflect.TypeFor[Span]())
}

// finishOpenAPI repairs what huma's generator gets wrong about us and serves
// the outcome.
func (a *API) finishOpenAPI() error {
	oapi := a.huma.OpenAPI()
	registry := oapi.Components.Schemas
	errSchema := registry.Schema(reflect.TypeFor[operation.ErrorBody](), true, "")
	registry.Schema(reflect.TypeFor[operation.Position](), true, "")
	delete(registry.Map(), "ErrorModel")
	for _, name := range slices.Sorted(maps.Keys(registry.Map())) {
		notNullable(registry.Map()[name])
	}
	// huma cannot say "object or null".
	lastDeploy := registry.Map()["ServiceSummary"].Properties["last_deploy"]
	*lastDeploy = huma.Schema{AnyOf: []*huma.Schema{{Ref: lastDeploy.Ref}, {Type: "null"}}}
	for _, item := range oapi.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post} {
			if op != nil {
				op.Responses["default"].Content = map[string]*huma.MediaType{"application/json": {Schema: errSchema}}
			}
		}
	}
	text, err := json.MarshalIndent(oapi, "", "  ")
	if err != nil {
		return err
	}
	text = append(text, '\n')
	a.ops.Routes().Add(front.Route{Pattern: "GET " + operation.Root + "/openapi.json", Permission: access.Anybody})
	a.mux.HandleFunc("GET "+operation.Root+"/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(text)
	})
	return nil
}

// notNullable removes the null that huma allows for every array: ours are
// always there.
func notNullable(s *huma.Schema) {
	if s == nil {
		return
	}
	if s.Type == huma.TypeArray {
		s.Nullable = false
	}
	notNullable(s.Items)
	for _, p := range s.Properties {
		notNullable(p)
	}
	if ap, ok := s.AdditionalProperties.(*huma.Schema); ok {
		notNullable(ap)
	}
}
