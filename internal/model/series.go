package model

import "time"

// Sample is one series' value at one time: an element of what an instant query
// answers. Labels includes __name__ where the series has one.
type Sample struct {
	Labels Labels    `json:"labels"`
	Time   time.Time `json:"time"`
	Value  float64   `json:"value"`
}

// Point is one step of a series.
type Point struct {
	Time  time.Time `json:"time"`
	Value float64   `json:"value"`
}

// Series is what a range query answers for one label set, points in order of
// time. A step without data has no point.
type Series struct {
	Labels Labels  `json:"labels"`
	Points []Point `json:"points"`
}
