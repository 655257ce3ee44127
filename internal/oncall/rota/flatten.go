package rota

import (
	"container/heap"
	"slices"
	"time"
)

// flatten makes one list of several, of which a later one goes before an earlier one.
func flatten(sources [][]Span) (out []Span) {
	type edge struct {
		at     time.Time
		source int
		span   Span
		begins bool
	}
	var edges []edge
	for i, spans := range sources {
		for _, s := range spans {
			edges = append(edges, edge{s.Start, i, s, true}, edge{s.End, i, s, false})
		}
	}
	slices.SortStableFunc(edges, func(a, b edge) int { return a.at.Compare(b.at) })
	var live sourceHeap
	for i, e := range edges {
		if e.begins {
			heap.Push(&live, sourced{e.source, e.span})
		}
		if i+1 < len(edges) && edges[i+1].at.Equal(e.at) {
			continue // what else happens at this instant counts too
		}
		for len(live) > 0 && !live[0].span.End.After(e.at) {
			heap.Pop(&live)
		}
		if len(live) == 0 || i+1 == len(edges) {
			continue
		}
		now := live[0].span
		now.Start, now.End = e.at, edges[i+1].at
		out = join(out, now)
	}
	return out
}

// join adds a span, to the last one if it goes on.
func join(out []Span, s Span) []Span {
	if n := len(out); n > 0 {
		if last := &out[n-1]; last.End.Equal(s.Start) && last.Person == s.Person && last.Layer == s.Layer && last.Override == s.Override {
			last.End = s.End
			return out
		}
	}
	return append(out, s)
}

// sourced is a span with the number of its source.
type sourced struct {
	source int
	span   Span
}

// sourceHeap has the span on top that goes before the others.
type sourceHeap []sourced

func (h sourceHeap) Len() int           { return len(h) }
func (h sourceHeap) Less(i, j int) bool { return h[i].source > h[j].source }
func (h sourceHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *sourceHeap) Push(x any)        { *h = append(*h, x.(sourced)) }
func (h *sourceHeap) Pop() any {
	old := *h
	n := len(old) - 1
	x := old[n]
	*h = old[:n]
	return x
}
