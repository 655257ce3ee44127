// Package witness tells whether what is kept for later proof (internal/evidence) is still what was written.
//
// A Ledger knows the newest note of each record, a Checker compares those of one tenant with its database, and the readers
// (readers.go) mark what was changed, what was put there, and what is gone.
//
// In: entries of the audit log, read once and then as they are written, and what databases have. Out: sentences. Nothing here
// changes what is kept, and nothing is decided by it.
//
// What is no fault: a record from before there were notes, or whose month of the log has been dropped by retention; one that
// was taken back, of which a note says so. A database that was restored from its copy lost what it lost: the mark stays, and
// names the restoring beside it.
//
// Invariants: the ledger's mu guards its maps, a checker's what its last comparison found; neither is held for I/O, nor while
// the other is. The newest entry about a record counts, in whichever order they come. Start reading at Ledger, then Checker.
package witness
