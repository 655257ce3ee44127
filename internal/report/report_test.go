package report

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/report/archive"
	"github.com/signalbox-project/signalbox/internal/report/paper"
	"github.com/signalbox-project/signalbox/internal/slo"
	"github.com/signalbox-project/signalbox/internal/slo/ledger"
	"github.com/signalbox-project/signalbox/internal/slo/promexpr"
	"github.com/signalbox-project/signalbox/internal/store"
)

// october is a month of 31 days, 44,640 minutes: of four SLOs one is
// missed, one kept by a correction, one kept and one not known.
func october(t testing.TB) *world {
	w := newWorld(t, utc(2026, 11, 3, 9, 30),
		availability("edge", "99.9")+availability("layout", "99.9")+availability("files", "99.9")+availability("quotes", "99.9"))
	from, to := utc(2026, 9, 30, 0, 0), utc(2026, 11, 3, 9, 30)
	w.minutes(from, to, map[string]traffic{
		"edge":   during(utc(2026, 10, 12, 10, 0), 50*time.Minute, 1, nil),
		"layout": during(utc(2026, 10, 20, 2, 5), 30*time.Minute, 1, during(utc(2026, 10, 25, 12, 0), 20*time.Minute, 1, nil)),
		"files":  steady(0.0005),
		"quotes": since(utc(2026, 10, 13, 2, 24), steady(0)), // 61 % of the month
	})
	w.fixes = []model.SLOCorrection{
		{ID: "1", SLO: "layout-ok", Kind: "maintenance", Author: "kim", Reason: "new disks | announced\non the 1st", Start: utc(2026, 10, 20, 2, 5), End: utc(2026, 10, 20, 2, 35), Created: utc(2026, 10, 1, 8, 0)},
		{ID: "2", SLO: "layout-ok", Kind: "exclusion", Author: "lee", Reason: "=made up later", Start: utc(2026, 10, 25, 12, 0), End: utc(2026, 10, 25, 12, 20), Created: utc(2026, 11, 3, 9, 0)},
	}
	w.deploys = []model.Deploy{
		{ID: "c", Time: utc(2026, 10, 12, 10, 49), Service: "edge", Environment: "prod", Version: "2.3.9", Kind: "rollback", Status: "succeeded", Actor: "on-call"},
		{ID: "b", Time: utc(2026, 10, 12, 9, 52), Service: "edge", Environment: "prod", Version: "2.4.0", Kind: "deploy", Status: "succeeded", Actor: "pipeline"},
		{ID: "a", Time: utc(2026, 10, 2, 9, 0), Service: "layout", Environment: "prod", Version: "7|8", Kind: "deploy", Status: "failed", Actor: "pipeline"},
	}
	acked, resolved := utc(2026, 10, 12, 10, 11), utc(2026, 10, 12, 10, 55)
	w.pages = []model.Page{
		{ID: "p2", Time: utc(2026, 10, 30, 4, 0), Severity: "P1", Title: "DiskFull on files", Service: "files", Status: "firing"},
		{
			ID: "p1", Time: utc(2026, 10, 12, 10, 4), Severity: "critical", Title: "SLOBurnRateFast on edge", Service: "edge", Status: "resolved", AckedBy: "kim", AckedAt: &acked, ResolvedAt: &resolved,
			Alerts: []model.PageAlert{{Labels: model.Labels{"alertname": "SLOBurnRateFast", "slo": "edge-ok"}}},
		},
	}
	w.decisions = []model.GateDecision{
		{
			ID: "g3", Time: utc(2026, 10, 12, 11, 0), Request: model.GateRequest{Service: "edge", Version: "2.4.1"}, Verdict: model.VerdictHold, Summary: "Held: 88 % used.",
			Override: &model.GateOverride{Actor: "kim", Reason: "the fix itself", Time: utc(2026, 10, 12, 11, 1)},
		},
		{ID: "g2", Time: utc(2026, 10, 12, 10, 20), Request: model.GateRequest{Service: "edge", Version: "2.5.0"}, Verdict: model.VerdictBlock, Summary: "Blocked: 1,000× over 1 h."},
		{ID: "g1", Time: utc(2026, 10, 12, 9, 50), Request: model.GateRequest{Service: "edge", Version: "2.4.0"}, Verdict: model.VerdictAllow, Summary: "Allowed."},
	}
	return w
}

// The expected figures are worked out by hand: 99.9 % of 31 days allows
// 0.001 × 44,640 = 44.64 min.
func TestAMonthByHand(t *testing.T) {
	w := october(t)
	w.now = utc(2026, 11, 3, 9, 30)
	asOf := utc(2026, 11, 2, 0, 0) // before the exclusion was made up
	r := w.report(paper.Request{Period: "2026-10", AsOf: asOf, Months: 2})
	if r.Counts != (paper.Counts{SLOs: 4, Met: 2, Missed: 1, Unknown: 1}) {
		t.Errorf("counts %+v", r.Counts)
	}
	if want := "2 of 4 SLOs were kept in October 2026; edge-ok missed by 0.012 points; 1 is not known (quotes-ok: data for 61 % of the time)."; r.Summary != want {
		t.Errorf("summary %q", r.Summary)
	}
	edge := sloOf(t, r, "edge-ok").Contract
	if edge.AllowedMinutes != 44.64 || edge.UsedMinutes != 50 || edge.LeftMinutes != -5.36 || edge.Bad != 30_000 || edge.Total != 26_784_000 || edge.Coverage != 1 {
		t.Errorf("50 min of 44.64: %+v", edge)
	}
	if !near(edge.Achieved, math.Round((1-50.0/44640)*1e9)/1e9) || !near(edge.UsedRatio, math.Round(50/44.64*1e9)/1e9) {
		t.Errorf("achieved %v, used %v", *edge.Achieved, *edge.UsedRatio)
	}
	if e := sloOf(t, r, "edge-ok").Episodes; len(e) != 1 || !e[0].Start.Equal(utc(2026, 10, 12, 10, 0)) || e[0].Seconds != 3000 || !e[0].Downtime || e[0].WorstBurn != 1000 ||
		e[0].Version != "2.4.0" || e[0].Cause != "8 min after version 2.4.0 was deployed" {
		t.Errorf("episodes %+v", e)
	}
	// Without the 30 min of maintenance 44,610 min count: 44.61 are allowed, 20
	// used. Users felt 50 of 44.64: without the correction it would be missed.
	layout := sloOf(t, r, "layout-ok")
	if c := layout.Contract; c.AllowedMinutes != 44.61 || c.UsedMinutes != 20 || c.ExcludedMinutes != 30 || layout.Verdict != paper.Met {
		t.Errorf("with maintenance: %+v %s", c, layout.Verdict)
	}
	if layout.Felt == nil || layout.Felt.UsedMinutes != 50 || layout.Felt.AllowedMinutes != 44.64 {
		t.Errorf("as users felt it: %+v", layout.Felt)
	}
	if c := layout.Corrections; len(c) != 1 || math.Abs(c[0].BudgetPoints-100*(50/44.64-20/44.61)) > 1e-6 {
		t.Errorf("corrections %+v", c)
	}
	if e := layout.Episodes; len(e) != 2 || !e[0].Corrected || e[1].Corrected || !strings.HasPrefix(e[0].Cause, "maintenance (kim): new disks") {
		t.Errorf("episodes %+v", e)
	}
	// 0.05 % of all month's events is half the budget: 22.32 min.
	if f := sloOf(t, r, "files-ok").Contract; math.Abs(f.UsedMinutes-22.32) > 1e-6 || !near(f.Achieved, 0.9995) {
		t.Errorf("half of the budget: %+v", f)
	}
	quotes := sloOf(t, r, "quotes-ok")
	if quotes.Verdict != paper.Unknown || math.Abs(quotes.Contract.UnknownMinutes-17_424) > 5 {
		t.Errorf("half unknown: %s %+v", quotes.Verdict, quotes.Contract)
	}
	w.golden("october-customer", r)
}

func TestTheInternalReport(t *testing.T) {
	w := october(t)
	r := w.report(paper.Request{Period: "2026-10", Audience: audienceInternal, Months: 1})
	in := r.Internal
	crit := in.Pages.Severities[0]
	if in.Pages.Pages != 2 || crit.Severity != "critical" || !near(crit.Detect.MeanSeconds, 240) || !near(crit.Acknowledge.MeanSeconds, 420) || !near(crit.Resolve.MeanSeconds, 3060) {
		t.Errorf("pages %+v", in.Pages)
	}
	if crit.Acknowledge.InTime != 1 || crit.Resolve.InTime != 0 {
		t.Errorf("acknowledged in 7 min is in time, resolved after 51 min is not: %+v", crit)
	}
	if p1 := in.Pages.Severities[1]; p1.Severity != "P1" || *p1.Acknowledge.TargetSeconds != 3600 || p1.Acknowledge.Known != 0 || p1.Resolve.TargetSeconds != nil {
		t.Errorf("P1 %+v", p1)
	}
	if d := in.Deploys; d.Deploys != 2 || d.Failed != 1 || d.RolledBack != 1 || d.Breached != 1 {
		t.Errorf("deployments %+v", d)
	}
	if g := in.Gate; g.Decisions != 3 || g.Allowed != 1 || g.Held != 1 || g.Blocked != 1 || g.Overridden != 1 || len(g.List) != 2 || g.List[1].OverrideReason != "the fix itself" {
		t.Errorf("gate %+v", g)
	}
	// The outage took the budget of 43.2 min in its 30-day window from nothing to all of
	// it in less than an hour, and left the window after the month.
	if b := sloOf(t, r, "edge-ok").Bands; len(b) != 2 || b[0].Band != "normal" || b[1].Band != "freeze" || !b[1].Time.Equal(utc(2026, 10, 12, 11, 0)) {
		t.Errorf("bands %+v", b)
	}
	for _, b := range in.Budgets {
		if want := map[string]float64{"edge-ok downtime": 50, "edge-ok errors": 0, "files-ok downtime": 0, "files-ok errors": 22.32}; b.SLO == "edge-ok" || b.SLO == "files-ok" {
			if math.Abs(b.UsedMinutes-want[b.SLO+" "+b.Kind]) > 1e-6 {
				t.Errorf("budget %+v", b)
			}
		}
	}
	if o := in.Outcomes; o.SLOs != 4 || !near(o.Detect.MeanSeconds, 240) || o.Detect.Known != 1 || o.Detect.BeforeSeconds != nil || o.Detect.Change != nil {
		t.Errorf("outcomes %+v", o)
	}
	if in.Platform != nil {
		t.Error("nothing is stored about the platform")
	}
	w.golden("october-internal", r)
}

func TestTimesToDetectAndResolveAreComparedWithThePeriodBefore(t *testing.T) {
	w := newWorld(t, utc(2026, 10, 17, 0, 0), availability("edge", "99.9"))
	first, second := utc(2026, 10, 4, 12, 0), utc(2026, 10, 13, 12, 0)
	w.minutes(utc(2026, 10, 1, 0, 0), w.now, map[string]traffic{"edge": during(first, 30*time.Minute, 1, during(second, 30*time.Minute, 1, nil))})
	page := func(id string, onset time.Time, detect, resolve time.Duration) model.Page {
		at := onset.Add(detect)
		end := at.Add(resolve)
		return model.Page{ID: id, Time: at, Severity: "P0", Service: "edge", ResolvedAt: &end, Alerts: []model.PageAlert{{Labels: model.Labels{"alertname": "SLOBurnRateFast", "slo": "edge-ok"}}}}
	}
	w.pages = []model.Page{page("2", second, 7*time.Minute, 40*time.Minute), page("1", first, 20*time.Minute, 20*time.Minute)}
	o := w.report(paper.Request{Start: utc(2026, 10, 9, 0, 0), End: utc(2026, 10, 16, 0, 0), Audience: audienceInternal, Months: 2}).Internal.Outcomes
	if !near(o.Detect.MeanSeconds, 420) || !near(o.Detect.BeforeSeconds, 1200) || !near(o.Detect.Change, -0.65) || !near(o.Resolve.Change, 1) {
		t.Errorf("%+v", o)
	}
}

func TestTheSameAsOfGivesTheSameBytes(t *testing.T) {
	w := october(t)
	req := paper.Request{Period: "2026-10", Audience: audienceInternal, AsOf: utc(2026, 11, 1, 12, 0), Months: 2}
	first, err := w.room.ReportFile(w.report(req), "json")
	if err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(90 * time.Minute)
	w.fixes = append(w.fixes, model.SLOCorrection{ID: "3", SLO: "edge-ok", Kind: "exclusion", Author: "a", Reason: "b", Start: utc(2026, 10, 12, 10, 0), End: utc(2026, 10, 12, 11, 0), Created: utc(2026, 11, 1, 12, 1)})
	acked := utc(2026, 11, 1, 13, 0)
	w.pages[0].AckedBy, w.pages[0].AckedAt = "lee", &acked
	w.start()
	again, err := w.room.ReportFile(w.report(req), "json")
	if err != nil || !bytes.Equal(first.Content, again.Content) {
		t.Error("the report changed", err)
	}
}

func TestAReportOutlivesTheSamples(t *testing.T) {
	w := october(t)
	w.retention = 40 * archive.DayWidth
	w.start()
	req := paper.Request{Period: "2026-10", AsOf: utc(2026, 11, 2, 0, 0), Months: 2}
	want, err := w.room.ReportFile(w.report(req), "json")
	if err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(2 * time.Hour)
	w.start()
	w.report(req)
	if settled, all := w.days.settled(); settled < 100 || all-settled > 20 {
		t.Errorf("%d of %d days are settled", settled, all)
	}
	gone := newWorld(t, utc(2027, 6, 1, 0, 0), "")
	gone.defs, gone.fixes, gone.deploys, gone.days.rows, gone.retention = w.defs, w.fixes, w.deploys, w.days.rows, w.retention
	gone.start()
	again, err := gone.room.ReportFile(gone.report(req), "json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want.Content, again.Content) {
		t.Errorf("without samples it is another report:\n%s\n%s", want.Content, again.Content)
	}
	r := gone.report(paper.Request{Period: "2026-08"})
	if p := sloOf(t, r, "edge-ok"); p.Verdict != paper.Unknown || p.Reason != "There is no data in August 2026." {
		t.Errorf("before there was anything: %s %s", p.Verdict, p.Reason)
	}
}

func TestInternalSLOsAreNotForCustomers(t *testing.T) {
	w := newWorld(t, utc(2026, 10, 11, 0, 0), availability("edge", "99.9")+strings.Replace(availability("batch", "99"), "{team: batch}", "{team: batch, audience: internal}", 1))
	for _, c := range []struct {
		req  paper.Request
		want int
	}{
		{paper.Request{Period: "2026-09"}, 1},
		{paper.Request{Period: "2026-09", Audience: audienceInternal}, 2},
		{paper.Request{Period: "2026-09", SLO: "batch-ok"}, 1},
		{paper.Request{Period: "2026-09", Team: "batch"}, 0},
	} {
		if r := w.report(c.req); r.Counts.SLOs != c.want {
			t.Errorf("%+v: %d SLOs, want %d", c.req, r.Counts.SLOs, c.want)
		}
	}
}

func TestBandsThatAreEnteredAndLeft(t *testing.T) {
	w := newWorld(t, utc(2026, 10, 20, 0, 0), strings.Replace(availability("edge", "99"), "30d", "2d", 1))
	// 99 % of two days allows 28.8 min. 15 min are 52 %, 8 more 80 %, 6 more 101 %; two
	// days later they leave the window again.
	w.minutes(utc(2026, 10, 1, 0, 0), w.now, map[string]traffic{"edge": during(utc(2026, 10, 10, 0, 0), 15*time.Minute, 1,
		during(utc(2026, 10, 10, 12, 0), 8*time.Minute, 1, during(utc(2026, 10, 11, 0, 0), 6*time.Minute, 1, nil)))})
	r := w.report(paper.Request{Start: utc(2026, 10, 5, 0, 0), End: utc(2026, 10, 15, 0, 0), Months: 1, Audience: audienceInternal})
	want := []struct {
		band string
		at   time.Time
	}{
		{"normal", utc(2026, 10, 5, 0, 0)},
		{"caution", utc(2026, 10, 10, 1, 0)},
		{"critical-fixes-only", utc(2026, 10, 10, 13, 0)},
		{"freeze", utc(2026, 10, 11, 1, 0)},
		{"normal", utc(2026, 10, 12, 1, 0)}, // 14 min, 48.6 %: below 50 % by more than a point
	}
	got := r.SLOs[0].Bands
	if len(got) != len(want) {
		t.Fatalf("%+v", got)
	}
	for i, b := range got {
		if b.Band != want[i].band || !b.Time.Equal(want[i].at) {
			t.Errorf("%s at %s, want %s at %s", b.Band, b.Time, want[i].band, want[i].at)
		}
	}
}

// The sources' own figures: 99.5 % of 28 days is 3 h 21 min 36 s, of 30 days 3 h
// 36 min; 99.9 % of a year is 8.76 h.
func TestAllowedMinutesFromFirstPrinciples(t *testing.T) {
	for _, c := range []struct {
		objective string
		length    time.Duration
		minutes   float64
	}{
		{"99.5", 28 * archive.DayWidth, 201.6},
		{"99.5", 30 * archive.DayWidth, 216},
		{"99.9", 365 * archive.DayWidth, 525.6},
		{"99.9", 31 * archive.DayWidth, 44.64},
		{"99.99", 30 * archive.DayWidth, 4.32},
		{"95", 28 * archive.DayWidth, 2016},
	} {
		if got := figures(define(t, availability("edge", c.objective))[0], ledger.Cell{}, c.length, c.length).AllowedMinutes; got != c.minutes {
			t.Errorf("%s %% of %s allows %g min, want %g", c.objective, c.length, got, c.minutes)
		}
	}
}

func TestACorrectionCountsAtOnce(t *testing.T) {
	w := newWorld(t, utc(2026, 10, 9, 10, 7).Add(40*time.Second), availability("edge", "99.9"))
	w.minutes(utc(2026, 10, 1, 0, 0), utc(2026, 10, 9, 10, 7), map[string]traffic{"edge": during(utc(2026, 10, 8, 12, 0), 10*time.Minute, 1, nil)})
	w.fixes = []model.SLOCorrection{{ID: "1", SLO: "edge-ok", Start: utc(2026, 10, 8, 12, 0), End: utc(2026, 10, 8, 12, 10), Created: w.now.Add(-10 * time.Second)}}
	r := w.report(paper.Request{Period: "last-7d", Months: 1})
	if p := r.SLOs[0]; p.Contract.Bad != 0 || len(p.Corrections) != 1 || !r.AsOf.Equal(w.now) {
		t.Errorf("%+v %+v as of %s", p.Contract, p.Corrections, r.AsOf)
	}
	if again := w.report(paper.Request{Period: "last-7d", Months: 1, AsOf: w.now.Add(-15 * time.Second)}); again.SLOs[0].Contract.Bad != 6000 {
		t.Errorf("before it was made: %+v", again.SLOs[0].Contract)
	}
}

// A correction that somebody deleted takes nothing out, and is named; one that was touched keeps its mark.
func TestCorrectionsThatWereTouchedAreNamed(t *testing.T) {
	w := newWorld(t, utc(2026, 10, 9, 10, 7), availability("edge", "99.9"))
	w.minutes(utc(2026, 10, 1, 0, 0), utc(2026, 10, 9, 10, 7), map[string]traffic{"edge": during(utc(2026, 10, 8, 12, 0), 10*time.Minute, 1, nil)})
	fix := func(id string, from, made time.Time) model.SLOCorrection {
		return model.SLOCorrection{ID: id, SLO: "edge-ok", Author: "kim", Reason: "of " + id, Start: from, End: from.Add(5 * time.Minute), Created: made, Tampered: "mark of " + id}
	}
	w.fixes = []model.SLOCorrection{fix("kept", utc(2026, 10, 8, 12, 0), utc(2026, 10, 8, 13, 0))}
	w.gone = func() ([]model.SLOCorrection, error) {
		return []model.SLOCorrection{
			fix("deleted", utc(2026, 10, 8, 12, 5), utc(2026, 10, 8, 13, 0)), fix("before the period", utc(2026, 9, 8, 12, 5), utc(2026, 9, 8, 13, 0)),
			fix("made later", utc(2026, 10, 8, 12, 5), utc(2026, 10, 10, 0, 0)),
		}, nil
	}
	r := w.report(paper.Request{Period: "last-7d", Months: 1})
	p := r.SLOs[0]
	if p.Contract.Bad != 3000 || p.Contract.ExcludedMinutes != 5 || len(p.Corrections) != 2 {
		t.Fatalf("%+v %+v", p.Contract, p.Corrections)
	}
	if c := p.Corrections[0]; c.ID != "kept" || c.Tampered != "mark of kept" || c.Minutes != 5 || c.BudgetPoints <= 0 {
		t.Errorf("%+v", c)
	}
	if c := p.Corrections[1]; c.ID != "deleted" || c.Tampered != "mark of deleted" || c.Minutes != 0 || c.BudgetPoints != 0 {
		t.Errorf("%+v", c)
	}
	for _, format := range []string{"md", "text"} {
		f, err := paper.Write(r, format)
		if err != nil || !strings.Contains(string(f.Content), "TAMPERED WITH (mark of deleted): of deleted") {
			t.Errorf("%s: %v\n%s", format, err, f.Content)
		}
	}
	w.gone = func() ([]model.SLOCorrection, error) { return nil, errors.New("the log cannot be read") }
	if r := w.report(paper.Request{Period: "last-7d", Months: 1}); !strings.Contains(strings.Join(r.Notes, "\n"), "deleted from the database is not known: the log cannot be read") {
		t.Errorf("%q", r.Notes)
	}
}

func TestMonthsInATimeZone(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	kathmandu, err := time.LoadLocation("Asia/Kathmandu")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		period  string
		zone    *time.Location
		start   time.Time
		minutes float64
		allowed float64 // at 99.9 %
		days    int
	}{
		{"the clocks go back in October", "2026-10", berlin, utc(2026, 9, 30, 22, 0), 44_700, 44.7, 31},
		{"the clocks go forward in March", "2026-03", berlin, utc(2026, 2, 28, 23, 0), 44_580, 44.58, 31},
		{"October in UTC", "2026-10", time.UTC, utc(2026, 10, 1, 0, 0), 44_640, 44.64, 31},
		{"February of a leap year", "2028-02", time.UTC, utc(2028, 2, 1, 0, 0), 41_760, 41.76, 29},
		{"February of another", "2027-02", time.UTC, utc(2027, 2, 1, 0, 0), 40_320, 40.32, 28},
		{"a quarter", "2026-Q4", berlin, utc(2026, 9, 30, 22, 0), 132_540, 132.54, 92},
		{"a year", "2028", time.UTC, utc(2028, 1, 1, 0, 0), 527_040, 527.04, 366},
		{"a zone that is not whole hours from UTC", "2026-10", kathmandu, utc(2026, 9, 30, 18, 15), 44_640, 44.64, 31},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, utc(2029, 1, 1, 0, 0), availability("edge", "99.9"))
			w.retention = archive.DayWidth
			w.start()
			r := w.report(paper.Request{Period: c.period, Zone: c.zone, Months: 1})
			p := r.SLOs[0]
			if !r.Period.Start.Equal(c.start) || r.Period.Minutes != c.minutes || p.Contract.AllowedMinutes != c.allowed || len(p.Days) != c.days {
				t.Errorf("start %s, %g min, allowed %g, %d days", r.Period.Start.UTC(), r.Period.Minutes, p.Contract.AllowedMinutes, len(p.Days))
			}
		})
	}
}

func TestADayOfTwentyFiveHoursIsOneDay(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, utc(2026, 11, 2, 0, 0), availability("edge", "99.9"))
	// An hour before the clocks go back and the hour after are both 02:30.
	w.minutes(utc(2026, 10, 24, 0, 0), utc(2026, 10, 27, 0, 0), map[string]traffic{"edge": during(utc(2026, 10, 25, 0, 30), 60*time.Minute, 1, nil)})
	r := w.report(paper.Request{Start: time.Date(2026, 10, 25, 0, 0, 0, 0, berlin), End: time.Date(2026, 10, 26, 0, 0, 0, 0, berlin), Zone: berlin, Months: 1})
	p := r.SLOs[0]
	if r.Period.Minutes != 1500 || len(p.Days) != 1 || p.Contract.Total != 1500*600 || p.Contract.UsedMinutes != 60 {
		t.Errorf("%g min, %d days, %+v", r.Period.Minutes, len(p.Days), p.Contract)
	}
	if e := p.Episodes[0]; e.Start.Format(time.RFC3339) != "2026-10-25T02:30:00+02:00" || e.End.Format(time.RFC3339) != "2026-10-25T02:30:00+01:00" || e.Seconds != 3600 {
		t.Errorf("%s to %s", e.Start.Format(time.RFC3339), e.End.Format(time.RFC3339))
	}
}

func TestAPeriodThatIsNotOver(t *testing.T) {
	w := newWorld(t, utc(2026, 10, 11, 0, 0), availability("edge", "99.9"))
	from := utc(2026, 10, 1, 0, 0)
	outage := time.Duration(0)
	run := func(d time.Duration) paper.SLO {
		w = newWorld(t, utc(2026, 10, 11, 0, 0), availability("edge", "99.9"))
		w.minutes(from, w.now, map[string]traffic{"edge": during(utc(2026, 10, 5, 0, 0), d, 1, nil)})
		outage = d
		r := w.report(paper.Request{Period: "this-month", Months: 1})
		if r.Period.Complete || r.Period.ElapsedMinutes != 14_400 {
			t.Errorf("period %+v", r.Period)
		}
		return r.SLOs[0]
	}
	// Of 44.64 min 14.4 would be even for ten days.
	for _, c := range []struct {
		outage time.Duration
		want   paper.Verdict
	}{{10 * time.Minute, paper.OnTrack}, {20 * time.Minute, paper.AtRisk}, {45 * time.Minute, paper.Missed}} {
		if p := run(c.outage); p.Verdict != c.want || p.Contract.AllowedMinutes != 44.64 || p.Contract.UsedMinutes != c.outage.Minutes() || p.Contract.Coverage != 1 {
			t.Errorf("after %s: %s %+v", outage, p.Verdict, p.Contract)
		}
	}
}

func TestRequestsThatMakeNoSense(t *testing.T) {
	w := newWorld(t, utc(2026, 10, 11, 0, 0), availability("edge", "99.9"))
	for _, c := range []struct {
		name string
		req  paper.Request
		want string
	}{
		{"the future", paper.Request{Period: "2026-11"}, "nothing has happened in it yet"},
		{"a month that does not exist", paper.Request{Period: "2026-13"}, "there is no month 2026-13"},
		{"antiquity", paper.Request{Period: "0044"}, "outside the years 1970 to 2200"},
		{"words", paper.Request{Period: "october"}, "write it as 2026-10"},
		{"the wrong way round", paper.Request{Start: w.now, End: w.now.Add(-time.Hour)}, "before end"},
		{"nothing", paper.Request{}, "before end"},
		{"a century", paper.Request{Start: utc(1970, 1, 1, 0, 0), End: w.now}, "more than the 1098"},
		{"nobody", paper.Request{Period: "2026-09", Audience: "bob"}, "neither customer nor internal"},
	} {
		if c.req.Audience == "" {
			c.req.Audience = audienceCustomer
		}
		_, err := w.room.Report(t.Context(), c.req)
		var bad interface{ BadRequest() }
		if err == nil || !errors.As(err, &bad) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if _, err := w.room.Report(t.Context(), paper.Request{Period: "2026-09", Audience: audienceCustomer, SLO: "nope"}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("an unknown SLO: %v", err)
	}
	if r := w.report(paper.Request{Period: "2026-09", Service: "nobody"}); r.Summary != "No SLO matches what was selected." || r.SLOs == nil {
		t.Errorf("none selected: %q", r.Summary)
	}
	w.defs = nil
	if r := w.report(paper.Request{Period: "2026-09"}); !strings.HasPrefix(r.Summary, "No SLOs are in force") {
		t.Errorf("none in force: %q", r.Summary)
	}
}

// The engine that judges live, with a window as long as the period, is the oracle.
func TestFiguresAreTheEnginesOwn(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	w := newWorld(t, utc(2026, 10, 11, 0, 0), availability("edge", "99.9"))
	from := utc(2026, 10, 1, 0, 0)
	w.minutes(from, utc(2026, 10, 9, 0, 0), map[string]traffic{"edge": func(time.Time) float64 {
		if rnd.IntN(50) > 0 {
			return 0
		}
		return float64(rnd.IntN(601)) / 600
	}})
	for range 4 {
		at := from.Add(time.Duration(rnd.IntN(7*1440)) * time.Minute)
		w.fixes = append(w.fixes, model.SLOCorrection{ID: at.String(), SLO: "edge-ok", Kind: "exclusion", Start: at, End: at.Add(time.Duration(1+rnd.IntN(300)) * time.Minute)})
	}
	start, end := utc(2026, 10, 2, 0, 0), utc(2026, 10, 8, 0, 0)
	r := w.report(paper.Request{Start: start, End: end, Months: 1})
	got := r.SLOs[0]
	sixDays := define(t, strings.Replace(availability("edge", "99.9"), "30d", "6d", 1))[0]
	oracle := slo.NewReplay(slo.DefaultConfig(), sixDays, promexpr.NewEvaluator(w.db, time.Minute, nil), nil)
	slices.SortFunc(w.fixes, func(a, b model.SLOCorrection) int { return a.Start.Compare(b.Start) })
	oracle.Correct(w.fixes)
	if err := oracle.Load(t.Context(), end); err != nil {
		t.Fatal(err)
	}
	want, _ := oracle.Judge(t.Context())
	for _, c := range []struct {
		what     string
		got, exp float64
	}{
		{"bad", got.Contract.Bad, want.Budget.Bad},
		{"total", got.Contract.Total, want.Budget.Total},
		{"achieved", *got.Contract.Achieved, want.Budget.SLI},
		{"used", *got.Contract.UsedRatio, want.Budget.UsedRatio},
		{"minutes", got.Contract.AllowedMinutes, want.Budget.Minutes},
		{"bad as felt", got.Felt.Bad, want.Felt.Bad},
		{"used as felt", *got.Felt.UsedRatio, want.Felt.UsedRatio},
	} {
		if math.Abs(c.got-c.exp) > 1e-6*max(1, math.Abs(c.exp)) {
			t.Errorf("%s: %v, the engine says %v", c.what, c.got, c.exp)
		}
	}
}
