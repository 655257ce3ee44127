// Package auth puts together who asks and what they may: the section `auth` of the configuration, and the hooks that the
// front asks about every request.
//
// It proves and decides nothing itself: accounts, oidc, directory and certificate say who somebody is, policy what they may. In:
// requests. Out: identities, accesses, refusals.
//
// Invariants: a request shows one proof, and one that is wrong is refused, whatever else it shows; what a refusal says is the
// same for what does not exist and for what its caller may not see.
//
// Start reading at Config, then Gatekeeper.
package auth
