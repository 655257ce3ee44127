package otlp

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/storage/remote/otlptranslator/prometheusremotewrite"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"github.com/signalbox-project/signalbox/internal/stream"
)

// intake does what both protocols share: from a request's bytes to its answer.
type intake struct {
	sink       stream.Sink
	admit      stream.Admitter
	appendable storage.AppendableV2
	ledger     stream.Counter // never nil
	counted    bool           // the appendable writes to the ledger what reaches it
	own        *instruments
	now        func() time.Time
	wire       *wireTable
	settings   prometheusremotewrite.Settings
	converters sync.Pool
	deltas     *deltaSums // nil: delta temporality is refused
	repeats    *repeats
	senders    *senders
}

// request is one Export call.
type request struct {
	signal   string
	protocol string // grpc or http
	tenant   string // of the header; "" when there was none
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

// again is the answer that a batch had which is stored already, nil for one that is not. Its
// records count as refused, so that the ledger adds up.
func (in *intake) again(ctx context.Context, r request, key uint64, received int) (answer, error) {
	had, err := in.repeats.begin(ctx, key)
	if had != nil {
		in.account(r, received, 0, []stream.Refusal{{Reason: reasonRepeat, Count: received}}, nil)
	}
	return had, err
}

// storedAnswer is what a repeat of a batch is told; nil where nothing was stored, so
// that the repeat is tried anew.
func storedAnswer(a answer, kept int) answer {
	if kept == 0 {
		return nil
	}
	return a
}

// export takes a request. The error is a *failure, or one of the store's.
func (in *intake) export(ctx context.Context, r request) (answer, error) {
	if err := checkTenant(r.tenant); r.tenant != "" && err != nil {
		return nil, malformed("%s", err)
	}
	switch r.signal {
	case stream.SignalSpans:
		return in.traces(ctx, r)
	case stream.SignalLogs:
		return in.logs(ctx, r)
	}
	return in.metrics(ctx, r)
}

func (in *intake) traces(ctx context.Context, r request) (resp answer, err error) {
	m, err := decode(in, r, traceForm())
	if err != nil {
		return nil, err
	}
	batch := spansOf(m.Traces(), r.tenant)
	received := len(batch.spans) + refusedCount(batch.refused)
	key := in.repeats.key(r)
	if again, err := in.again(ctx, r, key, received); again != nil || err != nil {
		return again, err
	}
	kept, refused := in.admit.AdmitSpans(batch.spans)
	defer func() { in.repeats.end(key, storedAnswer(resp, len(kept))) }()
	in.own.negative.Add(float64(batch.negative))
	refused = append(batch.refused, refused...)
	if len(kept) > 0 {
		err = in.sink.Spans(ctx, kept)
	}
	in.account(r, received, len(kept), refused, err)
	if err != nil {
		return nil, err
	}
	n := refusedCount(refused)
	if n == 0 {
		return nothing{}, nil
	}
	out := ptraceotlp.NewExportResponse()
	out.PartialSuccess().SetRejectedSpans(int64(n))
	out.PartialSuccess().SetErrorMessage(explain("spans", received, refused))
	return out, nil
}

func (in *intake) logs(ctx context.Context, r request) (resp answer, err error) {
	m, err := decode(in, r, logForm())
	if err != nil {
		return nil, err
	}
	batch := logsOf(m.Logs(), r.tenant, in.now())
	received := len(batch.records) + refusedCount(batch.refused)
	stored := 0
	if batch.timed { // else the same bytes may be another event
		key := in.repeats.key(r)
		if again, err := in.again(ctx, r, key, received); again != nil || err != nil {
			return again, err
		}
		defer func() { in.repeats.end(key, storedAnswer(resp, stored)) }()
	}
	for form, n := range batch.forms {
		in.own.bodies.WithLabelValues(bodyForm(form).String()).Add(float64(n))
	}
	kept, refused := in.admit.AdmitLogs(batch.records)
	refused = append(batch.refused, refused...)
	if len(kept) > 0 {
		err = in.sink.Logs(ctx, kept)
	}
	in.account(r, received, len(kept), refused, err)
	if err != nil {
		return nil, err
	}
	stored = len(kept)
	n := refusedCount(refused)
	if n == 0 {
		return nothing{}, nil
	}
	out := plogotlp.NewExportResponse()
	out.PartialSuccess().SetRejectedLogRecords(int64(n))
	out.PartialSuccess().SetErrorMessage(explain("log records", received, refused))
	return out, nil
}

func (in *intake) metrics(ctx context.Context, r request) (answer, error) {
	m, err := decode(in, r, metricForm())
	if err != nil {
		return nil, err
	}
	md := m.Metrics()
	prepared := prepareMetrics(md, r.tenant, in.deltas != nil)
	refused := prepared.refused
	if prepared.delta {
		before := md.DataPointCount()
		if err := in.deltas.ConsumeMetrics(ctx, md); err != nil {
			return nil, err
		}
		refused = addRefusal(refused, reasonDeltaOrder, deltaOrderMessage, before-md.DataPointCount())
	}
	app := newCountingAppender(in.appendable.AppenderV2(ctx))
	app.senders = in.senders
	bySample := append([]stream.Refusal(nil), refused...)
	problems, err := in.appendMetrics(ctx, app, md)
	for _, p := range problems {
		refused = addRefusal(refused, reasonConversion, p.Error(), 1)
		bySample = addRefusal(bySample, reasonConversion, "", 1)
	}
	refused = append(refused, app.refused...)
	if in.counted {
		in.account(r, refusedCount(bySample), 0, bySample, nil)
	} else {
		bySample = append(bySample, app.samples...)
		in.account(r, app.taken+refusedCount(bySample), app.taken, bySample, err)
	}
	in.own.exemplars.Add(float64(app.exemplars + prepared.exemplars))
	if err != nil {
		return nil, err
	}
	if app.crowded != nil { // what was stored may come again with the rest
		return nil, overloaded(app.crowded.Error())
	}
	resp := pmetricotlp.NewExportResponse()
	if n := refusedCount(refused); n > 0 {
		resp.PartialSuccess().SetRejectedDataPoints(int64(n))
		resp.PartialSuccess().SetErrorMessage(explain("data points", prepared.points, refused))
		return resp, nil
	}
	if app.collides {
		resp.PartialSuccess().SetErrorMessage(collisionWarning) // taken whole, with a warning
		return resp, nil
	}
	return nothing{}, nil
}

// appendMetrics translates and commits. problems are metrics that could not be
// translated though the rest was stored; after an error nothing was.
func (in *intake) appendMetrics(ctx context.Context, app *countingAppender, md pmetric.Metrics) (problems []error, err error) {
	if md.DataPointCount() == 0 {
		return nil, app.Rollback()
	}
	c, _ := in.converters.Get().(*prometheusremotewrite.PrometheusConverter)
	if c == nil {
		c = prometheusremotewrite.NewPrometheusConverter(nil)
	}
	c.Reset(app)
	defer func() {
		c.Reset(nil)
		in.converters.Put(c)
	}()
	for _, rm := range md.ResourceMetrics().All() {
		if app.fatal == nil && ctx.Err() != nil {
			app.fatal = ctx.Err()
		}
		if app.fatal != nil {
			return nil, errors.Join(app.fatal, app.Rollback())
		}
		one := pmetric.NewMetrics()
		to := one.ResourceMetrics().AppendEmpty()
		rm.MoveTo(to)
		_, err := c.FromMetrics(ctx, one, in.settings)
		problems = append(problems, each(err)...)
		app.target(to.Resource())
	}
	if app.fatal == nil && ctx.Err() != nil {
		app.fatal = ctx.Err()
	}
	if app.fatal != nil {
		return nil, errors.Join(app.fatal, app.Rollback())
	}
	if err := app.Commit(); err != nil {
		return nil, fmt.Errorf("commit metrics: %w", err)
	}
	return problems, nil
}

// each takes a joined error apart.
func each(err error) []error {
	var joined interface{ Unwrap() []error }
	switch {
	case err == nil:
		return nil
	case errors.As(err, &joined):
		return joined.Unwrap()
	}
	return []error{err}
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

func refusedCount(list []stream.Refusal) (n int) {
	for _, f := range list {
		n += f.Count
	}
	return n
}

// maxReasons bounds how many reasons a partial success names.
const maxReasons = 3

// explain is the message of a partial success: how many, and the first reasons.
func explain(what string, received int, refused []stream.Refusal) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d of %d %s were refused", refusedCount(refused), received, what)
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

// noLedger is used where nobody keeps one.
type noLedger struct{}

func (noLedger) Received(string, string, int) {}
func (noLedger) Stored(string, int)           {}
func (noLedger) Refused(string, string, int)  {}
