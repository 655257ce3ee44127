// Package guard decides which SQL may run: what is not listed is refused.
//
// It bounds a query's text before any parser sees it (Bound), takes DuckDB's
// syntax tree of it, and lets pass one SELECT whose every expression, table,
// type and function is on a list (Check). A new version of DuckDB brings
// functions; none of them can be used before it is written into functions.txt. It
// runs nothing and opens nothing. In: text and a Parser. Out: a Plan, or an Error for who
// wrote the query. Start reading at Check, then allowed.go.
package guard
