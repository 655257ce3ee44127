package otlp

import (
	"context"
	"fmt"
	"hash/maphash"
	"strings"
	"time"

	"github.com/prometheus/prometheus/storage"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/ingest/otlp/common"
	"github.com/signalbox-project/signalbox/internal/ingest/otlp/logs"
	"github.com/signalbox-project/signalbox/internal/ingest/otlp/metrics"
	"github.com/signalbox-project/signalbox/internal/ingest/otlp/repeats"
	"github.com/signalbox-project/signalbox/internal/ingest/otlp/spans"
	"github.com/signalbox-project/signalbox/internal/ingest/otlp/wire"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/stream"
)

// Reasons for which records are not stored.
const (
	reasonRepeat = "repeated_batch"
	reasonSpan   = "repeated_span"
	reasonID     = "bad_id"
)

const idMessage = "the trace, span or parent id of a span has a wrong length: they are 16, 8 and 8 bytes, in JSON 32, 16 and 16 hex digits"

// intake does what both protocols share: from a request's bytes to its answer.
type intake struct {
	sink       stream.Sink
	admit      stream.Admitter
	appendable storage.AppendableV2
	ledger     stream.Counter // never nil
	counted    bool           // the appendable writes to the ledger what reaches it
	own        *instruments
	now        func() time.Time
	wire       *wire.Reader
	translator *metrics.Translator
	seed       maphash.Seed
	spans      *repeats.Spans           // that were stored
	batches    *repeats.Batches[answer] // of logs that were stored
}

// request is one Export call.
type request struct {
	signal   string
	protocol string        // grpc or http
	tenant   string        // of the header; "" when there was none
	from     common.Sender // set by export
	json     bool
	body     []byte
}

// answer is a response message of any signal.
type answer interface {
	MarshalProto() ([]byte, error)
	MarshalJSON() ([]byte, error)
}

// nothing is the answer when all was taken: the specification wants partial_success
// left out then.
type nothing struct{}

func (nothing) MarshalProto() ([]byte, error) { return nil, nil }

func (nothing) MarshalJSON() ([]byte, error) { return []byte("{}"), nil }

// export takes a request. The error is a *failure, or one of the store's.
func (in *intake) export(ctx context.Context, r request) (answer, error) {
	if err := common.CheckTenant(r.tenant); r.tenant != "" && err != nil {
		return nil, malformed("%s", err)
	}
	r.from = common.Sender{Tenant: r.tenant, Scope: access.ScopeOf(ctx)}
	switch r.signal {
	case stream.SignalSpans:
		return in.traces(ctx, r)
	case stream.SignalLogs:
		return in.logs(ctx, r)
	}
	return in.metrics(ctx, r)
}

func (in *intake) traces(ctx context.Context, r request) (answer, error) {
	m, err := in.wire.Traces(r.body, r.json)
	if err != nil {
		return nil, undecodable(err)
	}
	in.own.badIDs.Add(float64(m.IDs))
	batch := spans.Of(m.Traces, m.Hashes, r.from)
	batch.Refused = common.Refuse(batch.Refused, reasonID, idMessage, m.NoSpans)
	received := len(batch.Spans) + common.RefusedCount(batch.Refused)
	in.own.negative.Add(float64(batch.Negative))
	kept, refused, err := in.storeSpans(ctx, r, &batch)
	refused = append(batch.Refused, refused...)
	repeated := common.Refuse(nil, reasonSpan, "", received-kept-common.RefusedCount(refused))
	in.account(r, received, kept, append(repeated, refused...), err)
	if err != nil {
		return nil, err
	}
	out := ptraceotlp.NewExportResponse()
	n := common.RefusedCount(refused)
	switch warning := passedOver("spans", received, m.Unknown); {
	case warning != "":
		out.PartialSuccess().SetErrorMessage(warning)
		return out, nil
	case n == 0:
		return nothing{}, nil
	}
	out.PartialSuccess().SetRejectedSpans(int64(n))
	out.PartialSuccess().SetErrorMessage(explain("spans", received, refused))
	return out, nil
}

// storeSpans stores the spans that were not stored a short while ago. kept counts them also where
// storing failed.
func (in *intake) storeSpans(ctx context.Context, r request, b *spans.Batch) (kept int, refused []stream.Refusal, err error) {
	sender := maphash.String(in.seed, r.from.Key())
	for i := range b.Hashes {
		b.Hashes[i] ^= sender
	}
	claim, err := in.spans.Begin(ctx, b.Hashes)
	if err != nil {
		return len(b.Spans), nil, err
	}
	list, ids := b.Spans[:0], make([]spanID, 0, len(claim.New))
	for _, i := range claim.New {
		list = append(list, b.Spans[i])
		ids = append(ids, idOf(&b.Spans[i]))
	}
	list, refused = in.admit.AdmitSpans(list)
	next := 0 // of the admitted, which are in order
	defer func() {
		in.spans.End(claim, func(i int) bool {
			if err != nil || next == len(list) || ids[i] != idOf(&list[next]) {
				return false
			}
			next++
			return true
		})
	}()
	if len(list) > 0 {
		err = in.sink.Spans(ctx, list)
	}
	return len(list), refused, err
}

// spanID is what admission leaves as it is. Client and server may share the ids.
type spanID struct {
	trace model.TraceID
	span  model.SpanID
	start int64
	kind  model.SpanKind
}

func idOf(s *model.Span) spanID { return spanID{s.TraceID, s.SpanID, s.Start, s.Kind} }

func (in *intake) logs(ctx context.Context, r request) (answer, error) {
	m, left, err := in.wire.Logs(r.body, r.json)
	if err != nil {
		return nil, undecodable(err)
	}
	in.own.badIDs.Add(float64(left.IDs))
	batch := logs.Of(m, r.from, in.now())
	if warning := passedOver("log records", len(batch.Records)+common.RefusedCount(batch.Refused), left.Unknown); warning != "" {
		out := plogotlp.NewExportResponse()
		out.PartialSuccess().SetErrorMessage(warning)
		return out, nil
	}
	if !batch.Timed { // the same bytes may be another event
		resp, _, err := in.storeLogs(ctx, r, &batch)
		return resp, err
	}
	key := in.batchKey(r)
	had, known, err := in.batches.Begin(ctx, key)
	if err != nil {
		return nil, err
	}
	if known {
		received := len(batch.Records) + common.RefusedCount(batch.Refused)
		in.account(r, received, 0, []stream.Refusal{{Reason: reasonRepeat, Count: received}}, nil)
		return had, nil
	}
	resp, stored, err := in.storeLogs(ctx, r, &batch)
	in.batches.End(key, resp, stored > 0) // one of which nothing was stored is tried anew
	return resp, err
}

func (in *intake) storeLogs(ctx context.Context, r request, batch *logs.Batch) (resp answer, stored int, err error) {
	for form, n := range batch.Forms {
		in.own.bodies.WithLabelValues(logs.Form(form).String()).Add(float64(n)) //nolint:gosec // a handful
	}
	received := len(batch.Records) + common.RefusedCount(batch.Refused)
	kept, refused := in.admit.AdmitLogs(batch.Records)
	refused = append(batch.Refused, refused...)
	if len(kept) > 0 {
		err = in.sink.Logs(ctx, kept)
	}
	in.account(r, received, len(kept), refused, err)
	if err != nil {
		return nil, 0, err
	}
	n := common.RefusedCount(refused)
	if n == 0 {
		return nothing{}, len(kept), nil
	}
	out := plogotlp.NewExportResponse()
	out.PartialSuccess().SetRejectedLogRecords(int64(n))
	out.PartialSuccess().SetErrorMessage(explain("log records", received, refused))
	return out, len(kept), nil
}

// batchKey is one batch of one sender.
func (in *intake) batchKey(r request) uint64 {
	var h maphash.Hash
	h.SetSeed(in.seed)
	_, _ = h.WriteString(r.from.Key())
	_ = h.WriteByte(0)
	_, _ = h.Write(r.body)
	return h.Sum64()
}

func (in *intake) metrics(ctx context.Context, r request) (answer, error) {
	md, left, err := in.wire.Metrics(r.body, r.json)
	if err != nil {
		return nil, undecodable(err)
	}
	in.own.badIDs.Add(float64(left.IDs))
	res, err := in.translator.Translate(ctx, in.appendable.AppenderV2(ctx), md, r.from)
	if in.counted {
		in.account(r, common.RefusedCount(res.Early), 0, res.Early, nil)
	} else {
		bySample := append(append([]stream.Refusal(nil), res.Early...), res.Samples...)
		in.account(r, res.Taken+common.RefusedCount(bySample), res.Taken, bySample, err)
	}
	in.own.exemplars.Add(float64(res.Exemplars))
	if err != nil {
		return nil, err
	}
	if res.Crowded != nil { // what was stored may come again with the rest
		return nil, overloaded(res.Crowded.Error())
	}
	resp := pmetricotlp.NewExportResponse()
	if n := common.RefusedCount(res.Refused); n > 0 {
		resp.PartialSuccess().SetRejectedDataPoints(int64(n))
		resp.PartialSuccess().SetErrorMessage(explain("data points", res.Points, res.Refused))
		return resp, nil
	}
	if warning := passedOver("data points", res.Points, left.Unknown); warning != "" {
		res.Warning = warning
	}
	if res.Warning != "" {
		resp.PartialSuccess().SetErrorMessage(res.Warning) // taken whole, with a warning
		return resp, nil
	}
	return nothing{}, nil
}

// account writes what became of a request's records to the ledger, all at once.
func (in *intake) account(r request, received, kept int, refused []stream.Refusal, err error) {
	if received == 0 {
		return
	}
	in.ledger.Received(r.signal, "otlp_"+r.protocol, received)
	for _, f := range refused {
		in.ledger.Refused(r.signal, f.Reason, f.Count)
	}
	if err != nil {
		in.ledger.Refused(r.signal, asFailure(err).reason, kept)
		return
	}
	in.ledger.Stored(r.signal, kept)
}

// maxReasons bounds how many reasons a partial success names.
const maxReasons = 3

// explain is the message of a partial success: how many, and the first reasons.
func explain(what string, received int, refused []stream.Refusal) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d of %d %s were refused", common.RefusedCount(refused), received, what)
	for i, f := range refused {
		if i == maxReasons {
			fmt.Fprintf(&b, "; and %d more reasons", len(refused)-maxReasons)
			break
		}
		sep := "; "
		if i == 0 {
			sep = ": "
		}
		fmt.Fprintf(&b, "%s%s (%d): %s", sep, f.Reason, f.Count, f.Message)
	}
	return strings.ToValidUTF8(b.String(), "\uFFFD")
}

// passedOver is a warning where nothing was found in a request because it is
// another signal's, or of a time before OTLP had its names.
func passedOver(what string, received int, unknown string) string {
	if received > 0 || unknown == "" {
		return ""
	}
	return fmt.Sprintf("the request holds no %s: its field %q is not known here", what, unknown)
}

// noLedger is used where nobody keeps one.
type noLedger struct{}

func (noLedger) Received(string, string, int) {}
func (noLedger) Stored(string, int)           {}
func (noLedger) Refused(string, string, int)  {}
