package ask

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// series is one of Prometheus' answer: a sample at one moment, or several. Each is a number
// or a native histogram.
type series struct {
	Metric     map[string]string  `json:"metric"`
	Value      point[string]      `json:"value"`
	Histogram  *point[histogram]  `json:"histogram"`
	Values     []point[string]    `json:"values"`
	Histograms []point[histogram] `json:"histograms"`
}

func (s series) sample() string {
	if s.Histogram != nil {
		return s.Histogram.Value.String()
	}
	return s.Value.Value
}

// point is a pair of a time in Unix seconds and a value.
type point[T any] struct {
	Seconds float64
	Value   T
}

func (p *point[T]) UnmarshalJSON(text []byte) error {
	pair := [2]any{&p.Seconds, &p.Value}
	return json.Unmarshal(text, &pair)
}

func (p point[T]) time() string {
	return time.UnixMilli(int64(p.Seconds * 1e3)).UTC().Format(time.RFC3339)
}

type histogram struct {
	Count   string   `json:"count"`
	Sum     string   `json:"sum"`
	Buckets []bucket `json:"buckets"`
}

// String writes a histogram as Prometheus' own interfaces do.
func (h histogram) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "{count:%s, sum:%s", h.Count, h.Sum)
	for _, k := range h.Buckets {
		fmt.Fprintf(&b, ", %s", k)
	}
	return b.String() + "}"
}

// bucket has bounds of which either may belong to it.
type bucket struct {
	Bounds              int
	Lower, Upper, Count string
}

func (b *bucket) UnmarshalJSON(text []byte) error {
	parts := [4]any{&b.Bounds, &b.Lower, &b.Upper, &b.Count}
	return json.Unmarshal(text, &parts)
}

func (b bucket) String() string {
	open, closing := "(", ")"
	if b.Bounds == 1 || b.Bounds == 3 {
		open = "["
	}
	if b.Bounds == 0 || b.Bounds == 3 {
		closing = "]"
	}
	return open + b.Lower + "," + b.Upper + closing + ":" + b.Count
}
