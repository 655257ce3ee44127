package jaeger

import (
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
)

// adjusted is a trace as Jaeger's query service shows it: spans that share an
// id are told apart, and clocks that disagree with their parents' are put
// right. What was changed is said in warnings, by span.
type adjusted struct {
	spans    []model.Span
	warnings [][]string
}

// adjust works on copies: the spans are the caller's.
func adjust(spans []model.Span) adjusted {
	a := adjusted{spans: slices.Clone(spans), warnings: make([][]string, len(spans))}
	a.separate()
	a.align()
	return a
}

func (a *adjusted) warn(i int, format string, args ...any) {
	a.warnings[i] = append(a.warnings[i], fmt.Sprintf(format, args...))
}

// separate gives the server's half of a call its own id where it shares the
// client's, as Zipkin's libraries have it: it becomes the client's child, and
// what names the id as its parent becomes the server's.
func (a *adjusted) separate() {
	client, used := map[model.SpanID]bool{}, map[model.SpanID]bool{}
	for i := range a.spans {
		s := &a.spans[i]
		used[s.SpanID] = true
		client[s.SpanID] = client[s.SpanID] || s.Kind == model.SpanKindClient
	}
	own, moved := map[model.SpanID]model.SpanID{}, map[int]bool{}
	for i := range a.spans {
		s := &a.spans[i]
		shared := s.SpanID
		if s.Kind != model.SpanKindServer || !client[shared] {
			continue
		}
		if own[shared].IsZero() {
			own[shared] = freeID(shared, used)
			used[own[shared]] = true
		}
		s.ParentID, s.SpanID = shared, own[shared]
		moved[i] = true
		a.warn(i, "span id %s is shared with the client's span; this server's span is shown as %s, its child", shared, s.SpanID)
	}
	for i := range a.spans {
		if id := own[a.spans[i].ParentID]; !id.IsZero() && !moved[i] {
			a.spans[i].ParentID = id
		}
	}
}

// freeID is the next id after one that no span has: the same at every look at the trace.
func freeID(id model.SpanID, used map[model.SpanID]bool) model.SpanID {
	for n := binary.BigEndian.Uint64(id[:]) + 1; ; n++ {
		binary.BigEndian.PutUint64(id[:], n)
		if !id.IsZero() && !used[id] {
			return id
		}
	}
}

// align moves spans whose clock disagrees with their parent's. Spans of one
// host share its clock: they keep the shift of the host's span above them.
func (a *adjusted) align() {
	at, children := map[model.SpanID]int{}, map[model.SpanID][]int{}
	for i := range a.spans {
		s := &a.spans[i]
		if _, twice := at[s.SpanID]; twice {
			a.warn(i, "duplicate span IDs; skipping clock skew adjustment")
			continue
		}
		at[s.SpanID] = i
	}
	var roots []int
	for i := range a.spans {
		s := &a.spans[i]
		if at[s.SpanID] != i {
			continue
		}
		if _, known := at[s.ParentID]; known && s.ParentID != s.SpanID {
			children[s.ParentID] = append(children[s.ParentID], i)
			continue
		}
		roots = append(roots, i)
		if !s.ParentID.IsZero() {
			a.warn(i, "invalid parent span IDs=%s; skipping clock skew adjustment", s.ParentID)
		}
	}
	type step struct {
		i, parent int
		shift     int64
	}
	var todo []step
	for _, i := range roots {
		todo = append(todo, step{i: i, parent: -1})
	}
	for len(todo) > 0 {
		n := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		s := &a.spans[n.i]
		if n.parent >= 0 && hostOf(s) != hostOf(&a.spans[n.parent]) {
			n.shift = skew(s, &a.spans[n.parent])
		}
		a.shift(n.i, n.shift)
		for _, c := range children[s.SpanID] {
			todo = append(todo, step{i: c, parent: n.i, shift: n.shift})
		}
	}
}

// hostOf tells whose clock a span's times are of.
func hostOf(s *model.Span) [3]string {
	host, _ := s.Resource.Attrs.Get("host.name")
	if name := host.String(); name != "" {
		return [3]string{name}
	}
	return [3]string{"", s.Resource.Service, s.Resource.Instance}
}

// skew is how far a child must move to lie within its parent. A child that lasts longer than its
// parent, or works on a message, may go on after it: only a start before the parent's is
// wrong then. Otherwise the time on the way is taken for the same there and back.
func skew(child, parent *model.Span) int64 {
	queue := child.Kind == model.SpanKindConsumer || parent.Kind == model.SpanKindProducer
	if child.Duration > parent.Duration || queue {
		return max(parent.Start-child.Start, 0)
	}
	if child.Start >= parent.Start && child.End() <= parent.End() {
		return 0
	}
	return parent.Start - child.Start + (parent.Duration-child.Duration)/2
}

func (a *adjusted) shift(i int, by int64) {
	if by == 0 {
		return
	}
	s := &a.spans[i]
	s.Start += by
	s.Events = slices.Clone(s.Events)
	for k := range s.Events {
		s.Events[k].Time += by
	}
	a.warn(i, "This span's timestamps were adjusted by %s", time.Duration(by))
}
