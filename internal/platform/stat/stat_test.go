package stat

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func near(t interface{ Errorf(string, ...any) }, what string, got, want, tolerance float64) {
	if math.IsNaN(got) || math.Abs(got-want) > tolerance {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// Newcombe, Two-sided confidence intervals for the single proportion, Statistics
// in Medicine 17 (1998) 857, Table I, method 3 (Wilson).
func TestWilsonAsPublished(t *testing.T) {
	for _, c := range []struct{ x, n, low, high float64 }{
		{81, 263, 0.2553, 0.3662}, {15, 148, 0.0624, 0.1605}, {0, 20, 0, 0.1611}, {1, 29, 0.0061, 0.1718},
	} {
		low, high := Wilson(c.x, c.n, TwoSided(0.95))
		near(t, "low", low, c.low, 5e-5)
		near(t, "high", high, c.high, 5e-5)
	}
	near(t, "one-sided z", OneSided(0.95), 1.6448536269514722, 1e-12)
	near(t, "two-sided z", TwoSided(0.95), 1.959963984540054, 1e-12)
}

// Newcombe (1998) 873, Table II, method 10.
func TestNewcombeAsPublished(t *testing.T) {
	for _, c := range []struct{ x1, n1, x2, n2, low, high float64 }{
		{56, 70, 48, 80, 0.0524, 0.3339},
		{9, 10, 3, 10, 0.1705, 0.8090},
		{6, 7, 2, 7, 0.0582, 0.8062},
		{5, 56, 0, 29, -0.0381, 0.1926},
		{0, 10, 0, 20, -0.1611, 0.2775},
		{10, 10, 0, 20, 0.6791, 1},
	} {
		low, high := Newcombe(c.x1, c.n1, c.x2, c.n2, TwoSided(0.95))
		near(t, "low", low, c.low, 5e-5)
		near(t, "high", high, c.high, 5e-5)
	}
}

// By hand: A = {1,1,2}, B = {1,2,3}: pairs with B greater: 1 (tie with two 1s: 2
// halves) + (2 over two 1s, tie with 2) 2.5 + 3 = 6.5 of 9. Ties: three 1s (24), two 2s (6):
// variance 9/12 × (7 - 30/30) = 4.5.
func TestMannWhitneyByHand(t *testing.T) {
	r, ok := MannWhitney([]float64{2, 1, 0}, []float64{1, 1, 1})
	if !ok {
		t.Fatal("nothing to test")
	}
	near(t, "U", r.U, 6.5, 0)
	near(t, "effect", r.Effect, 6.5/9, 1e-15)
	near(t, "Z", r.Z, 2/math.Sqrt(4.5), 1e-15)
	near(t, "P", r.P, 0.17288929, 1e-8)
}

// oracle expands the classes into values and compares every pair; the variance
// comes from the mid-ranks themselves, without a formula for ties.
func oracle(a, b []int) (u, z float64) {
	var x, y, all []float64
	for i := range a {
		for range a[i] {
			x = append(x, float64(i))
		}
		for range b[i] {
			y = append(y, float64(i))
		}
	}
	for _, v := range y {
		for _, w := range x {
			switch {
			case v > w:
				u++
			case v == w:
				u += 0.5
			}
		}
	}
	all = slices.Sorted(slices.Values(append(slices.Clone(x), y...)))
	n, na, nb := float64(len(all)), float64(len(x)), float64(len(y))
	var squares float64
	for _, v := range all { // variance of the mid-ranks of the finite population
		first := slices.Index(all, v)
		last := first
		for last+1 < len(all) && all[last+1] == v {
			last++
		}
		d := float64(first+last)/2 + 1 - (n+1)/2
		squares += d * d
	}
	// The sum of nb ranks drawn without replacement.
	variance := nb * na / (n * (n - 1)) * squares
	return u, (u - na*nb/2) / math.Sqrt(variance)
}

func TestMannWhitneyEqualsEveryPairCompared(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		classes := rapid.IntRange(2, 12).Draw(t, "classes")
		draw := func(name string) ([]int, []float64) {
			counts := rapid.SliceOfN(rapid.IntRange(0, 12), classes, classes).Draw(t, name)
			out := make([]float64, classes)
			for i, c := range counts {
				out[i] = float64(c)
			}
			return counts, out
		}
		a, fa := draw("a")
		b, fb := draw("b")
		r, ok := MannWhitney(fa, fb)
		used := 0
		for i := range a {
			if a[i]+b[i] > 0 {
				used++
			}
		}
		testable := slices.Max(a) > 0 && slices.Max(b) > 0 && used > 1
		if ok != testable {
			t.Fatalf("testable is %v", ok)
		}
		if !ok {
			return
		}
		u, z := oracle(a, b)
		near(t, "U", r.U, u, 1e-9)
		near(t, "Z", r.Z, z, 1e-9*max(1, math.Abs(z)))
		back, _ := MannWhitney(fb, fa)
		near(t, "both ways", r.Effect+back.Effect, 1, 1e-12)
		near(t, "both ways", r.P+back.P, 1, 1e-12)
	})
}

func TestBoundsHoldTheShareAndNarrowWithEvents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Float64Range(1, 1e6).Draw(t, "n")
		p := rapid.Float64Range(0, 1).Draw(t, "share")
		z := rapid.Float64Range(0.1, 5).Draw(t, "z")
		low, high := Wilson(p*n, n, z)
		if !(0 <= low && low <= p+1e-12 && p-1e-12 <= high && high <= 1) {
			t.Fatalf("%v not in [%v, %v]", p, low, high)
		}
		l2, h2 := Wilson(10*p*n, 10*n, z)
		if h2-l2 > high-low+1e-12 {
			t.Fatalf("ten times the events widen [%v, %v] to [%v, %v]", low, high, l2, h2)
		}
		m := rapid.Float64Range(1, 1e6).Draw(t, "m")
		q := rapid.Float64Range(0, 1).Draw(t, "other share")
		l, h := Newcombe(p*n, n, q*m, m, z)
		lo, hi := Newcombe(q*m, m, p*n, n, z)
		if l > p-q+1e-12 || h < p-q-1e-12 || math.Abs(l+hi) > 1e-12 || math.Abs(h+lo) > 1e-12 {
			t.Fatalf("difference %v in [%v, %v], the other way [%v, %v]", p-q, l, h, lo, hi)
		}
	})
}

func TestNothingGivesTheWidestBoundsAndNoEffect(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, n := range []float64{0, -1, nan, inf} {
		if low, high := Wilson(n, n, 2); low != 0 || high != 1 {
			t.Errorf("Wilson of %v: %v to %v", n, low, high)
		}
	}
	if low, high := Newcombe(0, 0, 1, 2, 2); low != -1 || high != 1 {
		t.Errorf("Newcombe of nothing: %v to %v", low, high)
	}
	for _, c := range [][2][]float64{{nil, nil}, {{0, 0}, {1, 2}}, {{1, 2}, {nan, 1}}, {{1, 2}, {inf, 1}}, {{1}, {1, 2}}, {{5, 0}, {7, 0}}, {{-1, 2}, {1, 2}}} {
		if r, ok := MannWhitney(c[0], c[1]); ok || math.IsNaN(r.Effect+r.P+r.Z) {
			t.Errorf("%v: %+v", c, r)
		}
	}
}

// As PromQL: 10, 20 and 10 events up to 0.1, 0.2 and 0.4 s.
func TestQuantileIsLinearWithinItsClass(t *testing.T) {
	bounds, counts := []float64{0.1, 0.2, 0.4, math.Inf(1)}, []float64{10, 20, 10, 0}
	for q, want := range map[float64]float64{0.25: 0.1, 0.5: 0.15, 0.95: 0.36, 1: 0.4} {
		got, ok := Quantile(q, bounds, counts)
		if !ok {
			t.Errorf("%v: not ok", q)
		}
		near(t, "quantile", got, want, 1e-12)
	}
	if v, ok := Quantile(0.99, bounds, []float64{1, 0, 0, 9}); ok || v != 0.4 {
		t.Errorf("beyond the last bound: %v, %v", v, ok)
	}
	if v, ok := Quantile(0.5, bounds, []float64{0, 0, 0, 0}); ok || !math.IsNaN(v) {
		t.Errorf("of nothing: %v, %v", v, ok)
	}
}

func TestPoissonTail(t *testing.T) {
	for _, c := range []struct{ count, expected, want float64 }{
		{1, 0.005, 1 - math.Exp(-0.005)},
		{3, 0.015, 1 - math.Exp(-0.015)*(1+0.015+0.015*0.015/2)},
		{5, 1, 1 - math.Exp(-1)*(1+1+0.5+1.0/6+1.0/24)},
		{0, 3, 1},
		{2, 0, 0},
	} {
		if got := PoissonTail(c.count, c.expected); math.Abs(got-c.want) > 1e-15+1e-6*c.want {
			t.Errorf("P(X >= %v | %v) is %v, want %v", c.count, c.expected, got, c.want)
		}
	}
}
