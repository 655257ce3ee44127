package slo

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/slo/ledger"
	"github.com/signalbox-project/signalbox/internal/slo/openslo"
	"github.com/signalbox-project/signalbox/internal/slo/promexpr"
)

// Querier evaluates PromQL, the anchored modifier included
// (promexpr.Evaluator does). NaN values are left out.
type Querier interface {
	Instant(ctx context.Context, expr string, t time.Time) ([]model.Sample, error)
	Range(ctx context.Context, expr string, start, end time.Time, step time.Duration) ([]model.Series, error)
}

// source reads what an indicator measured.
type source interface {
	// cells reads (from, to] in slots of width, all on multiples of it; a slot
	// without data is the zero Cell.
	cells(ctx context.Context, q Querier, from, to time.Time, width time.Duration) ([]ledger.Cell, error)
	// live reads (from, to], which began on a full minute and is not over.
	live(ctx context.Context, q Querier, from, to time.Time) (ledger.Cell, error)
	// lastSample is an expression for the time of the newest sample.
	lastSample() string
	// reread is how far back a slot may still change when time goes on.
	reread() time.Duration
	// identity tells sources with the same queries apart.
	identity() string
}

// usualReread covers samples that are later than the configured lateness.
const usualReread = 10 * time.Minute

// ratioSource counts events: total with either good or bad.
type ratioSource struct{ good, bad, total *promexpr.Counter }

func (s *ratioSource) reread() time.Duration { return usualReread }
func (s *ratioSource) lastSample() string    { return s.total.LastSample() }
func (s *ratioSource) identity() string      { return fmt.Sprint("ratio ", s.good != nil) }

func (s *ratioSource) part() *promexpr.Counter {
	if s.good != nil {
		return s.good
	}
	return s.bad
}

// cell makes a cell of counts. A total that is absent is no data. A part that
// is absent beside a total is zero: a counter that never counted has no series.
func (s *ratioSource) cell(total, part float64, hasTotal bool, minutes float64) ledger.Cell {
	if !hasTotal {
		return ledger.Cell{}
	}
	bad := part
	if s.good != nil {
		bad = total - part
	}
	// Series that are scraped one after the other may disagree by an event.
	return ledger.Cell{Bad: min(max(bad, 0), max(total, 0)), Total: max(total, 0), Minutes: minutes}
}

// maxScrape is the longest distance between samples that still counts as data
// without a gap, as in PromQL.
const maxScrape = promexpr.Lookback

func (s *ratioSource) cells(ctx context.Context, q Querier, from, to time.Time, width time.Duration) ([]ledger.Cell, error) {
	before := maxScrape.Truncate(width)
	cells, err := s.counted(ctx, q, from.Add(-before), to, width)
	if err != nil {
		return nil, err
	}
	// Slots between two samples are covered: nothing happened in them that the
	// next sample did not tell.
	last := -1
	for i, c := range cells {
		if c.Minutes == 0 {
			continue
		}
		if last >= 0 && time.Duration(i-last)*width <= maxScrape {
			for k := last + 1; k < i; k++ {
				cells[k].Minutes = width.Minutes()
			}
		}
		last = i
	}
	return cells[int(before/width):], nil
}

// counted reads slots; one without a sample in it is the zero Cell.
func (s *ratioSource) counted(ctx context.Context, q Querier, from, to time.Time, width time.Duration) ([]ledger.Cell, error) {
	n := int(to.Sub(from) / width)
	total, err := countOver(ctx, q, s.total, width, from.Add(width), to)
	if err != nil {
		return nil, err
	}
	out := make([]ledger.Cell, n)
	if len(total) == 0 {
		return out, nil
	}
	part, err := countOver(ctx, q, s.part(), width, from.Add(width), to)
	if err != nil {
		return nil, err
	}
	for i := range out {
		at := from.Add(time.Duration(i+1) * width).UnixMilli()
		v, ok := total[at]
		out[i] = s.cell(v, part[at], ok, width.Minutes())
	}
	return out, nil
}

func (s *ratioSource) live(ctx context.Context, q Querier, from, to time.Time) (ledger.Cell, error) {
	total, hasTotal, err := countAt(ctx, q, s.total, to.Sub(from), to)
	if err != nil || !hasTotal {
		return ledger.Cell{}, err
	}
	part, _, err := countAt(ctx, q, s.part(), to.Sub(from), to)
	return s.cell(total, part, true, to.Sub(from).Minutes()), err
}

// sliceSource judges slices of time by their ratio: a slice is bad when its
// share of good events is below target; without a target each slice counts
// by its ratio. Cells are in minutes. A slice without events is good.
type sliceSource struct {
	counts counting
	slice  time.Duration
	target float64 // 0: by ratio
}

// counting is what slices are judged by: events, or values by minute.
type counting interface {
	// counted reads slots; one without data of its own is the zero Cell.
	counted(ctx context.Context, q Querier, from, to time.Time, width time.Duration) ([]ledger.Cell, error)
	live(ctx context.Context, q Querier, from, to time.Time) (ledger.Cell, error)
	lastSample() string
	identity() string
}

func (s *sliceSource) reread() time.Duration { return max(usualReread, 2*s.slice) }
func (s *sliceSource) lastSample() string    { return s.counts.lastSample() }
func (s *sliceSource) identity() string {
	return fmt.Sprint("slices ", s.slice, s.target, s.counts.identity())
}

func (s *sliceSource) judge(c ledger.Cell) float64 {
	if c.Total <= 0 {
		return 0
	}
	bad := c.Bad / c.Total
	switch {
	case s.target == 0:
		return bad
	case 1-bad < s.target-1e-12:
		return 1
	}
	return 0
}

func (s *sliceSource) cells(ctx context.Context, q Querier, from, to time.Time, width time.Duration) ([]ledger.Cell, error) {
	out := make([]ledger.Cell, int(to.Sub(from)/width))
	begin := from.Truncate(s.slice)
	whole := to.Truncate(s.slice)
	var slices []ledger.Cell
	if whole.After(begin) {
		var err error
		if slices, err = s.counts.counted(ctx, q, begin, whole, s.slice); err != nil {
			return nil, err
		}
	}
	if to.After(whole) { // the slice that is under way, as it stands
		c, err := s.counts.live(ctx, q, whole, to)
		if err != nil {
			return nil, err
		}
		slices = append(slices, c)
	}
	for i, c := range slices {
		if c.Minutes > 0 {
			start := begin.Add(time.Duration(i) * s.slice)
			s.spread(out, from, width, start, earlier(start.Add(s.slice), to), s.judge(c))
		}
	}
	return out, nil
}

// spread puts one slice's verdict into the slots that it overlaps.
func (s *sliceSource) spread(out []ledger.Cell, from time.Time, width time.Duration, start, end time.Time, bad float64) {
	if start.Before(from) {
		start = from
	}
	for at := start; at.Before(end); {
		k := int(at.Sub(from) / width)
		next := earlier(from.Add(time.Duration(k+1)*width), end)
		m := next.Sub(at).Minutes()
		out[k] = out[k].Add(ledger.Cell{Bad: bad * m, Total: m, Minutes: m})
		at = next
	}
}

func (s *sliceSource) live(ctx context.Context, q Querier, from, to time.Time) (ledger.Cell, error) {
	var sum ledger.Cell
	for start := from.Truncate(s.slice); start.Before(to); start = start.Add(s.slice) {
		end := earlier(start.Add(s.slice), to)
		c, err := s.counts.live(ctx, q, start, end)
		if err != nil {
			return ledger.Cell{}, err
		}
		if c.Minutes > 0 {
			one := make([]ledger.Cell, 1)
			s.spread(one, from, to.Sub(from), start, end, s.judge(c))
			sum = sum.Add(one[0])
		}
	}
	return sum, nil
}

// sampleSource judges values, one a minute and series: a threshold, or a raw
// ratio. Cells are in minutes of series.
type sampleSource struct {
	query   *promexpr.Vector
	op      string // "": the value is a ratio
	value   float64
	success bool // the ratio is of good events

	peak      *openslo.PeakCalendar // peakValue counts instead of value at its peaks
	peakValue float64
}

// limit is the threshold at a time.
func (s *sampleSource) limit(at time.Time) float64 {
	if s.peak != nil && s.peak.Active(at) {
		return s.peakValue
	}
	return s.value
}

func (s *sampleSource) reread() time.Duration { return usualReread }
func (s *sampleSource) lastSample() string    { return s.query.LastSample() }
func (s *sampleSource) identity() string {
	text := fmt.Sprint("samples by minute ", s.op, s.value, s.success)
	if s.peak != nil {
		text += fmt.Sprint(s.peakValue, s.peak.Zone, s.peak.Weekly, s.peak.Dates)
	}
	return text
}

// bad is the bad share of one value that stands for the time since start.
func (s *sampleSource) bad(v float64, start time.Time) float64 {
	var good bool
	limit := s.limit(start)
	switch s.op {
	case "lt":
		good = v < limit
	case "lte":
		good = v <= limit
	case "gt":
		good = v > limit
	case "gte":
		good = v >= limit
	default:
		bad := min(max(v, 0), 1)
		if s.success {
			bad = 1 - bad
		}
		return bad
	}
	if good {
		return 0
	}
	return 1
}

// valueStep is the distance of the values that are judged: whatever history is
// read into, a promise that is read again must come out the same.
const valueStep = time.Minute

// maxValues bounds the values of one series that one query answers.
const maxValues = 24 * 60

func (s *sampleSource) counted(ctx context.Context, q Querier, from, to time.Time, width time.Duration) ([]ledger.Cell, error) {
	return s.cells(ctx, q, from, to, width)
}

func (s *sampleSource) cells(ctx context.Context, q Querier, from, to time.Time, width time.Duration) ([]ledger.Cell, error) {
	out := make([]ledger.Cell, int(to.Sub(from)/width))
	for at := from; at.Before(to); {
		end := earlier(at.Add(maxValues*valueStep), to)
		values, err := s.values(ctx, q, at, end)
		if err != nil {
			return nil, err
		}
		for k, c := range values {
			if i := int(at.Add(time.Duration(k)*valueStep).Sub(from) / width); i < len(out) {
				out[i] = out[i].Add(c)
			}
		}
		at = end
	}
	return out, nil
}

// values judges (from, to] value by value.
func (s *sampleSource) values(ctx context.Context, q Querier, from, to time.Time) ([]ledger.Cell, error) {
	series, err := q.Range(ctx, s.query.Text, from.Add(valueStep), to, valueStep)
	if err != nil {
		return nil, err
	}
	values := make([]ledger.Cell, int(to.Sub(from)/valueStep))
	for _, sr := range series {
		for _, p := range sr.Points {
			k := int(p.Time.Sub(from)/valueStep) - 1
			if k >= 0 && k < len(values) && !math.IsNaN(p.Value) {
				values[k] = s.fold(values[k], s.bad(p.Value, p.Time.Add(-valueStep)), valueStep.Minutes())
			}
		}
	}
	return values, nil
}

// fold adds one series' value at one time to the cell of that time.
func (s *sampleSource) fold(c ledger.Cell, bad, minutes float64) ledger.Cell {
	return ledger.Cell{Bad: c.Bad + bad*minutes, Total: c.Total + minutes, Minutes: minutes}
}

func (s *sampleSource) live(ctx context.Context, q Querier, from, to time.Time) (c ledger.Cell, err error) {
	if !to.After(from) {
		return c, nil
	}
	// Full minutes of the past count with their own values, the current one
	// with the value of now.
	whole := to.Truncate(time.Minute)
	if whole.After(from) {
		cells, err := s.cells(ctx, q, from, whole, time.Minute)
		if err != nil {
			return c, err
		}
		for _, m := range cells {
			c = c.Add(m)
		}
	}
	if !to.After(whole) {
		return c, nil
	}
	samples, err := q.Instant(ctx, s.query.Text, to)
	if err != nil {
		return c, err
	}
	var now ledger.Cell
	for _, v := range samples {
		now = s.fold(now, s.bad(v.Value, whole), to.Sub(whole).Minutes())
	}
	return c.Add(now), nil
}

// points is a query's one series by Unix milliseconds.
func points(ctx context.Context, q Querier, expr string, start, end time.Time, step time.Duration) (map[int64]float64, error) {
	series, err := q.Range(ctx, expr, start, end, step)
	if err != nil {
		return nil, err
	}
	out := map[int64]float64{}
	for _, s := range series {
		for _, p := range s.Points {
			out[p.Time.UnixMilli()] += p.Value
		}
	}
	return out, nil
}

// value is a query's one value.
func value(ctx context.Context, q Querier, expr string, t time.Time) (v float64, ok bool, err error) {
	samples, err := q.Instant(ctx, expr, t)
	if err != nil || len(samples) == 0 {
		return 0, false, err
	}
	for _, s := range samples {
		v += s.Value
	}
	return v, true, nil
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
