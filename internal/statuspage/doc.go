// Package statuspage says to those who use a service how it is: pages, what people announce on them, and what was counted.
//
// A page is written in a file, and shows what the file names and nothing else. What goes wrong becomes known on it when somebody publishes
// an announcement: a title, texts and the state of components, in words of their own. Nothing of an incident, an alert or a service is copied.
//
// In: files, announcements, days that SLOs and probes counted. Out: View, which package site makes a page of.
//
// Invariants: a page shows an announcement only if that names the page; a View holds no name that is not in the page's file or in the text of an
// announcement; a day without data is never good. A Room is safe for concurrent use.
//
// Start reading at Page, then Room.View.
package statuspage
