package part

import (
	"cmp"
	"slices"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store/events/head"
)

// shape is the first 8 bytes of a message with digits masked, as a number. Messages that
// start alike come from one place in a program: sorting by it makes pages that
// compress better and that filters skip more often.
func shape(message []byte) uint64 {
	var s uint64
	for i := range 8 {
		c := byte(0)
		if i < len(message) {
			c = message[i]
		}
		if c >= '0' && c <= '9' {
			c = '0'
		}
		s = s<<8 | uint64(c)
	}
	return s
}

type sortKey struct {
	major uint64
	minor uint32
	row   int32
	time  int64
}

func sorted(keys []sortKey) []int32 {
	slices.SortFunc(keys, func(a, b sortKey) int {
		if a.major != b.major {
			return cmp.Compare(a.major, b.major)
		}
		if a.minor != b.minor {
			return cmp.Compare(a.minor, b.minor)
		}
		if a.time != b.time {
			return cmp.Compare(a.time, b.time)
		}
		return cmp.Compare(a.row, b.row)
	})
	out := make([]int32, len(keys))
	for i, k := range keys {
		out[i] = k.row
	}
	return out
}

// orderLogs sorts by (shape, service, time).
func orderLogs(l *head.Logs) []int32 {
	services := make([]string, len(l.Resources.Values))
	for i, r := range l.Resources.Values {
		services[i] = r.Service
	}
	slices.Sort(services)
	rank := make([]uint32, len(services))
	for i, r := range l.Resources.Values {
		n, _ := slices.BinarySearch(services, r.Service)
		rank[i] = uint32(n)
	}
	keys := make([]sortKey, l.Rows)
	for i := range keys {
		keys[i] = sortKey{major: shape(l.Messages.Bytes(i)), minor: rank[l.Resources.Codes[i]], row: int32(i), time: l.Time[i]}
	}
	return sorted(keys)
}

// orderSpans groups by trace in order of first arrival, then sorts by start.
func orderSpans(s *head.Spans) []int32 {
	groups := make(map[model.TraceID]uint64, s.Rows/4)
	keys := make([]sortKey, s.Rows)
	for i := range keys {
		g, ok := groups[s.TraceID[i]]
		if !ok {
			g = uint64(len(groups))
			groups[s.TraceID[i]] = g
		}
		keys[i] = sortKey{major: g, row: int32(i), time: s.Start[i]}
	}
	return sorted(keys)
}
