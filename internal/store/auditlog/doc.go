// Package auditlog keeps the audit log: a chain of entries in one file a month, to which is only added.
//
// It knows nothing of what is worth noting; whoever asks it decides that. In: model.AuditEntry. Out: entries
// once they are on the disk, searched by time, actor, action, tenant, subject and text, and the sentence that says which
// was changed, removed or put elsewhere.
//
// A line is {"hash":H,"entry":E}: H is the hexadecimal SHA-256 of the hash before it, a line feed, and E byte by byte.
// A month's file begins with a line that says at which entry and hash it goes on. A month that is over is packed:
// zstd frames, which zstdcat reads as the same lines. Beside each file lies its index (blocks.go), which can be made
// again from it. `head` holds the last entry that was synced, so that one taken from the end is missed.
//
// Invariants: an entry that Audit answered is on the disk; one that Note took is within a second, or counted
// as lost and named; numbers rise by one, also over months; what verified once is never cut or rewritten but by
// retention, which writes an entry before it deletes a month. mu guards the chain's end; it is held for a write(2), never
// for a sync. Order of locks: retain, sync.mu, mu.
//
// Start reading at Open, then append in log.go, then verify.go.
package auditlog
