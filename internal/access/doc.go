// Package access holds the words of who may do what: permissions, identities, and what one
// request may see.
//
// It decides nothing: internal/auth says who asks and what they may, internal/front asks it for every
// request, and every room below reads the outcome from the request's context. Standard library only.
//
// Invariant: a context without an Access is work of Signalbox itself (a rule, an SLO, a probe), which sees
// everything; every request that came in from outside has one, because the front gives it one before a
// handler sees it.
//
// Start reading at Access, then From.
package access
