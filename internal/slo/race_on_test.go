//go:build race

package slo_test

// raceDetector makes the oracles, which are one goroutine's arithmetic, draw less.
const raceDetector = true
