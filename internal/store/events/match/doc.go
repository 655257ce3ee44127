// Package match finds the rows of sealed parts and unsealed heads that a filter holds for, and
// reads their columns.
//
// It evaluates store.Expr. It answers nothing: package scan makes searches, counts and traces of the
// rows that a Visitor is shown. It does not write or delete.
//
// In: a Query and one Unit of a view. Out: blocks of selected rows of a part, or single rows of a head.
//
// How a part is searched, cheapest step first: its time range, tenants and trace filter;
// dictionaries, which often decide a test for the whole part; word filters per block
// of 1,024 rows; then per block the columns that the filter names. Heads are in memory and are searched row by row
// with store.Matcher, which also defines what parts must answer.
//
// Invariants: a Table and what comes from it belong to one goroutine; texts of a Column are gone with
// its page. Damage is an error, or a panic of a foreign decoder, that the caller turns into one. Context is
// checked per block.
//
// Start reading at unit.go, then table.go, plan.go, node.go and column.go.
package match
