// Package scan answers questions about events: search, counts and traces over
// sealed parts and unsealed heads.
//
// It implements store.LogReader and store.SpanReader. Which rows a filter holds for, package match
// finds. It does not write, seal or delete, and it does not speak SQL: package events and query/sql do.
//
// In: part.View, one consistent picture per query. Out: model values, counts. Every row is
// in exactly one head or part of a view, so nothing is seen twice or missed.
//
// Of the rows that match, the columns that an answer needs are read, and at last, for the rows that
// are wanted, all columns. Whole-range histograms read roll-ups only.
//
// Invariants: a damaged part is reported to the view and left out, the others
// still answer. Memory is bounded by what a query
// may return (and maxDistinct values, maxTraces traces), not by what it reads.
// No locks are held while reading; collectors have one each, a leaf.
//
// Start reading at scan.go, then latest.go and fetch.go.
package scan
