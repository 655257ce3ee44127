package backtest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
)

// An SLO that sums by service has one budget for each, in a backtest as live: the one that fails pages, and the
// gate holds up its deployments by name.
func TestEachGroupIsReplayedByItself(t *testing.T) {
	p := newPast(t)
	begin := epoch.Add(-6 * time.Hour)
	p.minutes("a", begin, clean(10*time.Hour, 0))
	p.minutes("b", begin, slices.Concat(clean(7*time.Hour, 0), clean(time.Hour, 0.5), clean(2*time.Hour, 0)))
	p.deploys = []model.Deploy{{ID: "1", Time: epoch.Add(2 * time.Hour), Service: "edge", Version: "1", Kind: "deploy"}}
	doc := document("edge", "99.5", "28d")
	doc.Text = strings.NewReplacer(`sum(`, `sum by (service) (`, `service="edge",status="error"`, `status="error"`, `service="edge"`, ``).Replace(doc.Text)
	got := p.result(Request{Set: Set{SLOs: []Document{doc}}, Start: epoch, End: epoch.Add(4 * time.Hour)})
	out := got.Sets[0]
	var names []string
	for _, s := range out.SLOs {
		names = append(names, s.Name)
		want := 0.0
		if strings.Contains(s.Name, `"b"`) {
			want = 60 * 300 // half of 600 a minute for an hour
		}
		if s.Bad != want || s.Total != 4*60*600 {
			t.Errorf("%s counted %v of %v, want %v", s.Name, s.Bad, s.Total, want)
		}
	}
	if !slices.Equal(names, []string{`edge-ok{service="a"}`, `edge-ok{service="b"}`}) {
		t.Errorf("replayed were %v", names)
	}
	if len(out.Alerts) == 0 {
		t.Error("nobody was paged")
	}
	for _, a := range out.Alerts {
		// The service of the alert is the group's; whose SLO it is stands beside it.
		if a.SLO != "edge-ok" || a.Service != "edge" || a.Labels["service"] != "b" || a.Start.Before(epoch.Add(time.Hour)) {
			t.Errorf("alert %v at %s", a.Labels, a.Start)
		}
	}
	if d := out.Deploys; len(d) != 1 || d[0].Verdict != model.VerdictBlock || !strings.Contains(d[0].Summary, `edge-ok{service="b"}`) {
		t.Errorf("the gate says %+v", d)
	}
}
