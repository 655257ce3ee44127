package tally

import (
	"maps"
	"slices"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/slo/indicator"
)

// marks says which minutes changed, and how often.
type marks struct {
	by     map[int64]uint64 // Unix minute
	last   uint64           // numbers never come twice: a forgotten mark is no other
	pruned int64
	late   map[int64]bool // Unix hours
}

func newMarks() *marks { return &marks{by: map[int64]uint64{}, late: map[int64]bool{}} }

func (m *marks) of(minute int64) uint64 { return m.by[minute] }

func (m *marks) copyOf(minute int64, n int) []uint64 {
	out := make([]uint64, max(n, 0))
	for i := range out {
		out[i] = m.by[minute+int64(i)]
	}
	return out
}

// maxLate bounds the hours that are kept as late: four years of them.
const maxLate = 4 * 366 * 24

// mark notes that a minute changed at now.
func (m *marks) mark(minute int64, now time.Time, settled time.Duration) {
	at := now.Unix() / 60
	if minute < at-int64(settled/time.Minute) && len(m.late) < maxLate {
		m.late[minute/60] = true
	}
	m.last++
	m.by[minute] = m.last
	const keep = 2 * int64(longest/time.Minute)
	if at-m.pruned < 10 {
		return
	}
	m.pruned = at
	// A mark that is forgotten reads as 0, which no answer read after it carries.
	maps.DeleteFunc(m.by, func(k int64, _ uint64) bool { return k < at-keep })
}

// TapLogs is stream.LogTap's.
func (t *Tally) TapLogs(records []model.LogRecord) {
	at := newMinutes(len(records))
	for i := range records {
		at.add(records[i].Time)
	}
	t.changed(indicator.Logs, at.list)
}

// TapSpans is stream.SpanTap's.
func (t *Tally) TapSpans(spans []model.Span) {
	at := newMinutes(len(spans))
	for i := range spans {
		at.add(spans[i].Start)
	}
	t.changed(indicator.Spans, at.list)
}

// minutes gathers minutes, each about once: a batch holds few.
type minutes struct{ list []int64 }

func newMinutes(n int) minutes { return minutes{make([]int64, 0, min(n, 8))} }

func (m *minutes) add(ns int64) {
	at := ns / int64(time.Minute)
	if !slices.Contains(m.list[max(0, len(m.list)-8):], at) {
		m.list = append(m.list, at)
	}
}

// changed forgets minutes of which more is stored now.
func (t *Tally) changed(s indicator.Signal, at []int64) {
	if len(at) == 0 {
		return
	}
	now, settled := t.deps.Now(), t.cfg.Lateness+indicator.Rereads
	if s == indicator.Deploys {
		settled = 0 // one that ends leaves the minute in which it began
	}
	t.mu.Lock()
	for _, minute := range at {
		t.marks[s].mark(minute, now, settled)
	}
	t.mu.Unlock()
	select {
	case t.arrived <- struct{}{}:
	default:
	}
}

// Arrived tells that events were stored; news fold into one while nobody
// listens. It is for one listener.
func (t *Tally) Arrived() <-chan struct{} { return t.arrived }

// Late are the hours before those that evaluation reads again anyway, into which data
// fell since the last call, oldest first.
func (t *Tally) Late() map[indicator.Signal][]time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out map[indicator.Signal][]time.Time
	for s, m := range t.marks {
		if len(m.late) == 0 {
			continue
		}
		if out == nil {
			out = map[indicator.Signal][]time.Time{}
		}
		for _, hour := range slices.Sorted(maps.Keys(m.late)) {
			out[s] = append(out[s], time.Unix(hour*3600, 0).UTC())
		}
		clear(m.late)
	}
	return out
}
