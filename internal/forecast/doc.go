// Package forecast knows pools that run out: which metric says how much of something is used, which one how
// much there is, and by what PromQL it is told when it ends.
//
// It is pure: names of metrics in, pairs and rules out. It asks no store and evaluates nothing. Pairs come from a table of what
// exporters of the field publish, and, for others, from names that differ in one word alone (used and limit); whether both have the same labels only the
// data tell, so whoever lists pools asks.
//
// Start reading at Find, then Rules.
package forecast
