// Package times compares moments.
//
// It reads no clock. Functions are pure. Start reading at Earlier.
package times

import "time"

// Earlier is the one of two moments that comes first.
func Earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// Later is the one of two moments that comes last.
func Later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
