package jaeger

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/signalbox-project/signalbox/internal/front"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// rootV3 is the newer API: the same questions, answered with OTLP's JSON.
const rootV3 = root + "/v3"

// gatewayError is the third version's envelope of an error.
type gatewayError struct {
	Error struct {
		HTTPCode int    `json:"httpCode"`
		Message  string `json:"message"`
	} `json:"error"`
}

func (h *handler) routeV3(mux *http.ServeMux) {
	for path, get := range map[string]func(r *http.Request) (any, error){
		"/services":    h.servicesV3,
		"/operations":  h.operationsV3,
		"/traces":      h.tracesV3,
		"/traces/{id}": h.traceV3,
	} {
		mux.HandleFunc(rootV3+path, func(w http.ResponseWriter, r *http.Request) {
			var body any
			err := error(paramError("use GET"))
			if r.Method == http.MethodGet || r.Method == http.MethodHead {
				body, err = get(r)
			}
			if err != nil {
				status, message := h.deps.Fail(r.Context(), err)
				if errors.Is(err, store.ErrNotFound) {
					status, message = http.StatusNotFound, "No traces found"
				}
				var e gatewayError
				e.Error.HTTPCode, e.Error.Message = status, message
				front.WriteJSON(w, status, e)
				return
			}
			front.WriteJSON(w, http.StatusOK, body)
		})
	}
}

func (h *handler) servicesV3(r *http.Request) (any, error) {
	names, err := h.values(r.Context(), h.recent(r), "service")
	noteRows(r, len(names))
	return map[string]any{"services": names}, err
}

func (h *handler) operationsV3(r *http.Request) (any, error) {
	list, err := h.operationsOf(r, r.FormValue("service"), r.FormValue("span_kind"))
	noteRows(r, len(list))
	return map[string]any{"operations": list}, err
}

func (h *handler) traceV3(r *http.Request) (any, error) {
	spans, err := h.spansOf(r, r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	noteRows(r, len(spans))
	return resultV3([][]model.Span{spans}, r.FormValue("raw_traces") == "true")
}

func (h *handler) tracesV3(r *http.Request) (any, error) {
	if err := r.ParseForm(); err != nil {
		return nil, paramError("parameters: " + err.Error())
	}
	form, err := formOfV3(r.Form)
	if err != nil {
		return nil, err
	}
	q, err := searchQuery(form, tenantOf(r), h.deps.Now())
	if err != nil {
		return nil, err
	}
	found, err := h.search(r, q)
	if err != nil {
		return nil, err
	}
	noteRows(r, len(found))
	if len(found) == 0 {
		return nil, store.ErrNotFound
	}
	return resultV3(found, r.Form.Get("query.raw_traces") == "true")
}

// formOfV3 translates the third version's parameters of a search to the first's.
func formOfV3(in url.Values) (url.Values, error) {
	out := url.Values{}
	for to, from := range map[string][]string{
		"service": {"query.service_name", "query.serviceName"}, "operation": {"query.operation_name", "query.operationName"},
		"minDuration": {"query.duration_min", "query.durationMin"}, "maxDuration": {"query.duration_max", "query.durationMax"},
		"limit": {"query.search_depth", "query.searchDepth", "query.num_traces"}, "tags": {"query.attributes"},
	} {
		for _, name := range from {
			if v := in.Get(name); v != "" {
				out.Set(to, v)
			}
		}
	}
	for to, from := range map[string][2]string{
		"start": {"query.start_time_min", "query.startTimeMin"}, "end": {"query.start_time_max", "query.startTimeMax"},
	} {
		v := in.Get(from[0]) + in.Get(from[1])
		at, err := time.Parse(time.RFC3339Nano, v)
		if err != nil {
			return nil, paramError("malformed parameter " + from[0] + ": want a time such as 2026-11-21T10:00:00Z, got " + strconv.Quote(v))
		}
		out.Set(to, strconv.FormatInt(at.UnixMicro(), 10))
	}
	return out, nil
}

// resultV3 is the traces as OTLP has them, adjusted unless they are asked for raw.
func resultV3(traces [][]model.Span, raw bool) (any, error) {
	td := ptrace.NewTraces()
	for _, spans := range traces {
		a := adjusted{spans: spans, warnings: make([][]string, len(spans))}
		if !raw {
			a = adjust(spans)
		}
		groups := map[*model.Resource]ptrace.ScopeSpansSlice{}
		scopes := map[*model.Resource]map[string]ptrace.SpanSlice{}
		for i := range a.spans {
			s := &a.spans[i]
			if _, ok := groups[s.Resource]; !ok {
				rs := td.ResourceSpans().AppendEmpty()
				for _, kv := range append(identity(s.Resource), s.Resource.Attrs...) {
					put(rs.Resource().Attributes(), kv.Key, kv.Value)
				}
				groups[s.Resource], scopes[s.Resource] = rs.ScopeSpans(), map[string]ptrace.SpanSlice{}
			}
			list, ok := scopes[s.Resource][s.Scope]
			if !ok {
				ss := groups[s.Resource].AppendEmpty()
				ss.Scope().SetName(s.Scope)
				list = ss.Spans()
				scopes[s.Resource][s.Scope] = list
			}
			spanV3(list.AppendEmpty(), s, a.warnings[i])
		}
	}
	b, err := (&ptrace.JSONMarshaler{}).MarshalTraces(td)
	return map[string]any{"result": json.RawMessage(b)}, err
}

func spanV3(to ptrace.Span, s *model.Span, warnings []string) {
	to.SetTraceID(pcommon.TraceID(s.TraceID))
	to.SetSpanID(pcommon.SpanID(s.SpanID))
	to.SetParentSpanID(pcommon.SpanID(s.ParentID))
	to.TraceState().FromRaw(s.TraceState)
	to.SetName(s.Name)
	to.SetKind(ptrace.SpanKind(s.Kind))
	to.SetStartTimestamp(pcommon.Timestamp(s.Start))
	to.SetEndTimestamp(pcommon.Timestamp(s.End()))
	to.Status().SetCode(ptrace.StatusCode(s.Status))
	to.Status().SetMessage(s.StatusMessage)
	for _, a := range s.Attrs {
		put(to.Attributes(), a.Key, a.Value)
	}
	if len(warnings) > 0 {
		list := to.Attributes().PutEmptySlice("@jaeger@warnings")
		for _, w := range warnings {
			list.AppendEmpty().SetStr(w)
		}
	}
	for _, e := range s.Events {
		event := to.Events().AppendEmpty()
		event.SetTimestamp(pcommon.Timestamp(e.Time))
		event.SetName(e.Name)
		for _, a := range e.Attrs {
			put(event.Attributes(), a.Key, a.Value)
		}
	}
	for _, l := range s.Links {
		link := to.Links().AppendEmpty()
		link.SetTraceID(pcommon.TraceID(l.TraceID))
		link.SetSpanID(pcommon.SpanID(l.SpanID))
		for _, a := range l.Attrs {
			put(link.Attributes(), a.Key, a.Value)
		}
	}
}

// put sets an attribute; of a key that stands twice the last counts.
func put(to pcommon.Map, key string, v model.Value) {
	switch v.Kind() {
	case model.KindInt:
		to.PutInt(key, v.Int())
	case model.KindFloat:
		to.PutDouble(key, v.Float())
	case model.KindBool:
		to.PutBool(key, v.Bool())
	case model.KindJSON:
		putJSON(to.PutEmpty(key), v)
	default:
		to.PutStr(key, v.Str())
	}
}

// putJSON gives arrays, maps and bytes back their form.
func putJSON(to pcommon.Value, v model.Value) {
	if b, ok := binaryOf(v); ok {
		to.SetEmptyBytes().FromRaw(b)
		return
	}
	var raw any
	dec := json.NewDecoder(strings.NewReader(v.Str()))
	dec.UseNumber()
	if dec.Decode(&raw) != nil || to.FromRaw(plain(raw)) != nil {
		to.SetStr(v.Str())
	}
}

// plain replaces JSON's numbers by integers and floats; those that are neither stay text.
func plain(raw any) any {
	switch v := raw.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		if f, err := v.Float64(); err == nil && strings.ContainsAny(v.String(), ".eE") {
			return f
		}
		return v.String()
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = plain(v[k])
		}
	}
	return raw
}

// binaryOf is the value of an attribute of bytes: base 64 in a JSON string.
func binaryOf(v model.Value) ([]byte, bool) {
	var text string
	if v.Kind() != model.KindJSON || !strings.HasPrefix(v.Str(), `"`) || json.Unmarshal([]byte(v.Str()), &text) != nil {
		return nil, false
	}
	b, err := base64.StdEncoding.DecodeString(text)
	return b, err == nil
}
