// Package scan answers questions about events: search, counts and traces over
// sealed parts and unsealed heads.
//
// It evaluates store.Expr and implements store.LogReader and store.SpanReader. It does not
// write, seal or delete, and it does not speak SQL: package events and query/sql do.
//
// In: part.View, one consistent picture per query. Out: model values, counts. Every row is
// in exactly one head or part of a view, so nothing is seen twice or missed.
//
// How a part is searched, cheapest step first: its time range, tenants and trace filter;
// dictionaries, which often decide a test for the whole part; word filters per block
// of 1,024 rows; then per block the columns that the filter names, and at last, for
// the rows that are wanted, all columns. Whole-range histograms read roll-ups
// only. Heads are in memory and are searched row by row with store.Matcher, which
// also defines what parts must answer.
//
// Invariants: a damaged part is reported to the view and left out, the others
// still answer. Context is checked per block. Memory is bounded by what a query
// may return (and maxDistinct values, maxTraces traces), not by what it reads.
// No locks are held while reading; collectors have one each, a leaf.
//
// Start reading at scan.go, then plan.go, node.go and column.go.
package scan
