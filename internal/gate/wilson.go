package gate

import "math"

// WilsonLower is the one-sided lower bound of a share of which bad out of n
// events were seen, at a confidence such as 0.95: E. B. Wilson, Probable
// Inference, the Law of Succession, and Statistical Inference, JASA 22 (1927).
// It is 0 without events.
func WilsonLower(bad, n, confidence float64) float64 {
	if n <= 0 || bad <= 0 {
		return 0
	}
	p, z := math.Min(bad/n, 1), math.Sqrt2*math.Erfinv(2*confidence-1)
	z2 := z * z
	return max(0, (p+z2/(2*n)-z*math.Sqrt(p*(1-p)/n+z2/(4*n*n)))/(1+z2/n))
}
