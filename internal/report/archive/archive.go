package archive

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/platform/times"
	"github.com/signalbox-project/signalbox/internal/slo/definition"
	"github.com/signalbox-project/signalbox/internal/slo/groups"
	"github.com/signalbox-project/signalbox/internal/slo/indicator"
	"github.com/signalbox-project/signalbox/internal/slo/ledger"
	"github.com/signalbox-project/signalbox/internal/store"
)

// How days are kept.
const (
	settleAfter    = 2 * time.Hour            // after its end a day is kept; it is settled Deps.Lateness later
	readAgain      = time.Hour                // between the two readings that settle it
	gapsStay       = 7 * 24 * time.Hour       // after which a day with gaps settles as well: late data may fill them
	KeepDays       = 3 * 366 * 24 * time.Hour // in the state store
	remember       = time.Minute              // days that are not settled, in memory
	blockStays     = 3 * DayWidth             // beyond retention: blocks of samples go as a whole
	usualRetention = 40 * DayWidth
	maxMemo        = 5000                         // such days, 2.3 KB each
	firstPass      = 2 * time.Minute              // after the start
	everyPass      = 6 * time.Hour                // of reading ahead
	restFactor     = 9                            // rest this many times as long as reading took
	overlap        = 10 * time.Minute             // read beyond an end, so that a gap across it is seen as one
	fullDay        = 0.999 * float64(minutesADay) // of minutes
)

// Archive reads days from samples and keeps them.
type Archive struct {
	deps   Deps
	read   prometheus.Counter
	failed *prometheus.CounterVec

	mu   sync.Mutex
	memo map[dayKey]memoDay   // days that are not settled
	done map[string]time.Time // by what is counted: every day before is settled; run's own
}

type dayKey struct {
	slo, counts string
	day         int64
}

type memoDay struct {
	day  day
	read time.Time
}

// Days keeps what SLOs counted; store/state does.
type Days interface {
	SLODays(ctx context.Context, slo, counts string, from, to time.Time) ([]store.SLODay, error)
	SaveSLODays(ctx context.Context, days []store.SLODay) error
	DropSLODays(ctx context.Context, before time.Time) error
}

// Definitions knows the SLOs in force; slo.Catalog does.
type Definitions interface {
	Definitions() []*definition.Definition
}

// Deps is what an archive uses. All but Retention and Lateness are needed.
type Deps struct {
	Logger  *slog.Logger
	Querier indicator.Querier
	SLOs    Definitions
	Days    Days
	// Retention is how long samples are kept: days before it are not read.
	Retention time.Duration
	// Lateness is how late samples may come: no day settles before.
	Lateness time.Duration
	Now      func() time.Time
}

// New makes an archive; it reads nothing.
func New(deps Deps) *Archive {
	return &Archive{
		deps: deps, memo: map[dayKey]memoDay{}, done: map[string]time.Time{},
		read: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "signalbox_report_days_read_total", Help: "Days of SLOs that were read from samples for reports.",
		}),
		failed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "signalbox_report_failures_total", Help: "What went wrong with the days kept for reports, by reason (damaged, read, save).",
		}, []string{"reason"}),
	}
}

// Collectors are its metrics.
func (a *Archive) Collectors() []prometheus.Collector {
	return []prometheus.Collector{a.read, a.failed}
}

// Explain tells a report that took too long from a failure: what was read so
// far is kept.
func (a *Archive) Explain(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("the history of these SLOs is still being counted; ask again in a minute, what was counted is kept: %w", store.ErrOverloaded)
	}
	return err
}

// Load reads the days that hold [from, to]. rest is called with the time that
// each reading of samples took.
func (a *Archive) Load(ctx context.Context, d *definition.Definition, from, to, now time.Time, rest func(time.Duration)) (*Timeline, error) {
	t := &Timeline{first: from.UTC().Truncate(DayWidth), exact: map[int64][]ledger.Cell{}}
	counts := d.Counts()
	kept, err := a.deps.Days.SLODays(ctx, d.Name, counts, t.first, to)
	if err != nil {
		return nil, err
	}
	var save []store.SLODay
	for at := t.first; at.Before(to); at = at.Add(DayWidth) {
		var old *store.SLODay
		if i, found := slices.BinarySearchFunc(kept, at, func(k store.SLODay, at time.Time) int { return k.Day.Compare(at) }); found {
			old = &kept[i]
		}
		r := reading{Archive: a, def: d, key: dayKey{d.Name, counts, at.Unix()}, at: at, now: now, rest: rest}
		one, changed, err := r.day(ctx, old)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("read %s of SLO %s: %w", at.Format(time.DateOnly), d.Name, err), a.save(context.WithoutCancel(ctx), save))
		}
		if changed != nil {
			save = append(save, *changed)
		}
		t.days = append(t.days, one)
	}
	t.add()
	return t, a.save(ctx, save)
}

func (a *Archive) save(ctx context.Context, days []store.SLODay) error {
	if err := a.deps.Days.SaveSLODays(ctx, days); err != nil {
		a.failed.WithLabelValues("save").Inc()
		if errors.Is(err, store.ErrReadOnly) {
			return nil // a report can be made all the same
		}
		return fmt.Errorf("keep days: %w", err)
	}
	return nil
}

// reading is one day about to be read.
type reading struct {
	*Archive
	def     *definition.Definition
	key     dayKey
	at, now time.Time
	rest    func(time.Duration)
}

// day is the day as it is known now, and what is to be kept of it.
func (r *reading) day(ctx context.Context, old *store.SLODay) (*day, *store.SLODay, error) {
	var known *day
	if old != nil {
		if d, err := decodeDay(old.Cells); err == nil {
			known = &d
		} else {
			r.failed.WithLabelValues("damaged").Inc()
			r.deps.Logger.Warn("a day kept for reports is damaged; it is read again", "slo", r.def.Name, "day", r.at.Format(time.DateOnly))
			old = nil
		}
	}
	if old != nil && old.Settled || r.gone() {
		return known, nil, nil
	}
	r.mu.Lock()
	m, has := r.memo[r.key]
	r.mu.Unlock()
	age, ended := r.now.Sub(m.read), !r.at.Add(DayWidth).After(m.read)
	if has && age >= 0 && age < remember && (ended || m.read.Truncate(time.Minute).Equal(r.now.Truncate(time.Minute))) {
		return &m.day, nil, nil
	}
	fresh, err := r.fromSamples(ctx)
	if err != nil {
		return nil, nil, err
	}
	if known != nil && fresh.minutes() < known.minutes() {
		return known, nil, nil // some of its samples are gone
	}
	r.memorize(r.key, memoDay{fresh, r.now})
	return &fresh, r.keep(&fresh, old), nil
}

// gone reports whether the samples of the day were deleted by age.
func (r *reading) gone() bool {
	return r.deps.Retention > 0 && r.now.Sub(r.at.Add(DayWidth)) > r.deps.Retention+blockStays
}

// keep is the row to be kept, nil when nothing changes.
func (r *reading) keep(fresh *day, old *store.SLODay) *store.SLODay {
	ended := r.now.Sub(r.at.Add(DayWidth))
	if ended < settleAfter || fresh.minutes() == 0 {
		return nil
	}
	row := store.SLODay{SLO: r.key.slo, Counts: r.key.counts, Day: r.at, Read: r.now.UTC(), Cells: fresh.encode()}
	if old == nil || !slices.Equal(old.Cells, row.Cells) {
		return &row
	}
	if r.now.Sub(old.Read) >= readAgain && ended >= settleAfter+r.deps.Lateness && (fresh.minutes() >= fullDay || ended >= gapsStay) {
		row.Settled = true
		return &row
	}
	return nil
}

func (r *reading) fromSamples(ctx context.Context) (day, error) {
	began := time.Now()
	to := times.Earlier(r.at.Add(DayWidth+overlap), r.now.Truncate(time.Minute))
	cells, err := r.minutes(ctx, r.def, r.at, to)
	if err != nil {
		r.failed.WithLabelValues("read").Inc()
		return day{}, err
	}
	r.read.Inc()
	if r.rest != nil {
		r.rest(time.Since(began))
	}
	return fold(cells, r.def.ErrorBudget()), nil
}

// minutes reads (from, to] from the samples.
func (a *Archive) minutes(ctx context.Context, d *definition.Definition, from, to time.Time) ([]ledger.Cell, error) {
	if !to.After(from) {
		return nil, nil
	}
	return d.Measure.Cells(ctx, a.deps.Querier, from, to, time.Minute)
}

// Refine reads the minutes of the slots that times cut, so that sums from or
// to them are exact. Where the samples are gone a cut slot counts in proportion.
func (a *Archive) Refine(ctx context.Context, d *definition.Definition, t *Timeline, now time.Time, cuts ...time.Time) error {
	for _, at := range cuts {
		start := at.UTC().Truncate(SlotWidth)
		if at.Equal(start) || t.exact[start.Unix()] != nil || t.Slot(start).Minutes == 0 {
			continue
		}
		end := start.Add(SlotWidth)
		cells, err := a.minutes(ctx, d, start, times.Earlier(end.Add(overlap), now.Truncate(time.Minute)))
		if err != nil {
			return fmt.Errorf("read the minutes of SLO %s at %s: %w", d.Name, at.UTC().Format(time.RFC3339), err)
		}
		whole, sum := make([]ledger.Cell, slotMinutes), ledger.Cell{}
		for i := range copy(whole, cells) {
			sum = sum.Add(whole[i])
		}
		if sum.Minutes >= t.Slot(start).Minutes-1e-6 {
			t.exact[start.Unix()] = whole
		}
	}
	return nil
}

// Run reads the days that ended ahead of any report, in little time each.
func (a *Archive) Run(ctx context.Context) error {
	wait := time.NewTimer(firstPass)
	defer wait.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-wait.C:
		}
		a.pass(ctx)
		wait.Reset(everyPass)
	}
}

// Each puts the groups of [from, to] in the place of the SLOs that have any; notes say what is left out.
func (a *Archive) Each(ctx context.Context, defs []*definition.Definition, from, to time.Time) (each []*definition.Definition, notes []string, err error) {
	return groups.Expand(ctx, a.deps.Querier, defs, from, to)
}

func (a *Archive) pass(ctx context.Context) {
	now := a.deps.Now()
	rest := func(took time.Duration) {
		pause := time.NewTimer(restFactor * took)
		defer pause.Stop()
		select {
		case <-ctx.Done():
		case <-pause.C:
		}
	}
	today := now.UTC().Truncate(DayWidth)
	all := a.deps.SLOs.Definitions()
	if each, _, err := a.Each(ctx, all, today.Add(-usualRetention), now); err == nil {
		all = each
	}
	for _, d := range all {
		from := a.behind(d, today)
		if ctx.Err() != nil || !from.Before(today) {
			continue
		}
		if _, err := a.Load(ctx, d, from, today, now, rest); err != nil && ctx.Err() == nil {
			a.deps.Logger.Warn("counting days for reports", "slo", d.Name, "err", err)
			continue
		}
		if kept, err := a.deps.Days.SLODays(ctx, d.Name, d.Counts(), from, today); err == nil {
			for len(kept) > 0 && kept[0].Settled && kept[0].Day.Equal(from) {
				from, kept = from.Add(DayWidth), kept[1:]
			}
			a.done[d.Name+" "+d.Counts()] = from
		}
	}
	if err := a.deps.Days.DropSLODays(ctx, today.Add(-KeepDays)); err != nil && ctx.Err() == nil {
		a.failed.WithLabelValues("save").Inc()
	}
}

// behind is the first day that may not be settled.
func (a *Archive) behind(d *definition.Definition, today time.Time) time.Time {
	from := today.Add(-usualRetention)
	if a.deps.Retention > 0 {
		from = today.Add(-(a.deps.Retention + blockStays).Truncate(DayWidth))
	}
	return times.Later(from, a.done[d.Name+" "+d.Counts()])
}

// memorize keeps a day in memory as long as there is room: the days that are
// too old to be answered from it make some.
func (a *Archive) memorize(k dayKey, m memoDay) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.memo) >= maxMemo {
		maps.DeleteFunc(a.memo, func(_ dayKey, old memoDay) bool { return m.read.Sub(old.read) >= remember })
	}
	if len(a.memo) < maxMemo {
		a.memo[k] = m
	}
}
