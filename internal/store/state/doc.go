// Package state keeps what people and machines decided: deployment markers,
// gate decisions, pages and their acknowledgements, SLO states, users with their sessions
// and tokens, documents of any kind, and the audit log.
//
// It does not interpret any of it, and it keeps no telemetry. It is the SQLite engine of store.State, which says what
// each method answers.
//
// In: values of internal/model. Out: the same values, newest first, selected by the
// query types of internal/store. A method that returned nil has its change on disk
// (SQLite with write-ahead log and synchronous=FULL): it survives kill -9 and power
// loss.
//
// Invariants: one writer connection, so write transactions never wait for each
// other inside SQLite; readers run beside it on their own connections and never
// see half a transaction. At most one page per dedup key is firing. Audit rows are
// only added, and each row's hash covers the row before. A database that SQLite
// finds damaged at Open is moved aside under a name that says so, never deleted,
// never written again; Problems names it. SQL stays what PostgreSQL also reads.
// A Store is safe for concurrent use; its only lock is inside database/sql.
//
// Start reading at state.go, then migrations/.
package state
