package report

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/times"
	"github.com/signalbox-project/signalbox/internal/report/archive"
	"github.com/signalbox-project/signalbox/internal/report/paper"
	"github.com/signalbox-project/signalbox/internal/slo"
	"github.com/signalbox-project/signalbox/internal/slo/ledger"
	"github.com/signalbox-project/signalbox/internal/store"
)

// counting is a querier that knows how often it was asked, and fails when told.
type counting struct {
	slo.Querier
	asked atomic.Int64
	fail  error
}

func (c *counting) Range(ctx context.Context, expr string, start, end time.Time, step time.Duration) ([]model.Series, error) {
	c.asked.Add(1)
	if c.fail != nil {
		return nil, c.fail
	}
	return c.Querier.Range(ctx, expr, start, end, step)
}

func (w *world) count() *counting {
	c := &counting{Querier: w.room.deps.Querier}
	w.querier = c
	w.start()
	return c
}

func TestDaysAreReadTwiceAndNoMore(t *testing.T) {
	w := newWorld(t, utc(2026, 10, 11, 0, 30), availability("edge", "99.9"))
	w.minutes(utc(2026, 9, 30, 0, 0), w.now, map[string]traffic{"edge": steady(0)})
	c := w.count()
	req := paper.Request{Start: utc(2026, 10, 1, 0, 0), End: utc(2026, 10, 9, 0, 0), Months: 1}
	for _, step := range []struct {
		name  string
		after time.Duration
		asked int64 // queries: two a day, of all and of bad events
	}{
		{"the first time", 0, 16},
		{"within a minute from memory", 30 * time.Second, 0},
		{"once more within the hour, because late samples may have come", 2 * time.Minute, 16},
		{"an hour later to settle", time.Hour, 16},
		{"never again", 2 * time.Hour, 0},
	} {
		w.now = w.now.Add(step.after)
		before := c.asked.Load()
		w.report(req)
		if got := c.asked.Load() - before; got != step.asked {
			t.Errorf("%s: %d queries, want %d", step.name, got, step.asked)
		}
	}
}

func TestLateDataCountsUntilADayIsSettled(t *testing.T) {
	w := newWorld(t, utc(2026, 10, 3, 12, 0), availability("edge", "99.9")+availability("late", "99.9"))
	req := paper.Request{Start: utc(2026, 10, 1, 0, 0), End: utc(2026, 10, 2, 0, 0), SLO: "late-ok", Months: 1}
	w.minutes(utc(2026, 9, 30, 0, 0), utc(2026, 10, 1, 12, 0), map[string]traffic{"late": steady(0)})
	if p := w.report(req).SLOs[0]; p.Verdict != paper.Unknown || p.Contract.Coverage != 0.5 {
		t.Errorf("half of it is known: %s %+v", p.Verdict, p.Contract)
	}
	w.now = w.now.Add(3 * time.Hour)
	w.report(req) // the same again, but a day with gaps does not settle so soon
	w.minutes(utc(2026, 10, 1, 12, 1), utc(2026, 10, 2, 12, 0), map[string]traffic{"late": steady(0.5)})
	w.now = w.now.Add(3 * time.Hour)
	if p := w.report(req).SLOs[0]; p.Verdict != paper.Missed || p.Contract.Coverage != 1 {
		t.Errorf("the rest came late: %s %+v", p.Verdict, p.Contract)
	}
}

// A day without a gap that came out the same twice is read again for as long as samples may still come, and then no more:
// 600 requests a minute are 864,000 on that day, and an agent that was cut off has 6,000 failures of ten of its minutes.
func TestLateDataOfADayWithoutGaps(t *testing.T) {
	w := newWorld(t, utc(2026, 10, 2, 3, 0), availability("edge", "99.9"))
	w.lateness = 24 * time.Hour
	c := w.count()
	w.minutes(utc(2026, 9, 30, 0, 0), utc(2026, 10, 5, 0, 0), map[string]traffic{"edge": steady(0)})
	req := paper.Request{Start: utc(2026, 10, 1, 0, 0), End: utc(2026, 10, 2, 0, 0), Months: 1}
	for range 2 {
		if p := w.report(req).SLOs[0]; p.Contract.Bad != 0 || p.Contract.Total != 864_000 {
			t.Errorf("%+v", p.Contract)
		}
		w.now = w.now.Add(2 * time.Hour)
	}
	app := w.db.AppenderV2(t.Context())
	for i := range 11 {
		ls := labels.FromStrings("__name__", "requests_total", "service", "edge", "status", "error", "instance", "cut off")
		if _, err := app.Append(0, ls, 0, utc(2026, 10, 1, 20, i).UnixMilli(), float64(600*i), nil, nil, storage.AOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := app.Commit(); err != nil {
		t.Fatal(err)
	}
	for range 12 {
		if p := w.report(req).SLOs[0]; p.Contract.Bad != 6000 || p.Contract.Total != 870_000 {
			t.Errorf("at %s: %+v", w.now, p.Contract)
		}
		w.now = w.now.Add(2 * time.Hour)
	}
	before := c.asked.Load()
	if w.report(req); c.asked.Load() != before {
		t.Error("a day is read again into which nothing can come any more")
	}
}

func TestADamagedDayIsReadAgain(t *testing.T) {
	w := newWorld(t, utc(2026, 10, 5, 0, 0), availability("edge", "99.9"))
	w.minutes(utc(2026, 9, 30, 0, 0), w.now, map[string]traffic{"edge": steady(0.0005)})
	req := paper.Request{Start: utc(2026, 10, 1, 0, 0), End: utc(2026, 10, 3, 0, 0), Months: 1}
	want := w.report(req).SLOs[0].Contract
	for k, d := range w.days.rows {
		d.Cells, d.Settled = []byte{7, 7, 7}, true
		w.days.rows[k] = d
	}
	w.start()
	if got := w.report(req).SLOs[0].Contract; got.Bad != want.Bad || got.Total != want.Total {
		t.Errorf("%+v, want %+v", got, want)
	}
}

const passes = 6 * time.Hour // between two of the archive's

func TestDaysAreReadAheadOfReports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, now: time.Now(), defs: define(t, availability("edge", "99.9")), retention: 5 * archive.DayWidth}
		var asked atomic.Int64
		a := archive.New(archive.Deps{Querier: stub{&asked}, SLOs: w, Days: &w.days, Retention: w.retention, Now: time.Now, Logger: slog.New(slog.DiscardHandler)})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- a.Run(ctx) }()
		for range 3 {
			<-time.After(passes + time.Hour) // of the bubble's clock
			synctest.Wait()
		}
		if settled, all := w.days.settled(); settled < 7 || all < settled {
			t.Errorf("%d of %d days are settled", settled, all)
		}
		before := asked.Load()
		<-time.After(passes)
		synctest.Wait()
		if got := asked.Load() - before; got > 4 {
			t.Errorf("%d queries for days that are settled", got)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// stub answers every range query with a counter that grows by 600 a minute.
type stub struct{ asked *atomic.Int64 }

func (s stub) Instant(context.Context, string, time.Time) ([]model.Sample, error) { return nil, nil }

func (s stub) Range(_ context.Context, expr string, start, end time.Time, step time.Duration) ([]model.Series, error) {
	s.asked.Add(1)
	if strings.Contains(expr, "error") {
		return nil, nil // none of them fails
	}
	var out model.Series
	for at := start; !at.After(end); at = at.Add(step) {
		out.Points = append(out.Points, model.Point{Time: at, Value: 10 * step.Seconds()})
	}
	return []model.Series{out}, nil
}

func TestAHistoryThatTakesTooLongToReadIsToBeAskedForAgain(t *testing.T) {
	w := newWorld(t, utc(2026, 10, 11, 0, 0), availability("edge", "99.9"))
	c := w.count()
	c.fail = context.DeadlineExceeded
	_, err := w.room.Report(t.Context(), paper.Request{Period: "2026-09", Audience: audienceCustomer})
	if !errors.Is(err, store.ErrOverloaded) {
		t.Error(err)
	}
	c.fail = errors.New("broken")
	if _, err = w.room.Report(t.Context(), paper.Request{Period: "2026-09", Audience: audienceCustomer}); err == nil || errors.Is(err, store.ErrOverloaded) {
		t.Error(err)
	}
}

func TestVerdicts(t *testing.T) {
	d := define(t, availability("edge", "99.9"))[0]
	month := span{start: utc(2026, 10, 1, 0, 0), end: utc(2026, 11, 1, 0, 0)}
	const minutes = 44_640
	for _, c := range []struct {
		name     string
		cell     ledger.Cell // with data for Minutes of the month
		asOf     time.Time
		want     paper.Verdict
		leftover float64
	}{
		{"nothing happened", ledger.Cell{Minutes: minutes}, month.end, paper.Unknown, 44.64},
		{"no data", ledger.Cell{}, month.end, paper.Unknown, 44.64},
		{"all good", ledger.Cell{Total: 1e6, Minutes: minutes}, month.end, paper.Met, 44.64},
		{"exactly the budget", ledger.Cell{Bad: 1e3, Total: 1e6, Minutes: minutes}, month.end, paper.Met, 0},
		{"one event more", ledger.Cell{Bad: 1001, Total: 1e6, Minutes: minutes}, month.end, paper.Missed, -0.04464},
		{"half unknown and all good", ledger.Cell{Total: 1e6, Minutes: minutes / 2}, month.end, paper.Unknown, 44.64},
		{"half unknown, and what is known broke it whatever happened", ledger.Cell{Bad: 2100, Total: 1e6, Minutes: minutes / 2}, month.end, paper.Missed, -2.232},
		{"half unknown, and what is known did not break it yet", ledger.Cell{Bad: 1900, Total: 1e6, Minutes: minutes / 2}, month.end, paper.Unknown, 2.232},
		{"96 % known, and that is below the objective", ledger.Cell{Bad: 1010, Total: 1e6, Minutes: 0.96 * minutes}, month.end, paper.Missed, 1.35680},
		{"half way and on track", ledger.Cell{Bad: 900, Total: 1e6, Minutes: minutes / 2}, utc(2026, 10, 16, 12, 0), paper.OnTrack, 24.552},
		{"half way and too fast", ledger.Cell{Bad: 1500, Total: 1e6, Minutes: minutes / 2}, utc(2026, 10, 16, 12, 0), paper.AtRisk, 11.16},
	} {
		w := &work{asOf: c.asOf}
		f := figures(d, c.cell, month.end.Sub(month.start), times.Earlier(month.end, c.asOf).Sub(month.start))
		if got := (&sloWork{work: w, def: d}).judge(month, f); got != c.want || math.Abs(f.LeftMinutes-c.leftover) > 1e-3 {
			t.Errorf("%s: %s with %g min left, want %s with %g", c.name, got, f.LeftMinutes, c.want, c.leftover)
		}
	}
}

func TestACompositeIsMadeOfItsParts(t *testing.T) {
	w := newWorld(t, utc(2026, 10, 11, 0, 0), availability("edge", "99.9")+availability("layout", "99")+`apiVersion: openslo/v1
kind: SLO
metadata: {name: both}
spec:
  service: edge
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Timeslices
  objectives:
    - {displayName: a, indicatorRef: edge-ok, compositeWeight: 1}
    - {displayName: b, indicatorRef: layout-ok, compositeWeight: 1}
`)
	w.minutes(utc(2026, 9, 30, 0, 0), w.now, map[string]traffic{"edge": steady(0.0005), "layout": during(utc(2026, 10, 4, 0, 0), time.Hour, 1, steady(0.002))})
	w.fixes = []model.SLOCorrection{{SLO: "layout-ok", Kind: "maintenance", Author: "kim", Reason: "x", Start: utc(2026, 10, 4, 0, 0), End: utc(2026, 10, 4, 1, 0)}}
	r := w.report(paper.Request{Start: utc(2026, 10, 1, 0, 0), End: utc(2026, 10, 8, 0, 0), Months: 1})
	p := sloOf(t, r, "both")
	// Burn of 0.5 and of 0.2 is 0.35 on average.
	if p.Contract.UsedRatio == nil || math.Abs(*p.Contract.UsedRatio-0.35) > 1e-6 || p.Contract.ExcludedMinutes != 60 || len(p.Corrections) != 1 {
		t.Errorf("contract %+v, corrections %+v", p.Contract, p.Corrections)
	}
	if len(p.Episodes) != 1 || !p.Episodes[0].Corrected || p.Episodes[0].Cause != "maintenance (kim): x" {
		t.Errorf("episodes %+v", p.Episodes)
	}
	if p.Felt == nil || *p.Felt.UsedRatio < 0.6 {
		t.Errorf("as users felt it %+v", p.Felt)
	}
}

func TestSignalboxItselfIsReportedFromWhatItRecorded(t *testing.T) {
	w := newWorld(t, utc(2026, 10, 11, 0, 0), availability("edge", "99.9"))
	down := utc(2026, 10, 5, 7, 5)
	w.gauge("signalbox_slo_objective", utc(2026, 9, 29, 0, 0).Add(15*time.Second), w.now, func(at time.Time) bool { return at.Before(down) || !at.Before(down.Add(30*time.Minute)) })
	p := w.report(paper.Request{Start: utc(2026, 10, 1, 0, 0), End: utc(2026, 10, 8, 0, 0), Months: 1, Audience: audienceInternal}).Internal.Platform
	// The last results before the gap are of its last minute: 30 min less one.
	if p == nil || p.KnownMinutes != 7*1440 || p.DownMinutes < 29 || p.DownMinutes > 30 || p.Verdict != paper.Missed {
		t.Fatalf("%+v", p)
	}
	if len(p.Gaps) != 1 || !p.Gaps[0].Start.Equal(utc(2026, 10, 5, 7, 0)) || !p.Gaps[0].End.Equal(utc(2026, 10, 5, 7, 45)) {
		t.Errorf("gaps %+v", p.Gaps)
	}
	p = w.report(paper.Request{Start: utc(2026, 9, 28, 0, 0), End: utc(2026, 9, 30, 0, 0), Months: 1, Audience: audienceInternal}).Internal.Platform
	if p == nil || !p.Since.Equal(utc(2026, 9, 29, 0, 0)) || p.Verdict != paper.Unknown || p.DownMinutes != 0 {
		t.Errorf("since its first day: %+v", p)
	}
}

func TestThousandsOfSLOsAreSummedFromTheirDays(t *testing.T) {
	const slos = 1000
	w := newWorld(t, utc(2026, 11, 5, 0, 0), "")
	var asked atomic.Int64
	w.querier, w.defs = stub{&asked}, define(t, availability("first", "99.9"))
	w.start()
	w.report(paper.Request{Start: utc(2026, 10, 1, 0, 0), End: utc(2026, 10, 3, 0, 0), Months: 1})
	kept, err := w.days.SLODays(t.Context(), w.defs[0].Name, w.defs[0].Counts(), utc(2026, 10, 2, 0, 0), utc(2026, 10, 3, 0, 0))
	if err != nil || len(kept) != 1 {
		t.Fatal(kept, err)
	}
	text := kept[0].Cells
	docs := ""
	for i := range slos {
		docs += availability(fmt.Sprintf("s%d", i), "99.9")
	}
	w.defs = define(t, docs)
	var rows []store.SLODay
	for _, def := range w.defs {
		for at := utc(2026, 10, 1, 0, 0); at.Before(utc(2026, 11, 1, 0, 0)); at = at.Add(archive.DayWidth) {
			rows = append(rows, store.SLODay{SLO: def.Name, Counts: def.Counts(), Day: at, Settled: true, Cells: text})
		}
	}
	if err := w.days.SaveSLODays(t.Context(), rows); err != nil {
		t.Fatal(err)
	}
	w.start()
	c := w.count()
	began := time.Now()
	r := w.report(paper.Request{Period: "2026-10", Months: 1})
	t.Logf("%d SLOs in %s", slos, time.Since(began))
	if r.Counts.Met != slos || c.asked.Load() != 0 {
		t.Errorf("%+v with %d queries of samples", r.Counts, c.asked.Load())
	}
}

// fullDisk keeps nothing.
type fullDisk struct {
	memoryDays
	err error
}

func (f *fullDisk) SaveSLODays(context.Context, []store.SLODay) error { return f.err }

func TestAReportIsMadeWhereNothingCanBeKept(t *testing.T) {
	w := newWorld(t, utc(2026, 10, 5, 0, 0), availability("edge", "99.9"))
	w.minutes(utc(2026, 9, 30, 0, 0), w.now, map[string]traffic{"edge": steady(0)})
	days := &fullDisk{err: fmt.Errorf("write slo_days: %w", store.ErrReadOnly)}
	w.kept = days
	w.start()
	req := paper.Request{Start: utc(2026, 10, 1, 0, 0), End: utc(2026, 10, 3, 0, 0), Audience: audienceCustomer}
	if r := w.report(req); r.Counts.Met != 1 {
		t.Errorf("%+v", r.Counts)
	}
	days.err = errors.New("broken")
	w.now = w.now.Add(time.Hour)
	if _, err := w.room.Report(t.Context(), req); err == nil {
		t.Error("a failure that is no full disk goes unnoticed")
	}
}
