package statetest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

const racers = 8

// atOnce runs f for each racer, all at the same time, and counts the nil errors.
func atOnce(f func(i int) error) (won int) {
	begin := make(chan struct{})
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i := range racers {
		wg.Go(func() {
			<-begin
			if f(i) == nil {
				mu.Lock()
				defer mu.Unlock()
				won++
			}
		})
	}
	close(begin)
	wg.Wait()
	return won
}

// Whoever is second is told so; nobody is told that it was done and it was not.
func stateRaces(t *testing.T, open func() store.State) {
	ctx, s := t.Context(), open()
	correction, err := s.AddSLOCorrection(ctx, model.SLOCorrection{SLO: "a", Kind: "maintenance", Author: "kim", Reason: "new disks", Start: stateEpoch, End: stateEpoch.Add(time.Hour)})
	must(t, err)
	for _, c := range []struct {
		what string
		do   func(i int) error
	}{
		{"decisions under one id", func(i int) error { return s.SaveDecision(ctx, decision(7, stateEpoch.Add(time.Duration(i)))) }},
		{"overrides under one id", func(int) error { return s.SaveOverride(ctx, override("o", stateEpoch)) }},
		{"firing pages of one dedup key", func(i int) error { return s.SavePage(ctx, page(fmt.Sprint("p", i), "firing", stateEpoch)) }},
		{"open remedies of one service", func(i int) error {
			return s.SaveRemedy(ctx, remedy(fmt.Sprint("r", i), model.RemedyWatching, stateEpoch))
		}},
		{"takers back of one correction", func(int) error { return s.DeleteSLOCorrection(ctx, "a", correction.ID) }},
	} {
		equal(t, c.what+" that were accepted", atOnce(c.do), 1)
	}
	s = reopen(t, s, open)
	pages, err := s.Pages(ctx, store.PageQuery{})
	must(t, err)
	equal(t, "pages", len(pages), 1)
	remedies, err := s.Remedies(ctx, store.RemedyQuery{})
	must(t, err)
	equal(t, "remedies", len(remedies), 1)
}

// A page is saved by the delivery and acknowledged by a person at the same time: neither undoes the other.
func stateLostUpdates(t *testing.T, open func() store.State) {
	ctx, s := t.Context(), open()
	for round := range 10 {
		p := page(fmt.Sprint("p", round), "firing", stateEpoch.Add(time.Duration(round)*time.Second))
		p.DedupKey = p.ID
		must(t, s.SavePage(ctx, p))
		var mu sync.Mutex
		said := map[string]bool{}
		won := atOnce(func(i int) error {
			if i%2 == 0 {
				saved := p
				saved.Title = "delivered"
				return s.SavePage(ctx, saved)
			}
			got, err := s.AckPage(ctx, p.ID, fmt.Sprint("person", i), stateEpoch)
			mu.Lock()
			defer mu.Unlock()
			said[got.AckedBy] = true
			return err
		})
		equal(t, "calls that succeed", won, racers)
		got, err := s.Page(ctx, p.ID)
		must(t, err)
		if len(said) != 1 || !said[got.AckedBy] || got.Title != "delivered" {
			t.Fatalf("title %q, acknowledged by %q, who acknowledged were told %v", got.Title, got.AckedBy, said)
		}
	}
}

// Different things written at once are all there, also when all report on one deployment.
func stateWritesAtOnce(t *testing.T, open func() store.State) {
	ctx, s := t.Context(), open()
	const each = 10
	won := atOnce(func(i int) error {
		var errs []error
		for n := range each {
			_, err := s.AddDeploy(ctx, model.Deploy{Service: "edge", Version: fmt.Sprintf("%d.%d", i, n)})
			_, err2 := s.AddDeploy(ctx, model.Deploy{ID: "shared", Service: "layout", Version: "1", Time: stateEpoch})
			day := store.SLODay{SLO: fmt.Sprint("s", i), Counts: "c", Day: stateEpoch.AddDate(0, 0, n), Read: stateEpoch}
			_, err3 := s.Deploys(ctx, store.DeployQuery{})
			errs = append(errs, err, err2, s.SaveSLODays(ctx, []store.SLODay{day}), err3)
		}
		return errors.Join(errs...)
	})
	equal(t, "writers without an error", won, racers)
	s = reopen(t, s, open)
	deploys, err := s.Deploys(ctx, store.DeployQuery{Limit: 1000})
	must(t, err)
	seen := map[string]bool{}
	for _, d := range deploys {
		seen[d.ID+d.Version] = true
	}
	equal(t, "deployments", len(seen), racers*each+1)
	for i := range racers {
		days, err := s.SLODays(ctx, fmt.Sprint("s", i), "c", stateEpoch, stateEpoch.AddDate(1, 0, 0))
		must(t, err)
		equal(t, "days", len(days), each)
	}
}

// No reader sees half of what is saved together.
func stateIsolation(t *testing.T, open func() store.State) {
	ctx, s := t.Context(), open()
	const size = 40
	save := func(round int) error {
		records, days := make([]store.SLORecord, size), make([]store.SLODay, size)
		for i := range size {
			records[i] = store.SLORecord{Name: fmt.Sprintf("s%02d", i), Updated: stateEpoch.Add(time.Duration(round))}
			days[i] = store.SLODay{SLO: "a", Counts: "c", Day: stateEpoch.AddDate(0, 0, i), Read: stateEpoch.Add(time.Duration(round))}
		}
		return errors.Join(s.SaveSLORecords(ctx, records), s.SaveSLODays(ctx, days))
	}
	must(t, save(0))
	done := make(chan error, 1)
	go func() {
		var errs []error
		for round := range 30 {
			errs = append(errs, save(round))
		}
		done <- errors.Join(errs...)
	}()
	for reading := true; reading; {
		select {
		case err := <-done:
			must(t, err)
			reading = false
		default:
		}
		records, err := s.SLORecords(ctx)
		must(t, err)
		days, err := s.SLODays(ctx, "a", "c", stateEpoch, stateEpoch.AddDate(1, 0, 0))
		must(t, err)
		if len(records) != size || len(days) != size {
			t.Fatalf("%d records and %d days, want %d", len(records), len(days), size)
		}
		for i := range size {
			if !records[i].Updated.Equal(records[0].Updated) || !days[i].Read.Equal(days[0].Read) {
				t.Fatal("a reader saw half of what was saved together")
			}
		}
	}
}

// A call that failed left nothing behind.
func stateFailedCalls(t *testing.T, open func() store.State) {
	ctx, s := t.Context(), open()
	over, cancel := context.WithCancel(ctx)
	cancel()
	nan := math.NaN()
	broken := decision(1, stateEpoch)
	broken.Evidence[0].Value = &nan
	_, auditErr := s.Audit(over, model.AuditEntry{Actor: "ada", Action: "x"})
	_, deployErr := s.AddDeploy(over, model.Deploy{Service: "edge"})
	for what, err := range map[string]error{
		"a decision that cannot be written": s.SaveDecision(ctx, broken),
		"a decision without an id":          s.SaveDecision(ctx, model.GateDecision{Time: stateEpoch}),
		"an override of no decision":        s.SaveOverride(ctx, model.GateOverride{ID: "o"}),
		"a page without an id":              s.SavePage(ctx, model.Page{DedupKey: "k"}),
		"a page without a dedup key":        s.SavePage(ctx, model.Page{ID: "p"}),
		"an audit entry that was given up":  auditErr,
		"a deployment that was given up":    deployErr,
		"records that were given up":        s.SaveSLORecords(over, []store.SLORecord{{Name: "a"}, {Name: "b"}}),
	} {
		if err == nil {
			t.Errorf("%s is no error", what)
		}
	}
	s = reopen(t, s, open)
	decisions, _, err := s.Decisions(ctx, store.DecisionQuery{})
	must(t, err)
	pages, err := s.Pages(ctx, store.PageQuery{})
	must(t, err)
	deploys, err := s.Deploys(ctx, store.DeployQuery{})
	must(t, err)
	records, err := s.SLORecords(ctx)
	must(t, err)
	equal(t, "what is left of it", len(decisions)+len(pages)+len(deploys)+len(records), 0)
	e, err := s.Audit(ctx, model.AuditEntry{Actor: "ada", Action: "x"})
	must(t, err)
	equal(t, "the first entry's number", e.ID, int64(1))
	intact(t, s)
}

// A closed store says so, whatever it is asked, and closing it again does nothing.
func stateClosed(t *testing.T, open func() store.State) {
	ctx, s := t.Context(), open()
	must(t, s.SaveDecision(ctx, decision(1, stateEpoch)))
	must(t, s.Close())
	must(t, s.Close())
	_, deploys := s.Deploys(ctx, store.DeployQuery{})
	_, deployed := s.AddDeploy(ctx, model.Deploy{Service: "edge"})
	_, err := s.Decision(ctx, "g01")
	_, _, decisions := s.Decisions(ctx, store.DecisionQuery{})
	_, pages := s.Pages(ctx, store.PageQuery{})
	_, acked := s.AckPage(ctx, "p", "ada", stateEpoch)
	_, records := s.SLORecords(ctx)
	_, days := s.SLODays(ctx, "a", "c", stateEpoch, stateEpoch)
	_, audited := s.Audit(ctx, model.AuditEntry{Actor: "ada", Action: "x"})
	_, verified := s.VerifyAudit(ctx)
	_, keys := s.GateKeys(ctx)
	_, remedies := s.Remedies(ctx, store.RemedyQuery{})
	_, overrides := s.Overrides(ctx, "edge", "", "", stateEpoch)
	_, corrections := s.SLOCorrections(ctx)
	_, saved := s.SaveDocuments(ctx, document("a", 0))
	_, document := s.Document(ctx, "incident", "a")
	_, _, documents := s.Documents(ctx, store.DocumentQuery{Kind: "incident"})
	for what, err := range map[string]error{
		"Deploys": deploys, "AddDeploy": deployed, "Decision": err, "Decisions": decisions, "Pages": pages, "AckPage": acked,
		"SLORecords": records, "SLODays": days, "Audit": audited, "VerifyAudit": verified, "GateKeys": keys, "Remedies": remedies,
		"Overrides": overrides, "SLOCorrections": corrections, "SaveDocuments": saved, "Document": document, "Documents": documents, "SaveDecision": s.SaveDecision(ctx, decision(2, stateEpoch)),
		"SavePage": s.SavePage(ctx, page("p", "firing", stateEpoch)), "SLOLedgers": s.SLOLedgers(ctx, func(store.SLOLedger) {}),
		"SaveRemedy": s.SaveRemedy(ctx, remedy("r", model.RemedyWatching, stateEpoch)), "DropSLODays": s.DropSLODays(ctx, stateEpoch),
	} {
		if err == nil || errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s of a closed store answers %v", what, err)
		}
	}
	_ = s.Problems()
	got, err := open().Decision(ctx, "g01")
	must(t, err)
	equal(t, "after opening again", got, decision(1, stateEpoch))
}
