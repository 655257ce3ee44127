package api

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// TracesResponse is a list of traces.
type TracesResponse struct {
	Traces    []TraceItem `json:"traces"`
	Truncated bool        `json:"truncated" doc:"there are more than limit"`
	Hints     []string    `json:"hints,omitempty" doc:"why nothing was found: fields that nothing in range has, values that a field never has"`
	TookMS    float64     `json:"took_ms"`
}

// TraceItem is one trace in a list.
type TraceItem struct {
	TraceID       model.TraceID        `json:"trace_id"`
	RootService   string               `json:"root_service"`
	RootName      string               `json:"root_name"`
	Start         time.Time            `json:"start"`
	StartUnixNano string               `json:"start_unix_nano" doc:"exact; a string, because JavaScript's numbers are not"`
	DurationNS    int64                `json:"duration_ns"`
	Spans         int                  `json:"spans"`
	Errors        int                  `json:"errors"`
	Services      []store.ServiceCount `json:"services" doc:"by number of spans"`
}

// Trace is one trace, whole.
type Trace struct {
	TraceID    model.TraceID        `json:"trace_id"`
	Start      time.Time            `json:"start"`
	DurationNS int64                `json:"duration_ns"`
	Summary    string               `json:"summary" doc:"where the time went, in one sentence"`
	Services   []store.ServiceCount `json:"services" doc:"by number of spans"`
	Spans      []model.Span         `json:"spans" doc:"ordered by start"`
}

type tracesInput struct {
	TenantInput
	RangeInput
	FilterInput
	Limit int    `query:"limit" default:"20" minimum:"1" maximum:"1000"`
	Order string `query:"order" default:"newest" enum:"newest,slowest"`
}

type traceInput struct {
	TenantInput
	ID string `path:"id" maxLength:"36" doc:"32 hex digits" example:"4bf92f3577b34da6a3ce929d0e0e4736"`
	// Without a range the whole store is searched.
	Start string `query:"start" maxLength:"64" doc:"where to look, if known"`
	End   string `query:"end" maxLength:"64"`
}

func (a *API) registerTraces() {
	op := func(id, path, summary string) operation {
		return operation{id: id, path: path, tag: "traces", summary: summary, served: a.deps.Spans != nil && a.deps.Filter != nil, room: "traces"}
	}
	register(a, op("searchTraces", "/traces", "Search traces"), a.searchTraces)
	register(a, op("spanHistogram", "/traces/histogram", "Count spans over time"), a.spanHistogram)
	register(a, op("spanFields", "/traces/fields", "List the fields of spans"), a.spanFields)
	register(a, op("spanValues", "/traces/values", "Count the values of a field"), a.spanValues)
	register(a, op("getTrace", "/traces/{id}", "One trace, all its spans"), a.getTrace)
}

func (a *API) traceQuery(t TenantInput, r RangeInput, f FilterInput) (store.TraceQuery, error) {
	rng, err := a.timeRange(r)
	if err != nil {
		return store.TraceQuery{}, err
	}
	expr, err := a.parseFilter(f.Q)
	if err != nil {
		return store.TraceQuery{}, err
	}
	return store.TraceQuery{Tenant: t.Tenant, Range: rng, Expr: expr}, nil
}

func (a *API) searchTraces(ctx context.Context, in *tracesInput) (TracesResponse, error) {
	began := time.Now()
	q, err := a.traceQuery(in.TenantInput, in.RangeInput, in.FilterInput)
	if err != nil {
		return TracesResponse{}, err
	}
	q.Limit, q.Slowest = in.Limit+1, in.Order == "slowest"
	found, err := a.deps.Spans.Traces(ctx, q)
	if err != nil {
		return TracesResponse{}, err
	}
	out := TracesResponse{Truncated: len(found) > in.Limit}
	for _, s := range found[:min(len(found), in.Limit)] {
		out.Traces = append(out.Traces, TraceItem{
			TraceID: s.TraceID, RootService: s.RootService, RootName: s.RootName,
			Start: time.Unix(0, s.Start).UTC(), StartUnixNano: strconv.FormatInt(s.Start, 10), DurationNS: s.Duration,
			Spans: s.Spans, Errors: s.Errors, Services: s.Services,
		})
	}
	if len(found) == 0 {
		out.Hints, err = hints(q.Expr, store.SpanFieldNames(), func() ([]string, error) {
			return a.deps.Spans.SpanFields(ctx, store.TraceQuery{Tenant: q.Tenant, Range: q.Range}, maxHintFields)
		})
	}
	out.TookMS = millis(began)
	return out, err
}

func (a *API) getTrace(ctx context.Context, in *traceInput) (Trace, error) {
	id, err := model.ParseTraceID(in.ID)
	if err != nil {
		return Trace{}, badRequest("trace %v", err)
	}
	if id.IsZero() {
		return Trace{}, badRequest("trace id: all zeros names no trace")
	}
	var hint store.Range
	if in.Start != "" || in.End != "" {
		if hint, err = a.timeRange(RangeInput{in.Start, in.End}); err != nil {
			return Trace{}, err
		}
	}
	spans, err := a.deps.Spans.Trace(ctx, in.Tenant, id, hint)
	if err != nil {
		return Trace{}, err
	}
	return a.traceOf(id, spans), nil
}

func (a *API) traceOf(id model.TraceID, spans []model.Span) Trace {
	out := Trace{TraceID: id, Spans: spans, Services: countServices(spans)}
	if len(spans) == 0 {
		return out
	}
	start, end := spans[0].Start, spans[0].End()
	for i := range spans {
		start, end = min(start, spans[i].Start), max(end, spans[i].End())
	}
	out.Start, out.DurationNS = time.Unix(0, start).UTC(), end-start
	if a.deps.Traces != nil {
		out.Summary = a.deps.Traces.ExplainTrace(spans)
	}
	return out
}

// countServices counts spans by service, most first.
func countServices(spans []model.Span) []store.ServiceCount {
	var out []store.ServiceCount
	at := map[string]int{}
	for i := range spans {
		name := spans[i].Resource.Service
		k, ok := at[name]
		if !ok {
			k = len(out)
			at[name] = k
			out = append(out, store.ServiceCount{Service: name})
		}
		out[k].Spans++
		if spans[i].Status == model.StatusError {
			out[k].Errors++
		}
	}
	slices.SortStableFunc(out, func(x, y store.ServiceCount) int {
		if x.Spans != y.Spans {
			return y.Spans - x.Spans
		}
		return strings.Compare(x.Service, y.Service)
	})
	return out
}

func (a *API) spanHistogram(ctx context.Context, in *histogramInput) (HistogramResponse, error) {
	began := time.Now()
	q, err := a.traceQuery(in.TenantInput, in.RangeInput, in.FilterInput)
	if err != nil {
		return HistogramResponse{}, err
	}
	step, err := parseStep(in.Step, time.Duration(q.Range.End-q.Range.Start))
	if err != nil {
		return HistogramResponse{}, err
	}
	field := in.Field
	if field == "" {
		field = "status"
	}
	h, err := a.deps.Spans.SpanHistogram(ctx, q, step, field)
	return histogramOf(h, began), err
}

func (a *API) spanFields(ctx context.Context, in *fieldsInput) (FieldsResponse, error) {
	q, err := a.traceQuery(in.TenantInput, in.RangeInput, in.FilterInput)
	if err != nil {
		return FieldsResponse{}, err
	}
	fields, err := a.deps.Spans.SpanFields(ctx, q, in.Limit)
	return FieldsResponse{Fields: fields}, err
}

func (a *API) spanValues(ctx context.Context, in *valuesInput) (ValuesResponse, error) {
	q, err := a.traceQuery(in.TenantInput, in.RangeInput, in.FilterInput)
	if err != nil {
		return ValuesResponse{}, err
	}
	values, err := a.deps.Spans.SpanValues(ctx, q, in.Field, in.Limit)
	return ValuesResponse{Values: values}, err
}
