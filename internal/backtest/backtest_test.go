package backtest

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/model"
)

// TestAlertsFallWhereFirstPrinciplesSay: with clean history and steady traffic
// a full outage fires a row after factor × (1 - target) × long and the row ends
// short × (1 - factor × (1 - target)) after it, each at the next minute.
func TestAlertsFallWhereFirstPrinciplesSay(t *testing.T) {
	for _, c := range []struct {
		window string
		days   int
		// Minutes by hand, rows in the order of the table. 30 d: 14.4, 6, 3, 1. 28 d: 13.44, 5.6, 2.8, 0.9333.
		fires, ends [4]float64
	}{
		{"30d", 30, [4]float64{4.32, 10.8, 21.6, 21.6}, [4]float64{4.64, 29.1, 118.2, 358.2}},
		{"28d", 28, [4]float64{4.032, 10.08, 20.16, 20.16}, [4]float64{4.664, 29.16, 118.32, 358.32}},
	} {
		t.Run(c.window, func(t *testing.T) {
			p := newPast(t)
			window := time.Duration(c.days) * day
			p.cfg.BurnAlerts = workbook(window)
			begin := epoch.Add(-window)
			outage := epoch.Add(3 * time.Hour)
			p.minutes("edge", begin, slices.Concat(clean(outage.Sub(begin), 0), clean(30*time.Minute, 1), clean(8*time.Hour, 0)))
			got := p.result(Request{
				Set: Set{SLOs: []Document{document("edge", "99.5", c.window)}}, Start: epoch, End: epoch.Add(11 * time.Hour),
			})
			next := func(from time.Time, minutes float64) time.Time {
				return from.Add(time.Duration(math.Ceil(minutes)) * time.Minute)
			}
			alerts := got.Sets[0].Alerts
			if len(alerts) != 4 {
				t.Fatalf("%d alerts: %+v", len(alerts), alerts)
			}
			for i, row := range p.cfg.BurnAlerts {
				k := slices.IndexFunc(alerts, func(a Alert) bool { return a.Name == row.Name })
				start, end := next(outage, c.fires[i]), next(outage.Add(30*time.Minute), c.ends[i])
				if a := alerts[k]; !a.Start.Equal(start) || a.End == nil || !a.End.Equal(end) || a.Seconds != end.Sub(start).Seconds() {
					t.Errorf("%s: %s to %v, want %s to %s", row.Name, a.Start, a.End, start, end)
				}
			}
			// 30 min of full outage of a budget of window × 0.5 %.
			oneSLO := got.Sets[0].SLOs[0]
			if want := 30 / (window.Minutes() * 0.005); math.Abs(*oneSLO.UsedAtEnd-want) > 1e-4 || *oneSLO.UsedAtStart != 0 {
				t.Errorf("used %v at the start, %v at the end, want 0 and %v", *oneSLO.UsedAtStart, *oneSLO.UsedAtEnd, want)
			}
			if oneSLO.Bad != 30*600 || oneSLO.Total != 11*60*600 {
				t.Errorf("bad %v, total %v", oneSLO.Bad, oneSLO.Total)
			}
		})
	}
}

// TestAnOutageFiresExactlyWhenItIsLongEnough is a property of every objective
// and length: a full outage fires the fast row iff it lasts long enough to bring
// the hour to the factor, and at that minute.
func TestAnOutageFiresExactlyWhenItIsLongEnough(t *testing.T) {
	p := newPast(t)
	p.cfg.BurnAlerts = p.cfg.BurnAlerts[:1] // 14× over 1 h and 5 m
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		objective := rapid.SampledFrom([]string{"95", "99", "99.5", "99.9"}).Draw(t, "objective")
		allowed := map[string]float64{"95": 0.05, "99": 0.01, "99.5": 0.005, "99.9": 0.001}[objective]
		length := rapid.IntRange(1, 60).Draw(t, "minutes of outage")
		share := rapid.SampledFrom([]float64{1, 0.9}).Draw(t, "share of failures")
		service := "s" + string(rune('a'+n%26)) + string(rune('a'+n/26%26)) + string(rune('a'+n/676))
		p.minutes(service, epoch.Add(-2*time.Hour), slices.Concat(clean(2*time.Hour, 0), clean(time.Duration(length)*time.Minute, share), clean(2*time.Hour, 0)))
		got := p.result(Request{
			Set: Set{SLOs: []Document{document(service, objective, "28d")}}, Start: epoch.Add(-time.Minute), End: epoch.Add(2 * time.Hour),
		})
		needed := int(math.Ceil(14*allowed*60/share - 1e-9))
		alerts := got.Sets[0].Alerts
		switch {
		case length < needed && len(alerts) > 0:
			t.Fatalf("%d minutes of outage are fewer than %d, but %+v", length, needed, alerts)
		case length >= needed && (len(alerts) != 1 || !alerts[0].Start.Equal(epoch.Add(time.Duration(needed)*time.Minute))):
			t.Fatalf("want an alert after %d minutes, got %+v", needed, alerts)
		}
	})
}

// story is a day with a short outage, a long one and a silence.
func story(t *testing.T) *past {
	p := newPast(t)
	begin := epoch.Add(-28 * day)
	bad := slices.Concat(clean(28*day+4*time.Hour, 0), clean(20*time.Minute, 1), clean(6*time.Hour, 0), clean(3*time.Hour, 1),
		clean(time.Hour, 0), clean(2*time.Hour, math.NaN()), clean(4*time.Hour, 0))
	p.minutes("edge", begin, bad)
	at := epoch.Add
	p.deploys = []model.Deploy{
		{ID: "1", Time: at(2*time.Hour + 20*time.Second), Service: "edge", Version: "1", Kind: "deploy"},
		{ID: "2", Time: at(4*time.Hour + 10*time.Minute), Service: "edge", Version: "2", Kind: "deploy"},
		{ID: "3", Time: at(4*time.Hour + 12*time.Minute), Service: "edge", Version: "1", Kind: "rollback"},
		{ID: "4", Time: at(14*time.Hour + 10*time.Minute), Service: "edge", Version: "3", Kind: "deploy"},
		{ID: "5", Time: at(14*time.Hour + 11*time.Minute), Service: "edge", Version: "4", Kind: "deploy", Labels: map[string]string{"critical": "true"}},
		{ID: "6", Time: at(15 * time.Hour), Service: "edge", Version: "5", Kind: "deploy"},
		{ID: "7", Time: at(3 * time.Hour), Service: "nobody", Version: "1", Kind: "deploy"},
	}
	slices.SortFunc(p.deploys, func(a, b model.Deploy) int { return a.Time.Compare(b.Time) })
	return p
}

func TestDeploymentsAreAskedAboutAsTheyHappened(t *testing.T) {
	p := story(t)
	got := p.result(Request{Set: Set{SLOs: []Document{document("edge", "99.5", "28d")}}, Start: epoch, End: epoch.Add(16 * time.Hour)})
	verdicts := map[string]model.Verdict{}
	for _, d := range got.Sets[0].Deploys {
		verdicts[d.Deploy.ID] = d.Verdict
		if d.Summary == "" || len(d.Reasons) == 0 {
			t.Errorf("no reasons: %+v", d)
		}
	}
	// 2 falls into the first outage. 4 and 5 come when the second one is over and 200 min of a budget
	// of 201.6 min are used: nothing but critical fixes. 6 comes in the silence after it, which is no
	// all-clear. Nobody promised anything for 7.
	want := map[string]model.Verdict{
		"1": model.VerdictAllow, "2": model.VerdictBlock, "4": model.VerdictHold, "5": model.VerdictAllow,
		"6": model.VerdictBlock, "7": model.VerdictInsufficient,
	}
	if diff := cmp.Diff(want, verdicts); diff != "" {
		t.Errorf("verdicts (-want +got):\n%s", diff)
	}
}

func TestTimeInBandsAddsUp(t *testing.T) {
	p := story(t)
	got := p.result(Request{Set: Set{SLOs: []Document{document("edge", "99.5", "28d")}}, Start: epoch, End: epoch.Add(18 * time.Hour), Step: 5 * time.Minute})
	oneSLO := got.Sets[0].SLOs[0]
	sum := oneSLO.Unknown
	by := map[string]float64{}
	for _, b := range oneSLO.Bands {
		sum += b.Seconds
		by[b.Name] = b.Seconds / 60
	}
	if sum != (18 * time.Hour).Seconds() {
		t.Errorf("bands and unknown time are %v s of %v", sum, (18 * time.Hour).Seconds())
	}
	// Above 50 % from 100.8 min of outage on: 80.8 min into the second one, at
	// 10 h 20 min + 80.8 min; above 75 % from 151.2 min on.
	if by["normal"] != 11*60+40 || by["caution"] != 50 || by["critical-fixes-only"] == 0 || by["freeze"] != 0 {
		t.Errorf("minutes by band %v", by)
	}
	// Two hours of silence are known as such five minutes in.
	if oneSLO.Unknown < (110*time.Minute).Seconds() || oneSLO.Unknown > (120*time.Minute).Seconds() {
		t.Errorf("%v s unknown", oneSLO.Unknown)
	}
}

func TestTwoSetsAreComparedLineByLine(t *testing.T) {
	p := story(t)
	got := p.result(Request{
		Set:     Set{SLOs: []Document{document("edge", "99.5", "28d")}},
		Compare: &Set{SLOs: []Document{document("edge", "99", "28d")}},
		Start:   epoch, End: epoch.Add(18 * time.Hour),
	})
	by := map[string]Difference{}
	for _, d := range got.Difference {
		if d.Difference != d.B-d.A {
			t.Errorf("%+v", d)
		}
		by[d.What] = d
	}
	if d := by["edge-ok: budget used at the end"]; math.Abs(d.A-2*d.B) > 1e-6 || d.A < 90 {
		t.Errorf("half the objective's budget is used twice as fast: %+v", d)
	}
	if d := by["pages"]; d.A == 0 || d.B == 0 || d.A < d.B {
		t.Errorf("pages %+v", d)
	}
	if by["time paged"].A <= by["time paged"].B {
		t.Errorf("a looser SLO pages for longer: %+v", by["time paged"])
	}
}

func TestTheSameRequestHasTheSameResult(t *testing.T) {
	p := story(t)
	req := Request{
		Set:     Set{SLOs: []Document{document("edge", "99.5", "28d"), document("other", "99", "7d")}},
		Compare: &Set{}, Start: epoch, End: epoch.Add(18 * time.Hour), Step: 2 * time.Minute,
	}
	first := p.result(req)
	if diff := cmp.Diff(first, p.result(req)); diff != "" {
		t.Errorf("two runs differ:\n%s", diff)
	}
	for _, d := range first.Difference {
		if d.Difference != 0 {
			t.Errorf("a set differs from itself: %+v", d)
		}
	}
}

// BenchmarkAMonthOfTwentySLOs replays 30 days at a minute's step.
func BenchmarkAMonthOfTwentySLOs(b *testing.B) {
	p := newPast(b)
	var set Set
	for i := range 20 {
		service := fmt.Sprintf("s%02d", i)
		p.minutes(service, epoch.Add(-58*day), slices.Concat(clean(40*day, 0.001), clean(30*time.Minute, 1), clean(17*day, 0)))
		set.SLOs = append(set.SLOs, document(service, "99.5", "28d"))
	}
	for b.Loop() {
		p.result(Request{Set: set, Start: epoch.Add(-30 * day), End: epoch})
	}
}
