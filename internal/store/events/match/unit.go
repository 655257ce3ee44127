package match

import (
	"context"

	"github.com/signalbox-project/signalbox/internal/store/events/head"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

// Unit is one part or one head of a view: what is searched at a time.
type Unit struct {
	Part     *part.Part
	Logs     *head.Logs
	Spans    *head.Spans
	Min, Max int64 // times of its rows, inclusive
}

// Visitor gets the matching rows of one unit; it belongs to one goroutine.
type Visitor interface {
	Block(t *Table, b *Block) error
	Row(u *Unit, i int)
}

// Scan shows v all matching rows of u.
func (q *Query) Scan(ctx context.Context, u *Unit, v Visitor) error {
	switch {
	case u.Part != nil:
		t := NewTable(u.Part)
		defer t.Close()
		return t.scan(ctx, q, func(b *Block) error { return v.Block(t, b) })
	case u.Logs != nil:
		return q.scanLogs(ctx, u, v)
	default:
		return q.scanSpans(ctx, u, v)
	}
}
