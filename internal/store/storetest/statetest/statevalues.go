package statetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

func override(id string, at time.Time) model.GateOverride {
	return model.GateOverride{
		ID: id, DecisionID: "g01", Service: "edge", Environment: "prod", Version: "2", Verdict: model.VerdictBlock,
		Actor: "ada", Reason: "the fix for the outage", Time: at, Expires: at.Add(time.Hour),
	}
}

func remedy(id string, state model.RemedyState, at time.Time) model.Remedy {
	return model.Remedy{
		ID: id, Service: "edge", Environment: "prod", State: state, Breach: at, Reason: `it's "over"`,
		History: []model.RemedyStep{{Time: at, State: state}},
	}
}

func stateOverrides(t *testing.T, open func() store.State) {
	ctx, s := t.Context(), open()
	d := decision(1, stateEpoch)
	d.Envelope = &model.GateEnvelope{Payload: []byte("{}")}
	must(t, s.SaveDecision(ctx, d))
	older, newer, forever := override("o1", stateEpoch), override("o2", stateEpoch.Add(time.Minute)), override("o3", stateEpoch)
	forever.Version, forever.Expires = "9", time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
	for _, o := range []model.GateOverride{older, newer, forever} {
		must(t, s.SaveOverride(ctx, o))
	}
	if err := s.SaveOverride(ctx, older); err == nil {
		t.Error("the same override was stored twice")
	}
	s = reopen(t, s, open)
	for _, c := range []struct {
		name                  string
		service, env, version string
		at                    time.Time
		want                  []model.GateOverride
	}{
		{"both hold, the newest first", "edge", "prod", "2", stateEpoch, []model.GateOverride{newer, older}},
		{"the older one has just expired", "edge", "prod", "2", older.Expires, []model.GateOverride{newer}},
		{"another version", "edge", "prod", "3", stateEpoch, nil},
		{"no environment is not every environment", "edge", "", "2", stateEpoch, nil},
		{"both have expired", "edge", "prod", "2", newer.Expires, nil},
		{"one that holds for ever", "edge", "prod", "9", stateEpoch.AddDate(100, 0, 0), []model.GateOverride{forever}},
	} {
		got, err := s.Overrides(ctx, c.service, c.env, c.version, c.at)
		must(t, err)
		equal(t, c.name, got, c.want)
	}
	got, err := s.Decision(ctx, "g01")
	must(t, err)
	d.Override = &newer
	equal(t, "decision with its newest override", got, d)
	list, _, err := s.Decisions(ctx, store.DecisionQuery{})
	must(t, err)
	d.Envelope = nil
	equal(t, "in a list without its envelope", list, []model.GateDecision{d})
}

func stateRemedies(t *testing.T, open func() store.State) {
	ctx, s := t.Context(), open()
	old, current := remedy("a", model.RemedyRecovered, stateEpoch), remedy("b", model.RemedyWatching, stateEpoch.Add(time.Hour))
	must(t, s.SaveRemedy(ctx, old))
	must(t, s.SaveRemedy(ctx, current))
	if err := s.SaveRemedy(ctx, remedy("c", model.RemedyExecuting, stateEpoch)); err == nil {
		t.Error("two open remedies of one service and environment")
	}
	current.State = model.RemedyVerifying
	must(t, s.SaveRemedy(ctx, current))
	s = reopen(t, s, open)
	for _, c := range []struct {
		name string
		q    store.RemedyQuery
		want []model.Remedy
	}{
		{"all", store.RemedyQuery{}, []model.Remedy{current, old}},
		{"open ones", store.RemedyQuery{Open: true}, []model.Remedy{current}},
		{"by state", store.RemedyQuery{State: model.RemedyRecovered}, []model.Remedy{old}},
		{"of another service", store.RemedyQuery{Service: "layout"}, nil},
		{"bounded", store.RemedyQuery{Limit: 1}, []model.Remedy{current}},
	} {
		got, err := s.Remedies(ctx, c.q)
		must(t, err)
		equal(t, c.name, got, c.want)
	}
	current.State = model.RemedyEnded
	must(t, s.SaveRemedy(ctx, current))
	must(t, s.SaveRemedy(ctx, remedy("c", model.RemedyExecuting, stateEpoch.Add(2*time.Hour))))
}

// Instants are kept to the nanosecond: of any time zone, before 1970, none, and beyond what 64 bits of
// nanoseconds can say, where only the order matters.
func stateTimes(t *testing.T, open func() store.State) {
	ctx, s := t.Context(), open()
	zone := time.FixedZone("", -(9*3600 + 1800))
	times := []time.Time{
		time.Date(1969, 7, 20, 20, 17, 40, 1, time.UTC), stateEpoch, stateEpoch.Add(1), stateEpoch.Add(2).In(zone),
		time.Date(9999, 12, 31, 23, 0, 0, 0, zone),
	}
	for i, at := range times {
		_, err := s.AddDeploy(ctx, model.Deploy{ID: fmt.Sprint("d", i), Service: "edge", Time: at})
		must(t, err)
		p := page(fmt.Sprint("p", i), "resolved", at)
		must(t, s.SavePage(ctx, p))
	}
	must(t, s.SaveSLOLedgers(ctx, []store.SLOLedger{{Name: "none", Slots: []byte{1}}, {Name: "zone", Sealed: times[3], Slots: []byte{1}}}))
	must(t, s.SavePage(ctx, model.Page{ID: "none", DedupKey: "none", Status: "resolved"}))
	s = reopen(t, s, open)
	deploys, err := s.Deploys(ctx, store.DeployQuery{})
	must(t, err)
	equal(t, "deployments", len(deploys), len(times))
	for i, d := range deploys[1:] { // the first lies beyond
		if want := times[len(times)-2-i]; !d.Time.Equal(want) || d.Time.Location() != time.UTC {
			t.Errorf("%s became %s", want, d.Time)
		}
	}
	between, err := s.Deploys(ctx, store.DeployQuery{Start: stateEpoch.Add(1).In(zone), End: stateEpoch.Add(2)})
	must(t, err)
	if len(between) != 1 || between[0].ID != "d2" {
		t.Errorf("within one nanosecond: %+v", between)
	}
	pages, err := s.Pages(ctx, store.PageQuery{})
	must(t, err)
	equal(t, "pages, also of no time", len(pages), len(times)+1)
	for _, p := range pages {
		if n := int(p.ID[1] - '0'); p.ID != "none" && !p.Time.Equal(times[n]) {
			t.Errorf("page %s of %s became one of %s", p.ID, times[n], p.Time)
		}
	}
	var sealed []time.Time
	must(t, s.SLOLedgers(ctx, func(l store.SLOLedger) { sealed = append(sealed, l.Sealed) }))
	if !sealed[0].IsZero() || !sealed[1].Equal(times[3]) {
		t.Errorf("ledgers sealed at %v", sealed)
	}
}

// What is large comes back whole.
func stateLarge(t *testing.T, open func() store.State) {
	ctx, s := t.Context(), open()
	rnd := rand.New(rand.NewPCG(1, 1))
	noise := make([]byte, 5<<20)
	for i := range noise {
		noise[i] = byte(rnd.UintN(256))
	}
	d := decision(1, stateEpoch)
	d.Envelope = &model.GateEnvelope{PayloadType: "x", Payload: noise}
	must(t, s.SaveDecision(ctx, d))
	must(t, s.SaveSLOLedgers(ctx, []store.SLOLedger{{Name: "a", Sealed: stateEpoch, Slots: noise}}))
	many := map[string]string{}
	for i := range 20_000 {
		many[fmt.Sprint("key", i)] = strings.Repeat("é", 40)
	}
	marker, err := s.AddDeploy(ctx, model.Deploy{Service: "edge", Message: strings.Repeat("日本語 ", 300_000), Labels: many})
	must(t, err)
	_, err = s.Audit(ctx, model.AuditEntry{Actor: "ada", Action: "x", Details: many})
	must(t, err)
	s = reopen(t, s, open)
	got, err := s.Decision(ctx, d.ID)
	must(t, err)
	equal(t, "payload", slices.Equal(got.Envelope.Payload, noise), true)
	must(t, s.SLOLedgers(ctx, func(l store.SLOLedger) { equal(t, "slots", slices.Equal(l.Slots, noise), true) }))
	deploys, err := s.Deploys(ctx, store.DeployQuery{})
	must(t, err)
	if len(deploys) != 1 || deploys[0].Message != marker.Message || len(deploys[0].Labels) != len(many) {
		t.Error("a large deployment marker is not what it was")
	}
	intact(t, s)
}

// A selection takes a text for itself: no wildcards, no folding of case, no two spellings of one letter.
func stateExactText(t *testing.T, open func() store.State) {
	ctx, s := t.Context(), open()
	names := []string{"edge", "Edge", "EDGE", "edge ", "ed%e", "ed_e", "e*", "caf\u00e9", "cafe\u0301", "ß", "ss", "İ", "i", "'", `"`, `\`, "$1", "日本", "\U0001F600"}
	for _, n := range names {
		_, err := s.AddDeploy(ctx, model.Deploy{Service: n, Version: n})
		must(t, err)
		_, err = s.Audit(ctx, model.AuditEntry{Actor: n, Action: "x"})
		must(t, err)
	}
	for _, n := range names {
		deploys, err := s.Deploys(ctx, store.DeployQuery{Service: n})
		must(t, err)
		entries, err := s.AuditEntries(ctx, store.AuditQuery{Actor: n})
		must(t, err)
		if len(deploys) != 1 || deploys[0].Version != n || len(entries) != 1 || entries[0].Actor != n {
			t.Errorf("%q selects %+v and %+v", n, deploys, entries)
		}
	}
}

// Every list has a bound when none is named, and its newest part is what remains.
func stateLimits(t *testing.T, open func() store.State) {
	ctx, s := t.Context(), open()
	n := store.DefaultStateLimit + 5
	for i := range n {
		at := stateEpoch.Add(time.Duration(i) * time.Second)
		_, err := s.AddDeploy(ctx, model.Deploy{ID: fmt.Sprintf("%03d", i), Service: "edge", Time: at})
		must(t, err)
		must(t, s.SavePage(ctx, page(fmt.Sprintf("%03d", i), "resolved", at)))
		must(t, s.SaveRemedy(ctx, remedy(fmt.Sprintf("%03d", i), model.RemedyEnded, at)))
		_, err = s.Audit(ctx, model.AuditEntry{Actor: "ada", Action: "x", Time: at})
		must(t, err)
	}
	period, err := s.Pages(ctx, store.PageQuery{Start: stateEpoch.Add(time.Second), End: stateEpoch.Add(3 * time.Second)})
	must(t, err)
	equal(t, "pages of a half-open period", len(period), 2)
	newest := fmt.Sprintf("%03d", n-1)
	deploys, err := s.Deploys(ctx, store.DeployQuery{})
	must(t, err)
	pages, err := s.Pages(ctx, store.PageQuery{})
	must(t, err)
	remedies, err := s.Remedies(ctx, store.RemedyQuery{})
	must(t, err)
	entries, err := s.AuditEntries(ctx, store.AuditQuery{})
	must(t, err)
	equal(t, "lengths", []int{len(deploys), len(pages), len(remedies), len(entries)}, slices.Repeat([]int{store.DefaultStateLimit}, 4))
	equal(t, "newest", []string{deploys[0].ID, pages[0].ID, remedies[0].ID, fmt.Sprintf("%03d", entries[0].ID-1)}, slices.Repeat([]string{newest}, 4))
}

// Paging answers what a plain loop over all decisions does, for any selection, also while newer ones come in.
func statePaging(t *testing.T, open func() store.State) {
	ctx, s := t.Context(), open()
	rnd := rand.New(rand.NewPCG(3, 3))
	pick := func(list ...string) string { return list[rnd.IntN(len(list))] }
	var all []model.GateDecision
	for i := range 60 {
		d := decision(i, stateEpoch.Add(time.Duration(rnd.IntN(12))*time.Second))
		d.Request.Service = pick("edge", "layout", "queue")
		must(t, s.SaveDecision(ctx, d))
		all = append(all, d)
	}
	slices.SortFunc(all, func(a, b model.GateDecision) int {
		if c := b.Time.Compare(a.Time); c != 0 {
			return c
		}
		return strings.Compare(b.ID, a.ID)
	})
	for round := range 60 {
		q := store.DecisionQuery{
			Service: pick("", "edge", "layout", "nobody"), Verdict: model.Verdict(pick("", "", string(model.VerdictBlock))), Limit: 1 + rnd.IntN(9),
		}
		if rnd.IntN(2) == 0 {
			q.Start = stateEpoch.Add(time.Duration(rnd.IntN(6)) * time.Second)
		}
		if rnd.IntN(2) == 0 {
			q.End = stateEpoch.Add(time.Duration(4+rnd.IntN(9)) * time.Second)
		}
		var want, got []string
		for _, d := range all {
			if (q.Service == "" || d.Request.Service == q.Service) && (q.Verdict == "" || d.Verdict == q.Verdict) &&
				!d.Time.Before(q.Start) && (q.End.IsZero() || d.Time.Before(q.End)) {
				want = append(want, d.ID)
			}
		}
		for first := true; first || q.Before != ""; first = false {
			list, next, err := s.Decisions(ctx, q)
			must(t, err)
			if len(list) > q.Limit || len(list) < q.Limit && next != "" {
				t.Fatalf("a page of %d of at most %d, next %q", len(list), q.Limit, next)
			}
			for _, d := range list {
				got = append(got, d.ID)
			}
			if q.Before = next; first && next != "" {
				late := decision(1000+round, stateEpoch.Add(time.Hour+time.Duration(round)*time.Second))
				late.Request.Service = "late"
				must(t, s.SaveDecision(ctx, late))
				all = slices.Insert(all, 0, late) // later rounds see it
			}
		}
		equal(t, fmt.Sprintf("round %d, %+v", round, q), got, want)
	}
}
