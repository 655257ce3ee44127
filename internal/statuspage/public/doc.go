// Package public answers readers of status pages, without a login where a page is public.
//
// In: requests, Rooms. Out: the files that package site makes, kept in memory and made anew when something was announced or half a minute passed, so
// that many readers cost no more than few. A page of its own host is at / of the listener for status pages.
//
// Invariants: what is not public is shown to who has the permission alone, and nobody else learns that it is there; no cookie is set; an answer of a
// public page holds what its View holds.
//
// Start reading at Server.ServeHTTP.
package public
