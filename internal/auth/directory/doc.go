// Package directory logs people in by an LDAP directory: Active Directory, OpenLDAP and what speaks as they do.
//
// It finds a person, binds as them to prove their password, and reads the groups they are in, also by way of other
// groups. It keeps nothing: whoever keeps the session asks again by Recheck. In: a name and a password. Out: a
// login.Login, or login.ErrUnauthenticated, login.Unavailable, login.Refused.
//
// Invariants: an empty password never reaches a server (it would be an anonymous bind, which succeeds); what somebody
// types is escaped in filters and names; passwords go over TLS or a loopback address only; no referral is followed; one
// server has Timeout for all of it. Start reading at Directory.Login, then Config.
package directory
