package past

import (
	"time"

	"github.com/signalbox-project/signalbox/internal/store"
)

// Batch gathers the late samples of one commit. It is not safe for concurrent use.
type Batch struct {
	hours []hours
	last  int // where the last sample went: they mostly come in order
}

// hours are consecutive ones.
type hours struct {
	from, to int64
	names    store.MetricNames
}

// Batch is an empty one. Tell or Drop take it back.
func (l *Log) Batch() *Batch {
	b := l.pool.Get().(*Batch)
	b.hours, b.last = b.hours[:0], 0
	return b
}

// Drop takes a batch back that is not committed.
func (l *Log) Drop(b *Batch) { l.pool.Put(b) }

const hourMillis = int64(time.Hour / time.Millisecond)

// Add takes note of a sample by its time, Unix milliseconds.
func (b *Batch) Add(t int64, metric string) { b.at(hourOf(t)).Add(metric) }

// Span takes note of everything in a span of time, Unix milliseconds.
func (b *Batch) Span(from, to int64, metrics ...string) {
	one := hours{from: hourOf(from), to: hourOf(to)}
	for _, m := range metrics {
		one.names.Add(m)
	}
	if len(metrics) == 0 {
		one.names.AddAll()
	}
	b.hours = append(b.hours, one)
}

func hourOf(t int64) int64 {
	if t < 0 {
		t -= hourMillis - 1
	}
	return t / hourMillis
}

func (b *Batch) at(hour int64) *store.MetricNames {
	if b.last < len(b.hours) && b.hours[b.last].from == hour && b.hours[b.last].to == hour {
		return &b.hours[b.last].names
	}
	for i := range b.hours {
		if b.hours[i].from == hour && b.hours[i].to == hour {
			b.last = i
			return &b.hours[i].names
		}
	}
	b.last = len(b.hours)
	if len(b.hours) < cap(b.hours) {
		b.hours = b.hours[:len(b.hours)+1]
		b.hours[b.last] = hours{from: hour, to: hour}
	} else {
		b.hours = append(b.hours, hours{from: hour, to: hour})
	}
	return &b.hours[b.last].names
}

func (b *Batch) each(do func(from, to int64, names *store.MetricNames)) {
	for i := range b.hours {
		do(b.hours[i].from, b.hours[i].to, &b.hours[i].names)
	}
}
