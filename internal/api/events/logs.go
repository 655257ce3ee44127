package events

import (
	"context"
	"iter"
	"strconv"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/api/operation"
	"github.com/signalbox-project/signalbox/internal/front"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/query/search"
	"github.com/signalbox-project/signalbox/internal/store"
)

// LogsResponse is a page of log records.
type LogsResponse struct {
	Logs      []model.LogRecord `json:"logs"`
	Truncated bool              `json:"truncated" doc:"there are more than limit"`
	Hints     []string          `json:"hints,omitempty" doc:"why nothing was found: fields that nothing in range has, values that a field never has"`
	TookMS    float64           `json:"took_ms"`
}

// HistogramResponse counts over time.
type HistogramResponse struct {
	Start       time.Time          `json:"start" doc:"start of the first bucket"`
	StepSeconds float64            `json:"step_seconds"`
	Series      []HistogramCounted `json:"series"`
	TookMS      float64            `json:"took_ms"`
}

// HistogramCounted is one value's counts; every series has the same length.
type HistogramCounted struct {
	Value  string   `json:"value"`
	Counts []uint64 `json:"counts"`
}

// FieldsResponse lists field names.
type FieldsResponse struct {
	Fields []string `json:"fields" doc:"identity fields first, then attributes by frequency"`
}

// ValuesResponse lists a field's values.
type ValuesResponse struct {
	Values []store.ValueCount `json:"values" doc:"most frequent first"`
}

// FilterInput is embedded where a filter is taken.
type FilterInput struct {
	Q string `query:"q" maxLength:"16384" doc:"filter, for example: service:edge level:error \"connection reset\"" example:"service:edge status:error"`
}

type logsInput struct {
	operation.TenantInput
	operation.RangeInput
	FilterInput
	Limit int    `query:"limit" default:"100" minimum:"1" maximum:"10000"`
	Order string `query:"order" default:"newest" enum:"newest,oldest"`
}

type histogramInput struct {
	operation.TenantInput
	operation.RangeInput
	FilterInput
	Step  string `query:"step" maxLength:"32" doc:"bucket width, for example 30s or 5m; by default about 60 buckets"`
	Field string `query:"field" maxLength:"256" doc:"one series per value of this field"`
}

type fieldsInput struct {
	operation.TenantInput
	operation.RangeInput
	FilterInput
	Limit int `query:"limit" default:"500" minimum:"1" maximum:"5000"`
}

type valuesInput struct {
	operation.TenantInput
	operation.RangeInput
	FilterInput
	Field string `query:"field" required:"true" maxLength:"256"`
	Limit int    `query:"limit" default:"10" minimum:"1" maximum:"1000"`
}

func (h *handlers) registerLogs() {
	op := func(id, path, summary string) operation.Operation {
		return operation.Operation{ID: id, Path: path, Tag: "logs", Permission: access.LogsRead, Work: front.Question, Summary: summary, Served: h.deps.Logs != nil && h.deps.Filter != nil, Room: "logs"}
	}
	operation.Register(h.Registry, op("searchLogs", "/logs", "Search log records"), h.searchLogs)
	operation.Register(h.Registry, op("logHistogram", "/logs/histogram", "Count log records over time"), h.logHistogram)
	operation.Register(h.Registry, op("logFields", "/logs/fields", "List the fields of log records"), h.logFields)
	operation.Register(h.Registry, op("logValues", "/logs/values", "Count the values of a field"), h.logValues)
	h.registerTail()
}

// logQuery is what all log operations share.
func (h *handlers) logQuery(t operation.TenantInput, r operation.RangeInput, f FilterInput) (store.LogQuery, error) {
	rng, err := h.TimeRange(r)
	if err != nil {
		return store.LogQuery{}, err
	}
	expr, err := h.parseFilter(f.Q)
	if err != nil {
		return store.LogQuery{}, err
	}
	return store.LogQuery{Tenant: t.Tenant, Range: rng, Expr: expr}, nil
}

func (h *handlers) searchLogs(ctx context.Context, in *logsInput) (LogsResponse, error) {
	began := time.Now()
	q, err := h.logQuery(in.TenantInput, in.RangeInput, in.FilterInput)
	if err != nil {
		return LogsResponse{}, err
	}
	q.Limit, q.Oldest = in.Limit+1, in.Order == "oldest"
	records, truncated, err := take(h.deps.Logs.Logs(ctx, q), in.Limit)
	out := LogsResponse{Logs: records, Truncated: truncated}
	access.Note(ctx, access.NoteRows, strconv.Itoa(len(records)))
	if err == nil && len(records) == 0 {
		out.Hints, err = hints(q.Expr, store.LogFieldNames(), func() ([]string, error) {
			return h.deps.Logs.LogFields(ctx, store.LogQuery{Tenant: q.Tenant, Range: q.Range}, maxHintFields)
		})
	}
	out.TookMS = millis(began)
	return out, err
}

// maxHintFields is how many fields are looked through for one that was meant.
const maxHintFields = 2000

// hints says why a filter found nothing; seen lists the fields of what is there.
func hints(e store.Expr, own []string, seen func() ([]string, error)) ([]string, error) {
	if e == nil {
		return nil, nil
	}
	fields, err := seen()
	if err != nil {
		return nil, err
	}
	if len(fields) >= maxHintFields {
		fields = nil // where not all is known, nothing can be said of fields
	}
	return search.Hints(e, search.Fields{Own: own, Seen: fields}), nil
}

func (h *handlers) logHistogram(ctx context.Context, in *histogramInput) (HistogramResponse, error) {
	began := time.Now()
	q, err := h.logQuery(in.TenantInput, in.RangeInput, in.FilterInput)
	if err != nil {
		return HistogramResponse{}, err
	}
	step, err := operation.ParseStep(in.Step, time.Duration(q.Range.End-q.Range.Start))
	if err != nil {
		return HistogramResponse{}, err
	}
	field := in.Field
	if field == "" {
		field = "level"
	}
	counts, err := h.deps.Logs.LogHistogram(ctx, q, step, field)
	return histogramOf(counts, began), err
}

func (h *handlers) logFields(ctx context.Context, in *fieldsInput) (FieldsResponse, error) {
	q, err := h.logQuery(in.TenantInput, in.RangeInput, in.FilterInput)
	if err != nil {
		return FieldsResponse{}, err
	}
	fields, err := h.deps.Logs.LogFields(ctx, q, in.Limit)
	return FieldsResponse{Fields: fields}, err
}

func (h *handlers) logValues(ctx context.Context, in *valuesInput) (ValuesResponse, error) {
	q, err := h.logQuery(in.TenantInput, in.RangeInput, in.FilterInput)
	if err != nil {
		return ValuesResponse{}, err
	}
	values, err := h.deps.Logs.LogValues(ctx, q, in.Field, in.Limit)
	return ValuesResponse{Values: values}, err
}

// parseFilter parses a filter and gives its errors the code bad_filter.
func (h *handlers) parseFilter(q string) (store.Expr, error) {
	expr, err := h.deps.Filter.ParseFilter(q)
	if err != nil {
		return nil, operation.BadText(operation.CodeBadFilter, err)
	}
	return expr, nil
}

// take collects at most limit items and says whether there was one more.
func take[T any](items iter.Seq2[T, error], limit int) (list []T, truncated bool, err error) {
	for item, err := range items {
		if err != nil {
			return nil, false, err
		}
		if len(list) == limit {
			return list, true, nil
		}
		list = append(list, item)
	}
	return list, false, nil
}

func histogramOf(h store.Histogram, began time.Time) HistogramResponse {
	out := HistogramResponse{
		Start:       time.Unix(0, h.Start).UTC(),
		StepSeconds: time.Duration(h.Step).Seconds(),
		TookMS:      millis(began),
	}
	for _, s := range h.Series {
		out.Series = append(out.Series, HistogramCounted(s))
	}
	return out
}

func millis(since time.Time) float64 {
	return float64(time.Since(since).Microseconds()) / 1000
}
