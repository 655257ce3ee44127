//go:build !linux

package sql

// limitGrowth does nothing: only Linux counts private memory against
// RLIMIT_DATA. DuckDB's own limit and the time limit remain.
func limitGrowth(uint64) error { return nil }
