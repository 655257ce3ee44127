package indicator

import (
	"context"
	"slices"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/slo/promexpr"
)

// Counters that differ in one label's value only are asked for together, so many in one query.
const (
	familyLeast = 4
	familyMost  = 250
)

// family is counters that one query answers.
type family struct {
	lead   *promexpr.Counter
	label  string
	values []string
}

// Families says which counters are asked for together.
type Families map[*promexpr.Counter]familyMember

// FamiliesOf finds the family of each counter of the sources; a counter
// without one is asked for alone.
func FamiliesOf(sources []Source) Families {
	size := map[string]map[string]bool{}
	var counters []*promexpr.Counter
	for _, src := range sources {
		for _, c := range countersOf(src) {
			counters = append(counters, c)
			for _, m := range c.Members() {
				if size[m.Key] == nil {
					size[m.Key] = map[string]bool{}
				}
				size[m.Key][m.Value] = true
			}
		}
	}
	open := map[string]*family{}
	out := Families{}
	for _, c := range counters {
		members := c.Members()
		if len(members) == 0 {
			continue
		}
		best := slices.MaxFunc(members, func(a, b promexpr.Member) int { return len(size[a.Key]) - len(size[b.Key]) })
		if len(size[best.Key]) < familyLeast {
			continue
		}
		f := open[best.Key]
		if f == nil || len(f.values) >= familyMost && !slices.Contains(f.values, best.Value) {
			f = &family{lead: c, label: best.Label}
			open[best.Key] = f
		}
		if !slices.Contains(f.values, best.Value) {
			f.values = append(f.values, best.Value)
		}
		out[c] = familyMember{f, best.Value}
	}
	return out
}

type familyMember struct {
	*family
	value string
}

func countersOf(src Source) []*promexpr.Counter {
	if r := RatioOf(src); r != nil {
		return []*promexpr.Counter{r.Total, r.part()}
	}
	return nil
}

// Batch answers for one evaluation: the same question once, and those of a
// family together.
type Batch struct {
	memo
	families Families
	at       map[batchKey]map[string]model.Sample
	over     map[batchKey]map[string]map[int64]float64
}

type batchKey struct {
	family     *family
	window     time.Duration // 0: the time of the last sample
	start, end int64
	step       time.Duration
}

// NewBatch makes the batch of one evaluation.
func NewBatch(q Querier, members Families) *Batch {
	return &Batch{
		memo: memo{Querier: q, seen: map[string]memoEntry{}}, families: members,
		at: map[batchKey]map[string]model.Sample{}, over: map[batchKey]map[string]map[int64]float64{},
	}
}

// counterQuerier is a Querier that knows counters; Batch is one.
type counterQuerier interface {
	countAt(ctx context.Context, c *promexpr.Counter, window time.Duration, t time.Time) (v float64, ok bool, err error)
	countOver(ctx context.Context, c *promexpr.Counter, width time.Duration, start, end time.Time) (map[int64]float64, error)
}

// countAt is a counter's events in the window that ends at t; with window 0
// the time of its last sample.
func countAt(ctx context.Context, q Querier, c *promexpr.Counter, window time.Duration, t time.Time) (float64, bool, error) {
	if b, ok := q.(counterQuerier); ok {
		return b.countAt(ctx, c, window, t)
	}
	if window == 0 {
		return value(ctx, q, c.LastSample(), t)
	}
	var sum float64
	var any bool
	for _, piece := range c.Pieces(t.Add(-window), t) {
		v, ok, err := value(ctx, q, piece.Query, piece.At)
		if err != nil {
			return 0, false, err
		}
		sum, any = sum+v, any || ok
	}
	return sum, any, nil
}

// countOver is a counter's events in slots of width, by the Unix milliseconds
// of their ends, start to end.
func countOver(ctx context.Context, q Querier, c *promexpr.Counter, width time.Duration, start, end time.Time) (map[int64]float64, error) {
	if b, ok := q.(counterQuerier); ok {
		return b.countOver(ctx, c, width, start, end)
	}
	return Points(ctx, q, c.Over(width), start, end, width)
}

func (b *Batch) countAt(ctx context.Context, c *promexpr.Counter, window time.Duration, t time.Time) (float64, bool, error) {
	m, together := b.families[c]
	if !together {
		return countAt(ctx, &b.memo, c, window, t)
	}
	key := batchKey{family: m.family, window: window, end: t.UnixNano()}
	answers, asked := b.at[key]
	if !asked {
		text := m.lead.LastTogether(m.label, m.values)
		if window > 0 {
			text = m.lead.Together(m.label, m.values, window)
		}
		samples, err := b.Querier.Instant(ctx, text, t)
		if err == nil {
			answers = make(map[string]model.Sample, len(samples))
			for _, s := range samples {
				answers[s.Labels[m.label]] = s
			}
		}
		b.at[key] = answers
	}
	if answers == nil { // together they were too much: each for itself
		return countAt(ctx, &b.memo, c, window, t)
	}
	s, ok := answers[m.value]
	return s.Value, ok, nil
}

func (b *Batch) countOver(ctx context.Context, c *promexpr.Counter, width time.Duration, start, end time.Time) (map[int64]float64, error) {
	m, together := b.families[c]
	if !together {
		return countOver(ctx, &b.memo, c, width, start, end)
	}
	key := batchKey{family: m.family, window: width, start: start.UnixNano(), end: end.UnixNano(), step: width}
	answers, asked := b.over[key]
	if !asked {
		series, err := b.Range(ctx, m.lead.Together(m.label, m.values, width), start, end, width)
		if err == nil {
			answers = make(map[string]map[int64]float64, len(series))
			for _, s := range series {
				one := make(map[int64]float64, len(s.Points))
				for _, p := range s.Points {
					one[p.Time.UnixMilli()] = p.Value
				}
				answers[s.Labels[m.label]] = one
			}
		}
		b.over[key] = answers
	}
	if answers == nil {
		return countOver(ctx, &b.memo, c, width, start, end)
	}
	return answers[m.value], nil
}

// memo answers the same question once per evaluation: SLOs of one service
// often share their total.
type memo struct {
	Querier
	seen map[string]memoEntry
}

type memoEntry struct {
	at      time.Time
	samples []model.Sample
}

// Instant is Querier's.
func (m *memo) Instant(ctx context.Context, expr string, t time.Time) ([]model.Sample, error) {
	if e, ok := m.seen[expr]; ok && e.at.Equal(t) {
		return e.samples, nil
	}
	samples, err := m.Querier.Instant(ctx, expr, t)
	if err == nil {
		m.seen[expr] = memoEntry{t, samples}
	}
	return samples, err
}
