package judgement

import (
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/slo/indicator"
	"github.com/signalbox-project/signalbox/internal/slo/ledger"
)

// Measured is what one evaluation of an SLO saw: all that a judgement rests on.
type Measured struct {
	Now time.Time
	Counts
	Span
	Trust
}

// Counts are what happened, by window.
type Counts struct {
	Windows map[time.Duration]ledger.Cell // by burn window
	Trickle map[time.Duration]ledger.Cell // by window, where traffic is low
	Budget  ledger.Cell                   // over the budget window
	Felt    ledger.Cell                   // Budget without corrections
}

// Span is the time that the budget stands for.
type Span struct {
	Start    time.Time             // of the budget window
	Length   time.Duration         // of the budget window; 0: the definition's
	Age      time.Duration         // since the first data in the window, at most the window
	History  time.Duration         // since the first data, that before the budget window included
	Excluded time.Duration         // how much of Age corrections take out
	Outside  time.Duration         // how much of the window corrections take out
	Fixed    []model.SLOCorrection // corrections that reach into the window
}

// Trust is what the counts are worth.
type Trust struct {
	LastData time.Time
	Loaded   time.Duration    // how far back history has been read
	Err      error            // of the last query, when it goes on
	NoGood   bool             // the query of good events matches nothing
	Fault    *indicator.Fault // what was measured and cannot be
	Idle     string           // a part of the composite that counted nothing
}
