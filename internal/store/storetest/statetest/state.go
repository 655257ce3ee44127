package statetest

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// State runs the state store's contract. open opens the same empty store each
// time within one subtest: what was written is there after closing and opening again.
func State(t *testing.T, newStore func(t *testing.T) (open func() store.State)) {
	for _, c := range []struct {
		name string
		run  func(t *testing.T, open func() store.State)
	}{
		{"deployments list newest first within service, environment and time", stateDeploys},
		{"a deployment reported twice under one id is one marker", stateDeployUpdate},
		{"gate decisions page backwards without gap or repeat", stateDecisions},
		{"a gate decision is never overwritten", stateDecisionOnce},
		{"one open page per dedup key", statePages},
		{"an acknowledgement survives a later save of the same page", stateAck},
		{"SLO records survive a restart", stateSLORecords},
		{"the audit chain verifies after concurrent appends and a restart", stateAudit},
		{"corrections are by SLO and taken back once", stateCorrections},
		{"ledgers are replaced by name", stateLedgers},
		{"days of SLOs are replaced, listed by time and dropped", stateDays},
		{"a gate key is never changed", stateGateKeys},
		{"overrides stand with their decision and expire", stateOverrides},
		{"remedies list newest breach first, one open each", stateRemedies},
		{"users are one a name", stateUsers},
		{"a session that ended stays ended", stateSessions},
		{"a token that was revoked stays revoked", stateTokens},
		{"what can be used once is used once", stateSpent},
		{"a document is changed by who read it last", stateDocuments},
		{"documents page in either direction without gap or repeat", stateDocumentLists},
		{"of those who change a document at once one does", stateDocumentRaces},
		{"of accounts one wins a race", stateAccountRaces},
		{"accounts of any text are kept as they are", stateAccountsOdd},
		{"of several who do the same at once, one has done it", stateRaces},
		{"saving a page and acknowledging it do not undo each other", stateLostUpdates},
		{"what is written at once is all there", stateWritesAtOnce},
		{"no reader sees half of what is saved together", stateIsolation},
		{"a call that failed leaves nothing", stateFailedCalls},
		{"a closed store says so", stateClosed},
		{"instants are kept to the nanosecond, in any zone", stateTimes},
		{"what is large comes back whole", stateLarge},
		{"a selection takes a text for itself", stateExactText},
		{"a list without a limit has one", stateLimits},
		{"paging answers each decision once, for any selection", statePaging},
		{"text that looks like SQL or has odd runes is kept as it is", stateText},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, newStore(t)) })
	}
}

var stateEpoch = time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)

func stateDeploys(t *testing.T, open func() store.State) {
	ctx, s := t.Context(), open()
	for i := range 6 {
		_, err := s.AddDeploy(ctx, model.Deploy{
			ID: fmt.Sprint("d", i), Time: stateEpoch.Add(time.Duration(i) * time.Minute),
			Service: []string{"edge", "layout"}[i%2], Environment: []string{"prod", "test"}[i/4], Version: fmt.Sprint("1.", i),
			Labels: map[string]string{"team": "a"},
		})
		must(t, err)
	}
	s = reopen(t, s, open)
	for _, c := range []struct {
		name string
		q    store.DeployQuery
		want string
	}{
		{"all", store.DeployQuery{}, "d5 d4 d3 d2 d1 d0"},
		{"service", store.DeployQuery{Service: "edge"}, "d4 d2 d0"},
		{"service and environment", store.DeployQuery{Service: "edge", Environment: "prod"}, "d2 d0"},
		{"half-open time", store.DeployQuery{Start: stateEpoch.Add(time.Minute), End: stateEpoch.Add(3 * time.Minute)}, "d2 d1"},
		{"limit", store.DeployQuery{Limit: 2}, "d5 d4"},
		{"nothing", store.DeployQuery{Service: "nobody"}, ""},
	} {
		got, err := s.Deploys(ctx, c.q)
		must(t, err)
		var ids []string
		for _, d := range got {
			ids = append(ids, d.ID)
		}
		equal(t, c.name, strings.Join(ids, " "), c.want)
	}
	got, err := s.Deploys(ctx, store.DeployQuery{Limit: 1})
	must(t, err)
	equal(t, "whole marker", got[0], model.Deploy{
		ID: "d5", Time: stateEpoch.Add(5 * time.Minute), Service: "layout", Environment: "test", Version: "1.5",
		Kind: "deploy", Status: "succeeded", Labels: map[string]string{"team": "a"},
	})
}

func stateDeployUpdate(t *testing.T, open func() store.State) {
	ctx, s := t.Context(), open()
	d, err := s.AddDeploy(ctx, model.Deploy{Service: "edge", Version: "1", Status: "started"})
	must(t, err)
	if d.ID == "" || d.Time.IsZero() || d.Kind != "deploy" {
		t.Fatalf("defaults are not filled in: %+v", d)
	}
	if !d.Started.Equal(d.Time) {
		t.Errorf("a deployment reported as started began at %s, want %s", d.Started, d.Time)
	}
	end := d.Time.Add(4 * time.Minute)
	d, err = s.AddDeploy(ctx, model.Deploy{ID: d.ID, Service: "edge", Version: "1", Status: "failed", Time: end})
	must(t, err)
	if took, ok := d.Took(); !ok || took != 4*time.Minute || !d.Ended().Equal(end) {
		t.Errorf("it took %s until %s, want 4m until %s", took, d.Ended(), end)
	}
	got, err := s.Deploys(ctx, store.DeployQuery{})
	must(t, err)
	equal(t, "markers", got, []model.Deploy{d})
}

func stateDecisions(t *testing.T, open func() store.State) {
	ctx, s := t.Context(), open()
	const n = 25
	for i := range n {
		// Ties in time are broken by ID.
		must(t, s.SaveDecision(ctx, decision(i, stateEpoch.Add(time.Duration(i/5)*time.Second))))
	}
	s = reopen(t, s, open)
	var ids []string
	q := store.DecisionQuery{Service: "edge", Limit: 4}
	for pages := 0; ; pages++ {
		got, next, err := s.Decisions(ctx, q)
		must(t, err)
		for _, d := range got {
			ids = append(ids, d.ID)
		}
		if next == "" {
			equal(t, "pages", pages, (n-1)/4)
			break
		}
		q.Before = next
	}
	var want []string
	for i := n - 1; i >= 0; i-- {
		want = append(want, fmt.Sprintf("g%02d", i))
	}
	equal(t, "ids", ids, want)
	got, _, err := s.Decisions(ctx, store.DecisionQuery{Verdict: model.VerdictBlock})
	must(t, err)
	equal(t, "blocks", len(got), 9)
	one, err := s.Decision(ctx, "g03")
	must(t, err)
	equal(t, "whole decision", one, decision(3, stateEpoch))
	_, err = s.Decision(ctx, "none")
	notFound(t, err)
	if _, _, err := s.Decisions(ctx, store.DecisionQuery{Before: "junk"}); err == nil {
		t.Error("a cursor that is none must be an error")
	}
}

func decision(i int, at time.Time) model.GateDecision {
	v := 3.25
	return model.GateDecision{
		ID: fmt.Sprintf("g%02d", i), Time: at, Request: model.GateRequest{Service: "edge", Environment: "prod"},
		Verdict:  []model.Verdict{model.VerdictBlock, model.VerdictAllow, model.VerdictHold}[i%3],
		Reasons:  []model.GateReason{{Verdict: model.VerdictAllow, Rule: "burn_fast", Message: "m"}},
		Evidence: []model.Evidence{{SLO: "a", Value: &v, Time: at, LastData: at}},
	}
}

func stateDecisionOnce(t *testing.T, open func() store.State) {
	ctx, s := t.Context(), open()
	must(t, s.SaveDecision(ctx, decision(1, stateEpoch)))
	if err := s.SaveDecision(ctx, decision(1, stateEpoch.Add(time.Hour))); err == nil {
		t.Error("a second decision under the same id must be an error")
	}
	got, err := s.Decision(ctx, "g01")
	must(t, err)
	equal(t, "first one stands", got, decision(1, stateEpoch))
}

func page(id, status string, at time.Time) model.Page {
	return model.Page{
		ID: id, DedupKey: "k", Time: at, Updated: at, Status: status, Severity: "critical", Title: "t",
		GroupLabels: model.Labels{"service": "edge"},
		Alerts:      []model.PageAlert{{Fingerprint: "f", Labels: model.Labels{"alertname": "A"}, StartsAt: at, Status: status}},
		Deliveries:  []model.Delivery{{Channel: "inbox", Time: at, Status: "delivered", Attempt: 1}},
	}
}

func statePages(t *testing.T, open func() store.State) {
	ctx, s := t.Context(), open()
	must(t, s.SavePage(ctx, page("p1", "firing", stateEpoch)))
	if err := s.SavePage(ctx, page("p2", "firing", stateEpoch.Add(time.Second))); err == nil {
		t.Error("a second open page for one dedup key must be an error")
	}
	s = reopen(t, s, open)
	got, err := s.PageByDedup(ctx, "k")
	must(t, err)
	equal(t, "open page", got, page("p1", "firing", stateEpoch))
	resolved := page("p1", "resolved", stateEpoch)
	end := stateEpoch.Add(time.Minute)
	resolved.ResolvedAt = &end
	must(t, s.SavePage(ctx, resolved))
	_, err = s.PageByDedup(ctx, "k")
	notFound(t, err)
	must(t, s.SavePage(ctx, page("p3", "firing", stateEpoch.Add(time.Hour))))
	all, err := s.Pages(ctx, store.PageQuery{})
	must(t, err)
	equal(t, "pages, newest first", all, []model.Page{page("p3", "firing", stateEpoch.Add(time.Hour)), resolved})
	firing, err := s.Pages(ctx, store.PageQuery{Status: "firing"})
	must(t, err)
	equal(t, "firing", len(firing), 1)
	_, err = s.Page(ctx, "none")
	notFound(t, err)
}

func stateAck(t *testing.T, open func() store.State) {
	ctx, s := t.Context(), open()
	p := page("p1", "firing", stateEpoch)
	must(t, s.SavePage(ctx, p))
	at := stateEpoch.Add(time.Minute)
	got, err := s.AckPage(ctx, "p1", "ada", at)
	must(t, err)
	equal(t, "by", got.AckedBy, "ada")
	must(t, s.SavePage(ctx, p)) // read before the acknowledgement, saved after it
	got, err = s.AckPage(ctx, "p1", "bob", at.Add(time.Minute))
	must(t, err)
	equal(t, "the first acknowledgement stands", got.AckedBy, "ada")
	s = reopen(t, s, open)
	got, err = s.Page(ctx, "p1")
	must(t, err)
	p.AckedBy, p.AckedAt = "ada", &at
	equal(t, "page", got, p)
	_, err = s.AckPage(ctx, "none", "ada", at)
	notFound(t, err)
	if _, err := s.AckPage(ctx, "p1", "", at); err == nil {
		t.Error("an acknowledgement by nobody must be an error")
	}
}

func stateSLORecords(t *testing.T, open func() store.State) {
	ctx, s := t.Context(), open()
	r := store.SLORecord{
		Name: "a", State: model.SLOBurning, Since: stateEpoch, Updated: stateEpoch,
		Alerts: []store.SLOAlertRecord{{Name: "SLOBurnRateFast", Window: "1h", Since: stateEpoch, Sent: stateEpoch}},
	}
	must(t, s.SaveSLORecords(ctx, []store.SLORecord{r, {Name: "b", State: model.SLOOK}}))
	r.Updated = stateEpoch.Add(time.Hour)
	must(t, s.SaveSLORecords(ctx, []store.SLORecord{r}))
	must(t, s.SaveSLORecords(ctx, nil))
	s = reopen(t, s, open)
	got, err := s.SLORecords(ctx)
	must(t, err)
	equal(t, "records", got, []store.SLORecord{r, {Name: "b", State: model.SLOOK}})
}

func stateAudit(t *testing.T, open func() store.State) {
	ctx, s := t.Context(), open()
	intact(t, s)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 5 {
				_, err := s.Audit(ctx, model.AuditEntry{
					Time: stateEpoch.Add(time.Duration(i) * time.Minute), Actor: fmt.Sprint("actor", i), Action: "gate.decide",
					Subject: strconv.Itoa(n), Details: map[string]string{"b": "2", "a": "1"},
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	s = reopen(t, s, open)
	intact(t, s)
	e, err := s.Audit(ctx, model.AuditEntry{Actor: "ada", Action: "page.ack", Subject: "p1"})
	must(t, err)
	equal(t, "ids have no gap", e.ID, int64(41))
	intact(t, s)
	got, err := s.AuditEntries(ctx, store.AuditQuery{Actor: "actor3", Limit: 100})
	must(t, err)
	equal(t, "entries of one actor", len(got), 5)
	got, err = s.AuditEntries(ctx, store.AuditQuery{Action: "gate.decide", Start: stateEpoch.Add(time.Minute), End: stateEpoch.Add(3 * time.Minute)})
	must(t, err)
	equal(t, "entries in time", len(got), 10)
	got, err = s.AuditEntries(ctx, store.AuditQuery{Limit: 1})
	must(t, err)
	equal(t, "newest", got, []model.AuditEntry{e})
}

func stateText(t *testing.T, open func() store.State) {
	ctx, s := t.Context(), open()
	odd := "'; DROP TABLE deploys; -- \u0000 ünï😀 \n\t\\"
	d, err := s.AddDeploy(ctx, model.Deploy{Service: odd, Version: odd, Labels: map[string]string{odd: odd}})
	must(t, err)
	got, err := s.Deploys(ctx, store.DeployQuery{Service: odd})
	must(t, err)
	equal(t, "marker", got, []model.Deploy{d})
	_, err = s.Audit(ctx, model.AuditEntry{Actor: odd, Action: odd, Subject: odd, Details: map[string]string{odd: odd}})
	must(t, err)
	intact(t, s)
}

func reopen(t *testing.T, s store.State, open func() store.State) store.State {
	t.Helper()
	must(t, s.Close())
	return open()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func intact(t *testing.T, s store.State) {
	t.Helper()
	v, err := s.VerifyAudit(t.Context())
	must(t, err)
	if !v.Intact {
		t.Errorf("the audit chain does not verify: %+v", v)
	}
}

func notFound(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, store.ErrNotFound) {
		t.Errorf("got %v, want store.ErrNotFound", err)
	}
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
