package head

import (
	"math"
	"sync"

	"github.com/signalbox-project/signalbox/internal/model"
)

// Spans is a snapshot of spans in columns, in order of arrival, with the rules of Logs.
// Events and links are kept as the JSON text that sealed files hold.
type Spans struct {
	ID       uint64
	Rows     int
	MinTime  int64 // Unix ns, of starts; MinTime > MaxTime when there are no rows
	MaxTime  int64 // Unix ns, of starts, inclusive
	Start    []int64
	Duration []int64
	TraceID  []model.TraceID
	SpanID   []model.SpanID
	ParentID []model.SpanID
	Kind     []model.SpanKind
	Status   []model.SpanStatus
	SpanTexts
	Attributes Attrs
	Resources  Resources
}

// SpanTexts are the columns of text of a snapshot of spans.
type SpanTexts struct {
	Names          Dict
	Scopes         Dict
	StatusMessages Text
	TraceStates    Text
	Events         Text // JSON array, "" if none
	Links          Text // JSON array, "" if none
}

// Span is row i as a model value. Its texts alias the head's arenas. Events
// and links that cannot be decoded are left out.
func (s *Spans) Span(i int) model.Span {
	events, _ := DecodeEventsJSON(s.Events.At(i))
	links, _ := DecodeLinksJSON(s.Links.At(i))
	return model.Span{
		TraceID: s.TraceID[i], SpanID: s.SpanID[i], ParentID: s.ParentID[i],
		Name: s.Names.At(i), Kind: s.Kind[i], Start: s.Start[i], Duration: s.Duration[i],
		Status: s.Status[i], StatusMessage: s.StatusMessages.At(i), TraceState: s.TraceStates.At(i),
		Scope: s.Scopes.At(i), Attrs: s.Attributes.Row(i), Events: events, Links: links,
		Resource: s.Resources.At(i),
	}
}

// SpansBuilder is a growing head of spans, safe for concurrent use.
type SpansBuilder struct {
	mu            sync.Mutex
	cols          Spans
	keys          interner
	names, scopes interner
	res           resourceDict
	scratch       []byte
}

// NewSpans makes an empty head.
func NewSpans(id uint64) *SpansBuilder {
	return &SpansBuilder{
		cols: Spans{ID: id, MinTime: math.MaxInt64, MaxTime: math.MinInt64},
		keys: interner{}, names: interner{}, scopes: interner{}, res: newResourceDict(),
	}
}

// Append adds all spans at once: a snapshot sees all of them or none.
func (b *SpansBuilder) Append(spans []model.Span) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range spans {
		b.add(&spans[i])
	}
	b.cols.Rows += len(spans)
	b.res.forget()
}

func (b *SpansBuilder) add(s *model.Span) {
	c := &b.cols
	c.Start = append(c.Start, s.Start)
	c.Duration = append(c.Duration, s.Duration)
	c.TraceID = append(c.TraceID, s.TraceID)
	c.SpanID = append(c.SpanID, s.SpanID)
	c.ParentID = append(c.ParentID, s.ParentID)
	c.Kind = append(c.Kind, s.Kind)
	c.Status = append(c.Status, s.Status)
	c.Names.Codes = append(c.Names.Codes, b.names.code(&c.Names.Values, clean(s.Name)))
	c.Scopes.Codes = append(c.Scopes.Codes, b.scopes.code(&c.Scopes.Values, clean(s.Scope)))
	c.StatusMessages.append(clean(s.StatusMessage))
	c.TraceStates.append(clean(s.TraceState))
	b.scratch = appendEventsJSON(b.scratch[:0], s.Events)
	c.Events.appendBytes(b.scratch)
	b.scratch = appendLinksJSON(b.scratch[:0], s.Links)
	c.Links.appendBytes(b.scratch)
	c.Attributes.append(b.keys, s.Attrs)
	b.res.append(&c.Resources, s.Resource)
	c.MinTime, c.MaxTime = min(c.MinTime, s.Start), max(c.MaxTime, s.Start)
}

// Snapshot is everything appended so far.
func (b *SpansBuilder) Snapshot() *Spans {
	b.mu.Lock()
	defer b.mu.Unlock()
	snap := b.cols
	return &snap
}

// Size is the number of rows and an estimate of the memory held, in bytes.
func (b *SpansBuilder) Size() (rows, bytes int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := &b.cols
	return c.Rows, 62*c.Rows + c.Names.memory() + c.Scopes.memory() + c.StatusMessages.memory() + c.TraceStates.memory() +
		c.Events.memory() + c.Links.memory() + c.Attributes.memory() + 200*len(c.Resources.Values)
}
