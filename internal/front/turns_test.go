package front

import (
	"testing"

	prom "github.com/prometheus/common/model"
)

func TestBadTurnsAreNamed(t *testing.T) {
	if errs := DefaultTurns().Validate(); errs != nil {
		t.Error(errs)
	}
	if errs := (TurnsConfig{Questions: -1, Writes: -1, Evaluations: -1, Waiting: 0, Wait: prom.Duration(-1)}).Validate(); len(errs) != 5 {
		t.Error(errs)
	}
}
