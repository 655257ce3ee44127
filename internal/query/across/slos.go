package across

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// SLOs lists those of several tenants; of one alone it tells nothing, since a name may be there twice.
type SLOs struct{ Parts Parts }

// SLOs are those of all, tenant by tenant, worst first in each.
func (s SLOs) SLOs(ctx context.Context, service string) ([]model.SLOStatus, string, error) {
	all, err := each(ctx, s.Parts, func(ctx context.Context, p Part) ([]model.SLOStatus, error) {
		slos, err := p.SLOs(ctx)
		var out []model.SLOStatus
		for _, one := range slos {
			if (service == "" || one.Service == service) && access.ScopeOf(ctx).Sees(one.Labels[access.NamespaceLabel]) {
				one.Tenant = p.Tenant
				out = append(out, one)
			}
		}
		return out, err
	})
	return all, fmt.Sprintf("%d SLOs of %d tenants.", len(all), len(s.Parts(ctx))), err
}

var errOne = errors.New("one SLO is asked of one tenant")

// SLO implements what one tenant answers.
func (SLOs) SLO(context.Context, string) (model.SLOStatus, error) {
	return model.SLOStatus{}, errors.Join(errOne, store.ErrNotFound)
}

// SLOHistory implements what one tenant answers.
func (SLOs) SLOHistory(context.Context, string, time.Time, time.Time, time.Duration) (model.SLOHistory, error) {
	return model.SLOHistory{}, errors.Join(errOne, store.ErrNotFound)
}
