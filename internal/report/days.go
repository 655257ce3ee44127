package report

import (
	"context"
	"fmt"
	"time"

	"github.com/signalbox-project/signalbox/internal/report/archive"
	"github.com/signalbox-project/signalbox/internal/slo"
	"github.com/signalbox-project/signalbox/internal/slo/ledger"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Days is what an SLO counted on so many UTC days from first on, as reports count it: without corrections. Of an SLO with groups it is all of
// them together.
func (r *Reporter) Days(ctx context.Context, name string, first time.Time, days int) ([]ledger.Cell, error) {
	now := r.deps.Now()
	for _, d := range r.deps.SLOs.Definitions() {
		if d.Name != name {
			continue
		}
		each, _, err := r.archive.Each(ctx, []*slo.Definition{d}, first, now)
		if err != nil {
			return nil, err
		}
		out := make([]ledger.Cell, days)
		for _, one := range each {
			t, err := r.archive.Load(ctx, one, first, first.Add(time.Duration(days)*archive.DayWidth), now, nil)
			if err != nil {
				return nil, r.archive.Explain(err)
			}
			for i := range out {
				at := first.Add(time.Duration(i) * archive.DayWidth)
				sum := t.Sum(at, at.Add(archive.DayWidth))
				minutes := max(out[i].Minutes, sum.Minutes)
				out[i] = out[i].Add(sum)
				out[i].Minutes = minutes
			}
		}
		return out, nil
	}
	return nil, fmt.Errorf("SLO %s: %w", name, store.ErrNotFound)
}
