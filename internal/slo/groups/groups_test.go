package groups

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/slo/definition"
)

var noon = time.Date(2026, 3, 16, 12, 0, 0, 0, time.UTC)

// byRoute is an SLO of a week with a budget for each value of the labels.
func byRoute(t *testing.T, labels, objective string) *definition.Definition {
	t.Helper()
	defs, problems := definition.Parse("edge.yaml", []byte(fmt.Sprintf(`apiVersion: openslo/v1
kind: SLO
metadata: {name: by-route}
spec:
  service: edge
  budgetingMethod: Occurrences
  timeWindow: [{duration: 7d, isRolling: true}]
  objectives: [{target: %s}]
  indicator:
    spec:
      ratioMetric:
        bad: {metricSource: {spec: {query: 'sum %s (rate(req_total{code="500"}[5m]))'}}}
        total: {metricSource: {spec: {query: 'sum %s (rate(req_total[5m]))'}}}
`, objective, labels, labels)))
	if len(defs) != 1 {
		t.Fatal(problems)
	}
	return defs[0]
}

// site answers which routes sent data, each from a time to another, once every five minutes.
type site struct {
	routes map[string][2]time.Time
	asked  int
	err    error
}

func (s *site) labels(route string) model.Labels {
	return model.Labels{"route": route, "instance": "i1"}
}

func (s *site) Instant(_ context.Context, _ string, at time.Time) (out []model.Sample, err error) {
	s.asked++
	for route, x := range s.routes {
		if !at.Before(x[0]) && !at.After(x[1]) {
			out = append(out, model.Sample{Labels: s.labels(route), Time: at, Value: 1})
		}
	}
	return out, s.err
}

func (s *site) Range(_ context.Context, _ string, from, to time.Time, step time.Duration) (out []model.Series, err error) {
	s.asked++
	for route, x := range s.routes {
		one := model.Series{Labels: s.labels(route)}
		for at := from; !at.After(to); at = at.Add(step) {
			if !at.Before(x[0]) && !at.After(x[1]) {
				one.Points = append(one.Points, model.Point{Time: at, Value: 1})
			}
		}
		out = append(out, one)
	}
	return out, s.err
}

func names(defs []*definition.Definition) (out []string) {
	for _, d := range defs {
		out = append(out, d.Name)
	}
	return out
}

func named(route string) string { return `by-route{route="` + route + `"}` }

// whole lets the groups look until all of the window is looked through.
func whole(t *testing.T, g *Groups, s *site, now time.Time) {
	t.Helper()
	for n := 0; n == 0 || g.reading(now); n++ {
		if err := g.Look(t.Context(), s, now); err != nil {
			t.Fatal(err)
		}
		if n > 8 {
			t.Fatal("it has no end")
		}
	}
}

// The groups of a time are the routes that sent in it, however long it is.
func TestTheGroupsOfATimeAreThoseThatSentInIt(t *testing.T) {
	d := byRoute(t, "by (route)", "0.99")
	rapid.Check(t, func(t *rapid.T) {
		steps := func(what string, most int) time.Duration {
			return time.Duration(rapid.IntRange(0, most).Draw(t, what)) * 5 * time.Minute
		}
		s := &site{routes: map[string][2]time.Time{}}
		for i := range rapid.IntRange(0, 6).Draw(t, "routes") {
			begin := noon.Add(-steps("begins", 2000))
			s.routes[fmt.Sprintf("/%d", i)] = [2]time.Time{begin, begin.Add(steps("lasts", 300))}
		}
		from := noon.Add(-steps("from", 1500))
		var want []string
		for route, x := range s.routes {
			if !x[1].Before(from) && !x[0].After(noon) {
				want = append(want, named(route))
			}
		}
		slices.Sort(want)
		defs, above, err := Within(t.Context(), s, d, from, noon)
		if from.Equal(noon) {
			want = nil // a time that lasts for nothing
		}
		if err != nil || len(above) > 0 || !slices.Equal(names(defs), want) {
			t.Fatalf("from %s: %v %v %v, want %v", from, names(defs), above, err, want)
		}
	})
}

func TestAGroupIsTheSLOOverItsOwnSeries(t *testing.T) {
	g := New(byRoute(t, "by (route)", "0.99"))
	g.Add(model.Labels{"route": `/a"b`, "instance": "i1"}, noon)
	g.Add(model.Labels{"instance": "i2"}, noon) // a series without the label is a group too
	defs := g.Definitions()
	if got := names(defs); !slices.Equal(got, []string{`by-route{route=""}`, `by-route{route="/a\"b"}`}) {
		t.Fatal(got)
	}
	one := defs[1]
	if one.Group.Of != "by-route" || one.Whole() != "by-route" || one.Grouping != nil || !strings.Contains(one.Queries.Total, `route="/a\"b"`) || !strings.Contains(one.Queries.Bad, `route="/a\"b"`) {
		t.Errorf("%+v of %+v", one.Queries, one.Group)
	}
	if g.Labels(one.Name)["route"] != `/a"b` || len(g.Labels(one.Name)) != 1 || !slices.Equal(g.By(), []string{"route"}) {
		t.Errorf("%v by %v", g.Labels(one.Name), g.By())
	}
}

// A hundred are judged, the newest first; the others are named, and one of them takes the place of one that has gone.
func TestAboveTheLimitGroupsAreNamedAndNotMixed(t *testing.T) {
	d := byRoute(t, "by (route)", "0.99")
	s := &site{routes: map[string][2]time.Time{}}
	for i := range Max + 12 {
		begin := noon.Add(-time.Hour)
		if i < 12 {
			begin = noon.Add(-50 * time.Hour) // and ends before the others begin
		}
		s.routes[fmt.Sprintf("/%03d", i)] = [2]time.Time{begin, begin.Add(time.Hour)}
	}
	defs, above, err := Within(t.Context(), s, d, noon.Add(-7*24*time.Hour), noon)
	if err != nil || len(defs) != Max || defs[0].Name != named("/012") || len(above) != 12 || above[0] != named("/000") {
		t.Errorf("%d groups from %s on, above %v, %v", len(defs), defs[0].Name, above, err)
	}
	text := Above(above)
	if !strings.HasPrefix(text, "12 groups above the limit of 100 are not judged: "+named("/000")) || !strings.HasSuffix(text, named("/009")+"; sum by fewer labels.") {
		t.Error(text)
	}
	g := New(d)
	whole(t, g, s, noon)
	if len(g.Definitions()) != Max || !slices.Equal(g.LeftOut(), above) {
		t.Errorf("%d groups, above %v", len(g.Definitions()), g.LeftOut())
	}
	// A week later all have gone but for one of those above.
	later := noon.Add(7*24*time.Hour + time.Minute)
	s.routes["/003"] = [2]time.Time{noon.Add(6 * 24 * time.Hour), later}
	whole(t, g, s, later)
	whole(t, g, s, later.Add(time.Minute))
	s.routes["/003"] = [2]time.Time{noon, later.Add(time.Hour)}
	whole(t, g, s, later.Add(2*time.Minute))
	if got := names(g.Definitions()); !slices.Equal(got, []string{named("/003")}) || len(g.LeftOut()) > 0 {
		t.Errorf("%v, above %v", got, g.LeftOut())
	}
}

func TestLookingIsSparingAndWaitsAfterAnError(t *testing.T) {
	s := &site{routes: map[string][2]time.Time{"/a": {noon.Add(-100 * 24 * time.Hour), noon.Add(time.Hour)}, "/old": {noon.Add(-6 * 24 * time.Hour), noon.Add(-6*24*time.Hour + time.Hour)}}}
	g := New(byRoute(t, "by (route)", "0.99"))
	whole(t, g, s, noon)
	if got := names(g.Definitions()); !slices.Equal(got, []string{named("/a"), named("/old")}) {
		t.Error(got)
	}
	if s.asked != 8 { // once for now and once for each day
		t.Errorf("asked %d times for a week", s.asked)
	}
	for _, after := range []time.Duration{time.Second, 9 * time.Second} {
		s.asked = 0
		if err := g.Look(t.Context(), s, noon.Add(after)); err != nil || s.asked != 0 {
			t.Errorf("after %s: asked %d times, %v", after, s.asked, err)
		}
	}
	s.err, s.asked = errors.New("the store is closed"), 0
	if err := g.Look(t.Context(), s, noon.Add(10*time.Second)); !errors.Is(err, s.err) || s.asked != 1 {
		t.Errorf("asked %d times, %v", s.asked, err)
	}
	if err := g.Look(t.Context(), s, noon.Add(19*time.Second)); err != nil || s.asked != 1 {
		t.Errorf("asked again at once: %d times, %v", s.asked, err)
	}
	if _, _, err := Within(t.Context(), s, g.def, noon.Add(-time.Hour), noon); !errors.Is(err, s.err) || !strings.HasPrefix(err.Error(), "groups of SLO by-route: ") {
		t.Error(err)
	}
	if _, _, err := Expand(t.Context(), s, []*definition.Definition{g.def}, noon.Add(-time.Hour), noon); !errors.Is(err, s.err) {
		t.Error(err)
	}
}

// A route that is gone has ended an hour after it was seen last; where all are silent none has.
func TestAGroupEndsWhileOthersSend(t *testing.T) {
	g := New(byRoute(t, "by (route)", "0.99"))
	g.Add(model.Labels{"route": "/a"}, noon)
	g.Add(model.Labels{"route": "/a"}, noon.Add(-2*time.Hour)) // seen in history later, which is no news
	g.Add(model.Labels{"route": "/b"}, noon.Add(-30*time.Minute))
	for _, c := range []struct {
		after time.Duration
		a, b  bool
	}{{0, false, false}, {30*time.Minute - 1, false, false}, {30 * time.Minute, false, true}, {time.Hour - 1, false, true}, {time.Hour, false, false}, {20 * time.Hour, false, false}} {
		if a, b := g.Ended(named("/a"), noon.Add(c.after)), g.Ended(named("/b"), noon.Add(c.after)); a != c.a || b != c.b {
			t.Errorf("after %s: ended %t and %t, want %t and %t", c.after, a, b, c.a, c.b)
		}
	}
}

func TestGroupsFollowADefinitionThatIsLoadedAgain(t *testing.T) {
	g := New(byRoute(t, "by (route)", "0.99"))
	g.Add(model.Labels{"route": "/a"}, noon)
	g.Follow(byRoute(t, "by (route)", "0.999"))
	if got := g.Definitions(); len(got) != 1 || got[0].Objective != 0.999 || got[0].Name != named("/a") {
		t.Errorf("another objective: %v", names(got))
	}
	g.Follow(byRoute(t, "by (route, method)", "0.999"))
	if got := g.Definitions(); len(got) != 0 || !slices.Equal(g.By(), []string{"method", "route"}) && !slices.Equal(g.By(), []string{"route", "method"}) {
		t.Errorf("other labels: %v by %v", names(got), g.By())
	}
}

func TestSLOsAreReplacedByTheirGroupsAndWhatIsLeftOutIsSaid(t *testing.T) {
	d, plain := byRoute(t, "by (route)", "0.99"), byRoute(t, "", "0.99")
	plain.Name = "plain"
	s := &site{routes: map[string][2]time.Time{"/b": {noon.Add(-time.Hour), noon}, "/a": {noon.Add(-time.Hour), noon}}}
	out, notes, err := Expand(t.Context(), s, []*definition.Definition{plain, d}, noon.Add(-time.Hour), noon)
	if want := []string{"plain", named("/a"), named("/b")}; err != nil || len(notes) > 0 || !slices.Equal(names(out), want) {
		t.Errorf("%v %v %v, want %v", names(out), notes, err, want)
	}
	for i := range Max {
		s.routes[fmt.Sprintf("/%03d", i)] = s.routes["/a"]
	}
	out, notes, err = Expand(t.Context(), s, []*definition.Definition{d}, noon.Add(-time.Hour), noon)
	if err != nil || len(out) != Max || len(notes) != 1 || !strings.HasPrefix(notes[0], "SLO by-route: 2 groups above the limit of 100") {
		t.Errorf("%d %v %v", len(out), notes, err)
	}
	out, notes, err = Expand(t.Context(), &site{}, []*definition.Definition{d}, noon.Add(-time.Hour), noon)
	if err != nil || len(out) != 1 || out[0] != d || len(notes) != 1 || !strings.Contains(notes[0], "none of its groups is known in that time: they are counted together") {
		t.Errorf("%v %v %v", names(out), notes, err)
	}
}
