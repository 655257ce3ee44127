package report

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/report/paper"
)

// An SLO that sums by service is reported for each: one of two misses 99.9 % of October, which allows 44.64 min, by an hour.
func TestEachGroupIsReportedByItself(t *testing.T) {
	doc := strings.NewReplacer("sum(", "sum by (service) (", `service="edge",`, "", `{service="edge"}`, "").Replace(availability("edge", "99.9"))
	w := newWorld(t, utc(2026, 11, 2, 9, 0), doc)
	w.minutes(utc(2026, 9, 30, 0, 0), utc(2026, 11, 2, 9, 0), map[string]traffic{
		"a": steady(0), "b": during(utc(2026, 10, 12, 10, 0), time.Hour, 1, nil),
	})
	w.fixes = []model.SLOCorrection{{ID: "1", SLO: "edge-ok", Kind: "maintenance", Author: "kim", Reason: "disks", Start: utc(2026, 10, 12, 10, 50), End: utc(2026, 10, 12, 11, 0), Created: utc(2026, 10, 1, 8, 0)}}
	r := w.report(paper.Request{Period: "2026-10"})
	var names []string
	for _, p := range r.SLOs {
		names = append(names, p.Name)
		verdict, used := paper.Met, 0.0
		if strings.Contains(p.Name, `"b"`) {
			verdict, used = paper.Missed, 50
		}
		if p.Verdict != verdict || p.Contract.UsedMinutes != used {
			t.Errorf("%s is %s with %v min used, want %s with %v", p.Name, p.Verdict, p.Contract.UsedMinutes, verdict, used)
		}
	}
	slices.Sort(names)
	if !slices.Equal(names, []string{`edge-ok{service="a"}`, `edge-ok{service="b"}`}) {
		t.Errorf("reported are %v", names)
	}
	one := w.report(paper.Request{Period: "2026-10", SLO: `edge-ok{service="b"}`})
	if len(one.SLOs) != 1 || one.SLOs[0].Name != `edge-ok{service="b"}` {
		t.Errorf("asked for one group: %+v", one.SLOs)
	}
	if _, err := w.room.Report(t.Context(), paper.Request{Audience: audienceCustomer, Period: "2026-10", SLO: `edge-ok{service="z"}`}); err == nil {
		t.Error("a group that is not there was reported")
	}
}
