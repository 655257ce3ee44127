package objectives

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/api/operation"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/slo/judgement"
	"github.com/signalbox-project/signalbox/internal/store"
)

// An SLO belongs to the namespace of its label; one without that label to who sees all. It is seen to here and not by the engine, whose
// answers the gate judges by whoever asks.

func sees(ctx context.Context, labels map[string]string) bool {
	return access.ScopeOf(ctx).Sees(labels[access.NamespaceLabel])
}

// visible answers what it answers of an SLO that does not exist, where the caller does not see it.
func (h *handlers) visible(ctx context.Context, name string) error {
	if access.ScopeOf(ctx).All {
		return nil
	}
	hidden := fmt.Errorf("SLO %s: %w", name, store.ErrNotFound)
	if h.deps.SLOs == nil {
		return hidden
	}
	s, err := h.deps.SLOs.SLO(ctx, name)
	switch {
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return err
	case err != nil, !sees(ctx, s.Labels): // without what the engine says of a name that is near
		return hidden
	}
	return nil
}

// visibleOf are those of a list that the caller sees, and the sentence about them.
func visibleOf(ctx context.Context, list []model.SLOStatus, summary string) ([]model.SLOStatus, string) {
	if access.ScopeOf(ctx).All {
		return list, summary
	}
	mine := slices.DeleteFunc(slices.Clone(list), func(s model.SLOStatus) bool { return !sees(ctx, s.Labels) })
	for i := range mine {
		mine[i] = hideParts(ctx, mine[i], list)
	}
	return mine, judgement.Summary(mine)
}

// hideParts hides of a composite the parts that the caller does not see, and of a part its composite; all are every SLO there is.
func hideParts(ctx context.Context, s model.SLOStatus, all []model.SLOStatus) model.SLOStatus {
	if access.ScopeOf(ctx).All || len(s.Parts) == 0 && s.PartOf == "" {
		return s
	}
	name := func(is string) string {
		i := slices.IndexFunc(all, func(o model.SLOStatus) bool { return o.Name == is })
		switch {
		case i < 0:
			return access.Hidden("")
		case sees(ctx, all[i].Labels):
			return is
		}
		return access.Hidden(all[i].Labels[access.NamespaceLabel])
	}
	s.Parts = slices.Clone(s.Parts)
	for i, p := range s.Parts {
		if shown := name(p.Name); shown != p.Name {
			s.Parts[i] = model.SLOPart{Name: shown}
			s.Indicator, s.Queries = "weighted mean of burn rates", model.SLOQueries{} // both name the parts
		}
	}
	if s.PartOf != "" {
		s.PartOf = name(s.PartOf)
	}
	return s
}

// forAll refuses who is bound to namespaces, where what is answered is of all of them.
func forAll(ctx context.Context, what string) error {
	if scope := access.ScopeOf(ctx); !scope.All {
		return operation.Forbidden(what + ": they are of all namespaces, and you see " + scope.Text() + " only")
	}
	return nil
}
