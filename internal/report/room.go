// Package report says what was promised and kept in a period: to customers and
// to the people who run the services, as data, Markdown, CSV and text.
//
// It judges nothing live and reads no samples where it can help it: what every SLO counted is in the archive, and
// is summed up for any period in any time zone. Pages, deployments and
// decisions come from the state store.
//
// In: paper.Request, the SLOs in force, corrections and what the state
// store remembers. Out: paper.Report and files made of it. The same request with the same AsOf
// over the same records gives the same bytes.
//
// Invariant: time without data is never counted as good.
//
// Start reading at room.go, then slo.go for the figures and assemble.go for what is made of them; paper writes it.
package report

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/signalbox-project/signalbox/internal/cause"
	"github.com/signalbox-project/signalbox/internal/gate"
	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/times"
	"github.com/signalbox-project/signalbox/internal/report/archive"
	"github.com/signalbox-project/signalbox/internal/report/paper"
	"github.com/signalbox-project/signalbox/internal/slo"
	"github.com/signalbox-project/signalbox/internal/slo/pace"
	"github.com/signalbox-project/signalbox/internal/store"
)

// SLOs knows the SLOs in force; slo.Catalog does.
type SLOs interface{ Definitions() []*slo.Definition }

// Policies knows the budget policies in force; gate.Catalog does.
type Policies interface{ Set() gate.Set }

// Corrections knows what was taken out of SLOs; audit/witness does, which marks those that were touched.
type Corrections interface {
	SLOCorrections(ctx context.Context) ([]model.SLOCorrection, error)
	// GoneSLOCorrections are those that somebody deleted in the database: they count for nothing, and are named.
	GoneSLOCorrections(ctx context.Context) ([]model.SLOCorrection, error)
}

// Records is what happened; store/state has it. Lists come newest first.
type Records interface {
	Deploys(ctx context.Context, q store.DeployQuery) ([]model.Deploy, error)
	Pages(ctx context.Context, q store.PageQuery) ([]model.Page, error)
	Decisions(ctx context.Context, q store.DecisionQuery) (list []model.GateDecision, next string, err error)
}

// Deps is what reports use. All but Logger, Registerer, Retention, Lateness and Now are needed.
type Deps struct {
	Logger      *slog.Logger
	Registerer  prometheus.Registerer
	SLO         slo.Config
	Querier     slo.Querier
	SLOs        SLOs
	Policies    Policies
	Corrections Corrections
	Records     Records
	Days        archive.Days
	// Retention is how long samples are kept: days before it are not read.
	Retention time.Duration
	// Lateness is how late samples may come: days are read again for as long.
	Lateness time.Duration
	Now      func() time.Time
}

// Reporter makes reports. It is safe for concurrent use.
type Reporter struct {
	deps    Deps
	archive *archive.Archive
	self    *slo.Definition // Signalbox's own SLO
	seconds prometheus.Histogram
}

// New makes a room; it starts nothing.
func New(deps Deps) (*Reporter, error) {
	if deps.Querier == nil || deps.SLOs == nil || deps.Policies == nil || deps.Corrections == nil || deps.Records == nil || deps.Days == nil {
		return nil, errors.New("reports: they need a querier, SLOs, policies, corrections, records and days")
	}
	deps.Logger = instrument.Logger(deps.Logger)
	if deps.Now == nil {
		deps.Now = time.Now
	}
	self, err := platformDefinition()
	if err != nil {
		return nil, err
	}
	r := &Reporter{deps: deps, self: self, archive: archive.New(archive.Deps{
		Logger: deps.Logger, Querier: deps.Querier, SLOs: deps.SLOs, Days: deps.Days, Retention: deps.Retention, Lateness: deps.Lateness, Now: deps.Now,
	}), seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "signalbox_report_seconds", Help: "Time to make a report.", Buckets: prometheus.ExponentialBuckets(0.01, 3, 9),
	})}
	if err := instrument.Register(deps.Registerer, "report", append(r.archive.Collectors(), r.seconds)...); err != nil {
		return nil, err
	}
	return r, nil
}

// Run keeps reading the days that ended, so that reports need not, until ctx is done.
func (r *Reporter) Run(ctx context.Context) error { return r.archive.Run(ctx) }

// badRequest marks a mistake of the caller's.
type badRequest struct{ error }

// BadRequest tells the API whose fault it is.
func (badRequest) BadRequest() {}

func refuse(format string, args ...any) error { return badRequest{fmt.Errorf(format, args...)} }

// ReportFile is a report as json, md, csv or text.
func (r *Reporter) ReportFile(rep paper.Report, format string) (paper.File, error) {
	f, err := paper.Write(rep, format)
	if errors.Is(err, paper.ErrFormat) {
		return f, badRequest{err}
	}
	return f, err
}

// maxRecords bounds how many pages, deployments and decisions a report counts.
const maxRecords = 20_000

// Report makes a report.
func (r *Reporter) Report(ctx context.Context, req paper.Request) (paper.Report, error) {
	began := time.Now()
	w, err := r.plan(ctx, req)
	if err != nil {
		return paper.Report{}, err
	}
	defs, err := w.selected(ctx)
	if err != nil {
		return paper.Report{}, r.archive.Explain(err)
	}
	slos := make([]*sloWork, len(defs))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(pace.Workers())
	for i, d := range defs {
		g.Go(func() (err error) {
			defer func() { // a mistake in a report must not end the process that pages
				if v := recover(); v != nil {
					err = fmt.Errorf("report on SLO %s: panic: %v\n%s", d.Name, v, debug.Stack())
				}
			}()
			slos[i], err = w.sloWork(gctx, d)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return paper.Report{}, r.archive.Explain(err)
	}
	out := w.report(slos)
	if w.internal() {
		if out.Internal, err = w.internals(ctx, slos); err != nil {
			return paper.Report{}, err
		}
	}
	r.seconds.Observe(time.Since(began).Seconds())
	return out, nil
}

// selected are the SLOs asked for, each group of one by itself. Parts of composites are left to their
// composite, and internal SLOs to the internal report, unless one is asked for by name.
func (w *work) selected(ctx context.Context) ([]*slo.Definition, error) {
	req := w.req
	whole, _, one := strings.Cut(req.SLO, "{") // of the name of a group
	var out []*slo.Definition
	for _, d := range w.deps.SLOs.Definitions() {
		switch {
		case req.Namespaces != nil && !slices.Contains(req.Namespaces, d.Labels["namespace"]),
			req.SLO != "" && d.Name != whole,
			req.SLO == "" && d.PartOf != "",
			req.Service != "" && d.Service != req.Service,
			req.Team != "" && d.Labels["team"] != req.Team,
			req.SLO == "" && req.Audience == audienceCustomer && d.Labels["audience"] == audienceInternal:
			continue
		}
		out = append(out, d)
	}
	out, notes, err := w.archive.Each(ctx, out, w.period.start, w.end())
	if err != nil {
		return nil, err
	}
	w.unsaid = append(w.unsaid, notes...)
	if one {
		out = slices.DeleteFunc(out, func(d *slo.Definition) bool { return d.Name != req.SLO })
	}
	if req.SLO != "" && len(out) == 0 {
		return nil, fmt.Errorf("SLO %s: %w", req.SLO, store.ErrNotFound)
	}
	slices.SortFunc(out, func(a, b *slo.Definition) int { return cmp.Compare(a.Name, b.Name) })
	return out, nil
}

// work is one report under way.
type work struct {
	*Reporter
	req         paper.Request
	period      span
	trend       []span    // oldest first, the period last
	known       time.Time // corrections and records until then are known
	asOf        time.Time // so is data: the full minute before
	now         time.Time
	corrections map[string][]model.SLOCorrection // by SLO, oldest first
	gone        map[string][]model.SLOCorrection // those that somebody deleted
	deploys     []model.Deploy                   // oldest first, from a while before the period on
	cut         bool                             // there were more records than are read
	policies    gate.Set
	unsaid      []string // what is not said, and why
}

func (w *work) internal() bool { return w.req.Audience == audienceInternal }

// The audiences.
const (
	audienceCustomer = "customer"
	audienceInternal = "internal"
)

func (r *Reporter) plan(ctx context.Context, req paper.Request) (*work, error) {
	w := &work{Reporter: r, req: req, now: r.deps.Now(), policies: r.deps.Policies.Set()}
	if req.Zone == nil {
		w.req.Zone = time.UTC
	}
	if req.Audience != audienceCustomer && req.Audience != audienceInternal {
		return nil, refuse("audience: %q is neither customer nor internal", req.Audience)
	}
	w.known = w.now
	if !req.AsOf.IsZero() && req.AsOf.Before(w.now) {
		w.known = req.AsOf
	}
	w.asOf = w.known.Truncate(time.Minute)
	var err error
	if w.period, err = periodOf(w.req, w.asOf); err != nil {
		return nil, err
	}
	if !w.period.start.Before(w.asOf) {
		return nil, refuse("period: %s begins at %s, and it is %s: nothing has happened in it yet", w.period.name, w.stamp(w.period.start), w.stamp(w.asOf))
	}
	w.trend = append(w.period.before(max(1, req.Months)-1), w.period)
	if err = w.readCorrections(ctx); err != nil {
		return nil, err
	}
	w.deploys, err = r.deps.Records.Deploys(ctx, store.DeployQuery{Start: w.period.start.Add(-cause.Within), End: w.until(), Limit: maxRecords})
	if err != nil {
		return nil, fmt.Errorf("read deployments: %w", err)
	}
	w.cut = len(w.deploys) == maxRecords
	slices.Reverse(w.deploys)
	return w, nil
}

// until is the end of the records of the period.
func (w *work) until() time.Time { return times.Earlier(w.period.end, w.known) }

// end is the end of the data of the period.
func (w *work) end() time.Time { return times.Earlier(w.period.end, w.asOf) }

// stamp is a time in the report's zone, for sentences.
func (w *work) stamp(t time.Time) string { return t.In(w.req.Zone).Format("2006-01-02 15:04 MST") }
