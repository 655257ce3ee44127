package jaeger

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

const (
	defaultLimit = 20
	// maxLimit is the most that Jaeger's UI offers; larger limits are taken for it.
	maxLimit    = 1500
	maxTraceIDs = 100
	// maxMillis and maxMicros lie in the year 2200: what fits into Unix ns.
	maxMillis = 7_258_118_400_000
	maxMicros = maxMillis * 1000
)

// traces answers a search, or the traces of the ids given as traceID.
func (h *handler) traces(r *http.Request) (any, int, error) {
	if err := r.ParseForm(); err != nil {
		return nil, 0, paramError("parameters: " + err.Error())
	}
	list := []trace{}
	if h.deps.Spans == nil {
		return list, 0, nil
	}
	if ids := r.Form["traceID"]; len(ids) > 0 {
		return h.tracesByID(r, ids)
	}
	q, err := searchQuery(r.Form, tenantOf(r), h.deps.Now())
	if err != nil {
		return nil, 0, err
	}
	found, err := h.search(r, q)
	if err != nil {
		return nil, 0, err
	}
	for _, spans := range found {
		list = append(list, traceOf(spans[0].TraceID, spans))
	}
	return list, len(list), nil
}

// search lists the spans of the traces found.
func (h *handler) search(r *http.Request, q store.TraceQuery) ([][]model.Span, error) {
	if h.deps.Spans == nil {
		return nil, nil
	}
	found, err := h.deps.Spans.Traces(r.Context(), q)
	var limit interface{ Largest() int }
	if errors.As(err, &limit) && limit.Largest() < q.Limit {
		q.Limit = limit.Largest() // Jaeger's clients offer fixed limits: as many as may be had
		found, err = h.deps.Spans.Traces(r.Context(), q)
	}
	if err != nil {
		return nil, err
	}
	var list [][]model.Span
	for _, s := range found {
		spans, err := h.deps.Spans.Trace(r.Context(), q.Tenant, s.TraceID, store.Range{Start: s.Start, End: s.Start + s.Duration + 1})
		if errors.Is(err, store.ErrNotFound) || err == nil && len(spans) == 0 {
			continue // retention was quicker
		}
		if err != nil {
			return nil, err
		}
		list = append(list, spans)
	}
	return list, nil
}

func (h *handler) tracesByID(r *http.Request, ids []string) (any, int, error) {
	if len(ids) > maxTraceIDs {
		return nil, 0, paramError("at most " + strconv.Itoa(maxTraceIDs) + " traceID parameters are allowed")
	}
	list := []trace{}
	for _, text := range ids {
		t, err := h.byID(r, text)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, 0, err
		}
		list = append(list, t)
	}
	return list, len(list), nil
}

func (h *handler) trace(r *http.Request) (any, int, error) {
	t, err := h.byID(r, r.PathValue("id"))
	if err != nil {
		return nil, 0, err
	}
	return []trace{t}, 1, nil
}

func (h *handler) byID(r *http.Request, text string) (trace, error) {
	spans, err := h.spansOf(r, text)
	if err != nil {
		return trace{}, err
	}
	return traceOf(spans[0].TraceID, spans), nil
}

// spansOf are the spans of the trace with that id, at least one.
func (h *handler) spansOf(r *http.Request, text string) ([]model.Span, error) {
	id, err := model.ParseTraceID(text)
	if err != nil || id.IsZero() {
		return nil, paramError("malformed trace id " + strconv.Quote(text) + ": want up to 32 hex digits, not all 0")
	}
	if h.deps.Spans == nil {
		return nil, store.ErrNotFound
	}
	spans, err := h.deps.Spans.Trace(r.Context(), tenantOf(r), id, store.Range{})
	if err == nil && len(spans) == 0 {
		err = store.ErrNotFound
	}
	return spans, err
}

// searchQuery reads Jaeger's search parameters.
func searchQuery(form url.Values, tenant string, now time.Time) (store.TraceQuery, error) {
	q := store.TraceQuery{Tenant: tenant, Limit: defaultLimit}
	service := form.Get("service")
	if service == "" {
		return q, paramError("parameter 'service' is required")
	}
	exprs := []store.Expr{equals("service", service)}
	if op := form.Get("operation"); op != "" && op != "all" {
		exprs = append(exprs, equals("name", op))
	}
	tags, err := tagExprs(form)
	if err != nil {
		return q, err
	}
	exprs = append(exprs, tags...)
	for _, bound := range []struct {
		param string
		op    store.Op
	}{{"minDuration", store.OpGe}, {"maxDuration", store.OpLe}} {
		s := form.Get(bound.param)
		if s == "" {
			continue
		}
		d, err := time.ParseDuration(s)
		if err != nil || d < 0 {
			return q, paramError("unable to parse param '" + bound.param + "': want a duration such as 100ms or 1.2s, got " + strconv.Quote(s))
		}
		exprs = append(exprs, store.Compare{Field: "duration", Op: bound.op, Value: s, Num: float64(d), IsNum: true})
	}
	q.Expr = store.And{Exprs: exprs}
	if q.Range, err = searchRange(form, now); err != nil {
		return q, err
	}
	if s := form.Get("limit"); s != "" {
		n, err := strconv.Atoi(s)
		if (err != nil && !errors.Is(err, strconv.ErrRange)) || n < 1 {
			return q, paramError("unable to parse param 'limit': want a number from 1 on, got " + strconv.Quote(s))
		}
		q.Limit = min(n, maxLimit)
	}
	return q, nil
}

// searchRange is [start, end] in microseconds, or lookback before end or now.
func searchRange(form url.Values, now time.Time) (store.Range, error) {
	end := now
	if s := form.Get("end"); s != "" {
		us, err := microseconds("end", s)
		if err != nil {
			return store.Range{}, err
		}
		// The end is inclusive and names a whole microsecond.
		end = time.UnixMicro(us + 1)
	}
	lookback := time.Hour
	if s := form.Get("lookback"); s != "" && s != "custom" {
		d, err := parseLookback(s)
		if err != nil {
			return store.Range{}, err
		}
		lookback = d
	}
	start := end.Add(-lookback)
	if s := form.Get("start"); s != "" {
		us, err := microseconds("start", s)
		if err != nil {
			return store.Range{}, err
		}
		start = time.UnixMicro(us)
	}
	if !start.Before(end) {
		return store.Range{}, paramError("parameter 'start' must be before 'end'")
	}
	return store.RangeOf(start, end), nil
}

func microseconds(param, s string) (int64, error) {
	us, err := strconv.ParseInt(s, 10, 64)
	if err != nil || us < 0 || us > maxMicros {
		return 0, paramError("unable to parse param '" + param + "': want Unix microseconds, got " + strconv.Quote(s))
	}
	return us, nil
}

// parseLookback reads what Jaeger's UI sends: 1h, 2d, 1w.
func parseLookback(s string) (time.Duration, error) {
	unit := map[byte]time.Duration{'d': 24 * time.Hour, 'w': 7 * 24 * time.Hour}[s[len(s)-1]]
	if unit != 0 {
		if n, err := strconv.Atoi(s[:len(s)-1]); err == nil && n > 0 && n <= 3650 {
			return time.Duration(n) * unit, nil
		}
	} else if d, err := time.ParseDuration(s); err == nil && d > 0 {
		return d, nil
	}
	return 0, paramError("unable to parse param 'lookback': want a duration such as 1h or 2d, got " + strconv.Quote(s))
}

// tagExprs reads tags={"k":"v"} and tag=k:v.
func tagExprs(form url.Values) ([]store.Expr, error) {
	tags := map[string]string{}
	for _, s := range form["tag"] {
		key, value, ok := strings.Cut(s, ":")
		if !ok || key == "" {
			return nil, paramError("malformed 'tag' parameter, expecting key:value, received: " + s)
		}
		tags[key] = value
	}
	for _, s := range form["tags"] {
		if s == "" {
			continue
		}
		var values map[string]any
		if err := json.Unmarshal([]byte(s), &values); err != nil {
			return nil, paramError("malformed 'tags' parameter, cannot unmarshal JSON: " + err.Error())
		}
		for k, v := range values {
			text, ok := v.(string)
			if !ok {
				b, err := json.Marshal(v)
				if err != nil {
					return nil, paramError("malformed 'tags' parameter: " + err.Error())
				}
				text = string(b)
			}
			tags[k] = text
		}
	}
	keys := make([]string, 0, len(tags))
	for k := range tags {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	exprs := make([]store.Expr, 0, len(keys))
	for _, k := range keys {
		exprs = append(exprs, tagExpr(k, tags[k]))
	}
	return exprs, nil
}

// tagExpr maps the tags that Jaeger derives from a span's own fields back to
// those fields; every other tag is an attribute.
func tagExpr(key, value string) store.Expr {
	switch key {
	case "error":
		if value == "true" {
			return equals("status", "error")
		}
		if value == "false" {
			return store.Not{Expr: equals("status", "error")}
		}
	case "event":
		// The name of a log's event, which OpenTelemetry has as the event's name.
		return store.Or{Exprs: []store.Expr{equals(key, value), equals(store.EventName, value)}}
	case "otel.status_code":
		return equals("status", strings.ToLower(value))
	case "otel.status_description":
		return equals("status_message", value)
	case "span.kind":
		return equals("kind", strings.ToLower(value))
	case "otel.scope.name", "otel.library.name":
		return equals("scope", value)
	case "service.version":
		return equals("version", value)
	case "service.namespace":
		return equals("namespace", value)
	case "service.instance.id":
		return equals("instance", value)
	case "deployment.environment.name", "deployment.environment":
		return equals("env", value)
	case "cloud.region":
		return equals("region", value)
	}
	return equals(key, value)
}

// equals compares as a number where the value is one.
func equals(field, value string) store.Expr {
	c := store.Compare{Field: field, Op: store.OpEq, Value: value}
	if n, err := strconv.ParseFloat(value, 64); err == nil {
		c.Num, c.IsNum = n, true
	}
	return c
}
