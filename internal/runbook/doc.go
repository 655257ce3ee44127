// Package runbook reads runbooks: Markdown files that say what to do about an alert, with queries that run where they stand.
//
// A file begins with front matter (title, severity, the alerts and services that it is for, when it was reviewed) and has the
// sections that somebody who was woken needs. The text is read by a Markdown library and served as blocks, never as HTML: who
// shows it has no markup to make safe. The package asks no engine; who has one runs the queries.
//
// In: files. Out: runbooks and everything that is wrong with them, at a moment: a review that is overdue is a warning of today.
// A Room is safe for concurrent use.
//
// Start reading at Runbook, then Load.
package runbook
