package bands

import (
	"context"
	"slices"
	"time"

	"github.com/signalbox-project/signalbox/internal/gate"
	"github.com/signalbox-project/signalbox/internal/model"
)

// Answers says how SLOs stand and stood; slo.Engine does.
type Answers interface {
	Statuses
	SLO(ctx context.Context, name string) (model.SLOStatus, error)
	SLOHistory(ctx context.Context, name string, start, end time.Time, step time.Duration) (model.SLOHistory, error)
}

// Banded is SLOs with the bands of the policies in force on them.
type Banded struct {
	Answers
	policies *gate.Catalog
}

// With puts bands on what another room says of SLOs.
func With(slos Answers, policies *gate.Catalog) *Banded {
	return &Banded{Answers: slos, policies: policies}
}

// SLOs are those of a service, each with its band.
func (b *Banded) SLOs(ctx context.Context, service string) ([]model.SLOStatus, string, error) {
	list, summary, err := b.Answers.SLOs(ctx, service)
	set := b.policies.Set()
	list = slices.Clone(list) // the other room's stays as it is
	for i := range list {
		list[i].Band = set.BandOf(list[i])
	}
	return list, summary, err
}

// SLO is one with its band and those of its groups.
func (b *Banded) SLO(ctx context.Context, name string) (model.SLOStatus, error) {
	s, err := b.Answers.SLO(ctx, name)
	if err != nil {
		return s, err
	}
	set := b.policies.Set()
	s.Band = set.BandOf(s)
	if s.Groups == nil {
		return s, nil
	}
	groups := *s.Groups
	groups.List = slices.Clone(groups.List)
	for i, g := range groups.List {
		one := s
		one.State, one.Doubt, one.Budget = g.State, g.Doubt, g.Budget
		groups.List[i].Band = set.BandOf(one)
	}
	s.Groups = &groups
	return s, nil
}
