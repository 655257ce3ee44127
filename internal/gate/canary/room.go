package canary

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	prom "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/model"
)

// Querier evaluates an instant PromQL query; query/promql.Engine does.
type Querier interface {
	Instant(ctx context.Context, expr string, t time.Time) ([]model.Sample, error)
}

// Audit keeps the audit log; store/state does.
type Audit interface {
	Audit(ctx context.Context, e model.AuditEntry) (model.AuditEntry, error)
}

// Deps is what the room uses. Querier is needed.
type Deps struct {
	Querier Querier
	Audit   Audit
	// Now is the clock; time.Now by default.
	Now func() time.Time
}

// Comparer compares versions.
type Comparer struct {
	cfg  Config
	deps Deps
}

// New makes a room; it starts nothing.
func New(cfg Config, deps Deps) (*Comparer, error) {
	if errs := cfg.Validate(); len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	if deps.Querier == nil {
		return nil, errors.New("canary: it needs a querier")
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	return &Comparer{cfg: cfg, deps: deps}, nil
}

// maxWindow bounds how much a comparison reads.
const maxWindow = 31 * 24 * time.Hour

// Compare asks for both versions and compares them. The comparison is in the
// audit log before it is answered.
func (r *Comparer) Compare(ctx context.Context, req Request) (Result, error) {
	window := time.Duration(r.cfg.Window)
	if req.Window != "" {
		d, err := prom.ParseDuration(req.Window)
		if err != nil {
			return Result{}, requestError{fmt.Errorf("%w: window: %w", ErrRequest, err)}
		}
		window = time.Duration(d)
	}
	switch {
	case req.Service == "" || req.Baseline == "" || req.Canary == "":
		return Result{}, requestError{fmt.Errorf("%w: it needs service, baseline and canary", ErrRequest)}
	case req.Baseline == req.Canary:
		return Result{}, requestError{fmt.Errorf("%w: baseline and canary are the same version %q", ErrRequest, req.Canary)}
	case window < time.Minute || window > maxWindow:
		return Result{}, requestError{fmt.Errorf("%w: window: must be 1m to %s, got %s", ErrRequest, prom.Duration(maxWindow), prom.Duration(window))}
	}
	now := r.deps.Now()
	a := asking{room: r, req: req, window: prom.Duration(window).String(), now: now}
	baseline, err := a.sample(ctx, req.Baseline)
	if err != nil {
		return Result{}, fmt.Errorf("canary of %s: %w", req.Service, err)
	}
	canary, err := a.sample(ctx, req.Canary)
	if err != nil {
		return Result{}, fmt.Errorf("canary of %s: %w", req.Service, err)
	}
	out := Compare(r.cfg, now, baseline, canary)
	out.Request, out.Window, out.Queries = req, a.window, a.queries
	if err := r.audit(ctx, out); err != nil {
		return Result{}, err
	}
	return out, nil
}

func (r *Comparer) audit(ctx context.Context, res Result) error {
	if r.deps.Audit == nil {
		return nil
	}
	actor := res.Request.Actor
	if actor == "" {
		actor = "unknown"
	}
	_, err := r.deps.Audit.Audit(ctx, model.AuditEntry{
		Time: res.Time, Actor: actor, Action: "gate.canary", Subject: res.Request.Service,
		Details: map[string]string{
			"baseline": res.Request.Baseline, "canary": res.Request.Canary, "environment": res.Request.Environment,
			"window": res.Window, "verdict": string(res.Verdict), "summary": res.Summary,
		},
	})
	if err != nil {
		return fmt.Errorf("audit canary of %s: %w", res.Request.Service, err)
	}
	return nil
}

// asking is one comparison's queries.
type asking struct {
	room    *Comparer
	req     Request
	window  string
	now     time.Time
	queries []string
}

func (a *asking) query(ctx context.Context, expr string) ([]model.Sample, error) {
	a.queries = append(a.queries, expr)
	samples, err := a.room.deps.Querier.Instant(ctx, expr, a.now)
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", expr, err)
	}
	return samples, nil
}

// sample asks what one version did. Requests are spans that serve: kind server
// or consumer.
func (a *asking) sample(ctx context.Context, version string) (Sample, error) {
	s := Sample{Version: version, Saturation: math.NaN()}
	match := fmt.Sprintf("service=%s,version=%s,kind=~\"server|consumer\"", strconv.Quote(a.req.Service), strconv.Quote(version))
	if a.req.Environment != "" {
		match += ",env=" + strconv.Quote(a.req.Environment)
	}
	buckets, err := a.query(ctx, fmt.Sprintf("sum by (le) (increase(%s_bucket{%s}[%s]))", model.MetricSpanDuration, match, a.window))
	if err != nil {
		return s, err
	}
	s.Bounds, s.Counts = classes(buckets)
	for _, n := range s.Counts {
		s.Events += n
	}
	errs, err := a.query(ctx, fmt.Sprintf("sum(increase(%s_count{%s,status=\"error\"}[%s]))", model.MetricSpanDuration, match, a.window))
	if err != nil {
		return s, err
	}
	s.Errors = first(errs, 0)
	last, err := a.query(ctx, fmt.Sprintf("max(timestamp(%s_count{%s}))", model.MetricSpanDuration, match))
	if err != nil {
		return s, err
	}
	if at := first(last, math.NaN()); number(at) != nil {
		s.LastData = time.UnixMilli(int64(at * 1000)).UTC()
	}
	if a.room.cfg.Saturation != "" {
		expr := a.expand(a.room.cfg.Saturation, version)
		samples, err := a.query(ctx, expr)
		if err != nil {
			return s, err
		}
		s.Saturation = first(samples, math.NaN())
	}
	return s, nil
}

// expand puts names into an expression, escaped as they must be between quotes.
func (a *asking) expand(expr, version string) string {
	escaped := func(s string) string { q := strconv.Quote(s); return q[1 : len(q)-1] }
	return strings.NewReplacer("$service", escaped(a.req.Service), "$version", escaped(version),
		"$environment", escaped(a.req.Environment), "$window", a.window).Replace(expr)
}

// first is the only value of an answer. Several mean that the expression does
// not give one number per version, so nothing is known.
func first(samples []model.Sample, otherwise float64) float64 {
	switch len(samples) {
	case 0:
		return otherwise
	case 1:
		return samples[0].Value
	}
	return math.NaN()
}

// classes turns cumulative buckets into counts by class.
func classes(buckets []model.Sample) (bounds, counts []float64) {
	by := map[float64]float64{}
	for _, b := range buckets {
		le, err := strconv.ParseFloat(b.Labels["le"], 64)
		if err != nil || math.IsNaN(le) {
			continue
		}
		by[le] += b.Value
	}
	bounds = slices.Sorted(maps.Keys(by))
	below := 0.0
	for _, le := range bounds {
		n := by[le]
		// increase() of neighbouring buckets may differ by rounding: less than
		// nothing in a class is nothing.
		counts = append(counts, max(n-below, 0))
		below = max(n, below)
		if math.IsNaN(n) {
			below = n
		}
	}
	return bounds, counts
}
