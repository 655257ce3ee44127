package ownership

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/human"
	"github.com/signalbox-project/signalbox/internal/store"
)

// DecisionStore remembers what the gate decided.
type DecisionStore interface {
	Decisions(ctx context.Context, q store.DecisionQuery) (list []model.GateDecision, next string, err error)
	Decision(ctx context.Context, id string) (model.GateDecision, error)
}

// rulePage is the gate's rule about open pages.
const rulePage = "open_page"

// maxTurns bounds how many pages of decisions are read for one that is answered.
const maxTurns = 100

// Decisions are those about services that are all the caller's.
type Decisions struct {
	From   DecisionStore
	Owners *Owners
}

// Decisions lists them, the newest first; next is "" at the end.
func (d Decisions) Decisions(ctx context.Context, q store.DecisionQuery) ([]model.GateDecision, string, error) {
	scope := access.ScopeFor(ctx, access.GateRead)
	if scope.All {
		return d.From.Decisions(ctx, q)
	}
	out := []model.GateDecision{}
	limit := q.Limit
	for range maxTurns {
		if scope.None() || limit > 0 && len(out) >= limit {
			break
		}
		q.Limit = limit - len(out) // a page never reaches beyond what is answered, so that its cursor is the answer's
		list, next, err := d.From.Decisions(ctx, q)
		if err != nil {
			return nil, "", err
		}
		for _, one := range list {
			if ok, err := d.Owners.belongs(ctx, scope, one.Request.Service, ""); err != nil {
				return nil, "", err
			} else if !ok {
				continue
			}
			if one, err = d.Owners.Hide(ctx, scope, one); err != nil {
				return nil, "", err
			}
			out = append(out, one)
		}
		if q.Before = next; next == "" {
			break
		}
	}
	return out, q.Before, nil
}

// Decision is one.
func (d Decisions) Decision(ctx context.Context, id string) (model.GateDecision, error) {
	scope := access.ScopeFor(ctx, access.GateRead)
	one, err := d.From.Decision(ctx, id)
	if scope.All {
		return one, err
	}
	hidden := fmt.Errorf("gate decision %s: %w", id, store.ErrNotFound)
	if errors.Is(err, store.ErrNotFound) {
		return model.GateDecision{}, hidden
	}
	if err != nil {
		return model.GateDecision{}, err
	}
	ok, err := d.Owners.belongs(ctx, scope, one.Request.Service, "")
	if err != nil || !ok {
		return model.GateDecision{}, errors.Join(err, hidden)
	}
	return d.Owners.Hide(ctx, scope, one)
}

// Hide takes out of a decision what scope does not see: SLOs of others, their services, and the signed envelope, which holds all that the
// verdict rests on. The verdict stays what it is.
func (o *Owners) Hide(ctx context.Context, scope access.Scope, d model.GateDecision) (model.GateDecision, error) {
	if scope.All {
		return d, nil
	}
	seen, err := o.slosSeen(ctx, scope)
	if err != nil {
		return model.GateDecision{}, err
	}
	d.Envelope = nil
	evidence, reasons, hidden := []model.Evidence{}, make([]model.GateReason, 0, len(d.Reasons)), false
	for _, e := range d.Evidence {
		if e.SLO == "" || seen[e.SLO] {
			evidence = append(evidence, e)
		}
	}
	for _, r := range d.Reasons {
		if r.SLO != "" && !seen[r.SLO] {
			r.SLO, r.Cure, hidden = access.Hidden(""), "", true
			r.Message = "It rests on an SLO that you do not see."
		}
		if r.Rule == rulePage { // its title may be of more than this service
			r.Message, r.Cure = "A page about "+d.Request.Service+" is open.", ""
			hidden = true
		}
		reasons = append(reasons, r)
	}
	d.Evidence, d.Reasons = evidence, reasons
	var changes []model.Deploy
	for _, c := range d.Changes {
		if ok, err := o.belongs(ctx, scope, c.Service, c.Labels[access.NamespaceLabel]); err != nil {
			return model.GateDecision{}, err
		} else if ok {
			changes = append(changes, c)
		}
	}
	d.Changes = changes
	if d.Cause != nil {
		c, told, err := o.cause(ctx, scope, *d.Cause)
		if err != nil {
			return model.GateDecision{}, err
		}
		d.Cause, hidden = &c, hidden || told
	}
	if hidden && len(d.Reasons) > 0 {
		d.Summary = fmt.Sprintf("%s: %s", d.Verdict, strings.TrimSuffix(d.Reasons[0].Message, ".")+".")
	}
	return d, nil
}

// Cause hides of a cause what the caller does not see.
func (o *Owners) Cause(ctx context.Context, c model.Cause) (model.Cause, error) {
	out, _, err := o.cause(ctx, access.ScopeFor(ctx, access.ServicesRead), c)
	return out, err
}

func (o *Owners) cause(ctx context.Context, scope access.Scope, c model.Cause) (_ model.Cause, hidden bool, err error) {
	if scope.All {
		return c, false, nil
	}
	was := c.Service
	if c.Service, err = o.name(ctx, scope, was); err != nil {
		return c, false, err
	}
	hidden = c.Service != was
	var path []string
	for _, p := range c.Path {
		named, err := o.name(ctx, scope, p)
		if err != nil {
			return c, false, err
		}
		if hidden = hidden || named != p; len(path) == 0 || path[len(path)-1] != named {
			path = append(path, named)
		}
	}
	c.Path = path
	ruledOut := c.RuledOut
	c.RuledOut = nil
	for _, r := range ruledOut {
		if ok, err := o.belongs(ctx, scope, r.Change.Service, r.Change.Labels[access.NamespaceLabel]); err != nil {
			return c, false, err
		} else if ok {
			c.RuledOut = append(c.RuledOut, r)
		}
	}
	hidden = hidden || len(c.RuledOut) < len(ruledOut)
	if c.Change != nil {
		ok, err := o.belongs(ctx, scope, c.Change.Service, c.Change.Labels[access.NamespaceLabel])
		if err != nil {
			return c, false, err
		}
		if !ok {
			c.Change, c.Undone, hidden = nil, nil, true
		}
	}
	if hidden {
		c.Text = ""
		if c.Kind == model.CauseUpstream && len(path) > 0 {
			c.Text = fmt.Sprintf(", because %s, which %s depends on, has failed since %s", c.Service, path[0], human.Clock(c.Since))
		}
	}
	return c, hidden, nil
}
