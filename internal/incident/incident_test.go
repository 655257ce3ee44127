package incident

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/state"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// edges are calls: who calls, and who is called.
type edges [][2]string

func (e edges) Edges(context.Context, string, store.Range) (out []model.Edge, _ error) {
	for _, c := range e {
		out = append(out, model.Edge{Client: c[0], Server: c[1], Calls: 1000})
	}
	return out, nil
}

type owners map[string][]string

func (o owners) Of(_ context.Context, s string) ([]string, error) { return o[s], nil }

type fixture struct {
	*Room
	state *state.Store
	now   time.Time
}

func setup(t *testing.T, calls ...[2]string) *fixture {
	t.Helper()
	s, err := state.Open(t.Context(), state.Config{Dir: t.TempDir()}, state.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	f := &fixture{state: s, now: start}
	f.restart(t, calls...)
	if _, err := f.begun(t.Context()); err != nil {
		t.Fatal(err)
	}
	return f
}

// restart forgets everything that is not on the disk.
func (f *fixture) restart(t *testing.T, calls ...[2]string) {
	t.Helper()
	var err error
	if f.Room, err = New(Deps{
		Documents: f.state, Pages: f.state, Edges: edges(calls), Owners: owners{"pay": {"team-a"}, "trade": {"team-b"}}, Now: func() time.Time { return f.now },
	}); err != nil {
		t.Fatal(err)
	}
}

// page is saved as the recorder saves it; it tells the room if tell.
func (f *fixture) page(t *testing.T, id, service, severity string, how ...func(*model.Page)) model.Page {
	t.Helper()
	p := model.Page{
		ID: id, DedupKey: "group of " + id, Time: f.now, Updated: f.now, Status: "firing", Severity: severity, Service: service,
		Title: "Burn on " + service, Summary: service + " is down",
		Alerts: []model.PageAlert{{
			Fingerprint: "f-" + id, Status: "firing", StartsAt: f.now.Add(-time.Minute),
			Labels: model.Labels{"alertname": "Burn", "service": service, "env": "prod", "severity": severity, "namespace": map[string]string{"pay": "team-a", "trade": "team-b"}[service]},
		}},
	}
	for _, h := range how {
		h(&p)
	}
	if err := f.state.SavePage(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	f.Changed(p)
	return p
}

func region(name string) func(*model.Page) {
	return func(p *model.Page) { p.Alerts[0].Labels["region"] = name }
}

func (f *fixture) end(t *testing.T, p model.Page) {
	t.Helper()
	at := f.now
	p.Status, p.ResolvedAt = "resolved", &at
	if err := f.state.SavePage(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	f.Changed(p)
}

// see looks at what changed, and answers all incidents, the oldest first.
func (f *fixture) see(t *testing.T, all bool) []Incident {
	t.Helper()
	if err := f.look(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	list, _, err := f.List(t.Context(), Query{Limit: 500})
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(list)
	return list
}

func TestAPageThatWakesOpensAnIncident(t *testing.T) {
	f := setup(t)
	f.page(t, "p1", "edge", "warning")
	if got := f.see(t, true); len(got) != 0 {
		t.Fatalf("a warning opened %+v", got)
	}
	f.now = start.Add(time.Minute)
	p := f.page(t, "p2", "edge", "critical")
	got := f.see(t, false)
	if len(got) != 1 {
		t.Fatalf("%d incidents", len(got))
	}
	i := got[0]
	if i.Title != "edge is down" || i.Severity != "P0" || i.Status != Open || i.Environment != "prod" || !slices.Equal(i.Services, []string{"edge"}) ||
		!i.Times.Started.Equal(start) || !i.Times.Detected.Equal(f.now) || i.Pages.Firing != 1 || i.Origin.Page != "p2" {
		t.Errorf("%+v", i)
	}
	// The warning that still fires is about the same service.
	if got = f.see(t, true); len(got) != 1 || got[0].Pages.Count != 2 || got[0].Pages.List[0].Why != "it is about edge, too" {
		t.Fatalf("%+v", got)
	}
	f.now = f.now.Add(time.Minute)
	if _, err := f.state.AckPage(t.Context(), "p2", "user:ann", f.now); err != nil {
		t.Fatal(err)
	}
	if got = f.see(t, true); got[0].Times.Acknowledged == nil || !got[0].Times.Acknowledged.Equal(f.now) || got[0].Pages.List[1].AckedBy != "user:ann" {
		t.Errorf("acknowledged: %+v", got[0])
	}
	f.Changed(p) // as a delivery saw it that was under way
	if got = f.see(t, false); got[0].Pages.List[1].AckedBy != "user:ann" {
		t.Errorf("no more acknowledged: %+v", got[0].Pages.List[1])
	}
	f.now = f.now.Add(time.Minute)
	ended := f.now
	f.end(t, p)
	w, _ := f.state.Page(t.Context(), "p1")
	f.end(t, w)
	if got = f.see(t, false); got[0].Status != Mitigated || !got[0].Times.Mitigated.Equal(ended) {
		t.Errorf("mitigated: %+v", got[0])
	}
	f.now = f.now.Add(quiet - time.Second)
	if got = f.see(t, true); got[0].Status != Mitigated {
		t.Errorf("resolved early: %+v", got[0])
	}
	f.now = f.now.Add(time.Second)
	if got = f.see(t, true); got[0].Status != Resolved || !got[0].Times.Mitigated.Equal(ended) {
		t.Errorf("resolved: %+v", got[0])
	}
	f.page(t, "p3", "edge", "critical")
	if got = f.see(t, false); len(got) != 2 {
		t.Errorf("what comes after the end is another: %d", len(got))
	}
}

func TestAPageThatComesAgainOpensItAgain(t *testing.T) {
	f := setup(t)
	f.end(t, f.page(t, "p1", "edge", "critical"))
	if got := f.see(t, false); len(got) != 1 || got[0].Status != Mitigated {
		t.Fatalf("a page that ended before anybody looked: %+v", got)
	}
	f.now = start.Add(10 * time.Minute)
	f.page(t, "p2", "edge", "critical")
	if got := f.see(t, false); len(got) != 1 || got[0].Status != Open || got[0].Times.Mitigated != nil {
		t.Errorf("%+v", got)
	}
}

func TestWhatBelongsTogether(t *testing.T) {
	for _, c := range []struct {
		name  string
		calls [][2]string
		then  func(f *fixture, t *testing.T)
		want  int
		why   string
	}{
		{"another service", nil, func(f *fixture, t *testing.T) { f.page(t, "p2", "mail", "critical") }, 2, ""},
		{"who calls it", [][2]string{{"mail", "edge"}}, func(f *fixture, t *testing.T) { f.page(t, "p2", "mail", "critical") }, 1, "mail depends on edge"},
		{"who calls it by way of others", [][2]string{{"mail", "a"}, {"a", "b"}, {"b", "edge"}}, func(f *fixture, t *testing.T) { f.page(t, "p2", "mail", "critical") }, 1, "mail depends on edge"},
		{"what it calls", [][2]string{{"edge", "mail"}}, func(f *fixture, t *testing.T) { f.page(t, "p2", "mail", "warning") }, 1, "edge depends on mail"},
		{"who has a callee in common", [][2]string{{"edge", "db"}, {"mail", "db"}}, func(f *fixture, t *testing.T) { f.page(t, "p2", "mail", "critical") }, 2, ""},
		{"who calls it, much later", [][2]string{{"mail", "edge"}}, func(f *fixture, t *testing.T) {
			f.now = f.now.Add(joinWithin + time.Second)
			f.page(t, "p2", "mail", "critical")
		}, 2, ""},
		{"another environment", nil, func(f *fixture, t *testing.T) {
			f.page(t, "p2", "edge", "critical", func(p *model.Page) { p.Alerts[0].Labels["env"] = "test" })
		}, 2, ""},
		{"one that names no environment", nil, func(f *fixture, t *testing.T) {
			f.page(t, "p2", "edge", "critical", func(p *model.Page) { delete(p.Alerts[0].Labels, "env") })
		}, 1, "it is about edge, too"},
		{"the group that paged before", nil, func(f *fixture, t *testing.T) {
			p, _ := f.state.Page(t.Context(), "p1")
			f.end(t, p)
			f.page(t, "p2", "", "critical", func(p *model.Page) { p.DedupKey = "group of p1" })
		}, 1, "its alert group paged before"},
		{"the region at once", nil, func(f *fixture, t *testing.T) {
			f.now = f.now.Add(time.Minute)
			f.page(t, "p2", "mail", "critical", region("eu-1"))
		}, 1, "the region eu-1 paged for several services at once"},
		{"the region later", nil, func(f *fixture, t *testing.T) {
			f.now = f.now.Add(burst + time.Second)
			f.page(t, "p2", "mail", "critical", region("eu-1"))
		}, 2, ""},
		{"another region at once", nil, func(f *fixture, t *testing.T) { f.page(t, "p2", "mail", "critical", region("us-1")) }, 2, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := setup(t, c.calls...)
			f.page(t, "p1", "edge", "critical", region("eu-1"))
			f.see(t, false)
			c.then(f, t)
			got := f.see(t, false)
			if len(got) != c.want {
				t.Fatalf("%d incidents", len(got))
			}
			if list := got[0].Pages.List; c.want == 1 && list[len(list)-1].Why != c.why {
				t.Errorf("why: %q", list[len(list)-1].Why)
			}
		})
	}
}

// A kill at every place where something is written: whatever was kept, the next look brings everything into order, and no page opens two.
func TestAKillLosesNothingAndOpensNothingTwice(t *testing.T) {
	for cut := range 8 {
		f := setup(t)
		docs := &cutOff{DocumentStore: f.state, left: cut}
		f.deps.Documents = docs
		for i := range 3 {
			f.page(t, fmt.Sprint("p", i), fmt.Sprint("s", i), "critical")
			_ = f.look(t.Context(), i == 2) // some of them fail
		}
		f.restart(t)
		got := f.see(t, true)
		pages := 0
		for _, i := range got {
			pages += i.Pages.Count
		}
		if len(got) != 3 || pages != 3 {
			t.Errorf("cut after %d: %d incidents, %d pages", cut, len(got), pages)
		}
	}
}

type cutOff struct {
	store.DocumentStore
	left int
}

func (c *cutOff) SaveDocuments(ctx context.Context, docs ...store.Document) ([]store.Document, error) {
	if c.left--; c.left < 0 {
		return nil, errors.New("killed")
	}
	return c.DocumentStore.SaveDocuments(ctx, docs...)
}

func TestOldPagesOpenNothing(t *testing.T) {
	f := setup(t)
	f.now = start.Add(-time.Hour) // before incidents were kept
	old, fires := f.page(t, "p1", "edge", "critical"), f.page(t, "p2", "mail", "critical")
	f.now = start.Add(-time.Minute)
	f.end(t, old)
	f.now = start
	f.restart(t)
	if got := f.see(t, true); len(got) != 1 || got[0].Origin.Page != fires.ID {
		t.Errorf("%+v", got)
	}
}

// A region is down: hundreds of groups, thousands of alerts, at once and in any order.
func TestARegionThatFailsIsOneIncident(t *testing.T) {
	f := setup(t)
	const groups, alerts = 120, 84
	var all sync.WaitGroup
	for g := range groups {
		p := model.Page{
			ID: fmt.Sprintf("p%03d", g), DedupKey: fmt.Sprint(g), Time: start.Add(time.Duration(g) * time.Second / 10), Status: "firing", Severity: "critical", Service: fmt.Sprint("svc-", g),
			Title: "Down",
		}
		for a := range alerts {
			p.Alerts = append(p.Alerts, model.PageAlert{Status: "firing", StartsAt: start, Labels: model.Labels{"alertname": "Down", "region": "eu-1", "env": "prod", "service": p.Service, "instance": fmt.Sprint(a)}})
		}
		all.Go(func() {
			if err := f.state.SavePage(t.Context(), p); err != nil {
				t.Error(err)
			}
			f.Changed(p)
			if g%50 == 0 {
				_ = f.look(t.Context(), false)
			}
		})
	}
	all.Wait()
	got := f.see(t, true)
	var pages, sum int
	for _, i := range got {
		pages, sum = pages+i.Pages.Count, sum+i.Pages.Alerts
	}
	if pages != groups || sum != groups*alerts {
		t.Errorf("%d pages with %d alerts", pages, sum)
	}
	if len(got) != 1 {
		t.Errorf("%d incidents", len(got))
	}
	if len(f.pending) != 0 {
		t.Errorf("%d are remembered", len(f.pending))
	}
}

func TestPeopleHaveTheLastWord(t *testing.T) {
	f, ctx := setup(t), t.Context()
	p := f.page(t, "p1", "edge", "critical")
	id := f.see(t, false)[0].ID
	sev, title := "P3", "  A test "
	if _, err := f.Edit(ctx, id, Edit{Severity: &sev, Title: &title, Roles: &Roles{Commander: "ann"}, By: "ann"}); err != nil {
		t.Fatal(err)
	}
	f.now = start.Add(time.Minute)
	f.page(t, "p2", "edge", "critical")
	i := f.see(t, false)[0]
	if i.Severity != "P3" || i.Title != "A test" || i.Times.Acknowledged == nil || !i.Times.Acknowledged.Equal(start) {
		t.Errorf("%+v", i)
	}
	if _, err := f.SetStatus(ctx, id, Resolved, "a drill", "ann"); err != nil {
		t.Fatal(err)
	}
	f.now = start.Add(2 * time.Minute)
	f.end(t, p)
	i = f.see(t, true)[0]
	if i.Status != Resolved || i.Pages.Firing != 1 || !i.Times.Resolved.Equal(start.Add(time.Minute)) {
		t.Errorf("%+v", i)
	}
	if i, err := f.SetStatus(ctx, id, Open, "", "ann"); err != nil || i.Times.Resolved != nil || i.Times.Mitigated != nil {
		t.Errorf("%+v %v", i, err)
	}
	q, _ := f.state.Page(ctx, "p2")
	f.now = start.Add(3 * time.Minute)
	f.end(t, q)
	if i = f.see(t, true)[0]; i.Status != Mitigated {
		t.Errorf("reopened, and then all pages ended: %+v", i)
	}
	for _, bad := range []error{
		second(f.SetStatus(ctx, id, Mitigated, "", "ann")), second(f.SetStatus(ctx, id, "gone", "", "ann")), second(f.SetStatus(ctx, id, Open, "", "")),
		second(f.Note(ctx, id, " ", false, "ann")), second(f.Open(ctx, Order{Title: " ", By: "ann"})), second(f.Open(ctx, Order{Title: "x"})),
		second(f.Open(ctx, Order{Title: "x", By: "ann", Started: f.now.Add(time.Second)})), second(f.Edit(ctx, id, Edit{By: "ann", Links: &[]Link{{Href: "javascript:x"}}})),
	} {
		var mine interface{ BadRequest() }
		if !errors.As(bad, &mine) {
			t.Errorf("%v", bad)
		}
	}
}

func second(_ Incident, err error) error { return err }

func TestMergeAndSplit(t *testing.T) {
	f, ctx := setup(t), t.Context()
	f.page(t, "p1", "edge", "critical")
	p2 := f.page(t, "p2", "mail", "critical")
	list := f.see(t, false)
	if len(list) != 2 {
		t.Fatal(len(list))
	}
	one, two := list[0].ID, list[1].ID
	if got, err := f.Merge(ctx, two, one, "ann"); err != nil || got.ID != one || got.Pages.Count != 2 || !slices.Equal(got.Services, []string{"edge", "mail"}) {
		t.Fatalf("%+v %v", got, err)
	}
	f.now = start.Add(time.Minute)
	f.end(t, p2)
	if err := f.look(ctx, true); err != nil {
		t.Fatal(err)
	}
	got, err := f.Incident(ctx, one)
	if err != nil || got.Pages.Firing != 1 {
		t.Errorf("the end of a page that moved: %+v %v", got.Pages, err)
	}
	moved := "p2"
	if got.Services[0] != "edge" {
		t.Error(got.Services)
	}
	out, err := f.Split(ctx, one, []string{moved}, "Mail alone", "ann")
	if err != nil || out.Title != "Mail alone" || out.Pages.Count != 1 || out.Origin.SplitFrom != one || !slices.Equal(out.Services, []string{"mail"}) {
		t.Fatalf("%+v %v", out, err)
	}
	if err := f.look(ctx, true); err != nil {
		t.Fatal(err)
	}
	if out, err = f.Incident(ctx, out.ID); err != nil || out.Status != Mitigated {
		t.Errorf("its only page has ended: %+v %v", out, err)
	}
	if got, err = f.Incident(ctx, one); err != nil || got.Pages.Count != 1 || got.Status != Open {
		t.Errorf("%+v %v", got, err)
	}
	if _, err := f.Merge(ctx, two, one, "ann"); err == nil {
		t.Error("merged twice")
	}
}

func TestWhoIsBoundToNamespacesSeesTheirsAlone(t *testing.T) {
	f := setup(t)
	f.page(t, "p1", "pay", "critical")
	f.page(t, "p2", "trade", "critical")
	f.page(t, "p3", "none", "critical")
	all := f.see(t, false)
	if len(all) != 3 {
		t.Fatal(len(all))
	}
	ctx := access.With(t.Context(), &access.Access{Identity: access.Identity{Subject: "user:ann", Kind: access.User}, Scope: access.Scope{Names: []string{"team-a"}}})
	list, _, err := f.List(ctx, Query{Limit: 10})
	if err != nil || len(list) != 1 || !slices.Equal(list[0].Services, []string{"pay"}) {
		t.Errorf("%+v %v", list, err)
	}
	for _, i := range all {
		mine := slices.Contains(i.Services, "pay")
		_, err := f.Incident(ctx, i.ID)
		_, noted := f.Note(ctx, i.ID, "hello", false, "somebody else")
		if (err == nil) != mine || (noted == nil) != mine || !mine && !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%v: %v %v", i.Services, err, noted)
		}
	}
	i, err := f.Incident(ctx, list[0].ID)
	if err != nil || i.Notes[len(i.Notes)-1].By != "user:ann" {
		t.Errorf("the proved name counts: %+v %v", i.Notes, err)
	}
	if _, err := f.Open(ctx, Order{Title: "x", Services: []string{"trade"}}); err == nil {
		t.Error("opened one of others")
	}
	if _, err := f.Open(ctx, Order{Title: "x"}); err == nil {
		t.Error("opened one that only others would see")
	}
	if i, err := f.Open(ctx, Order{Title: "x", Services: []string{"pay"}}); err != nil || i.Origin.By != "user:ann" {
		t.Errorf("%+v %v", i, err)
	}
	if err := second(f.Merge(ctx, list[0].ID, all[1].ID, "")); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("merged into one of others: %v", err)
	}
}

// Following the cursor shows each incident once, whatever is selected.
func TestListsAreWholeAndSearched(t *testing.T) {
	f, ctx := setup(t), t.Context()
	for n := range 25 {
		f.now = start.Add(time.Duration(n) * time.Minute)
		if _, err := f.Open(ctx, Order{Title: fmt.Sprintf("Number %d", n), Services: []string{fmt.Sprint("s", n%3)}, Severity: fmt.Sprint("P", n%2), By: "ann"}); err != nil {
			t.Fatal(err)
		}
	}
	for _, q := range []Query{{}, {Service: "s1"}, {Severity: "P1"}, {Service: "s0", Severity: "P0"}, {Text: "NUMBER 2"}, {Text: "nothing"}, {Start: start.Add(5 * time.Minute), End: start.Add(9 * time.Minute)}} {
		want := map[string]bool{}
		if _, err := f.every(ctx, q, func(i Incident) { want[i.ID] = true }); err != nil {
			t.Fatal(err)
		}
		q.Limit = 4
		got := map[string]bool{}
		for {
			list, next, err := f.List(ctx, q)
			if err != nil || len(list) > q.Limit {
				t.Fatal(len(list), err)
			}
			for _, i := range list {
				if got[i.ID] {
					t.Errorf("%+v: %s twice", q, i.Title)
				}
				got[i.ID] = true
			}
			if q.Before = next; next == "" {
				break
			}
		}
		if len(got) != len(want) {
			t.Errorf("%+v: %d, want %d", q, len(got), len(want))
		}
	}
}

func TestFiguresAreWhatTheirDefinitionsSay(t *testing.T) {
	f, ctx := setup(t), t.Context()
	p := f.page(t, "p1", "edge", "critical") // its alert began a minute before
	id := f.see(t, false)[0].ID
	f.now = start.Add(2 * time.Minute)
	if _, err := f.state.AckPage(ctx, "p1", "ann", f.now); err != nil {
		t.Fatal(err)
	}
	f.see(t, true)
	f.now = start.Add(9 * time.Minute)
	f.end(t, p)
	f.see(t, false)
	f.now = start.Add(time.Hour)
	if _, err := f.Open(ctx, Order{Title: "by hand", Services: []string{"edge", "mail"}, By: "ann"}); err != nil {
		t.Fatal(err)
	}
	periods, err := f.Figures(ctx, 30, 2, "")
	if err != nil || len(periods) != 2 || periods[0].All.Incidents != 0 {
		t.Fatalf("%+v %v", periods, err)
	}
	all := periods[1].All
	if all.Incidents != 2 || all.Unknown != 1 || all.Unacked != 1 || all.Detect.Seconds != 60 || all.Detect.Of != 1 || all.Acknowledge.Seconds != 120 || all.Recover.Seconds != 600 || all.Recover.Of != 1 {
		t.Errorf("%+v %+v %+v %+v", all, all.Detect, all.Acknowledge, all.Recover)
	}
	if s := periods[1].Services; len(s) != 2 || s[0].Service != "edge" || s[0].Incidents != 2 || s[1].Recover != nil {
		t.Errorf("%+v", s)
	}
	really := start.Add(-3 * time.Minute)
	if _, err := f.Edit(ctx, id, Edit{Started: &really, By: "ann"}); err != nil {
		t.Fatal(err)
	}
	if periods, err = f.Figures(ctx, 30, 1, "edge"); err != nil || periods[0].All.Detect.Seconds != 180 || periods[0].All.Recover.Seconds != 720 {
		t.Errorf("%+v %v", periods, err)
	}
}

func TestSimilarIncidents(t *testing.T) {
	f, ctx := setup(t), t.Context()
	for _, title := range []string{"SNAT ports of the edge exhausted", "Edge has no SNAT ports left", "Mail is slow"} {
		service := "edge"
		if strings.HasPrefix(title, "Mail") {
			service = "mail"
		}
		if _, err := f.Open(ctx, Order{Title: title, Services: []string{service}, By: "ann"}); err != nil {
			t.Fatal(err)
		}
		f.now = f.now.Add(time.Minute)
	}
	list, _, err := f.List(ctx, Query{Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	got, err := f.Similar(ctx, list[1])
	if err != nil || len(got) != 1 || got[0].Title != "SNAT ports of the edge exhausted" || !slices.Contains(got[0].Common, "service edge") {
		t.Errorf("%+v %v", got, err)
	}
}

// An incident is called what its page is escalated as.
func TestTheSeverityIsTheLevelOfItsPage(t *testing.T) {
	for page, want := range map[string]string{"critical": "P0", "Page": "P0", "p0": "P0", "error": "P1", "p1": "P1", "medium": "P2", "strange": "P2", "warning": "P3", "info": "P3"} {
		if got := SeverityOf(page); got != want {
			t.Errorf("%s opens %s, want %s", page, got, want)
		}
	}
}
