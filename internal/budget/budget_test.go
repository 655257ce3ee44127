package budget_test

import (
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/budget"
)

func TestShareHasNoBinaryNoise(t *testing.T) {
	for objective, want := range map[float64]float64{0.995: 0.005, 0.999: 0.001, 0.9: 0.1, 0.99999: 0.00001, 1: 0} {
		if got := budget.Share(objective); got != want {
			t.Errorf("Share(%v) is %v, want %v", objective, got, want)
		}
	}
	if got := budget.Minutes(0.995, 28*24*time.Hour); got != 201.6 {
		t.Errorf("99.5 %% over 28 d is %v min, want 201.6", got)
	}
}

// 7 bad of 100 at 99.5 % is 14 times too fast, which 14 reaches although 0.07/0.005 falls short of it.
func TestABurnAtItsLimitReachesIt(t *testing.T) {
	rate := budget.BurnRate(7, 100, 0.995)
	if !budget.Reaches(rate, 14) || budget.Reaches(rate, 14.001) {
		t.Errorf("a burn of %v", rate)
	}
	// 0.1 + 0.2 is more than 0.3, and 3 × 0.1 as well.
	tenth, fifth := 0.1, 0.2
	if sum := tenth + fifth; budget.Exceeds(sum, 0.3) || !budget.Exceeds(0.3001, 0.3) || budget.Exceeds(0.2999, 0.3) {
		t.Errorf("a sum of %v", sum)
	}
	if rate := budget.BurnRate(3, 0, 0.995); rate != 0 {
		t.Errorf("no events burn %v", rate)
	}
}

func TestWindow(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 45 * time.Second: "45s", 90 * time.Second: "90s", 5 * time.Minute: "5m", 90 * time.Minute: "90m",
		time.Hour: "1h", 36 * time.Hour: "36h", 24 * time.Hour: "1d", 28 * 24 * time.Hour: "28d",
	} {
		if got := budget.Window(d); got != want {
			t.Errorf("Window(%s) is %q, want %q", d, got, want)
		}
	}
	for text, want := range map[string]string{"28d": "28 d", "1M": "1 M", "": "", "d": "d"} {
		if got := budget.Spaced(text); got != want {
			t.Errorf("Spaced(%q) is %q, want %q", text, got, want)
		}
	}
}
