// Package incident makes incidents of pages, keeps what people do about them, and writes down afterwards what happened.
//
// A page that wakes somebody opens an incident, unless it belongs to one that is live: the same alert group, the same service and
// environment, a service that depends on one of the incident's or the other way round, or the same region at the same moment. People change
// everything a page said, merge, split and reopen.
//
// In: pages, as the delivery log keeps them; what people say. Out: Incident, kept as documents, its timeline, figures and
// postmortem. It decides neither who is paged nor when, and no page waits for it.
//
// Invariants: what pages say is read from the page store again and again, so that a kill at any moment loses nothing and opens nothing
// twice: incident and page are tied in one transaction, and the incident of a page has an ID that follows from the page's. What a person said is
// not changed by a page. Who is bound to namespaces sees the incidents alone whose alerts and services are all theirs. A Room is safe for
// concurrent use.
//
// Start reading at Room.Run, then reconcile.go.
package incident
