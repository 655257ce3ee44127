package slo

import (
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
)

// judgeEvery is how old a judgement may become while nothing new is known of a
// promise: windows slide all the same.
const judgeEvery = 5 * time.Second

// known is what a judgement rested on, but for the clock. Where none of it changed there
// is nothing to judge anew: of thousands of promises few have new samples.
type known struct {
	def              *Definition
	bad, total       float64 // since the sealed minutes
	sealed, lastData time.Time
	loaded           time.Duration
	queued           int
	failing, noGood  bool
	fault            bool
	corrections      *model.SLOCorrection // the first of a list that is replaced when it changes
	corrected        int
}

func (p *promise) knows() known {
	k := known{
		def: p.def, bad: p.live.Bad, total: p.live.Total, sealed: p.sealed, lastData: p.lastData, loaded: p.loaded,
		queued: len(p.queue), failing: !p.failing.IsZero(), noGood: p.noGood, fault: p.fault != nil, corrected: len(p.corrections),
	}
	if len(p.corrections) > 0 {
		k.corrections = &p.corrections[0]
	}
	return k
}

// due reports whether a promise must be judged at now. Composites, which rest on
// others, and whatever alerts or is about to, always are.
func (p *promise) due(k known, now time.Time) bool {
	return k != p.judged.known || len(p.parts) > 0 || len(p.alerts) > 0 || len(p.record.Pending) > 0 ||
		now.Before(p.judged.at) || now.Sub(p.judged.at) >= judgeEvery
}

// judgement is when a promise was judged last, and on what.
type judgement struct {
	known known
	at    time.Time
}
