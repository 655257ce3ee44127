package head

import (
	"math"
	"sync"

	"github.com/signalbox-project/signalbox/internal/model"
)

// Logs is a snapshot of log records in columns, in order of arrival. It never
// changes. Row numbers run from 0 to Rows-1. (ID, Rows) names its content.
type Logs struct {
	ID         uint64 // the head's, unique within a store
	Rows       int
	MinTime    int64 // Unix ns; MinTime > MaxTime when there are no rows
	MaxTime    int64 // Unix ns, inclusive
	Time       []int64
	Level      []model.Level
	TraceID    []model.TraceID
	SpanID     []model.SpanID
	RequestIDs Text
	Messages   Text
	Attributes Attrs
	Resources  Resources
}

// Record is row i as a model value. Its texts alias the head's arenas.
func (l *Logs) Record(i int) model.LogRecord {
	return model.LogRecord{
		Time: l.Time[i], Level: l.Level[i], TraceID: l.TraceID[i], SpanID: l.SpanID[i],
		RequestID: l.RequestIDs.At(i), Message: l.Messages.At(i),
		Attrs: l.Attributes.Row(i), Resource: l.Resources.At(i),
	}
}

// LogsBuilder is a growing head of log records, safe for concurrent use.
type LogsBuilder struct {
	mu   sync.Mutex
	cols Logs
	keys interner
	res  resourceDict
}

// NewLogs makes an empty head.
func NewLogs(id uint64) *LogsBuilder {
	return &LogsBuilder{
		cols: Logs{ID: id, MinTime: math.MaxInt64, MaxTime: math.MinInt64},
		keys: interner{}, res: newResourceDict(),
	}
}

// Append adds all records at once: a snapshot sees all of them or none.
func (b *LogsBuilder) Append(records []model.LogRecord) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := &b.cols
	for i := range records {
		r := &records[i]
		c.Time = append(c.Time, r.Time)
		c.Level = append(c.Level, r.Level)
		c.TraceID = append(c.TraceID, r.TraceID)
		c.SpanID = append(c.SpanID, r.SpanID)
		c.RequestIDs.append(clean(r.RequestID))
		c.Messages.append(clean(r.Message))
		c.Attributes.append(b.keys, r.Attrs)
		b.res.append(&c.Resources, r.Resource)
		c.MinTime, c.MaxTime = min(c.MinTime, r.Time), max(c.MaxTime, r.Time)
	}
	c.Rows += len(records)
	b.res.forget()
}

// Snapshot is everything appended so far.
func (b *LogsBuilder) Snapshot() *Logs {
	b.mu.Lock()
	defer b.mu.Unlock()
	snap := b.cols
	return &snap
}

// Size is the number of rows and an estimate of the memory held, in bytes.
func (b *LogsBuilder) Size() (rows, bytes int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := &b.cols
	return c.Rows, 37*c.Rows + c.RequestIDs.memory() + c.Messages.memory() + c.Attributes.memory() + 200*len(c.Resources.Values)
}
