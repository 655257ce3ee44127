package part

import (
	"sync"

	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/head"
)

// View is one consistent picture of a signal's events: every row is in exactly
// one of the heads or parts. It MUST be released; until then no file of it is
// deleted. Parts and heads may hold rows outside the range that was asked for.
type View struct {
	Signal Signal
	Parts  []*Part       // in no fixed order
	Logs   []*head.Logs  // when Signal is Logs
	Spans  []*head.Spans // when Signal is Spans
	// Encrypts says that what is in memory alone may not be written to a disk in plain.
	Encrypts bool

	damaged func(*Part, error)
	once    sync.Once
}

// NewView makes a view that takes over one reference to each part. damaged is
// called by Damaged; nil means nobody wants to know.
func NewView(signal Signal, parts []*Part, logs []*head.Logs, spans []*head.Spans, damaged func(*Part, error)) *View {
	return &View{Signal: signal, Parts: parts, Logs: logs, Spans: spans, damaged: damaged}
}

// Release ends the view; further calls do nothing.
func (v *View) Release() {
	v.once.Do(func() {
		for _, p := range v.Parts {
			p.Release()
		}
	})
}

// Damaged tells the store that a part could not be read: it is set aside and
// named, and later views are without it. The reader goes on with the others.
func (v *View) Damaged(p *Part, err error) {
	if v.damaged != nil {
		v.damaged(p, err)
	}
}

// Source gives views; *events.DB is one.
type Source interface {
	// View is the signal's events that may lie in r. The zero Range means all.
	View(signal Signal, r store.Range) *View
}
