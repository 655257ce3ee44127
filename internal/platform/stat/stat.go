// Package stat is the statistics behind verdicts: how sure a share is, how sure
// a difference of two shares, and whether one distribution lies above another.
//
// It knows nothing of deployments and decides nothing. In: counts. Out: bounds,
// effect sizes and probabilities. Every formula names its source.
//
// Invariants: all functions are pure; counts that are no numbers, or none at
// all, give the widest bounds and no effect, never NaN. Counts may be fractions, as
// PromQL's increase() makes them.
//
// Start reading at Wilson.
package stat

import "math"

// OneSided is the z of a one-sided bound at a confidence such as 0.95 (1.645).
func OneSided(confidence float64) float64 { return math.Sqrt2 * math.Erfinv(2*confidence-1) }

// TwoSided is the z of a two-sided interval at a confidence such as 0.95 (1.960).
func TwoSided(confidence float64) float64 { return math.Sqrt2 * math.Erfinv(confidence) }

// Wilson bounds a share of which x out of n were seen: E. B. Wilson, Probable
// Inference, the Law of Succession, and Statistical Inference, JASA 22 (1927) 209.
// Without events it is 0 to 1.
func Wilson(x, n, z float64) (low, high float64) {
	if !(n > 0) || math.IsNaN(x) || math.IsInf(n, 0) || math.IsNaN(z) {
		return 0, 1
	}
	p := min(max(x/n, 0), 1)
	z2 := z * z
	mid, half := p+z2/(2*n), z*math.Sqrt(p*(1-p)/n+z2/(4*n*n))
	low, high = (mid-half)/(1+z2/n), (mid+half)/(1+z2/n)
	// At the ends the exact bound is the end itself; rounding may miss it.
	if p == 0 {
		low = 0
	}
	if p == 1 {
		high = 1
	}
	return max(low, 0), min(high, 1)
}

// Newcombe bounds the difference of two shares, x1/n1 - x2/n2: R. G. Newcombe,
// Interval Estimation for the Difference between Independent Proportions,
// Statistics in Medicine 17 (1998) 873, method 10 (score intervals, no
// continuity correction). Without events on one side it is -1 to 1.
func Newcombe(x1, n1, x2, n2, z float64) (low, high float64) {
	if !(n1 > 0) || !(n2 > 0) || math.IsNaN(x1+x2) {
		return -1, 1
	}
	p1, p2 := min(max(x1/n1, 0), 1), min(max(x2/n2, 0), 1)
	l1, u1 := Wilson(x1, n1, z)
	l2, u2 := Wilson(x2, n2, z)
	d := p1 - p2
	return max(d-math.Hypot(p1-l1, u2-p2), -1), min(d+math.Hypot(u1-p1, p2-l2), 1)
}

// Ranks is what a rank test says of two samples A and B.
type Ranks struct {
	// U counts the pairs in which the value of B is the greater; a tie counts half.
	U float64
	// Effect is U over the number of pairs: how likely a value of B is greater than
	// one of A. 0.5 is no effect; 0.56 small, 0.64 medium, 0.71 large (A. Vargha and H. D.
	// Delaney, J. Educational and Behavioral Statistics 25 (2000) 101).
	Effect float64
	// Z is U in standard deviations from its mean under the hypothesis that
	// both are alike, P the probability of at least that much: one-sided, B greater.
	Z, P float64
}

// MannWhitney tests whether values of B tend to be greater than those of A, when
// of both only the counts in the same ordered classes are known: H. B. Mann and D. R.
// Whitney, Annals of Mathematical Statistics 18 (1947) 50, with the variance corrected
// for ties as in E. L. Lehmann, Nonparametrics (1975), section 1.4; no continuity
// correction. ok is false when there is nothing to test: an empty sample, or
// all values in one class.
func MannWhitney(a, b []float64) (r Ranks, ok bool) {
	var na, nb, below, ties float64
	for i := range min(len(a), len(b)) {
		x, y := a[i], b[i]
		if !(x >= 0) || !(y >= 0) || math.IsInf(x+y, 0) {
			return Ranks{Effect: 0.5, P: 0.5}, false
		}
		r.U += y * (below + x/2)
		below += x
		na, nb = na+x, nb+y
		t := x + y
		ties += t*t*t - t
	}
	n := na + nb
	if len(a) != len(b) || na < 1 || nb < 1 || n < 2 {
		return Ranks{Effect: 0.5, P: 0.5}, false
	}
	r.Effect = r.U / (na * nb)
	variance := na * nb / 12 * (n + 1 - ties/(n*(n-1)))
	if !(variance > 1e-9*na*nb*n) {
		return Ranks{U: r.U, Effect: r.Effect, P: 0.5}, false
	}
	r.Z = (r.U - na*nb/2) / math.Sqrt(variance)
	r.P = math.Erfc(r.Z/math.Sqrt2) / 2
	return r, true
}

// Quantile is the q-quantile of a histogram: counts of the classes that end at
// bounds, linear within a class, as PromQL's histogram_quantile. When it lies in
// the last class, whose bound is +Inf, ok is false and v is where that begins:
// the quantile is somewhere above.
func Quantile(q float64, bounds, counts []float64) (v float64, ok bool) {
	var total float64
	for _, c := range counts {
		total += c
	}
	if len(bounds) != len(counts) || !(total > 0) || math.IsInf(total, 0) {
		return math.NaN(), false
	}
	rank, seen, start := q*total, 0.0, 0.0
	for i, c := range counts {
		if math.IsInf(bounds[i], 1) {
			return start, false
		}
		if seen+c >= rank && c > 0 {
			return start + (bounds[i]-start)*(rank-seen)/c, true
		}
		seen, start = seen+c, bounds[i]
	}
	return start, true
}

// PoissonTail is the chance of count or more events where expected are
// expected: the upper tail of a Poisson distribution.
func PoissonTail(count, expected float64) float64 {
	k := math.Ceil(count - 1e-9)
	switch {
	case k <= 0 || k <= expected:
		return 1 // a bound: it is a half at least
	case expected <= 0:
		return 0
	}
	lgamma, _ := math.Lgamma(k + 1)
	term := math.Exp(-expected + k*math.Log(expected) - lgamma)
	sum := 0.0
	for i := k; term > sum*1e-16; i++ {
		sum += term
		term *= expected / (i + 1)
	}
	return min(sum, 1)
}
