// Package evidence says what is kept for later proof, and how the audit log notes it: decisions and overrides of the gate, its
// public keys, corrections of budgets, and acknowledgements of pages.
//
// Whoever writes one adds its digest to the entry of the audit log that tells of it (Note), which is hash-chained and lies in
// files of its own: who edits the database alone cannot make the two fit. It compares nothing: audit/witness does.
//
// In: records as the model has them. Out: digests, and details of entries. Pure. Start reading at Note.
package evidence
