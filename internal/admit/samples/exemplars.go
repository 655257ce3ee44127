package samples

import (
	"context"

	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"

	"github.com/signalbox-project/signalbox/internal/admit/identifiers"
)

// Exemplars is the way into a store for exemplars that come without a sample.
func (a *Admission) Exemplars(next storage.Appendable) storage.Appendable {
	if a.deps.Identifiers.None() {
		return next
	}
	return exemplars{next: next, ids: a.deps.Identifiers}
}

type exemplars struct {
	next storage.Appendable
	ids  *identifiers.Hasher
}

func (e exemplars) Appender(ctx context.Context) storage.Appender {
	return exemplarAppender{Appender: e.next.Appender(ctx), ids: e.ids}
}

type exemplarAppender struct {
	storage.Appender
	ids *identifiers.Hasher
}

func (a exemplarAppender) AppendExemplar(ref storage.SeriesRef, ls labels.Labels, e exemplar.Exemplar) (storage.SeriesRef, error) {
	e.Labels = a.ids.Labels(e.Labels)
	return a.Appender.AppendExemplar(ref, a.ids.Labels(ls), e)
}
