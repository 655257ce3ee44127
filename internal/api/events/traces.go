package events

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/api/operation"
	"github.com/signalbox-project/signalbox/internal/front"
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
	Tenant        string               `json:"tenant,omitempty" doc:"whose it is, in a list of several tenants"`
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
	operation.TenantInput
	operation.RangeInput
	FilterInput
	Limit int    `query:"limit" default:"20" minimum:"1" maximum:"1000"`
	Order string `query:"order" default:"newest" enum:"newest,slowest"`
}

type traceInput struct {
	operation.TenantInput
	ID string `path:"id" maxLength:"36" doc:"32 hex digits" example:"4bf92f3577b34da6a3ce929d0e0e4736"`
	// Without a range the whole store is searched.
	Start string `query:"start" maxLength:"64" doc:"where to look, if known"`
	End   string `query:"end" maxLength:"64"`
}

func (h *handlers) registerTraces() {
	op := func(id, path, summary string) operation.Operation {
		return operation.Operation{ID: id, Path: path, Tag: "traces", Permission: access.TracesRead, Work: front.Question, Summary: summary, Served: h.deps.Spans != nil && h.deps.Filter != nil, Room: "traces"}
	}
	operation.Register(h.Registry, op("searchTraces", "/traces", "Search traces"), h.searchTraces)
	operation.Register(h.Registry, op("spanHistogram", "/traces/histogram", "Count spans over time"), h.spanHistogram)
	operation.Register(h.Registry, op("spanFields", "/traces/fields", "List the fields of spans"), h.spanFields)
	operation.Register(h.Registry, op("spanValues", "/traces/values", "Count the values of a field"), h.spanValues)
	operation.Register(h.Registry, op("getTrace", "/traces/{id}", "One trace, all its spans"), h.getTrace)
}

func (h *handlers) traceQuery(t operation.TenantInput, r operation.RangeInput, f FilterInput) (store.TraceQuery, error) {
	rng, err := h.TimeRange(r)
	if err != nil {
		return store.TraceQuery{}, err
	}
	expr, err := h.parseFilter(f.Q)
	if err != nil {
		return store.TraceQuery{}, err
	}
	return store.TraceQuery{Tenant: t.Tenant, Range: rng, Expr: expr}, nil
}

func (h *handlers) searchTraces(ctx context.Context, in *tracesInput) (TracesResponse, error) {
	began := time.Now()
	q, err := h.traceQuery(in.TenantInput, in.RangeInput, in.FilterInput)
	if err != nil {
		return TracesResponse{}, err
	}
	q.Limit, q.Slowest = in.Limit+1, in.Order == "slowest"
	found, err := h.deps.Spans.Traces(ctx, q)
	if err != nil {
		return TracesResponse{}, err
	}
	out := TracesResponse{Truncated: len(found) > in.Limit}
	access.Note(ctx, access.NoteRows, strconv.Itoa(min(len(found), in.Limit))+" traces")
	for _, s := range found[:min(len(found), in.Limit)] {
		out.Traces = append(out.Traces, TraceItem{
			TraceID: s.TraceID, Tenant: s.Tenant, RootService: s.RootService, RootName: s.RootName,
			Start: time.Unix(0, s.Start).UTC(), StartUnixNano: strconv.FormatInt(s.Start, 10), DurationNS: s.Duration,
			Spans: s.Spans, Errors: s.Errors, Services: s.Services,
		})
	}
	if len(found) == 0 {
		out.Hints, err = hints(q.Expr, store.SpanFieldNames(), func() ([]string, error) {
			return h.deps.Spans.SpanFields(ctx, store.TraceQuery{Tenant: q.Tenant, Range: q.Range}, maxHintFields)
		})
	}
	out.TookMS = millis(began)
	return out, err
}

func (h *handlers) getTrace(ctx context.Context, in *traceInput) (Trace, error) {
	id, err := model.ParseTraceID(in.ID)
	if err != nil {
		return Trace{}, operation.BadRequest("trace %v", err)
	}
	if id.IsZero() {
		return Trace{}, operation.BadRequest("trace id: all zeros names no trace")
	}
	var hint store.Range
	if in.Start != "" || in.End != "" {
		if hint, err = h.TimeRange(operation.RangeInput{Start: in.Start, End: in.End}); err != nil {
			return Trace{}, err
		}
	}
	spans, err := h.deps.Spans.Trace(ctx, in.Tenant, id, hint)
	access.Note(ctx, access.NoteRows, strconv.Itoa(len(spans))+" spans")
	if err != nil {
		return Trace{}, err
	}
	return h.traceOf(id, spans), nil
}

func (h *handlers) traceOf(id model.TraceID, spans []model.Span) Trace {
	out := Trace{TraceID: id, Spans: spans, Services: countServices(spans)}
	if len(spans) == 0 {
		return out
	}
	start, end := spans[0].Start, spans[0].End()
	for i := range spans {
		start, end = min(start, spans[i].Start), max(end, spans[i].End())
	}
	out.Start, out.DurationNS = time.Unix(0, start).UTC(), end-start
	if h.deps.Traces != nil {
		out.Summary = h.deps.Traces.ExplainTrace(spans)
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

func (h *handlers) spanHistogram(ctx context.Context, in *histogramInput) (HistogramResponse, error) {
	began := time.Now()
	q, err := h.traceQuery(in.TenantInput, in.RangeInput, in.FilterInput)
	if err != nil {
		return HistogramResponse{}, err
	}
	step, err := operation.ParseStep(in.Step, time.Duration(q.Range.End-q.Range.Start))
	if err != nil {
		return HistogramResponse{}, err
	}
	field := in.Field
	if field == "" {
		field = "status"
	}
	counts, err := h.deps.Spans.SpanHistogram(ctx, q, step, field)
	return histogramOf(counts, began), err
}

func (h *handlers) spanFields(ctx context.Context, in *fieldsInput) (FieldsResponse, error) {
	q, err := h.traceQuery(in.TenantInput, in.RangeInput, in.FilterInput)
	if err != nil {
		return FieldsResponse{}, err
	}
	fields, err := h.deps.Spans.SpanFields(ctx, q, in.Limit)
	return FieldsResponse{Fields: fields}, err
}

func (h *handlers) spanValues(ctx context.Context, in *valuesInput) (ValuesResponse, error) {
	q, err := h.traceQuery(in.TenantInput, in.RangeInput, in.FilterInput)
	if err != nil {
		return ValuesResponse{}, err
	}
	values, err := h.deps.Spans.SpanValues(ctx, q, in.Field, in.Limit)
	return ValuesResponse{Values: values}, err
}
