//go:build !linux

package sql

// limitData does nothing: only Linux counts private memory against
// RLIMIT_DATA. DuckDB's own limit and the time limit remain.
func limitData(uint64) error { return nil }
