package search

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
)

// ExplainTrace says in one sentence where a trace's time went, for example
//
//	812 ms, 640 of them waiting for file-server; 2 errors, the first in file-server: disk full.
//
// It follows the critical path: from the trace's end backwards, always into
// the span that ended last, because only that one delayed the end. Time on the path counts for
// the service that spent it; time in a call without anything below it that was
// recorded counts for the callee. No spans give "".
func ExplainTrace(spans []model.Span) string {
	if len(spans) == 0 {
		return ""
	}
	p := newPath(spans)
	p.walk()
	total := p.end - p.start
	var b strings.Builder
	unit, scale, digits := unitOf(total)
	number := func(ns int64) string { return strconv.FormatFloat(float64(ns)/scale, 'f', digits, 64) }
	fmt.Fprintf(&b, "%s %s", number(total), unit)
	if c, ns := p.largest(); ns > 0 {
		share := number(ns) + " of them "
		if ns >= total-total/50 {
			share = "nearly all of them "
		}
		if len(spans) > 1 || c.verb != spending {
			b.WriteString(", " + share + string(c.verb))
			if c.name != "" {
				b.WriteString(" " + c.name)
			}
		}
	}
	b.WriteString(errorsOf(spans))
	b.WriteByte('.')
	return b.String()
}

// unitOf chooses how to write durations up to ns.
func unitOf(ns int64) (unit string, scale float64, digits int) {
	switch {
	case ns < int64(time.Millisecond):
		return "µs", 1e3, 0
	case ns < int64(10*time.Millisecond):
		return "ms", 1e6, 1
	case ns < int64(10*time.Second):
		return "ms", 1e6, 0
	}
	return "s", 1e9, 1
}

// maxErrorText bounds what is quoted of a status message.
const maxErrorText = 120

// errorsOf names how many spans failed, and the one that failed first: the
// earliest end is where an error began.
func errorsOf(spans []model.Span) string {
	n, first := 0, -1
	for i := range spans {
		if spans[i].Status != model.StatusError {
			continue
		}
		n++
		if first < 0 || spans[i].End() < spans[first].End() {
			first = i
		}
	}
	if n == 0 {
		return ""
	}
	s := &spans[first]
	text := "; 1 error, in "
	if n > 1 {
		text = fmt.Sprintf("; %d errors, the first in ", n)
	}
	text += cmp.Or(s.Resource.Service, s.Name, "an unnamed service")
	if msg := strings.TrimRight(strings.Join(strings.Fields(s.StatusMessage), " "), ". "); msg != "" {
		if r := []rune(msg); len(r) > maxErrorText {
			msg = string(r[:maxErrorText]) + "…"
		}
		text += ": " + msg
	}
	return text
}

// cause is what time on the critical path is spent on.
type cause struct {
	verb verb
	name string
}

type verb string

const (
	spending verb = "in"
	waiting  verb = "waiting for"
	queueing verb = "waiting in a queue"
	unseen   verb = "between spans"
)

// path is a trace's critical path.
type path struct {
	spans      []model.Span
	start, end int64
	tops       []int   // spans that no other one waits for
	children   [][]int // by span, those within their parent's time
	spent      map[cause]int64
	root       string // the root's service
}

func newPath(spans []model.Span) *path {
	p := &path{spans: spans, start: math.MaxInt64, end: math.MinInt64, children: make([][]int, len(spans)), spent: map[cause]int64{}}
	byID := make(map[model.SpanID]int, len(spans))
	for i := range spans {
		p.start, p.end = min(p.start, spans[i].Start), max(p.end, spans[i].End())
		if _, ok := byID[spans[i].SpanID]; !ok {
			byID[spans[i].SpanID] = i
		}
	}
	for i := range spans {
		parent, ok := byID[spans[i].ParentID]
		// What starts after its parent's end (a queue's consumer) did not keep it waiting.
		if !ok || spans[i].ParentID.IsZero() || parent == i || spans[i].Start >= spans[parent].End() {
			p.tops = append(p.tops, i)
			continue
		}
		p.children[parent] = append(p.children[parent], i)
	}
	p.root = spans[p.first()].Resource.Service
	for _, list := range p.children {
		p.lastFirst(list)
	}
	p.lastFirst(p.tops)
	return p
}

// first is the earliest span without a parent, else the earliest.
func (p *path) first() int {
	best := 0
	for i := range p.spans {
		s, b := &p.spans[i], &p.spans[best]
		if root := s.ParentID.IsZero(); root == b.ParentID.IsZero() && s.Start < b.Start || root && !b.ParentID.IsZero() {
			best = i
		}
	}
	return best
}

func (p *path) lastFirst(list []int) {
	slices.SortFunc(list, func(a, b int) int {
		return cmp.Or(cmp.Compare(p.spans[b].End(), p.spans[a].End()), cmp.Compare(p.spans[a].Start, p.spans[b].Start))
	})
}

// step is a span on the path, of which the time from…until is still to be
// searched: clocks that disagree may put a span beyond its parent's time.
type step struct {
	span        int
	from, until int64
}

// walk adds up the path. Spans whose parents point at each other in a circle
// are below no top and stay out.
func (p *path) walk() {
	if len(p.tops) == 0 {
		return
	}
	var todo []step
	cursor := p.below(&todo, p.tops, p.start, p.end, p.gap)
	p.spent[cause{unseen, ""}] += max(cursor-p.start, 0)
	for len(todo) > 0 {
		s := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		self := p.causeOf(s.span)
		cursor := p.below(&todo, p.children[s.span], s.from, s.until, func(int) cause { return self })
		p.spent[self] += max(cursor-s.from, 0)
	}
}

// below walks back from until to start over children, latest end first, and returns where it ends.
func (p *path) below(todo *[]step, children []int, start, until int64, gap func(next int) cause) int64 {
	later := -1
	for _, c := range children {
		span := &p.spans[c]
		end := min(span.End(), until)
		if span.Start >= until || end <= start {
			continue
		}
		p.spent[gap(later)] += until - end
		from := max(span.Start, start)
		*todo = append(*todo, step{c, from, end})
		until, later = from, c
	}
	return until
}

// gap is what time between the spans at the top is spent on; next is the span
// that follows the gap, -1 for none.
func (p *path) gap(next int) cause {
	if next >= 0 && p.spans[next].Kind == model.SpanKindConsumer {
		return cause{queueing, ""}
	}
	return cause{unseen, ""}
}

// causeOf is what a span's own time is spent on.
func (p *path) causeOf(i int) cause {
	s := &p.spans[i]
	if s.Kind == model.SpanKindClient {
		for _, c := range p.children[i] {
			if name := p.spans[c].Resource.Service; name != s.Resource.Service {
				return p.of(name)
			}
		}
		for _, key := range [...]string{"peer.service", "db.system.name", "db.system", "rpc.service", "server.address", "net.peer.name", "messaging.system"} {
			if v, ok := s.Attrs.Get(key); ok && v.String() != "" {
				return cause{waiting, v.String()}
			}
		}
	}
	return p.of(s.Resource.Service)
}

func (p *path) of(service string) cause {
	if service == p.root {
		return cause{spending, cmp.Or(service, "the service") + " itself"}
	}
	return cause{waiting, cmp.Or(service, "an unnamed service")}
}

// largest is what most of the time is spent on.
func (p *path) largest() (best cause, ns int64) {
	for c, n := range p.spent {
		if n > ns || n == ns && (c.verb < best.verb || c.verb == best.verb && c.name < best.name) {
			best, ns = c, n
		}
	}
	return best, ns
}
