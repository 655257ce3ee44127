// Package definition makes SLOs of documents: what is measured, against which objective, over
// which window, and which burn alerts stand over it.
//
// Define resolves OpenSLO documents into Definitions and names what does not fit together;
// Catalog holds those in force; PrometheusRules writes them as a rule file. The package knows the
// arithmetic that a definition fixes (budget, burn rate, windows), but neither keeps nor judges
// anything: package slo does.
//
// In: documents (package openslo). Out: Definitions, which are immutable and safe for concurrent use.
//
// Invariants: a document with a problem other than a warning defines nothing; names are unique; what
// composites are made of is defined with them.
//
// Start reading at definition.go.
package definition
