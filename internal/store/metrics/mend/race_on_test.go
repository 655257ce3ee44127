//go:build race

package mend_test

// raceDetector makes the longest tests look at fewer kills; scripts/prove.sh looks at all.
const raceDetector = true
