package report

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/signalbox-project/signalbox/internal/model"
)

// readCorrections reads what was known of corrections when the report knows things.
func (w *work) readCorrections(ctx context.Context) error {
	all, err := w.deps.Corrections.SLOCorrections(ctx)
	if err != nil {
		return fmt.Errorf("read corrections: %w", err)
	}
	w.corrections = w.bySLO(all)
	gone, err := w.deps.Corrections.GoneSLOCorrections(ctx)
	if err != nil {
		w.unsaid = append(w.unsaid, fmt.Sprintf("Whether corrections were deleted from the database is not known: %v.", err))
	}
	w.gone = w.bySLO(gone)
	return nil
}

func (w *work) bySLO(list []model.SLOCorrection) map[string][]model.SLOCorrection {
	out := map[string][]model.SLOCorrection{}
	for _, c := range list {
		if !c.Created.After(w.known) {
			out[c.SLO] = append(out[c.SLO], c)
		}
	}
	for _, some := range out {
		slices.SortFunc(some, func(a, b model.SLOCorrection) int {
			return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.ID, b.ID))
		})
	}
	return out
}
