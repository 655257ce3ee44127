package witness

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/signalbox-project/signalbox/internal/evidence"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// PageStore has pages; store/state does.
type PageStore interface {
	Page(ctx context.Context, id string) (model.Page, error)
	Pages(ctx context.Context, q store.PageQuery) ([]model.Page, error)
	AckPage(ctx context.Context, id, by string, at time.Time) (model.Page, error)
}

// Pages marks pages whose acknowledgement is not what the audit log notes.
type Pages struct {
	PageStore
	Checker *Checker
}

// Pages lists them, the newest first. Where all are asked for, those that were acknowledged and are gone stand among them.
func (p Pages) Pages(ctx context.Context, q store.PageQuery) ([]model.Page, error) {
	list, err := p.PageStore.Pages(ctx, q)
	if err != nil {
		return nil, err
	}
	there := map[string]bool{}
	var from time.Time
	for i := range list {
		list[i].Tampered = p.Checker.Check(ctx, evidence.OfAck(list[i]))
		there[list[i].ID] = true
		if from = list[i].Time; len(list) < q.Limit {
			from = time.Time{} // these are all
		}
	}
	if q.Status != "" || !q.Start.IsZero() || !q.End.IsZero() {
		return list, nil
	}
	gone, err := p.Checker.Gone(ctx, evidence.Ack, from, time.Time{}, func(id string) bool {
		if there[id] {
			return true
		}
		_, err := p.Page(ctx, id)
		return !errors.Is(err, store.ErrNotFound)
	})
	if err != nil {
		return nil, err
	}
	for _, m := range gone {
		list = append(list, gonePage(m))
	}
	slices.SortStableFunc(list, func(a, b model.Page) int { return b.Time.Compare(a.Time) })
	return list, nil
}

// PageLister lists pages; store/state does.
type PageLister interface {
	Pages(ctx context.Context, q store.PageQuery) ([]model.Page, error)
}

// OpenPages marks pages as Pages does, and names none that is gone. It waits for the log, but not for long.
type OpenPages struct {
	PageLister
	Checker *Checker
}

// Pages lists them, the newest first.
func (p OpenPages) Pages(ctx context.Context, q store.PageQuery) ([]model.Page, error) {
	list, err := p.PageLister.Pages(ctx, q)
	if err != nil || p.Checker == nil || len(list) == 0 {
		return list, err
	}
	doubt := p.Checker.readWithin(ctx, patience)
	for i := range list {
		if doubt != nil {
			list[i].Tampered = uncompared(doubt)
		} else {
			list[i].Tampered = p.Checker.Check(ctx, evidence.OfAck(list[i]))
		}
	}
	return list, nil
}

// gonePage is what is known of a page that is not there any more.
func gonePage(m Missing) model.Page {
	at := m.Entry.Time
	return model.Page{
		ID: m.ID, Time: at, Updated: at, Status: "resolved", Title: "A page that is gone", AckedBy: m.Entry.Actor, AckedAt: &at, Tampered: m.Text,
		GroupLabels: model.Labels{}, Alerts: []model.PageAlert{}, Deliveries: []model.Delivery{},
	}
}

// Kept is where all records of a tenant are: store/state, with the faults that signatures show.
type Kept interface {
	Decision(ctx context.Context, id string) (model.GateDecision, error)
	Decisions(ctx context.Context, q store.DecisionQuery) ([]model.GateDecision, string, error)
	GateKeys(context.Context) ([]model.GateKey, error)
	Pages(ctx context.Context, q store.PageQuery) ([]model.Page, error)
	SLOCorrections(context.Context) ([]model.SLOCorrection, error)
}

// mostKept bounds how many decisions and pages are compared at once, the newest of them.
const mostKept = 2000

// records are those that are kept, those that stand for what is not there included.
func records(ctx context.Context, from Kept) (out []evidence.Record, err error) {
	keys, err := from.GateKeys(ctx)
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		out = append(out, evidence.OfKey(k.ID, k.PEM))
	}
	corrections, err := from.SLOCorrections(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range corrections {
		out = append(out, evidence.OfCorrection(c))
	}
	pages, err := from.Pages(ctx, store.PageQuery{Limit: mostKept})
	if err != nil {
		return nil, err
	}
	for _, p := range pages {
		out = append(out, evidence.OfAck(p))
	}
	decisions, _, err := from.Decisions(ctx, store.DecisionQuery{Limit: mostKept})
	if err != nil {
		return nil, err
	}
	for _, d := range decisions {
		if d, err = from.Decision(ctx, d.ID); err != nil {
			return nil, err
		}
		out = append(out, evidence.OfDecision(d), evidence.OfOverride(d.ID, d.Override))
	}
	return out, nil
}

// Compare names the records that are not what the audit log notes of them, and those that it notes and that are not kept.
func (c *Checker) Compare(ctx context.Context, from Kept) (touched []string, err error) {
	if err := c.ledger.wait(ctx); err != nil {
		return nil, err
	}
	list, err := records(ctx, from)
	if err != nil {
		return nil, err
	}
	there, count := map[evidence.Record]bool{}, map[evidence.Kind]int{}
	oldest := map[evidence.Kind]time.Time{}
	for _, r := range list {
		if text := cmp.Or(r.Fault, c.Check(ctx, r)); text != "" {
			touched = append(touched, r.Say(text))
		}
		there[evidence.Record{Kind: r.Kind, ID: r.ID}] = true
		count[r.Kind]++
		if !r.Time.IsZero() && (oldest[r.Kind].IsZero() || r.Time.Before(oldest[r.Kind])) {
			oldest[r.Kind] = r.Time
		}
	}
	for _, kind := range []evidence.Kind{evidence.Key, evidence.Correction, evidence.Ack, evidence.Decision} {
		from := time.Time{}
		if count[kind] >= mostKept { // there may be older ones that were not read
			from = oldest[kind]
		}
		gone, err := c.Gone(ctx, kind, from, time.Time{}, func(id string) bool { return there[evidence.Record{Kind: kind, ID: id}] })
		if err != nil {
			return touched, err
		}
		for _, m := range gone {
			touched = append(touched, evidence.Record{Kind: kind, ID: m.ID}.Say(m.Text))
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.touched = touched
	return touched, nil
}
