package incident

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// From the first page to the published postmortem, read at each step.
func TestFromTheFirstPageToThePostmortem(t *testing.T) {
	f, ctx := setup(t), t.Context()
	f.deps.Sources = Sources{
		Deploys: func(_ context.Context, q store.DeployQuery) ([]model.Deploy, error) {
			return []model.Deploy{{ID: "d1", Time: start.Add(-5 * time.Minute), Service: q.Service, Version: "2.0", Status: "succeeded", Actor: "ci"}, {ID: "d2", Time: start, Version: "1", Environment: "test"}}, nil
		},
		Decisions: func(context.Context, store.DecisionQuery) ([]model.GateDecision, string, error) {
			return []model.GateDecision{{ID: "g1", Time: start.Add(time.Minute), Summary: "Blocked.", Override: &model.GateOverride{Time: start.Add(2 * time.Minute), Actor: "kim", Reason: "the fix"}}}, "", nil
		},
		Remedies: func(context.Context, store.RemedyQuery) ([]model.Remedy, error) {
			return []model.Remedy{{ID: "r1", History: []model.RemedyStep{{Time: start.Add(3 * time.Minute), State: model.RemedyExecuting, Reason: "rolls back"}, {Time: start.Add(-48 * time.Hour), State: model.RemedyEnded}}}}, nil
		},
		Audit: func(_ context.Context, q store.AuditQuery) ([]model.AuditEntry, error) {
			if q.Action != "silences.write" {
				return nil, nil
			}
			return []model.AuditEntry{{ID: 7, Time: start.Add(4 * time.Minute), Actor: "user:ann", Action: q.Action}}, nil
		},
	}
	f.page(t, "p1", "pay", "critical", func(p *model.Page) {
		p.Deliveries = []model.Delivery{{Channel: "slack[0]", Time: start, Status: "failed", Attempt: 2, Error: "refused"}, {Channel: "inbox", Time: start, Status: "delivered"}}
	})
	id := f.see(t, false)[0].ID
	f.now = start.Add(2 * time.Minute)
	if _, err := f.state.AckPage(ctx, "p1", "user:ann", f.now); err != nil {
		t.Fatal(err)
	}
	p, _ := f.state.Page(ctx, "p1")
	f.now = start.Add(6 * time.Minute)
	if _, err := f.Note(ctx, id, "the pool <b>is</b> full\n# not a heading", false, "ann"); err != nil {
		t.Fatal(err)
	}
	due := start.Add(24 * time.Hour)
	if _, err := f.Task(ctx, id, Task{Text: "raise the limit", Term: "immediate", Owner: "kim", Due: &due}, "ann"); err != nil {
		t.Fatal(err)
	}
	f.now = start.Add(8 * time.Minute)
	f.end(t, p)
	f.see(t, true)
	f.now = start.Add(10 * time.Minute)
	if _, err := f.SetStatus(ctx, id, Resolved, "over", "ann"); err != nil {
		t.Fatal(err)
	}
	resolved := f.now

	got, err := f.Postmortem(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	last := time.Time{}
	var all strings.Builder
	for _, e := range got.Timeline.Entries {
		if e.Time.Before(last) || e.Source.Kind == "" || e.Source.ID == "" {
			t.Errorf("out of order or without a source: %+v", e)
		}
		last = e.Time
		all.WriteString(e.Source.Kind + " " + e.Source.ID + ": " + e.Text + "\n")
	}
	for _, want := range []string{
		"page p1: Page: Burn on pay (critical).", "page p1: Delivery by slack[0] failed (attempt 2): refused", "page p1: Acknowledged", "page p1: Page ended", "deploy d1: deploy of pay 2.0", "gate g1: Gate about",
		"gate g1: Gate overridden", "remedy r1: Remedy of pay: executing", "audit 7: silences.write", "the pool <b>is</b> full", "Alert Burn began to fire.", "Status mitigated → resolved",
	} {
		if !strings.Contains(all.String(), want) {
			t.Errorf("the timeline lacks %q:\n%s", want, all.String())
		}
	}
	if strings.Contains(all.String(), "d2") || strings.Contains(all.String(), "ended. ") {
		t.Errorf("another environment, or long ago:\n%s", all.String())
	}
	for _, want := range []string{
		"# pay is down\n", "## Timeline", "## Root cause\n\n_To be written._", "1. Why? _To be answered._", "Users felt it for 9m0s", "- [ ] (immediate) raise the limit, kim, due 2026-01-03", "[deploy d1]", "[page p1]",
	} {
		if !strings.Contains(got.Markdown, want) {
			t.Errorf("the document lacks %q:\n%s", want, got.Markdown)
		}
	}
	if strings.Contains(got.Markdown, "<b>") || strings.Contains(got.Markdown, "\n# not a heading") {
		t.Errorf("what people noted is read as markup:\n%s", got.Markdown)
	}

	for _, c := range []struct {
		at   time.Time
		want string
	}{
		{due.Add(-time.Second), ""},
		{due.Add(time.Second), "raise the limit"},
		{resolved.Add(24*time.Hour + time.Second), "raise the limit summary"},
		{resolved.Add(7*24*time.Hour + time.Second), "raise the limit summary postmortem"},
		{resolved.Add(14*24*time.Hour + time.Second), "raise the limit summary postmortem review"},
	} {
		f.now = c.at
		list, err := f.Overdue(ctx)
		var what []string
		for _, o := range list {
			what = append(what, o.What)
		}
		if strings.Join(what, " ") != c.want || err != nil {
			t.Errorf("overdue at %s: %v, want %s (%v)", c.at, what, c.want, err)
		}
	}

	f.now = resolved.Add(time.Hour)
	if err := second(f.Write(ctx, id, Writing{Written: Written{Summary: "s"}, Publish: true, By: "ann"})); err == nil {
		t.Error("published without a root cause")
	}
	if _, err := f.Write(ctx, id, Writing{Written: Written{Summary: "Ports ran out.", RootCause: "A public endpoint.", Whys: []string{"no ports", " "}, Lessons: "Look at pools."}, Publish: true, By: "ann"}); err != nil {
		t.Fatal(err)
	}
	f.now = resolved.Add(15 * 24 * time.Hour)
	if _, err := f.Write(ctx, id, Writing{Written: Written{Summary: "Ports ran out.", RootCause: "A public endpoint."}, Review: true, By: "ann"}); err != nil {
		t.Fatal(err)
	}
	if got, err = f.Postmortem(ctx, id); err != nil || len(got.Clock) != 3 || got.Clock[0].State != "done" || got.Clock[1].State != "done" || got.Clock[2].State != "late" || !strings.Contains(got.Markdown, "A public endpoint.") {
		t.Errorf("%+v %v", got.Clock, err)
	}

	reader := access.With(ctx, &access.Access{Identity: access.Identity{Subject: "user:lee"}, Scope: access.Scope{All: true}, Of: func(p access.Permission) access.Scope {
		return access.Scope{All: p == access.IncidentsRead}
	}})
	line, err := f.Timeline(reader, id)
	if err != nil || len(line.Missing) != 2 {
		t.Errorf("what is left out is said: %v %v", line.Missing, err)
	}
	for _, e := range line.Entries {
		if e.Source.Kind == "audit" || strings.Contains(e.Text, "slack") {
			t.Errorf("shown without the permission: %+v", e)
		}
	}
}

// Two who write at the same time both keep what they wrote: the second is shown the first one's.
func TestWhoWritesDoesNotReplaceWhatSomebodyWroteMeanwhile(t *testing.T) {
	f, ctx := setup(t), t.Context()
	i, err := f.Open(ctx, Order{Title: "Calls fail", Services: []string{"pay"}, By: "ann"})
	if err != nil {
		t.Fatal(err)
	}
	read := i.Postmortem.Version
	write := func(by, text string, version *int64) (Incident, error) {
		return f.Write(ctx, i.ID, Writing{Written: Written{Summary: text}, Version: version, By: by})
	}
	if _, err := write("ann", "ann's", &read); err != nil {
		t.Fatal(err)
	}
	var c Conflict
	if _, err := write("bob", "bob's", &read); !errors.As(err, &c) || c.Now.Summary != "ann's" || c.Now.By != "ann" || !strings.Contains(err.Error(), "ann wrote it meanwhile (version 1)") {
		t.Fatalf("%v %+v", err, c)
	}
	if got, _ := f.Incident(ctx, i.ID); got.Postmortem.Summary != "ann's" {
		t.Errorf("%+v", got.Postmortem)
	}
	if got, err := write("bob", "both", &c.Now.Version); err != nil || got.Postmortem.Summary != "both" || got.Postmortem.Version != 2 {
		t.Errorf("%+v %v", got.Postmortem, err)
	}
	if got, err := write("script", "anew", nil); err != nil || got.Postmortem.Version != 3 {
		t.Errorf("%+v %v", got.Postmortem, err)
	}
}
