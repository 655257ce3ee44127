package api

import (
	"slices"
	"testing"

	"github.com/signalbox-project/signalbox/internal/front"
)

// What costs much is known to the limits of callers.
func TestWhatIsHeavySaysSo(t *testing.T) {
	a := newAPI(t, &rooms{})
	heavy := []string{}
	questions := 0
	for _, r := range a.Needs().List() {
		switch r.Work {
		case front.Heavy:
			heavy = append(heavy, r.Pattern)
		case front.Question:
			questions++
		}
	}
	slices.Sort(heavy)
	if want := []string{"GET /sb/v1/audit/export", "GET /sb/v1/report", "GET /sb/v1/report/rules", "POST /sb/v1/backtest", "POST /sb/v1/sql"}; !slices.Equal(heavy, want) || questions < 8 {
		t.Errorf("%v and %d questions", heavy, questions)
	}
}
