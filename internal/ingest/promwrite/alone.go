package promwrite

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"

	"github.com/signalbox-project/signalbox/internal/access"
)

// maxAhead is how far in the future an exemplar may be: one keeps out all that
// follow it in its series.
const maxAhead = 10 * time.Minute

// lone is exemplars that come without a sample, as Prometheus' sender has them. The newer
// appender knows exemplars only beside a sample.
type lone struct {
	labels    labels.Labels
	exemplars []exemplar.Exemplar
}

// addAlone takes them when all samples of the request are in. Those that the store does not take are
// no reason to complain.
func (b *batch) addAlone(l lone) error {
	if b.deps.Exemplars == nil {
		return nil
	}
	said, scope := l.labels.Get(access.NamespaceLabel), access.ScopeOf(b.ctx)
	namespace, ok := scope.Place(said)
	if !ok {
		b.refuseSeries(access.ReasonNamespace, 0, fmt.Errorf("exemplars of series %s: %s", clip(l.labels.String()), scope.RefusedSending(said)))
		return nil
	}
	if namespace != said {
		l.labels = labels.NewBuilder(l.labels).Set(access.NamespaceLabel, namespace).Labels()
	}
	if b.exemplars == nil {
		b.exemplars = b.deps.Exemplars.Appender(b.ctx)
	}
	ref := storage.SeriesRef(0)
	for _, e := range l.exemplars {
		if !e.HasTs {
			e.Ts, e.HasTs = b.now.UnixMilli(), true
		}
		if e.Ts > b.now.Add(maxAhead).UnixMilli() {
			continue
		}
		_, err := b.exemplars.AppendExemplar(ref, l.labels, e)
		if err != nil && ref == 0 && !knownError(err) {
			if ref, err = b.begin(l.labels, e.Ts); err != nil {
				return err
			}
			if ref == 0 {
				return nil
			}
			_, err = b.exemplars.AppendExemplar(ref, l.labels, e)
		}
		if err == nil {
			b.written.Exemplars++
		}
	}
	return nil
}

// begin makes a series that nobody has written to, by a sample that says that it has none: before
// the exemplar, whose own time may get a sample yet. A series that may not enter is quoted, and has no reference.
func (b *batch) begin(ls labels.Labels, t int64) (storage.SeriesRef, error) {
	ref, err := b.app.Append(0, ls, 0, t-1, math.Float64frombits(value.StaleNaN), nil, nil, storage.AOptions{})
	if err == nil {
		return ref, nil
	}
	if stored, err := b.judge(err); !stored {
		return 0, err
	}
	return ref, nil
}

// knownError says that the store has the series and does not want the exemplar.
func knownError(err error) bool {
	return errors.Is(err, storage.ErrOutOfOrderExemplar) || errors.Is(err, storage.ErrDuplicateExemplar) ||
		errors.Is(err, storage.ErrExemplarLabelLength) || errors.Is(err, storage.ErrExemplarsDisabled) || errors.Is(err, storage.ErrOutOfBounds)
}
