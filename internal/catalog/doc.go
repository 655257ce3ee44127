// Package catalog says what services there are and whose they are: owner, tier, escalation, chat, links, runbooks and
// dependencies.
//
// It reads files of its own and catalog-info files of Backstage, and looks at telemetry for the services that send something,
// the teams that they name and who calls whom. It stores nothing and pages nobody: alerts get the team of their service
// (enrich.go), and who escalates asks Owner.
//
// In: files, series, edges. Out: entries with their gaps, within what the caller sees. Invariants: what files say goes before what
// telemetry says; an alert keeps the team that it began with. A Room is safe for concurrent use; its snapshot of telemetry is
// replaced whole.
//
// Start reading at Room, then backstage.go for what of Backstage's format means what.
package catalog
