package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/signalbox-project/signalbox/internal/admit/identifiers"
	"github.com/signalbox-project/signalbox/internal/config"
	"github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/mask"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/slo"
	"github.com/signalbox-project/signalbox/internal/slo/indicator"
)

// buildMasks puts the rules of masking into force before anything can be asked.
func (c *cell) buildMasks() error {
	rules, err := masksOf(c.cfg)
	if err != nil {
		return err
	}
	c.masks = document.NewValue(c.force, rules, nil)
	return nil
}

// masksOf are the rules of a configuration. The key is read with them, so that rules and key of a reload belong together.
func masksOf(cfg config.Config) (*mask.Rules, error) {
	var key mask.Key
	if cfg.Masking.Hashes() {
		var err error
		if key.Prefix, key.Secret, key.Bytes, err = identifiers.Current(cfg.Privacy); err != nil {
			return nil, err
		}
	}
	return mask.New(cfg.Masking, key)
}

// mayCount refuses to count by what is masked for the caller: how many log records or spans a filter of theirs finds would tell.
// Counts are made of what is stored, so that a filter must find the same of what the caller is shown.
func (c *cell) mayCount(ctx context.Context, d *slo.Definition) error {
	view := c.masks.Value().For(ctx)
	events := indicator.EventsOf(d.Measure)
	if view == nil || events == nil || events.Signal() == indicator.Deploys {
		return nil
	}
	kind := kindOf(events)
	no := errors.New("it searches or groups by what may be masked for you, and its counts would tell: use fields that are not, or ask somebody who sees all")
	for _, q := range []*indicator.EventQuery{events.Good, events.Bad, events.Total} {
		if q == nil {
			continue
		}
		f, err := view.Filter(kind, q.Expr)
		if err == nil && !f.Exact {
			err = no
		}
		if err != nil {
			return err
		}
	}
	for _, field := range d.Grouping.By {
		if !view.Plain(kind, field) {
			return no
		}
	}
	return nil
}

// maskedGroups are SLOs that cannot have the groups they ask for: their labels would show everybody what is masked.
func (c *cell) maskedGroups(defs []*slo.Definition) (out []model.Problem) {
	view := c.masks.Value().ForAll()
	for _, d := range defs {
		events := indicator.EventsOf(d.Measure)
		if d.Grouping == nil || events == nil || events.Signal() == indicator.Deploys {
			continue
		}
		for _, field := range d.Grouping.By {
			var r *mask.Refusal
			if !errors.As(view.Refuse(kindOf(events), field), &r) {
				continue
			}
			out = append(out, model.Problem{
				Severity: "warning", Message: fmt.Sprintf("the SLO %s has groups by %s, which the rule %s masks: it is judged as a whole, since the labels of groups are shown to everybody", d.Name, field, r.Rule),
				Cure: "group by another field, or mask less in masking.rules",
			})
		}
	}
	return out
}

func kindOf(events *indicator.EventRatio) mask.Kind {
	if events.Signal() == indicator.Spans {
		return mask.Spans
	}
	return mask.Logs
}
