// Package oidc logs people in by OpenID Connect and knows machines by the signed tokens of such providers.
//
// People: the authorization code flow with PKCE, state and nonce bound to the browser by a sealed cookie, refreshed
// groups, logout both ways. Machines: a token is good if its issuer, audience and claims are those of a rule. It keeps no
// sessions. In: requests of browsers, tokens. Out: a login.Login, an access.Identity, or login.ErrUnauthenticated,
// login.Unavailable, login.Refused.
//
// Invariants: a provider that is down stops new logins by it alone; it is found at first use and tried again. Only
// asymmetric signatures by the provider's own keys count. Nothing of an answer is believed before its signature, issuer,
// audience and times are. A browser is sent to the provider or to a path of ours, never anywhere else. Start reading at
// Logins, then Provider.
package oidc
