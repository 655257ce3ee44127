package detect

import (
	"math"
	"slices"
	"time"
)

// How much of the past is looked at.
const (
	// levelSpan is the recent past that says how high today's level is, and how
	// much it scatters.
	levelSpan = 2 * time.Hour
	// flatSpan is the part of it that stands for "as it was a moment ago".
	flatSpan = 30 * time.Minute
	// seasonStep is the resolution of earlier seasons.
	seasonStep = 5 * time.Minute
	// minSeasons is how many earlier seasons must have values for this time.
	minSeasons = 2
	// madSigma makes a median absolute deviation comparable with a standard
	// deviation: 1/Φ⁻¹(3/4) for normally distributed values.
	madSigma = 1.4826
)

// Why a detector does not judge.
const (
	noValue     = "no_value"     // the expression answers nothing, or no number
	shortPast   = "short_past"   // less than half of the recent past has values
	fewSeasons  = "few_seasons"  // fewer than minSeasons earlier seasons have values for this time
	fewEvents   = "few_events"   // fewer than min_events
	alwaysZero  = "always_zero"  // nothing to compare with: give min_absolute
	tooManyRows = "series_limit" // more series than the configuration allows
)

// point is one value of the recent past. flagged ones were outside their band,
// so they do not say what is normal.
type point struct {
	t       int64 // ms
	v       float64
	flagged bool
}

// past is what is known of one series before now.
type past struct {
	recent  []point     // in order, the newest last
	seasons []seasonRow // one for each earlier season, all from the same time
	middle  seasonRow   // of the seasons: the median over them and their neighbouring steps
	counts  []int       // how many seasons have values, by step
}

// seasonRow is one earlier season, moved to the present, at seasonStep.
type seasonRow struct {
	from   int64 // ms of values[0], as if it were in this season
	values []float64
}

// at is the value at t, between its neighbours; NaN where there is none.
func (s seasonRow) at(t int64) float64 {
	step := seasonStep.Milliseconds()
	x := float64(t-s.from) / float64(step)
	i := int(math.Floor(x))
	if i < 0 || i >= len(s.values) {
		return math.NaN()
	}
	a, b := s.values[i], math.NaN()
	if i+1 < len(s.values) {
		b = s.values[i+1]
	}
	switch f := x - float64(i); {
	case math.IsNaN(b):
		return a
	case math.IsNaN(a):
		return b
	default:
		return a + f*(b-a)
	}
}

// usual is what earlier seasons had at t. n is how many of them had values.
func (p *past) usual(t int64) (v float64, n int) {
	if len(p.counts) == 0 {
		return math.NaN(), 0
	}
	i := int((t - p.middle.from) / seasonStep.Milliseconds())
	return p.middle.at(t), p.counts[max(0, min(i, len(p.counts)-1))]
}

// remember takes earlier seasons and their medians: over the seasons and the
// neighbouring steps, so that one bad day says nothing.
func (p *past) remember(seasons []seasonRow) {
	p.seasons, p.middle, p.counts = seasons, seasonRow{}, nil
	if len(seasons) == 0 {
		return
	}
	n := len(seasons[0].values)
	p.middle = seasonRow{from: seasons[0].from, values: make([]float64, n)}
	p.counts = make([]int, n)
	var all []float64
	for i := range n {
		all = all[:0]
		for _, s := range seasons {
			has := false
			for _, v := range s.values[max(0, i-1):min(n, i+2)] {
				if !math.IsNaN(v) {
					all, has = append(all, v), true
				}
			}
			if has {
				p.counts[i]++
			}
		}
		p.middle.values[i] = median(all)
	}
}

// verdict is what is written about one series at one time.
type verdict struct {
	value                  float64
	expected, lower, upper float64
	score                  float64 // beyond -1 or 1 outside the band; 0 in a direction nobody asked for
	insufficient           string  // why there is none of this; ""
}

// judge compares v with what the past lets expect. events is how many events
// are behind v, NaN when nobody said. need is how many recent points half of
// the recent past has.
//
// Three answers to "what would be normal now" count, and the band is their
// hull: as a moment ago (the median of the last half hour), as the season goes
// (the usual value at this time of day, scaled to today's level), and as usual
// (the same unscaled: a return to the usual is no change to wake anybody for).
// The band is as much wider as the scatter says: sigmas times the median absolute deviation
// around the better of the first two explanations, around the season on earlier
// days, or what chance alone does to so few events, whichever is largest;
// and never narrower than min_change.
//
// Sources: median and MAD as robust location and scale, Hampel, "The influence curve
// and its role in robust estimation", JASA 69 (1974); the modified z-score,
// Iglewicz and Hoaglin, "How to Detect and Handle Outliers", ASQC (1993). Of a linear
// drift the last value is at most 1.35 such deviations from the median of its window
// (half a range against 1.4826 quarters of it), so drift alone never leaves the band.
func judge(d *Definition, now time.Time, v, events float64, p *past, need int) verdict {
	out := verdict{value: v}
	normal := p.normal(need)
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		out.insufficient = noValue
		return out
	case len(normal) < need/2 || len(p.recent) < need:
		out.insufficient = shortPast
		return out
	}
	centers, scatter, why := p.centers(d, now.UnixMilli(), normal)
	if why != "" {
		out.insufficient = why
		return out
	}
	out.expected = centers[len(centers)-1]
	if len(centers) > 1 {
		out.expected = centers[1]
	}
	margin := d.sigmas() * max(scatter, chance(d, out.expected, events))
	out.lower, out.upper = math.Inf(1), math.Inf(-1)
	for _, c := range centers {
		least := max(d.MinChange*math.Abs(c), d.MinAbsolute)
		out.lower = min(out.lower, c-least, d.raw(d.even(c)-margin))
		out.upper = max(out.upper, c+least, d.raw(d.even(c)+margin))
	}
	if !slices.ContainsFunc(normal, func(q point) bool { return q.v < 0 }) {
		out.lower = max(out.lower, 0)
	}
	if out.upper <= out.lower {
		out.insufficient = alwaysZero
		return out
	}
	if tooFew(d, out.expected, v, events) {
		out.insufficient = fewEvents
		return out
	}
	out.score = score(d, out)
	return out
}

// even turns a value into one whose scatter does not depend on its height:
// the square root for rates (for Poisson counts the scatter is then 1/2; Anscombe, Biometrika 35 (1948)), so
// that a fall from 30 events to none is as plain as a rise to 75. raw is its inverse.
func (d *Definition) even(v float64) float64 {
	if d.Kind == Rate {
		return math.Sqrt(max(0, v))
	}
	return v
}

func (d *Definition) raw(y float64) float64 {
	if d.Kind == Rate {
		return max(0, y) * max(0, y)
	}
	return y
}

// score is how far v is on its way to the edge of the band.
func score(d *Definition, o verdict) float64 {
	switch {
	case o.value > o.expected && d.Direction != Drop && o.upper > o.expected:
		return (o.value - o.expected) / (o.upper - o.expected)
	case o.value < o.expected && d.Direction != Rise && o.expected > o.lower:
		return -(o.expected - o.value) / (o.expected - o.lower)
	}
	return 0
}

// normal is the recent past without what was outside its band. When little is
// left of that, the new level has lasted long enough to be the normal one.
func (p *past) normal(need int) []point {
	var calm []point
	for _, q := range p.recent {
		if !q.flagged {
			calm = append(calm, q)
		}
	}
	if len(calm) < need/2 {
		return p.recent
	}
	return calm
}

// centers are the answers to "what would be normal now": as a moment ago, as
// the season goes, as usual. scatter is how much values move around them.
func (p *past) centers(d *Definition, now int64, normal []point) (centers []float64, scatter float64, why string) {
	values := make([]float64, len(normal))
	for i, q := range normal {
		values[i] = q.v
	}
	flat := median(values[max(0, len(values)-max(1, int(int64(len(p.recent))*int64(flatSpan)/int64(levelSpan)))):])
	level := median(values)
	scatter = d.mad(values, func(int) float64 { return level })
	if length, _ := d.season(); length == 0 {
		return []float64{flat}, scatter, ""
	}
	usual, n := p.usual(now)
	if n < minSeasons {
		return nil, 0, fewSeasons
	}
	before := make([]float64, len(normal))
	for i, q := range normal {
		before[i], _ = p.usual(q.t)
	}
	scale := today(level, before)
	scatter = min(scatter, d.mad(values, func(i int) float64 { return scale(before[i]) }))
	scatter = max(scatter, p.seasonScatter(d, now, normal, usual, before, scale(usual)))
	return []float64{flat, scale(usual), usual}, scatter, ""
}

// today is how to turn a usual value into one at today's level: a factor, or
// where the usual level is zero, a difference.
func today(level float64, before []float64) func(float64) float64 {
	was := median(before)
	if was > 0 && level >= 0 {
		f := level / was
		return func(v float64) float64 { return v * f }
	}
	if math.IsNaN(was) {
		was = level
	}
	return func(v float64) float64 { return v + level - was }
}

// seasonScatter is how much earlier seasons scattered around the usual value at
// this time, each at its own level, on today's scale.
func (p *past) seasonScatter(d *Definition, now int64, normal []point, usual float64, before []float64, here float64) float64 {
	var off []float64
	for _, s := range p.seasons {
		own := make([]float64, 0, len(normal))
		was := make([]float64, 0, len(normal))
		for i, q := range normal {
			if v := s.at(q.t); !math.IsNaN(v) {
				own, was = append(own, v), append(was, before[i])
			}
		}
		v := s.at(now)
		if len(own) == 0 || math.IsNaN(v) {
			continue
		}
		off = append(off, math.Abs(d.even(v)-d.even(today(median(own), was)(usual))))
	}
	if len(off) < minSeasons {
		return 0
	}
	out := madSigma * median(off)
	if usual > 0 && here > 0 {
		out *= d.even(here) / d.even(usual)
	}
	return out
}

// chance is the scatter, of even values, that so few events have by themselves.
func chance(d *Definition, expected, events float64) float64 {
	switch d.Kind {
	case Rate:
		return 0.5 / math.Sqrt(time.Duration(d.Window).Seconds())
	case Ratio:
		if !(events > 0) {
			return 0
		}
		p := min(max(expected, 1/events), 1-1/(events+1))
		return math.Sqrt(p * (1 - p) / events)
	}
	return 0
}

// tooFew asks for as many events as a statement needs: a drop is told by what
// should have come, everything else by what came.
func tooFew(d *Definition, expected, v, events float64) bool {
	if d.Kind == Rate {
		w := time.Duration(d.Window).Seconds()
		return max(expected, v)*w < d.MinEvents
	}
	return d.Events != "" && !(events >= d.MinEvents)
}

// mad is the median absolute deviation of even values from center(i), as a
// standard deviation; infinite without centers, which explain nothing.
func (d *Definition) mad(values []float64, center func(int) float64) float64 {
	off := make([]float64, 0, len(values))
	for i, v := range values {
		if c := center(i); !math.IsNaN(c) {
			off = append(off, math.Abs(d.even(v)-d.even(c)))
		}
	}
	if len(off) == 0 {
		return math.Inf(1)
	}
	return madSigma * median(off)
}

// median of values, NaN left out; NaN of none. It sorts a copy.
func median(values []float64) float64 {
	s := make([]float64, 0, len(values))
	for _, v := range values {
		if !math.IsNaN(v) {
			s = append(s, v)
		}
	}
	if len(s) == 0 {
		return math.NaN()
	}
	slices.Sort(s)
	if n := len(s); n%2 == 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return s[len(s)/2]
}
