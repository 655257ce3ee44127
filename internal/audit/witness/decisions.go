package witness

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/evidence"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// DecisionStore has decisions; store/state does.
type DecisionStore interface {
	Decision(ctx context.Context, id string) (model.GateDecision, error)
	Decisions(ctx context.Context, q store.DecisionQuery) ([]model.GateDecision, string, error)
}

// Decisions marks decisions and overrides that are not what the audit log notes. Whether their signatures fit is not asked here.
type Decisions struct {
	DecisionStore
	Checker *Checker
}

// Decision is one, with its envelope.
func (w Decisions) Decision(ctx context.Context, id string) (model.GateDecision, error) {
	d, err := w.DecisionStore.Decision(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		if text := w.Checker.Check(ctx, evidence.OfDecision(model.GateDecision{ID: id})); text != "" {
			return d, fmt.Errorf("%w: %s", err, text)
		}
	}
	if err != nil {
		return d, err
	}
	d.Tampered = w.Checker.Check(ctx, evidence.OfDecision(d))
	if e := d.Envelope; e != nil && len(e.Signatures) > 0 {
		d.Tampered = cmp.Or(w.signer(ctx, e.Signatures[0].KeyID), d.Tampered)
	}
	w.override(ctx, &d)
	return d, nil
}

// signer says what is wrong with a key that signed: the public ones of before lie in the database, where one can be put.
func (w Decisions) signer(ctx context.Context, id string) string {
	text := w.Checker.named(ctx, evidence.Key, id)
	if text != "" && !strings.HasPrefix(text, model.Uncompared) {
		return "it was signed by key " + id + ": " + text
	}
	return text
}

// override marks the override of a decision, and one that is gone.
func (w Decisions) override(ctx context.Context, d *model.GateDecision) {
	wrong := w.Checker.Check(ctx, evidence.OfOverride(d.ID, d.Override))
	switch {
	case d.Override != nil:
		o := *d.Override
		if o.Signature != nil {
			wrong = cmp.Or(w.signer(ctx, o.Signature.KeyID), wrong)
		}
		o.Tampered = wrong
		d.Override = &o
	case wrong != "" && !strings.HasPrefix(wrong, model.Uncompared): // nobody knows of one otherwise
		q := d.Request
		d.Override = &model.GateOverride{
			DecisionID: d.ID, Service: q.Service, Environment: q.Environment, Version: q.Version, Verdict: d.Verdict, Tampered: wrong,
		}
	}
}

// Decisions lists them without their envelopes. Those of their time that are gone stand among them, beyond the limit.
func (w Decisions) Decisions(ctx context.Context, q store.DecisionQuery) ([]model.GateDecision, string, error) {
	list, next, err := w.DecisionStore.Decisions(ctx, q)
	if err != nil {
		return list, next, err
	}
	for i := range list {
		w.override(ctx, &list[i])
	}
	from, to := q.Start, q.End
	if at, _, ok := strings.Cut(q.Before, "."); ok {
		if ns, err := strconv.ParseInt(at, 10, 64); err == nil {
			to = time.Unix(0, ns)
		}
	}
	if next != "" && len(list) > 0 {
		from = list[len(list)-1].Time
	}
	gone, err := w.Checker.Gone(ctx, evidence.Decision, from, to, func(id string) bool {
		_, err := w.DecisionStore.Decision(ctx, id)
		return !errors.Is(err, store.ErrNotFound)
	})
	if err != nil {
		return nil, "", err
	}
	for _, m := range gone {
		one := goneDecision(m)
		if (q.Service == "" || q.Service == one.Request.Service) && (q.Verdict == "" || q.Verdict == one.Verdict) {
			list = append(list, one)
		}
	}
	slices.SortStableFunc(list, func(a, b model.GateDecision) int { return b.Time.Compare(a.Time) })
	return list, next, nil
}

// goneDecision is what the audit log says of a decision that is not there any more.
func goneDecision(m Missing) model.GateDecision {
	d := m.Entry.Details
	return model.GateDecision{
		ID: m.ID, Time: m.Entry.Time, Tampered: m.Text, Verdict: model.Verdict(d["verdict"]), Summary: d["summary"],
		Request:  model.GateRequest{Service: d["service"], Environment: d["environment"], Version: d["version"], Actor: m.Entry.Actor},
		Evidence: []model.Evidence{}, Reasons: []model.GateReason{},
	}
}
